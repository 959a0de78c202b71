"""A table's codec from what its schema declares, without a look at a row.

Categories get their declared levels. Numbers and moments get bins made from a histogram of equal cells between the declared
bounds, whose counts somebody else has noised: what is built of noised counts costs nothing more.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from masquerade.codec.arrays import Layout
from masquerade.codec.category import CategoryCodec
from masquerade.codec.column import ColumnCodec
from masquerade.codec.moment import MomentCodec
from masquerade.codec.quantile import QuantileCodec
from masquerade.codec.table import TableCodec
from masquerade.errors import SchemaError
from masquerade.schema import Column, Schema

__all__ = ["Grid", "declared_codec", "nullable"]

MOST_CELLS = 256
"""Cells of the histogram of a number."""

_EPOCH = datetime(1970, 1, 1)
_SECOND = timedelta(seconds=1)


def nullable(column: Column) -> bool:
    """Whether a declared column may have missing values: what it says, and else whether it has a word for them."""
    return column.missing is not None if column.nullable is None else column.nullable


@dataclass(frozen=True)
class Grid:
    """Equal cells between the declared bounds of a number or moment; a moment counts in seconds.

    Args:
        low: where the first cell begins.
        width: of a cell; a multiple of the column's resolution.
        cells: how many.
        resolution: distance of neighbouring values: 1 for whole numbers and seconds, 10 ** -decimals else.
    """

    low: float
    width: float
    cells: int
    resolution: float

    @classmethod
    def of(cls, column: Column, most: int = MOST_CELLS) -> Grid:
        """The grid of a declared column.

        Raises:
            SchemaError: a bound is not declared.
        """
        low, high = column.minimum, column.maximum
        if low is None or high is None:
            raise SchemaError(
                f"column {column.name!r}: a private fit needs its declared minimum and maximum, got {low!r} and {high!r}; "
                "declare bounds that may be public."
            )
        if column.kind == "datetime":
            first, last = _seconds(str(low)), _seconds(str(high))
            resolution = 86_400.0 if first % 86_400 == 0 and last % 86_400 == 0 else 1.0
        else:
            first, last = float(low), float(high)
            resolution = (
                1.0 if column.kind == "integer" else 10.0 ** -(4 if column.decimals is None else column.decimals)
            )
        values = max(round((last - first) / resolution) + 1, 1)
        per_cell = max(math.ceil(values / most), 1)
        return cls(first - resolution / 2, per_cell * resolution, math.ceil(values / per_cell), resolution)

    def locate(self, values: pl.Series) -> NDArray[np.int64]:
        """The cell of each value, values beyond the bounds in the outermost ones; -1 where it is missing."""
        if values.dtype == pl.Datetime("us"):
            values = values.to_physical() / 1e6
        numbers = values.cast(pl.Float64).fill_null(np.nan).to_numpy()
        gone = np.isnan(numbers)
        places = np.clip(np.floor((np.where(gone, 0.0, numbers) - self.low) / self.width), 0, self.cells - 1)
        return np.where(gone, -1, places).astype(np.int64)

    def leaves(self, counts: NDArray[np.float64], most: int) -> tuple[NDArray[Any], ...]:
        """Atoms, edges and knots of a `QuantileCodec` with at most `most` leaves of about equal noised weight."""
        weights = np.maximum(np.asarray(counts, float), 0.0) + 1e-9
        mass = weights.sum() / most
        groups: list[list[int]] = [[]]
        for cell, weight in enumerate(weights):
            if groups[-1] and weights[groups[-1]].sum() + weight > mass:
                groups.append([])
            groups[-1].append(cell)
        edges = self.low + self.width * np.arange(self.cells + 1)
        single = self.width <= self.resolution
        atoms = np.array([edges[g[0]] + self.resolution / 2 if single and len(g) == 1 else np.nan for g in groups])
        bins = np.flatnonzero(np.isnan(atoms))
        places, values = [], []
        for leaf, group in enumerate(groups):
            share = np.concatenate([[0.0], np.cumsum(weights[group]) / weights[group].sum()])
            places.append(leaf + share)
            values.append(edges[[*group, group[-1] + 1]])
        return (
            atoms,
            edges[[groups[b][0] for b in bins[1:]]],
            np.column_stack(list(map(np.concatenate, (places, values)))),
        )


def declared_codec(schema: Schema, counts: Mapping[str, NDArray[np.float64]], *, most_bins: int) -> TableCodec:
    """The codec of a declared table.

    Args:
        schema: declared.
        counts: by number or moment: noised counts of the cells of its `Grid`.
        most_bins: at most so many bins of a number.

    Raises:
        SchemaError: a column whose values are not declared.
    """
    codecs = {column.name: _column(column, counts.get(column.name), most_bins) for column in schema}
    names = tuple(codecs)
    layout = Layout(
        names,
        tuple(codecs[name].size for name in names),
        tuple(codecs[name].has_scalar for name in names),
        tuple(not schema[name].is_numeric for name in names),
        tuple(np.full(codecs[name].size, 1 / codecs[name].size) for name in names),
        tuple(getattr(codecs[name], "places", None) for name in names),
    )
    return TableCodec(schema, codecs, {}, layout)


def _column(column: Column, counts: NDArray[np.float64] | None, most_bins: int) -> ColumnCodec:
    gone = nullable(column)
    if column.is_numeric:
        assert counts is not None, "somebody noised the counts of every number"
        grid = Grid.of(column)
        atoms, edges, knots = grid.leaves(counts, most_bins)
        whole = column.kind != "continuous"
        codec = QuantileCodec(
            integer=whole, decimals=0 if whole else column.decimals, low=float(grid.low + grid.resolution / 2),
            high=float(_bound(column.maximum)), atoms=atoms, edges=edges, knots=knots, missing=gone,
            weights=np.ones(atoms.size + gone),
        )  # fmt: skip
        return MomentCodec(codec, 1_000_000) if column.kind == "datetime" else codec
    if column.kind == "boolean":
        return CategoryCodec(("false", "true"), True, None, gone, np.ones(2 + gone))
    if column.kind == "categorical" and column.levels:
        return CategoryCodec(column.levels, False, None, gone, np.ones(len(column.levels) + gone))
    raise SchemaError(
        f"column {column.name!r}: a private fit needs its declared levels, got none of a {column.kind} column; "
        "declare levels that may be public, or leave the column out."
    )


def _seconds(moment: str) -> float:
    return float((datetime.fromisoformat(moment).replace(tzinfo=None) - _EPOCH) / _SECOND)


def _bound(value: float | int | str | None) -> float:
    return _seconds(value) if isinstance(value, str) else float(value or 0.0)
