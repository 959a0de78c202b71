"""Rows that are planted: they lie within what is declared, and combine what no other row combines."""

from __future__ import annotations

import math
import secrets
from datetime import datetime
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from masquerade.schema import Column, Schema

__all__ = ["random_rows", "rare_row"]

_COMMON = 0.5  # a value counts as common with this part of an even share of the rows
_CLOSE = 0.05  # numbers within this share of the declared range count as alike


def rare_row(typed: pl.DataFrame, schema: Schema) -> pl.DataFrame:
    """One typed row of common values that hardly another row has together.

    Values are chosen column by column: among the common ones that with which the fewest rows agree in all columns so far. (A
    value that nobody has would be no easier to find: where counts below 0 are cut off, noise hides it better.)

    Args:
        typed: the rows that it is to stand out from.
        schema: declared. Where levels are not, one that nobody else has is made up; where bounds are not, a value far beyond.

    >>> table = pl.DataFrame({"a": ["x"] * 5 + ["y"] * 5, "b": ["u"] * 5 + ["v"] * 5})
    >>> levels = {"a": ("x", "y"), "b": ("u", "v")}
    >>> schema = Schema(tuple(Column(name, "categorical", levels=some) for name, some in levels.items()))
    >>> rare_row(table, schema).row(0)
    ('x', 'v')
    """
    left = np.ones(typed.height, dtype=bool)
    row = {}
    for column in schema:
        values = typed.get_column(column.name)
        best: tuple[float, float, Any, Any] | None = None
        for value in _choices(column, schema.unit):
            alike = _alike(values, value, column)
            common = alike.sum() >= _COMMON * typed.height / max(len(_choices(column, schema.unit)), 1)
            found = (float((left & alike).sum()) if common else math.inf, -float(alike.sum()), value, alike)
            if best is None or found[:2] < best[:2]:
                best = found
        assert best is not None, "a column has at least one value"
        row[column.name] = best[2]
        left &= best[3]
    return pl.DataFrame({name: [value] for name, value in row.items()}, schema=typed.schema)


def random_rows(typed: pl.DataFrame, schema: Schema, count: int) -> pl.DataFrame:
    """Typed rows whose values are drawn evenly from what is declared, each on its own, by the operating system's randomness."""
    random = np.random.default_rng(secrets.randbits(128))
    columns = {}
    for column in schema:
        choices = _choices(column, schema.unit)
        if column.name == schema.unit or column.kind == "id":
            columns[column.name] = [f"canary {i}" for i in range(count)]
        else:
            columns[column.name] = [choices[i] for i in random.integers(0, len(choices), count)]
    return pl.DataFrame(columns, schema=typed.schema)


def _choices(column: Column, unit: str | None) -> list[Any]:
    """Values that a canary may have."""
    if column.name == unit or column.kind in ("id", "text"):
        return ["canary"]
    if column.kind == "boolean":
        return [False, True]
    if column.kind == "categorical":
        return list(column.levels) if column.levels else ["canary"]
    low, high = column.minimum, column.maximum
    if column.kind == "datetime":
        first, last = (datetime.fromisoformat(str(end or "2000-01-01")).replace(tzinfo=None) for end in (low, high))
        return [first, first + (last - first) / 2, last] if last > first else [first]
    if low is None or high is None:
        return [10**12] if column.kind == "integer" else [1e12]
    spots = np.linspace(float(low), float(high), 5)
    return sorted({round(x) if column.kind == "integer" else round(float(x), column.decimals or 4) for x in spots})


def _alike(values: pl.Series, value: Any, column: Column) -> NDArray[np.bool_]:
    alike = values == value
    if column.kind in ("integer", "continuous") and column.minimum is not None and column.maximum is not None:
        reach = _CLOSE * (float(column.maximum) - float(column.minimum))
        alike = (values.cast(pl.Float64) - float(value)).abs() <= reach
    return np.asarray(alike.fill_null(False).to_numpy(), bool)
