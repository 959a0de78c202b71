"""What a declared schema leaves open, found with noise: bounds of numbers, levels of categories, histograms for bins.

Everything here is paid for at the accountant, stage `domains`, before it is looked at. What is found is coarse on purpose:
single units must not show in it.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import NormalDist
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from masquerade.codec.declared import Grid, Histogram
from masquerade.codec.public_grid import seconds_of
from masquerade.errors import SchemaError
from masquerade.privacy.accountant import Accountant
from masquerade.privacy.events import discrete_gaussian, threshold
from masquerade.privacy.noise import noised_counts
from masquerade.schema import Column, Schema

__all__ = ["Domains", "find_domains", "found_levels", "lacks_bounds", "lacks_levels"]

THRESHOLD_SHARE = 0.1
"""Share of δ that finding levels takes, over all columns."""

CLEAR = 5.0
"""A cell counts for bounds when its noised count is above so many deviations of the noise: by chance that happens to one in
three million."""

FEW_VALUES = 64
"""A heavy cell of so many values is cut into single ones."""

MOST_PARTS = 64
"""Into so many parts a heavy cell of more values is cut at most."""

_EPOCH = datetime(1970, 1, 1)
_YEARS = np.array([seconds_of(f"{year}-01-01") for year in range(1600, 2401)])


@dataclass(frozen=True)
class Domains:
    """What was found.

    Args:
        schema: with bounds and levels for every column that is modelled.
        histograms: by number or moment.
        levels: by category whose levels were found: the noised rows of each.
    """

    schema: Schema
    histograms: Mapping[str, Histogram]
    levels: Mapping[str, NDArray[np.float64]]


def lacks_bounds(column: Column) -> bool:
    """Whether a number or moment has a bound that is not declared."""
    return column.is_numeric and (column.minimum is None or column.maximum is None)


def lacks_levels(column: Column) -> bool:
    """Whether the levels of a category are not declared."""
    return column.kind == "categorical" and column.levels is None


def find_domains(
    typed: pl.DataFrame, schema: Schema, accountant: Accountant, *, share: float, sensitivity: int, most_bins: int
) -> Domains:
    """Bounds, levels and histograms; each mechanism has the same noise, and together they use a share of the budget.

    Bounds that are not declared are the ends of a public grid (1, 2, 5, 10, 20, 50, ... to either side of 0, calendar years for
    moments) within which cells clearly stand above the noise: they are round, and a few extreme values do not move them.
    Levels that are not declared are those whose noised count passes a threshold that a level of one unit passes with
    probability at most its part of δ (a tenth of δ over all such columns); the others are drawn from them.
    Each number with more values than cells is counted twice: all of it, then its heaviest cells in finer parts. A number whose
    declaration allows no more values than it may have leaves is not counted at all: each value is a leaf.

    Args:
        typed: the rows, private.
        schema: declared; `id` columns and the unit are passed over.
        accountant: pays.
        share: of the budget, as μ² = 1 / σ².
        sensitivity: rows that one unit can have.
        most_bins: leaves of a number at most, which says what a heavy cell is.

    Raises:
        SchemaError: nothing stands above the noise in a column whose bounds or levels are not declared.
    """
    columns = [column for column in schema if column.kind != "id" and column.name != schema.unit]
    few = [column for column in columns if _has_few_values(column, most_bins)]
    numbers = [column for column in columns if column.is_numeric and column not in few]
    open_bounds, open_levels = [c for c in numbers if lacks_bounds(c)], [c for c in columns if lacks_levels(c)]
    # A number without declared bounds counts as one with many values: what is spent must not hang on what is found.
    fine = [c for c in numbers if lacks_bounds(c) or not Grid.of(c).single]
    count = len(open_bounds) + len(open_levels) + len(numbers) + len(fine)
    even = {column.name: Grid.of(column) for column in few}
    histograms = {name: Histogram(grid, np.ones(grid.cells), 0.0) for name, grid in even.items()}
    if not count:
        return Domains(schema, histograms, {})
    sigma = accountant.sigma(share, count)
    scale = sigma * sensitivity

    def pay(what: str, how_many: int) -> None:
        if how_many:
            accountant.spend(
                discrete_gaussian(sigma, stage="domains", what=what, count=how_many, sensitivity=sensitivity)
            )

    pay("bounds of numbers", len(open_bounds))
    for column in open_bounds:
        schema = _replaced(schema, _bounded(column, typed.get_column(column.name), scale))
    levels: dict[str, NDArray[np.float64]] = {}
    for column in open_levels:
        delta = accountant.privacy.delta * THRESHOLD_SHARE / len(open_levels)
        accountant.spend(threshold(sigma, delta, what=f"levels of {column.name}", sensitivity=sensitivity))
        found, rows = found_levels(column, typed.get_column(column.name), scale, delta, sensitivity)
        schema, levels[column.name] = _replaced(schema, dataclasses.replace(column, levels=found)), rows
    pay("histograms of numbers", len(numbers))
    for column in numbers:
        grid = Grid.of(schema[column.name])
        counted = noised_counts(grid.count(typed.get_column(column.name)), scale)
        histograms[column.name] = Histogram(grid, counted.astype(np.float64), scale)
    pay("finer histograms of numbers", len(fine))
    for column in fine:
        coarse = histograms[column.name]
        histograms[column.name] = _finer(coarse, typed.get_column(column.name), most_bins)
    return Domains(schema, histograms, levels)


def _has_few_values(column: Column, most: int) -> bool:
    """Whether a number with declared bounds has at most so many values."""
    return column.is_numeric and not lacks_bounds(column) and int(Grid.of(column).edges[-1]) <= most


def _replaced(schema: Schema, column: Column) -> Schema:
    columns = tuple(column if old.name == column.name else old for old in schema)
    return dataclasses.replace(schema, columns=columns)


def _bounded(column: Column, values: pl.Series, scale: float) -> Column:
    """The column with the bounds it lacks."""
    edges = _YEARS if column.kind == "datetime" else _round_numbers(whole=column.kind == "integer")
    if column.kind == "datetime":
        values = values.cast(pl.Datetime("us")).to_physical() / 1e6
    numbers = values.cast(pl.Float64).drop_nulls().drop_nans().to_numpy()
    cells = np.clip(np.searchsorted(edges, numbers, side="right") - 1, 0, edges.size - 2)
    counts = noised_counts(np.bincount(cells, minlength=edges.size - 1), scale)
    clear = np.flatnonzero(counts > CLEAR * scale)
    if not clear.size:
        raise SchemaError(
            f"column {column.name!r}: its minimum and maximum are not declared, and nothing in it stands above the noise; "
            "declare bounds that may be public, or take a larger epsilon."
        )
    first, last = float(edges[clear[0]]), float(edges[clear[-1] + 1])
    if column.kind == "datetime":
        low, high = ((_EPOCH + timedelta(seconds=end)).date().isoformat() for end in (first, last))
        return _with(column, low, high)
    if column.kind == "integer":
        return _with(column, math.ceil(first), math.ceil(last) - 1)
    return _with(column, first, last)


def _with(column: Column, low: Any, high: Any) -> Column:
    """The column with these bounds where it has none; a declared one is never crossed by what was found."""
    if column.minimum is not None:
        low, high = column.minimum, max(high, column.minimum)  # ISO 8601 texts of days sort as their days do
    elif column.maximum is not None:
        low, high = min(low, column.maximum), column.maximum
    return dataclasses.replace(column, minimum=low, maximum=high)


def _round_numbers(*, whole: bool) -> NDArray[np.float64]:
    """1, 2, 5, 10, 20, 50, ... to either side of 0; whole numbers from 1 on, others from a hundred-thousandth."""
    positive = np.array([float(f"{digit}e{power}") for power in range(0 if whole else -5, 16) for digit in (1, 2, 5)])
    return np.concatenate([-positive[::-1], [0.0], positive])


def found_levels(
    column: Column, values: pl.Series, scale: float, delta: float, sensitivity: int
) -> tuple[tuple[str, ...], NDArray[np.float64]]:
    """Levels whose noised count passes the threshold, in the order of their names, and these counts.

    Args:
        column: named where nothing passes.
        values: of it, private.
        scale: of the noise.
        delta: probability that a level of one unit passes.
        sensitivity: rows that one unit can have.

    A level that only one unit has counts at most `sensitivity`, and a unit has at most as many such levels; each passes with
    probability at most `delta / sensitivity`. Integer noise reaches m at most as often as Gaussian noise reaches m - 1 (arXiv
    2004.00010, proposition 25), which the 1 allows for.
    """
    counted = values.drop_nulls().value_counts(name="rows").sort(values.name)
    noised = noised_counts(counted.get_column("rows").to_numpy(), scale) if counted.height else np.empty(0)
    least = sensitivity + 1 + scale * NormalDist().inv_cdf(1 - delta / sensitivity)
    clear = np.asarray(noised > least)
    if not clear.any():
        raise SchemaError(
            f"column {column.name!r}: its levels are not declared, and none stands above the noise; declare levels that may be "
            "public, drop the column, or take a larger epsilon."
        )
    return tuple(counted.get_column(values.name).filter(pl.Series(clear)).to_list()), noised[clear].astype(np.float64)


def _finer(coarse: Histogram, values: pl.Series, most_bins: int) -> Histogram:
    """Heavy cells counted anew in parts, which are then moved so that they agree with the first count as well.

    A cell of few values is cut into single ones, for what is heavy there may be one of them; another into parts of an eighth of
    a usual leaf's weight.
    """
    widths, noised = coarse.grid.widths, coarse.counts
    leaf = max(float(noised.sum()), 1.0) / most_bins
    heavy = (widths > 1) & (noised > np.maximum(CLEAR * coarse.noise, leaf / 4))
    heavy &= noised >= np.sort(noised)[-min(2 * most_bins, noised.size)]
    parts = np.where(widths <= FEW_VALUES, widths, np.clip(np.ceil(8 * noised / leaf), 2, MOST_PARTS))
    grid, parent = coarse.grid.split(np.where(heavy, parts, 1).astype(np.int64))
    counts = noised_counts(grid.count(values), coarse.noise).astype(np.float64)
    parts = np.bincount(parent, minlength=coarse.grid.cells)
    sums = np.bincount(parent, weights=counts, minlength=coarse.grid.cells)
    # Least squares: the parts' sum has `parts` times the variance of the first count, and each takes an equal part of the gap.
    counts += ((noised - sums) / (parts + 1))[parent]
    return Histogram(grid, counts, coarse.noise)
