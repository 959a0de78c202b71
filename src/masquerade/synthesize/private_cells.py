"""A declared table read cell by cell: what becomes of one row never hangs on another, and what frame goes out on none.

Elsewhere a column's cells are looked at together: a float column of whole numbers reads as integers, a text column as the one
date format that suits all of its cells, a pandas column without missing values as `int64`. Here one row must not change how
others are read, nor show in a type. So a cell that does not fit counts as missing, one beyond the declared bounds as the
nearest, and the types of the frame follow from the declaration.
"""

from __future__ import annotations

import importlib
import math
import re
import warnings
from pathlib import Path
from typing import Any

import polars as pl

from masquerade import frames
from masquerade.cells import is_text, parse_column
from masquerade.codec.declared import nullable
from masquerade.codec.public_grid import MOST_FAR, seconds_of, step_of
from masquerade.errors import MasqueradeWarning, SchemaError, nearest
from masquerade.files import read_table
from masquerade.frames import ColumnKind, FrameKind
from masquerade.moments_format import parse_moments
from masquerade.schema import Column, Schema

__all__ = ["declared_kind", "read_declared"]

_ISO = (
    "%Y-%m-%d", "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f%z", "%H:%M:%S%.f",
)  # fmt: skip
_TRUTH = {"true": "1", "false": "0"}
"""How one library spells what another counts: a column of truth values and a missing one may come as either."""
_TEXT = re.compile(
    r"^(String|str|string.*|category|Categorical|Enum|large_string.*|dictionary<values=(large_)?string.*)$"
)
_SPAN = re.compile(r"^(timedelta|duration)", re.IGNORECASE)


