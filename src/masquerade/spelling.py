"""A table's own spelling and its typed values: `parse` reads one into the other, `spell` writes back.

A *raw* table is as its owner had it: in a CSV every cell is text and an empty cell is `""`; a frame has its own types.
A *typed* table has Int64 (integer), Float64 (continuous), String (categorical, text, id), Boolean and Datetime("us"),
and null means missing. Moments with a time zone become UTC, times of day lie on 1 January 1970, durations count
microseconds.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable
from datetime import datetime

import polars as pl

from masquerade.cells import TYPED, is_text, number_style, parse_column
from masquerade.errors import MasqueradeWarning, SchemaError, TableError, nearest
from masquerade.frames import FrameKind
from masquerade.moments_format import spell_moments
from masquerade.numbers_format import spell_numbers
from masquerade.schema import Column, Schema

__all__ = ["TYPED", "check_declared", "is_text", "number_style", "parse", "parse_column", "spell"]

_EXPECTED = {
    "integer": "a whole number",
    "continuous": "a number",
    "boolean": "one of its two words",
    "datetime": "a date or time",
}
_DAY = 86_400_000_000


def parse(raw: pl.DataFrame, schema: Schema, *, strict: bool = True) -> pl.DataFrame:
    """The typed values of a raw table, in the schema's order.

    Args:
        raw: a table as `files.read_table` or `frames.to_polars` gives it; its columns in any order.
        schema: what the columns are.
        strict: refuse a cell that does not fit; False: count it as missing and drop unknown columns, with a warning
            each.

    Raises:
        SchemaError: a column is missing or unexpected, a cell does not fit its column's kind, or a declared schema's
            bounds or levels are not met. The message names the column and the row (from 1, the header not counted).
        TableError: a number is infinite.

    >>> from masquerade.schema import Column, Schema
    >>> schema = Schema((Column("age", "integer", missing="?"),))
    >>> parse(pl.DataFrame({"age": ["30", "?"]}), schema)["age"].to_list()
    [30, None]
    """
    _match_columns(raw.columns, schema, strict=strict)
    typed = []
    for column in schema:
        cells = raw.get_column(column.name)
        values, missing = parse_column(cells, column)
        odd = values.is_null() & ~missing
        if odd.any():
            _refuse_odd(column, odd, strict=strict)
        if values.dtype.is_float() and (infinite := values.is_infinite().fill_null(False)).any():
            raise TableError(
                f"column {column.name!r}, row {_row(infinite)}: the number is infinite, expected a finite one; "
                "correct it or leave it empty."
            )
        if schema.declared and strict:
            check_declared(values, column)
        typed.append(values)
    return pl.DataFrame(typed)


def _match_columns(names: Iterable[str], schema: Schema, *, strict: bool) -> None:
    found = set(names)
    for name in schema.names:
        if name not in found:
            raise SchemaError(
                f"column {name!r} is in the schema but not in the table{nearest(name, found - set(schema.names))}."
            )
    for name in found.difference(schema.names):
        if strict:
            raise SchemaError(
                f"column {name!r} is in the table but not in the schema{nearest(name, schema.names)}; add it "
                "there or drop it."
            )
        warnings.warn(f"column {name!r} is not in the schema; it is left out.", MasqueradeWarning, stacklevel=4)


def _row(flags: pl.Series) -> int:
    return int(flags.arg_max() or 0) + 1


def _refuse_odd(column: Column, odd: pl.Series, *, strict: bool) -> None:
    expected = _EXPECTED.get(column.kind, "text")
    if column.kind == "datetime" and column.format is not None:
        expected += f" written as {column.format}"
    if column.kind == "boolean" and column.levels is not None:
        expected = " or ".join(map(repr, column.levels))
    if strict:
        raise SchemaError(
            f"column {column.name!r}, row {_row(odd)}: the cell does not fit, expected {expected}; correct it, or "
            "change the "
            f"column's kind ({column.kind}) in the schema ({odd.sum()} of {odd.len()} rows are like this)."
        )
    warnings.warn(
        f"column {column.name!r}: {odd.sum()} of {odd.len()} cells are not {expected} (first in row {_row(odd)}); "
        "they count as "
        "missing.",
        MasqueradeWarning,
        stacklevel=3,
    )


def check_declared(values: pl.Series, column: Column, *, whole: bool = True) -> None:
    """Raise `SchemaError` where typed values lie beyond what a declared schema says of the column.

    Args:
        values: of the column; all of them, row by row, if `whole`, else some.
        column: with declared bounds or levels.
        whole: whether the message can say in which row.
    """

    def place(flags: pl.Series) -> tuple[str, str]:
        if whole:
            return f", row {_row(flags)}", f" ({flags.sum()} of {flags.len()} rows are like this)"
        return "", ""

    bounds: list[tuple[str, float | int | str | None]] = [("minimum", column.minimum), ("maximum", column.maximum)]
    for word, bound in bounds if column.is_numeric else ():
        if bound is None:
            continue
        limit = moment(str(bound), column) if column.kind == "datetime" else float(bound)
        beyond = (values < limit if word == "minimum" else values > limit).fill_null(False)
        if beyond.any():
            where, many = place(beyond)
            raise SchemaError(
                f"column {column.name!r}{where}: the value lies beyond the declared {word} {bound}; "
                f"correct the cell or the schema{many}."
            )
    if column.kind == "categorical" and column.levels is not None:
        unknown = values.is_not_null() & ~values.is_in(list(column.levels))
        if unknown.any():
            where, many = place(unknown)
            raise SchemaError(
                f"column {column.name!r}{where}: the value is not among the {len(column.levels)} declared levels; "
                f"correct the cell or the schema{many}."
            )


def moment(text: str, column: Column) -> datetime:
    """A bound of a datetime column, from ISO 8601 text."""
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise SchemaError(
            f"column {column.name!r}: the bound {text!r} is no moment, expected ISO 8601 such as 2019-12-31 or "
            "2019-12-31T08:00:00."
        ) from error


def spell(typed: pl.DataFrame, schema: Schema, kind: FrameKind | None = None) -> pl.DataFrame:
    """Typed values in the spelling of the table they came from: the reverse of `parse`.

    Args:
        typed: a typed table; a column that the schema does not know is passed through as it is.
        schema: what the columns are and how they are spelled.
        kind: the frame the table came from, which says whether a column was text; None: a CSV, all text.

    Returns:
        A raw table, to be written by `files.write_table` or turned into a native frame by `frames.from_polars`.

    >>> from masquerade.schema import Column, Schema
    >>> schema = Schema((Column("age", "integer", missing="?"),))
    >>> spell(pl.DataFrame({"age": [30, None]}), schema)["age"].to_list()
    ['30', '?']
    """
    columns = []
    for values in typed.get_columns():
        if values.name not in schema:
            columns.append(values)
            continue
        column = schema[values.name]
        native = _native_type(kind, values.name)
        spelled = _spell_text(values, column) if native == "text" else _spell_native(values, column, native)
        columns.append(spelled.alias(values.name))
    return pl.DataFrame(columns)


_TEXT_TYPES = re.compile(
    r"^(String|str|string.*|object|category|Categorical.*|Enum.*|large_string.*|dictionary<values=(large_)?string.*)$"
)


def _native_type(kind: FrameKind | None, name: str) -> str:
    """`"text"`, or what the column's cells were: `"integer"`, `"float"`, `"time"`, `"duration"`, `"other"`."""
    if kind is None or name not in kind.columns:
        return "text" if kind is None else "other"
    known = kind.columns[name]
    if known.inner in (
        "date",
        "datetime",
        "datetime64",
        "integer",
        "floating",
        "mixed-integer-float",
        "boolean",
        "decimal",
    ):
        return "integer" if known.inner == "integer" else "other"
    lowered = known.dtype.lower()
    if (
        known.inner == "time"
        or lowered.startswith("time[")
        or lowered in ("time", "time64[us]", "time64[ns]", "time32[s]", "time32[ms]")
    ):
        return "time"
    if lowered.startswith(("timedelta", "duration")):
        return "duration"
    if lowered.startswith(("int", "uint")):
        return "integer"
    if lowered.startswith(("float", "double")):
        return "float"
    return "text" if _TEXT_TYPES.match(known.dtype) else "other"


