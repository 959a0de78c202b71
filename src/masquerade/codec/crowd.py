"""Who stands behind neighbouring numbers: how many different units a stretch of sorted values has, and where enough are met."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

__all__ = ["Crowd"]


@dataclass(frozen=True)
class Crowd:
    """Distinct numbers by rising value, and whose they are.

    A unit that has several of them is counted once in any stretch, however many it has there: ten readings of one patient
    are one patient. Without owners each row is a unit of its own, and all is plain counting. A *holding* is one unit's rows
    of one value.

    Args:
        values: float64, rising, shape (values,).
        rows: int64, shape (values,): rows of each.
        holders: int64, shape (values,): different units of each.
        owner: int64, shape (holdings,): unit of each holding, by rising value; None: each row is its own.
        count: int64, shape (holdings,): rows of each holding; None without owners.

    >>> crowd = Crowd.of(np.array([1.0, 2.0, 3.0, 3.0]), np.array([7, 7, 7, 8]))
    >>> crowd.units(0, 2), crowd.units(0, 3), crowd.reach(0, 2), crowd.mean(0, 3)
    (1, 2, 3, 2.5)
    """

    values: NDArray[np.float64]
    rows: NDArray[np.int64]
    holders: NDArray[np.int64]
    owner: NDArray[np.int64] | None = None
    count: NDArray[np.int64] | None = None

    @classmethod
    def of(cls, numbers: NDArray[np.float64], owners: NDArray[np.int64] | None) -> Self:
        """The crowd behind some numbers, one a row."""
        if owners is None:
            values, rows = np.unique(numbers, return_counts=True)
            return cls(values, rows, rows)
        values, place = np.unique(numbers, return_inverse=True)
        return cls._joined(values, place, owners, np.ones(place.size, np.int64))

    @classmethod
    def _joined(
        cls,
        values: NDArray[np.float64],
        place: NDArray[np.int64],
        owner: NDArray[np.int64],
        count: NDArray[np.int64],
    ) -> Self:
        frame = pl.DataFrame({"place": place, "owner": owner, "count": count})
        frame = frame.group_by("place", "owner").agg(pl.col("count").sum()).sort("place", "owner")
        places, counts = frame["place"].to_numpy(), frame["count"].to_numpy()
        rows = np.bincount(places, counts, values.size).astype(np.int64)
        return cls(values, rows, np.bincount(places, minlength=values.size), frame["owner"].to_numpy(), counts)

    def __len__(self) -> int:
        return self.values.size

    def keep(self, which: NDArray[np.bool_]) -> Self:
        """Some of the values, shape (values,)."""
        holdings = None if self.owner is None else np.repeat(which, self.holders)
        return type(self)(
            self.values[which],
            self.rows[which],
            self.holders[which],
            None if self.owner is None else self.owner[holdings],
            None if self.count is None else self.count[holdings],
        )

    def clip(self, low: float, high: float) -> Self:
        """Values beyond the bounds moved to them."""
        if not len(self) or (self.values[0] >= low and self.values[-1] <= high):
            return self
        values, place = np.unique(np.clip(self.values, low, high), return_inverse=True)
        if self.owner is None or self.count is None:
            rows = np.bincount(place, self.rows).astype(np.int64)
            return type(self)(values, rows, rows)
        return self._joined(values, np.repeat(place, self.holders), self.owner, self.count)

    # ── stretches: from value `start` up to, not with, value `end` ─────────────────────────────────────────────

    def mass(self, start: int, end: int) -> int:
        """Rows of a stretch."""
        return int(self.total[end] - self.total[start])

    def units(self, start: int, end: int) -> int:
        """Different units of a stretch."""
        if self.owner is None:
            return self.mass(start, end)
        first, last = self._first[start], self._first[end]
        return int(np.count_nonzero(self._before[first:last] < first))

    def reach(self, start: int, least: int) -> int:
        """The nearest end with at least so many units from `start` on; one beyond the last where there are too few."""
        if self.owner is None:
            return int(np.searchsorted(self.total, self.total[start] + least))
        first, step = int(self._first[start]), 64 + 4 * least
        while True:
            new = np.cumsum(self._before[first : first + step] < first)
            if new.size and new[-1] >= least:
                return int(np.searchsorted(self._first, first + np.searchsorted(new, least), side="right"))
            if first + step >= self.owner.size:
                return len(self) + 1
            step *= 4

    def reach_back(self, end: int, least: int) -> int:
        """The nearest start with at least so many units up to `end`; -1 where there are too few."""
        if self.owner is None:
            return int(np.searchsorted(self.total, self.total[end] - least, side="right")) - 1
        last, step = int(self._first[end]), 64 + 4 * least
        while True:
            new = np.cumsum(self._after[max(last - step, 0) : last][::-1] >= last)
            if new.size and new[-1] >= least:
                return int(np.searchsorted(self._first, last - 1 - np.searchsorted(new, least), side="right")) - 1
            if last <= step:
                return -1
            step *= 4

    def mean(self, start: int, end: int) -> float:
        """The mean of a stretch, each unit counted once by its own mean."""
        if self.owner is None or self.count is None:
            return float(np.dot(self.values[start:end], self.rows[start:end]) / self.mass(start, end))
        part = slice(self._first[start], self._first[end])
        _, unit = np.unique(self.owner[part], return_inverse=True)
        numbers, weight = np.repeat(self.values[start:end], self.holders[start:end]), self.count[part]
        return float(np.mean(np.bincount(unit, weight * numbers) / np.bincount(unit, weight)))

    @cached_property
    def total(self) -> NDArray[np.int64]:
        """Rows before each value, and in all; shape (values + 1,)."""
        return np.concatenate([[0], np.cumsum(self.rows)]).astype(np.int64)

    @cached_property
    def _first(self) -> NDArray[np.int64]:
        """The first holding of each value, and how many there are; shape (values + 1,)."""
        return np.concatenate([[0], np.cumsum(self.holders)]).astype(np.int64)

    @cached_property
    def _before(self) -> NDArray[np.int64]:
        """The same unit's holding before each one, -1 where there is none."""
        earlier, later = self._neighbours
        before = np.full(self._first[-1], -1, np.int64)
        before[later] = earlier
        return before

    @cached_property
    def _after(self) -> NDArray[np.int64]:
        """The same unit's holding after each one, as many as there are holdings where there is none."""
        earlier, later = self._neighbours
        after = np.full(self._first[-1], self._first[-1], np.int64)
        after[earlier] = later
        return after

    @cached_property
    def _neighbours(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        assert self.owner is not None
        order = np.argsort(self.owner, kind="stable")
        same = self.owner[order][1:] == self.owner[order][:-1]
        return order[:-1][same], order[1:][same]
