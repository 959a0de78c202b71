"""Nearest neighbours among rows of numbers and levels, exactly: numbers range-scaled, levels 0 or 1.

The distance is Gower's (1971) without its division by the number of columns: Σ |x − y| over numbers scaled to the real
range (at most 1 each) plus the number of levels that differ. A missing value differs from every present one by 1, from
another missing one by 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Nearest", "Points", "distances", "nearest"]

_WIDEST_ONE_HOT = 64  # a column with more levels is compared directly
_FAR = np.float32(4.0)  # where missing numbers are put, further than 1 from all others
_BLOCK_CELLS = 1 << 20  # distances held at a time


@dataclass(frozen=True)
class Points:
    """Rows as points.

    Args:
        numbers: float32, scaled so that the real range is [0, 1], NaN where missing, shape (rows, numbers).
        codes: levels from 0 (missing is a level), shape (rows, levels).
    """

    numbers: NDArray[np.float32]
    codes: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.numbers)

    def rows(self, index: NDArray[np.intp] | slice) -> Points:
        """A selection of rows."""
        return Points(self.numbers[index], self.codes[index])


@dataclass(frozen=True)
class Nearest:
    """The nearest reference of each query.

    Args:
        first: its distance, shape (queries,).
        second: the distance of the next one, shape (queries,); infinite when there is only one reference.
        index: which reference it is, shape (queries,).
    """

    first: NDArray[np.float32]
    second: NDArray[np.float32]
    index: NDArray[np.intp]


def nearest(
    queries: Points, references: Points, sizes: tuple[int, ...], tick: Callable[[], None] | None = None
) -> Nearest:
    """The nearest and the second-nearest reference of each query, by comparing all pairs in blocks.

    Args:
        queries: points to search from.
        references: points to search among, at least one.
        sizes: codes per level column.
        tick: called after every block.

    >>> a = Points(np.array([[0.0]], np.float32), np.array([[1]], np.int32))
    >>> b = Points(np.array([[0.5], [0.0]], np.float32), np.array([[1], [0]], np.int32))
    >>> found = nearest(a, b, (2,))
    >>> found.first.tolist(), found.second.tolist(), found.index.tolist()
    ([0.5], [1.0], [0])
    """
    total, count = len(queries), len(references)
    first = np.empty(total, dtype=np.float32)
    second = np.full(total, np.inf, dtype=np.float32)
    index = np.empty(total, dtype=np.intp)
    for start, distance in distances(queries, references, sizes):
        rows = len(distance)
        at = np.arange(rows)
        best = distance.argmin(axis=1)
        index[start : start + rows] = best
        first[start : start + rows] = distance[at, best]
        if count > 1:
            distance[at, best] = np.inf
            second[start : start + rows] = distance.min(axis=1)
        if tick is not None:
            tick()
    return Nearest(first, second, index)


def distances(queries: Points, references: Points, sizes: tuple[int, ...]) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """All distances, a block of queries at a time.

    Args:
        queries: points to search from.
        references: points to search among, at least one.
        sizes: codes per level column.

    Yields:
        Which query the block starts with, and its distances, shape (queries of the block, references); the caller may change
        them, and must be done with them before the next block.
    """
    hot = [j for j, size in enumerate(sizes) if size <= _WIDEST_ONE_HOT]
    wide = [j for j, size in enumerate(sizes) if size > _WIDEST_ONE_HOT]
    one_hot = _one_hot(references.codes, hot, sizes).T
    columns = [np.ascontiguousarray(references.numbers[:, j]) for j in range(references.numbers.shape[1])]
    cut = [
        bool(np.isnan(r).any() or np.isnan(q).any() or max(_top(r), _top(q)) > 1 or min(_low(r), _low(q)) < 0)
        for r, q in zip(columns, queries.numbers.T, strict=True)
    ]
    columns = [np.where(np.isnan(column), _FAR, column) for column in columns]
    codes = [np.ascontiguousarray(references.codes[:, j]) for j in wide]

    total, count = len(queries), len(references)
    block = max(1, min(total, _BLOCK_CELLS // max(count, 1)))
    buffer = np.empty((block, count), dtype=np.float32)
    for start in range(0, total, block):
        part = queries.rows(slice(start, start + block))
        here = buffer[: len(part)]
        distance = np.float32(len(hot)) - _one_hot(part.codes, hot, sizes) @ one_hot
        for j, column in enumerate(columns):
            mine = np.where(np.isnan(part.numbers[:, j]), _FAR, part.numbers[:, j])
            np.subtract(mine[:, None], column[None, :], out=here)
            np.abs(here, out=here)
            if cut[j]:
                np.minimum(here, np.float32(1.0), out=here)
            distance += here
        for j, code in zip(wide, codes, strict=True):
            distance += part.codes[:, j][:, None] != code[None, :]
        yield start, distance


def _one_hot(codes: NDArray[np.int32], columns: list[int], sizes: tuple[int, ...]) -> NDArray[np.float32]:
    """Zeros and ones, shape (rows, sum of the sizes of these columns)."""
    hot = np.zeros((len(codes), sum(sizes[j] for j in columns)), dtype=np.float32)
    at, start = np.arange(len(codes)), 0
    for j in columns:
        hot[at, start + codes[:, j]] = 1.0
        start += sizes[j]
    return hot


def _top(values: NDArray[np.float32]) -> float:
    return float(np.max(values, initial=-np.inf, where=~np.isnan(values)))


def _low(values: NDArray[np.float32]) -> float:
    return float(np.min(values, initial=np.inf, where=~np.isnan(values)))
