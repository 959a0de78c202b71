"""Which codec a column gets."""

from __future__ import annotations

import functools
import warnings

import numpy as np
import polars as pl

from masquerade.codec.category import CategoryCodec
from masquerade.codec.column import ColumnCodec
from masquerade.codec.empty import EmptyCodec
from masquerade.codec.identifier import fit_identifier
from masquerade.codec.moment import MomentCodec
from masquerade.codec.numeric import NumericCodec
from masquerade.codec.quantile import QuantileCodec
from masquerade.errors import MasqueradeWarning
from masquerade.privacy.counts import Counts
from masquerade.schema import Column

__all__ = ["covers", "fit_column"]

MOST_UNCOVERED = 0.02


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
    quantiles: bool = False,
    counts: Counts | None = None,
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
        quantiles: whether numbers and moments become quantile bins, else a mixture with a scalar beside it.
        counts: of the larger table that `values` are a sample of; None: `values` are all there is.
        rng: of every draw.
    """
    there = values.drop_nulls() if values.dtype != pl.Float64 else values.drop_nulls().drop_nans()
    if there.is_empty() if counts is None else not counts.there:
        warnings.warn(f"column {column.name!r}: it is empty and stays so.", MasqueradeWarning, stacklevel=4)
        return EmptyCodec(str(values.dtype))
    if column.kind == "id" or is_unit:
        return fit_identifier(values, protect=protect, max_levels=max_levels, discrete=discrete, counts=counts, rng=rng)
    if column.is_numeric:
        if counts is not None:
            holders = counts.units
        else:
            holders = there.len() if units is None else units.filter(values.is_not_null()).n_unique()
        if holders < protect:
            warnings.warn(
                f"column {column.name!r}: only {holders} of the {protect} needed have a value, so it is left empty.",
                MasqueradeWarning,
                stacklevel=4,
            )
            return EmptyCodec(str(values.dtype))
        numbers = QuantileCodec if quantiles else NumericCodec
        fit = functools.partial(MomentCodec.fit, numbers=numbers) if column.kind == "datetime" else numbers.fit
        return fit(
            values,
            column,
            protect=protect,
            units=units,
            discrete=discrete,
            max_levels=max_levels,
            counts=counts,
            rng=rng,
        )
    return CategoryCodec.fit(
        values, column, protect=protect, units=units, max_levels=max_levels, declared=declared, counts=counts, rng=rng
    )


def covers(codec: ColumnCodec, values: pl.Series) -> bool:
    """Whether a codec fitted to another table serves this column too: no kind of cell is new, and at most 2 % of values."""
    if isinstance(codec, QuantileCodec | MomentCodec):
        if values.dtype.is_numeric() != isinstance(codec, QuantileCodec) or (values.null_count() and not codec.missing):
            return False
        low, high = codec.bounds
        beyond = ((values < low) | (values > high)).fill_null(False)
        return bool(beyond.mean() <= MOST_UNCOVERED)  # type: ignore[operator]
    if isinstance(codec, CategoryCodec) and values.dtype in (pl.String, pl.Boolean):
        return bool((codec.match(values) < 0).mean() <= MOST_UNCOVERED) and codec.boolean == (
            values.dtype == pl.Boolean
        )
    return False
