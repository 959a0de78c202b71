"""Dates and times to codes: as numbers, at the resolution they are written in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, ClassVar, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from masquerade.codec.column import Codes, Scalars, State, register
from masquerade.codec.numeric import NumericCodec
from masquerade.codec.quantile import QuantileCodec
from masquerade.privacy.counts import Counts
from masquerade.schema import Column

__all__ = ["MomentCodec"]

RESOLUTIONS = (86_400_000_000, 3_600_000_000, 60_000_000, 1_000_000, 1_000, 1)
"""Microseconds in a day, an hour, a minute, a second, a millisecond, a microsecond."""
_EPOCH = datetime(1970, 1, 1)


@register
@dataclass(frozen=True)
class MomentCodec:
    """A `NumericCodec` or `QuantileCodec` of whole steps since 1970.

    Args:
        numbers: the codec of the steps.
        step: microseconds in a step: the coarsest resolution that every value keeps to.
    """

    name: ClassVar[str] = "moment"
    one_stream: ClassVar[bool] = False

    numbers: NumericCodec | QuantileCodec
    step: int

    @classmethod
    def fit(
        cls,
        values: pl.Series,
        column: Column,
        *,
        protect: int = 10,
        units: pl.Series | None = None,
        discrete: bool = False,
        max_levels: int = 500,
        numbers: type[NumericCodec] | type[QuantileCodec] = NumericCodec,
        counts: Counts | None = None,
        rng: np.random.Generator,
    ) -> Self:
        """Fit to a Datetime series with at least one value; the column's bounds are ISO 8601 texts;
        `numbers` is the codec of the steps. See `NumericCodec.fit`."""
        micros = _microseconds(values)
        known = micros if counts is None else counts.values.to_physical()
        step = next(step for step in RESOLUTIONS if not (known % step != 0).any())
        steps = numbers.fit(
            micros // step,
            replace(
                column, kind="integer", minimum=_steps(column.minimum, step), maximum=_steps(column.maximum, step)
            ),
            protect=protect, units=units, discrete=discrete, max_levels=max_levels,
            counts=None if counts is None else counts.divided(step), rng=rng,
        )  # fmt: skip
        return cls(steps, step)

    @property
    def size(self) -> int:
        return self.numbers.size

    @property
    def weights(self) -> NDArray[np.float64]:
        """Rows of each code when it was fitted, shape (size,)."""
        return self.numbers.weights

    @property
    def has_scalar(self) -> tuple[bool, ...]:
        return self.numbers.has_scalar

    @property
    def missing(self) -> bool:
        """Whether there is a code for missing, the last one."""
        return self.numbers.missing

    @property
    def bounds(self) -> tuple[datetime, datetime]:
        """The first and the last moment that is decoded."""
        first, last = (
            _EPOCH + timedelta(microseconds=bound * self.step) for bound in (self.numbers.low, self.numbers.high)
        )
        return first, last

    def names(self) -> list[str]:
        """See `QuantileCodec.names`."""
        assert isinstance(self.numbers, QuantileCodec)
        return self.numbers.names(lambda steps: str(_EPOCH + timedelta(microseconds=round(steps) * self.step)))

    @property
    def places(self) -> NDArray[np.float32] | None:
        """See `QuantileCodec.places`; None of a mixture."""
        return self.numbers.places if isinstance(self.numbers, QuantileCodec) else None

    def encode(self, values: pl.Series, rng: np.random.Generator) -> tuple[Codes, Scalars]:
        return self.numbers.encode(_microseconds(values) // self.step, rng)

    def locate(self, values: pl.Series) -> Codes:
        """See `QuantileCodec.locate`."""
        assert isinstance(self.numbers, QuantileCodec)
        return self.numbers.locate(_microseconds(values) // self.step)

    def match(self, values: pl.Series) -> Codes | None:
        return self.numbers.match(_microseconds(values) // self.step)

    def decode(self, codes: Codes, scalars: Scalars, rng: np.random.Generator, start: int = 0) -> pl.Series:
        steps = self.numbers.decode(codes, scalars, rng)
        return (steps * self.step).cast(pl.Datetime("us"))

    def to_state(self) -> State:
        config, arrays = self.numbers.to_state()
        return {**config, "step": self.step, "numbers": self.numbers.name}, arrays

    @classmethod
    def from_state(cls, config: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        numbers = QuantileCodec if config["numbers"] == QuantileCodec.name else NumericCodec
        return cls(numbers.from_state(config, arrays), int(config["step"]))


def _microseconds(values: pl.Series) -> pl.Series:
    """Microseconds since 1970, Int64."""
    return values.cast(pl.Datetime("us")).to_physical()


def _steps(bound: float | int | str | None, step: int) -> float | None:
    """A declared bound in steps since 1970; a time zone is left out."""
    if not isinstance(bound, str):
        return None
    moment = datetime.fromisoformat(bound).replace(tzinfo=None) - _EPOCH
    return (moment.days * 86_400_000_000 + moment.seconds * 1_000_000 + moment.microseconds) // step
