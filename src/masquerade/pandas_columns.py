"""One pandas column to Polars and back, through NumPy arrays and Python lists; used by `masquerade.frames` alone."""

from __future__ import annotations

import datetime
import decimal
import importlib
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl

from masquerade.errors import MasqueradeWarning

__all__ = ["column_of_pandas", "pandas_of_column"]

_UNITS = {"s": "ms", "ms": "ms", "us": "us", "ns": "ns"}
_PLAIN: dict[str, Callable[[Any], Any]] = {
    "integer": int,
    "floating": float,
    "mixed-integer-float": float,
    "boolean": bool,
}
_INNER: dict[str, Any] = {
    "integer": pl.Int64,
    "floating": pl.Float64,
    "mixed-integer-float": pl.Float64,
    "boolean": pl.Boolean,
    "date": pl.Date,
    "datetime": pl.Datetime("us"),
    "datetime64": pl.Datetime("us"),
    "time": pl.Time,
    "decimal": None,
    "string": pl.String,
    "empty": pl.String,
}


def column_of_pandas(
    name: str, series: Any, *, cell_by_cell: bool = False
) -> tuple[pl.Series, str | None, tuple[Any, ...] | None, bool]:
    """A pandas series as Polars: (series, what an `object` holds, categories, whether they are ordered).

    `cell_by_cell` makes text of an `object`, each cell by itself.
    """
    dtype, missing = series.dtype, series.isna().to_numpy(dtype=bool)
    text = str(dtype)
    if text == "category":
        labels = [_json(value) for value in dtype.categories]
        codes = pl.Series(name, np.asarray(series.cat.codes), dtype=pl.Int64)
        spell = _text_of if cell_by_cell else str
        words = pl.Series("level", [spell(label) for label in labels], dtype=pl.String)
        picked = (
            words.gather(codes.set(codes < 0, None)).alias(name) if labels else pl.Series(name, [None] * len(series))
        )
        return picked.cast(pl.String).cast(pl.Categorical), None, tuple(labels), bool(dtype.ordered)
    if hasattr(dtype, "pyarrow_dtype"):
        arrow = importlib.import_module("pyarrow")
        return pl.Series(name, pl.from_arrow(arrow.array(series))), "arrow", None, False
    kind = getattr(dtype, "kind", "O")
    if kind == "M":
        return _moments(name, series, missing), None, None, False
    if kind == "m":
        unit = _UNITS[text.split("[")[1].rstrip("]")]
        counts = series.to_numpy().astype(f"timedelta64[{unit}]").astype(np.int64)
        return _with_nulls(pl.Series(name, counts), missing).cast(pl.Duration(unit)), None, None, False  # type: ignore[arg-type]
    if kind in "iufb" and isinstance(dtype, np.dtype):
        return _with_nulls(pl.Series(name, series.to_numpy()), missing), None, None, False
    if kind in "iufb":
        native = np.dtype(dtype.numpy_dtype)
        filled = series.to_numpy(dtype=native, na_value=native.type(0))
        return _with_nulls(pl.Series(name, filled), missing), None, None, False
    if cell_by_cell and text == "object":
        cells = zip(series.to_numpy(dtype=object), missing, strict=True)
        texts = [None if gone else _text_of(value) for value, gone in cells]
        return pl.Series(name, texts, dtype=pl.String), "string", None, False
    return *_objects(name, series, missing), None, False


def _text_of(value: Any) -> str:
    """One cell as text: whole numbers without decimals, dates and times as ISO 8601, `"true"` and `"false"`."""
    if isinstance(value, bool | np.bool_):
        return str(value).lower()
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value.isoformat()) if hasattr(value, "isoformat") else str(value)


def _with_nulls(column: pl.Series, missing: np.ndarray[Any, Any]) -> pl.Series:
    return column.set(pl.Series(missing), None) if missing.any() else column


def _moments(name: str, series: Any, missing: np.ndarray[Any, Any]) -> pl.Series:
    zone = getattr(series.dtype, "tz", None)
    naive = series if zone is None else series.dt.tz_convert("UTC").dt.tz_localize(None)
    values = naive.to_numpy()
    unit = _UNITS[np.datetime_data(values.dtype)[0]]
    counts = _with_nulls(pl.Series(name, values.astype(f"datetime64[{unit}]").astype(np.int64)), missing)
    moments = counts.cast(pl.Datetime(unit))  # type: ignore[arg-type]
    return moments if zone is None else moments.dt.replace_time_zone("UTC").dt.convert_time_zone(str(zone))


def _objects(name: str, series: Any, missing: np.ndarray[Any, Any]) -> tuple[pl.Series, str]:
    inner = str(importlib.import_module("pandas").api.types.infer_dtype(series, skipna=True))
    values = [None if gone else value for value, gone in zip(series.to_numpy(dtype=object), missing, strict=True)]
    if inner in _INNER:
        convert = _PLAIN.get(inner)
        plain = values if convert is None else [None if value is None else convert(value) for value in values]
        try:
            return pl.Series(name, plain, dtype=_INNER[inner]), inner
        except (OverflowError, TypeError, pl.exceptions.PolarsError):
            inner = "mixed"
    if inner not in ("period", "interval"):
        warnings.warn(
            f"column {name!r}: its values are of mixed types ({inner}); they become text.", MasqueradeWarning, 4
        )
    return pl.Series(name, [None if value is None else str(value) for value in values], dtype=pl.String), inner


