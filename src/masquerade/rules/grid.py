"""Which values a numeric column can hold: whole multiples of a step, or any number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numpy.typing import NDArray

if TYPE_CHECKING:
    from masquerade.schema import Column

__all__ = ["Grid", "grid_of", "to_column"]

Floats = NDArray[np.float64]

_STEPS = (86_400_000_000, 3_600_000_000, 60_000_000, 1_000_000, 1_000, 1)
"""Days, hours, minutes, seconds, milliseconds and microseconds, in microseconds."""

_MOST = 2.0**63 - 1024


@dataclass(frozen=True)
class Grid:
    """The values of a numeric column; moments count in microseconds since 1970.

    Args:
        decimals: digits after the decimal mark; None: any number.
        step: whole numbers are multiples of it.

    >>> Grid(2).up(np.array([0.101, 0.11])), Grid(0, 5).down(np.array([13.0]))
    (array([0.11, 0.11]), array([10.]))
    """

    decimals: int | None
    step: int = 1

    @property
    def unit(self) -> float:
        """The distance of neighbours; 0 where there is none."""
        return 0.0 if self.decimals is None else self.step / 10.0**self.decimals

    def nearest(self, values: Floats) -> Floats:
        """The nearest value of the grid."""
        return values if self.decimals is None else self._back(np.rint(self._scaled(values)))

    def up(self, values: Floats, *, strict: bool = False) -> Floats:
        """The least value of the grid that is not below (`strict`: that is above)."""
        if self.decimals is None:
            return (
                values + np.where(np.isfinite(values), np.maximum(1e-9 * np.abs(values), 1e-8), 0) if strict else values
            )
        scaled = self._scaled(values)
        slack = _slack(scaled)
        return self._back(np.floor(scaled + slack) + 1 if strict else np.ceil(scaled - slack))

    def down(self, values: Floats, *, strict: bool = False) -> Floats:
        """The greatest value of the grid that is not above (`strict`: that is below)."""
        return -self.up(-values, strict=strict)

    def _scaled(self, values: Floats) -> Floats:
        return values * 10.0 ** (self.decimals or 0) / self.step

    def _back(self, counts: Floats) -> Floats:
        return counts * self.step / 10.0 ** (self.decimals or 0)


def _slack(scaled: Floats) -> Floats:
    """What floating arithmetic may have lost, in steps."""
    return np.where(np.isfinite(scaled), 1e-9 + 4 * np.finfo(np.float64).eps * np.abs(scaled), 0.0)


def grid_of(values: pl.Series, column: Column) -> Grid:
    """The grid of a typed column: decimals from the schema, and for moments the coarsest step that all values keep to."""
    if column.kind != "datetime":
        return Grid(0 if column.kind == "integer" else column.decimals)
    counts = values.drop_nulls().cast(pl.Datetime("us")).dt.epoch("us")
    return Grid(0, next((step for step in _STEPS if bool((counts % step == 0).all())), 1))


def to_column(values: pl.Series, numbers: Floats, rows: NDArray[np.bool_]) -> pl.Series:
    """A typed column with the numbers (moments in microseconds) put into some of its rows; the others stay as they are."""
    places = np.flatnonzero(rows)
    if not places.size:
        return values
    chosen = numbers[places]
    if values.dtype.is_float():
        return values.scatter(places, pl.Series(chosen, dtype=pl.Float64))
    whole = np.rint(np.clip(chosen, -_MOST, _MOST)).astype(np.int64)
    return values.scatter(places, pl.Series(whole).cast(values.dtype))
