"""Joint tables: values worked out by hand, and both sides of each claim."""

from __future__ import annotations

import time

import numpy as np
import pytest

from masquerade.metrics.codes import all_or_some, marginal_and_pair_score, subset_accuracies, total_variation


def test_total_variation_by_hand() -> None:
    assert total_variation(np.array([1.0, 1.0]), np.array([2.0, 6.0])) == 0.25
    assert total_variation(np.zeros(2), np.zeros(2)) == 0.0
    assert total_variation(np.zeros(2), np.ones(2)) == 1.0


def test_pairs_see_what_single_columns_cannot() -> None:
    real = np.array([[0, 0], [1, 1]] * 50)
    fake = np.array([[0, 1], [1, 0]] * 50)
    assert subset_accuracies(real, fake, (2, 2), [(0,), (1,), (0, 1)]).tolist() == [1.0, 1.0, 0.0]
    assert marginal_and_pair_score(real, fake, (2, 2)) == 0.5


def test_sparse_and_full_tables_agree() -> None:
    random = np.random.default_rng(0)
    real, fake = random.integers(0, 5, (300, 3)), random.integers(0, 4, (200, 3))
    few = subset_accuracies(real, fake, (5, 5, 5), [(0, 1, 2), (0, 2)])
    many = subset_accuracies(real, fake, (10**6, 10**7, 10**8), [(0, 1, 2), (0, 2)])
    assert few == pytest.approx(many)


def test_cells_beyond_64_bits_are_counted() -> None:
    codes = np.array([[0, 1, 2, 3], [3, 2, 1, 0]])
    assert subset_accuracies(codes, codes[:1], (2**31,) * 4, [(0, 1, 2, 3)]).tolist() == [0.5]


def test_influences_give_the_standard_error_that_resampling_gives() -> None:
    random = np.random.default_rng(1)
    real = random.choice(3, p=[0.5, 0.3, 0.2], size=(4000, 2))
    subsets = [(0,), (1,), (0, 1)]

    def draw(n: int) -> np.ndarray:
        return random.choice(3, p=[0.2, 0.3, 0.5], size=(n, 2))

    influences = np.zeros(4000), np.zeros(1000)
    subset_accuracies(real, draw(1000), (3, 3), subsets, influences)
    linear = np.sqrt(influences[1].var() / 1000)
    sampled = np.std([subset_accuracies(real, draw(1000), (3, 3), subsets).sum() for _ in range(200)])
    assert linear == pytest.approx(sampled, rel=0.2)


@pytest.mark.parametrize(("columns", "width"), [(5, 2), (6, 3), (4, 1)])
def test_all_subsets_where_few(columns: int, width: int) -> None:
    subsets = all_or_some(columns, width, 1000)
    assert len(subsets) == len(set(subsets))
    assert all(len(set(s)) == width for s in subsets)


def test_random_subsets_are_distinct_and_follow_the_seed() -> None:
    first = all_or_some(200, 3, 500, seed=1)
    assert len(set(first)) == 500
    assert all(a < b < c for a, b, c in first)
    assert first == all_or_some(200, 3, 500, seed=1) != all_or_some(200, 3, 500, seed=2)


def test_one_column_has_no_pairs() -> None:
    assert marginal_and_pair_score(np.zeros((4, 1), int), np.array([[0], [1]]), (2,)) == 0.5


def test_the_validation_score_is_quick() -> None:
    random = np.random.default_rng(2)
    sizes = (10, 9, 12, 16, 16, 7, 15, 6, 5, 2, 30, 30, 20, 42, 2)
    codes = np.stack([random.integers(0, s, 10_000) for s in sizes], axis=1)
    seconds = []
    for _ in range(5):
        start = time.perf_counter()
        marginal_and_pair_score(codes, codes[::-1], sizes)
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 0.05
