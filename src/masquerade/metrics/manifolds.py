"""Precision and recall of a sample (Kynkäänniemi et al. 2019, arXiv 1904.06991).

A sample's manifold is the union of balls, one around each point, that reach to its k-th nearest neighbour in the sample.
Precision is the share of released points that lie in the real manifold (do they look real?), recall the share of real points
that lie in the released one (is everything there?).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from masquerade.metrics.euclid import squared_distances

__all__ = ["NEIGHBOURS", "Manifold"]

NEIGHBOURS = 3


class Manifold:
    """The balls around a sample.

    Args:
        points: shape (n, width), more than `neighbours`.
        neighbours: k.

    >>> line = Manifold(np.arange(10.0)[:, None])
    >>> line.holds(np.array([[4.5], [30.0]])).tolist()
    [True, False]
    """

    def __init__(self, points: NDArray[np.floating], neighbours: int = NEIGHBOURS):
        if len(points) <= neighbours:
            raise ValueError(f"points: got {len(points)}, expected more than {neighbours}.")
        self._points = np.asarray(points, np.float32)
        self._reach = np.empty(len(points), np.float32)
        for start, apart in squared_distances(self._points, self._points):
            rows = np.arange(len(apart))
            apart[rows, start + rows] = 0.0  # itself, whatever rounding says
            self._reach[start : start + len(apart)] = np.partition(apart, neighbours, axis=1)[:, neighbours]

    def holds(self, points: NDArray[np.floating]) -> NDArray[np.bool_]:
        """Which of some points, shape (m, width), lie in at least one ball."""
        inside = np.empty(len(points), np.bool_)
        for start, apart in squared_distances(np.asarray(points, np.float32), self._points):
            inside[start : start + len(apart)] = (apart <= self._reach).any(axis=1)
        return inside
