"""Drawing from an autoregressive net: slot by slot, whatever cells are given."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray

from masquerade.nets.autoregressive import AutoregressiveNet, Weights
from masquerade.nets.randomness import uniforms

__all__ = ["Drawing", "shares"]

LEAST_SHARE = 3e-4
"""Digits less likely than this share of the likeliest one are never drawn.

A softmax is never quite 0: without a floor it fills every impossible combination (a husband who is a woman) with a few
rows, which a detector finds. On Adult detection_auc was .532 to .535 with a floor and .536 to .539 without; one of 1e-3
began to cost real rare rows.
"""


def _logits(ready: tuple[Weights, Array, Array], state: Array, slot: Array) -> Float[Array, "batch base"]:
    """What the net adds to the log shares of one slot's digits."""
    weights, reading, heads = ready
    h = jax.nn.relu(state @ reading[slot] + weights.shift[slot])
    h = h + jax.nn.relu(h @ weights.inner[slot] + weights.inner_shift[slot]) @ weights.outer[slot]
    return h @ heads[slot] + weights.head_shift[slot]


def _likely(logits: Float[Array, "batch base"]) -> Float[Array, "batch base"]:
    """The digits' shares, up to a factor, without those too unlikely ever to be drawn."""
    share = jnp.exp(logits - logits.max(axis=1, keepdims=True))
    return jnp.where(share < LEAST_SHARE, 0.0, share)


def shares(
    ready: tuple[Weights, Array, Array], state: Array, slot: Array, log_share: Float[Array, "batch base"]
) -> Float[Array, "batch base"]:
    """The probability of each digit of one slot, as it is drawn."""
    share = _likely(_logits(ready, state, slot) + log_share)
    return share / share.sum(axis=1, keepdims=True)


class Drawing:
    """The pure functions that draw rows. One loop over the slots is compiled, whatever the number of columns.

    A given cell is known from the start, so that every drawn cell depends on all given ones and on those drawn before it;
    which cells are given may differ from row to row.

    Args:
        net: the net's functions.
    """

    def __init__(self, net: AutoregressiveNet):
        self.net, slots = net, net.slots
        digits = slots.digits
        root = digits.node[0][digits.starts[digits.column]]
        self._root = jnp.where(slots.level == 0, jnp.asarray(root), -1)
        self._next = jnp.asarray(digits.next_node)
        self._place = jnp.asarray(digits.place)
        self._start = jnp.asarray(digits.starts)[slots.column]

    def ready(self, weights: Weights) -> tuple[Weights, Array, Array]:
        """Weights laid out for drawing."""
        return weights, weights.mixing.ready(), weights.heads(self.net.slots)

    def node_at(self, slot: Array, node: Int[Array, " batch"]) -> Int[Array, " batch"]:
        """The node at which this slot's digit is asked for, where the slot before it led to `node`."""
        return jnp.where(self._root[slot] >= 0, self._root[slot], node)

    def told(
        self, weights: Weights, slot: Array, node: Int[Array, " batch"], digit: Int[Array, " batch"]
    ) -> tuple[Int[Array, " batch"], Float[Array, "batch embedding"], Int[Array, " batch"]]:
        """The place behind a digit, what it tells the later slots, and the node it leads to."""
        place = self._place[node, digit]
        features = self.net.slots.features[self.net.slots.level[slot], place]
        return place, weights.embed[slot][digit] + features @ weights.tell[slot], self._next[node, digit]

    def written(self, codes: Int[Array, "columns batch"], slot: Array, place: Array) -> Int[Array, "columns batch"]:
        """The codes with this slot's column at this place; a later slot of the column writes over it."""
        return jax.lax.dynamic_update_slice(codes, (place - self._start[slot])[None], (self.net.slots.column[slot], 0))

    def rows(
        self,
        ready: tuple[Weights, Array, Array],
        log_share: Float[Array, "nodes base"],
        temperature: Float[Array, ""],
        key: PRNGKeyArray,
        block: Int[Array, ""],
        given: Int[Array, "batch columns"],
        *,
        free: bool = False,
    ) -> Int[Array, "batch columns"]:
        """Codes of as many rows as `given` has.

        Args:
            ready: from `ready`.
            log_share: where the heads start, with whatever was added to calibrate them or to rule codes out.
            temperature: logits are divided by it; 1 draws as learned.
            key: of the random numbers.
            block: which of the key's blocks this is.
            given: the given codes, -1 where a cell is to be drawn.
            free: whether nothing is given: then `given` counts the rows only, and less is computed.
        """
        weights = ready[0]
        net, slots = self.net, self.net.slots
        batch = len(given)
        (u,) = uniforms(key, [(slots.count, batch)], block)
        told = jnp.zeros((slots.count, batch, net.settings.embedding))
        fixed = jnp.zeros((slots.count, 0), jnp.int32)
        if not free:
            digit, _, place = slots.spelled(jnp.maximum(given, 0))
            known = (given.T >= 0)[slots.column]
            told = net.tell(weights, digit, place) * known[..., None]
            fixed = jnp.where(known, digit, -1)

        running = jnp.triu(jnp.ones((slots.base, slots.base)))

        def body(slot: Array, carry: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
            state, node, codes = carry
            node = self.node_at(slot, node)
            share = _likely((_logits(ready, state, slot) + log_share[node]) / temperature)
            sums = share @ running  # as a product three times as quick on a CPU as a cumulative sum
            drawn = (sums < u[slot][:, None] * sums[:, -1:]).sum(axis=1).astype(jnp.int32)
            digit = jnp.minimum(drawn, slots.base - 1)
            if not free:
                digit = jnp.where(fixed[slot] >= 0, fixed[slot], digit)
            place, told, following = self.told(weights, slot, node, digit)
            if not free:
                told = told * (fixed[slot] < 0)[:, None]  # what is given was told at the beginning
            return weights.mixing.add(state, slot, told), following, self.written(codes, slot, place)

        empty = jnp.zeros((slots.columns, batch), jnp.int32)
        begin = (weights.mixing.begin(told), jnp.zeros(batch, jnp.int32), empty)
        codes: Array = jax.lax.fori_loop(0, slots.count, body, begin)[2]
        return codes.T

    def free_rows(self, *arguments: Any) -> Int[Array, "batch columns"]:
        """`rows` where nothing is given."""
        return self.rows(*arguments, free=True)

    def child_log_probabilities(
        self,
        ready: tuple[Weights, Array, Array],
        log_share: Float[Array, "nodes base"],
        given: Int[Array, "batch columns"],
        slot: Int[Array, ""],
        before: Int[Array, ""],
        node: Int[Array, ""],
    ) -> Float[Array, "batch base"]:
        """Log probability of each digit of one slot, where the digits of its column before it have been spelled.

        Args:
            ready: from `ready`.
            log_share: where the heads start.
            given: the codes known, -1 elsewhere; what it says of the slot's own column is not read.
            slot: which slot.
            before: a place behind the node: its digits before this slot's are told.
            node: the node at which the slot's digit is asked for.
        """
        weights = ready[0]
        slots = self.net.slots
        column = slots.column[slot]
        given = given.at[:, column].set(before - self._start[slot])
        digit, _, place = slots.spelled(jnp.maximum(given, 0))
        own = (slots.column == column)[:, None]
        known = jnp.where(own, (slots.level < slots.level[slot])[:, None], (given.T >= 0)[slots.column])
        state = weights.mixing.begin(self.net.tell(weights, digit, place) * known[..., None])
        return jax.nn.log_softmax(_logits(ready, state, slot) + log_share[node])
