"""Numbers to codes without scalars: what comes back, how it is spread, and that no one's own value is kept."""

from __future__ import annotations

import datetime

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ks_2samp

from masquerade.codec.column import from_state
from masquerade.codec.crowd import Crowd
from masquerade.codec.leaves import MOST_LEAVES
from masquerade.codec.moment import MomentCodec
from masquerade.codec.quantile import QuantileCodec
from masquerade.schema import Column

NUMBER = Column("x", "continuous", decimals=2)
WHOLE = Column("x", "integer")


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def fit(values: pl.Series, column: Column = NUMBER, **settings: object) -> QuantileCodec:
    return QuantileCodec.fit(values, column, rng=rng(1), **settings)  # type: ignore[arg-type]


def there_and_back(codec: QuantileCodec, values: pl.Series) -> pl.Series:
    codes, scalars = codec.encode(values, rng(2))
    assert not scalars.any()
    return codec.decode(codes, scalars, rng(3))


def amounts(rows: int = 4_000, seed: int = 0) -> pl.Series:
    """Zeros, a heavy price and a long tail, with missing cells."""
    random = rng(seed)
    values = np.where(random.random(rows) < 0.4, 0.0, random.lognormal(5, 1, rows).round(2))
    values[random.random(rows) < 0.1] = 49.99
    values[random.random(rows) < 0.05] = np.nan
    return pl.Series(values, nan_to_null=True)


def likeness(real: pl.Series, drawn: pl.Series) -> float:
    return 1 - float(ks_2samp(real.drop_nulls(), drawn.drop_nulls(), method="asymp").statistic)


# ── there and back ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_distribution_comes_back() -> None:
    values = amounts()
    codec = fit(values)
    back = there_and_back(codec, values)
    assert likeness(values, back) > 0.99
    assert back.null_count() == values.null_count()
    assert np.corrcoef(values.fill_null(-1), back.fill_null(-1))[0, 1] > 0.97
    # Codes drawn by their weights give the distribution too.
    codes = rng(5).choice(codec.size, 20_000, p=codec.weights / codec.weights.sum()).astype(np.int32)
    assert likeness(values, codec.decode(codes, np.zeros(20_000, np.float32), rng(6))) > 0.98


def test_a_distribution_that_is_another_one_is_seen_to_be() -> None:
    values = amounts()
    codec = fit(values)
    codes, scalars = codec.encode(values * 1.2, rng(2))
    assert likeness(values, codec.decode(codes, scalars, rng(3))) < 0.97


def test_heavy_values_are_leaves_of_their_own() -> None:
    codec = fit(amounts())
    assert {0.0, 49.99} <= set(codec.atoms[~np.isnan(codec.atoms)])
    codes = codec.locate(pl.Series([0.0, 49.99, 50.0, None]))
    assert codec.atoms[codes[0]] == 0.0
    assert codec.atoms[codes[1]] == 49.99
    assert np.isnan(codec.atoms[codes[2]])
    assert codes[3] == codec.size - 1
    again = codec.decode(codes[:2].repeat(100), np.zeros(200, np.float32), rng())
    assert again.to_list() == [0.0] * 100 + [49.99] * 100


def test_decimals_whole_numbers_and_bounds_are_kept() -> None:
    values = amounts()
    back = there_and_back(fit(values), values).drop_nulls()
    assert (back.round(2) == back).all()
    low, high = fit(values).bounds
    assert back.is_between(low, high).all()
    assert high < values.max()
    whole = pl.Series(rng().integers(0, 5_000, 3_000))
    back = there_and_back(fit(whole, WHOLE), whole)
    assert back.dtype == pl.Int64
    assert likeness(whole, back) > 0.99


def test_declared_bounds_hold() -> None:
    values = pl.Series(rng().normal(0, 3, 1_000).round(2))
    codec = fit(values, Column("x", "continuous", decimals=2, minimum=-1.0, maximum=2.0))
    back = there_and_back(codec, values)
    assert back.min() >= -1.0
    assert back.max() <= 2.0


def test_beyond_the_bounds_is_the_outermost_leaf() -> None:
    values = pl.Series(rng().normal(size=500).round(2))
    codec = fit(values)
    codes = codec.locate(pl.Series([-1e9, 1e9]))
    assert codes.tolist() == [0, codec.size - 1]


