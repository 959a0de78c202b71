"""Any user's data frame to Polars and back: the only module that knows pandas from Polars from PyArrow.

Narwhals recognises the frame. Neither pandas nor PyArrow has to be installed, and pandas columns travel as NumPy arrays
and Python lists, so pandas does not need PyArrow either. Frames are never mutated.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import narwhals as nw
import numpy as np
import polars as pl

from masquerade.errors import TableError
from masquerade.native_types import arrow_type, polars_dtype, polars_name
from masquerade.pandas_columns import column_of_pandas, pandas_of_column
from masquerade.schema import Schema

__all__ = ["LEAST_ROWS", "ColumnKind", "FrameKind", "Library", "check_table", "from_polars", "to_polars"]

Library = Literal["polars", "pandas", "pyarrow"]
LEAST_ROWS = 10
"""Fewer rows than this are no table to learn from."""
_ACCEPTED = "expected a pandas or Polars DataFrame or a PyArrow Table"
_NESTED = (pl.List, pl.Array, pl.Struct, pl.Object, pl.Binary)


@dataclass(frozen=True)
class ColumnKind:
    """The native type of one column.

    Args:
        dtype: the library's own name of the type, such as `Int64`, `datetime64[us, UTC]` or `timestamp[us]`.
        inner: what the values of a pandas `object` or `category` column are, such as `date`.
        categories: the categories of a categorical type, in order; None elsewhere.
        ordered: whether they are ordered.
    """

    dtype: str
    inner: str | None = None
    categories: tuple[Any, ...] | None = None
    ordered: bool = False


@dataclass(frozen=True)
class FrameKind:
    """What is needed to give back the kind of frame that came in.

    Args:
        library: `"polars"`, `"pandas"` or `"pyarrow"`.
        columns: native type by column name.
    """

    library: Library
    columns: Mapping[str, ColumnKind] = field(default_factory=dict)

    def protected(self, schema: Schema) -> FrameKind:
        """The same kind without categories that the schema does not list, so that no rare level travels in a type."""
        kept: dict[str, ColumnKind] = {}
        for name, kind in self.columns.items():
            categories = kind.categories
            if categories is not None:
                levels = set(schema[name].levels or ()) if name in schema else set()
                categories = tuple(c for c in categories if str(c) in levels)
            kept[name] = ColumnKind(kind.dtype, kind.inner, categories, kind.ordered)
        return FrameKind(self.library, kept)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        columns: dict[str, Any] = {}
        for name, kind in self.columns.items():
            fields: dict[str, Any] = {"dtype": kind.dtype}
            if kind.inner is not None:
                fields["inner"] = kind.inner
            if kind.categories is not None:
                fields |= {"categories": list(kind.categories), "ordered": kind.ordered}
            columns[name] = fields
        return {"library": self.library, "columns": columns}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> FrameKind:
        """The reverse of `to_dict`."""
        if data.get("library") not in get_args(Library):
            raise TableError(
                f"frame: library is {data.get('library')!r}, expected one of {', '.join(get_args(Library))}."
            )
        columns = {}
        for name, fields in data["columns"].items():
            categories = None if fields.get("categories") is None else tuple(fields["categories"])
            columns[name] = ColumnKind(fields["dtype"], fields.get("inner"), categories, fields.get("ordered", False))
        return cls(data["library"], columns)


def to_polars(native: Any, *, cell_by_cell: bool = False) -> tuple[pl.DataFrame, FrameKind]:
    """A user's frame as Polars, values as they were, and what kind of frame it was.

    Missing values of pandas become nulls; object columns of mixed types become text, with a warning.

    Args:
        native: a pandas or Polars DataFrame, a PyArrow Table, or a Narwhals DataFrame of one of them.
        cell_by_cell: object columns of pandas become text, each cell by itself, so that none changes how others are read.

    Raises:
        TableError: it is something else, has a name twice, or a column of lists, structs or bytes.

    >>> frame, kind = to_polars(pl.DataFrame({"age": [30, 40]}))
    >>> kind.library
    'polars'
    """
    native = nw.to_native(native, pass_through=True)
    if isinstance(native, pl.LazyFrame):
        raise TableError(f"table: got a Polars LazyFrame, {_ACCEPTED}; call .collect() first.")
    names = _names(native)
    recognised = nw.from_native(native, eager_only=True, pass_through=True) if names is not None else None
    if not isinstance(recognised, nw.DataFrame) or names is None:
        raise TableError(f"table: got {type(native).__module__}.{type(native).__qualname__}, {_ACCEPTED}.")
    columns: dict[str, ColumnKind] = {}
    if recognised.implementation.is_pandas():
        series = []
        for position, name in enumerate(names):
            cells = native.iloc[:, position]
            column, inner, categories, ordered = column_of_pandas(name, cells, cell_by_cell=cell_by_cell)
            series.append(column)
            columns[name] = ColumnKind(str(native.dtypes.iloc[position]), inner, categories, ordered)
        return _checked(pl.DataFrame(series)), FrameKind("pandas", columns)
    if recognised.implementation.is_polars():
        for name, dtype in native.schema.items():
            enum = tuple(dtype.categories.to_list()) if isinstance(dtype, pl.Enum) else None
            columns[name] = ColumnKind(polars_name(dtype), None, enum, enum is not None)
        return _checked(native), FrameKind("polars", columns)
    if recognised.implementation.is_pyarrow():
        columns = {name: ColumnKind(str(type_)) for name, type_ in zip(names, native.schema.types, strict=True)}
        converted = pl.from_arrow(native)
        assert isinstance(converted, pl.DataFrame)
        return _checked(converted), FrameKind("pyarrow", columns)
    raise TableError(f"table: got a {recognised.implementation.name.lower()} frame, {_ACCEPTED}.")


def from_polars(frame: pl.DataFrame, kind: FrameKind) -> Any:
    """A Polars frame as the kind of frame that came in, each known column in its native type.

    Columns that the kind does not know keep their type. A column that cannot take its old type without losing a value
    (a missing one among pandas' `int64`) gets the nearest type that can.

    >>> from_polars(pl.DataFrame({"a": [1]}), FrameKind("polars", {"a": ColumnKind("Int8")}))["a"].dtype
    Int8
    """
    if kind.library == "pandas":
        pandas = _library("pandas")
        series = {
            column.name: pandas_of_column(column, *_fields(kind.columns.get(column.name)))
            for column in frame.get_columns()
        }
        return pandas.DataFrame(series, index=pandas.RangeIndex(frame.height))
    columns = [_cast(column, kind) for column in frame.get_columns()]
    if kind.library == "polars":
        return pl.DataFrame(columns)
    return _to_arrow(pl.DataFrame(columns), kind)


def _fields(kind: ColumnKind | None) -> tuple[str | None, str | None, tuple[Any, ...] | None, bool]:
    return (None, None, None, False) if kind is None else (kind.dtype, kind.inner, kind.categories, kind.ordered)


def _library(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise TableError(
            f"frame: the table came from {name}, which is not installed here; run `pip install {name}`."
        ) from error


def _names(native: Any) -> list[str] | None:
    """Column names as text, or None when this is no frame; raises on a name that is there twice."""
    columns = getattr(native, "column_names", None) or getattr(native, "columns", None)
    if columns is None or not hasattr(native, "shape") or isinstance(native, np.ndarray):
        return None
    names = list(columns)
    if names and not isinstance(names[0], str) and hasattr(names[0], "__arrow_array__"):
        return None
    for name in names:
        if isinstance(name, tuple):
            raise TableError(
                f"column {name!r}: names in several levels are not supported; join them into one text each."
            )
    texts = [str(name) for name in names]
    for name in texts:
        if texts.count(name) > 1:
            raise TableError(
                f"column {name!r}: there are {texts.count(name)} columns of this name, expected one; rename them."
            )
    return texts


def _checked(frame: pl.DataFrame) -> pl.DataFrame:
    for name, dtype in frame.schema.items():
        if isinstance(dtype, _NESTED):
            raise TableError(
                f"column {name!r}: holds {dtype}, expected numbers, text, dates or booleans; drop the column or "
                "turn it into text."
            )
    return frame


def _cast(column: pl.Series, kind: FrameKind) -> pl.Series:
    known = kind.columns.get(column.name)
    if known is None or kind.library != "polars":
        return column
    categories = known.categories
    if categories is not None:
        new = column.cast(pl.String).drop_nulls().unique(maintain_order=True).to_list()
        categories = tuple(dict.fromkeys([*categories, *new]))
        column = column.cast(pl.String)
    dtype = polars_dtype(known.dtype, categories)
    return column if dtype is None or dtype == column.dtype else _widened(column, dtype)


def _widened(column: pl.Series, dtype: pl.DataType) -> pl.Series:
    """The cast column, or the column as it is when a value would be lost."""
    if isinstance(dtype, pl.Datetime) and isinstance(column.dtype, pl.Datetime) and dtype.time_zone is not None:
        column = column if column.dtype.time_zone is not None else column.dt.replace_time_zone("UTC")
        return column.dt.convert_time_zone(dtype.time_zone).cast(dtype)
    cast = column.cast(dtype, strict=False)
    return cast if cast.null_count() == column.null_count() else column


def _to_arrow(frame: pl.DataFrame, kind: FrameKind) -> Any:
    pyarrow = _library("pyarrow")
    table = frame.to_arrow()
    arrays = []
    for name in frame.columns:
        array, known = table.column(name), kind.columns.get(name)
        wanted = None if known is None else arrow_type(pyarrow, known.dtype)
        if wanted is not None and wanted != array.type:
            try:
                array = array.cast(wanted)
            except (pyarrow.ArrowInvalid, pyarrow.ArrowNotImplementedError):
                array = table.column(name)
        elif known is None and array.type == pyarrow.large_string():
            array = array.cast(pyarrow.string())
        arrays.append(array)
    return pyarrow.table(arrays, names=frame.columns)


def check_table(raw: pl.DataFrame, *, least_rows: int = LEAST_ROWS) -> None:
    """Refuse a table that cannot be modelled or judged as it is.

    Args:
        raw: a table, raw or typed.
        least_rows: fewer rows than this are refused.

    Raises:
        TableError: it has no column, too few rows, or an infinite number (the message says where).
    """
    if raw.width == 0:
        raise TableError("table: it has no column, expected at least one.")
    if raw.height < least_rows:
        raise TableError(f"table: it has {raw.height} rows, expected at least {least_rows}.")
    for column in raw.get_columns():
        if column.dtype.is_float() and (infinite := column.is_infinite()).any():
            row = int(infinite.fill_null(False).arg_max() or 0) + 1
            raise TableError(
                f"column {column.name!r}, row {row}: the number is infinite, expected a finite one; correct it or "
                "leave it empty."
            )
