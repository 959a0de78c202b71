"""Ids made without a look at any: 1, 2, 3, ..."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from masquerade.codec.column import Codes, OneCode, Scalars, State, register

__all__ = ["SerialCodec"]


@register
@dataclass(frozen=True)
class SerialCodec(OneCode):
    """One code; ids count the rows that are made, from 1. A real id may read the same: nothing was learned of it.

    Args:
        whole: whether decoding gives Int64, else String.

    >>> SerialCodec(whole=False).decode(np.zeros(3, np.int32), np.zeros(3, np.float32), np.random.default_rng(0)).to_list()
    ['1', '2', '3']
    """

    name: ClassVar[str] = "serial"
    one_stream: ClassVar[bool] = True

    whole: bool

    def decode(self, codes: Codes, scalars: Scalars, rng: np.random.Generator, start: int = 0) -> pl.Series:
        numbers = pl.Series(np.arange(start + 1, start + codes.size + 1, dtype=np.int64))
        return numbers if self.whole else numbers.cast(pl.String)

    def to_state(self) -> State:
        return {"whole": self.whole}, {}

    @classmethod
    def from_state(cls, config: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        return cls(bool(config["whole"]))
