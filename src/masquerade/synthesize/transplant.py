"""Weights of one autoregressive net put into another, column by column."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from masquerade.codec.table import TableCodec
from masquerade.nets.autoregressive import AutoregressiveNet, Weights
from masquerade.nets.mixing import Dense
from masquerade.synthesize.drawing import Drawer

__all__ = ["transplanted"]


def transplanted(
    old: Drawer, old_codec: TableCodec, net: AutoregressiveNet, codec: TableCodec, fresh: Weights
) -> Weights:
    """Fresh weights, with those of the old net wherever a column has the same codes in both.

    Args:
        old: the old net and its weights.
        old_codec: of the old table.
        net: the new net; where its widths differ from the old one's, nothing is taken over.
        codec: of the new table; a column keeps its codes where it has the very codec of the old table.
        fresh: the new net's initial weights.
    """
    ours, theirs = net.slots.digits, old.net.slots.digits
    widths = [(s.embedding, s.hidden, s.narrow) for s in (net.settings, old.net.settings)]
    if widths[0] != widths[1]:
        return fresh
    place = {name: i for i, name in enumerate(old_codec.layout.names)}
    pairs = []
    for i, name in enumerate(codec.layout.names):
        if name in place and codec.codecs[name] is old_codec.codecs[name]:
            new, before = np.flatnonzero(ours.column == i), np.flatnonzero(theirs.column == place[name])
            if len(new) == len(before) and _same_spelling(net, i, old, place[name]):
                pairs += list(zip(new, before, strict=True))
    if not pairs:
        return fresh
    to, source = (jnp.asarray(side) for side in np.array(pairs).T)

    def take(new: Any, before: Any) -> Any:
        return new.at[to].set(before[source])

    weights: Weights = (
        jax.tree.map(take, fresh, old.weights) if net.settings.narrow else _dense(fresh, old.weights, to, source)
    )
    return weights


def _dense(fresh: Weights, before: Weights, to: Any, source: Any) -> Weights:
    assert isinstance(fresh.mixing, Dense)
    assert isinstance(before.mixing, Dense)
    blocks = fresh.mixing.blocks.at[to[:, None], :, to[None, :], :].set(
        before.mixing.blocks[source[:, None], :, source[None, :], :]
    )
    rest = [
        leaf if leaf is fresh.mixing.blocks else leaf.at[to].set(other[source])
        for leaf, other in zip(jax.tree.leaves(fresh), jax.tree.leaves(before), strict=True)
    ]
    leaves = [blocks if leaf is fresh.mixing.blocks else leaf for leaf in rest]
    weights: Weights = jax.tree.unflatten(jax.tree.structure(fresh), leaves)
    return weights


def _same_spelling(net: AutoregressiveNet, column: int, old: Drawer, before: int) -> bool:
    """Whether a column's codes are spelled with the same digits (frequencies may have moved them)."""
    sides = []
    for digits, index in ((net.slots.digits, column), (old.net.slots.digits, before)):
        here = slice(digits.starts[index], digits.starts[index] + digits.sizes[index])
        sides.append(digits.digit[: np.count_nonzero(digits.column == index), here])
    return np.array_equal(sides[0], sides[1])
