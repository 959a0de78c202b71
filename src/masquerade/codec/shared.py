"""Which numbers many share: counts of the distinct values, protected bounds, values that stand out."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from masquerade.codec.crowd import Crowd
from masquerade.privacy.counts import Counts
from masquerade.privacy.protect import protected_bounds
from masquerade.schema import Column

__all__ = [
    "bounds_of",
    "census",
    "counted_bounds",
    "counted_crowd",
    "nearest_of",
    "on_grid",
    "outstanding",
    "support_of",
]

ATOM_SHARE = 0.02
SUPPORT_CAP = 2_000
SUPPORT_SHARE = 0.85
HALVINGS = 16


def on_grid(low: float, high: float, decimals: int | None) -> tuple[float, float]:
    """Bounds moved inwards to so many decimals; as they are, where nothing would be left between them.

    >>> [float(bound) for bound in on_grid(0.14, 2.96, 1)]
    [0.2, 2.9]
    """
    power = 10.0 ** (decimals or 0)
    least, most = np.ceil(low * power - 1e-6) / power, np.floor(high * power + 1e-6) / power
    return (least, most) if least <= most else (low, high)


def nearest_of(sorted_values: NDArray[np.float64], wanted: NDArray[np.float64]) -> NDArray[np.intp]:
    """Index of the nearest of `sorted_values` for each wanted value."""
    right = np.clip(np.searchsorted(sorted_values, wanted), 1, max(sorted_values.size - 1, 1))
    if sorted_values.size == 1:
        return np.zeros(wanted.size, dtype=np.intp)
    left = right - 1
    return np.where(wanted - sorted_values[left] <= sorted_values[right] - wanted, left, right)


def bounds_of(
    numbers: NDArray[np.float64], protect: int, owners: NDArray[np.int64] | None, column: Column
) -> tuple[float, float]:
    """Protected bounds within the declared ones; mean ± deviation where too few units share the column to show a
    value."""
    count = numbers.size if owners is None else np.unique(owners).size
    if protect > 1 and count < 2 * protect:
        spread = float(np.std(numbers))
        low, high = float(np.mean(numbers)) - spread, float(np.mean(numbers)) + spread
    else:
        low, high = protected_bounds(numbers, protect, owners)
    return _within(low, high, column)


def counted_bounds(counts: Counts, protect: int, column: Column) -> tuple[float, float]:
    """`bounds_of` a column that is counted."""
    if protect > 1 and counts.units < 2 * protect:
        mean, spread = counts.mean_and_deviation()
        return _within(mean - spread, mean + spread, column)
    return _within(*counts.protected_bounds(protect), column)


def counted_crowd(counts: Counts) -> Crowd:
    """The crowd behind a column that is counted; the rows of a value are taken to be spread evenly over its units."""
    if counts.owner is None:
        return Crowd(counts.numbers(), counts.rows, counts.rows)
    each, more = np.divmod(counts.rows, np.maximum(counts.holders, 1))
    first = np.concatenate([[0], np.cumsum(counts.holders)[:-1]])
    turn = np.arange(counts.owner.size) - np.repeat(first, counts.holders)
    count = np.repeat(each, counts.holders) + (turn < np.repeat(more, counts.holders))
    return Crowd(counts.numbers(), counts.rows, counts.holders, counts.owner, count)


def _within(low: float, high: float, column: Column) -> tuple[float, float]:
    if isinstance(column.minimum, int | float):
        low, high = max(low, float(column.minimum)), max(high, float(column.minimum))
    if isinstance(column.maximum, int | float):
        low, high = min(low, float(column.maximum)), min(high, float(column.maximum))
    return low, high


def support_of(
    distinct: NDArray[np.float64], rows: NDArray[np.int64], shared: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Shared values that outweigh what lies around them, and within which radius the rest hardly matters.

    A radius is half the way to the next shared value, or a half, a quarter, ... of that, the first within which
    the value itself has `SUPPORT_SHARE` of the rows.
    """
    support, own = distinct[shared], rows[shared]
    if support.size > SUPPORT_CAP:
        heaviest = np.sort(np.argsort(-own, kind="stable")[:SUPPORT_CAP])
        support, own = support[heaviest], own[heaviest]
    if not support.size:
        return np.empty(0), np.empty(0)
    gaps = np.diff(support, prepend=-np.inf, append=np.inf)
    reach = np.minimum(gaps[1:], gaps[:-1]) / 2
    reach[~np.isfinite(reach)] = 0.0
    total, radii = np.r_[0, np.cumsum(rows)], np.zeros(support.size)
    for halvings in range(HALVINGS):
        radius = reach / 2**halvings
        first = np.searchsorted(distinct, support - radius, side="left")
        last = np.searchsorted(distinct, support + radius, side="right")
        alone = own >= SUPPORT_SHARE * (total[last] - total[first])
        radii = np.where((radii == 0) & alone, radius, radii)
    return support[radii > 0], radii[radii > 0]


def outstanding(rows: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which values have 2 % of the rows, and three times the rows that the eight values around them have in the
    middle."""
    around = np.pad(rows.astype(np.float64), 4, constant_values=0.0)
    windows = np.lib.stride_tricks.sliding_window_view(around, 9)
    usual = np.median(np.delete(windows, 4, axis=1), axis=1)
    return np.asarray((rows >= ATOM_SHARE * rows.sum()) & (rows >= 3 * usual))


def census(
    numbers: NDArray[np.float64], owners: NDArray[np.int64] | None
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """Distinct values by rising value, how many rows and how many units have each."""
    distinct, inverse, rows = np.unique(numbers, return_inverse=True, return_counts=True)
    if owners is None:
        return distinct, rows, rows
    frame = pl.DataFrame({"value": inverse, "owner": owners}).unique()
    return distinct, rows, np.bincount(frame["value"].to_numpy(), minlength=distinct.size)
