"""Two histories of one row drawn together: as it was, and as it would be if nothing told its secret.

The row as it was has probability p(x | kept, secret) under the net, the row that tells nothing q(x) = p(x | kept). Slot by slot
the two are drawn in a maximal coupling (Lindvall 2002, chapter I.5): the digit stays as it was with probability
min(1, q / p), else it is drawn from what q has more than p, at the same rank as the old digit had in what p has more than q.
So every slot follows q exactly, whatever the secret was, and no way of doing that changes the digit less often.
"""

from __future__ import annotations

import functools

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray

from masquerade.nets.autoregressive import AutoregressiveNet, NetSettings, Weights
from masquerade.nets.autoregressive_draw import Drawing, shares
from masquerade.nets.randomness import uniforms
from masquerade.nets.slots import Slots

__all__ = ["Coupling", "SecretNet"]

_TINY = 1e-12


class SecretNet(AutoregressiveNet):
    """An autoregressive net that is trained in two orders: the secrets before the other columns, and after all of them.

    Args:
        slots: what is known of the table.
        settings: what shapes net and step; `any_order` is the share of each batch that is trained with the secrets last.
        secrets: places of the secret columns; what is kept comes before them, the columns to change after them.
    """

    def __init__(self, slots: Slots, settings: NetSettings, secrets: tuple[int, ...]):
        super().__init__(slots, settings)
        self.secrets = secrets
        is_secret = functools.reduce(jnp.logical_or, (slots.column == place for place in secrets))
        self.is_secret = is_secret
        behind = jnp.int32((slots.columns + 1) * slots.digits.digit.shape[0])
        self._secrets_last = slots.order + jnp.where(is_secret, behind, 0)

    def random_order(self, key: PRNGKeyArray) -> Int[Array, " slots"]:
        """The order with the secrets last; nothing about it is random."""
        del key
        return self._secrets_last


class Coupling:
    """The pure function that changes rows until they tell nothing of their secrets.

    Args:
        net: the net's functions.
        kept: places of the columns that stay as they are.
    """

    def __init__(self, net: SecretNet, kept: tuple[int, ...]):
        self.net, self._drawing = net, Drawing(net)
        stays = [place in kept for place in range(net.slots.columns)]
        self._is_kept = jnp.asarray(stays)[net.slots.column]

    def rows(
        self,
        ready: tuple[Weights, Array, Array],
        before_share: Float[Array, "nodes base"],
        after_share: Float[Array, "nodes base"],
        strength: Float[Array, ""],
        key: PRNGKeyArray,
        block: Int[Array, ""],
        codes: Int[Array, "batch columns"],
    ) -> Int[Array, "batch columns"]:
        """The rows changed; kept and secret columns are as they were.

        Args:
            ready: from `Drawing.ready`.
            before_share: where the heads start for p; it may differ from secret to secret.
            after_share: where they start for q.
            strength: 0 changes nothing; 1 draws every slot from q; between, from the mixture of q and p. Once a digit of a
                column has changed, the finer digits of that column are drawn from q.
            key: of the random numbers.
            block: which of the key's blocks this is.
            codes: the rows as they were.
        """
        weights, slots, net = ready[0], self.net.slots, self.net
        batch = len(codes)
        stay, rank = uniforms(key, [(slots.count, batch), (slots.count, batch)], block)
        digits, nodes, places = slots.spelled(codes)
        told_before = net.tell(weights, digits, places)
        running = jnp.triu(jnp.ones((slots.base, slots.base)))
        hidden, kept = net.is_secret, self._is_kept

        def body(slot: Array, carry: tuple[Array, Array, Array, Array]) -> tuple[Array, Array, Array, Array]:
            before, after, node, changed = carry
            node = self._drawing.node_at(slot, node)
            was = digits[slot]
            p = shares(ready, before, slot, before_share[nodes[slot]])
            q = shares(ready, after, slot, after_share[node])
            # Where an earlier digit of the column has changed, the old digit means something else, or nothing.
            level = jnp.where(node == nodes[slot], strength, 1.0)[:, None]
            aim = level * q + (1 - level) * p
            at = jax.nn.one_hot(was, slots.base)
            chance = (aim * at).sum(axis=1) / jnp.maximum((p * at).sum(axis=1), _TINY)
            less, more = jnp.maximum(p - aim, 0.0), jnp.maximum(aim - p, 0.0)
            # The old digit's rank in what p has too much, and the digit of that rank in what it has too little.
            u = ((less @ running) * at).sum(axis=1) - rank[slot] * (less * at).sum(axis=1)
            u = u / jnp.maximum(less.sum(axis=1), _TINY)
            sums = more @ running
            drawn = (sums <= u[:, None] * sums[:, -1:]).sum(axis=1).astype(jnp.int32)
            drawn = jnp.minimum(drawn, slots.base - 1)
            moved = (stay[slot] >= chance) & (sums[:, -1] > 0) & ~kept[slot] & ~hidden[slot]
            digit = jnp.where(moved, drawn, was)
            place, told, following = self._drawing.told(weights, slot, node, digit)
            before = weights.mixing.add(before, slot, told_before[slot])
            after = weights.mixing.add(after, slot, jnp.where(hidden[slot], 0.0, told))
            changed = self._drawing.written(changed, slot, place)
            return before, after, following, changed

        nothing = weights.mixing.begin(jnp.zeros_like(told_before))
        empty = jnp.zeros((slots.columns, batch), jnp.int32)
        begin = (nothing, nothing, jnp.zeros(batch, jnp.int32), empty)
        changed: Array = jax.lax.fori_loop(0, slots.count, body, begin)[3]
        return changed.T
