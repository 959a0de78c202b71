"""Beginnings that no real value has, so that what is made under them is new for certain.

Random beginnings of one length are drawn and compared with the sorted skeletons of the real values; those that none of
them begins with are kept. The length is the least at which many are free.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import polars as pl
from numpy.typing import NDArray

from masquerade.privacy.shape import ALPHABETS, SKELETON, random_characters, skeletons_of

__all__ = ["Skeletons", "Taken", "TakenBeginnings", "find_free", "volume"]

DRAWS = (1_024, 32_768)
KEPT = 1_024
FILTER_BITS = (20, 27)
"""A filter of beginnings has at least 1 MiB and at most 128 MiB."""


class Skeletons:
    """The sorted skeletons of the values that must never be made.

    Args:
        values: text; null is left out.
    """

    def __init__(self, values: pl.Series) -> None:
        ordered = skeletons_of(values.drop_nulls().unique()).unique().sort()
        self.count = ordered.len()
        self.words = np.array(ordered.to_list(), dtype=f"<U{SKELETON}")

    def shared(self, draws: NDArray[np.uint32]) -> NDArray[np.intp]:
        """How many first characters each draw (rows of code points) has in common with the skeleton nearest to it."""
        rows, width = draws.shape
        longest = np.zeros(rows, dtype=np.intp)
        if not self.count:
            return longest
        padded = np.zeros((rows, SKELETON), dtype=np.uint32)
        padded[:, :width] = draws
        places = np.searchsorted(self.words, padded.view(f"<U{SKELETON}").ravel())
        real = self.words.view(np.uint32).reshape(-1, SKELETON)
        for neighbour in (places - 1, places):
            same = real[np.clip(neighbour, 0, self.count - 1), :width] == draws
            longest = np.maximum(longest, np.cumprod(same, axis=1).sum(axis=1))
        return longest


class TakenBeginnings:
    """What `Skeletons` answers, of more values than memory holds: a Bloom filter (Bloom 1970) of their beginnings.

    A beginning that is taken is never called free. Some that are free are called taken, the more the fuller the filter is.

    Args:
        rows: about how many values will come.

    >>> taken = TakenBeginnings(100)
    >>> taken.add(pl.Series(["AB-1"]))
    >>> taken.shared(np.array([[65, 66], [65, 67]], np.uint32)).tolist()
    [2, 1]
    """

    def __init__(self, rows: int) -> None:
        bits = int(np.clip(math.ceil(math.log2(max(rows, 1) * 8)), *FILTER_BITS))
        self._slots = np.zeros(1 << bits, np.bool_)
        self._mask = np.uint64((1 << bits) - 1)

    def add(self, values: pl.Series) -> None:
        """Take further text values in; null is left out."""
        words = skeletons_of(values.drop_nulls().unique()).unique()
        code_points = np.array(words.to_list(), dtype=f"<U{SKELETON}").view(np.uint32).reshape(words.len(), SKELETON)
        for places, there in self._places(code_points):
            self._slots[places[there]] = True

    def shared(self, draws: NDArray[np.uint32]) -> NDArray[np.intp]:
        """See `Skeletons.shared`: at least as many."""
        longest, alive = np.zeros(len(draws), np.intp), np.ones(len(draws), np.bool_)
        for places, there in self._places(draws):
            alive &= self._slots[places] & there
            longest += alive
        return longest

    def _places(self, code_points: NDArray[np.uint32]) -> Iterator[tuple[NDArray[np.uint64], NDArray[np.bool_]]]:
        """Of each length from 1 on: the slot of every beginning, and whether the text is that long."""
        state = np.full(len(code_points), 0xCBF29CE484222325, np.uint64)
        for column in code_points.T:
            with np.errstate(over="ignore"):
                state = (state ^ column) * np.uint64(0x9E3779B97F4A7C15)
                state ^= state >> np.uint64(29)
                mixed = state * np.uint64(0xBF58476D1CE4E5B9)
            yield (mixed >> np.uint64(20)) & self._mask, column != 0


Taken = Skeletons | TakenBeginnings
"""The values that must never be made."""


def volume(marks: NDArray[np.uint32]) -> float:
    """How many texts a sequence of marks and fixed characters allows."""
    return math.prod(float(ALPHABETS[mark].size) for mark in marks.tolist() if mark in ALPHABETS)


def find_free(
    marks: NDArray[np.uint32], skeletons: Taken, rng: np.random.Generator, wanted: float
) -> NDArray[np.uint32] | None:
    """Beginnings of the skeleton `marks` that no real skeleton has.

    Args:
        marks: class marks and fixed characters of a shape's skeleton, shape (length,).
        skeletons: of the real values.
        rng: of the draws.
        wanted: how many different texts the beginnings should allow; fewer where there is no room.

    Returns:
        Code points, shape (beginnings, m) with 1 <= m <= length; None where there is no room at all.
    """
    head = marks[:SKELETON]
    if not head.size:
        return None
    best, best_capacity = None, 0.0
    for draws in DRAWS:
        if draws > DRAWS[0] and volume(head) < draws / 2:
            break
        drawn = random_characters(head, draws, rng)
        shared = skeletons.shared(drawn)
        shares = np.array([np.mean(shared < m) for m in range(1, head.size + 1)])
        lengths = [*(np.flatnonzero(shares >= 0.5) + 1), *(np.flatnonzero((shares > 0) & (shares < 0.5))[::-1] + 1)]
        for m in lengths[:3]:
            words = np.unique(np.ascontiguousarray(drawn[shared < m, :m]).view(f"<U{m}"))
            free = words.view(np.uint32).reshape(-1, m)
            if wanted <= 1e5 and len(free) > KEPT:
                free = free[np.sort(rng.choice(len(free), KEPT, replace=False))]
            capacity = len(free) * volume(marks[m:])
            if capacity > best_capacity:
                best, best_capacity = free, capacity
            if capacity >= wanted:
                return free
    return best
