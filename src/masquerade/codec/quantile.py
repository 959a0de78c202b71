"""Numbers to codes without scalars: heavy single values and quantile bins, in rising order.

Each code is a *leaf*: one value that many rows share, or a bin of neighbouring values. Inside a bin a value is drawn from the
interpolated empirical distribution; its knots, and the bins themselves, each rest on at least `protect` different units, so
that no one person's value is kept (see `masquerade.codec.leaves`). The whole inverse distribution is one piecewise linear
function over [0, leaves]: leaf i covers [i, i + 1].
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from masquerade.codec.column import Codes, Scalars, State, draw_codes, register
from masquerade.codec.crowd import Crowd
from masquerade.codec.leaves import Leaves
from masquerade.codec.numeric import FEW_VALUES, as_numbers, choose_scale
from masquerade.codec.shared import bounds_of, counted_bounds, counted_crowd, nearest_of, on_grid
from masquerade.privacy.counts import Counts
from masquerade.schema import Column

__all__ = ["QuantileCodec"]

_LIMIT = 2.0**63 - 1024


@register
@dataclass(frozen=True)
class QuantileCodec:
    """Codes: the leaves by rising value, then missing if it occurs.

    Args:
        integer: whether decoding gives whole numbers (Int64), else Float64.
        decimals: decimals to round to; None: as they come.
        low, high: protected (and declared) bounds; nothing is decoded outside.
        atoms: float64, shape (leaves,): the value of a leaf that is one value, NaN where the leaf is a bin.
        edges: float64, rising, shape (bins - 1,): what parts one bin from the next.
        knots: float64, shape (knots, 2): the inverse distribution: place in [0, leaves], not falling, and value.
        missing: whether there is a code for missing.
        weights: float64, shape (size,): rows of each code when it was fitted.
    """

    name: ClassVar[str] = "quantile"
    one_stream: ClassVar[bool] = False

    integer: bool
    decimals: int | None
    low: float
    high: float
    atoms: NDArray[np.float64]
    edges: NDArray[np.float64]
    knots: NDArray[np.float64]
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
        discrete: bool = False,
        max_levels: int = 500,
        counts: Counts | None = None,
        rng: np.random.Generator,
    ) -> Self:
        """Fit to a typed series with at least one number, or to the counts of a larger table. See `NumericCodec.fit`;
        `max_levels` bounds the atoms of a discrete column."""
        if counts is None:
            numbers = as_numbers(values)
            there = np.isfinite(numbers)
            numbers, owners = numbers[there], None if units is None else units.to_numpy()[there]
            gone = int(there.size - numbers.size)
            (low, high), crowd = bounds_of(numbers, protect, owners, column), Crowd.of(numbers, owners)
        else:
            gone = counts.missing
            (low, high), crowd = counted_bounds(counts, protect, column), counted_crowd(counts)
        least = max(protect, 1)
        shared = (crowd.holders >= least) & (crowd.values >= low) & (crowd.values <= high)
        only_atoms = bool(shared.any()) and (
            discrete or (shared.sum() <= FEW_VALUES and crowd.rows[shared].sum() >= 0.99 * crowd.total[-1])
        )
        if only_atoms:
            kept = crowd.values[shared]
            if kept.size > max_levels:
                kept = np.sort(kept[np.argsort(-crowd.rows[shared], kind="stable")[:max_levels]])
            leaves = Leaves.single(kept)
        else:
            leaves = Leaves.grow(crowd, shared, low, high, least)
        codec = cls(
            integer=column.kind != "continuous",
            decimals=column.decimals if column.kind == "continuous" else 0,
            low=low, high=high, atoms=leaves.atoms, edges=leaves.edges, knots=leaves.knots,
            missing=gone > 0, weights=np.ones(leaves.atoms.size + int(gone > 0)),
        )  # fmt: skip
        weights = np.bincount(codec.locate(pl.Series(crowd.values)), crowd.rows, codec.size).astype(np.float64)
        if gone:
            weights[-1] = gone
        return cls(**{**codec.__dict__, "weights": weights})

    @property
    def size(self) -> int:
        return self.weights.size

    @property
    def has_scalar(self) -> tuple[bool, ...]:
        return (False,) * self.size

    @property
    def bounds(self) -> tuple[float, float]:
        """The least and the greatest value that is decoded."""
        return on_grid(self.low, self.high, self.decimals)

    @property
    def places(self) -> NDArray[np.float32]:
        """Where each code lies: its rank in (0, 1) and its standardised value, NaN for missing; shape (size, 2)."""
        leaves = self.atoms.size
        weight = self.weights[:leaves] + 1e-9
        share = weight / weight.sum()
        rank = np.cumsum(share) - share / 2
        values = self._inverse(np.arange(leaves) + 0.5)
        scale = choose_scale(np.repeat(values, np.maximum(1, np.round(share * 1_000)).astype(int)))
        on_scale = scale.forward(values)
        mean = float(np.sum(share * on_scale))
        spread = float(np.sqrt(np.sum(share * (on_scale - mean) ** 2))) or 1.0
        places = np.full((self.size, 2), np.nan, np.float32)
        places[:leaves, 0] = rank
        places[:leaves, 1] = np.clip((on_scale - mean) / spread, -5, 5)
        return places

    def spans(self) -> NDArray[np.float64]:
        """Where each leaf begins and ends, as values; shape (leaves, 2)."""
        leaves = np.arange(self.atoms.size)
        inside = np.column_stack([self._inverse(leaves + 1e-9), self._inverse(leaves + 1 - 1e-9)])
        return np.where(np.isnan(self.atoms)[:, None], inside, self.atoms[:, None])

    def names(self, spell: Callable[[float], str] | None = None) -> list[str]:
        """What people call each code: the value, `"low to high"` for a bin, `"missing"`.

        Args:
            spell: one value as text; None: as a number.
        """
        decimals = 6 if self.decimals is None else self.decimals
        word = spell or (lambda value: f"{value:.{decimals}f}" if decimals <= 12 else repr(value))
        names = [word(a) if a == b else f"{word(a)} to {word(b)}" for a, b in self.spans().tolist()]
        return names + ["missing"] * self.missing

    def encode(self, values: pl.Series, rng: np.random.Generator) -> tuple[Codes, Scalars]:
        return draw_codes(self.locate(values), self.weights, rng), np.zeros(values.len(), np.float32)

    def locate(self, values: pl.Series) -> Codes:
        """The leaf of each number (beyond the bounds: the outermost), the last code for missing, -1 where that has none."""
        numbers = as_numbers(values)
        codes = self._exact(numbers)
        bins = np.flatnonzero(np.isnan(self.atoms))
        light = np.flatnonzero((codes < 0) & ~np.isnan(numbers))
        if light.size and bins.size:
            codes[light] = bins[np.searchsorted(self.edges, numbers[light], side="right")]
        elif light.size:
            codes[light] = nearest_of(self.atoms, numbers[light])
        return codes

    def match(self, values: pl.Series) -> Codes | None:
        return None if np.isnan(self.atoms).any() else self._exact(as_numbers(values))

    def decode(self, codes: Codes, scalars: Scalars, rng: np.random.Generator, start: int = 0) -> pl.Series:
        numbers = self._inverse(codes + rng.random(codes.size))
        if self.decimals is not None:
            numbers = np.clip(np.round(numbers, self.decimals), *self.bounds)
        exact = np.append(self.atoms, np.nan)[codes]
        numbers = np.where(np.isnan(exact), numbers, exact)
        if self.missing:
            numbers[codes == self.size - 1] = np.nan
        series = pl.Series(numbers, nan_to_null=True)
        return series.clip(-_LIMIT, _LIMIT).round(0).cast(pl.Int64) if self.integer else series

    def _inverse(self, places: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        return np.asarray(np.interp(places, self.knots[:, 0], self.knots[:, 1]), np.float64)

    def _exact(self, numbers: NDArray[np.float64]) -> Codes:
        """Codes of single values and of missing, -1 elsewhere."""
        codes = np.full(numbers.size, -1, dtype=np.int32)
        single = np.flatnonzero(~np.isnan(self.atoms))
        if single.size:
            places = np.minimum(np.searchsorted(self.atoms[single], numbers), single.size - 1)
            hit = self.atoms[single][places] == numbers
            codes[hit] = single[places[hit]]
        if self.missing:
            codes[np.isnan(numbers)] = self.size - 1
        return codes

    def to_state(self) -> State:
        config = {
            "integer": self.integer, "decimals": self.decimals, "low": self.low, "high": self.high,
            "missing": self.missing,
        }  # fmt: skip
        return config, {"atoms": self.atoms, "edges": self.edges, "knots": self.knots, "weights": self.weights}

    @classmethod
    def from_state(cls, config: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        return cls(
            integer=bool(config["integer"]), decimals=config["decimals"], low=config["low"], high=config["high"],
            atoms=arrays["atoms"], edges=arrays["edges"], knots=arrays["knots"],
            missing=bool(config["missing"]), weights=arrays["weights"],
        )  # fmt: skip
