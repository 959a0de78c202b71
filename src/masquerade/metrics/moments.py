"""Figures about means, deviations and principal components, after table-evaluator's definitions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

__all__ = ["log_difference", "mean_absolute_percentage_error", "pca_similarity", "rank_agreement", "summary_statistics"]

Floats = NDArray[np.float64]


def log_difference(real: Floats, other: Floats, floor: float = 1e-6) -> float:
    """The mean of |ln |real| − ln |other||, each figure taken to be at least `floor`.

    Args:
        real: one figure (a mean, a deviation) per column, shape (columns,).
        other: likewise.
        floor: stands in for a figure nearer to zero, whose logarithm would say nothing.

    Returns:
        0 where they agree; NaN without columns.

    >>> round(log_difference(np.array([1.0, 10.0]), np.array([np.e, 10.0])), 6)
    0.5
    """
    if not len(real):
        return float("nan")
    a, b = np.maximum(np.abs(real), floor), np.maximum(np.abs(other), floor)
    return float(np.abs(np.log(a) - np.log(b)).mean())


def mean_absolute_percentage_error(real: Floats, other: Floats) -> float:
    """The mean of |real − other| / |real|, over the figures whose real side is not 0; NaN without one.

    >>> mean_absolute_percentage_error(np.array([2.0, 4.0]), np.array([1.0, 5.0]))
    0.375
    """
    some = real != 0
    if not some.any():
        return float("nan")
    return float((np.abs(real - other)[some] / np.abs(real)[some]).mean())


def pca_similarity(real: Floats, other: Floats, components: int = 5) -> float:
    """1 − MAPE of the variances of the first principal components, at least 0.

    Args:
        real: numbers without gaps, shape (rows, columns); scale them beforehand.
        other: shape (other rows, columns).
        components: how many components are compared (fewer where there are fewer columns).

    Returns:
        1 where the variances agree; NaN where the real rows do not vary.

    >>> table = np.array([[0.0, 1.0], [1.0, 0.0], [2.0, 4.0]])
    >>> pca_similarity(table, table[::-1])
    1.0
    """
    if not real.shape[1]:
        return float("nan")
    spread = _variances(real)[:components]
    spread = np.where(spread > 1e-9 * max(float(spread.max()), 1e-300), spread, 0.0)
    error = mean_absolute_percentage_error(spread, _variances(other)[:components])
    return float(np.clip(1.0 - error, 0.0, 1.0))  # NaN stays NaN


def _variances(table: Floats) -> Floats:
    """The variances along the principal components, falling."""
    centred = table - table.mean(axis=0)
    falling: Floats = np.linalg.eigvalsh(centred.T @ centred / max(len(table) - 1, 1))[::-1]
    return falling


def summary_statistics(numbers: Floats) -> Floats:
    """Mean, median, standard deviation and variance of each column, missing values dropped.

    Args:
        numbers: shape (rows, columns), NaN where missing, no column without a value.

    Returns:
        Shape (4, columns).

    >>> summary_statistics(np.array([[1.0], [3.0], [np.nan]])).ravel().tolist()
    [2.0, 2.0, 1.0, 1.0]
    """
    return np.stack(
        [
            np.nanmean(numbers, axis=0),
            np.nanmedian(numbers, axis=0),
            np.nanstd(numbers, axis=0),
            np.nanvar(numbers, axis=0),
        ]
    )


def rank_agreement(real: Floats, other: Floats) -> float:
    """Spearman's rank correlation of two sets of figures; NaN for fewer than three or where one does not vary.

    >>> round(rank_agreement(np.array([1.0, 2.0, 3.0]), np.array([10.0, 30.0, 20.0])), 6)
    0.5
    """
    if len(real) < 3 or np.ptp(real) == 0 or np.ptp(other) == 0:
        return float("nan")
    return float(spearmanr(real, other).statistic)
