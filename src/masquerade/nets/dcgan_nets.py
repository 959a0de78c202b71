"""The nets of DCGAN (Radford, Metz, Chintala 2015, arXiv 1511.06434), made conditional by showing the class to both.

Strided and fractionally strided convolutions of 5 by 5, batch normalisation in the generator and the critic (not in the
generator's last layer nor the critic's first), ReLU in the generator, leaky ReLU in the critic, tanh at the end. A fractionally
strided convolution of 5 by 5 that doubles the size is a sub-pixel convolution of 3 by 3 (arXiv 1609.07009), with 36 weights in
place of 25, which is how it is computed here.
"""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from masquerade.nets.convolution import Conv, Dense, smooth
from masquerade.nets.layers import BatchNorm
from masquerade.nets.picture_nets import Shape

__all__ = ["DCCritic", "DCGenerator"]


def _normal(norm: BatchNorm, x: Float[Array, "batch height width channels"]) -> Array:
    """Batch normalisation of each channel over pictures and places."""
    return norm(x.reshape(-1, x.shape[-1])).reshape(x.shape)


class DCGenerator(eqx.Module):
    """From noise and a class to a picture, by way of a quarter and half of its size.

    Args:
        shape: of the pictures; height and width are multiples of 4.
        latent_width: numbers of noise.
        classes: how many; 0 for none.
        width: channels at a quarter of the size; half of them at half the size.
        key: of the initial weights.
    """

    start: Dense
    first: BatchNorm
    up: Conv
    second: BatchNorm
    paint: Conv
    quarter: tuple[int, int, int] = eqx.field(static=True)

    def __init__(self, shape: Shape, latent_width: int, classes: int, *, width: int = 128, key: PRNGKeyArray):
        keys = jax.random.split(key, 3)
        height, across, channels = shape
        self.quarter = (height // 4, across // 4, width)
        self.start = Dense(latent_width + classes, height // 4 * (across // 4) * width, key=keys[0])
        self.first = BatchNorm(width)
        self.up = Conv(width, 4 * (width // 2), key=keys[1])
        self.second = BatchNorm(width // 2)
        self.paint = Conv(width // 2, 4 * channels, key=keys[2])

    def __call__(
        self, noise: Float[Array, "batch latent"], classes: Float[Array, "batch classes"]
    ) -> Float[Array, "batch height width channels"]:
        x = self.start(jnp.concatenate([noise, classes], axis=1)).reshape(-1, *self.quarter)
        x = jax.nn.relu(_normal(self.first, x))
        x = jax.nn.relu(_normal(self.second, smooth(self.up(x))))
        return jnp.tanh(smooth(self.paint(x)))

    def calibrated(self, noise: Float[Array, "batch latent"], classes: Float[Array, "batch classes"]) -> DCGenerator:
        """The same generator with every normalisation fixed to the statistics that these inputs give."""
        x = self.start(jnp.concatenate([noise, classes], axis=1)).reshape(-1, *self.quarter)
        first = self.first.calibrated(x.reshape(-1, x.shape[-1]))
        x = smooth(self.up(jax.nn.relu(_normal(self.first, x))))
        second = self.second.calibrated(x.reshape(-1, x.shape[-1]))
        net: DCGenerator = eqx.tree_at(lambda net: (net.first, net.second), self, (first, second))
        return net


class DCCritic(eqx.Module):
    """From a picture and its class, shown as planes of one colour, to a score.

    Args:
        shape: of the pictures.
        latent_width: not a critic's business.
        classes: how many; 0 for none.
        width: channels at half the size; twice as many at a quarter.
        key: of the initial weights.
    """

    see: Conv
    down: Conv
    norm: BatchNorm
    head: Dense

    def __init__(self, shape: Shape, latent_width: int, classes: int, *, width: int = 64, key: PRNGKeyArray):
        keys = jax.random.split(key, 3)
        height, across, channels = shape
        self.see = Conv(channels + classes, width, 5, 2, key=keys[0])
        self.down = Conv(width, 2 * width, 5, 2, key=keys[1])
        self.norm = BatchNorm(2 * width)
        self.head = Dense(-(-height // 4) * -(-across // 4) * 2 * width, 1, key=keys[2])

    def __call__(
        self, x: Float[Array, "batch height width channels"], classes: Float[Array, "batch classes"]
    ) -> Float[Array, " batch"]:
        planes = jnp.broadcast_to(classes[:, None, None, :], (*x.shape[:3], classes.shape[1]))
        x = jax.nn.leaky_relu(self.see(jnp.concatenate([x, planes], axis=3)), 0.2)
        x = jax.nn.leaky_relu(_normal(self.norm, self.down(x)), 0.2)
        return self.head(x.reshape(len(x), -1))[:, 0]
