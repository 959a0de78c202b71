"""Sums of vectors with Gaussian noise, in whole numbers from beginning to end.

Floating-point noise has gaps that tell data apart (Mironov 2012). Here each vector is of whole numbers, on a grid, and its
length is held against a bound in exact arithmetic; the sum is then of whole numbers too, and so is the noise: real Gaussian
noise, rounded. A whole number plus real noise, rounded, is that number plus the rounded noise, so what comes out is a
function of the Gaussian mechanism's result and nothing else, and is charged as that.
"""

from __future__ import annotations

import math
import os

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from masquerade.errors import SettingError

__all__ = ["GRID", "bounded_rows", "longest", "noised_sums"]

GRID = 2**20
"""Steps of the grid in a length of 1."""

_BITS = 53


def longest(width: int) -> int:
    """What the length of a vector of norm 1 and so many numbers may come to on the grid: what one of them can change a sum by.

    >>> longest(10_000) / GRID < 1.0002
    True
    """
    return math.ceil(GRID * (1 + 1e-4) + math.sqrt(width) / 2)


def bounded_rows(whole: NDArray[np.int64]) -> NDArray[np.int64]:
    """Vectors of norm 1 on the grid, shape (n, width); one that is longer than `longest` becomes zeros."""
    limit = longest(whole.shape[1])
    beyond = (whole.max(axis=1, initial=0) > limit) | (whole.min(axis=1, initial=0) < -limit)
    safe = np.where(beyond[:, None], 0, whole)  # whose squares cannot overflow
    return np.where((np.square(safe).sum(axis=1) > limit**2)[:, None], 0, safe)


def noised_sums(sums: NDArray[np.int64], scale: float) -> NDArray[np.int64]:
    """Whole numbers with independent rounded Gaussian noise of this standard deviation, from the operating system's randomness.

    Args:
        sums: of any shape.
        scale: noise multiplier times `longest`.

    Raises:
        SettingError: the scale is not a finite number above 0.

    >>> noised_sums(np.zeros(3, np.int64), 1e6).dtype
    dtype('int64')
    """
    if not math.isfinite(scale) or scale <= 0:
        raise SettingError(f"scale: got {scale!r}, expected a finite number above 0.")
    words = np.frombuffer(os.urandom(8 * sums.size), np.uint64)
    # One bit is the sign and 53 are how far out; what lies beyond 8.2 standard deviations has a chance of 1e-16.
    below = ((words >> np.uint64(64 - _BITS)).astype(np.float64) + 0.5) * 2.0 ** -(_BITS + 1)
    sign = np.where(words & np.uint64(1), 1.0, -1.0)
    return sums + np.rint(sign * ndtri(below) * scale).astype(np.int64).reshape(sums.shape)
