"""How far two sets of pictures lie apart: arithmetic on pixels and features."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["frechet_distance", "nearer_share", "nearest_pictures"]

_BLOCK = 1_000


def frechet_distance(first: NDArray[np.floating], second: NDArray[np.floating]) -> float:
    """The Fréchet distance of two sets of features, taken as normal (Heusel et al. 2017, arXiv 1706.08500, section 2).

    Args:
        first, second: shape (rows, features), at least 2 rows each.

    >>> points = np.random.default_rng(0).normal(size=(1_000, 3))
    >>> round(frechet_distance(points, points + [2.0, 0.0, 0.0]), 6)
    4.0
    """
    a, b = np.asarray(first, np.float64), np.asarray(second, np.float64)
    spread_a, spread_b = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    values, vectors = np.linalg.eigh(np.atleast_2d(spread_a))
    root = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
    mixed = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ np.atleast_2d(spread_b) @ root), 0.0)).sum()
    apart = np.square(a.mean(axis=0) - b.mean(axis=0)).sum()
    return max(float(apart + np.trace(np.atleast_2d(spread_a)) + np.trace(np.atleast_2d(spread_b)) - 2 * mixed), 0.0)


def nearest_pictures(
    queries: NDArray[np.uint8], references: NDArray[np.uint8]
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """The Euclidean distance of each picture to its nearest reference, in grey levels, and which one that is.

    Args:
        queries, references: uint8, shape (n, height, width, channels).
    """
    known = references.reshape(len(references), -1).astype(np.float32)
    lengths = np.square(known).sum(axis=1)
    distances = np.empty(len(queries), np.float32)
    places = np.empty(len(queries), np.int64)
    for start in range(0, len(queries), _BLOCK):
        part = queries[start : start + _BLOCK].reshape(-1, known.shape[1]).astype(np.float32)
        squares = lengths - 2 * (part @ known.T)
        place = squares.argmin(axis=1)
        places[start : start + len(part)] = place
        apart = part - known[place]
        distances[start : start + len(part)] = np.sqrt(np.square(apart).sum(axis=1))
    return distances, places


def nearer_share(released: NDArray[np.uint8], training: NDArray[np.uint8], holdout: NDArray[np.uint8]) -> float:
    """The share of released pictures that lie nearer to a training than to a holdout picture, ties counting half.

    Args:
        released, training, holdout: uint8 (n, height, width, channels); as many training as holdout pictures.

    >>> pictures = np.random.default_rng(0).integers(0, 255, (30, 4, 4, 1), dtype=np.uint8)
    >>> nearer_share(pictures[:10], pictures[:10], pictures[10:20])
    1.0
    """
    seen, unseen = nearest_pictures(released, training)[0], nearest_pictures(released, holdout)[0]
    return float((seen < unseen).mean() + 0.5 * (seen == unseen).mean())
