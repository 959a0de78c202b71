"""How the columns known so far become the hidden units of the next one: densely, or through a narrow sum.

`Dense` has a weight block for every pair of slots and applies them all as one masked matrix product (MADE, arXiv 1502.03509).
Its cost grows with the square of the slots. `Narrow` adds the known slots up in a few shared units first (NADE, Larochelle and
Murray 2011), so that its cost grows with the slots alone: for tables with hundreds or thousands of columns.
"""

from __future__ import annotations

import math

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray

__all__ = ["Dense", "Mixing", "Narrow"]


class Dense(eqx.Module):
    """A weight block for every pair of slots.

    Args:
        slots: how many.
        embedding: width of what a slot tells.
        hidden: units of a slot.
        key: of the initial weights.
    """

    blocks: Float[Array, "slots embedding slots hidden"]

    def __init__(self, slots: int, embedding: int, hidden: int, *, key: PRNGKeyArray):
        scale = 2 / math.sqrt(slots * embedding)
        self.blocks = scale * jax.random.normal(key, (slots, embedding, slots, hidden))

    def __call__(
        self, told: Float[Array, "slots batch embedding"], order: Int[Array, " slots"]
    ) -> Float[Array, "slots batch hidden"]:
        """Each slot's units from the slots before it in this order."""
        slots, embedding, _, hidden = self.blocks.shape
        before = (order[:, None] < order[None, :]).astype(jnp.float32)
        weights = (self.blocks * before[:, None, :, None]).reshape(slots * embedding, slots * hidden)
        flat = told.transpose(1, 0, 2).reshape(-1, slots * embedding)
        return (flat @ weights).reshape(-1, slots, hidden).transpose(1, 0, 2)

    def ready(self) -> Float[Array, "slots width hidden"]:
        """The weights as `read` wants them."""
        slots, embedding, _, hidden = self.blocks.shape
        return self.blocks.transpose(2, 0, 1, 3).reshape(slots, slots * embedding, hidden)

    def begin(self, told: Float[Array, "slots batch embedding"]) -> Float[Array, "batch width"]:
        """The state in which these slots are known; zeros tell nothing."""
        return told.transpose(1, 0, 2).reshape(told.shape[1], -1)

    def add(
        self, state: Float[Array, "batch width"], slot: Array, told: Float[Array, "batch embedding"]
    ) -> Float[Array, "batch width"]:
        """The state once this slot is known too."""
        place = (0, slot * told.shape[1])
        return jax.lax.dynamic_update_slice(state, jax.lax.dynamic_slice(state, place, told.shape) + told, place)


class Narrow(eqx.Module):
    """What is known is summed in `width` units, from which each slot reads.

    Args:
        slots, embedding, hidden, key: as of `Dense`.
        width: shared units.
    """

    spread: Float[Array, "slots embedding width"]
    gather: Float[Array, "slots width hidden"]

    def __init__(self, slots: int, embedding: int, hidden: int, width: int, *, key: PRNGKeyArray):
        first, second = jax.random.split(key)
        self.spread = math.sqrt(2 / slots) * jax.random.normal(first, (slots, embedding, width))
        self.gather = math.sqrt(2 / width) * jax.random.normal(second, (slots, width, hidden))

    def __call__(
        self, told: Float[Array, "slots batch embedding"], order: Int[Array, " slots"]
    ) -> Float[Array, "slots batch hidden"]:
        """Each slot's units from the slots before it in this order."""
        sequence = jnp.argsort(order)

        def body(state: Array, slot: Array) -> tuple[Array, Array]:
            return state + told[slot] @ self.spread[slot], state @ self.gather[slot]

        empty = jnp.zeros((told.shape[1], self.spread.shape[2]))
        _, hidden = jax.lax.scan(body, empty, sequence)
        return jnp.zeros_like(hidden).at[sequence].set(hidden, unique_indices=True)

    def ready(self) -> Float[Array, "slots width hidden"]:
        """The weights as `read` wants them."""
        return self.gather

    def begin(self, told: Float[Array, "slots batch embedding"]) -> Float[Array, "batch width"]:
        """The state in which these slots are known; zeros tell nothing."""
        return jnp.einsum("sbe,sew->bw", told, self.spread)

    def add(
        self, state: Float[Array, "batch width"], slot: Array, told: Float[Array, "batch embedding"]
    ) -> Float[Array, "batch width"]:
        """The state once this slot is known too."""
        return state + told @ self.spread[slot]


Mixing = Dense | Narrow