def test_a_missing_value_has_no_code_where_none_was_missing() -> None:
    values = pl.Series(rng().normal(size=500).round(2))
    codec = fit(values)
    assert not codec.missing
    assert codec.locate(pl.Series([None], dtype=pl.Float64)).tolist() == [-1]
    assert codec.encode(pl.Series([None], dtype=pl.Float64), rng())[0][0] >= 0


def test_few_values_are_atoms_only_and_discrete_ones_are_bounded() -> None:
    values = pl.Series(rng().integers(1, 8, 700))
    codec = fit(values, WHOLE)
    assert codec.atoms.tolist() == [1, 2, 3, 4, 5, 6, 7]
    assert codec.match(values) is not None
    assert there_and_back(codec, values).equals(values)
    many = fit(pl.Series(np.arange(100).repeat(20)), WHOLE, discrete=True, max_levels=30)
    assert many.atoms.size == 30


def test_there_are_never_too_many_leaves() -> None:
    codec = fit(pl.Series(rng().normal(size=60_000)), Column("x", "continuous"), protect=0)
    assert codec.atoms.size <= MOST_LEAVES
    steps = fit(pl.Series(rng().integers(0, 3_000, 60_000)), WHOLE)
    assert steps.atoms.size <= MOST_LEAVES


def test_moments_keep_their_resolution() -> None:
    days = pl.Series(
        [datetime.datetime(2020, 1, 1) + datetime.timedelta(days=int(d)) for d in rng().integers(0, 900, 2_000)]
    )
    codec = MomentCodec.fit(days.cast(pl.Datetime("us")), Column("d", "datetime"), numbers=QuantileCodec, rng=rng())
    codes, scalars = codec.encode(days, rng())
    back = codec.decode(codes, scalars, rng())
    assert (back.dt.truncate("1d") == back).all()
    assert likeness(days.dt.epoch("d"), back.dt.epoch("d")) > 0.98
    assert all(name.startswith("20") for name in codec.names())


def test_names_and_places_rise() -> None:
    codec = fit(amounts())
    names = codec.names()
    assert len(names) == codec.size
    assert "0.00" in names
    assert names[-1] == "missing"
    assert any(" to " in name for name in names)
    places = codec.places
    assert (np.diff(places[:-1, 0]) > 0).all()
    assert np.isnan(places[-1]).all()


