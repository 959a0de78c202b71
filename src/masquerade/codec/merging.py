"""Noised counts of cells merged into leaves: heavy single values, and bins that stand above the noise.

Whatever is made here of noised counts alone costs no further budget (post-processing; Dwork and Roth 2014, proposition 2.1).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

__all__ = ["curve", "groups"]

Group = tuple[int, int]
"""Cells of a leaf: the first, and the one after the last."""

CLEAR = 4.0
"""So many standard deviations of one cell's noise a leaf has at least."""
SURE = 3.0
"""So many standard deviations of its own noise a bin of several cells has, and a run of them inside a bin."""
LIKELY = 2.0
"""A rest that is heavier, in standard deviations, is more than noise."""
LITTLE = 0.25
"""What is lighter, with one deviation added, than this part of the leaf beside it may be left out between single values."""
FINE = 8
"""A leaf has at least this part of the weight that it would have if all that are allowed were alike."""


def groups(widths: NDArray[np.int64], weights: NDArray[np.float64], noise: float, most: int) -> list[Group]:
    """Which cells make one leaf: at most `most` leaves, in rising order; two at least where there are two cells.

    Args:
        widths: how many values lie in each cell.
        weights: noised counts; may be below 0.
        noise: standard deviation of the noise in each.
        most: leaves at most, at least 2.

    >>> groups(np.array([1, 1, 5, 5]), np.array([900.0, 50.0, 40.0, 3.0]), 5.0, 8)
    [(0, 1), (1, 2), (2, 4)]
    """
    mass = max(CLEAR * noise, float(weights.sum()) / (FINE * most), 1.0)
    while len(found := _greedy(widths, weights, noise, mass)) > most:
        mass *= 1.2
    found = found or [(0, weights.size)]
    if len(found) > 1 or weights.size == 1:
        return found
    total = np.cumsum(np.maximum(weights, 0.0) + 1e-9)
    half = int(np.clip(np.searchsorted(total, total[-1] / 2) + 1, 1, weights.size - 1))
    return [(0, half), (half, weights.size)]


def _greedy(widths: NDArray[np.int64], weights: NDArray[np.float64], noise: float, mass: float) -> list[Group]:
    """From left to right: a cell of this mass is a leaf, others are put together until they have it.

    What is left before such a cell joins the bin before it; else it is a bin if it is likely more than noise; else it is left
    out if it is little, and what lies there counts as the next bin; else it and the cell are a bin.
    """
    found: list[Group] = []
    start, weight, binned = 0, 0.0, False  # `binned`: the last leaf is a bin, and ends where `start` is

    def rest(end: int, beside: float) -> bool:
        """Deal with the cells from `start` to `end`; False if they are to join the leaf beside them, which weighs so much."""
        weight, deviation = float(weights[start:end].sum()), noise * math.sqrt(end - start)
        if start == end:
            return True
        if binned:
            found[-1] = found[-1][0], end
        elif weight > LIKELY * deviation:
            found.append((start, end))
        else:
            return weight + deviation < LITTLE * beside
        return True

    for cell in range(weights.size):
        weight += float(weights[cell])
        alone = weights[cell] >= mass
        if alone or (weight >= mass and weight >= SURE * noise * math.sqrt(cell + 1 - start)):
            first = cell if alone and rest(cell, float(weights[cell])) else start
            found.append((first, cell + 1))
            start, weight, binned = cell + 1, 0.0, bool(cell + 1 - first > 1 or widths[cell] > 1)
    if found and not rest(weights.size, float(weights[slice(*found[-1])].sum())):
        found[-1] = found[-1][0], weights.size
    return found


def curve(widths: NDArray[np.int64], weights: NDArray[np.float64], noise: float) -> NDArray[np.float64]:
    """The distribution inside a bin: the share of its weight at each end of its cells, shape (cells + 1,), from 0 to 1.

    A cell that is clear of the noise has its own density. Others are taken together in runs that are, over which the weight is
    spread by the roots of the cells' widths: half-way between what is even and what has a long tail.

    Args:
        widths: how many values lie in each of the bin's cells.
        weights: their noised counts.
        noise: standard deviation of the noise in each.
    """
    density, parts = np.empty(weights.size), np.sqrt(widths.astype(np.float64))
    start, weight = 0, 0.0

    def close(end: int) -> None:
        if end > start:
            total = max(float(weights[start:end].sum()), 0.0)
            density[start:end] = total * parts[start:end] / parts[start:end].sum()

    for cell in range(weights.size):
        alone = weights[cell] >= max(CLEAR * noise, 1.0)
        if alone:
            close(cell)
            start, weight = cell, 0.0
        weight += float(weights[cell])
        if alone or weight >= max(SURE * noise * math.sqrt(cell + 1 - start), 1.0):
            close(cell + 1)
            start, weight = cell + 1, 0.0
    close(weights.size)
    share = np.concatenate([[0.0], np.cumsum(density + 1e-9 * parts)])
    return np.asarray(share / share[-1])
