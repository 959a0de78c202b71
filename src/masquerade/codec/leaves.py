"""A distribution cut into leaves: heavy single values, bins between them, and the curve on which values lie inside a bin.

No number that is kept is one person's: a single value is shared by at least `least` units; what parts two bins, where the
outermost begin and end, and every knot of a curve is a mean over at least so many; and each bin holds at least so many.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from masquerade.codec.crowd import Crowd

__all__ = ["Leaves"]

MOST_LEAVES = 960
"""Two digits of 32 places spell them all, and missing."""

MOST_KNOTS = 8_192


@dataclass(frozen=True)
class Leaves:
    """What `QuantileCodec` keeps of a distribution.

    Args:
        atoms: float64, shape (leaves,): the value of a leaf that is one value, NaN where the leaf is a bin.
        edges: float64, rising, shape (bins - 1,): what parts one bin from the next; a bin begins with its edge.
        knots: float64, shape (knots, 2): the inverse distribution: place in [0, leaves], not falling, and value.
    """

    atoms: NDArray[np.float64]
    edges: NDArray[np.float64]
    knots: NDArray[np.float64]

    @classmethod
    def single(cls, values: NDArray[np.float64]) -> Leaves:
        """A leaf for each of some rising values, and no bin."""
        return cls(values, np.empty(0), np.column_stack([np.arange(values.size) + 0.5, values]))

    @classmethod
    def grow(cls, crowd: Crowd, shared: NDArray[np.bool_], low: float, high: float, least: int) -> Leaves:
        """At most `MOST_LEAVES` leaves, of about equal weight unless a single value is heavier.

        Args:
            crowd: the numbers.
            shared: which of its values may be shown, shape (values,).
            low, high: protected bounds; what lies beyond counts as if on them.
            least: units behind everything that is kept.
        """
        mass = max(crowd.total[-1] / MOST_LEAVES, least)
        while True:
            heavy = shared & (crowd.rows >= mass)
            singles, light = crowd.values[heavy], crowd.keep(~heavy).clip(low, high)
            starts = _starts(light, mass, least, singles)
            if len(starts) + singles.size <= MOST_LEAVES:
                break
            mass *= 1.25
        if not len(starts):
            # Too few units for a bin: their values count as the nearest single ones.
            return (
                cls.single(singles)
                if singles.size
                else cls(np.full(1, np.nan), singles, np.array([[0, low], [1, high]]))
            )
        edges, bounds = _edges(light, starts, least)
        floor = max([low, *singles[singles < light.values[0]]])
        ceiling = min([high, *singles[singles > light.values[-1]]])
        walls = np.concatenate([[_first_wall(light, floor, least)], edges, [_last_wall(light, ceiling, least)]])
        bins = len(edges) + 1
        # A heavy value goes before the bin whose first value is above it.
        order = np.argsort(np.concatenate([light.values[bounds[:-1]], singles]), kind="stable")
        share, knots = max(least, int(crowd.total[-1]) // MOST_KNOTS), []
        for leaf, which in enumerate(order):
            if which < bins:
                knots.append(_curve(light, bounds[which], bounds[which + 1], least, share, *walls[which : which + 2]))
            else:
                knots.append(np.column_stack([[0.0, 1.0], np.repeat(singles[which - bins], 2)]))
            knots[-1][:, 0] += leaf
        return cls(np.concatenate([np.full(bins, np.nan), singles])[order], edges, np.concatenate(knots))


def _starts(light: Crowd, mass: float, least: int, singles: NDArray[np.float64]) -> list[int]:
    """Where bins begin: each has `mass` rows and `least` units, or half of the mass where a heavy value follows."""
    if not len(light) or light.units(0, len(light)) < least:
        return []
    between = np.searchsorted(singles, light.values)
    parted = np.flatnonzero(between[1:] != between[:-1]) + 1
    starts = [0]
    while True:
        enough = light.reach(starts[-1], least)
        begun = light.total[starts[-1]]
        full = max(int(np.searchsorted(light.total, begun + mass)), enough)
        half = max(int(np.searchsorted(light.total, begun + mass / 2)), enough)
        place = int(np.searchsorted(parted, half))
        end = min(full, int(parted[place])) if place < parted.size else full
        if end >= len(light) or len(starts) > MOST_LEAVES:
            break
        starts.append(end)
    end = len(light)
    if len(starts) > 1 and (light.units(starts[-1], end) < least or light.mass(starts[-1], end) < mass / 2):
        starts.pop()
    return starts


def _edges(light: Crowd, starts: list[int], least: int) -> tuple[NDArray[np.float64], list[int]]:
    """Walls between the bins, means over the units around each start, and the bounds of the bins that they make.

    A wall need not lie just before its start, so bins are counted anew, and a wall that leaves one with too few units falls.
    """
    reach = (least + 1) // 2 if light.owner is None else least
    edges: list[float] = []
    bounds = [0]
    for start in starts[1:]:
        left, right = max(light.reach_back(start, reach), 0), min(light.reach(start, reach), len(light))
        edge = (light.mean(left, start) + light.mean(start, right)) / 2
        bound = int(np.searchsorted(light.values, edge))
        if bound > bounds[-1] and light.units(bounds[-1], bound) >= least:
            edges.append(edge)
            bounds.append(bound)
    while edges and light.units(bounds[-1], len(light)) < least:
        edges.pop()
        bounds.pop()
    return np.array(edges), [*bounds, len(light)]


def _first_wall(light: Crowd, floor: float, least: int) -> float:
    """Where the first bin begins: below the mean of the lowest units by half the way to the next ones', not below `floor`.

    Args:
        light: the values of the bins.
        floor: the nearest number below them that may be shown.
        least: units behind each mean.
    """
    if light.values[0] <= floor:
        return floor
    group = light.reach(0, least)
    after = light.reach(group, least) if group < len(light) else len(light) + 1
    mean = light.mean(0, group)
    return mean if after > len(light) else max(floor, mean - (light.mean(group, after) - mean) / 2)


def _last_wall(light: Crowd, ceiling: float, least: int) -> float:
    """Where the last bin ends; see `_first_wall`."""
    end = len(light)
    if light.values[-1] >= ceiling:
        return ceiling
    group = light.reach_back(end, least)
    before = light.reach_back(group, least) if group > 0 else -1
    mean = light.mean(group, end)
    return mean if before < 0 else min(ceiling, mean + (mean - light.mean(before, group)) / 2)


def _curve(
    light: Crowd, start: int, end: int, least: int, share: int, left: float, right: float
) -> NDArray[np.float64]:
    """The inverse distribution inside one bin: places in [0, 1] and values, shape (knots, 2).

    A value that `least` units share is a plateau; the others are pooled into groups of `share` rows and `least` units, and the
    curve runs straight from one group's mean to the next.
    """
    begun, mass = int(light.total[start]), light.mass(start, end)
    knots = [(0.0, left)]
    plateaus = start + np.flatnonzero(light.holders[start:end] >= least)
    place = start
    for stop in [*plateaus.tolist(), end]:
        while True:
            group = max(int(np.searchsorted(light.total, light.total[place] + share)), light.reach(place, least))
            if group > stop:
                break
            middle = (int(light.total[place]) + int(light.total[group])) / 2
            knots.append(((middle - begun) / mass, light.mean(place, group)))
            place = group
        if stop < end:
            value = float(light.values[stop])
            knots += [((int(light.total[i]) - begun) / mass, value) for i in (stop, stop + 1)]
            place = stop + 1
    knots.append((1.0, right))
    curve = np.array(knots)
    curve[:, 1] = np.maximum.accumulate(np.clip(curve[:, 1], left, right))
    return curve
