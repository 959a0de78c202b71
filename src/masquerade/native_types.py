"""The types of Polars and PyArrow by name, so that a frame's types can be kept as plain text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl

__all__ = ["arrow_type", "polars_dtype", "polars_name"]


def polars_name(dtype: pl.DataType) -> str:
    """The name of a Polars type, as `polars_dtype` reads it.

    >>> polars_name(pl.Datetime("us", "UTC"))
    'Datetime(us, UTC)'
    """
    if isinstance(dtype, pl.Datetime):
        return f"Datetime({dtype.time_unit}{'' if dtype.time_zone is None else ', ' + dtype.time_zone})"
    if isinstance(dtype, pl.Duration):
        return f"Duration({dtype.time_unit})"
    if isinstance(dtype, pl.Decimal):
        return f"Decimal({dtype.precision}, {dtype.scale})"
    return str(dtype.base_type())


def polars_dtype(name: str, categories: tuple[Any, ...] | None) -> pl.DataType | None:
    """The Polars type of a name; None when there is no such type."""
    base, _, inside = name.rstrip(")").partition("(")
    parts: list[Any] = [part.strip() for part in inside.split(",")] if inside else []
    if base == "Enum":
        return pl.Enum(list(categories or ()))
    makers: dict[str, Callable[..., pl.DataType]] = {
        "Datetime": pl.Datetime,
        "Duration": pl.Duration,
        "Decimal": lambda precision, scale: pl.Decimal(int(precision), int(scale)),
    }
    maker = makers.get(base) or getattr(pl, base, None)
    return None if maker is None else maker(*parts)


def arrow_type(pyarrow: Any, name: str) -> Any:
    """The PyArrow type of its own name, such as `timestamp[us, tz=UTC]`; None when there is no such type."""
    base, _, inside = name.rstrip(">])").replace("<", "[").replace("(", "[").partition("[")
    pairs = [part.strip().rpartition("=") for part in inside.split(",")]
    parts = {key: value for key, _, value in pairs}
    if base == "timestamp":
        return pyarrow.timestamp(parts[""], parts.get("tz"))
    if base in ("decimal32", "decimal64", "decimal128", "decimal256"):
        return getattr(pyarrow, base)(*(int(part) for part in inside.split(",")))
    if base == "dictionary":
        values, indices = arrow_type(pyarrow, parts["values"]), arrow_type(pyarrow, parts["indices"])
        return pyarrow.dictionary(indices, values, parts["ordered"] == "1")
    try:
        return pyarrow.type_for_alias(name)
    except ValueError:
        makers = {"large_string": pyarrow.large_string, "string_view": pyarrow.string_view, "null": pyarrow.null}
        return makers[name]() if name in makers else None
