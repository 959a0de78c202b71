"""The tables that are judged, as arrays on one shared coding: numbers as numbers, levels as small integers.

Every judge reads these, so that a column is looked up, cast and coded once, and all tables speak of the same levels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from masquerade import seeds
from masquerade.metrics.bins import equal_width
from masquerade.schema import Column, Schema

__all__ = ["ROW_LIMIT", "Side", "Tables", "as_numbers", "equal_width_codes", "sample_rows", "sample_side", "tabulate"]

ROW_LIMIT = 50_000
"""A longer table is judged on a seeded sample of this many rows."""

_HUGE = 1e30


@dataclass(frozen=True)
class Side:
    """One table.

    Args:
        numbers: float64, NaN where missing, shape (rows, numeric columns); moments are seconds since 1970, and huge or
            tiny numbers are scaled by a power of two (every figure is free of scale).
        codes: int64, shape (rows, discrete columns): 0 is missing, then the levels from the most frequent real one on.
    """

    numbers: NDArray[np.float64]
    codes: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.codes)

    def rows(self, index: NDArray[np.intp] | slice) -> Side:
        """A selection of rows."""
        return Side(np.asfortranarray(self.numbers[index]), np.asfortranarray(self.codes[index]))


@dataclass(frozen=True)
class Tables:
    """The tables side by side on one coding.

    Args:
        numeric: names of the numeric columns, in the order of `Side.numbers`.
        discrete: names of the discrete columns, in the order of `Side.codes`.
        sizes: codes per discrete column, the missing one included.
        moments: per numeric column, whether it is a date or time.
        levels: per discrete column, its levels; code c > 0 is `levels[c - 1]`.
        left_out: columns that are not compared cell by cell: ids, free text, the unit.
        real: the training rows.
        released: the released rows.
        holdout: real rows the release never saw, or None.
    """

    numeric: tuple[str, ...]
    discrete: tuple[str, ...]
    sizes: tuple[int, ...]
    moments: tuple[bool, ...]
    levels: tuple[tuple[str, ...], ...]
    left_out: tuple[str, ...]
    real: Side
    released: Side
    holdout: Side | None

    @property
    def names(self) -> tuple[str, ...]:
        """The compared columns: the numeric ones, then the discrete ones."""
        return self.numeric + self.discrete


def sample_rows(table: pl.DataFrame, limit: int, seed: int, name: str) -> pl.DataFrame:
    """At most `limit` random rows of a table, in its order; the same seed and name take the same rows."""
    if table.height <= limit:
        return table
    index = np.sort(seeds.stream(seed, "rows", name).choice(table.height, size=limit, replace=False))
    return table[index]


def as_numbers(values: pl.Series) -> NDArray[np.float64]:
    """A numeric or datetime column as float64, shape (rows,): NaN where missing or infinite, moments in seconds."""
    if values.dtype.is_temporal():
        values = values.cast(pl.Datetime("us")).dt.epoch("us") / 1e6
    numbers = values.cast(pl.Float64).fill_null(np.nan).to_numpy().copy()
    numbers[~np.isfinite(numbers)] = np.nan
    return numbers


def tabulate(schema: Schema, real: pl.DataFrame, released: pl.DataFrame, holdout: pl.DataFrame | None) -> Tables:
    """Typed tables as arrays on one shared coding.

    Args:
        schema: what each column is.
        real: typed, shape (rows, columns).
        released: typed, the same columns.
        holdout: typed, the same columns, or None.
    """
    tables = [real, released] + ([] if holdout is None else [holdout])
    compared = [c for c in schema if c.kind not in ("text", "id") and c.name != schema.unit]
    numeric = [c for c in compared if c.is_numeric]
    discrete = [c for c in compared if not c.is_numeric]
    coded = [_codes([_words(table.get_column(c.name), c) for table in tables]) for c in discrete]
    units = [_measure(as_numbers(real.get_column(c.name))) for c in numeric]
    sides = []
    for place, table in enumerate(tables):
        numbers = np.empty((table.height, len(numeric)), order="F")
        for j, column in enumerate(numeric):
            numbers[:, j] = np.clip(as_numbers(table.get_column(column.name)) * units[j], -_HUGE, _HUGE)
        codes = np.empty((table.height, len(discrete)), dtype=np.int64, order="F")
        for j, (columns, _) in enumerate(coded):
            codes[:, j] = columns[place]
        sides.append(Side(numbers, codes))
    names = {c.name for c in compared}
    return Tables(
        numeric=tuple(c.name for c in numeric),
        discrete=tuple(c.name for c in discrete),
        sizes=tuple(len(levels) + 1 for _, levels in coded),
        moments=tuple(c.kind == "datetime" for c in numeric),
        levels=tuple(levels for _, levels in coded),
        left_out=tuple(c.name for c in schema if c.name not in names),
        real=sides[0],
        released=sides[1],
        holdout=None if holdout is None else sides[2],
    )


def _measure(values: NDArray[np.float64]) -> float:
    """1, or the power of two that brings a column of huge or tiny numbers near 1, so that squares can be taken."""
    largest = float(np.nanmax(np.abs(values), initial=0.0))
    return 1.0 if largest == 0 or 1 / _HUGE < largest < _HUGE else float(2.0 ** -np.frexp(largest)[1])


def _words(values: pl.Series, column: Column) -> pl.Series:
    """Levels as text, a boolean's in the schema's own words."""
    if values.dtype == pl.Boolean and column.levels is not None and len(column.levels) == 2:
        return values.replace_strict({False: column.levels[0], True: column.levels[1]}, return_dtype=pl.String)
    return values.cast(pl.String)


def _codes(columns: list[pl.Series]) -> tuple[list[NDArray[np.int64]], tuple[str, ...]]:
    """Codes of one column in each table, levels by falling frequency in the first one, ties by name."""
    texts = pl.concat([column.alias("level") for column in columns])
    ranks = texts.rank("dense").cast(pl.Int64).fill_null(0).to_numpy()
    count = int(ranks.max(initial=0))
    levels = np.empty(count + 1, dtype=object)
    levels[ranks] = texts.to_numpy()
    frequency = np.bincount(ranks[: len(columns[0])], minlength=count + 1)
    order = np.argsort(-frequency[1:], kind="stable") + 1
    code = np.zeros(count + 1, dtype=np.int64)
    code[order] = np.arange(1, count + 1)
    ends = np.cumsum([len(column) for column in columns])[:-1]
    return np.split(code[ranks], ends), tuple(str(level) for level in levels[order])


def equal_width_codes(real: Side, other: Side) -> tuple[NDArray[np.int64], NDArray[np.int64], list[int]]:
    """The numeric columns of two tables in ten bins each, edges from the real one: codes of both, and sizes."""
    rules = [equal_width(real.numbers[:, j]) for j in range(real.numbers.shape[1])]

    def code(side: Side) -> NDArray[np.int64]:
        codes = np.empty(side.numbers.shape, dtype=np.int64, order="F")
        for j, rule in enumerate(rules):
            codes[:, j] = rule.codes(side.numbers[:, j])
        return codes

    return code(real), code(other), [rule.size for rule in rules]


def sample_side(side: Side, rows: int, seed: int, name: str) -> Side:
    """At most `rows` random rows, in their order; the same seed and name take the same ones."""
    if len(side) <= rows:
        return side
    return side.rows(np.sort(seeds.stream(seed, "side", name).choice(len(side), size=rows, replace=False)))
