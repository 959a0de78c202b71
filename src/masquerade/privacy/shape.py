"""Shapes of text: which places hold which class of character. Classes are marked by private-use code points.

A *skeleton* is a text's letters and digits alone; two equal texts have equal skeletons, which is what keeps fresh
values apart from real ones (see `masquerade.privacy.free`).
"""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

__all__ = [
    "ALPHABETS",
    "CAPITAL",
    "DIGIT",
    "HEX",
    "NONZERO",
    "SKELETON",
    "SMALL",
    "coarse_shapes_of",
    "points",
    "random_characters",
    "shapes_of",
    "skeletons_of",
    "texts",
]

CAPITAL, SMALL, DIGIT, NONZERO, HAN, CYRILLIC_CAPITAL, CYRILLIC_SMALL, HEX, SMALL_MIX, CAPITAL_MIX, MIX = (
    chr(0xE000 + i) for i in range(11)
)
SKELETON = 24
"""So many letters and digits of a text are compared."""


def _alphabet(first: int, last: int) -> NDArray[np.uint32]:
    return np.arange(first, last + 1, dtype=np.uint32)


def _letters(characters: str) -> NDArray[np.uint32]:
    return np.array([ord(character) for character in characters], dtype=np.uint32)


ALPHABETS: dict[int, NDArray[np.uint32]] = {
    ord(CAPITAL): _alphabet(ord("A"), ord("Z")),
    ord(SMALL): _alphabet(ord("a"), ord("z")),
    ord(DIGIT): _alphabet(ord("0"), ord("9")),
    ord(NONZERO): _alphabet(ord("1"), ord("9")),
    ord(HAN): _alphabet(0x4E00, 0x9FA5),
    ord(CYRILLIC_CAPITAL): _alphabet(0x0410, 0x042F),
    ord(CYRILLIC_SMALL): _alphabet(0x0430, 0x044F),
    ord(HEX): _letters("0123456789abcdef"),
    ord(SMALL_MIX): _letters("0123456789abcdefghijklmnopqrstuvwxyz"),
    ord(CAPITAL_MIX): _letters("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
    ord(MIX): _letters("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"),
}
"""The characters of each class, by the class's code point."""

_CLASSES = (
    (r"[\x{E000}-\x{E00F}]", SMALL),
    (r"\p{Han}", HAN),
    (r"[\p{Cyrillic}&&\p{Lu}]", CYRILLIC_CAPITAL),
    (r"[\p{Cyrillic}&&\p{L}]", CYRILLIC_SMALL),
    (r"\p{Lu}", CAPITAL),
    (r"[\p{L}\p{M}]", SMALL),
    (r"\p{N}", DIGIT),
)


def shapes_of(values: pl.Series) -> pl.Series:
    """Each text with its letters and digits replaced by their class's mark."""
    for letters, mark in _CLASSES:
        values = values.str.replace_all(letters, mark)
    return values


def coarse_shapes_of(values: pl.Series) -> pl.Series:
    """Shapes that do not tell letters from digits: for codes whose places may hold either."""
    shapes = shapes_of(values)
    small, capital = shapes.str.contains(SMALL).any(), shapes.str.contains(CAPITAL).any()
    mark = MIX if small and capital else SMALL_MIX if small else CAPITAL_MIX
    if mark == SMALL_MIX and not values.str.contains("[g-z]").any():
        mark = HEX
    return shapes.str.replace_all(f"[{CAPITAL}{SMALL}{DIGIT}]", mark)


def skeletons_of(values: pl.Series) -> pl.Series:
    """The first letters and digits of each text, at most `SKELETON`."""
    return values.str.replace_all(r"[^\p{L}\p{M}\p{N}]", "").str.slice(0, SKELETON)


def points(values: list[str], width: int) -> NDArray[np.uint32]:
    """Texts as code points, shape (texts, width), padded by 0."""
    return np.array(values, dtype=f"<U{width}").view(np.uint32).reshape(len(values), width)


def texts(codes: NDArray[np.uint32]) -> pl.Series:
    """The reverse of `points`, for texts of one length."""
    rows, width = codes.shape
    if rows == 0 or width == 0:
        return pl.Series([""] * rows, dtype=pl.String)
    return pl.Series(np.ascontiguousarray(codes).view(f"<U{width}").ravel().tolist(), dtype=pl.String)


def random_characters(marks: NDArray[np.uint32], count: int, rng: np.random.Generator) -> NDArray[np.uint32]:
    """A shape's code points, `count` times, each class mark replaced by a random character: shape (count, length)."""
    filled = np.tile(marks, (count, 1))
    for mark in np.unique(marks).tolist():
        if mark in ALPHABETS:
            places = np.flatnonzero(marks == mark)
            filled[:, places] = ALPHABETS[mark][rng.integers(ALPHABETS[mark].size, size=(count, places.size))]
    return filled
