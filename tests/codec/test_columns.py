"""Single codecs: numbers, moments, categories, identifiers."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from masquerade.codec.category import CategoryCodec
from masquerade.codec.column import ColumnCodec, from_state
from masquerade.codec.identifier import FreshCodec, PseudonymCodec, fit_identifier
from masquerade.codec.mixture import Mixture, draw_components, fit_mixture
from masquerade.codec.moment import MomentCodec
from masquerade.codec.numeric import NumericCodec
from masquerade.errors import ArtifactError, MasqueradeWarning
from masquerade.schema import Column


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def there_and_back(codec: ColumnCodec, values: pl.Series) -> pl.Series:
    config, arrays = codec.to_state()
    loaded = from_state(codec.name, json.loads(json.dumps(config)), arrays)
    return loaded.decode(*codec.encode(values, rng(1)), rng(2))


def largest_gap(one: np.ndarray, other: np.ndarray) -> float:
    """The Kolmogorov-Smirnov distance."""
    grid = np.sort(np.r_[one, other])
    shares = [np.searchsorted(np.sort(sample), grid, side="right") / sample.size for sample in (one, other)]
    return float(np.abs(shares[0] - shares[1]).max())


def test_mixture_finds_what_is_there() -> None:
    draw = rng()
    values = np.r_[draw.normal(-5, 1, 6000), draw.normal(5, 0.5, 3000), draw.normal(20, 2, 1000)]
    mixture = fit_mixture(values, components=3, steps=500, tolerance=1e-7)
    np.testing.assert_allclose(mixture.means, [-5, 5, 20], atol=0.2)
    np.testing.assert_allclose(mixture.stds, [1, 0.5, 2], rtol=0.1)
    np.testing.assert_allclose(mixture.weights, [0.6, 0.3, 0.1], atol=0.01)
    assert fit_mixture(np.full(100, 3.0)).means.tolist() == [3.0]


def test_components_are_drawn_by_posterior() -> None:
    mixture = Mixture(np.array([0.0, 1.0]), np.array([1.0, 1.0]), np.array([0.5, 0.5]))
    share = draw_components(mixture, np.full(40_000, 0.5), rng()).mean()
    assert abs(share - 0.5) < 0.01
    share = draw_components(mixture, np.full(40_000, 1.5), rng()).mean()
    assert abs(share - 1 / (1 + np.exp(-1))) < 0.01  # log odds are x - 1/2
    assert abs(share - 0.5) > 0.1


def test_codes_have_the_weights_of_the_mixture() -> None:
    """Drawing a code by its weight and a normal scalar gives the column's distribution back; a wrong one does not."""
    values = rng().lognormal(3, 1.2, 30_000)
    codec = NumericCodec.fit(pl.Series(values), Column("x", "continuous"), rng=rng())
    assert codec.scale.width > 0
    draw = rng(3)
    codes = draw.choice(codec.size, 30_000, p=codec.weights / codec.weights.sum()).astype(np.int32)
    scalars = (draw.normal(size=30_000) / 4).astype(np.float32)
    made = codec.decode(codes, scalars, draw).to_numpy()
    assert largest_gap(values, made) < 0.02
    assert largest_gap(values, codec.decode(codes, -np.abs(scalars), draw).to_numpy()) > 0.02


