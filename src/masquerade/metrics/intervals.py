"""How sure a figure is: 95 % intervals for means, proportions, their differences and quantiles.

Figures that are smooth functions of many rows get theirs from *influences*: how much each row pulls the figure. The
standard error is then √(Σ variance of a side's influences / its rows), the infinitesimal jackknife (Jaeckel 1972; Efron
1982, "The Jackknife, the Bootstrap and Other Resampling Plans", chapter 6): what the bootstrap tends to, without
resampling, and with the dependence between columns of one row kept.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

__all__ = ["Z95", "from_clusters", "from_influences", "newcombe", "of_quantile", "wilson"]

Z95 = 1.959963984540054
"""The 97.5 % point of the standard normal distribution."""


def from_influences(
    value: float, *influences: NDArray[np.float64], low: float = 0.0, high: float = 1.0
) -> tuple[float, float] | None:
    """The interval of a figure from the influences of the rows of each independent side.

    Args:
        value: the figure.
        influences: one array per side, shape (rows of that side,); any constant may be added to one.
        low: the least value the figure can have.
        high: the greatest.

    Returns:
        (lower, upper), cut to [low, high]; None where the figure is not finite.

    >>> rows = np.array([0.0, 1.0] * 50)  # a mean of 100 zeros and ones
    >>> [round(x, 3) for x in from_influences(0.5, rows)]
    [0.402, 0.598]
    """
    if not math.isfinite(value):
        return None
    variance = sum(float(side.var()) / len(side) for side in influences if len(side))
    half = Z95 * math.sqrt(variance)
    return max(low, value - half), min(high, value + half)


def from_clusters(
    values: NDArray[np.float64], clusters: NDArray[np.integer], low: float = 0.0, high: float = 1.0
) -> tuple[float, float]:
    """The interval of a mean whose values hang together in clusters (the sandwich estimator), cut to [low, high].

    >>> values = np.array([0.0, 1.0] * 50)
    >>> ends = from_clusters(values, np.arange(100) // 2)  # each pair sums to the same: no spread between clusters
    >>> ends == (0.5, 0.5)
    True
    """
    mean = float(values.mean())
    sums = np.bincount(np.unique(clusters, return_inverse=True)[1], weights=values - mean)
    half = Z95 * math.sqrt(float((sums**2).sum())) / len(values)
    return max(low, mean - half), min(high, mean + half)


def wilson(successes: float, trials: int, z: float = Z95) -> tuple[float, float]:
    """Wilson's score interval of a proportion (Wilson 1927); (0, 1) without trials.

    Args:
        successes: how often it happened.
        trials: of how many.
        z: how many standard deviations wide on each side.

    >>> [round(x, 4) for x in wilson(0, 10)]
    [0.0, 0.2775]
    """
    if trials == 0:
        return 0.0, 1.0
    p, z2 = successes / trials, z**2
    centre = (p + z2 / (2 * trials)) / (1 + z2 / trials)
    half = z * math.sqrt(p * (1 - p) / trials + z2 / (4 * trials**2)) / (1 + z2 / trials)
    return max(0.0, centre - half), min(1.0, centre + half)


def newcombe(successes: float, trials: int, others: float, other_trials: int) -> tuple[float, float]:
    """The interval of a difference of two proportions (Newcombe 1998, method 10), first less second.

    >>> [round(x, 4) for x in newcombe(56, 70, 48, 80)]  # the example of Newcombe's paper
    [0.0524, 0.3339]
    """
    p, q = successes / max(trials, 1), others / max(other_trials, 1)
    low, high = wilson(successes, trials)
    other_low, other_high = wilson(others, other_trials)
    return (
        p - q - math.sqrt((p - low) ** 2 + (other_high - q) ** 2),
        p - q + math.sqrt((high - p) ** 2 + (q - other_low) ** 2),
    )


def of_quantile(values: NDArray[np.float64], quantile: float) -> tuple[float, float]:
    """The interval of a quantile by order statistics: no distribution is assumed.

    >>> of_quantile(np.arange(100.0), 0.5)
    (40.0, 60.0)
    """
    ordered = np.sort(values)
    low, high = (float(binom.ppf(p, len(ordered), quantile)) for p in (0.025, 0.975))
    return float(ordered[max(int(low), 0)]), float(ordered[min(int(high), len(ordered) - 1)])
