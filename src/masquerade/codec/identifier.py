"""Identifiers: never shown. Repeated ones become consistent pseudonyms; the others are made afresh by pattern."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from masquerade.codec.column import Codes, ColumnCodec, OneCode, Scalars, State, draw_codes, register
from masquerade.privacy.counts import Counts
from masquerade.privacy.pattern import Pattern

__all__ = ["FreshCodec", "PseudonymCodec", "fit_identifier"]

LEAST_REPEATS = 1.5


def fit_identifier(
    values: pl.Series,
    *,
    protect: int,
    max_levels: int,
    discrete: bool,
    counts: Counts | None = None,
    rng: np.random.Generator,
) -> ColumnCodec:
    """The codec of an identifier: pseudonyms where few ids repeat, else fresh ones.

    Args:
        values: String, or a number; null is missing.
        protect: how many ids must share a shape of spelling, and how many rows an id must have for a code of its own.
        max_levels: at most so many ids are modelled.
        discrete: model repeated ids even where they repeat less than 1.5 times on average.
        counts: of the larger table that `values` are a sample of; None: `values` are all there is.
        rng: of every draw.
    """
    ids = values.cast(pl.String)
    if counts is None:
        counted = ids.drop_nulls().value_counts(sort=True, name="rows")
        there, gone, different, forbidden = ids.len() - ids.null_count(), ids.null_count(), counted.height, None
    else:
        counted = counts.protected(0).select(pl.col("level").cast(pl.String).alias(ids.name), "rows")
        there, gone, different, forbidden = counts.there, counts.missing, round(counts.distinct), counts.forbidden
    repeats = max(there / different, 1.0)
    pattern = Pattern.learn(
        counted.get_column(ids.name),
        protect,
        forbidden=forbidden,
        room=4.0 * different,
        seed=int(rng.integers(1 << 31)),
    )
    whole = values.dtype.is_integer()
    if different < 2 or different > max_levels or repeats < (1.0 + 1e-9 if discrete else LEAST_REPEATS):
        return FreshCodec(pattern, repeats, gone / (there + gone), whole)
    frequent = counted.filter(pl.col("rows") >= max(protect, 1))
    rest = counted.height - frequent.height
    labels = pattern.generate(counted.height, rng, distinct=True)
    labels = labels.gather(rng.permutation(labels.len()))
    rows = frequent["rows"].to_list()
    if rest:
        rows.append(there - sum(rows))
    if gone:
        rows.append(gone)
    return PseudonymCodec(
        labels=tuple(labels.head(frequent.height).to_list()),
        pool=tuple(labels.tail(rest).to_list()),
        whole=whole,
        missing=gone > 0,
        weights=np.array(rows, dtype=np.float64),
        known=frequent.get_column(ids.name),
    )


@register
@dataclass(frozen=True)
class PseudonymCodec:
    """Codes: the ids with many rows, one for all others, missing if it occurs.

    Args:
        labels: the pseudonyms of the first.
        pool: the pseudonyms that the code for all others draws from.
        whole: whether decoding gives Int64, else String.
        missing: whether there is a code for missing.
        weights: float64, shape (size,): rows of each code when it was fitted.
        known: the real ids of the labels, held in memory for encoding the training table and never saved: a loaded
            codec takes every id for one that it does not know, and draws.
    """

    name: ClassVar[str] = "pseudonym"
    one_stream: ClassVar[bool] = False

    labels: tuple[str, ...]
    pool: tuple[str, ...]
    whole: bool
    missing: bool
    weights: NDArray[np.float64]
    known: pl.Series = field(default_factory=lambda: pl.Series([], dtype=pl.String), repr=False, compare=False)

    @property
    def size(self) -> int:
        return self.weights.size

    @property
    def has_scalar(self) -> tuple[bool, ...]:
        return (False,) * self.size

    def encode(self, values: pl.Series, rng: np.random.Generator) -> tuple[Codes, Scalars]:
        codes = draw_codes(self.match(values), self.weights, rng)
        return codes, np.zeros(codes.size, dtype=np.float32)

    def match(self, values: pl.Series) -> Codes:
        ids = values.cast(pl.String)
        known = ids.cast(pl.Enum(self.known), strict=False).to_physical().cast(pl.Int32)
        codes = np.array(known.fill_null(-1).to_numpy(), dtype=np.int32)
        if self.pool and self.known.len():
            codes[codes < 0] = len(self.labels)
        codes[ids.is_null().to_numpy()] = self.size - 1 if self.missing else -1
        return codes

    def decode(self, codes: Codes, scalars: Scalars, rng: np.random.Generator, start: int = 0) -> pl.Series:
        labels = pl.Series([*self.labels, *[None] * (self.size - len(self.labels))], dtype=pl.String)
        ids = labels.gather(codes)
        if self.pool:
            places = np.flatnonzero(codes == len(self.labels))
            ids = ids.scatter(places, pl.Series(self.pool).gather(rng.integers(len(self.pool), size=places.size)))
        return ids.cast(pl.Int64) if self.whole else ids

    def to_state(self) -> State:
        config = {"labels": list(self.labels), "pool": list(self.pool), "whole": self.whole, "missing": self.missing}
        return config, {"weights": self.weights}

    @classmethod
    def from_state(cls, config: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        labels, pool = tuple(config["labels"]), tuple(config["pool"])
        return cls(labels, pool, bool(config["whole"]), bool(config["missing"]), arrays["weights"])


@register
@dataclass(frozen=True)
class FreshCodec(OneCode):
    """One code; ids are made when decoding, each for as many rows as in the data.

    Args:
        pattern: how they look.
        repeats: mean rows per id, at least 1.
        missing_share: share of rows without an id.
        whole: whether decoding gives Int64, else String.
    """

    name: ClassVar[str] = "fresh"
    one_stream: ClassVar[bool] = True

    pattern: Pattern
    repeats: float
    missing_share: float
    whole: bool

    def decode(self, codes: Codes, scalars: Scalars, rng: np.random.Generator, start: int = 0) -> pl.Series:
        if codes.size == 0:
            return pl.Series([], dtype=pl.Int64 if self.whole else pl.String)
        own = np.random.default_rng([int(rng.integers(1 << 31)), start])  # `rng` is the same for every chunk
        first = int(start / self.repeats)
        numbers = (np.arange(start, start + codes.size) / self.repeats).astype(np.int64) - first
        if self.repeats > 1:
            numbers = own.permutation(numbers)
        ids = self.pattern.generate(int(numbers.max()) + 1, rng, distinct=True, start=first).gather(numbers)
        if self.missing_share:
            gone = np.flatnonzero(own.random(codes.size) < self.missing_share)
            ids = ids.scatter(gone, None)
        return ids.cast(pl.Int64) if self.whole else ids

    def to_state(self) -> State:
        return {
            "pattern": self.pattern.to_state(), "repeats": self.repeats,
            "missing_share": self.missing_share, "whole": self.whole,
        }, {}  # fmt: skip

    @classmethod
    def from_state(cls, config: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        pattern = Pattern.from_state(config["pattern"])
        return cls(pattern, float(config["repeats"]), float(config["missing_share"]), bool(config["whole"]))
