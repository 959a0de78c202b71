"""One column's raw cells as typed values; what a whole table does with them is in `masquerade.spelling`."""

from __future__ import annotations

import polars as pl

from masquerade.moments_format import parse_moments
from masquerade.numbers_format import NumberStyle, parse_numbers
from masquerade.schema import Column
from masquerade.words import BOOLEAN_WORDS, MISSING_IN_NUMBERS

__all__ = ["TYPED", "is_text", "number_style", "parse_column"]

TYPED: dict[str, pl.DataType] = {
    "integer": pl.Int64(),
    "continuous": pl.Float64(),
    "categorical": pl.String(),
    "boolean": pl.Boolean(),
    "datetime": pl.Datetime("us"),
    "text": pl.String(),
    "id": pl.String(),
}
"""The Polars type of each kind of column in a typed table."""


def is_text(dtype: pl.DataType) -> bool:
    """Whether cells of this type are spelled in letters."""
    return dtype == pl.String or isinstance(dtype, pl.Categorical | pl.Enum)


def number_style(column: Column) -> NumberStyle:
    """How a column writes its numbers."""
    return NumberStyle(column.thousands, column.grouping, column.decimal_mark)


def parse_column(cells: pl.Series, column: Column) -> tuple[pl.Series, pl.Series]:
    """One column's typed values, and which of its cells are missing (a null elsewhere is a cell that does not fit)."""
    missing = cells.is_null()
    if cells.dtype.is_float():
        missing = missing | cells.is_nan().fill_null(False)
    if not is_text(cells.dtype):
        return _parse_native(cells, column).alias(column.name), missing
    text = cells.cast(pl.String)
    own = "" if column.missing is None else column.missing
    if column.kind in ("categorical", "text", "id"):
        missing = missing | (text == own).fill_null(False)
        return _keep(text, ~missing).alias(column.name), missing
    words = (MISSING_IN_NUMBERS | {own}) - set(column.levels or ())
    missing = missing | text.is_in(list(words)).fill_null(False) | (text.str.strip_chars() == "").fill_null(False)
    present = _keep(text, ~missing)
    if column.kind in ("integer", "continuous"):
        values = parse_numbers(present, number_style(column), integer=column.kind == "integer")
    elif column.kind == "datetime":
        values = _parse_moment_text(present, column.format)
    else:
        values = _parse_boolean(present, column.levels)
    return values.alias(column.name), missing


def _keep(values: pl.Series, wanted: pl.Series) -> pl.Series:
    return pl.select(pl.when(wanted).then(values)).to_series()


def _parse_moment_text(text: pl.Series, format_: str | None) -> pl.Series:
    if format_ is not None:
        return parse_moments(text, format_)
    for iso in ("%Y-%m-%d", "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f"):
        values = parse_moments(text, iso)
        if values.null_count() == text.null_count():
            return values
    return values


def _parse_boolean(text: pl.Series, levels: tuple[str, ...] | None) -> pl.Series:
    if levels is not None and len(levels) == 2:
        false, true = [levels[0]], [levels[1]]
    else:
        text = text.str.to_lowercase()
        false, true = [pair[0] for pair in BOOLEAN_WORDS], [pair[1] for pair in BOOLEAN_WORDS]
    return pl.select(
        pl.when(text.is_in(true)).then(pl.lit(True)).when(text.is_in(false)).then(pl.lit(False))
    ).to_series()


def _parse_native(cells: pl.Series, column: Column) -> pl.Series:
    """Cells of a typed frame; null where one does not fit."""
    dtype, kind = cells.dtype, column.kind
    if kind in ("categorical", "text", "id"):
        if dtype.is_float():
            cells = cells.fill_nan(None)
            whole = cells.cast(pl.Int64, strict=False)
            cells = whole if (whole.cast(pl.Float64) == cells.cast(pl.Float64)).all() else cells
        return cells.cast(pl.String)
    if kind == "datetime":
        if isinstance(dtype, pl.Datetime):
            naive = cells if dtype.time_zone is None else cells.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
            return naive.cast(pl.Datetime("us"))
        if dtype == pl.Date:
            return cells.cast(pl.Datetime("us"))
        if dtype == pl.Time:
            return (cells.cast(pl.Int64) // 1000).cast(pl.Datetime("us"))
        if dtype.is_integer() and column.format is not None:
            return parse_moments(cells.cast(pl.String), column.format)
        return pl.Series(column.name, [None] * cells.len(), dtype=pl.Datetime("us"))
    if isinstance(dtype, pl.Duration):
        cells = cells.dt.total_microseconds()
    elif not (dtype.is_numeric() or dtype in (pl.Boolean, pl.Null)):
        return pl.Series(column.name, [None] * cells.len(), dtype=TYPED[kind])
    if kind == "boolean":
        return (
            cells.cast(pl.Boolean)
            if dtype in (pl.Boolean, pl.Null)
            else _keep(cells, (cells == 0) | (cells == 1)).cast(pl.Boolean)
        )
    if kind == "continuous":
        return cells.cast(pl.Float64).fill_nan(None)
    if dtype.is_float():
        cells = _keep(cells, cells == cells.round())
    return cells.cast(pl.Int64, strict=False)
