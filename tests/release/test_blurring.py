"""Means of groups of records: groups are large enough, random, inside of their cells; one record moves them little."""

from __future__ import annotations

import numpy as np

from masquerade.release.blurring import CODE_BOUND, draw_groups, group_means, sensitivity


def test_groups_are_large_enough_and_nearly_equal() -> None:
    groups = draw_groups(np.zeros(103, np.int64), 5, np.random.default_rng(0))
    sizes = np.bincount(groups)
    assert sizes.min() >= 5
    assert sizes.max() <= 6
    assert len(sizes) == 20


def test_groups_stay_in_their_cells_and_small_cells_are_pooled() -> None:
    cells = np.repeat([0, 1, 2, 3], [20, 3, 20, 2])
    groups = draw_groups(cells, 5, np.random.default_rng(0))
    assert np.bincount(groups).min() >= 5
    for group in np.unique(groups):
        inside = set(cells[groups == group].tolist())
        assert len(inside) == 1 or inside == {1, 3}


def test_too_few_rows_of_small_cells_join_another_group() -> None:
    groups = draw_groups(np.repeat([0, 1], [20, 2]), 5, np.random.default_rng(0))
    assert np.bincount(groups).min() >= 5


def test_groups_are_drawn_at_random() -> None:
    cells = np.zeros(100, np.int64)
    first = draw_groups(cells, 10, np.random.default_rng(0))
    other = draw_groups(cells, 10, np.random.default_rng(1))
    together = (first[:, None] == first[None, :]) & (other[:, None] == other[None, :])
    share = (together.sum() - 100) / (100 * 9)
    assert 0.02 < share < 0.2, "two who are together once are together again by chance alone (about 0.09)"


def test_each_row_gets_the_mean_of_its_group() -> None:
    codes = np.array([[1.0], [3.0], [10.0]], np.float32)
    assert group_means(codes, np.array([0, 0, 1])).ravel().tolist() == [2.0, 2.0, CODE_BOUND]


def test_one_record_moves_its_group_by_the_stated_sensitivity_at_most() -> None:
    random = np.random.default_rng(0)
    codes = random.normal(size=(40, 3)).astype(np.float32) * 100
    groups = draw_groups(np.zeros(40, np.int64), 8, random)
    farthest = 0.0
    for row in range(40):
        for sign in (-1, 1):
            other = codes.copy()
            other[row] = -sign * np.sign(codes[row]) * 1e6
            moved = np.abs(group_means(codes, groups) - group_means(other, groups))
            farthest = max(farthest, float(np.linalg.norm(moved, axis=1).max()))
    assert 0.5 * sensitivity(3, 8) < farthest <= sensitivity(3, 8) * 1.0001
