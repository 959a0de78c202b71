"""Which codec a column gets."""

from __future__ import annotations

import warnings

import numpy as np
import polars as pl

from masquerade.codec.category import CategoryCodec
from masquerade.codec.column import ColumnCodec
from masquerade.codec.empty import EmptyCodec
from masquerade.codec.identifier import fit_identifier
from masquerade.codec.moment import MomentCodec
from masquerade.codec.numeric import NumericCodec
from masquerade.errors import MasqueradeWarning
from masquerade.schema import Column

__all__ = ["fit_column"]


def fit_column(
    values: pl.Series,
    column: Column,
    *,
    protect: int,
    units: pl.Series | None,
    discrete: bool,
    max_levels: int,
    is_unit: bool,
    declared: bool,
    rng: np.random.Generator,
) -> ColumnCodec:
    """Fit the codec that suits the column.

    Args:
        values: a typed column; null is missing.
        column: what it is.
        protect: how many units must share a level or value for it to be shown.
        units: unit of each row; None: each row is its own.
        discrete: whether every shared value is to be a level.
        max_levels: at most so many levels get a code.
        is_unit: whether this column says whose row it is.
        declared: whether the schema vouches for the column's levels.
        rng: of every draw.
    """
    there = values.drop_nulls() if values.dtype != pl.Float64 else values.drop_nulls().drop_nans()
    if there.is_empty():
        warnings.warn(f"column {column.name!r}: it is empty and stays so.", MasqueradeWarning, stacklevel=4)
        return EmptyCodec(str(values.dtype))
    if column.kind == "id" or is_unit:
        return fit_identifier(values, column, protect=protect, max_levels=max_levels, discrete=discrete, rng=rng)
    if column.is_numeric:
        holders = there.len() if units is None else units.filter(values.is_not_null()).n_unique()
        if holders < protect:
            warnings.warn(
                f"column {column.name!r}: only {holders} of the {protect} needed have a value, so it is left empty.",
                MasqueradeWarning,
                stacklevel=4,
            )
            return EmptyCodec(str(values.dtype))
        fit = MomentCodec.fit if column.kind == "datetime" else NumericCodec.fit
        return fit(values, column, protect=protect, units=units, discrete=discrete, max_levels=max_levels, rng=rng)
    return CategoryCodec.fit(
        values, column, protect=protect, units=units, max_levels=max_levels, declared=declared, rng=rng
    )
