"""How many rows and units have each value of one column: what a codec needs of a column that memory does not hold."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from masquerade.privacy.free import Taken, TakenBeginnings

__all__ = ["Counts", "as_floats", "hashed_units"]


@dataclass(frozen=True)
class Counts:
    """The values of a column, and who has them.

    Args:
        values: typed, distinct, without null.
        rows: int64, shape (values,): rows that have each.
        holders: int64, shape (values,): different units that have each, or a lower bound of it; without units the rows.
        there: rows that have any value, also one that is not listed.
        missing: rows without a value, in the same measure as `there`.
        units: different units that have a value, or a lower bound of at least twice the protection.
        lows: float64, rising: the smallest numbers, one for each unit; as many as protection asks for, twice.
        highs: float64, rising: the greatest numbers likewise.
        distinct: how many different values there are, listed or not.
        exact: whether every value is listed with the rows that have it.
        owner: int64, shape (sum of holders,): the units of each value, value after value; None: there are no units.
        taken: the beginnings of all texts, where not all are listed.

    >>> counts = Counts.of(pl.Series([1, 1, 2, None]), keep=10)
    >>> counts.rows.tolist(), counts.missing, counts.lows.tolist()
    ([2, 1], 1, [1.0, 1.0, 2.0])
    """

    values: pl.Series
    rows: NDArray[np.int64]
    holders: NDArray[np.int64]
    there: int
    missing: int
    units: int
    lows: NDArray[np.float64]
    highs: NDArray[np.float64]
    distinct: float
    exact: bool
    owner: NDArray[np.int64] | None = None
    taken: TakenBeginnings | None = None

    @classmethod
    def of(cls, values: pl.Series, units: pl.Series | None = None, *, keep: int) -> Self:
        """Count a typed column; `keep` numbers are kept at either end."""
        frame = pl.DataFrame(
            {"value": values, "unit": pl.Series([0]).new_from_index(0, values.len()) if units is None else units}
        )
        there = frame.drop_nulls("value")
        rows = there.group_by("value").len("rows")
        pairs = None if units is None else there.unique()
        return cls.from_rows(rows, pairs, missing=values.len() - there.height, keep=keep)

    @classmethod
    def from_rows(cls, rows: pl.DataFrame, pairs: pl.DataFrame | None, *, missing: int, keep: int) -> Self:
        """From the rows that each value has.

        Args:
            rows: columns `value` (a value may be there more than once) and `rows`.
            pairs: columns `value` and `unit`, each pair once: of each value all units, or `keep` of them; None: no units.
            missing: rows without a value.
            keep: numbers that are kept at either end.
        """
        counted = rows.group_by("value").agg(pl.col("rows").sum()).sort("value")
        values, number = counted["value"], counted["rows"].to_numpy().astype(np.int64)
        holders, owner = number, None
        if pairs is not None:
            place = counted.select("value", place=pl.int_range(pl.len(), dtype=pl.Int64))
            held = pairs.unique().join(place, on="value").sort("place", "unit")
            holders = np.bincount(held["place"].to_numpy(), minlength=values.len())
            owner = held["unit"].to_physical().rank("dense").cast(pl.Int64).to_numpy()
        lows, highs = _ends(values, number, pairs, keep)
        units = int(number.sum()) if pairs is None else pairs["unit"].n_unique()
        there = int(number.sum())
        return cls(
            values, number, holders, there, missing, units, lows, highs, float(values.len()), exact=True, owner=owner
        )

    @property
    def forbidden(self) -> pl.Series | Taken:
        """What must never be made."""
        return self.values.cast(pl.String) if self.taken is None else self.taken

    def protected(self, threshold: int) -> pl.DataFrame:
        """As `protected_levels`: columns `level` and `rows`, of the levels that enough units have, most frequent first."""
        frame = pl.DataFrame({"level": self.values, "rows": self.rows, "holders": self.holders})
        enough = frame.filter(pl.col("holders") >= threshold).select("level", "rows")
        return enough.sort(["rows", "level"], descending=[True, False])

    def protected_bounds(self, threshold: int) -> tuple[float, float]:
        """As `masquerade.privacy.protect.protected_bounds`."""
        k = max(int(threshold), 1) - 1
        if not self.lows.size:
            return 0.0, 0.0
        if 2 * (k + 1) > self.units and threshold > 1:
            numbers = self.numbers()
            half = np.searchsorted(np.cumsum(self.rows), np.array([(self.there - 1) // 2 + 1, self.there // 2 + 1]))
            middle = float(numbers[half].mean())
            return middle, middle
        return float(self.lows[k]), float(self.highs[-k - 1])

    def outermost(self) -> pl.Series:
        """All values that are listed; of numbers that are not, the outermost too."""
        if self.exact or not self.lows.size:
            return self.values
        ends = pl.Series(self.values.name, [self.lows[0], self.highs[-1]])
        return pl.concat([self.values, ends.cast(self.values.to_physical().dtype).cast(self.values.dtype)])

    def numbers(self) -> NDArray[np.float64]:
        """The values as numbers: moments in microseconds."""
        return as_floats(self.values)

    def mean_and_deviation(self) -> tuple[float, float]:
        """Of the numbers, each as often as it is there."""
        numbers = self.numbers()
        mean = float(np.average(numbers, weights=self.rows))
        return mean, float(np.sqrt(np.average((numbers - mean) ** 2, weights=self.rows)))

    def divided(self, step: int) -> Counts:
        """Moments as whole steps of so many microseconds, which each of them is a multiple of."""
        return replace(self, values=self.values.to_physical() // step, lows=self.lows // step, highs=self.highs // step)


def _ends(
    values: pl.Series, rows: NDArray[np.int64], pairs: pl.DataFrame | None, keep: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The `keep` smallest and greatest numbers of sorted values, one vote for each unit."""
    if not (values.dtype.is_numeric() or values.dtype.is_temporal()):
        return np.empty(0), np.empty(0)
    if pairs is None:
        numbers = as_floats(values)
        few = np.minimum(rows, keep)
        low = np.repeat(numbers[:keep], few[:keep])[:keep]
        high = np.repeat(numbers[-keep:], few[-keep:])[-keep:]
        return low, high
    votes = pairs.group_by("unit").agg(low=pl.col("value").min(), high=pl.col("value").max())
    return np.sort(as_floats(votes["low"].bottom_k(keep))), np.sort(as_floats(votes["high"].top_k(keep)))


def as_floats(values: pl.Series) -> NDArray[np.float64]:
    """Numbers or moments as float64; moments in microseconds."""
    return values.to_physical().cast(pl.Float64).to_numpy()


def hashed_units(cells: pl.Series, rows: NDArray[np.uint64]) -> pl.Series:
    """A number for each row's unit; a row without one is its own, told by its own number in `rows`."""
    return cells.hash(0x5EED).zip_with(cells.is_not_null(), pl.Series(rows)).alias("unit")
