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
    "DIGIT",
    "SKELETON",
    "SMALL",
    "classes_in",
    "points",
    "random_characters",
    "shapes_of",
    "skeletons_of",
    "texts",
]

CAPITAL, SMALL, DIGIT, NONZERO, HAN, CYRILLIC_CAPITAL, CYRILLIC_SMALL = (chr(0xE000 + i) for i in range(7))
SKELETON = 16
"""So many letters and digits of a text are compared."""


def _alphabet(first: int, last: int) -> NDArray[np.uint32]:
    return np.arange(first, last + 1, dtype=np.uint32)


ALPHABETS: dict[int, NDArray[np.uint32]] = {
    ord(CAPITAL): _alphabet(ord("A"), ord("Z")),
    ord(SMALL): _alphabet(ord("a"), ord("z")),
    ord(DIGIT): _alphabet(ord("0"), ord("9")),
    ord(NONZERO): _alphabet(ord("1"), ord("9")),
    ord(HAN): _alphabet(0x4E00, 0x9FA5),
    ord(CYRILLIC_CAPITAL): _alphabet(0x0410, 0x042F),
    ord(CYRILLIC_SMALL): _alphabet(0x0430, 0x044F),
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


def classes_in(shape: str) -> list[str]:
    """The marks in a shape, in order."""
    return [mark for mark in shape if ord(mark) in ALPHABETS]


def random_characters(marks: NDArray[np.uint32], rng: np.random.Generator) -> NDArray[np.uint32]:
    """Each class mark in an array of code points replaced by a random character of its class; others are kept."""
    filled = marks.copy()
    for mark, alphabet in ALPHABETS.items():
        places = np.nonzero(marks == mark)
        filled[places] = alphabet[rng.integers(alphabet.size, size=places[0].size)]
    return filled
