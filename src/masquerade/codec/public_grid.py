"""Cells for counting the numbers of a declared column: which values fall together is decided by the declaration alone."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

from masquerade.errors import SchemaError
from masquerade.schema import Column

__all__ = ["MOST_CELLS", "Grid", "seconds_of", "step_of"]

MOST_CELLS = 256
"""Cells of the histogram of a number."""

COARSE_CELLS = 128
"""Cells, about, of a number with more values than cells: its heaviest are counted anew in finer ones."""

MOST_FAR = 1e15
"""Whole numbers are exact up to here, with some room."""

_EPOCH = datetime(1970, 1, 1)
_DAY, _SECOND = 86_400_000_000, 1_000_000
_DECIMALS_UNKNOWN = 2**30
"""Where decimals are not declared, so many values are told apart between the bounds."""
_MOST_VALUES = 2**50


def step_of(column: Column) -> int:
    """Microseconds between neighbouring values of a declared datetime column: a day, a second or a microsecond.

    A format says it; without one, bounds written with a time of day mean seconds, and without it days.
    """
    if column.format is not None:
        if re.search(r"%-?6?f|%\.", column.format):
            return 1
        return _SECOND if re.search(r"%-?[HIklMSTRcXsp]", column.format) else _DAY
    bounds = [str(bound) for bound in (column.minimum, column.maximum)]
    if any("." in bound for bound in bounds):
        return 1
    return _SECOND if any(":" in bound for bound in bounds) else _DAY


def seconds_of(moment: str, column: str = "") -> float:
    """Seconds since 1970 of an ISO 8601 text; its time zone is left out."""
    try:
        return (datetime.fromisoformat(moment).replace(tzinfo=None) - _EPOCH) / timedelta(seconds=1)
    except ValueError as error:
        raise SchemaError(
            f"column {column!r}: the bound {moment!r} is no moment, expected ISO 8601 such as 2019-12-31 or "
            "2019-12-31T08:00:00."
        ) from error


@dataclass(frozen=True)
class Grid:
    """The values between the declared bounds of a number or moment, and cells that each hold one or more of them.

    Args:
        first: the least value; of a moment in steps since 1970.
        resolution: distance of neighbouring values.
        decimals: digits that values are rounded to; None: they are not.
        step: of a moment, microseconds in a step; None of a number.
        edges: int64, rising, from 0: which value each cell begins with, counted from the least; the last entry is how many
            values there are.

    >>> Grid.of(Column("age", "integer", minimum=17, maximum=19)).edges
    array([0, 1, 2, 3])
    """

    first: float
    resolution: float
    decimals: int | None
    step: int | None
    edges: NDArray[np.int64]

    @classmethod
    def of(cls, column: Column, most: int = MOST_CELLS) -> Grid:
        """The grid of a declared column.

        With at most `most` values each has a cell of its own. Otherwise half of the cells are equally wide, for what is spread
        evenly, and the others grow with the distance from 0, for what has a long tail; 0 and the bounds, which often stand for
        something, have cells of their own. Those of a moment are all equally wide.

        Raises:
            SchemaError: a bound is not declared, or is farther from 0 than 1e15.
        """
        if column.minimum is None or column.maximum is None:
            raise SchemaError(
                f"column {column.name!r}: a private fit needs its minimum and maximum, got {column.minimum!r} and "
                f"{column.maximum!r}; declare bounds that may be public."
            )
        step, decimals = None, column.decimals if column.kind == "continuous" else 0
        if column.kind == "datetime":
            step = step_of(column)
            low, high = (
                math.floor(round(seconds_of(str(bound), column.name) * 1e6) / step)
                for bound in (column.minimum, column.maximum)
            )
            first, last, resolution = float(low), float(high), 1.0
        else:
            first, last = float(column.minimum), float(column.maximum)
            if not -MOST_FAR <= first <= last <= MOST_FAR:
                raise SchemaError(
                    f"column {column.name!r}: the bounds {column.minimum!r} and {column.maximum!r} are too far out for a "
                    f"private fit; declare bounds between -{MOST_FAR:g} and {MOST_FAR:g}."
                )
            resolution = (last - first) / _DECIMALS_UNKNOWN if decimals is None else 10.0**-decimals
        if decimals is not None:
            scale = 10.0**decimals
            first, last = math.floor(first * scale + 1e-6) / scale, math.ceil(last * scale - 1e-6) / scale
            resolution = max(resolution, (last - first) / _MOST_VALUES)
        values = 1 if resolution <= 0 else max(round((last - first) / resolution) + 1, 1)
        zero = round(-first / resolution) if values > 1 and step is None else None
        return cls(first, resolution or 1.0, decimals, step, _edges(values, zero, most))

    @property
    def cells(self) -> int:
        """How many cells there are."""
        return self.edges.size - 1

    @property
    def widths(self) -> NDArray[np.int64]:
        """How many values each cell holds."""
        return np.diff(self.edges)

    @property
    def single(self) -> bool:
        """Whether each value has a cell of its own."""
        return self.cells == int(self.edges[-1])

    def values(self, places: NDArray[np.int64]) -> NDArray[np.float64]:
        """The values at some places, counted from the least."""
        values = self.first + places * self.resolution
        if self.decimals is not None:
            return np.asarray(np.round(values, self.decimals), np.float64)
        return np.asarray(np.where(np.abs(values) < self.resolution / 2, 0.0, values), np.float64)

    def walls(self, places: NDArray[np.int64]) -> NDArray[np.float64]:
        """What lies half-way before the values at some places."""
        return np.asarray(self.first + (places - 0.5) * self.resolution, np.float64)

    def locate(self, values: pl.Series) -> NDArray[np.int64]:
        """The cell of each value, values beyond the bounds in the outermost ones; -1 where it is missing."""
        if self.step is not None:
            values = values.cast(pl.Datetime("us")).to_physical() // self.step
        numbers = values.cast(pl.Float64).fill_null(np.nan).to_numpy()
        gone = np.isnan(numbers)
        places = np.floor((np.where(gone, 0.0, numbers) - self.first) / self.resolution + 0.5)
        places = np.clip(places, 0, self.edges[-1] - 1)
        return np.where(gone, -1, np.searchsorted(self.edges, places, side="right") - 1).astype(np.int64)

    def count(self, values: pl.Series) -> NDArray[np.int64]:
        """How many values lie in each cell, shape (cells,)."""
        cells = self.locate(values)
        return np.bincount(cells[cells >= 0], minlength=self.cells)

    def split(self, parts: NDArray[np.int64]) -> tuple[Grid, NDArray[np.int64]]:
        """A finer grid: each cell cut into so many equal parts, at most one per value.

        Args:
            parts: at least 1, shape (cells,).

        Returns:
            The grid, and by new cell the old one that it is a part of.
        """
        parts = np.minimum(parts, self.widths)
        pieces = [
            start + (np.arange(part) * width) // part
            for start, width, part in zip(self.edges[:-1].tolist(), self.widths.tolist(), parts.tolist(), strict=True)
        ]
        edges = np.concatenate([*pieces, self.edges[-1:]])
        finer = Grid(self.first, self.resolution, self.decimals, self.step, edges)
        return finer, np.repeat(np.arange(self.cells), parts)


def _edges(values: int, zero: int | None, most: int, coarse: int = COARSE_CELLS) -> NDArray[np.int64]:
    """Where cells begin; `zero`: how many values lie before 0 (below 0: so many are left out above it), None of a moment."""
    if values <= most:
        return np.arange(values + 1)
    last = values - 1
    if zero is None:
        return np.unique((np.arange(coarse + 1) * values) // coarse)
    edges = [(np.arange(coarse // 2 + 1) * values) // (coarse // 2), np.array([1, last])]
    steps = coarse // 2 if zero <= 0 or zero >= last else coarse // 4
    if zero < last:
        edges.append(zero + _growing(max(-zero, 1), last - zero, steps))
    if zero > 0:
        edges.append(zero + 1 - _growing(max(zero - last, 1), zero, steps))
    if 0 <= zero <= last:
        edges.append(np.array([zero, zero + 1]))
    every = np.unique(np.concatenate(edges).astype(np.int64))
    return every[(every >= 0) & (every <= values)]


def _growing(first: int, last: int, steps: int) -> NDArray[np.int64]:
    return np.round(np.geomspace(first, last, steps)).astype(np.int64)
