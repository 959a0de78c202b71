"""The kernel distance of two samples (KID: Bińkowski et al. 2018, arXiv 1801.01401).

The squared maximum mean discrepancy under the kernel (x·y / width + 1)³: how far apart means, covariances and third moments
are. The estimate is free of bias (Gretton et al. 2012), so that for two samples drawn alike it is 0 on average, now and then
below; its variance is that of a U-statistic of second order, both terms (Hoeffding 1948; Sutherland et al. 2017, arXiv
1611.04488), so that the interval holds where both are drawn alike, too.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from masquerade.metrics.intervals import Z95

__all__ = ["kernel_distance"]

_BLOCK_CELLS = 1 << 22


def kernel_distance(first: NDArray[np.floating], second: NDArray[np.floating]) -> tuple[float, tuple[float, float]]:
    """The distance of two samples of the same size, and its 95 % interval.

    Args:
        first: points, shape (n, width), at least two.
        second: likewise, in any order.

    Raises:
        ValueError: samples of different sizes.

    >>> random = np.random.default_rng(0)
    >>> value, (low, high) = kernel_distance(random.normal(size=(200, 3)), random.normal(size=(200, 3)))
    >>> low < 0 < high
    True
    """
    if first.shape != second.shape:
        raise ValueError(f"samples: got shapes {first.shape} and {second.shape}, expected as many points of one width.")
    count, width = first.shape
    x, y = np.asarray(first, np.float32), np.asarray(second, np.float32)
    sums = np.empty(count)  # of each row of h((x, y), (x', y')) = k(x, x') + k(y, y') − k(x, y') − k(x', y), less i = j
    squares = 0.0
    block = max(1, _BLOCK_CELLS // count)
    for start in range(0, count, block):
        rows = slice(start, min(start + block, count))
        h = _kernel(x[rows], x, width)
        h += _kernel(y[rows], y, width)
        h -= _kernel(x[rows], y, width)
        h -= _kernel(y[rows], x, width)
        h[np.arange(len(h)), np.arange(rows.start, rows.stop)] = 0.0
        sums[rows] = h.sum(axis=1, dtype=np.float64)
        squares += float(np.einsum("ij,ij->", h, h, dtype=np.float64))
    pairs = count * (count - 1)
    value = float(sums.sum()) / pairs
    whole = max(squares / pairs - value**2, 0.0)
    single = max(float((sums / (count - 1)).var()) - whole / count, 0.0)
    half = Z95 * math.sqrt((4 * (count - 2) * single + 2 * whole) / pairs)
    return value, (value - half, value + half)


def _kernel(rows: NDArray[np.float32], columns: NDArray[np.float32], width: int) -> NDArray[np.float32]:
    near = rows @ columns.T
    near /= np.float32(width)
    near += np.float32(1.0)
    cubed: NDArray[np.float32] = near * near
    cubed *= near
    return cubed
