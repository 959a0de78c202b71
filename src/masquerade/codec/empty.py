"""A column without values: it stays empty."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from masquerade.codec.column import Codes, OneCode, Scalars, State, register

__all__ = ["EmptyCodec"]

_TYPES: dict[str, Any] = {
    "String": pl.String,
    "Boolean": pl.Boolean,
    "Int64": pl.Int64,
    "Float64": pl.Float64,
    "Datetime": pl.Datetime("us"),
}


@register
@dataclass(frozen=True)
class EmptyCodec(OneCode):
    """One code, missing.

    Args:
        dtype: name of the typed column's type; any other than those of typed tables becomes String.
    """

    name: ClassVar[str] = "empty"
    one_stream: ClassVar[bool] = False

    dtype: str

    def decode(self, codes: Codes, scalars: Scalars, rng: np.random.Generator, start: int = 0) -> pl.Series:
        return pl.Series([None], dtype=_TYPES.get(self.dtype.split("(")[0], pl.String)).new_from_index(0, codes.size)

    def to_state(self) -> State:
        return {"dtype": self.dtype}, {}

    @classmethod
    def from_state(cls, config: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        return cls(str(config["dtype"]))
