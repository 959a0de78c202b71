"""The contract of a fitted column codec, and the table of codecs that a saved model may name.

A column codec turns one typed column into one code and one scalar per row, and back. It is frozen: fitting makes it,
nothing changes it. What it keeps is protected already, so its state may be written to a file.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Protocol, Self, TypeVar

import numpy as np
import polars as pl
from numpy.typing import NDArray

from masquerade.errors import ArtifactError, nearest

__all__ = ["CODECS", "Codes", "ColumnCodec", "OneCode", "Scalars", "State", "draw_codes", "from_state", "register"]

Codes = NDArray[np.int32]
Scalars = NDArray[np.float32]
Registered = TypeVar("Registered", bound="type[ColumnCodec]")
State = tuple[dict[str, Any], dict[str, NDArray[Any]]]


class ColumnCodec(Protocol):
    """One typed column to codes and scalars, and back."""

    name: ClassVar[str]
    """The word that a saved state names it by."""

    one_stream: ClassVar[bool]
    """Whether `decode` wants the same random stream for every chunk of rows (it then counts rows by `start`)."""

    @property
    def size(self) -> int:
        """How many codes there are, at least 1; with 1 and no scalar there is nothing to model."""
        ...

    @property
    def has_scalar(self) -> tuple[bool, ...]:
        """Per code, whether a scalar stands beside it."""
        ...

    def encode(self, values: pl.Series, rng: np.random.Generator) -> tuple[Codes, Scalars]:
        """Codes in [0, size) and scalars in [-1, 1], each of shape (rows,)."""
        ...

    def match(self, values: pl.Series) -> Codes | None:
        """Codes of the values that are met exactly, -1 where a rare value would be replaced; None if any code has a
        scalar."""
        ...

    def decode(self, codes: Codes, scalars: Scalars, rng: np.random.Generator, start: int = 0) -> pl.Series:
        """A typed series of shape (rows,), null where missing; `start` rows of the same stream came before."""
        ...

    def to_state(self) -> State:
        """What it takes to rebuild it: JSON data, and arrays."""
        ...

    @classmethod
    def from_state(cls, config: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The reverse of `to_state`."""
        ...


class OneCode:
    """What the codecs have in common that leave nothing to model: every row has the code 0 and no scalar."""

    @property
    def size(self) -> int:
        return 1

    @property
    def has_scalar(self) -> tuple[bool, ...]:
        return (False,)

    def encode(self, values: pl.Series, rng: np.random.Generator) -> tuple[Codes, Scalars]:
        return self.match(values), np.zeros(values.len(), dtype=np.float32)

    def match(self, values: pl.Series) -> Codes:
        return np.zeros(values.len(), dtype=np.int32)


CODECS: dict[str, type[ColumnCodec]] = {}
"""Every codec by its name."""


def register(codec: Registered) -> Registered:
    """Class decorator: let saved states name this codec."""
    CODECS[codec.name] = codec
    return codec


def from_state(name: str, config: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> ColumnCodec:
    """Rebuild a codec from its saved state; an unknown name is refused."""
    if name not in CODECS:
        raise ArtifactError(
            f"codec: there is none called {name!r}{nearest(name, CODECS)}; is the file of a newer version?"
        )
    return CODECS[name].from_state(config, arrays)


def draw_codes(codes: Codes, weights: NDArray[np.float64], rng: np.random.Generator) -> Codes:
    """Replace each -1 by a draw from `weights` (shape (size,), any positive sum), in place."""
    undecided = np.flatnonzero(codes < 0)
    if undecided.size:
        edges = np.cumsum(weights)
        places = rng.random(undecided.size) * edges[-1]
        codes[undecided] = np.minimum(np.searchsorted(edges, places, side="right"), weights.size - 1)
    return codes
