"""Levels to codes: the protected levels by falling frequency, a bucket for the rest where there is much of it, and
missing.

Where rare rows are few, they are encoded as draws from the protected levels, so that everything released is a valid
level. Otherwise they share one bucket code, whose values are made by pattern.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from masquerade.codec.column import Codes, Scalars, State, draw_codes, register
from masquerade.errors import MasqueradeWarning
from masquerade.privacy.counts import Counts
from masquerade.privacy.free import Taken
from masquerade.privacy.pattern import Pattern
from masquerade.privacy.protect import protected_levels
from masquerade.schema import Column

__all__ = ["CategoryCodec", "as_levels", "make_bucket"]

FEW_RARE = 0.05


def as_levels(values: pl.Series) -> pl.Series:
    """A typed series as text levels; booleans become `"false"` and `"true"`."""
    return values if values.dtype == pl.String else values.cast(pl.String)


def _levels(counts: Counts, threshold: int) -> pl.DataFrame:
    found = counts.protected(threshold)
    return found.with_columns(as_levels(found["level"]))


@dataclass(frozen=True)
class Bucket:
    """How the values behind the bucket code are made.

    Args:
        pattern: of the rare values.
        distinct_share: distinct rare values per rare row, in (0, 1]: rarer repeats make a smaller pool.
    """

    pattern: Pattern
    distinct_share: float

    def generate(self, count: int, rng: np.random.Generator) -> pl.Series:
        """`count` values from a pool of `count * distinct_share` fresh ones."""
        size = max(1, round(count * self.distinct_share))
        pool = self.pattern.generate(size, rng, distinct=self.pattern.prose is None)
        return pool if pool.len() == count else pool.gather(rng.integers(pool.len(), size=count))


def make_bucket(
    levels: pl.Series,
    rare: pl.Series,
    protect: int,
    units: pl.Series | None,
    rng: np.random.Generator,
    forbidden: pl.Series | Taken | None = None,
) -> Bucket:
    """Learn a bucket.

    Args:
        levels: every value of the column: none of them will be made.
        rare: which of them the bucket stands for; booleans, shape (rows,).
        protect: how many units must share a shape.
        units: unit of each row; None: each row is its own.
        rng: of the pattern's draws.
        forbidden: what must never be made; None: `levels`.
    """
    forbidden = levels if forbidden is None else forbidden
    values = levels.filter(rare)
    owners = None if units is None else units.filter(rare)
    distinct = max(values.n_unique(), 1)
    share, room = distinct / max(values.len(), 1), max(1e3, 2.0 * distinct)
    seed = int(rng.integers(1 << 31))
    return Bucket(Pattern.learn(values, protect, owners, forbidden=forbidden, room=room, seed=seed), share)


@register
@dataclass(frozen=True)
class CategoryCodec:
    """Codes: the levels by falling frequency, the bucket if there is one, missing if it occurs.

    Args:
        levels: text of the protected (or declared public) levels.
        boolean: whether decoding gives booleans, else text.
        bucket: how rare values are made; None: rare rows become draws from the levels.
        missing: whether there is a code for missing.
        weights: float64, shape (size,): rows of each code when it was fitted.
    """

    name: ClassVar[str] = "category"
    one_stream: ClassVar[bool] = False

    levels: tuple[str, ...]
    boolean: bool
    bucket: Bucket | None
    missing: bool
    weights: NDArray[np.float64]

    @classmethod
    def fit(
        cls,
        values: pl.Series,
        column: Column,
        *,
        protect: int = 10,
        units: pl.Series | None = None,
        max_levels: int = 500,
        declared: bool = False,
        counts: Counts | None = None,
        rng: np.random.Generator,
    ) -> Self:
        """Fit to a typed series with at least one value.

        Args:
            values: String or Boolean; null is missing.
            column: name, kind, and (where `declared`) levels that may be public however rare.
            protect: how many units must share a level for it to be shown.
            units: unit of each row; None: each row is its own.
            max_levels: at most so many levels get a code, the most frequent ones.
            declared: whether the schema vouches for the column's levels.
            counts: of the larger table that `values` are a sample of; None: `values` are all there is.
            rng: of the pattern's draws.
        """
        texts = as_levels(values)
        counted = protected_levels(texts, protect, units) if counts is None else _levels(counts, protect)
        if declared and column.levels is not None and values.dtype == pl.String:
            every = protected_levels(texts, 0) if counts is None else _levels(counts, 0)
            public = every.filter(pl.col("level").is_in(list(column.levels)))
            counted = pl.concat([counted, public]).unique().sort(["rows", "level"], descending=[True, False])
        counted = counted.head(max_levels)
        kept = tuple(counted["level"].to_list())
        there = texts.len() - texts.null_count() if counts is None else counts.there
        gone = texts.null_count() if counts is None else counts.missing
        rare_rows = there - int(counted["rows"].sum())
        bucket, rows = None, counted["rows"].to_list()
        tolerated = column.kind in ("categorical", "boolean") and rare_rows < FEW_RARE * there
        if rare_rows and not (kept and (tolerated or values.dtype == pl.Boolean)):
            rare = texts.is_not_null() & ~texts.is_in(list(kept))
            bucket = make_bucket(texts, rare, protect, units, rng, None if counts is None else counts.forbidden)
            rows.append(rare_rows)
            warnings.warn(
                f"column {column.name!r}: {rare_rows:,} of {there:,} values are too rare to be shown or beyond the "
                f"{max_levels} most frequent levels; values like them are made by pattern.",
                MasqueradeWarning,
                stacklevel=2,
            )
        weights = np.array([*rows, gone] if gone else rows, dtype=np.float64)
        return cls(kept, values.dtype == pl.Boolean, bucket, gone > 0, weights)

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
        texts = as_levels(values)
        # An Enum's physical numbers are the codes; a text that is none of its levels becomes null.
        known = texts.cast(pl.Enum(self.levels), strict=False).to_physical().cast(pl.Int32)
        codes = np.array(known.fill_null(-1).to_numpy(), dtype=np.int32)
        if self.bucket is not None:
            codes[codes < 0] = len(self.levels)
        null = texts.is_null().to_numpy()
        codes[null] = self.size - 1 if self.missing else -1
        return codes

    def decode(self, codes: Codes, scalars: Scalars, rng: np.random.Generator, start: int = 0) -> pl.Series:
        known = pl.Series([*self.levels, *[None] * (self.size - len(self.levels))], dtype=pl.String)
        texts = known.gather(codes)
        if self.bucket is not None:
            places = np.flatnonzero(codes == len(self.levels))
            if places.size:
                texts = texts.scatter(places, self.bucket.generate(places.size, rng))
        return texts == "true" if self.boolean else texts

    def to_state(self) -> State:
        config: dict[str, Any] = {"levels": list(self.levels), "boolean": self.boolean, "missing": self.missing}
        if self.bucket is not None:
            config |= {"pattern": self.bucket.pattern.to_state(), "distinct_share": self.bucket.distinct_share}
        return config, {"weights": self.weights}

    @classmethod
    def from_state(cls, config: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        bucket = None
        if "pattern" in config:
            bucket = Bucket(Pattern.from_state(config["pattern"]), float(config["distinct_share"]))
        return cls(tuple(config["levels"]), bool(config["boolean"]), bucket, bool(config["missing"]), arrays["weights"])
