"""How strongly two columns hang together: Pearson's correlation, the correlation ratio, Theil's U.

Each works on pairs of values that are both there: a missing number is NaN, a missing level is left out by the caller.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["correlation_ratio", "pearson", "standardise", "theils_u"]

Floats = NDArray[np.float64]


def standardise(numbers: Floats) -> Floats:
    """Each column less its mean, over its standard deviation; what is missing or constant becomes 0 (the mean).

    >>> standardise(np.array([[1.0, 5.0], [3.0, 5.0], [np.nan, 5.0]])).tolist()
    [[-1.0, 0.0], [1.0, 0.0], [0.0, 0.0]]
    """
    have = ~np.isnan(numbers)
    count = np.maximum(have.sum(axis=0), 1)
    filled = np.where(have, numbers, 0.0)
    magnitude = np.abs(filled).max(axis=0, initial=0.0)
    filled = np.ldexp(filled, -np.frexp(magnitude)[1])  # sums of huge numbers would overflow; powers of two are exact
    centred = np.where(have, filled - filled.sum(axis=0) / count, 0.0)
    widest = np.abs(centred).max(axis=0, initial=0.0)
    varies = widest > 1e-13 * np.abs(filled).max(axis=0, initial=0.0)
    scaled = np.where(varies, centred / np.where(varies, widest, 1.0), 0.0)
    deviation = np.sqrt((scaled**2).sum(axis=0) / count)
    standard: Floats = scaled / np.where(deviation > 0, deviation, 1.0)
    return standard


def pearson(numbers: Floats) -> Floats:
    """Pearson's correlation of every pair of columns, over the rows where both are there.

    Args:
        numbers: shape (rows, columns), NaN where missing.

    Returns:
        Shape (columns, columns), symmetric; NaN where a column does not vary among those rows.

    >>> pearson(np.array([[1.0, 2.0], [2.0, 4.0], [3.0, 6.0], [np.nan, 0.0]])).round(6).tolist()
    [[1.0, 1.0], [1.0, 1.0]]
    """
    z = standardise(numbers)
    have = (~np.isnan(numbers)).astype(np.float64)
    if have.all():
        square = z.T @ z
        spread = np.diag(square)
        product = np.sqrt(np.outer(spread, spread))
        found = np.divide(square, product, out=np.full_like(square, np.nan), where=product > 0)
    else:
        count = have.T @ have
        sums = z.T @ have
        squares = (z**2).T @ have
        safe = np.maximum(count, 1.0)
        covariance = z.T @ z - sums * sums.T / safe
        variance = squares - sums**2 / safe
        product = np.sqrt(np.maximum(variance, 0.0) * np.maximum(variance.T, 0.0))
        found = np.divide(covariance, product, out=np.full_like(product, np.nan), where=product > 1e-9 * safe)
    clipped: Floats = np.clip(found, -1.0, 1.0)
    return clipped


def correlation_ratio(codes: NDArray[np.integer], values: Floats, size: int) -> float:
    """η = √(variance between the levels' means / total variance): how well a level tells a number (Pearson 1905).

    Args:
        codes: levels in [0, size), shape (rows,).
        values: numbers, NaN where missing, shape (rows,).
        size: how many codes there are.

    Returns:
        A figure in [0, 1]; NaN where the numbers do not vary.

    >>> correlation_ratio(np.array([0, 0, 1, 1]), np.array([1.0, 1.0, 5.0, 5.0]), 2)
    1.0
    """
    have = ~np.isnan(values)
    codes, values = codes[have], values[have]
    if not len(values):
        return float("nan")
    z = standardise(values[:, None])[:, 0]
    total = float((z**2).sum())
    if total == 0.0:
        return float("nan")
    count = np.bincount(codes, minlength=size)
    sums = np.bincount(codes, weights=z, minlength=size)
    between = float((sums**2 / np.maximum(count, 1)).sum())
    return float(np.sqrt(min(between / total, 1.0)))


def theils_u(table: Floats) -> float:
    """U(row | column) = (H(row) − H(row | column)) / H(row): how much of the row the column tells (Theil 1970).

    Args:
        table: joint counts, shape (row levels, column levels).

    Returns:
        A figure in [0, 1]; NaN where the row variable does not vary.

    >>> theils_u(np.array([[5.0, 0.0], [0.0, 5.0]])), theils_u(np.array([[5.0, 5.0], [5.0, 5.0]]))
    (1.0, 0.0)
    """
    total = table.sum()
    if total == 0:
        return float("nan")

    def entropy(counts: Floats) -> float:
        p = counts[counts > 0] / total
        return float(-(p * np.log(p)).sum())

    rows = entropy(table.sum(axis=1))
    if rows <= 1e-12:
        return float("nan")
    conditional = entropy(table.ravel()) - entropy(table.sum(axis=0))
    return float(min(max((rows - conditional) / rows, 0.0), 1.0))
