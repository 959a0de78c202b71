"""Columns that another column fully determines: they need no modelling, a lookup restores them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

__all__ = ["Dependency", "find_dependencies", "still_holding"]

SCREENED_ROWS = 2_000
ROWS_PER_PAIR = 20


@dataclass(frozen=True)
class Dependency:
    """How a column follows from another.

    Args:
        on: the determining column.
        lookup: int32, shape (codes of `on`,): the dependent column's code for each.
    """

    on: str
    lookup: NDArray[np.int32]


def find_dependencies(
    matched: Mapping[str, NDArray[np.int32]],
    sizes: Mapping[str, int],
    *,
    prefer: Sequence[str],
    protect: Mapping[str, int],
    units: pl.Series | None = None,
) -> dict[str, Dependency]:
    """Find columns whose code is the same wherever another column's code is the same.

    A dependency holds on every row where both values are met exactly, covers every code of the determining column,
    each pair of codes is shared by enough units, and there are at least 20 rows a pair, so that it is hardly an
    accident. Of several determining columns the one with the fewest codes is taken; of a one-to-one pair the preferred
    column stays, else the first.

    Args:
        matched: codes by column, int32 of shape (rows,); -1 where a rare value has none.
        sizes: codes there are, by column.
        prefer: columns that rather stay.
        protect: how many units must share a pair, by column (the greater of both counts).
        units: unit of each row; None: each row is its own.
    """
    names = list(matched)
    seen = {name: int(np.count_nonzero(np.bincount(matched[name] + 1, minlength=2)[1:])) for name in names}
    rows = len(matched[names[0]]) if names else 0
    names = [name for name in names if seen[name] == sizes[name] >= 2 and rows >= ROWS_PER_PAIR * sizes[name]]
    names.sort(key=lambda name: (-sizes[name], name not in prefer))
    if len(names) < 2:
        return {}
    step = max(1, rows // SCREENED_ROWS)
    sample = np.stack([matched[name][::step] for name in names], axis=1)
    found: dict[str, Dependency] = {}
    candidates: dict[str, list[str]] = {name: [] for name in names}
    for i, name in enumerate(names[:-1]):
        for j in np.flatnonzero(_constant_within(sample[:, i], sample[:, i + 1 :])):
            candidates[names[i + 1 + j]].append(name)
    for name in names:
        # Fewest codes first; a determining column has at least as many codes, so it was looked at before.
        for on in sorted(candidates[name], key=lambda other: sizes[other]):
            if on in found:
                continue
            least = max(protect[name], protect[on], 1)
            lookup = _lookup(matched[on], matched[name], sizes[on], sizes[name], least, units)
            if lookup is not None:
                found[name] = Dependency(on, lookup)
                break
    return found


def still_holding(
    before: Mapping[str, Dependency],
    matched: Mapping[str, NDArray[np.int32] | None],
    found: Mapping[str, Dependency],
) -> dict[str, Dependency]:
    """Dependencies known from another table that no row here contradicts, and that do not conflict with those found here.

    Args:
        before: of the other table.
        matched: codes of the columns that keep the other table's codec, as for `find_dependencies`; None where there are none.
        found: here.
    """
    kept: dict[str, Dependency] = {}
    determining = {dependency.on for dependency in found.values()}
    for name, dependency in before.items():
        codes, on = matched.get(name), matched.get(dependency.on)
        if codes is None or on is None or name in found or dependency.on in found or name in determining:
            continue
        both = (codes >= 0) & (on >= 0)
        if np.array_equal(dependency.lookup[on[both]], codes[both]):
            kept[name] = dependency
    return kept


def _constant_within(groups: NDArray[np.int32], others: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Which columns of `others` do not change within a group, on the rows where both are met exactly."""
    order = np.argsort(groups, kind="stable")
    order = order[groups[order] >= 0]
    ordered, values = groups[order], others[order]
    same_group = ordered[1:] == ordered[:-1]
    changed = (values[1:] != values[:-1]) & (values[1:] >= 0) & (values[:-1] >= 0) & same_group[:, None]
    return np.asarray(~changed.any(axis=0))


def _lookup(
    on: NDArray[np.int32], codes: NDArray[np.int32], size_on: int, size: int, protect: int, units: pl.Series | None
) -> NDArray[np.int32] | None:
    """The dependent code for each determining code, or None where the dependency does not hold or is not protected."""
    both = (on >= 0) & (codes >= 0)
    pairs = on[both].astype(np.int64) * size + codes[both]
    holders = pairs
    if units is not None:
        frame = pl.DataFrame({"pair": pairs, "unit": units.to_numpy()[both]}).unique()
        holders = frame["pair"].to_numpy()
    distinct, counts = np.unique(holders, return_counts=True)
    if distinct.size != size_on or not np.array_equal(distinct // size, np.arange(size_on)) or counts.min() < protect:
        return None
    return np.asarray(distinct % size, dtype=np.int32)