def _json(value: Any) -> Any:
    plain = value.item() if isinstance(value, np.generic) else value
    return plain if isinstance(plain, str | int | float | bool) else str(plain)


def pandas_of_column(
    column: pl.Series, dtype: str | None, inner: str | None, categories: tuple[Any, ...] | None, ordered: bool
) -> Any:
    """A Polars series as pandas, in the dtype it had; one that can hold the values where the old one cannot."""
    pandas = importlib.import_module("pandas")
    if dtype is None:
        dtype = _default(column)
    if dtype == "category":
        words = column.cast(pl.String)
        named: dict[str, Any] = {str(category): category for category in categories or ()}
        named |= {word: word for word in words.drop_nulls().unique(maintain_order=True) if word not in named}
        order = pl.Series(list(named), dtype=pl.String)
        codes = words.replace_strict(order, pl.Series(range(len(named)), dtype=pl.Int64), default=None).fill_null(-1)
        made = pandas.CategoricalDtype(list(named.values()), ordered=ordered)
        return pandas.Categorical.from_codes(codes.to_numpy(), dtype=made)
    if dtype.startswith("datetime64"):
        return _pandas_moments(pandas, column, dtype)
    if dtype.startswith("timedelta64"):
        counts = column.cast(pl.Duration("us")).to_physical()
        values = counts.fill_null(np.iinfo(np.int64).min).to_numpy().astype("timedelta64[us]")
        return pandas.Series(values).astype(dtype)
    if dtype == "object":
        return pandas.Series(_objects_of(column, inner), dtype=object)
    if column.null_count() and dtype == "bool":
        dtype = "boolean"
    if column.null_count() and dtype.startswith(("int", "uint")) and not dtype.endswith("[pyarrow]"):
        dtype = dtype.replace("uint", "UInt") if dtype.startswith("uint") else dtype.replace("int", "Int")
    if dtype in (
        "bool",
        "int8",
        "int16",
        "int32",
        "int64",
        "uint8",
        "uint16",
        "uint32",
        "uint64",
        "float32",
        "float64",
    ):
        if not (column.dtype.is_numeric() or column.dtype == pl.Boolean):
            return pandas.Series(column.to_list())
        floats = column.dtype.is_float() or dtype.startswith("float")
        values = column.cast(pl.Float64).fill_null(np.nan).to_numpy() if floats else column.to_numpy()
        return pandas.Series(values).astype(dtype)
    plain: list[Any] = column.to_list()
    if inner == "arrow" and dtype == "string[pyarrow]":  # pandas would take this for another type
        return pandas.Series(plain, dtype=pandas.ArrowDtype(importlib.import_module("pyarrow").string()))
    if column.dtype.is_float() and dtype.startswith(("Int", "UInt")):
        plain = [None if value is None else round(value) for value in plain]
    try:
        return pandas.Series(pandas.array(plain, dtype=dtype))
    except (TypeError, ValueError):
        return pandas.Series(plain, dtype=object)


def _default(column: pl.Series) -> str:
    """The pandas dtype of a column that was not in the input."""
    if column.dtype == pl.Boolean:
        return "bool"
    if column.dtype.is_numeric() and not column.dtype.is_decimal():
        return str(column.dtype).lower()
    if isinstance(column.dtype, pl.Datetime):
        return "datetime64[us]" if column.dtype.time_zone is None else f"datetime64[us, {column.dtype.time_zone}]"
    return "category" if isinstance(column.dtype, pl.Categorical | pl.Enum) else "object"


def _pandas_moments(pandas: Any, column: pl.Series, dtype: str) -> Any:
    zone = column.dtype.time_zone if isinstance(column.dtype, pl.Datetime) else None
    naive = column if zone is None else column.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
    unit = dtype.removeprefix("datetime64[").rstrip("]").split(",")[0]
    counts = naive.cast(pl.Datetime(_UNITS[unit])).to_physical().fill_null(np.iinfo(np.int64).min)  # type: ignore[arg-type]
    made = pandas.Series(counts.to_numpy().astype(f"datetime64[{_UNITS[unit]}]").astype(f"datetime64[{unit}]"))
    if "," not in dtype:
        return made
    return made.dt.tz_localize("UTC").dt.tz_convert(dtype.split(",")[1].strip(" ]"))


def _objects_of(column: pl.Series, inner: str | None) -> np.ndarray[Any, Any]:
    values = column.to_list()
    if inner == "decimal":
        values = [None if value is None else decimal.Decimal(str(value)) for value in values]
    elif inner == "date":
        values = [value.date() if isinstance(value, datetime.datetime) else value for value in values]
    made = np.empty(len(values), dtype=object)
    made[:] = values
    return made