def _spell_text(values: pl.Series, column: Column) -> pl.Series:
    if values.dtype == pl.String:
        text = values
    elif column.kind == "datetime":
        text = spell_moments(values, column.format or _iso(values))
    elif column.kind == "boolean":
        false, true = column.levels if column.levels is not None and len(column.levels) == 2 else ("false", "true")
        text = pl.select(pl.when(values).then(pl.lit(true)).when(~values).then(pl.lit(false))).to_series()
    else:
        decimals, least = column.decimals, column.least_decimals
        text = spell_numbers(values, number_style(column), decimals=decimals, least=least)
    return text if column.missing is None else text.fill_null(column.missing)


def _iso(values: pl.Series) -> str:
    counts = values.drop_nulls().to_physical()
    if (counts % _DAY == 0).all():
        return "%Y-%m-%d"
    return "%Y-%m-%dT%H:%M:%S" if (counts % 1_000_000 == 0).all() else "%Y-%m-%dT%H:%M:%S.%6f"


def _spell_native(values: pl.Series, column: Column, native: str) -> pl.Series:
    if column.kind == "datetime":
        if native == "time":
            return values.dt.time()
        if native == "integer" and column.format is not None:
            return spell_moments(values, column.format).cast(pl.Int64, strict=False)
        return values
    if values.dtype == pl.String and native in ("integer", "float"):
        numbers = values.cast(pl.Int64 if native == "integer" else pl.Float64, strict=False)
        return numbers if numbers.null_count() == values.null_count() else values
    if native == "duration" and values.dtype.is_integer():
        return values.cast(pl.Duration("us"))
    if values.dtype.is_float() and column.decimals is not None:
        return values.round(column.decimals)
    return values
