"""Fresh values that look like real ones: letters for letters, digits for digits, everything else kept.

What is learned is protected. A *shape* (which places hold capitals, small letters, digits, Han or Cyrillic letters,
and what stands between) is kept only if enough units share it; a letter or digit only where all values of such a shape
have the same one; a word of free text only if enough units have it. The other values are pooled: their lengths as
quantiles, their classes of characters as shares.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from masquerade.privacy.free import Skeletons, Taken
from masquerade.privacy.prose import Prose, is_prose
from masquerade.privacy.protect import protected_levels
from masquerade.privacy.shape import coarse_shapes_of, shapes_of
from masquerade.privacy.template import Template, loose_shape

__all__ = ["Pattern"]

SHAPES = 50
LEARNED_ROWS = 100_000
PERIOD = 1_000


class _Made:
    """Templates as they are collected: no two of them can make the same value."""

    def __init__(self, skeletons: Taken, rng: np.random.Generator, room: float) -> None:
        self.skeletons, self.rng, self.room = skeletons, rng, room
        self.templates: list[Template] = []
        self.rows: list[float] = []

    def add(self, shape: str, values: pl.Series | None, rows: float) -> bool:
        """Add the template of a shape, or its rows to one that makes the like; False where it has no letter."""
        template = Template.learn(shape, values, self.skeletons, self.rng, self.room)
        if template is None:
            return False
        alike = next((i for i, other in enumerate(self.templates) if template.meets(other)), None)
        if alike is None:
            self.templates.append(template)
            self.rows.append(rows)
        else:
            self.rows[alike] += rows
        return True


@dataclass(frozen=True)
class Pattern:
    """How to make values like some real ones.

    Args:
        templates: one per kept shape, and one for what has no shape of its own.
        weights: share of each, float64 of shape (templates,).
        prose: how free text is made; None where there is none. Its share is what the weights leave to 1.

    Formal guarantees:
        No generated value equals a value of `forbidden` as given to `learn`, also after saving and loading: each one
        begins (counting letters and digits alone) with one of the stored beginnings, and no forbidden value begins
        with any of these. The beginnings are random draws, so they tell that nothing real begins so, and nothing else
        about single values.

    >>> real = pl.Series([f"AC-{i:05d}" for i in range(100)])
    >>> pattern = Pattern.learn(real, protect=10)
    >>> fresh = pattern.generate(3, np.random.default_rng(0))
    >>> fresh.str.contains(r"^AC-[0-9]{5}$").all(), fresh.is_in(real.to_list()).any()
    (True, False)
    """

    templates: tuple[Template, ...]
    weights: NDArray[np.float64]
    prose: Prose | None

    @classmethod
    def learn(
        cls,
        values: pl.Series,
        protect: int,
        units: pl.Series | None = None,
        *,
        forbidden: pl.Series | Taken | None = None,
        room: float = 1e3,
        seed: int = 0,
    ) -> Self:
        """Learn from text values.

        Args:
            values: String; null is left out.
            protect: how many units must share a shape, a fixed character or a word.
            units: unit of each value; None: each is its own.
            forbidden: what must never be made, or the beginnings of it; None: `values`.
            room: how many distinct values there should be room for, at least.
            seed: of the choice of rows and of beginnings.
        """
        rng = np.random.default_rng(seed)
        forbidden = values if forbidden is None else forbidden
        skeletons = Skeletons(forbidden) if isinstance(forbidden, pl.Series) else forbidden
        there = values.is_not_null()
        values, units = values.filter(there), None if units is None else units.filter(there)
        if values.len() > LEARNED_ROWS:
            chosen = np.sort(rng.choice(values.len(), LEARNED_ROWS, replace=False))
            values, units = values.gather(chosen), None if units is None else units.gather(chosen)
        made = _Made(skeletons, rng, room)
        left = np.ones(values.len(), dtype=bool)
        shapes, coarse = shapes_of(values), coarse_shapes_of(values)
        kept, coarsely_kept = (protected_levels(s, max(protect, 2), units).head(SHAPES) for s in (shapes, coarse))
        # Codes whose letters and digits come in any order have few exact shapes, and those are accidents.
        if not is_prose(values) and coarsely_kept["rows"].sum() > 2 * kept["rows"].sum():
            shapes, kept = coarse, coarsely_kept
        for shape, count in kept.iter_rows():
            mine = shapes == shape
            if made.add(shape, values.filter(mine), count):
                left &= ~mine.to_numpy()
        loose, owners = values.filter(left), None if units is None else units.filter(left)
        prose = None
        if loose.len() and is_prose(values):
            prose = Prose.learn(loose, protect, owners, skeletons, rng)
        elif loose.len() or not made.templates:
            for shape, share in loose_shape(loose, protect, owners):
                made.add(shape, None, max(1.0, share * loose.len()))
        total = sum(made.rows) + (loose.len() if prose is not None else 0)
        return cls(tuple(made.templates), np.array(made.rows, dtype=np.float64) / max(total, 1), prose)

    def generate(
        self,
        count: int,
        rng: np.random.Generator,
        *,
        distinct: bool = False,
        start: int = 0,
        forbidden: pl.Series | None = None,
    ) -> pl.Series:
        """Make values.

        Args:
            count: how many.
            rng: of every draw; with `distinct`, calls that continue one another need equal streams.
            distinct: no value twice, counting the `start` values made before from an equal stream; longer ones where
                there is no room.
            start: how many were made before (only with `distinct`).
            forbidden: further values that must not be made, beyond those of `learn`.
        """
        made = self._distinct(count, rng, start) if distinct else self._some(count, rng)
        if forbidden is not None:
            for _ in range(100):
                bad = np.flatnonzero(made.is_in(forbidden.to_list()).to_numpy())
                if not bad.size:
                    break
                start += count
                fresh = self._distinct(count, rng, start).gather(bad) if distinct else self._some(bad.size, rng)
                made = made.scatter(bad, fresh)
        return made

    def _some(self, count: int, rng: np.random.Generator) -> pl.Series:
        shares = np.append(self.weights, max(0.0, 1.0 - self.weights.sum()) if self.prose is not None else 0.0)
        which = rng.choice(shares.size, size=count, p=shares / shares.sum())
        made = pl.Series([""], dtype=pl.String).new_from_index(0, count) if count else pl.Series([], dtype=pl.String)
        for i in np.unique(which):
            places = np.flatnonzero(which == i)
            prose = self.prose if i == len(self.templates) else None
            fresh = self.templates[i].generate(places.size, rng) if prose is None else prose.generate(places.size, rng)
            made = made.scatter(places, fresh)
        return made

    def _distinct(self, count: int, rng: np.random.Generator, start: int) -> pl.Series:
        """Row i takes a template from a fixed table, and the next of that template's own numbers: so chunks never
        meet."""
        templates = self.templates
        weights = self.weights
        if self.prose is not None:
            templates, weights = (*templates, self.prose.opening), np.append(weights, max(0.0, 1 - weights.sum()))
        seats = np.searchsorted(np.cumsum(weights) / weights.sum(), (np.arange(PERIOD) + 0.5) / PERIOD)
        seats = rng.permutation(np.minimum(seats, len(templates) - 1))
        turns = rng.integers(1 << 31, size=(len(templates), 2))
        rank = np.zeros(PERIOD, dtype=np.int64)
        per_period = np.bincount(seats, minlength=len(templates))
        for i in range(len(templates)):
            rank[seats == i] = np.arange(per_period[i])
        longest = max(template.marks.size for template in templates)
        rows = np.arange(start, start + count, dtype=np.int64)
        which = seats[rows % PERIOD]
        numbers = rows // PERIOD * per_period[which] + rank[rows % PERIOD]
        made = pl.Series([""], dtype=pl.String).new_from_index(0, count) if count else pl.Series([], dtype=pl.String)
        for i in np.unique(which):
            places = np.flatnonzero(which == i)
            slope, shift = turns[i].tolist()
            # Lengths that no other template has, so that what is made longer meets nothing either.
            lengths = itertools.count(longest + 1 + int(i), len(templates))
            made = made.scatter(places, templates[i].numbered(numbers[places], rng, slope, shift, lengths))
        return made

    def to_state(self) -> dict[str, Any]:
        """JSON data."""
        return {
            "templates": [template.to_state() for template in self.templates],
            "weights": self.weights.tolist(),
            "prose": None if self.prose is None else self.prose.to_state(),
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """The reverse of `to_state`."""
        prose = None if state["prose"] is None else Prose.from_state(state["prose"])
        templates = tuple(Template.from_state(template) for template in state["templates"])
        return cls(templates, np.array(state["weights"], dtype=np.float64), prose)
