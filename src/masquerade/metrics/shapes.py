"""How like two columns are, one at a time: Kolmogorov-Smirnov, total variation, ranges and levels.

The names follow SDMetrics' definitions, so that figures can be set beside other reports.
A missing number is NaN, a missing level is the code 0; both are left out unless said otherwise.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "boundary_adherence",
    "category_adherence",
    "category_coverage",
    "ks_complement",
    "missing_value_similarity",
    "range_coverage",
    "tv_complement",
]

Floats = NDArray[np.float64]
Influences = tuple[Floats, Floats]


def _only_one(first: int, second: int) -> float | None:
    """The figure where a side has no values: NaN (both), 0 (one), or None when both have some."""
    if first and second:
        return None
    return float("nan") if not first and not second else 0.0


def ks_complement(real: Floats, other: Floats, influences: Influences | None = None) -> float:
    """1 − sup |F_real − F_other|, missing values dropped.

    Args:
        real: numbers, NaN where missing, shape (rows,).
        other: likewise, shape (other rows,).
        influences: two arrays, shapes (rows,) and (other rows,), to which each row's influence is added.

    Returns:
        A figure in [0, 1]; 0 when one side has no value at all, NaN when neither has.

    >>> ks_complement(np.array([1.0, 2.0, 3.0, 4.0]), np.array([3.0, 4.0, 5.0, 6.0, np.nan]))
    0.5
    """
    have, other_have = ~np.isnan(real), ~np.isnan(other)
    a, b = np.sort(real[have]), np.sort(other[other_have])
    empty = _only_one(len(a), len(b))
    if empty is not None:
        return empty
    points = np.concatenate([a, b])
    f = np.searchsorted(a, points, side="right") / len(a)
    g = np.searchsorted(b, points, side="right") / len(b)
    worst = int(np.abs(f - g).argmax())
    difference = f[worst] - g[worst]
    if influences is not None:
        sign, where = np.sign(difference), points[worst]
        influences[0][have] -= sign * ((real[have] <= where) - f[worst]) * (len(real) / len(a))
        influences[1][other_have] += sign * ((other[other_have] <= where) - g[worst]) * (len(other) / len(b))
    return float(1.0 - abs(difference))


def tv_complement(
    real: NDArray[np.integer], other: NDArray[np.integer], size: int, influences: Influences | None = None
) -> float:
    """1 − ½ Σ |p_real − p_other| over levels, missing values (code 0) dropped.

    Args:
        real: codes in [0, size), shape (rows,).
        other: likewise, shape (other rows,).
        size: how many codes there are, the missing one included.
        influences: two arrays, as in `ks_complement`.

    Returns:
        A figure in [0, 1]; 0 when one side has no value at all, NaN when neither has.

    >>> tv_complement(np.array([1, 1, 2, 2]), np.array([1, 1, 1, 2, 0]), 3)
    0.75
    """
    p = np.bincount(real, minlength=size).astype(np.float64)
    q = np.bincount(other, minlength=size).astype(np.float64)
    p[0] = q[0] = 0.0
    n, m = p.sum(), q.sum()
    empty = _only_one(int(n), int(m))
    if empty is not None:
        return empty
    difference = q / m - p / n
    if influences is not None:
        slope = 0.5 * np.sign(difference)
        influences[0][:] += np.where(real > 0, slope[real] - slope @ p / n, 0.0) * (len(real) / n)
        influences[1][:] -= np.where(other > 0, slope[other] - slope @ q / m, 0.0) * (len(other) / m)
    return float(1.0 - 0.5 * np.abs(difference).sum())


def missing_value_similarity(real_share: float, other_share: float) -> float:
    """1 − |share of nulls in the real column − share in the other|.

    >>> missing_value_similarity(0.25, 0.5)
    0.75
    """
    return 1.0 - abs(real_share - other_share)


def range_coverage(values: Floats, low: float, high: float) -> float:
    """How much of the real range [low, high] the values span; NaN for a range of no width, 0 without values.

    >>> range_coverage(np.array([2.0, 5.0]), 0.0, 10.0)
    0.3
    """
    if not high > low:
        return float("nan")
    inside = values[~np.isnan(values)]
    if not len(inside):
        return 0.0
    lost = max(float(inside.min()) - low, 0.0) + max(high - float(inside.max()), 0.0)
    return round(max(0.0, 1.0 - lost / (high - low)), 12)


def boundary_adherence(values: Floats, low: float, high: float) -> float:
    """The share of the values inside the real range [low, high]; NaN without values.

    >>> boundary_adherence(np.array([1.0, 2.0, 9.0, 11.0]), 0.0, 10.0)
    0.75
    """
    inside = values[~np.isnan(values)]
    return float(((inside >= low) & (inside <= high)).mean()) if len(inside) else float("nan")


def category_coverage(real: NDArray[np.integer], other: NDArray[np.integer], size: int, threshold: int = 1) -> float:
    """The share of the real levels (those that at least `threshold` rows have) that the other side has too.

    >>> category_coverage(np.array([1, 1, 2, 3]), np.array([1, 2]), 4)
    0.6666666666666666
    >>> category_coverage(np.array([1, 1, 2, 3]), np.array([1, 2]), 4, threshold=2)
    1.0
    """
    levels = np.bincount(real, minlength=size)[1:] >= max(threshold, 1)
    present = np.bincount(other, minlength=size)[1:] > 0
    return float((levels & present).sum() / levels.sum()) if levels.any() else float("nan")


def category_adherence(real: NDArray[np.integer], other: NDArray[np.integer], size: int) -> float:
    """The share of the other side's values that are real levels; NaN without values.

    >>> category_adherence(np.array([1, 2, 2]), np.array([1, 1, 2, 3]), 4)
    0.75
    """
    known = np.bincount(real, minlength=size) > 0
    values = other[other > 0]
    return float(known[values].mean()) if len(values) else float("nan")
