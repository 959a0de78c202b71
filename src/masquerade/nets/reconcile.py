"""Noised tables made to agree on what they share, before a model is fitted to them.

Two noised tables with one column in common tell two different counts of its codes. Least squares finds the one count that all
of them together make likeliest (Hay et al., "Boosting the accuracy of differentially private histograms through consistency",
arXiv 0904.0942), and moves each table evenly so that it agrees: for tables of two columns, that is the best linear estimate
from all that was counted, since they overlap in nothing but single columns. What is left for the model to fit is then no longer
at odds with itself, and it is fitted in far fewer passes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from masquerade.nets.maxent import Measured, grouped

__all__ = ["nearest_counts", "reconciled"]

TURNS = 50
"""Rows and columns of a table are moved in turn at most so often."""


def nearest_counts(counts: NDArray[np.float64], total: float) -> NDArray[np.float64]:
    """The counts of this total, none below 0, that are nearest to the given ones (Duchi et al. 2008).

    >>> nearest_counts(np.array([8.0, 4.0, -3.0]), 10.0).tolist()
    [7.0, 3.0, 0.0]
    """
    falling = np.sort(counts)[::-1]
    over = (np.cumsum(falling) - total) / np.arange(1, counts.size + 1)
    return np.asarray(np.maximum(counts - over[np.flatnonzero(falling > over)[-1]], 0.0), np.float64)


def reconciled(measured: Sequence[Measured], sizes: Sequence[int], total: float) -> list[Measured]:
    """The same tables, all of the same total, and alike where they share a column.

    Args:
        measured: noised counts of one or two columns; every column is counted by itself, in its finest view.
        sizes: codes of each column.
        total: number of rows.
    """
    even = [_summing_to(m, total) for m in measured]
    columns = [_column(even, column, size, total) for column, size in enumerate(sizes)]
    return [_agreeing(m, columns) for m in even]


def _summing_to(m: Measured, total: float) -> Measured:
    return replace(m, values=m.values - (m.values.sum() - total) / m.values.size)


def _column(measured: Sequence[Measured], column: int, size: int, total: float) -> NDArray[np.float64]:
    """The likeliest counts of a column, by all tables that it is in."""
    precision, pull = np.zeros((size, size)), np.zeros(size)
    for m in measured:
        if column not in m.columns:
            continue
        axis = m.columns.index(column)
        sums = m.values.sum(axis=tuple(a for a in range(m.values.ndim) if a != axis))
        weight = sums.size / (m.values.size * m.sigma**2)
        group = m.groups[axis]
        precision += weight * (group[:, None] == group)
        pull += weight * sums[group]
    covariance = np.linalg.inv(precision)
    return nearest_counts(_shrunk(covariance @ pull, float(np.trace(covariance))), total)


def _shrunk(counts: NDArray[np.float64], noise: float) -> NDArray[np.float64]:
    """Counts moved towards their mean by as much as noise of this total variance makes them differ (James and Stein 1961):
    much for bins of about equal weight, next to nothing for levels that differ widely."""
    mean = counts.mean()
    apart = float(((counts - mean) ** 2).sum())
    if counts.size < 4 or apart == 0:
        return counts
    return np.asarray(mean + max(0.0, 1 - noise * (counts.size - 3) / counts.size / apart) * (counts - mean))


def _agreeing(m: Measured, columns: Sequence[NDArray[np.float64]]) -> Measured:
    """The table nearest to this one that has these counts of its single columns, and none below 0.

    It is max(values + u + v, 0), where u and v are one number for each code of either column; each is found given the other, in
    turn (Dykstra 1983; for a table of one column, at once).
    """
    wanted = [grouped(columns[column], (group,)) for column, group in zip(m.columns, m.groups, strict=True)]
    if len(wanted) == 1:
        return replace(m, values=wanted[0])
    rows, sums = m.values, np.zeros(m.values.shape[1])
    for _ in range(TURNS):
        rows = m.values + sums
        over = _over(rows, wanted[0])
        before, sums = sums, -_over((m.values - over[:, None]).T, wanted[1])
        if np.abs(sums - before).max() < 1e-3 * m.sigma:
            break
    return replace(m, values=np.maximum(m.values - over[:, None] + sums, 0.0))


def _over(table: NDArray[np.float64], wanted: NDArray[np.float64]) -> NDArray[np.float64]:
    """By row, what is to be taken from each cell, none falling below 0, so that they sum to what is wanted."""
    falling = -np.sort(-table, axis=1)
    over = (np.cumsum(falling, axis=1) - wanted[:, None]) / np.arange(1, table.shape[1] + 1)
    last = np.maximum((falling > over).sum(axis=1) - 1, 0)
    return np.asarray(over[np.arange(len(table)), last])
