"""Columns as a graphical model takes them: rare codes together, and coarser views for tables that would be mostly noise.

What is decided here is decided by noised counts alone, and costs no budget.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from masquerade.nets.reconcile import nearest_counts

__all__ = ["CoarseColumn", "coarse_column"]

RARE = 3.0
"""A code whose noised count is below so many standard deviations of its noise is rare (MST's rule, arXiv 2108.04978)."""

LITTLE = 0.05
"""Rare codes with less than this share of their group are taken for noise."""

VIEWS = (16, 8, 4, 2)
"""Groups of coarser views of a column."""


@dataclass(frozen=True)
class CoarseColumn:
    """A column of the graphical model.

    Args:
        group: by code of the layout, the code of the model that it belongs to.
        weights: by code of the layout, its estimated count, above 0: how the codes of one group are drawn.
        shares: by code of the model, its estimated share, above 0.
        values: by code of the model, its noised count.
        sigma: standard deviation of that noise.
        views: groupings of the model's codes; the first has each by itself.
        ladders: which views make a row from the finest to the coarsest: neighbours together, where codes have an order; the
            rest beside the heaviest codes.
    """

    group: NDArray[np.intp]
    weights: NDArray[np.float64]
    shares: NDArray[np.float64]
    values: NDArray[np.float64]
    sigma: float
    views: tuple[NDArray[np.intp], ...]
    ladders: tuple[tuple[int, ...], ...]

    @property
    def size(self) -> int:
        """Codes of the model."""
        return self.shares.size


def coarse_column(
    counts: NDArray[np.float64], sigma: float, total: float, places: NDArray[np.float64] | None, most: int
) -> CoarseColumn:
    """A column from its noised counts.

    Args:
        counts: noised, one for each code.
        sigma: standard deviation of their noise.
        total: number of rows, estimated.
        places: where the codes lie on a line, NaN where one does not; None where they have no order.
        most: the model has at most so many codes of it, at least 2.
    """
    group = _beside(counts, sigma, most) if places is None else _along(counts, sigma, places, most)
    weights = nearest_counts(counts, total)
    for merged in np.flatnonzero(np.bincount(group) > 1):
        inside = np.flatnonzero(group == merged)
        rare = inside[counts[inside] < RARE * sigma]
        if not rare.size:
            continue
        weights[rare] = _shrunk(counts[rare], sigma)
        if counts[rare].sum() < min(RARE * sigma * math.sqrt(rare.size), LITTLE * counts[inside].sum()):
            weights[rare] = 0.0  # little beside the others of the group, and perhaps noise alone
    weights += 1e-3
    values = np.bincount(group, weights=counts).astype(np.float64)
    smoothed = nearest_counts(values, total) + 0.5
    shares = smoothed / smoothed.sum()
    line = None if places is None else _places_of_groups(places, weights, group)
    views = [np.arange(shares.size)]
    ladders = []
    for ordering in (None,) if line is None else (line, None):
        coarser = [_view(shares, ordering, groups) for groups in VIEWS if shares.size > 1.5 * groups]
        ladders.append((0, *range(len(views), len(views) + len(coarser))))
        views += coarser
    return CoarseColumn(group, weights, shares, values, sigma, tuple(views), tuple(ladders))


def _beside(counts: NDArray[np.float64], sigma: float, most: int) -> NDArray[np.intp]:
    """All rare codes in one group, the last; the others each by itself."""
    rank = np.argsort(np.argsort(-counts, kind="stable"))
    rare = (counts < RARE * sigma) | (rank >= most - 1)
    if rare.sum() < 2:
        rare[:] = False
    return np.where(rare, (~rare).sum(), np.cumsum(~rare) - 1).astype(np.intp)


def _along(counts: NDArray[np.float64], sigma: float, places: NDArray[np.float64], most: int) -> NDArray[np.intp]:
    """Neighbours on the line together until they stand above their noise; a code that is not on it by itself."""
    there = np.isfinite(places)
    order = np.flatnonzero(there)[np.argsort(places[there], kind="stable")]
    least = RARE * sigma
    while True:
        group = np.zeros(counts.size, np.intp)
        number, weight, codes = 0, 0.0, 0
        for code in order:
            group[code], weight, codes = number, weight + counts[code], codes + 1
            if weight >= least * math.sqrt(codes):
                number, weight, codes = number + 1, 0.0, 0
        if codes and number:
            group[group == number] = number - 1  # what is left at the end is too little
        group[~there] = group.max() + 1 + np.arange((~there).sum())
        if group.max() < most:
            return group
        least = 1.3 * max(least, 1.0)


def _shrunk(counts: NDArray[np.float64], sigma: float) -> NDArray[np.float64]:
    """Counts of rare codes, moved towards their mean by as much as the noise makes them differ (James and Stein 1961)."""
    mean = max(float(counts.mean()), 1e-3)
    spread = float(((counts - counts.mean()) ** 2).sum())
    kept = max(0.0, 1 - sigma**2 * max(counts.size - 1, 1) / max(spread, 1e-12))
    return np.maximum(mean + kept * (counts - mean), 1e-3 * mean)


def _places_of_groups(
    places: NDArray[np.float64], weights: NDArray[np.float64], group: NDArray[np.intp]
) -> NDArray[np.float64]:
    there = np.isfinite(places)
    weights = np.where(there, weights + 1e-9, 0.0)
    mass = np.bincount(group, weights=weights)
    moments = np.bincount(group, weights=np.where(there, places, 0.0) * weights)
    return np.where(mass > 0, moments / np.maximum(mass, 1e-300), np.nan)


def _view(shares: NDArray[np.float64], line: NDArray[np.float64] | None, groups: int) -> NDArray[np.intp]:
    """About so many groups: neighbours of about equal weight where codes have an order, else the rest beside the heaviest."""
    if line is None:
        rank = np.argsort(np.argsort(-shares, kind="stable"))
        return np.minimum(rank, groups - 1)
    there = np.isfinite(line)
    order = np.argsort(np.where(there, line, np.inf), kind="stable")
    sorted_ = np.where(there, shares, 0.0)[order]
    middle = (np.cumsum(sorted_) - sorted_ / 2) / max(sorted_.sum(), 1e-300)
    found = np.empty(shares.size, np.intp)
    found[order] = np.minimum((middle * groups).astype(np.intp), groups - 1)
    found[~there] = groups
    return np.unique(found, return_inverse=True)[1].astype(np.intp)
