"""Numbers to codes: heavy single values are codes of their own, the rest lies in a mixture of Gaussians.

This is the mode-specific normalisation of Xu et al. 2019 (section 4.2), with three additions: values that many rows
share ("atoms") are codes that decode exactly; skewed columns are modelled on an asinh scale; and where nearly all
values are shared by many rows, decoding lands on those values only. Values beyond the protected bounds are clipped,
both ways.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from masquerade.codec.column import Codes, Scalars, State, draw_codes, register
from masquerade.codec.mixture import Mixture, draw_components, fit_mixture
from masquerade.codec.shared import (
    bounds_of,
    census,
    counted_bounds,
    counted_crowd,
    nearest_of,
    on_grid,
    outstanding,
    support_of,
)
from masquerade.privacy.counts import Counts
from masquerade.schema import Column

__all__ = ["FEW_VALUES", "NumericCodec"]

FEW_VALUES = 50
"""A column with at most so many protected values is made of atoms alone."""
FIT_ROWS = 50_000
FEW_SAMPLED = 1_000
"""A mixture is fitted to all values, not to a sample, where the sample has fewer than this."""
REACH = 4.0
_LIMIT = 2.0**63 - 1024


@dataclass(frozen=True)
class Scale:
    """asinh((x - centre) / width), or x itself when width is 0."""

    centre: float = 0.0
    width: float = 0.0

    def forward(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        return values if self.width == 0 else np.arcsinh((values - self.centre) / self.width)

    def inverse(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        return values if self.width == 0 else np.sinh(np.clip(values, -700, 700)) * self.width + self.centre


def choose_scale(values: NDArray[np.float64], gain: float = 0.25) -> Scale:
    """The scale on which one Gaussian is the likeliest, asinh only if it gains `gain` nats a row over the plain one."""

    def likelihood(scale: Scale) -> float:
        spread = float(np.std(scale.forward(values)))
        if scale.width == 0:
            return -math.log(max(spread, 1e-300))
        slope = np.log(scale.width) + 0.5 * np.log1p(((values - scale.centre) / scale.width) ** 2)
        return -math.log(max(spread, 1e-300)) - float(slope.mean())

    low, early, middle, late = np.quantile(values, [0.0, 0.25, 0.5, 0.75])
    plain = Scale()
    candidates = [
        Scale(float(centre), float(width))
        for centre, width in (
            (middle, (late - early) / 2),
            (low, middle - low),
            (low, (early - low) / 2),
            (0.0, middle / 4),
        )
        if width > 1e-6 * (values.max() - low)
    ]
    best = max(candidates, key=likelihood, default=plain)
    return best if likelihood(best) > likelihood(plain) + gain else plain


def as_numbers(values: pl.Series) -> NDArray[np.float64]:
    """A typed series as float64, NaN where missing."""
    return values.cast(pl.Float64).fill_null(np.nan).to_numpy()


@register
@dataclass(frozen=True)
class NumericCodec:
    """Codes: the atoms by rising value, the components by rising mean, then missing if it occurs.

    Args:
        integer: whether decoding gives whole numbers (Int64), else Float64.
        decimals: decimals to round to; None: as they come.
        low, high: protected (and declared) bounds; nothing is decoded outside.
        atoms: float64, rising: values with a code of their own.
        mixture: of the other values on `scale`; None when there are atoms only.
        scale: the scale of the mixture.
        support: float64, rising: shared values that outweigh what lies around them.
        radii: float64, one per `support`: a component's value within it becomes the shared value.
        missing: whether there is a code for missing.
        weights: float64, shape (size,): rows of each code when it was fitted.
    """

    name: ClassVar[str] = "numeric"
    one_stream: ClassVar[bool] = False

    integer: bool
    decimals: int | None
    low: float
    high: float
    atoms: NDArray[np.float64]
    mixture: Mixture | None
    scale: Scale
    support: NDArray[np.float64]
    radii: NDArray[np.float64]
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
        """Fit to a typed series with at least one number.

        Args:
            values: Int64 or Float64; null is missing.
            column: kind, decimals and declared bounds (numbers).
            protect: how many units must share a value for it to be shown.
            units: unit of each row; None: each row is its own.
            discrete: make every protected value an atom, and have no mixture.
            max_levels: at most so many atoms where the column is discrete, those with the most rows.
            counts: of the larger table that `values` are a sample of; None: `values` are all there is.
            rng: for the choice of at most 50,000 rows.
        """
        numbers = as_numbers(values)
        there = np.isfinite(numbers)
        numbers = numbers[there]
        owners = None if units is None else units.to_numpy()[there]
        if counts is None:
            gone, (low, high) = int(there.size - numbers.size), bounds_of(numbers, protect, owners, column)
            numbers = np.clip(numbers, low, high)
            distinct, rows, holders = census(numbers, owners)
        else:
            gone, (low, high) = counts.missing, counted_bounds(counts, protect, column)
            numbers, crowd = np.clip(numbers, low, high), counted_crowd(counts).clip(low, high)
            distinct, rows, holders = crowd.values, crowd.rows, crowd.holders
            if numbers.size < FEW_SAMPLED and counts.exact:
                numbers, owners = np.repeat(distinct, holders), crowd.owner
        shared = holders >= max(protect, 1)
        few = shared.sum() <= FEW_VALUES and rows[shared].sum() >= 0.99 * rows.sum()
        only_atoms = bool(shared.any()) and (discrete or bool(few))
        heavy = shared if only_atoms else shared & outstanding(rows)
        if heavy.sum() > max_levels:
            heavy &= rows >= np.sort(rows[heavy])[-max_levels]
        atoms = distinct[heavy][:max_levels]
        rest = ~np.isin(numbers, atoms)
        left = None if owners is None else owners[rest]
        enough = (rest.sum() if left is None else np.unique(left).size) >= max(protect, 1)
        mixture, scale, support, radii = None, Scale(), np.empty(0), np.empty(0)
        if not only_atoms and (enough or not atoms.size):
            mixture, scale = _fit_rest(numbers[rest], left, protect, column, rng)
            support, radii = support_of(distinct[~heavy], rows[~heavy], shared[~heavy])
        size = atoms.size + (0 if mixture is None else mixture.means.size) + int(gone > 0)
        codec = cls(
            integer=column.kind != "continuous",
            decimals=column.decimals if column.kind == "continuous" else 0,
            low=low, high=high, atoms=atoms, mixture=mixture, scale=scale, support=support, radii=radii,
            missing=gone > 0, weights=np.ones(size),
        )  # fmt: skip
        codes, _ = codec.encode(values, rng)
        weights = np.bincount(codes, minlength=size).astype(np.float64)
        if counts is not None:
            weights[: atoms.size] = rows[np.searchsorted(distinct, atoms)]
            inside = weights[atoms.size : size - codec.missing]
            inside *= max(int(rows.sum()) - weights[: atoms.size].sum(), 0) / max(inside.sum(), 1)
            weights[size - codec.missing :] = gone
        return cls(**{**codec.__dict__, "weights": weights})

    @property
    def size(self) -> int:
        return self.weights.size

    @property
    def has_scalar(self) -> tuple[bool, ...]:
        components = 0 if self.mixture is None else self.mixture.means.size
        return (False,) * self.atoms.size + (True,) * components + (False,) * self.missing

    def encode(self, values: pl.Series, rng: np.random.Generator) -> tuple[Codes, Scalars]:
        numbers = np.clip(as_numbers(values), self.low, self.high)
        codes = self._exact(numbers)
        scalars = np.zeros(numbers.size, dtype=np.float32)
        light = np.flatnonzero((codes < 0) & ~np.isnan(numbers))
        if light.size and self.mixture is not None:
            places = self.scale.forward(numbers[light])
            drawn = draw_components(self.mixture, places, rng)
            codes[light] = drawn + self.atoms.size
            reach = REACH * self.mixture.stds[drawn]
            scalars[light] = np.clip((places - self.mixture.means[drawn]) / reach, -1, 1)
        elif light.size:
            codes[light] = nearest_of(self.atoms, numbers[light])
        return draw_codes(codes, self.weights, rng), scalars

    def match(self, values: pl.Series) -> Codes | None:
        return None if self.mixture is not None else self._exact(as_numbers(values))

    def decode(self, codes: Codes, scalars: Scalars, rng: np.random.Generator, start: int = 0) -> pl.Series:
        components = 0 if self.mixture is None else self.mixture.means.size
        table = np.r_[self.atoms, np.zeros(components), np.full(int(self.missing), np.nan)]
        numbers = table[codes]
        inside = np.flatnonzero((codes >= self.atoms.size) & (codes < self.atoms.size + components))
        if inside.size and self.mixture is not None:
            which = codes[inside] - self.atoms.size
            places = self.mixture.means[which] + REACH * self.mixture.stds[which] * np.clip(scalars[inside], -1, 1)
            found = np.clip(self.scale.inverse(places), self.low, self.high)
            if self.support.size:
                beside = nearest_of(self.support, found)
                near = np.abs(found - self.support[beside]) <= self.radii[beside]
                found = np.where(near, self.support[beside], found)
            if self.decimals is not None:
                found = np.clip(np.round(found, self.decimals), *on_grid(self.low, self.high, self.decimals))
            numbers[inside] = found
        series = pl.Series(numbers, nan_to_null=True)
        return series.clip(-_LIMIT, _LIMIT).round(0).cast(pl.Int64) if self.integer else series

    def _exact(self, numbers: NDArray[np.float64]) -> Codes:
        """Codes of atoms and of missing, -1 elsewhere."""
        codes = np.full(numbers.size, -1, dtype=np.int32)
        if self.atoms.size:
            places = np.minimum(np.searchsorted(self.atoms, numbers), self.atoms.size - 1)
            hit = self.atoms[places] == numbers
            codes[hit] = places[hit]
        if self.missing:
            codes[np.isnan(numbers)] = self.size - 1
        return codes

    def to_state(self) -> State:
        config = {
            "integer": self.integer, "decimals": self.decimals, "low": self.low, "high": self.high,
            "centre": self.scale.centre, "width": self.scale.width, "missing": self.missing,
        }  # fmt: skip
        arrays = {"atoms": self.atoms, "support": self.support, "radii": self.radii, "weights": self.weights}
        if self.mixture is not None:
            arrays |= {"means": self.mixture.means, "stds": self.mixture.stds, "shares": self.mixture.weights}
        return config, arrays

    @classmethod
    def from_state(cls, config: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        mixture = Mixture(arrays["means"], arrays["stds"], arrays["shares"]) if "means" in arrays else None
        return cls(
            integer=bool(config["integer"]), decimals=config["decimals"], low=config["low"], high=config["high"],
            atoms=arrays["atoms"], mixture=mixture, scale=Scale(config["centre"], config["width"]),
            support=arrays["support"],
            radii=arrays["radii"], missing=bool(config["missing"]), weights=arrays["weights"],
        )  # fmt: skip


def _fit_rest(
    numbers: NDArray[np.float64],
    owners: NDArray[np.int64] | None,
    protect: int,
    column: Column,
    rng: np.random.Generator,
) -> tuple[Mixture, Scale]:
    """The mixture of what is not an atom; each component holds at least `protect` units."""
    if numbers.size > FIT_ROWS:
        chosen = rng.choice(numbers.size, FIT_ROWS, replace=False)
        numbers, owners = numbers[chosen], None if owners is None else owners[chosen]
    scale = choose_scale(numbers)
    places = scale.forward(numbers)
    grid = 10.0 ** -(column.decimals or 0) if column.kind == "continuous" else 1.0
    least_std = grid / 2 if scale.width == 0 and (column.kind != "continuous" or column.decimals is not None) else 0.0
    share = max(0.005, max(protect, 1) / numbers.size)
    mixture = fit_mixture(places, least_share=share, least_std=least_std)
    while owners is not None and mixture.means.size > 1:
        home = np.argmax(mixture.log_joint(places), axis=1)
        pairs = pl.DataFrame({"home": home, "owner": owners}).unique()["home"].to_numpy()
        held = np.bincount(pairs, minlength=mixture.means.size)
        if held.min() >= protect:
            break
        mixture = mixture.keep(np.arange(held.size) != held.argmin())
    return mixture, scale
