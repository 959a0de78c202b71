"""Codes carried from one group to another, so that they no longer tell which group they came from.

The codes of each group are made normal by turns and one-dimensional maps, one after the other (rotation-based iterative
Gaussianisation: Laparra, Camps-Valls and Malo 2011, arXiv 1602.00229). What is normal in every group tells of none of them; the
map back of another group then makes it a code of that group. The turns are the same for all groups, so that groups that are
alike leave codes nearly as they are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from masquerade import seeds

__all__ = ["Transport"]

LAYERS = 12
MOST_KNOTS = 100
SHARERS = 10
"""Codes that lie between two knots at least."""
FAR = 8.0
"""Where the straight ends of the one-dimensional maps end, in standard deviations."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Transport:
    """Maps of several groups of codes to normal numbers and back.

    Args:
        turns: orthogonal matrices, shape (layers, width, width).
        knots: of each group's maps, values of codes, rising; shape (groups, layers, width, knots).
        scores: the normal numbers they belong to, shape (knots,).

    >>> random = np.random.default_rng(0)
    >>> groups = np.arange(2000) % 2
    >>> codes = random.normal(size=(2000, 2)) + 5 * groups[:, None]
    >>> moved = Transport.fit(codes, groups, 2, seed=0)
    >>> even = moved.normal(codes, groups)
    >>> bool(np.abs(even[groups == 1].mean() - even[groups == 0].mean()) < 0.05)
    True
    >>> bool(np.allclose(moved.back(even, groups), codes, atol=1e-6))
    True
    """

    turns: Floats
    knots: Floats
    scores: Floats

    @classmethod
    def fit(cls, codes: NDArray[np.floating], groups: NDArray[np.integer], count: int, *, seed: int) -> Transport:
        """Learn the maps.

        Args:
            codes: shape (n, width).
            groups: the group of each, below `count`.
            count: how many groups; each has some codes.
            seed: of the turns.
        """
        width = codes.shape[1]
        random = seeds.stream(seed, "turns")
        turns = np.stack([np.linalg.qr(random.normal(size=(width, width)))[0] for _ in range(LAYERS)])
        fewest = int(np.bincount(groups, minlength=count).min())
        inner = int(np.clip(fewest // SHARERS, 2, MOST_KNOTS))
        shares = (np.arange(inner) + 0.5) / inner
        scores = np.concatenate([[-FAR], ndtri(shares), [FAR]])
        knots = np.empty((count, LAYERS, width, len(scores)))
        found = cls(turns, knots, scores)
        for group in range(count):
            own = np.asarray(codes[groups == group], np.float64)
            for layer in range(LAYERS):
                own = own @ turns[layer]
                for place in range(width):
                    knots[group, layer, place] = _with_ends(np.quantile(own[:, place], shares), scores)
                own = found._stretched(own, group, layer)
        return found

    def _stretched(self, codes: Floats, group: int, layer: int) -> Floats:
        columns = [np.interp(codes[:, i], self.knots[group, layer, i], self.scores) for i in range(codes.shape[1])]
        return np.stack(columns, axis=1)

    def normal(self, codes: NDArray[np.floating], groups: NDArray[np.integer]) -> Floats:
        """The codes as normal numbers, each by the map of its group."""
        out = np.empty(codes.shape)
        for group in np.unique(groups):
            own = np.asarray(codes[groups == group], np.float64)
            for layer in range(len(self.turns)):
                own = self._stretched(own @ self.turns[layer], int(group), layer)
            out[groups == group] = own
        return out

    def back(self, numbers: Floats, groups: NDArray[np.integer]) -> Floats:
        """Normal numbers as codes of any groups: the reverse of `normal`."""
        out = np.empty(numbers.shape)
        for group in np.unique(groups):
            own = numbers[groups == group]
            for layer in reversed(range(len(self.turns))):
                knots = self.knots[int(group), layer]
                own = np.stack([np.interp(own[:, i], self.scores, knots[i]) for i in range(own.shape[1])], axis=1)
                own = own @ self.turns[layer].T
            out[groups == group] = own
        return out


def _with_ends(inner: Floats, scores: Floats) -> Floats:
    """Knots with straight ends of the slope that the inner ones have on average, all of them rising."""
    slope = max((inner[-1] - inner[0]) / (scores[-2] - scores[1]), 1e-3)
    rising = np.maximum.accumulate(inner) + 1e-9 * np.arange(len(inner))
    first, last = rising[0] - slope * (scores[1] - scores[0]), rising[-1] + slope * (scores[-1] - scores[-2])
    return np.concatenate([[first], rising, [last]])