def read_declared(table: Any, schema: Schema) -> tuple[pl.DataFrame, FrameKind]:
    """The typed rows of a table, and what kind of frame its synthetic rows will be.

    Args:
        table: a pandas, Polars or PyArrow table, or the path of a file.
        schema: declared; says everything.

    Raises:
        SchemaError: the columns of the table are not those of the schema; their names are taken for public.
        TableError: this is no table, or a column holds lists, structs or bytes.
        FileError: the file cannot be read.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MasqueradeWarning)  # a warning would tell of the cells
        if isinstance(table, str | Path):
            table = read_table(table)
        raw, kind = frames.to_polars(table, cell_by_cell=True)
    _match(raw.columns, schema)
    typed = pl.DataFrame([_typed(raw.get_column(column.name), column).alias(column.name) for column in schema])
    return typed, declared_kind(kind, raw, schema)


def _match(names: list[str], schema: Schema) -> None:
    for name in schema.names:
        if name not in names:
            raise SchemaError(
                f"column {name!r} is in the schema but not in the table{nearest(name, set(names) - set(schema.names))}; "
                "take it out of the schema."
            )
    for name in names:
        if name not in schema:
            raise SchemaError(
                f"column {name!r} is in the table but not in the schema{nearest(name, schema.names)}; declare it there or "
                "drop it from the table."
            )


def _typed(cells: pl.Series, column: Column) -> pl.Series:
    dtype = cells.dtype
    if column.kind in ("categorical", "text", "id") and dtype.is_float():
        whole = cells.cast(pl.Int64, strict=False)
        same = whole.cast(pl.Float64) == cells.cast(pl.Float64)
        return pl.select(
            pl.when(same).then(whole.cast(pl.String)).otherwise(cells.fill_nan(None).cast(pl.String))
        ).to_series()
    values, _ = parse_column(cells, column)
    if is_text(dtype) and column.kind in ("integer", "continuous", "boolean") and column.levels is None:
        text = cells.cast(pl.String).replace(_TRUTH)
        if column.kind == "boolean":
            digits = pl.when(text.is_in(["1", "0"])).then(text == "1")
            values = pl.select(pl.coalesce(values, digits)).to_series()
        else:
            values, _ = parse_column(text, column)
    if is_text(dtype) and column.kind == "datetime" and column.format is None:
        text = cells.cast(pl.String)
        values = pl.select(pl.coalesce([parse_moments(text, iso) for iso in _ISO])).to_series()
    return _within(values, column) if column.is_numeric else values


def _within(values: pl.Series, column: Column) -> pl.Series:
    """Numbers rounded to the declared decimals and moved to the nearest declared bound."""
    if column.kind == "datetime":
        low, high = (
            None if bound is None else round(seconds_of(str(bound), column.name) * 1e6)
            for bound in (column.minimum, column.maximum)
        )
        step = step_of(column)
        steps = values.cast(pl.Datetime("us")).to_physical() // step * step
        return steps.clip(low, high).cast(pl.Datetime("us"))
    if column.kind == "continuous":
        values = values.fill_nan(None)
        values = values if column.decimals is None else values.round(column.decimals)
    if column.kind == "integer":
        least = -MOST_FAR if column.minimum is None else max(float(column.minimum), -MOST_FAR)
        most = MOST_FAR if column.maximum is None else min(float(column.maximum), MOST_FAR)
        return values.clip(math.ceil(least), math.floor(most))
    return values.clip(column.minimum, column.maximum)


# ── the kind of frame ──────────────────────────────────────────────────────────────────────────────────────────────


def declared_kind(kind: FrameKind, raw: pl.DataFrame, schema: Schema) -> FrameKind:
    """The kind of frame to give out: the library that came in, with the types that the declaration implies.

    A table of text alone (a CSV) stays one. Elsewhere numbers, truth values and moments are text only where the declaration
    spells them (a word for missing, separators, a format, words for yes and no), integers are 64 bits wide, and a type that
    allows for missing values is chosen where the column is declared nullable, not where a value is missing. Taken from the
    frame, as public as its column names: the library, whether categories came as text or as numbers, whether moments are
    dates, times of day or have a time zone, and whether numbers are spans of time.
    """
    texts = all(kind.columns[name].dtype != "object" and _TEXT.match(kind.columns[name].dtype) for name in raw.columns)
    columns = {column.name: _kind(kind, raw.get_column(column.name), column, texts) for column in schema}
    return FrameKind(kind.library, columns)


def _kind(kind: FrameKind, cells: pl.Series, column: Column, texts: bool) -> ColumnKind:
    known = kind.columns[column.name]
    if texts or (_is_spelled(column) if column.kind not in ("categorical", "text", "id") else is_text(cells.dtype)):
        return _text_kind(kind.library, known, column)
    if column.kind in ("categorical", "text", "id"):
        word = "integer" if column.kind == "id" or _are_whole(column) else "continuous"
        if not cells.dtype.is_numeric() or (word == "continuous" and not _are_numbers(column)):
            return _text_kind(kind.library, known, column)
        return ColumnKind(_NUMBERS[kind.library][word, column.kind != "id" and nullable(column)])
    if column.kind == "datetime":
        return _moment_kind(kind.library, known, cells.dtype)
    if column.kind == "integer" and _SPAN.match(known.dtype):
        return ColumnKind(
            {"polars": "Duration(us)", "pandas": "timedelta64[us]", "pyarrow": "duration[us]"}[kind.library]
        )
    return ColumnKind(_NUMBERS[kind.library][column.kind, nullable(column)])


def _is_spelled(column: Column) -> bool:
    """Whether the declaration says how values are written."""
    return (
        any(field is not None for field in (column.missing, column.thousands, column.format, column.least_decimals))
        or (column.kind == "boolean" and column.levels is not None)
        or (column.kind == "integer" and column.decimals is not None)
        or column.decimal_mark != "."
    )


def _are_whole(column: Column) -> bool:
    return all(re.fullmatch(r"-?\d{1,18}", level) for level in column.levels or ())


def _are_numbers(column: Column) -> bool:
    return all(re.fullmatch(r"-?\d+(\.\d+)?", level) for level in column.levels or ())


def _text_kind(library: str, known: ColumnKind, column: Column) -> ColumnKind:
    """Text, or categories that are the declared levels."""
    levels = column.levels if column.kind == "categorical" else None
    if known.dtype in ("category", "Enum", "Categorical"):
        if known.dtype == "Categorical" or levels is None:
            return ColumnKind(known.dtype if known.dtype != "Enum" else "String", None, levels, known.ordered)
        return ColumnKind(known.dtype, None, levels, known.ordered)
    if library == "pandas" and not known.dtype.startswith(
        "string"
    ):  # one cell of another type makes an object of a str
        return ColumnKind(str(importlib.import_module("pandas").Series([""]).dtype))
    return ColumnKind(known.dtype if _TEXT.match(known.dtype) else "String" if library == "polars" else "string")


def _moment_kind(library: str, known: ColumnKind, dtype: pl.DataType) -> ColumnKind:
    zone = dtype.time_zone if isinstance(dtype, pl.Datetime) else None
    if library == "pandas":
        return ColumnKind("datetime64[us]" if zone is None else f"datetime64[us, {zone}]")
    if library == "pyarrow":
        plain = "timestamp[us]" if zone is None else f"timestamp[us, tz={zone}]"
        return ColumnKind(known.dtype if dtype in (pl.Date, pl.Time) else plain)
    if dtype in (pl.Date, pl.Time):
        return ColumnKind(str(dtype))
    return ColumnKind("Datetime(us)" if zone is None else f"Datetime(us, {zone})")


_NUMBERS: dict[str, dict[tuple[str, bool], str]] = {
    "polars": {
        (kind, gone): name
        for kind, name in (("integer", "Int64"), ("continuous", "Float64"), ("boolean", "Boolean"))
        for gone in (False, True)
    },
    "pandas": {
        ("integer", False): "int64", ("integer", True): "Int64", ("continuous", False): "float64",
        ("continuous", True): "float64", ("boolean", False): "bool", ("boolean", True): "boolean",
    },
    "pyarrow": {
        (kind, gone): name
        for kind, name in (("integer", "int64"), ("continuous", "double"), ("boolean", "bool"))
        for gone in (False, True)
    },
}  # fmt: skip
