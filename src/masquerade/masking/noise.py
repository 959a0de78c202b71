"""Numbers and dates moved by random amounts of a stated scale.

Noise of a stated scale is no differential privacy by itself: that needs bounds, a budget, and each person counted once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import polars as pl

from masquerade.errors import SettingError
from masquerade.masking.way import Batch, Way, parsed, refuse, spelled
from masquerade.schema import Column

__all__ = ["Noise"]

_DAY = 86_400_000_000


@dataclass(frozen=True, kw_only=True)
class Noise(Way):
    """Add independent random amounts; integers stay whole, decimals as many as they were, dates without a time whole days.

    Args:
        scale: of the noise, in the column's own unit, in days for dates: the b of a Laplace distribution (its standard
            deviation is 1.41 b), the standard deviation of a Gaussian one.
        distribution: `"laplace"` (default) or `"gaussian"`.
        minimum: what comes out below is set to it; None: nothing is.
        maximum: likewise above.
    """

    how: ClassVar[str] = "noise"
    scale: float = 0.0
    distribution: str = "laplace"
    minimum: float | None = None
    maximum: float | None = None

    def __post_init__(self) -> None:
        scale: object = self.scale
        if isinstance(scale, bool) or not isinstance(scale, int | float) or not 0 < scale < math.inf:
            refuse("scale", scale, "a number above 0, in the column's own unit (days for dates)")
        if self.distribution not in ("laplace", "gaussian"):
            refuse("distribution", self.distribution, "'laplace' or 'gaussian'")
        for option in ("minimum", "maximum"):
            value = getattr(self, option)
            if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
                refuse(option, value, "a number")
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            refuse("minimum", self.minimum, f"at most the maximum {self.maximum!r}")

    def check(self, column: Column) -> None:
        if not column.is_numeric:
            raise SettingError(
                f"column {column.name!r}: how = 'noise' moves numbers and dates, and the column is {column.kind}; "
                "choose another way, or give its kind in the schema."
            )
        if column.kind == "datetime" and (self.minimum is not None or self.maximum is not None):
            raise SettingError(
                f"column {column.name!r}: minimum and maximum are for numbers, and the column holds dates."
            )

    def apply(self, name: str, batch: Batch) -> pl.Series:
        values, _ = parsed(name, batch)
        draw = batch.random.laplace if self.distribution == "laplace" else batch.random.normal
        moved = draw(0.0, self.scale, values.len())
        if values.dtype.is_temporal():
            stamps = values.to_physical()
            whole = bool((stamps % _DAY == 0).all())
            steps = np.round(moved).astype(np.int64) * _DAY if whole else np.round(moved * _DAY).astype(np.int64)
            noisy = (stamps + pl.Series(steps)).cast(pl.Datetime("us"))
        else:
            noisy = (values.cast(pl.Float64) + pl.Series(moved)).clip(self.minimum, self.maximum)
            if values.dtype == pl.Int64:
                noisy = noisy.round().cast(pl.Int64)
        missing = batch.cells(name)
        written = spelled(noisy, name, batch)
        return (
            written
            if written.dtype != missing.dtype
            else pl.select(pl.when(values.is_null()).then(missing).otherwise(written).alias(name)).to_series()
        )

    def facts(self) -> dict[str, Any]:
        return {"noise": self.distribution, "scale": self.scale, "reversible": "no, but near"}
