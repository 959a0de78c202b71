"""Noised counts to leaves."""

from __future__ import annotations

import numpy as np
import pytest

from masquerade.codec.merging import curve, groups


def test_every_heavy_value_is_a_leaf_and_light_ones_share_bins() -> None:
    weights = np.array([3.0, 900.0, 2.0, 4.0, 1.0, 500.0, 0.0, -2.0])
    found = groups(np.ones(8, int), weights, 2.0, 6)
    assert (1, 2) in found
    assert (5, 6) in found


@pytest.mark.parametrize("most", [2, 5, 32])
def test_leaves_of_a_smooth_column_are_alike_and_cover_it(most: int) -> None:
    weights = np.full(200, 100.0)
    found = groups(np.full(200, 7), weights, 1.0, most)
    assert most / 2 < len(found) <= most
    assert [start for start, _ in found] == [0, *(end for _, end in found[:-1])]
    assert found[-1][1] == 200
    sizes = np.array([end - start for start, end in found])
    assert sizes.max() <= 2 * sizes.min()


def test_noise_alone_makes_no_leaf_of_its_own() -> None:
    """Without one row, 256 cells of noise must not become dozens of leaves."""
    noise = np.random.default_rng(0).normal(0, 50, 256).round()
    assert len(groups(np.full(256, 10), noise, 50.0, 32)) <= 6


def test_a_cell_of_many_values_that_stands_out_is_a_bin_by_itself() -> None:
    weights = np.full(100, 5.0)
    weights[40] = 800.0
    found = groups(np.full(100, 3), weights, 2.0, 8)
    assert any(end == 41 and end - start <= 41 for start, end in found)


def test_one_cell_is_one_leaf_and_two_are_two() -> None:
    assert groups(np.array([1]), np.array([0.0]), 1.0, 8) == [(0, 1)]
    assert groups(np.array([1, 1]), np.array([-3.0, 1.0]), 1.0, 8) == [(0, 1), (1, 2)]


def test_a_rest_between_single_values_is_left_out_only_where_it_is_little() -> None:
    weights = np.array([9_000.0, 1.0, 0.0, 8_000.0, 7_000.0])
    assert groups(np.ones(5, int), weights, 1.0, 8) == [(0, 1), (3, 4), (4, 5)]
    weights[1:3] = 600.0  # with this noise it may be a quarter of the next
    assert groups(np.ones(5, int), weights, 900.0, 8) == [(0, 1), (1, 4), (4, 5)]


def test_inside_a_bin_weight_lies_where_it_is_sure_and_is_spread_where_not() -> None:
    share = curve(np.ones(5, int), np.array([0.0, 1.0, 1000.0, -1.0, 2.0]), 1.0)
    assert share[0] == 0
    assert share[-1] == 1
    assert (np.diff(share) >= 0).all()
    assert np.diff(share)[2] > 0.99
    spread = np.diff(curve(np.array([1, 4, 4, 9]), np.array([30.0, -25.0, 10.0, 5.0]), 20.0))
    assert np.allclose(spread, np.array([1, 2, 2, 3]) / 8)
