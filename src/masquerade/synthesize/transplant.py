"""Going on from an autoregressive net learned from other rows: its codes, its weights, and how far its frequencies count."""

from __future__ import annotations

import dataclasses
import functools
import math
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import gammaln

from masquerade.codec.arrays import Layout
from masquerade.codec.table import TableCodec
from masquerade.errors import MasqueradeWarning
from masquerade.nets.autoregressive import AutoregressiveNet, Weights
from masquerade.nets.mixing import Dense
from masquerade.synthesize.drawing import Drawer

__all__ = ["inherited", "strengths_of", "transplanted"]

Shares = NDArray[np.float64]


def inherited(codec: TableCodec, old_codec: TableCodec, rows: int) -> tuple[Layout, tuple[Shares, ...]]:
    """What a new table takes over of an old one before any weight is learned.

    Args:
        codec: of the new table.
        old_codec: of the old one.
        rows: of the new table.

    Returns:
        The new layout with the old frequencies of columns that keep their codec, so that their codes are spelled as before and
        the heads start where they did; and the frequencies that drawn rows are to have: the new ones, drawn towards the
        old ones.
    """
    old = dict(zip(old_codec.layout.names, old_codec.layout.frequencies, strict=True))
    same = [name for name in codec.layout.names if name in old and codec.codecs[name] is old_codec.codecs[name]]
    new = dict(zip(codec.layout.names, codec.layout.frequencies, strict=True))
    strengths = strengths_of([(new[name], old[name]) for name in same], rows)
    before = new | {name: old[name] for name in same}
    wanted = new | {
        name: (rows * new[name] + strength * old[name]) / (rows + strength)
        for name, strength in zip(same, strengths, strict=True)
    }
    return dataclasses.replace(codec.layout, frequencies=tuple(before.values())), tuple(wanted.values())


def strengths_of(columns: Sequence[tuple[Shares, Shares]], rows: int) -> list[float]:
    """As how many rows a column's old shares count beside its new ones, as far as the two agree.

    It is the concentration under which the new counts are likeliest, Dirichlet-multinomial with the old shares as its mean
    (Minka 2000), from 1 to a million. A single column tells it poorly, so all are asked together first, and each may then
    differ from that by a factor of e or so.

    Args:
        columns: of each, the shares of codes in the new rows and in the old ones.
        rows: new rows.

    >>> old = np.array([0.5, 0.5])
    >>> [strength > 1_000 for strength in strengths_of([(np.array([0.52, 0.48]), old)] * 5, 100)]
    [True, True, True, True, True]
    >>> [strength < 50 for strength in strengths_of([(np.array([0.9, 0.1]), old)] * 5, 2_000)]
    [True, True, True, True, True]
    """

    def unlikely(log_strength: float, share: Shares, before: Shares) -> float:
        strength = np.exp(log_strength)
        prior, counts = strength * (0.999 * before + 0.001 / len(before)), rows * share  # no code is impossible
        found = gammaln(strength) - gammaln(strength + rows)
        return -float(found + (gammaln(prior + counts) - gammaln(prior)).sum())

    def least(function: Callable[[float], float]) -> float:
        return float(minimize_scalar(function, bounds=(0.0, np.log(1e6)), method="bounded").x)

    def together(x: float) -> float:
        return sum(unlikely(x, *column) for column in columns)

    def apart(x: float, column: tuple[Shares, Shares]) -> float:
        return unlikely(x, *column) + (x - common) ** 2 / 2

    common = least(together)
    return [math.exp(least(functools.partial(apart, column=column))) for column in columns]


def transplanted(
    old: Drawer, old_codec: TableCodec, net: AutoregressiveNet, codec: TableCodec, fresh: Weights
) -> Weights:
    """Fresh weights, with those of the old net wherever a column has the same codes in both.

    Columns that are taken over are told nothing of new columns at first, so that they start as good as they were.

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
        warnings.warn(
            f"start_from: its net is {widths[1][0]} and {widths[1][1]} units wide and the new one {widths[0][0]} and "
            f"{widths[0][1]}, so codes are taken over but no weights; leave size at 'auto'.",
            MasqueradeWarning,
            stacklevel=6,
        )
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
    added = jnp.asarray(np.setdiff1d(np.arange(ours.slots), [slot for slot, _ in pairs]), jnp.int32)
    if isinstance(fresh.mixing, Dense):
        return _dense(fresh, old.weights, to, source, added)

    def take(leaf: Any, before: Any) -> Any:
        return leaf.at[to].set(before[source])

    taken = jax.tree.map(take, fresh, old.weights)
    weights: Weights = eqx.tree_at(lambda w: w.mixing.spread, taken, taken.mixing.spread.at[added].set(0.0))
    return weights


def _dense(fresh: Weights, before: Weights, to: Any, source: Any, added: Any) -> Weights:
    assert isinstance(fresh.mixing, Dense)
    assert isinstance(before.mixing, Dense)
    blocks = fresh.mixing.blocks.at[to[:, None], :, to[None, :], :].set(
        before.mixing.blocks[source[:, None], :, source[None, :], :]
    )
    blocks = blocks.at[added[:, None], :, to[None, :], :].set(0.0)
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
