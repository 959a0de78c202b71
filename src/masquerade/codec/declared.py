"""A table's codec from what its schema declares, without a look at a row.

Categories get their declared levels. Numbers and moments get heavy single values and bins made from a histogram between the
declared bounds, whose counts somebody else has noised: what is built of noised counts costs nothing more. Ids, and the column
that says whose row it is, are numbered from 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from masquerade.cells import TYPED
from masquerade.codec.arrays import Layout
from masquerade.codec.category import CategoryCodec
from masquerade.codec.column import ColumnCodec
from masquerade.codec.empty import EmptyCodec
from masquerade.codec.merging import curve, groups
from masquerade.codec.moment import MomentCodec
from masquerade.codec.public_grid import MOST_CELLS, Grid
from masquerade.codec.quantile import QuantileCodec
from masquerade.codec.serial import SerialCodec
from masquerade.codec.table import TableCodec
from masquerade.errors import SchemaError, TableError
from masquerade.schema import Column, Schema

__all__ = ["MOST_CELLS", "Grid", "Histogram", "declared_codec", "is_empty", "nullable"]


def nullable(column: Column) -> bool:
    """Whether a declared column may have missing values: what it says, and else whether it has a word for them."""
    return column.missing is not None if column.nullable is None else column.nullable


def is_empty(column: Column) -> bool:
    """Whether a column is declared to have no value at all: a category of no level."""
    return column.kind == "categorical" and column.levels == ()


@dataclass(frozen=True)
class Histogram:
    """Noised counts of a number.

    Args:
        grid: its cells.
        counts: float64, shape (cells,): noised rows of each; may be below 0.
        noise: standard deviation of the noise in each.
    """

    grid: Grid
    counts: NDArray[np.float64]
    noise: float

    def leaves(self, most: int) -> tuple[NDArray[np.float64], ...]:
        """Atoms, edges, knots and weights of a `QuantileCodec` with at most `most` leaves."""
        grid, found = self.grid, groups(self.grid.widths, self.counts, self.noise, most)
        first, last = (grid.edges[[group[end] for group in found]] for end in (0, 1))
        atoms = np.where(last - first == 1, grid.values(first), np.nan)
        bins = np.flatnonzero(np.isnan(atoms))
        low, high = grid.values(np.array([0, grid.edges[-1] - 1]))
        places, values = [], []
        for leaf, (start, end) in enumerate(found):
            walls = grid.walls(grid.edges[start : end + 1])
            if grid.decimals is None:  # then nothing is rounded into the bounds
                walls = np.clip(walls, low, high)
            places.append(leaf + curve(grid.widths[start:end], self.counts[start:end], self.noise))
            values.append(walls)
        return (
            atoms,
            grid.walls(first[bins[1:]]),
            np.column_stack([np.concatenate(places), np.concatenate(values)]),
            np.array([max(float(self.counts[start:end].sum()), 1.0) for start, end in found]),
        )


def declared_codec(
    schema: Schema,
    histograms: Mapping[str, Histogram],
    *,
    most_bins: int,
    levels: Mapping[str, NDArray[np.float64]] | None = None,
) -> TableCodec:
    """The codec of a declared table.

    Args:
        schema: declared.
        histograms: by number or moment.
        most_bins: at most so many leaves of a number.
        levels: by category whose levels were found with noise: the noised rows of each, from which a value that is none of
            them is drawn; others are drawn evenly.

    Raises:
        SchemaError: a column whose values are not declared, or of free text.
        TableError: no column is left to model.
    """
    weights = levels or {}
    codecs = {
        column.name: _column(column, schema.unit, histograms.get(column.name), weights.get(column.name), most_bins)
        for column in schema
    }
    names = tuple(name for name, codec in codecs.items() if codec.size > 1)
    if not names:
        raise TableError(
            "table: no column is left to model, each is declared constant, empty or an id; expected at least one that varies."
        )
    layout = Layout(
        names,
        tuple(codecs[name].size for name in names),
        tuple(codecs[name].has_scalar for name in names),
        tuple(not schema[name].is_numeric for name in names),
        tuple(np.full(codecs[name].size, 1 / codecs[name].size) for name in names),
        tuple(getattr(codecs[name], "places", None) for name in names),
    )
    return TableCodec(schema, codecs, {}, layout)


def _column(
    column: Column,
    unit: str | None,
    histogram: Histogram | None,
    weights: NDArray[np.float64] | None,
    most_bins: int,
) -> ColumnCodec:
    gone = nullable(column)
    if column.kind == "id" or column.name == unit:
        return SerialCodec(whole=column.kind == "integer")
    if is_empty(column):
        return EmptyCodec(str(TYPED[column.kind]))
    if column.is_numeric:
        assert histogram is not None, "somebody noised the counts of every number"
        return _number(column, histogram, gone, most_bins)
    if column.kind == "boolean":
        return CategoryCodec(("false", "true"), True, None, gone, np.ones(2 + gone))
    if column.kind == "categorical" and column.levels:
        rows = np.ones(len(column.levels)) if weights is None else weights
        return CategoryCodec(column.levels, False, None, gone, np.append(rows, [1.0] * gone))
    raise SchemaError(
        f"column {column.name!r}: got free text, and nothing of it can be shown under a guarantee; drop the column, or "
        "declare it categorical with levels that may be public."
        if column.kind == "text"
        else f"column {column.name!r}: a private fit needs its levels; declare levels that may be public."
    )


def _number(column: Column, histogram: Histogram, gone: bool, most_bins: int) -> ColumnCodec:
    grid = histogram.grid
    atoms, edges, knots, weights = histogram.leaves(most_bins)
    low, high = grid.values(np.array([0, grid.edges[-1] - 1]))
    if isinstance(column.minimum, int | float) and isinstance(column.maximum, int | float):
        low, high = column.minimum, column.maximum
    codec = QuantileCodec(
        integer=column.kind != "continuous", decimals=grid.decimals, low=float(low), high=float(high),
        atoms=atoms, edges=edges, knots=knots, missing=gone, weights=np.append(weights, [1.0] * gone),
    )  # fmt: skip
    return codec if grid.step is None else MomentCodec(codec, grid.step)
