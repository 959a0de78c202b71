"""The Fréchet distance of two clouds of points, each taken for a normal distribution (Heusel et al. 2017, arXiv 1706.08500).

‖μ − ν‖² + tr(A + B − 2 (A B)^½) for means μ, ν and covariances A, B: the squared Wasserstein distance of the two normal
distributions (Dowson and Landau 1982). Of samples it comes out above 0 even where both are drawn alike, the more so the fewer
they are; so it is read beside the same figure for a real sample of the same size.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Moments", "frechet_distance", "frechet_interval"]

Floats = NDArray[np.float64]

RESAMPLES = 40
"""Of the bootstrap."""


@dataclass(frozen=True)
class Moments:
    """What of a cloud counts.

    Args:
        mean: shape (width,).
        covariance: shape (width, width).
    """

    mean: Floats
    covariance: Floats

    @classmethod
    def of(cls, points: NDArray[np.floating], weights: Floats | None = None) -> Moments:
        """The moments of points.

        Args:
            points: shape (n, width).
            weights: how often each point counts, shape (n,); None: once.
        """
        values = np.asarray(points, np.float64)
        shares = np.full(len(values), 1 / len(values)) if weights is None else weights / weights.sum()
        mean = shares @ values
        centred = values - mean
        return cls(mean, (centred * shares[:, None]).T @ centred)


def frechet_distance(first: Moments, second: Moments) -> float:
    """The distance of two clouds; in squared units of their coordinates, at least 0.

    >>> cloud = Moments(np.zeros(2), np.diag([1.0, 4.0]))
    >>> frechet_distance(cloud, cloud), frechet_distance(cloud, Moments(np.array([3.0, 0.0]), np.diag([1.0, 9.0])))
    (0.0, 10.0)
    """
    spread, axes = np.linalg.eigh(first.covariance)
    root = (axes * np.sqrt(np.clip(spread, 0.0, None))) @ axes.T
    shared = np.linalg.eigvalsh(root @ second.covariance @ root)
    apart = float(((first.mean - second.mean) ** 2).sum())
    both = float(np.trace(first.covariance) + np.trace(second.covariance))
    return max(0.0, apart + both - 2 * float(np.sqrt(np.clip(shared, 0.0, None)).sum()))


def frechet_interval(
    points: NDArray[np.floating], fixed: Moments, random: np.random.Generator
) -> tuple[float, tuple[float, float]]:
    """The distance of a sample from a cloud that stands for itself, and its 95 % interval.

    The interval is as wide as the bootstrap says, around the figure itself: resampling repeats points, which shifts the
    distance upwards as a smaller sample would, so its spread is used and not its place.

    Args:
        points: the sample, shape (n, width).
        fixed: the cloud.
        random: draws the resamples.

    >>> random = np.random.default_rng(0)
    >>> value, (low, high) = frechet_interval(random.normal(size=(500, 2)) + 1, Moments(np.zeros(2), np.eye(2)), random)
    >>> low < 2 < high
    True
    """
    value = frechet_distance(fixed, Moments.of(points))
    found = [frechet_distance(fixed, Moments.of(points, _weights(len(points), random))) for _ in range(RESAMPLES)]
    half = 1.96 * float(np.std(found, ddof=1))
    return value, (max(0.0, value - half), value + half)


def _weights(count: int, random: np.random.Generator) -> Floats:
    return np.bincount(random.integers(0, count, count), minlength=count).astype(np.float64)
