"""What a table's columns are, from their values: `infer`.

Nothing rare goes into a schema: levels are listed only if enough units have them, and bounds are protected (see
`masquerade.privacy.protect`). Evidence is taken from every distinct cell, not from the first rows.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from masquerade.distinct import Cells, digits_are_a_code, id_or_category, is_id, kind_of_words
from masquerade.errors import MasqueradeWarning, SchemaError, nearest
from masquerade.moments_format import detect_format, parse_moments
from masquerade.numbers_format import NumberStyle, decimals_of_floats, decimals_of_text, detect_style, parse_numbers
from masquerade.privacy.counts import Counts
from masquerade.privacy.protect import protected_bounds, protected_levels, unit_series
from masquerade.schema import Column, Schema
from masquerade.spelling import is_text, parse_column
from masquerade.words import MISSING_ALWAYS, MISSING_IN_NUMBERS, boolean_words

__all__ = ["column_of", "infer", "with_evidence"]

MOST_LEVELS = 1000
"""At most this many levels are listed, the most frequent ones."""
FIRST_YEAR, LAST_YEAR = 1900, 2100
"""Eight digits are a date only if all of them are one between these years."""
LEAST_SHORT_DATES = 20
"""Six digits are a date only if at least this many different cells all are one: by chance one in 27 is."""


def infer(raw: pl.DataFrame, *, protect: int = 10, unit: str | None = None) -> Schema:
    """What each column is and how it is spelled.

    Args:
        raw: a table as `files.read_table` or `frames.to_polars` gives it. In text, numbers, dates, yes and no are
            recognised; 0 and 1 stay integers, and integers of few values stay integers. Numbers with leading zeros are
            no numbers.
        protect: a level is listed only if this many units have it, and bounds are the value of this rank; 0 lists all.
        unit: the column that says whose row it is; it becomes an `id`.

    Raises:
        SchemaError: there is no column `unit`.

    Warns:
        MasqueradeWarning: dates could be read day first or month first (day first is taken).

    >>> infer(pl.DataFrame({"age": ["30", "?"] * 10}))["age"].kind
    'integer'
    """
    if unit is not None and unit not in raw.columns:
        raise SchemaError(f"unit: there is no column {unit!r}{nearest(unit, raw.columns)}.")
    units = unit_series(raw, unit)
    columns = [_column(cells, protect, units, is_unit=cells.name == unit) for cells in raw.get_columns()]
    return Schema(tuple(columns), unit=unit)


def _column(cells: pl.Series, protect: int, units: pl.Series | None, *, is_unit: bool) -> Column:
    def distinct() -> Cells:
        if is_text(cells.dtype):
            return _distinct(cells.cast(pl.String))
        return _distinct(cells.fill_nan(None) if cells.dtype.is_float() else cells)

    gone = cells.null_count() > 0 or (cells.dtype.is_float() and cells.is_nan().any())
    column = column_of(cells.name, cells.dtype, distinct, has_null=gone, is_unit=is_unit)
    if column.kind in ("text", "id") or column.levels is not None:
        return column
    values, _ = parse_column(cells, column)
    if column.kind == "categorical":
        return replace(
            column, levels=tuple(protected_levels(values, protect, units)["level"].head(MOST_LEVELS).to_list())
        )
    return _bounded(column, values, protect, units) if column.is_numeric else column


def _bounded(column: Column, values: pl.Series, protect: int, units: pl.Series | None) -> Column:
    present = values.is_not_null()
    if values.dtype.is_float():
        present = present & values.is_finite().fill_null(False)
    if not present.any():
        return column
    holders: NDArray[np.int64] | None = None if units is None else units.filter(present).to_numpy()
    numbers = values.filter(present).to_physical().to_numpy().astype(np.float64)
    return _with_bounds(column, *protected_bounds(numbers, protect, holders))


def with_evidence(column: Column, counts: Counts, protect: int) -> Column:
    """The column with its protected levels or bounds, from counts of its typed values."""
    if column.kind in ("text", "id") or column.levels is not None or not counts.there:
        return column
    if column.kind == "categorical":
        return replace(column, levels=tuple(counts.protected(protect)["level"].head(MOST_LEVELS).to_list()))
    return _with_bounds(column, *counts.protected_bounds(protect)) if column.is_numeric else column


def _with_bounds(column: Column, low: float, high: float) -> Column:
    if column.kind == "integer":
        return replace(column, minimum=round(low), maximum=round(high))
    if column.kind == "datetime":
        return replace(column, minimum=_iso(low), maximum=_iso(high))
    digits = column.decimals
    return replace(
        column,
        minimum=low if digits is None else round(low, digits),
        maximum=high if digits is None else round(high, digits),
    )


def _iso(microseconds: float) -> str:
    text = str(np.datetime64(round(microseconds), "us"))
    return text.removesuffix(".000000").removesuffix("T00:00:00")


def _distinct(cells: pl.Series) -> Cells:
    counted = pl.DataFrame({"value": cells}).drop_nulls().group_by("value", maintain_order=True).len("rows")
    return Cells(cells.name, counted["value"], counted["rows"])


def _marker(cells: Cells, words: frozenset[str]) -> str | None:
    """The most frequent of these words among the cells."""
    found = pl.DataFrame({"value": cells.values, "rows": cells.counts}).filter(pl.col("value").is_in(list(words)))
    return None if found.is_empty() else str(found.sort(["rows", "value"], descending=[True, False])["value"][0])


def column_of(
    name: str, dtype: pl.DataType, distinct: Callable[[], Cells], *, has_null: bool, is_unit: bool = False
) -> Column:
    """What a column is, without its levels and bounds.

    Args:
        name: of the column.
        dtype: of its raw cells.
        distinct: gives its distinct raw cells that are not null (text as String, NaN left out), where they are needed.
        has_null: whether a cell is null (or NaN); then the column is `nullable`, where it has no word for missing.
        is_unit: whether it says whose row it is.
    """
    if is_text(dtype):
        column = _of_text(distinct(), dtype, has_null=has_null, is_unit=is_unit)
    else:
        column = _by_type(name, dtype, is_unit=is_unit) or _of_numbers(distinct(), dtype)
    return replace(column, nullable=True) if has_null and column.missing is None else column


def _of_text(distinct: Cells, dtype: pl.DataType, *, has_null: bool, is_unit: bool) -> Column:
    name = distinct.name
    missing = None if has_null else _marker(distinct, MISSING_ALWAYS)
    present = distinct.without(frozenset() if missing is None else frozenset([missing]))
    if is_unit:
        return Column(name, "id", missing=missing)
    bare = distinct.without(MISSING_IN_NUMBERS)
    if bare.values.is_empty():
        return Column(name, "categorical", missing=missing)
    if dtype == pl.String:
        marker = None if has_null else _marker(distinct, MISSING_IN_NUMBERS)
        words = boolean_words(distinct.without(MISSING_ALWAYS).values.head(3)) if bare.values.len() <= 3 else None
        if words is not None and distinct.without(MISSING_ALWAYS).values.len() == 2:
            return Column(name, "boolean", levels=words, missing=missing)
        found = _number(bare, marker) or _moment(bare, marker)
        if found is not None:
            return found
    return Column(name, kind_of_words(present), missing=missing)


def _number(cells: Cells, missing: str | None) -> Column | None:
    """The column if every cell is a number (or a code in digits, or a date in eight digits), else None."""
    style = detect_style(cells.values)
    if style is None:
        return None
    most, least = decimals_of_text(cells.values, cells.counts, style)
    if style == NumberStyle() and most == 0:
        if (moment := _moment_in_digits(cells, missing)) is not None:
            return moment
        if digits_are_a_code(cells.name, cells.values):
            return Column(cells.name, id_or_category(cells), missing=missing)
    numbers = parse_numbers(cells.values, style, integer=False)
    finite = numbers.filter(numbers.is_finite())
    whole = bool((finite == finite.round()).all()) and most is not None
    if whole and bool((finite.abs() >= 2.0**63).any()):
        return Column(cells.name, id_or_category(cells), missing=missing)
    if whole and finite.len() == numbers.len():
        integers = parse_numbers(cells.values, style, integer=True)
        if is_id(cells.name, integers, cells.rows, cells.share):
            return Column(cells.name, "id", missing=missing)
        zeros = most if most and least == most else None
        return Column(cells.name, "integer", missing=missing, decimals=zeros, **_style(style))
    padded = least == (1 if most is None else most)
    tail = None if padded else least
    return Column(cells.name, "continuous", missing=missing, decimals=most, least_decimals=tail, **_style(style))


def _style(style: NumberStyle) -> dict[str, Any]:
    return {"thousands": style.thousands, "grouping": style.grouping, "decimal_mark": style.decimal_mark}


def _moment(cells: Cells, missing: str | None) -> Column | None:
    found = detect_format(cells.values)
    if found is None:
        return None
    format_, ambiguous = found
    if ambiguous:
        warnings.warn(
            f"column {cells.name!r}: its dates could be read day first or month first; they are read as {format_} "
            "(set the column's format in the schema if that is wrong).",
            MasqueradeWarning,
            stacklevel=6,
        )
    return Column(cells.name, "datetime", missing=missing, format=format_)


def _moment_in_digits(cells: Cells, missing: str | None) -> Column | None:
    """The column if every cell is a date in eight digits (20190131), or in six (190131) with enough of them to tell."""
    lengths = cells.values.str.len_chars()
    for length, format_, least in ((8, "%Y%m%d", 1), (6, "%y%m%d", LEAST_SHORT_DATES)):
        if cells.values.len() >= least and (lengths == length).all():
            moments = parse_moments(cells.values, format_)
            if not moments.has_nulls() and moments.dt.year().is_between(FIRST_YEAR, LAST_YEAR).all():
                return Column(cells.name, "datetime", missing=missing, format=format_)
    return None


def _by_type(name: str, dtype: pl.DataType, *, is_unit: bool) -> Column | None:
    """The column where its type tells all."""
    if is_unit:
        return Column(name, "id")
    if dtype == pl.Boolean:
        return Column(name, "boolean")
    if dtype.is_temporal():
        return Column(name, "integer" if isinstance(dtype, pl.Duration) else "datetime")
    return Column(name, "categorical") if dtype == pl.Null else None


def _of_numbers(distinct: Cells, dtype: pl.DataType) -> Column:
    name, values = distinct.name, distinct.values
    if dtype.is_integer():
        beyond = values.cast(pl.Int64, strict=False).null_count() > 0
        texts = replace(distinct, values=values.cast(pl.String))
        if (moment := _moment_in_digits(texts, None)) is not None:
            return moment
        if beyond or digits_are_a_code(name, values.cast(pl.String)):
            return Column(name, id_or_category(distinct))
        return Column(name, "id" if is_id(name, values, distinct.rows, distinct.share) else "integer")
    floats = values if dtype.is_float() else values.cast(pl.Float64)
    finite = floats.filter(floats.is_finite())
    whole = finite.len() > 0 and bool(((finite == finite.round()) & (finite.abs() < 2.0**53)).all())
    if whole and finite.len() == floats.len():
        return Column(name, "id" if is_id(name, finite.cast(pl.Int64), distinct.rows, distinct.share) else "integer")
    return Column(name, "continuous", decimals=decimals_of_floats(finite))
