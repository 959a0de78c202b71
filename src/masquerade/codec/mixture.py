"""A one-dimensional Gaussian mixture, fitted fast: expectation-maximisation on weighted points.

Rows are first pooled into at most a thousand groups of neighbours, so the cost of a step does not depend on the number
of rows and no single row is a point of its own in a large column. Components that hold too little are pruned.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

__all__ = ["Mixture", "draw_components", "fit_mixture"]

POINTS = 1_000
CHUNK = 1 << 17


@dataclass(frozen=True)
class Mixture:
    """Means, standard deviations and weights, each float64 of shape (components,), by rising mean.

    Args:
        means: one per component.
        stds: standard deviations, above 0.
        weights: shares of rows, summing to 1.
    """

    means: NDArray[np.float64]
    stds: NDArray[np.float64]
    weights: NDArray[np.float64]

    def log_joint(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """log(weight × density) of each component at each value, shape (values, components)."""
        z = (values[:, None] - self.means) / self.stds
        constant = np.log(self.weights) - np.log(self.stds) - 0.5 * np.log(2 * np.pi)
        return np.asarray(constant - 0.5 * z * z)

    def keep(self, kept: NDArray[np.bool_]) -> Mixture:
        """Only some components, their weights brought to sum to 1."""
        weights = self.weights[kept]
        return Mixture(self.means[kept], self.stds[kept], weights / weights.sum())


def _pool(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """At most `POINTS` weighted points that stand for the values: the distinct ones, or means of equal groups of
    neighbours."""
    ordered = np.sort(values)
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    if starts.size > POINTS:
        starts = np.unique(np.linspace(0, ordered.size, POINTS, endpoint=False).astype(np.intp))
    counts = np.diff(np.r_[starts, ordered.size]).astype(np.float64)
    return np.add.reduceat(ordered, starts) / counts, counts


def fit_mixture(
    values: NDArray[np.float64],
    *,
    components: int = 10,
    least_share: float = 0.005,
    least_std: float = 0.0,
    steps: int = 100,
    tolerance: float = 1e-4,
) -> Mixture:
    """Fit by expectation-maximisation, pruning components with less than `least_share` of the rows.

    Args:
        values: finite numbers, shape (rows,), at least one.
        components: at most so many.
        least_share: components that hold less than this share are dropped.
        least_std: floor of the standard deviations; a thousandth of the overall one at least.
        steps: at most so many steps.
        tolerance: stop when a step gains less mean log-likelihood than this.

    References:
        Dempster, Laird, Rubin 1977, "Maximum likelihood from incomplete data via the EM algorithm". Pruning takes the
        place of the Dirichlet prior in Xu et al. 2019, section 4.2.

    >>> rng = np.random.default_rng(0)
    >>> found = fit_mixture(np.r_[rng.normal(0, 1, 5000), rng.normal(50, 2, 5000)], components=2)
    >>> found.means.round().astype(int).tolist()
    [0, 50]
    """
    points, counts = _pool(values)
    total = counts.sum()
    centre = float(np.average(points, weights=counts))
    spread = float(np.sqrt(np.average((points - centre) ** 2, weights=counts)))
    floor = max(least_std, 1e-3 * spread, 1e-9 * max(1.0, abs(centre)))
    k = max(1, min(components, points.size))
    cumulative = (np.cumsum(counts) - 0.5 * counts) / total
    means = np.interp((np.arange(k) + 0.5) / k, cumulative, points)
    gaps = np.gradient(means) if k > 1 else np.array([spread])
    mixture = Mixture(means, np.maximum(np.maximum(gaps, 0.1 * spread), floor), np.full(k, 1.0 / k))
    previous = -np.inf
    for _ in range(steps):
        joint = mixture.log_joint(points)
        evidence = logsumexp(joint, axis=1)
        shares = np.exp(joint - evidence[:, None]) * counts[:, None]
        held = shares.sum(axis=0)
        kept = held >= min(least_share * total, held.max())
        shares, held = shares[:, kept], held[kept]
        means = points @ shares / held
        spreads = np.sqrt(np.maximum((points**2) @ shares / held - means**2, 0.0))
        mixture = Mixture(means, np.maximum(spreads, floor), held / held.sum())
        score = float(evidence @ counts / total)
        if score - previous < tolerance:
            break
        previous = score
    order = np.argsort(mixture.means, kind="stable")
    return Mixture(mixture.means[order], mixture.stds[order], mixture.weights[order])


def draw_components(mixture: Mixture, values: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.int32]:
    """For each value one component, drawn by its posterior probability; int32, shape (values,)."""
    drawn = np.zeros(values.size, dtype=np.int32)
    if mixture.means.size == 1:
        return drawn
    for begin in range(0, values.size, CHUNK):
        part = slice(begin, begin + CHUNK)
        joint = mixture.log_joint(values[part])
        joint -= joint.max(axis=1, keepdims=True)
        edges = np.cumsum(np.exp(joint), axis=1)
        places = rng.random(len(edges)) * edges[:, -1]
        drawn[part] = np.minimum((edges < places[:, None]).sum(axis=1), mixture.means.size - 1)
    return drawn
