"""One shape, made into fresh values under beginnings that no real value has."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from masquerade.privacy.free import Taken, find_free, volume
from masquerade.privacy.protect import protected_bounds
from masquerade.privacy.shape import (
    ALPHABETS,
    DIGIT,
    HEX,
    NONZERO,
    SKELETON,
    SMALL,
    points,
    random_characters,
    shapes_of,
    texts,
)

__all__ = ["Template", "loose_shape"]

SPACE = 1 << 31
_CHARACTERS = {mark: frozenset(alphabet.tolist()) for mark, alphabet in ALPHABETS.items()}


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
        cls, shape: str, values: pl.Series | None, skeletons: Taken, rng: np.random.Generator, room: float
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
        best: Self | None = None
        for least, candidate in zip((room, min(room, 300), room), _with_fixed(marks, skeleton, values), strict=False):
            free = find_free(candidate[skeleton], skeletons, rng, room)
            template = None if free is None else cls(shape, candidate, skeleton, free)
            if template is not None and (best is None or template.room() > best.room()):
                best = template
            if best is not None and best.room() >= least:
                return best
        while (best is None or best.room() < min(room, 10)) and skeleton.size < SKELETON:
            skeleton = np.append(skeleton, marks.size)
            marks = np.append(marks, np.uint32(_class_of(int(marks[skeleton[-2]]))))
            free = find_free(marks[skeleton], skeletons, rng, room)
            best = best if free is None else cls(shape, marks, skeleton, free)
        return best

    def room(self) -> float:
        """How many different values there are."""
        return len(self.free) * volume(self.marks[self.skeleton][self.free.shape[1] :])

    def generate(self, count: int, rng: np.random.Generator) -> pl.Series:
        """`count` values, some perhaps twice."""
        made = random_characters(self.marks, count, rng)
        made[:, self.skeleton[: self.free.shape[1]]] = self.free[rng.integers(len(self.free), size=count)]
        return texts(made)

    def meets(self, other: Template) -> bool:
        """Whether both could make the same value."""
        if self.marks.size != other.marks.size:
            return False
        return all(
            not _CHARACTERS.get(mine, {mine}).isdisjoint(_CHARACTERS.get(theirs, {theirs}))
            for mine, theirs in zip(self.marks.tolist(), other.marks.tolist(), strict=True)
        )

    def numbered(
        self, numbers: NDArray[np.int64], rng: np.random.Generator, slope: int, shift: int, longer: Iterator[int]
    ) -> pl.Series:
        """The values with these numbers: different numbers, different values.

        Args:
            numbers: from 0, shape (count,).
            rng: for places that the numbers leave over.
            slope, shift: turn the numbers about, so that they do not rise; the same in calls that continue.
            longer: lengths of values, rising, to go on with where the numbers go beyond the room that the shape has.
        """
        made = pl.Series([""], dtype=pl.String).new_from_index(0, numbers.size)
        marks, skeleton, done, last = self.marks, self.skeleton, 0, int(numbers.max(initial=-1))
        tail = _class_of(int(marks[skeleton[-1]]))
        while done <= last:
            room = int(min(len(self.free) * volume(marks[skeleton][self.free.shape[1] :]), SPACE))
            places = np.flatnonzero((numbers >= done) & (numbers < done + room))
            if places.size:
                step = next(s for s in range(slope % room + 1, slope % room + 1 + room) if math.gcd(s, room) == 1)
                turned = (numbers[places] - done) * (step % room) + shift % room
                made = made.scatter(places, self._spell(turned % room, marks, skeleton, rng))
            done += room
            more = next(longer) - marks.size if done <= last else 0
            skeleton = np.append(skeleton, np.arange(marks.size, marks.size + more))
            marks = np.append(marks, np.full(more, tail, dtype=np.uint32))
        return made

    def _spell(
        self,
        numbers: NDArray[np.int64],
        marks: NDArray[np.uint32],
        skeleton: NDArray[np.intp],
        rng: np.random.Generator,
    ) -> pl.Series:
        """Write numbers in mixed radix: the beginning first, then the last places; what is left over is random."""
        made = random_characters(marks, numbers.size, rng)
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


def _with_fixed(
    marks: NDArray[np.uint32], skeleton: NDArray[np.intp], values: pl.Series | None
) -> Iterator[NDArray[np.uint32]]:
    """The marks with what all values have in common kept: letters and digits, then letters only, then nothing."""
    if values is not None:
        real = points(values.to_list(), marks.size)
        fixed = (real == real[0]).all(axis=0)
        digit = np.isin(marks, [ord(DIGIT), ord(HEX)])
        first = skeleton[0]
        loose = marks.copy()
        if marks[first] == ord(DIGIT) and not (real[:, first] == ord("0")).any():
            loose[first] = ord(NONZERO)
        if not fixed[skeleton].all():
            yield np.where(fixed, real[0], loose)
            yield np.where(fixed & ~digit, real[0], loose)
        yield loose
    else:
        yield marks


def _class_of(mark: int) -> int:
    """The class of a mark or fixed character."""
    if mark in ALPHABETS:
        return ord(DIGIT) if mark == ord(NONZERO) else mark
    return ord(DIGIT) if chr(mark).isdigit() else ord(SMALL)


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
