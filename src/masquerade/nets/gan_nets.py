"""The two nets of a tabular GAN, and what a net of the user's own must be like."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from masquerade.nets.layers import Residual, linear
from masquerade.nets.randomness import uniforms

__all__ = ["Critic", "Generator", "NetFactory"]


class NetFactory(Protocol):
    """Makes an Equinox module that maps a batch (batch, in_width) to (batch, out_width)."""

    def __call__(self, in_width: int, out_width: int, *, key: PRNGKeyArray) -> Callable[[Array], Array]: ...


class Generator(eqx.Module):
    """Residual generator: each block's output is concatenated with its input (Xu et al. 2019, section 4.4)."""

    blocks: tuple[Residual, ...]
    head: eqx.nn.Linear

    def __init__(self, in_width: int, out_width: int, *, widths: Sequence[int] = (256, 256), key: PRNGKeyArray):
        keys = jax.random.split(key, len(widths) + 1)
        blocks, width = [], in_width
        for block_width, block_key in zip(widths, keys, strict=False):
            blocks.append(Residual(width, block_width, key=block_key))
            width += block_width
        self.blocks = tuple(blocks)
        self.head = eqx.nn.Linear(width, out_width, key=keys[-1])

    def __call__(self, x: Float[Array, "batch in_width"]) -> Float[Array, "batch out_width"]:
        for block in self.blocks:
            x = block(x)
        return linear(self.head, x)

    def calibrated(self, x: Float[Array, "batch in_width"]) -> Generator:
        """The same generator with every normalisation fixed to the statistics that `x` gives."""
        blocks = []
        for block in self.blocks:
            blocks.append(block.calibrated(x))
            x = block(x)
        net: Generator = eqx.tree_at(lambda net: net.blocks, self, tuple(blocks))
        return net


class Critic(eqx.Module):
    """Fully connected critic with leaky ReLU (0.2) and, as in the reference, dropout of one half."""

    layers: tuple[eqx.nn.Linear, ...]
    head: eqx.nn.Linear
    dropout: float = eqx.field(static=True)

    def __init__(
        self,
        in_width: int,
        out_width: int,
        *,
        widths: Sequence[int] = (256, 256),
        dropout: float = 0.5,
        key: PRNGKeyArray,
    ):
        keys = jax.random.split(key, len(widths) + 1)
        sizes = [in_width, *widths]
        self.layers = tuple(eqx.nn.Linear(a, b, key=k) for a, b, k in zip(sizes[:-1], sizes[1:], keys, strict=False))
        self.head = eqx.nn.Linear(sizes[-1], out_width, key=keys[-1])
        self.dropout = dropout

    def __call__(
        self, x: Float[Array, "batch in_width"], *, key: PRNGKeyArray | None = None
    ) -> Float[Array, "batch out_width"]:
        drop = key is not None and self.dropout > 0
        shapes = [(len(x), len(layer.weight)) for layer in self.layers]
        chances = uniforms(key, shapes) if key is not None and drop else []
        for index, layer in enumerate(self.layers):
            x = jax.nn.leaky_relu(linear(layer, x), 0.2)
            if drop:
                x = jnp.where(chances[index] > self.dropout, x / (1 - self.dropout), 0.0)
        return linear(self.head, x)
