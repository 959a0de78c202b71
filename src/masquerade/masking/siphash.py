"""SipHash-2-4 of whole arrays: a keyed function whose values nobody without the key can tell from random ones.

Reference: Aumasson and Bernstein, "SipHash: a fast short-input PRF", INDOCRYPT 2012.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["siphash"]

Words = NDArray[np.uint64]


def _rotated(x: Words, bits: int) -> Words:
    return (x << np.uint64(bits)) | (x >> np.uint64(64 - bits))


def _round(v: list[Words]) -> None:
    v[0] = v[0] + v[1]
    v[2] = v[2] + v[3]
    v[1] = _rotated(v[1], 13) ^ v[0]
    v[3] = _rotated(v[3], 16) ^ v[2]
    v[0] = _rotated(v[0], 32)
    v[2] = v[2] + v[1]
    v[0] = v[0] + v[3]
    v[1] = _rotated(v[1], 17) ^ v[2]
    v[3] = _rotated(v[3], 21) ^ v[0]
    v[2] = _rotated(v[2], 32)


def siphash(key: bytes, words: Sequence[Words]) -> Words:
    """The hash of each row of 64-bit words.

    Args:
        key: 16 bytes.
        words: the message: one array of shape (rows,) for each word, taken as little-endian bytes.

    Returns:
        uint64, shape (rows,).

    >>> [hex(x) for x in siphash(bytes(range(16)), [np.array([0x0706050403020100], np.uint64)])]
    ['0x93f5f5799a932462']
    """
    first, second = np.frombuffer(key[:16], "<u8").astype(np.uint64)
    shape = words[0].shape
    constants = (0x736F6D6570736575, 0x646F72616E646F6D, 0x6C7967656E657261, 0x7465646279746573)
    v = [np.full(shape, np.uint64(c) ^ (first, second)[i % 2], np.uint64) for i, c in enumerate(constants)]
    length = np.uint64((8 * len(words) & 0xFF) << 56)
    for word in (*words, np.full(shape, length, np.uint64)):
        v[3] = v[3] ^ word
        _round(v)
        _round(v)
        v[0] = v[0] ^ word
    v[2] = v[2] ^ np.uint64(0xFF)
    for _ in range(4):
        _round(v)
    return v[0] ^ v[1] ^ v[2] ^ v[3]