@pytest.mark.parametrize("kind", ["normal", "lognormal", "uniform", "bimodal", "spiky"])
def test_numbers_come_back_exactly_within_the_bounds(kind: str) -> None:
    draw, rows = rng(), 5_000
    values = {
        "normal": draw.normal(100, 15, rows),
        "lognormal": draw.lognormal(8, 2, rows),
        "uniform": draw.uniform(-1, 1, rows),
        "bimodal": np.r_[draw.normal(0, 1, rows // 2), draw.normal(1000, 1, rows // 2)],
        "spiky": np.round(draw.lognormal(5, 1, rows), -1),
    }[kind].round(2)
    codec = NumericCodec.fit(pl.Series(values), Column("x", "continuous", decimals=2), rng=rng())
    back = there_and_back(codec, pl.Series(values)).to_numpy()
    low, high = np.sort(values)[[9, -10]]
    assert low <= back.min() <= back.max() <= high
    np.testing.assert_array_equal(back, back.round(2))
    assert np.isclose(back, np.clip(values, low, high), rtol=1e-4, atol=0.011).mean() > 0.98
    assert largest_gap(values, back) < 0.01


def test_heavy_values_decode_exactly_and_few_values_need_no_mixture() -> None:
    draw = rng()
    heavy = np.where(draw.random(4000) < 0.4, 999.0, draw.normal(50, 10, 4000))
    codec = NumericCodec.fit(pl.Series(heavy), Column("x", "continuous"), rng=rng())
    assert 999.0 in codec.atoms
    assert codec.mixture is not None
    assert (there_and_back(codec, pl.Series(heavy)).to_numpy() == 999.0).tolist() == (heavy == 999.0).tolist()
    few = pl.Series(draw.integers(0, 12, 4000))
    codec = NumericCodec.fit(few, Column("x", "integer"), rng=rng())
    assert codec.mixture is None
    assert codec.atoms.tolist() == list(range(12))
    rare = few.scatter(0, 400)
    codec = NumericCodec.fit(rare, Column("x", "integer"), rng=rng())
    assert 400.0 not in codec.atoms
    assert there_and_back(codec, rare)[0] == 11


def test_declared_bounds_and_units_hold() -> None:
    values = pl.Series(rng().normal(0, 10, 2000))
    codec = NumericCodec.fit(values, Column("x", "continuous", minimum=-5, maximum=5), rng=rng())
    back = there_and_back(codec, values)
    assert back.min() >= -5
    assert back.max() <= 5
    loud = values.scatter(range(30), 500.0)
    owners = pl.Series(np.r_[np.zeros(30), np.arange(1, 1971)].astype(np.int64))
    alone = NumericCodec.fit(loud, Column("x", "continuous"), units=owners, rng=rng())
    assert alone.high < 100
    assert NumericCodec.fit(loud, Column("x", "continuous"), rng=rng()).high == 500


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_decoding_never_fails_whatever_a_net_says(data: st.DataObject) -> None:
    numbers = data.draw(st.lists(st.floats(-1e15, 1e15), min_size=12, max_size=60))
    whole = data.draw(st.booleans())
    values = pl.Series(np.round(numbers) if whole else numbers, dtype=pl.Float64)
    values = values.cast(pl.Int64) if whole else values
    codec = NumericCodec.fit(values, Column("x", "integer" if whole else "continuous", decimals=None), rng=rng())
    codes = np.repeat(np.arange(codec.size, dtype=np.int32), 3)
    back = codec.decode(codes, np.tile(np.array([-1, 0, 1], dtype=np.float32), codec.size), rng())
    assert back.null_count() == 0
    assert back.cast(pl.Float64).is_finite().all()


@pytest.mark.parametrize(
    ("step", "microseconds"),
    [
        (timedelta(days=1), 86_400_000_000),
        (timedelta(hours=1), 3_600_000_000),
        (timedelta(minutes=1), 60_000_000),
        (timedelta(seconds=1), 1_000_000),
    ],
)
def test_moments_keep_their_resolution(step: timedelta, microseconds: int) -> None:
    moments = [datetime(1960, 5, 1) + step * int(i) for i in rng().integers(0, 20_000, 3000)]
    values = pl.Series([None, *moments], dtype=pl.Datetime("us"))
    codec = MomentCodec.fit(values, Column("t", "datetime"), rng=rng())
    assert codec.step == microseconds
    back = there_and_back(codec, values)
    assert back.dtype == pl.Datetime("us")
    assert back.is_null().equals(values.is_null())
    assert (back.drop_nulls().to_physical() % microseconds == 0).all()
    assert (back == values).mean() > 0.97
    bounded = MomentCodec.fit(values, Column("t", "datetime", maximum="1960-05-02T00:00:00"), rng=rng())
    assert there_and_back(bounded, values).max() <= datetime(1960, 5, 2)


def test_few_rare_rows_become_draws_from_the_shown_levels() -> None:
    values = pl.Series(["a"] * 700 + ["b"] * 300 + ["rare"] * 9)
    codec = CategoryCodec.fit(values, Column("c", "categorical"), rng=rng())
    assert codec.levels == ("a", "b")
    back = there_and_back(codec, values)
    assert set(back) == {"a", "b"}
    assert back.head(1000).equals(values.head(1000))
    many = codec.decode(*codec.encode(pl.Series(["new"] * 20_000), rng()), rng())
    assert abs((many == "a").mean() - 0.7) < 0.01


def test_much_that_is_rare_shares_a_bucket() -> None:
    values = pl.Series(["head office"] * 500 + [f"Shop {i:03d}" for i in range(400)] + [None] * 100)
    with pytest.warns(MasqueradeWarning, match=r"column 'c': 400 of 900 values"):
        codec = CategoryCodec.fit(values, Column("c", "categorical"), rng=rng())
    assert codec.size == 3
    back = there_and_back(codec, values)
    assert back.is_null().equals(values.is_null())
    assert (back.head(500) == "head office").all()
    assert back[500:900].str.contains(r"^Shop \d{3,4}$").all()
    assert not set(back[500:900]) & set(values[500:900])


def test_declared_levels_are_public() -> None:
    values = pl.Series(["a"] * 700 + ["b"] * 3)
    column = Column("c", "categorical", levels=("a", "b"))
    assert CategoryCodec.fit(values, column, rng=rng()).levels == ("a",)
    assert CategoryCodec.fit(values, column, declared=True, rng=rng()).levels == ("a", "b")


def test_the_most_frequent_levels_up_to_the_cap() -> None:
    values = pl.Series([f"l{i % 20}" for i in range(2000)] + ["l7"] * 5)
    with pytest.warns(MasqueradeWarning, match="beyond the 5"):
        codec = CategoryCodec.fit(values, Column("c", "text"), max_levels=5, rng=rng())
    assert codec.levels[0] == "l7"
    assert codec.size == 6


def fit_ids(values: pl.Series, *, protect: int = 10, max_levels: int = 500, discrete: bool = False) -> ColumnCodec:
    return fit_identifier(values, protect=protect, max_levels=max_levels, discrete=discrete, rng=rng())


def test_many_repeated_ids_repeat_as_often() -> None:
    values = pl.Series(rng().integers(10_000, 13_000, 12_000))
    codec = fit_ids(values)
    assert isinstance(codec, FreshCodec)
    back = there_and_back(codec, values)
    assert back.dtype == pl.Int64
    assert not set(back) & set(values)
    assert 3.5 < back.len() / back.n_unique() < 4.7


def test_whole_number_ids_are_distinct_numbers() -> None:
    values = pl.Series(np.arange(1000, 1500))
    back = there_and_back(fit_ids(values), values)
    assert back.dtype == pl.Int64
    assert back.n_unique() == 500
    assert back.min() >= 1000
    assert not set(back) & set(values)


def test_few_repeated_ids_become_pseudonyms_and_only_they_are_saved() -> None:
    values = pl.Series([f"ACC{i % 12:03d}" for i in range(600)] + ["ACC900"] * 4)
    codec = fit_ids(values)
    assert isinstance(codec, PseudonymCodec)
    assert codec.size == 13
    back = there_and_back(codec, values)
    assert not set(back) & set(values)
    assert pl.DataFrame([values.alias("real"), back.alias("made")]).n_unique() == 13
    config, arrays = codec.to_state()
    assert not [real for real in values.unique() if real in json.dumps(config)]
    # A loaded one does not know the real ids any more: it draws by frequency.
    loaded = from_state("pseudonym", config, arrays)
    codes, _ = loaded.encode(values, rng())
    assert codes.min() >= 0
    assert np.unique(codes).size > 10
    assert not np.array_equal(codes, codec.encode(values, rng())[0])


def test_an_unknown_codec_is_refused() -> None:
    with pytest.raises(ArtifactError, match="did you mean 'numeric'"):
        from_state("numerics", {}, {})
