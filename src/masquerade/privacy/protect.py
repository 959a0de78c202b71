"""Value protection: what may be shown because enough people share it.

A level or an exact value may be shown only if at least `threshold` units have it; bounds are the `threshold`-th most extreme
value. A unit is a row, unless a unit column says whose row it is: then ten rows of one account are one unit.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

__all__ = ["protected_bounds", "protected_levels", "unit_series"]

_UNIT = "unit"


def unit_series(table: pl.DataFrame, unit: str | None) -> pl.Series | None:
    """The unit of each row as integers from 0 (a missing unit is a unit of its own), or None when each row is its own."""
    if unit is None:
        return None
    ranked = table.get_column(unit).rank("dense").cast(pl.Int64).alias(_UNIT)
    alone = -1 - pl.Series(_UNIT, np.arange(table.height))
    return ranked.fill_null(alone)


def protected_levels(values: pl.Series, threshold: int, units: pl.Series | None = None) -> pl.DataFrame:
    """The levels that at least `threshold` units have, most frequent first.

    Args:
        values: any column; nulls are left out.
        threshold: least number of different units; 0 or 1 keeps every level.
        units: unit of each row, as from `unit_series`; None: each row is its own.

    Returns:
        A frame with the columns `level` and `rows` (how many rows have it), by falling `rows`, ties by level.

    >>> protected_levels(pl.Series(["a"] * 3 + ["b"]), 2).rows()
    [('a', 3)]
    """
    columns = [values.alias("level")] if units is None else [values.alias("level"), units.alias(_UNIT)]
    holders = pl.len() if units is None else pl.col(_UNIT).n_unique()
    return (
        pl.DataFrame(columns)
        .lazy()
        .drop_nulls("level")
        .group_by("level")
        .agg(pl.len().alias("rows"), holders.alias("holders"))
        .filter(pl.col("holders") >= threshold)
        .sort(["rows", "level"], descending=[True, False])
        .select("level", "rows")
        .collect()
    )


def protected_bounds(
    values: NDArray[np.float64], threshold: int, units: NDArray[np.int64] | None = None
) -> tuple[float, float]:
    """The lowest and the highest value that may be shown: the `threshold`-th most extreme, one vote per unit.

    Args:
        values: finite numbers, shape (rows,), none missing.
        threshold: how many units must lie at or beyond a bound; 0 and 1 give the true extremes.
        units: unit of each value, shape (rows,); None: each is its own.

    Returns:
        (low, high); the median twice when there are fewer than `2 * threshold` units, and (0, 0) without values.

    >>> protected_bounds(np.arange(100.0), 10)
    (9.0, 90.0)
    """
    if values.size == 0:
        return 0.0, 0.0
    votes_low, votes_high = values, values
    if units is not None:
        _, inverse = np.unique(units, return_inverse=True)
        votes_low = np.full(inverse.max() + 1, np.inf)
        votes_high = np.full(inverse.max() + 1, -np.inf)
        np.minimum.at(votes_low, inverse, values)
        np.maximum.at(votes_high, inverse, values)
    k = max(int(threshold), 1) - 1
    if 2 * (k + 1) > votes_low.size and threshold > 1:
        middle = float(np.median(values))
        return middle, middle
    return float(np.partition(votes_low, k)[k]), float(np.partition(votes_high, -k - 1)[-k - 1])
