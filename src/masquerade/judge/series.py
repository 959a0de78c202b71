"""Typed columns as the pictures need them: numbers, words, few digits."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
from numpy.typing import NDArray

from masquerade.schema import Column

__all__ = ["numbers", "short", "words"]


def numbers(values: pl.Series, column: Column) -> NDArray[np.float64]:
    """A column as float64, missing as NaN, moments in seconds since 1970, texts and ids by their length."""
    if column.kind == "datetime":
        stamps = values.cast(pl.Datetime("us")).dt.epoch("us").cast(pl.Float64) / 1e6
        return stamps.fill_null(math.nan).to_numpy()
    if column.kind in ("text", "id"):
        return values.cast(pl.String).str.len_chars().cast(pl.Float64).fill_null(math.nan).to_numpy()
    found = values.cast(pl.Float64).fill_null(math.nan).to_numpy()
    return np.where(np.isfinite(found), found, math.nan)


def words(values: pl.Series, column: Column) -> pl.Series:
    """A categorical or boolean column as text, a boolean in its schema's own words; missing stays null."""
    if values.dtype == pl.Boolean:
        false, true = column.levels if column.levels is not None and len(column.levels) == 2 else ("false", "true")
        return values.replace_strict({False: false, True: true}, return_dtype=pl.String)
    return values.cast(pl.String)


def short(value: float, digits: int = 4) -> float:
    """A number to so many significant digits."""
    return float(f"{value:.{digits}g}")
