"""A uniform sample of a stream's rows: those with the smallest random numbers.

A row's number comes from its place in the file alone, so samples of parts of a file merge into the sample of the whole.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

__all__ = ["RowSample", "row_numbers"]

_PLACE, _RANK = "\0place", "\0rank"


def row_numbers(first: int, count: int, seed: int) -> NDArray[np.uint64]:
    """A random number for each row from `first` on (SplitMix64; Steele, Lea and Flood 2014), uint64, shape (count,).

    >>> bool((row_numbers(0, 10, 1)[5:] == row_numbers(5, 5, 1)).all())
    True
    """
    with np.errstate(over="ignore"):
        state = np.arange(first + 1, first + count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        state ^= np.uint64(seed) * np.uint64(0xD1B54A32D192ED03)
        for _ in range(2):
            state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            state ^= state >> np.uint64(31)
    return state


class RowSample:
    """At most `most` rows of all that are added: those of the smallest ranks.

    >>> sample = RowSample(2)
    >>> sample.add(pl.DataFrame({"a": [1, 2, 3]}), np.array([5, 9, 1], np.uint64), 0)
    >>> sample.rows()["a"].to_list()
    [1, 3]
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self._parts: list[pl.DataFrame] = []
        self._kept = 0
        self._limit = np.uint64(2**64 - 1)

    def add(self, frame: pl.DataFrame, ranks: NDArray[np.uint64], first: int) -> None:
        """Add rows with their ranks; the first is row `first` of the file."""
        chosen = np.flatnonzero(ranks <= self._limit)
        if not chosen.size or not self.most:
            return
        places = pl.Series(_PLACE, chosen + first, dtype=pl.Int64)
        part = frame[chosen].with_columns(places, pl.Series(_RANK, ranks[chosen]))
        self._parts.append(part.rechunk())
        self._kept += chosen.size
        if self._kept > 1.5 * self.most + 10_000:
            self._cut()

    def _cut(self) -> None:
        whole = pl.concat(self._parts)
        self._parts = []
        if whole.height > self.most:
            ranks = whole[_RANK].to_numpy()
            self._limit = np.partition(ranks, self.most - 1)[self.most - 1]
            whole = whole.filter(pl.Series(ranks <= self._limit))
        self._parts, self._kept = [whole.rechunk()], whole.height

    def rows(self) -> pl.DataFrame | None:
        """The sample in the file's order; None where nothing was added."""
        if not self._parts:
            return None
        self._cut()
        return self._parts[0].sort(_PLACE).drop(_PLACE, _RANK)
