"""Codes turned into other codes of the same shape, one to one, under a key.

Letters stay letters, digits digits, everything else as it is: `AC-00417` may become `QX-93170`. Within a shape the map is a
permutation, so two different codes never become the same one, however many there are; who has the key can undo it.
Small sets are permuted by sorting keyed hashes. Larger ones by a Feistel network whose halves are added modulo their sizes, as
in FF1 (NIST SP 800-38G), with SipHash-2-4 as round function.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np
import polars as pl
from numpy.typing import NDArray

from masquerade.masking.siphash import Words, siphash

__all__ = ["CLASSES", "Classes", "of_class", "permuted", "permuted_numbers"]

ROUNDS = 10
SMALL = 1 << 17
"""Sets of at most so many codes are permuted by a table."""
MOST_IN_HALF = 1 << 48

_RANGES: dict[str, tuple[int, int]] = {
    "digit": (0x30, 0x39),
    "digit from 1": (0x31, 0x39),
    "digit from 2": (0x32, 0x39),
    "digit from 3": (0x33, 0x39),
    "digit below 2": (0x30, 0x31),
    "digit below 3": (0x30, 0x32),
    "a": (0x61, 0x7A),
    "A": (0x41, 0x5A),
    "Chinese": (0x4E00, 0x9FA5),
    "Latin-1": (0xE0, 0xF6),
    "more Latin-1": (0xF8, 0xFF),
    "Latin-1 capital": (0xC0, 0xD6),
    "more Latin-1 capital": (0xD8, 0xDE),
    "Greek": (0x3B1, 0x3C9),
    "Greek capital": (0x391, 0x3A1),
    "more Greek capital": (0x3A3, 0x3A9),
    "Cyrillic": (0x430, 0x44F),
    "Cyrillic capital": (0x410, 0x42F),
    "Hebrew": (0x5D0, 0x5EA),
    "Arabic": (0x627, 0x63A),
    "more Arabic": (0x641, 0x64A),
    "Devanagari": (0x915, 0x939),
    "Thai": (0xE01, 0xE2E),
    "Hiragana": (0x3041, 0x3096),
    "Katakana": (0x30A1, 0x30FA),
    "Hangul": (0xAC00, 0xD7A3),
    "wide digit": (0xFF10, 0xFF19),
    "wide a": (0xFF41, 0xFF5A),
    "wide A": (0xFF21, 0xFF3A),
}
CLASSES = {name: number for number, name in enumerate(_RANGES)}
"""Ranges of characters that take one another's place, and the number of each; -1 stays as it is, -2 is any other letter."""
_LOWS = np.array([low for low, _ in _RANGES.values()], np.int64)
_SIZES = np.array([high - low + 1 for low, high in _RANGES.values()], np.int64)
_PLAIN = [number for name, number in CLASSES.items() if not name.startswith("digit ")]

Letters = NDArray[np.int64]
Classes = Callable[[Letters], Letters]
"""From characters as code points, shape (values, length), to the number of the class of each."""


def of_class(letters: Letters) -> Letters:
    """The class of each character; a first digit that is 0 stays, another one becomes one that is not 0."""
    classes = np.full(letters.shape, -1, np.int64)
    for number in _PLAIN:
        low = _LOWS[number]
        classes[(letters >= low) & (letters < low + _SIZES[number])] = number
    strange = (classes == -1) & (letters > 127)
    if strange.any():
        odd = np.unique(letters[strange])
        kept = odd[[not chr(letter).isalnum() for letter in odd.tolist()]]
        classes[strange & ~np.isin(letters, kept)] = -2
    if letters.shape[1]:
        first = letters[:, 0]
        classes[first == ord("0"), 0] = -1
        classes[(first >= ord("1")) & (first <= ord("9")), 0] = CLASSES["digit from 1"]
    return classes


def permuted(values: pl.Series, key: bytes, classes: Classes = of_class) -> pl.Series:
    """Other texts of the same shapes.

    Args:
        values: String, none missing.
        key: 32 bytes, as from `Key.subkey`.
        classes: which characters take one another's place; a character must be of the class of its place.

    >>> made = permuted(pl.Series(["AC-1", "AC-2", "AC-1"]), b"0" * 32)
    >>> made[0] == made[2], made.n_unique(), made.str.contains("^[A-Z]{2}-[1-9]$").all()
    (True, 2, True)
    """
    lengths = values.str.len_chars().to_numpy()
    made = np.empty(values.len(), dtype=object)
    for length in np.unique(lengths):
        where = np.flatnonzero(lengths == length)
        if length == 0:
            made[where] = ""
            continue
        joined = "".join(values.gather(where).to_list()).encode("utf-32-le")
        letters = np.frombuffer(joined, "<u4").reshape(where.size, int(length)).astype(np.int64)
        _permute_letters(letters, classes(letters), key)
        whole = letters.astype("<u4").tobytes().decode("utf-32-le")
        made[where] = [whole[i : i + length] for i in range(0, len(whole), int(length))]
    return pl.Series(values.name, made.tolist(), dtype=pl.String)


