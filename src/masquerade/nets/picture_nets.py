"""Generator and critic of pictures: small, conditional, without normalisation.

Residual nets after R3GAN (arXiv 2501.05441): leaky ReLU, no batch statistics, blocks that begin as the identity.
"""

from __future__ import annotations

from typing import Any, Protocol

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from masquerade.nets.convolution import Conv, Dense, leaky, smooth

__all__ = ["Block", "PictureCritic", "PictureGenerator", "PictureNetFactory", "Shape", "scaled"]

Shape = tuple[int, int, int]
"""Height, width and channels of a picture."""


def scaled(images: Array) -> Array:
    """Grey levels from 0 to 255, as nets see them: from -1 to 1."""
    return images.astype(jnp.float32) / 127.5 - 1


class PictureNetFactory(Protocol):
    """Makes an Equinox module: a generator maps (batch, latent_width) and one-hot classes (batch, classes) to pictures
    (batch, height, width, channels) in (-1, 1); a critic maps pictures and one-hot classes to scores (batch,)."""

    def __call__(self, shape: Shape, latent_width: int, classes: int, *, key: PRNGKeyArray) -> Any: ...


class Block(eqx.Module):
    """Two convolutions beside the identity, which it begins as."""

    inner: Conv
    outer: Conv

    def __init__(self, channels: int, *, key: PRNGKeyArray):
        keys = jax.random.split(key)
        self.inner = Conv(channels, channels, key=keys[0])
        self.outer = Conv(channels, channels, gain=0.0, key=keys[1])

    def __call__(self, x: Float[Array, "batch height width channels"]) -> Float[Array, "batch height width channels"]:
        return x + self.outer(leaky(self.inner(leaky(x))))


class PictureGenerator(eqx.Module):
    """From noise and a class to a picture: a quarter of the size, twice doubled by sub-pixel convolutions.

    Args:
        shape: of the pictures; height and width are multiples of 4.
        latent_width: numbers of noise.
        classes: how many; 0 for pictures without classes.
        width: channels at a quarter of the size.
        key: of the initial weights.
    """

    tell: Dense
    start: Dense
    first: Block
    up: Conv
    second: Block
    last: Conv
    paint: Conv
    quarter: tuple[int, int, int] = eqx.field(static=True)

    def __init__(self, shape: Shape, latent_width: int, classes: int, *, width: int = 64, key: PRNGKeyArray):
        keys = jax.random.split(key, 7)
        height, across, channels = shape
        self.quarter = (height // 4, across // 4, width)
        self.tell = Dense(max(classes, 1), latent_width, gain=float(max(classes, 1)) ** 0.5, key=keys[0])
        self.start = Dense(2 * latent_width, height // 4 * (across // 4) * width, key=keys[1])
        self.first = Block(width, key=keys[2])
        self.up = Conv(width, 2 * width, key=keys[3])
        self.second = Block(width // 2, key=keys[4])
        self.last = Conv(width // 2, width, key=keys[5])
        self.paint = Conv(width, 4 * channels, key=keys[6])

    def __call__(
        self, noise: Float[Array, "batch latent"], classes: Float[Array, "batch classes"]
    ) -> Float[Array, "batch height width channels"]:
        told = self.tell(classes) if classes.shape[1] else jnp.zeros_like(noise)
        x = self.start(jnp.concatenate([noise, told], axis=1)).reshape(-1, *self.quarter)
        x = smooth(self.up(leaky(self.first(x))))
        x = self.last(leaky(self.second(x)))
        return jnp.tanh(smooth(self.paint(leaky(x))))


class PictureCritic(eqx.Module):
    """From a picture and a class to a score (a projection critic, arXiv 1802.05637).

    Args:
        shape: of the pictures.
        latent_width: not a critic's business.
        classes: how many; 0 for none.
        width: channels at a quarter of the size.
        key: of the initial weights.
    """

    see: Conv
    first: Block
    down: Conv
    second: Block
    sum: Dense
    head: Dense
    ask: Float[Array, "classes features"]

    def __init__(self, shape: Shape, latent_width: int, classes: int, *, width: int = 64, key: PRNGKeyArray):
        keys = jax.random.split(key, 7)
        height, across, channels = shape
        self.see = Conv(channels, width // 2, 4, 2, key=keys[0])
        self.first = Block(width // 2, key=keys[1])
        self.down = Conv(width // 2, width, 4, 2, key=keys[2])
        self.second = Block(width, key=keys[3])
        self.sum = Dense(-(-height // 4) * -(-across // 4) * width, 2 * width, key=keys[4])
        self.head = Dense(2 * width, 1, key=keys[5])
        self.ask = jax.random.normal(keys[6], (classes, 2 * width)) / (2.0 * width) ** 0.5

    def __call__(
        self, x: Float[Array, "batch height width channels"], classes: Float[Array, "batch classes"]
    ) -> Float[Array, " batch"]:
        x = self.down(leaky(self.first(self.see(x))))
        x = leaky(self.second(x))
        features = leaky(self.sum(x.reshape(len(x), -1)))
        return self.head(features)[:, 0] + (features * (classes @ self.ask)).sum(axis=1)