def test_the_state_makes_the_same_codec() -> None:
    values = amounts()
    codec = fit(values)
    again = from_state("quantile", *codec.to_state())
    assert there_and_back(again, values).equals(there_and_back(codec, values))  # type: ignore[arg-type]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.one_of(st.none(), st.floats(-1e12, 1e12), st.integers(-3, 3).map(float)), min_size=12, max_size=120),
    st.sampled_from([0, 2, 5]),
    st.booleans(),
)
def test_any_numbers_come_back_within_their_bounds(cells: list[float | None], protect: int, grouped: bool) -> None:
    values = pl.Series(cells, dtype=pl.Float64)
    if values.null_count() > len(cells) - 6:
        values = values.fill_null(1.0)
    units = pl.Series(np.arange(len(cells)) // 2) if grouped else None
    codec = fit(values, Column("x", "continuous"), protect=protect, units=units)
    codes, scalars = codec.encode(values, rng())
    assert codes.min() >= 0
    assert codes.max() < codec.size
    back = codec.decode(codes, scalars, rng())
    assert (back.is_null() == values.is_null()).all()
    assert back.drop_nulls().is_between(codec.low, codec.high).all()
    assert (np.diff(codec.knots[:, 0]) >= 0).all()
    assert codec.weights.sum() == len(cells)


# ── protection ───────────────────────────────────────────────────────────────────────────────────────────────────────


def kept_numbers(codec: QuantileCodec) -> np.ndarray:
    """Every number that is saved and lies among the values."""
    parts = [codec.atoms, codec.edges, codec.knots[:, 1], [codec.low, codec.high]]
    return np.concatenate([np.asarray(part, np.float64) for part in parts])


def units_of_bins(codec: QuantileCodec, values: pl.Series, units: pl.Series) -> list[int]:
    codes = codec.locate(values)
    return [units.filter(pl.Series(codes == code)).n_unique() for code in range(codec.atoms.size)]


@pytest.mark.parametrize("shape", ["normal", "zeros", "capped", "few odd ones"])
def test_no_ones_own_value_is_kept(shape: str) -> None:
    random = rng(4)
    values = random.lognormal(3, 1, 800)
    if shape == "zeros":
        values[:400] = 0.0
    if shape == "capped":
        values = np.minimum(values, np.quantile(values, 0.6))
    if shape == "few odd ones":
        values[:796] = random.integers(0, 200, 796) // 10 * 1.0
    series = pl.Series(values)
    codec = fit(series, Column("x", "continuous"))
    alone = {value for value in values if (values == value).sum() < 10}
    assert alone
    kept = set(kept_numbers(codec)) - {codec.low, codec.high}
    assert not alone & kept
    assert min(units_of_bins(codec, series, pl.Series(np.arange(800)))) >= 10


def test_protection_counts_units_not_rows() -> None:
    """One patient with hundreds of readings in a narrow range must not get bins and knots of their own there."""
    random = rng(5)
    values = np.concatenate([random.normal(100, 15, 600), 140 + random.random(500)]).round(3)
    units = pl.Series(np.concatenate([np.arange(600) // 3, np.full(500, 999)]))
    codec = fit(pl.Series(values), Column("x", "continuous", decimals=3), units=units)
    assert min(units_of_bins(codec, pl.Series(values), units)) >= 10
    others = values[:600]
    inside = (kept_numbers(codec) > 140) & (kept_numbers(codec) < 141)
    assert inside.sum() <= 1 + ((others > 139) & (others < 142)).sum() // 10
    # Without units the readings are rows like any other, and have knots.
    plain = kept_numbers(fit(pl.Series(values), Column("x", "continuous", decimals=3)))
    assert ((plain > 140) & (plain < 141)).sum() > 20


def test_a_value_that_one_unit_repeats_is_no_leaf() -> None:
    values = np.concatenate([rng(6).normal(0, 1, 400), np.full(300, 0.123456)])
    units = pl.Series(np.concatenate([np.arange(400), np.full(300, 999)]))
    codec = fit(pl.Series(values), Column("x", "continuous"), units=units)
    assert 0.123456 not in kept_numbers(codec)
    assert 0.123456 in kept_numbers(fit(pl.Series(values), Column("x", "continuous")))


# ── stretches of a crowd ─────────────────────────────────────────────────────────────────────────────────────────────


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 12), st.integers(0, 5)), min_size=1, max_size=40),
    st.integers(1, 6),
    st.data(),
    st.booleans(),
)
def test_stretches_are_counted_right(rows: list[tuple[int, int]], least: int, data: st.DataObject, alone: bool) -> None:
    numbers, owners = np.array(rows, np.float64)[:, 0], np.array(rows, np.int64)[:, 1]
    owners = np.arange(len(rows)) if alone else owners
    crowd = Crowd.of(numbers, None if alone else owners).clip(2, 10)
    numbers = np.clip(numbers, 2, 10)
    start = data.draw(st.integers(0, len(crowd)))
    end = data.draw(st.integers(start, len(crowd)))

    def units(first: int, last: int) -> int:
        return len(set(owners[np.isin(numbers, crowd.values[first:last])]))

    assert crowd.units(start, end) == units(start, end)
    assert crowd.mass(start, end) == np.isin(numbers, crowd.values[start:end]).sum()
    reached = [stop for stop in range(start, len(crowd) + 1) if units(start, stop) >= least]
    assert crowd.reach(start, least) == (reached[0] if reached else len(crowd) + 1)
    begun = [first for first in range(end + 1) if units(first, end) >= least]
    assert crowd.reach_back(end, least) == (begun[-1] if begun else -1)
    if start < end:
        inside = np.isin(numbers, crowd.values[start:end])
        means = pl.DataFrame({"o": owners[inside], "v": numbers[inside]}).group_by("o").agg(pl.col("v").mean())["v"]
        assert crowd.mean(start, end) == pytest.approx(means.mean())
    assert crowd.keep(crowd.values > 4).rows.sum() == (numbers > 4).sum()
