"""Both tables as clouds: the first two principal components of the real table, counted in cells."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from masquerade.judge.bins import count_units
from masquerade.privacy.protect import protected_bounds, protected_levels
from masquerade.schema import Column

__all__ = ["cloud"]

_ROWS = 20_000
_LEVELS = 12  # of each discrete column


def cloud(
    real: pl.DataFrame,
    released: pl.DataFrame,
    columns: list[Column],
    least: int,
    holders: NDArray[np.int64] | None = None,
) -> dict[str, Any] | None:
    """Counts of both tables on a grid over the real table's first two principal components.

    Numbers are scaled to unit variance between their protected bounds (missing at the mean), frequent levels become
    indicator columns scaled so that a column weighs as much as a number.

    Args:
        real, released: typed tables.
        columns: which columns to use.
        least: how many different units each shown cell of the real table must hold; a cell with fewer counts as empty.
        holders: unit of each real row; None: each is its own.

    Returns:
        `x` and `y` (cell edges), `real` and `released` (counts, one list per cell of `y`), `explained` (shares of
        variance); None where there are too few rows or fewer than two dimensions.
    """
    if real.height < 5 * least or released.height == 0 or not columns:
        return None
    every = -(-real.height // _ROWS)
    real, holders = real.gather_every(every), None if holders is None else holders[::every]
    released = released.gather_every(-(-released.height // _ROWS))
    spread = [_spread(column, real[column.name], released[column.name], least) for column in columns]
    ours, theirs = (np.concatenate([pair[side] for pair in spread], axis=1) for side in (0, 1))
    if ours.shape[1] < 2:
        return None
    centre = ours.mean(axis=0)
    variances, axes = np.linalg.eigh(np.cov(ours - centre, rowvar=False))
    if variances[-2] <= 1e-9:
        return None
    axes = axes[:, [-1, -2]]
    axes = axes * np.sign(axes[np.abs(axes).argmax(axis=0), [0, 1]])
    ours, theirs = (ours - centre) @ axes, (theirs - centre) @ axes
    size = int(np.clip(np.sqrt(ours.shape[0] / (2.0 * least)), 4, 36))
    edges = [_edges(ours[:, axis], size, least) for axis in (0, 1)]
    cells = _cells(ours, edges)
    counts = np.bincount(cells, minlength=size * size)
    counts[count_units(cells, size * size, holders) < least] = 0
    others = np.bincount(_cells(theirs, edges), minlength=size * size)
    total = float(np.maximum(variances, 0.0).sum())
    return {
        "x": np.round(edges[0], 3).tolist(),
        "y": np.round(edges[1], 3).tolist(),
        "real": counts.reshape(size, size).tolist(),
        "released": np.where(others < least, 0, others).reshape(size, size).tolist(),
        "explained": [round(float(variances[-1]) / total, 3), round(float(variances[-2]) / total, 3)],
    }


def _spread(
    column: Column, real: pl.Series, released: pl.Series, least: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """One column as numbers for both tables: (rows, 1) when numeric, else (rows, levels)."""
    if not column.is_numeric:
        levels = protected_levels(real.cast(pl.String), least)["level"].head(_LEVELS).to_list()
        both = [_indicators(side.cast(pl.String), levels) for side in (real, released)]
        scale = np.sqrt(max(float(both[0].var(axis=0).sum()), 1e-9))
        return both[0] / scale, both[1] / scale
    ours, theirs = (
        s.cast(pl.Datetime("us")).dt.epoch("us") if column.kind == "datetime" else s for s in (real, released)
    )
    a, b = (s.cast(pl.Float64).fill_null(np.nan).to_numpy() for s in (ours, theirs))
    known = a[np.isfinite(a)]
    low, high = protected_bounds(known, least)
    middle = low / 2 + high / 2
    half = high / 2 - low / 2
    if known.size == 0 or not half > 0:
        return np.zeros((a.size, 0)), np.zeros((b.size, 0))
    a, b = ((np.clip(x, low, high) - middle) / half for x in (a, b))
    mean, deviation = np.nanmean(a), np.nanstd(a)
    if deviation <= 1e-9:
        return np.zeros((a.size, 0)), np.zeros((b.size, 0))
    a, b = (np.nan_to_num((x - mean) / deviation, nan=0.0)[:, None] for x in (a, b))
    return a, b


def _indicators(values: pl.Series, levels: list[str]) -> NDArray[np.float64]:
    """1 where a row has a level; shape (rows, levels)."""
    table = np.zeros((values.len(), len(levels)))
    for place, level in enumerate(levels):
        table[:, place] = (values == level).fill_null(False).to_numpy()
    return table


def _edges(scores: NDArray[np.float64], size: int, least: int) -> NDArray[np.float64]:
    low, high = protected_bounds(scores, max(least, scores.size // 500))
    return np.linspace(low, high if high > low else low + 1.0, size + 1)


def _cells(scores: NDArray[np.float64], edges: list[NDArray[np.float64]]) -> NDArray[np.int64]:
    x, y = (
        np.clip(np.searchsorted(e, scores[:, axis], side="right") - 1, 0, e.size - 2) for axis, e in enumerate(edges)
    )
    return np.asarray(y * (edges[0].size - 1) + x, dtype=np.int64)
