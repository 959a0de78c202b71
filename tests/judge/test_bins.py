"""Counts that may be shown, and quantiles that are nobody's own."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from masquerade.judge.bins import count_units, nice_step, protected_bins, quantile


def _draw(kind: str, shape: str, rows: int, rng: np.random.Generator) -> np.ndarray:
    values = {
        "normal": rng.normal(50, 20, rows),
        "skewed": np.exp(rng.normal(0, 3, rows)),
        "mostly zero": np.where(rng.random(rows) < 0.9, 0.0, rng.exponential(5000, rows)),
        "signed": rng.standard_cauchy(rows) * 100,
        "gaps": rng.choice([0.0, 1.0, 1000.0], rows, p=[0.5, 0.47, 0.03]),
        "huge": rng.normal(0, 1, rows) * 1e300,
        "tiny": rng.random(rows) * 1e-300,
    }[shape]
    return np.round(values) if kind != "continuous" and shape != "tiny" else values


@settings(max_examples=60, deadline=None)
@given(
    kind=st.sampled_from(["integer", "continuous", "datetime"]),
    shape=st.sampled_from(["normal", "skewed", "mostly zero", "signed", "gaps"]),
    rows=st.integers(10, 800),
    people=st.sampled_from([None, 15, 200]),
    seed=st.integers(0, 10_000),
)
def test_every_bin_is_empty_or_holds_enough_units(
    kind: str, shape: str, rows: int, people: int | None, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    values = _draw(kind, shape, rows, rng)
    units = None if people is None else rng.integers(0, people, rows)
    bins = protected_bins(values, 10, units, kind=kind)
    holders = rows if units is None else np.unique(units).size
    if bins is None:
        assert holders < 20
        return
    assert bins.counts.sum() == rows
    assert (np.diff(bins.edges) > 0).all()
    assert np.array_equal(bins.counts, bins.count(values))
    place = np.clip(np.searchsorted(bins.edges, values, side="right") - 1, 0, bins.counts.size - 1)
    held = count_units(place, bins.counts.size, units)
    assert ((held == 0) | (held >= 10)).all()


@pytest.mark.parametrize("shape", ["huge", "tiny"])
def test_huge_and_tiny_numbers_are_binned(shape: str) -> None:
    values = _draw("continuous", shape, 500, np.random.default_rng(0))
    bins = protected_bins(values, 10)
    assert bins is not None
    assert bins.counts.size > 10
    assert np.isfinite(bins.edges).all()


def test_edges_do_not_depend_on_the_extremes() -> None:
    values = np.random.default_rng(0).normal(50, 10, 1000)
    wild = values.copy()
    wild[np.argmax(wild)] = 987_654_321.125
    first, second = protected_bins(values, 10), protected_bins(wild, 10)
    assert first is not None
    assert second is not None
    assert first.edges.tolist() == second.edges.tolist()


def test_ten_rows_of_one_unit_are_one() -> None:
    values = np.concatenate([np.repeat(np.arange(5.0), 20), np.full(50, 30.0)])
    units = np.concatenate([np.arange(100), np.full(50, 100)])
    alone, grouped = protected_bins(values, 10, kind="integer"), protected_bins(values, 10, units, kind="integer")
    assert alone is not None
    assert grouped is not None
    assert alone.high == 30.0
    assert grouped.high < 30.0


def test_too_few_units_show_nothing_but_a_shared_constant() -> None:
    assert protected_bins(np.arange(19.0), 10) is None
    assert protected_bins(np.full(9, 3.0), 10) is None
    constant = protected_bins(np.full(12, 3.0), 10, kind="integer")
    assert constant is not None
    assert constant.edges.tolist() == [2.5, 3.5]


def test_whole_numbers_get_a_bin_each_and_zero_its_own() -> None:
    bins = protected_bins(np.repeat(np.arange(5.0), 50), 10, kind="integer")
    assert bins is not None
    assert bins.edges.tolist() == [-0.5, 0.5, 1.5, 2.5, 3.5, 4.5]
    rng = np.random.default_rng(0)
    gains = protected_bins(np.concatenate([np.zeros(900), rng.integers(1000, 90_000, 100)]), 10, kind="integer")
    assert gains is not None
    assert gains.scale == "log"
    assert gains.edges[:2].tolist() == [-0.5, 0.5]
    assert gains.counts[0] == 900


def test_months_begin_on_the_first() -> None:
    days = np.arange(0, 365 * 6) * 86_400.0
    bins = protected_bins(days, 10, kind="datetime")
    assert bins is not None
    starts = pl.Series(bins.edges * 1e6).cast(pl.Int64).cast(pl.Datetime("us"))
    assert set(starts.dt.day()) == {1}


@given(st.floats(1e-290, 1e290), st.integers(2, 60))
def test_a_nice_step_covers_the_span(span: float, cells: int) -> None:
    step = nice_step(span, cells)
    assert step * cells >= span
    assert step * cells <= 2.6 * span


def test_a_quantile_is_exact_only_where_enough_share_it() -> None:
    rng = np.random.default_rng(0)
    values = np.sort(rng.normal(size=1001))
    for share in (0.25, 0.5, 0.75):
        found = quantile(values, share, 10)
        assert found not in values
        assert abs(found - np.quantile(values, share)) < 0.03
    assert quantile(np.repeat([1.0, 5.0], 30), 0.5, 10) == 1.0
    units = np.zeros(60, dtype=np.int64)
    units[30:] = np.arange(30)
    assert quantile(np.repeat([1.0, 5.0], 30), 0.25, 10, units) != 1.0
