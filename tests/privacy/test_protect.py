"""A level is shown only if enough units share it, and bounds are never one unit's value."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from masquerade.privacy.protect import protected_bounds, protected_levels, unit_series


def test_levels_need_enough_rows() -> None:
    values = pl.Series(["a"] * 10 + ["b"] * 9 + ["c"] * 12 + [None] * 30)
    assert protected_levels(values, 10).rows() == [("c", 12), ("a", 10)]
    assert protected_levels(values, 0).rows() == [("c", 12), ("a", 10), ("b", 9)]
    assert protected_levels(values, 1).rows() == protected_levels(values, 0).rows()
    assert protected_levels(values, 13).is_empty()


def test_levels_need_enough_units() -> None:
    values = pl.Series(["a"] * 30 + ["b"] * 10)
    table = pl.DataFrame({"unit": ["one"] * 30 + [f"p{i}" for i in range(10)]})
    units = unit_series(table, "unit")
    assert protected_levels(values, 10, units).rows() == [("b", 10)]
    assert protected_levels(values, 2, units).rows() == [("b", 10)]
    assert protected_levels(values, 1, units).rows() == [("a", 30), ("b", 10)]


def test_a_missing_unit_is_a_unit_of_its_own() -> None:
    units = unit_series(pl.DataFrame({"u": ["x", None, "x", None]}), "u")
    assert units is not None
    assert units.n_unique() == 3
    assert units[0] == units[2]
    assert unit_series(pl.DataFrame({"u": ["x"]}), None) is None


@given(st.lists(st.sampled_from("abcde"), min_size=1, max_size=80), st.integers(0, 12), st.integers(1, 10))
def test_levels_agree_with_counting(values: list[str], threshold: int, people: int) -> None:
    owners = [i % people for i in range(len(values))]
    units = unit_series(pl.DataFrame({"u": owners}), "u")
    shown = set(protected_levels(pl.Series(values), threshold, units)["level"].to_list())
    for level in "abcde":
        holders = {owner for value, owner in zip(values, owners, strict=True) if value == level}
        assert (level in shown) == (len(holders) >= max(threshold, 1))


def test_bounds_are_of_the_given_rank() -> None:
    values = np.random.default_rng(0).permutation(100).astype(float)
    assert protected_bounds(values, 10) == (9.0, 90.0)
    assert protected_bounds(values, 0) == protected_bounds(values, 1) == (0.0, 99.0)
    assert protected_bounds(values, 50) == (49.0, 50.0)
    assert protected_bounds(values, 51) == (49.5, 49.5)
    assert protected_bounds(np.empty(0), 10) == (0.0, 0.0)


@pytest.mark.parametrize("extreme", [1e12, -1e12])
def test_one_unit_cannot_move_a_bound_with_many_rows(extreme: float) -> None:
    values = np.concatenate([np.arange(100.0), np.full(500, extreme)])
    units = np.concatenate([np.arange(100), np.full(500, 100)])
    low, high = protected_bounds(values, 10, units)
    assert 0 <= low < high <= 99
    assert extreme in protected_bounds(values, 10), "without units its rows count as ten"


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60), st.integers(2, 10), st.integers(1, 20))
def test_enough_units_lie_at_or_beyond_a_bound(numbers: list[float], threshold: int, people: int) -> None:
    values = np.array(numbers)
    units = np.arange(len(values)) % people
    low, high = protected_bounds(values, threshold, units)
    if len(np.unique(units)) >= 2 * threshold:
        assert len(np.unique(units[values <= low])) >= threshold
        assert len(np.unique(units[values >= high])) >= threshold
    else:
        assert low == high == np.median(values)
