"""One shape, made into fresh values under beginnings that no real value has."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from masquerade.privacy.free import Skeletons, find_free, volume
from masquerade.privacy.protect import protected_bounds
from masquerade.privacy.shape import ALPHABETS, DIGIT, NONZERO, SMALL, points, random_characters, shapes_of, texts

__all__ = ["Template", "loose_shape"]

LONGER = 6
SPACE = 1 << 31


@dataclass(frozen=True)
class Template:
    """A shape with its free beginnings.

    Args:
        shape: the shape that real values have, marks for letters and digits.
        marks: what is made, as code points: class marks and fixed characters, shape (length,); longer than `shape`
            where it is full.
        skeleton: places in `marks` that hold letters or digits, in order.
        free: code points of the beginnings, shape (beginnings, m).
    """

    shape: str
    marks: NDArray[np.uint32]
    skeleton: NDArray[np.intp]
    free: NDArray[np.uint32]

    @classmethod
    def learn(
        cls, shape: str, values: pl.Series | None, skeletons: Skeletons, rng: np.random.Generator, room: float
    ) -> Self | None:
        """A template of `shape`; None where it has no letter or digit.

        Args:
            shape: class marks, and other characters as they are.
            values: of that shape, shared by enough units: characters that all of them have are kept; None: none is.
            skeletons: of the values that must not be made.
            rng: of the draws.
            room: how many distinct values are wanted.
        """
        marks = points([shape], len(shape))[0].copy() if shape else np.empty(0, dtype=np.uint32)
        skeleton = np.flatnonzero(np.isin(marks, list(ALPHABETS)))
        if not skeleton.size:
            return None
        if values is not None:
            real = points(values.to_list(), len(shape))
            fixed = (real == real[0]).all(axis=0)
            first = skeleton[0]
            if marks[first] == ord(DIGIT) and not (real[:, first] == ord("0")).any():
                marks[first] = ord(NONZERO)
            if not fixed[skeleton].all():
                marks[fixed] = real[0, fixed]
        last = (
            ord(DIGIT)
            if marks[skeleton[-1]] in (ord(DIGIT), ord(NONZERO)) or chr(marks[skeleton[-1]]).isdigit()
            else marks[skeleton[-1]]
        )
        last = last if last in ALPHABETS else ord(SMALL)
        for _ in range(LONGER):
            free = find_free(marks[skeleton], skeletons, rng, room)
            if free is not None and len(free) * volume(marks[skeleton][free.shape[1] :]) >= min(room, 10):
                return cls(shape, marks, skeleton, free)
            marks = np.append(marks, np.uint32(last))
            skeleton = np.append(skeleton, marks.size - 1)
        return None

    def generate(self, count: int, rng: np.random.Generator) -> pl.Series:
        """`count` values, some perhaps twice."""
        made = random_characters(np.tile(self.marks, (count, 1)), rng)
        made[:, self.skeleton[: self.free.shape[1]]] = self.free[rng.integers(len(self.free), size=count)]
        return texts(made)

    def numbered(self, numbers: NDArray[np.int64], rng: np.random.Generator, slope: int, shift: int) -> pl.Series:
        """The values with these numbers: different numbers, different values (given the same slope and shift).

        Where the numbers go beyond the room that the shape has, values are longer by one or more characters.
        """
        made = (
            pl.Series([""], dtype=pl.String).new_from_index(0, numbers.size)
            if numbers.size
            else pl.Series([], dtype=pl.String)
        )
        marks, skeleton, done = self.marks, self.skeleton, 0
        tail = int(marks[skeleton[-1]]) if int(marks[skeleton[-1]]) in ALPHABETS else ord(DIGIT)
        while done <= (numbers.max() if numbers.size else -1):
            room = int(min(len(self.free) * volume(marks[skeleton][self.free.shape[1] :]), SPACE))
            places = np.flatnonzero((numbers >= done) & (numbers < done + room))
            if places.size:
                step = next(s for s in range(slope % room + 1, slope % room + 1 + room) if math.gcd(s, room) == 1)
                turned = (numbers[places] - done) * (step % room) + shift % room
                made = made.scatter(places, self._spell(turned % room, marks, skeleton, rng))
            done += room
            marks, skeleton = np.append(marks, np.uint32(tail)), np.append(skeleton, marks.size)
        return made

    def _spell(
        self,
        numbers: NDArray[np.int64],
        marks: NDArray[np.uint32],
        skeleton: NDArray[np.intp],
        rng: np.random.Generator,
    ) -> pl.Series:
        """Write numbers in mixed radix: the beginning first, then the last places; what is left over is random."""
        made = random_characters(np.tile(marks, (numbers.size, 1)), rng)
        width = self.free.shape[1]
        made[:, skeleton[:width]] = self.free[numbers % len(self.free)]
        rest, covered = numbers // len(self.free), len(self.free)
        for place in skeleton[width:][::-1]:
            if covered >= SPACE:
                break
            if (alphabet := ALPHABETS.get(int(marks[place]))) is not None:
                made[:, place] = alphabet[rest % alphabet.size]
                rest, covered = rest // alphabet.size, covered * alphabet.size
        return texts(made)

    def to_state(self) -> dict[str, Any]:
        """JSON data."""
        return {"shape": self.shape, "marks": "".join(map(chr, self.marks)), "free": texts(self.free).to_list()}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """The reverse of `to_state`."""
        marks = points([state["marks"]], len(state["marks"]))[0].copy()
        letters = [i for i, mark in enumerate(state["marks"]) if ord(mark) in ALPHABETS or mark.isalnum()]
        free = points(state["free"], len(state["free"][0]))
        return cls(state["shape"], marks, np.array(letters, dtype=np.intp), free)


def loose_shape(values: pl.Series, protect: int, units: pl.Series | None) -> list[tuple[str, float]]:
    """Shapes for values that have no shape of their own: their commonest class of character, in up to five usual
    lengths.

    Lengths are quantiles within the protected bounds, so none belongs to fewer than `protect` units; 8 where there are
    too few.
    """
    if values.is_empty():
        return [(SMALL * 8, 1.0)]
    marks = shapes_of(values.head(10_000)).str.join("").item()
    mark = max(ALPHABETS, key=lambda m: marks.count(chr(m)))
    lengths = values.str.len_chars().cast(pl.Float64).to_numpy()
    owners = None if units is None else units.to_numpy()
    count = values.len() if units is None else units.n_unique()
    if count < max(2 * protect, 2):
        return [(chr(mark) * 8, 1.0)]
    low, high = protected_bounds(lengths, protect, owners)
    knots = np.quantile(np.clip(lengths, low, high), [0.1, 0.3, 0.5, 0.7, 0.9]).round().astype(int)
    sizes, rows = np.unique(np.clip(knots, 1, 64), return_counts=True)
    return [(chr(mark) * int(size), float(share)) for size, share in zip(sizes, rows / rows.sum(), strict=True)]
