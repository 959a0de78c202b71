"""Euclidean distances between many points, a block at a time, and the nearest of them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

__all__ = ["nearest_point", "squared_distances"]

_BLOCK_CELLS = 1 << 22


def squared_distances(
    queries: NDArray[np.float32], references: NDArray[np.float32]
) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """All squared distances, to single precision of the points' own lengths.

    Args:
        queries: shape (n, width).
        references: shape (m, width), at least one.

    Yields:
        Which query the block starts with, and its distances, shape (queries of the block, m); the caller may change them.
    """
    lengths = np.einsum("ij,ij->i", references, references)
    block = max(1, _BLOCK_CELLS // len(references))
    for start in range(0, len(queries), block):
        part = queries[start : start + block]
        apart = part @ references.T
        apart *= np.float32(-2.0)
        apart += lengths
        apart += np.einsum("ij,ij->i", part, part)[:, None]
        yield start, np.maximum(apart, np.float32(0.0), out=apart)


def nearest_point(
    queries: NDArray[np.float32], references: NDArray[np.float32]
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """The squared distance of each query to its nearest reference, exactly, and which that is.

    >>> apart, index = nearest_point(np.array([[0.0, 0.0]], np.float32), np.array([[3.0, 4.0], [9.0, 9.0]], np.float32))
    >>> apart.tolist(), index.tolist()
    ([25.0], [0])
    """
    apart, index = np.empty(len(queries)), np.empty(len(queries), np.intp)
    for start, found in squared_distances(queries, references):
        stop = start + len(found)
        index[start:stop] = found.argmin(axis=1)
        steps = queries[start:stop].astype(np.float64) - references[index[start:stop]]
        apart[start:stop] = np.einsum("ij,ij->i", steps, steps)
    return apart, index