def _permute_letters(letters: Letters, classes: Letters, key: bytes) -> None:
    """Replace the characters in place, shape by shape."""
    weights = np.array([pow(0x9E3779B97F4A7C15, i + 1, 1 << 64) for i in range(letters.shape[1])], np.uint64)
    shapes = ((classes + 3).astype(np.uint64) * weights).sum(axis=1, dtype=np.uint64)
    for shape in np.unique(shapes):
        rows = np.flatnonzero(shapes == shape)
        kinds = classes[rows[0]]
        tweak = np.full(rows.size, shape, np.uint64)
        loose = np.flatnonzero(kinds == -2)
        for place in loose:  # letters of scripts without a class of their own: one way only
            drawn = siphash(
                key[16:], [tweak, letters[rows, place].astype(np.uint64), np.full(rows.size, place, np.uint64)]
            )
            letters[rows, place] = ord("a") + (drawn % np.uint64(26)).astype(np.int64)
        blocks = _blocks(kinds)
        numbers = [(_rank(letters[rows], kinds, one), _rank(letters[rows], kinds, two)) for one, two in blocks]
        for i, block in enumerate(blocks):
            own = tweak
            for j, other in enumerate(numbers):
                if j != i:
                    own = siphash(key[16:], [own, *other])
            sizes = _size(kinds, block[0]), _size(kinds, block[1])
            numbers[i] = permuted_numbers(*numbers[i], *sizes, key=key, tweak=own if len(blocks) > 1 else int(shape))
        for block, found in zip(blocks, numbers, strict=True):
            for half, number in zip(block, found, strict=True):
                _unrank(letters, rows, kinds, half, number)


def _blocks(kinds: Letters) -> list[tuple[list[int], list[int]]]:
    """The places to permute, in blocks of two halves that are each small enough for one word."""
    places = np.flatnonzero(kinds >= 0).tolist()
    blocks, start = [], 0
    while start < len(places):
        stop, size = start, 1
        while stop < len(places) and size * int(_SIZES[kinds[places[stop]]]) <= MOST_IN_HALF**2 // 2**20:
            size *= int(_SIZES[kinds[places[stop]]])
            stop += 1
        middle, left = start, 1
        while middle < stop and left * int(_SIZES[kinds[places[middle]]]) <= max(size**0.5, 1.0):
            left *= int(_SIZES[kinds[places[middle]]])
            middle += 1
        blocks.append((places[start:middle], places[middle:stop]))
        start = stop
    return blocks


def _size(kinds: Letters, places: list[int]) -> int:
    return int(np.prod([int(_SIZES[kinds[place]]) for place in places], dtype=object)) if places else 1


def _rank(letters: Letters, kinds: Letters, places: list[int]) -> Words:
    number = np.zeros(len(letters), np.uint64)
    for place in places:
        digit = (letters[:, place] - _LOWS[kinds[place]]).astype(np.uint64)
        number = number * np.uint64(_SIZES[kinds[place]]) + digit
    return number


def _unrank(letters: Letters, rows: NDArray[np.intp], kinds: Letters, places: list[int], number: Words) -> None:
    for place in reversed(places):
        number, digit = np.divmod(number, np.uint64(_SIZES[kinds[place]]))
        letters[rows, place] = digit.astype(np.int64) + _LOWS[kinds[place]]


def permuted_numbers(
    left: Words, right: Words, left_size: int, right_size: int, *, key: bytes, tweak: Words | int
) -> tuple[Words, Words]:
    """Pairs of numbers turned into other pairs below the same sizes, one to one for each tweak.

    Args:
        left: shape (rows,), below `left_size`.
        right: likewise, below `right_size`.
        left_size: how many there are.
        right_size: likewise.
        key: 32 bytes.
        tweak: what is tweaked differently is permuted differently: one number, or shape (rows,).
    """
    total = left_size * right_size
    if isinstance(tweak, int) and total <= SMALL:
        number = _table(key, total, tweak)[left * np.uint64(right_size) + right]
        return np.divmod(number, np.uint64(right_size))
    tweaks = np.full(left.shape, tweak, np.uint64) if isinstance(tweak, int) else tweak
    for turn in range(ROUNDS):
        word = np.full(left.shape, turn, np.uint64)
        if turn % 2 == 0:
            left = (left + siphash(key, [tweaks, word, right]) % np.uint64(left_size)) % np.uint64(left_size)
        else:
            right = (right + siphash(key, [tweaks, word, left]) % np.uint64(right_size)) % np.uint64(right_size)
    return left, right


@functools.lru_cache(maxsize=64)
def _table(key: bytes, size: int, tweak: int) -> Words:
    numbers = np.arange(size, dtype=np.uint64)
    order = np.argsort(siphash(key, [np.full(size, tweak, np.uint64), numbers]), kind="stable")
    return order.astype(np.uint64)
