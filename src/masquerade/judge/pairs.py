"""Columns two at a time: how well correlations and joint tables are kept, and how far associations lie apart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from masquerade.judge.figures import Figure
from masquerade.judge.tables import Side, Tables, equal_width_codes
from masquerade.metrics.association import correlation_ratio, pearson, standardise, theils_u
from masquerade.metrics.codes import all_or_some, subset_accuracies

__all__ = ["PAIR_LIMIT", "associations", "correlation_distance", "pair_figures", "pair_plan"]

PAIR_LIMIT = 3_000
"""Wider tables (over 77 columns) are judged on this many random pairs."""

_TOP_LEVELS = 50  # for associations, rarer levels count as one


def pair_plan(tables: Tables, seed: int) -> list[tuple[int, int]]:
    """The pairs of compared columns that are judged, as places in `Tables.names`."""
    return [(pair[0], pair[1]) for pair in all_or_some(len(tables.names), 2, PAIR_LIMIT, seed)]


def pair_figures(
    tables: Tables, real: Side, other: Side, plan: Sequence[tuple[int, int]]
) -> tuple[Figure, dict[str, dict[str, float]]]:
    """`column_pair_trends` of `other` beside `real`, and the similarity of each pair, first name → second name."""
    numbers = len(tables.numeric)
    influences = np.zeros(len(real)), np.zeros(len(other))
    similarity: dict[tuple[int, int], float] = {}

    linear = [pair for pair in plan if pair[1] < numbers]
    if linear:
        trend = _Trend.of(real, other)
        signs = np.zeros_like(trend.real)
        for i, j in linear:
            value, sign = trend.similarity(i, j)
            if math.isfinite(value):
                similarity[i, j] = value
                signs[i, j] = signs[j, i] = sign
        influences[0][:] += _pull(real.numbers, signs, trend.real)
        influences[1][:] -= _pull(other.numbers, signs, trend.other)

    joint = [pair for pair in plan if pair[1] >= numbers]
    if joint:
        binned, other_binned, bin_sizes = equal_width_codes(real, other)
        accuracies = subset_accuracies(
            np.concatenate([binned, real.codes], axis=1),
            np.concatenate([other_binned, other.codes], axis=1),
            [*bin_sizes, *tables.sizes],
            joint,
            influences,
        )
        similarity.update(zip(joint, accuracies.tolist(), strict=True))

    names = tables.names
    pairs: dict[str, dict[str, float]] = {}
    for i, j in sorted(similarity):
        pairs.setdefault(names[i], {})[names[j]] = similarity[i, j]
    if not similarity:
        return Figure(math.nan), pairs
    count = len(similarity)
    return Figure(float(np.mean(list(similarity.values()))), (influences[0] / count, influences[1] / count)), pairs


@dataclass(frozen=True)
class _Trend:
    """Correlation matrices of both sides, NaN where undefined."""

    real: NDArray[np.float64]
    other: NDArray[np.float64]

    @classmethod
    def of(cls, real: Side, other: Side) -> _Trend:
        return cls(pearson(real.numbers), pearson(other.numbers))

    def similarity(self, i: int, j: int) -> tuple[float, float]:
        """1 − ½ |ρ − ρ'| and its slope in ρ; an undefined correlation counts as 0, two undefined ones as no pair."""
        a, b = float(self.real[i, j]), float(self.other[i, j])
        if math.isnan(a) and math.isnan(b):
            return math.nan, 0.0
        difference = (0.0 if math.isnan(b) else b) - (0.0 if math.isnan(a) else a)
        return 1.0 - 0.5 * abs(difference), 0.5 * float(np.sign(difference))


def _pull(numbers: NDArray[np.float64], signs: NDArray[np.float64], rho: NDArray[np.float64]) -> NDArray[np.float64]:
    """Each row's influence on Σ signs·ρ over pairs: z_x z_y − ½ ρ (z_x² + z_y²), summed."""
    z = standardise(numbers)
    weights = (signs * np.nan_to_num(rho)).sum(axis=1)
    pull: NDArray[np.float64] = 0.5 * ((z @ signs) * z).sum(axis=1) - 0.5 * (z**2) @ weights
    return pull


def associations(tables: Tables, side: Side, plan: Sequence[tuple[int, int]]) -> NDArray[np.float64]:
    """How strongly the columns of each pair hang together, both ways.

    Returns:
        Shape (pairs, 2): Pearson's ρ twice for two numbers, the correlation ratio twice for a number and a level,
        Theil's U of the first given the second and of the second given the first for two levels; NaN where undefined.
        Levels beyond the 50 most frequent real ones count as one.
    """
    numbers = len(tables.numeric)
    codes = np.minimum(side.codes, _TOP_LEVELS + 1)
    sizes = [min(size, _TOP_LEVELS + 2) for size in tables.sizes]
    rho = pearson(side.numbers)
    found = np.empty((len(plan), 2))
    for place, (i, j) in enumerate(plan):
        if j < numbers:
            found[place] = rho[i, j]
        elif i < numbers:
            found[place] = correlation_ratio(codes[:, j - numbers], side.numbers[:, i], sizes[j - numbers])
        else:
            rows, columns = sizes[i - numbers], sizes[j - numbers]
            joint = np.bincount(codes[:, i - numbers] * columns + codes[:, j - numbers], minlength=rows * columns)
            table = joint.reshape(rows, columns).astype(np.float64)
            found[place] = theils_u(table), theils_u(table.T)
    return found


def correlation_distance(real: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """The mean absolute difference of two sets of associations; one undefined counts as 0, two as no pair.

    >>> correlation_distance(np.array([[0.5, 0.5]]), np.array([[0.25, np.nan]]))
    0.375
    """
    known = ~(np.isnan(real) & np.isnan(other))
    if not known.any():
        return math.nan
    return float(np.abs(np.nan_to_num(real) - np.nan_to_num(other))[known].mean())
