"""Associations, moments and components: by hand, and beside pandas and SciPy."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from masquerade.metrics import moments
from masquerade.metrics.association import correlation_ratio, pearson, standardise, theils_u


def test_pearson_agrees_with_pandas_where_values_are_missing() -> None:
    random = np.random.default_rng(0)
    numbers = random.normal(size=(200, 4)) @ random.normal(size=(4, 4)) + 1e6
    assert pearson(numbers) == pytest.approx(pd.DataFrame(numbers).corr().to_numpy(), abs=1e-6)
    numbers[random.random((200, 4)) < 0.3] = np.nan
    assert pearson(numbers) == pytest.approx(pd.DataFrame(numbers).corr().to_numpy(), abs=1e-6)


def test_pearson_of_a_constant_or_empty_column_is_undefined() -> None:
    numbers = np.array([[1.0, 5.0, np.nan], [2.0, 5.0, np.nan], [4.0, 5.0, np.nan]])
    found = pearson(numbers)
    assert found[0, 0] == pytest.approx(1)
    assert np.isnan(found[0, 1:]).all()


def test_standardise_survives_huge_offsets() -> None:
    assert standardise(np.array([[1e12 + 2.0], [1e12 - 2.0]])).ravel().tolist() == [1, -1]
    assert standardise(np.full((3, 1), 0.1)).ravel().tolist() == [0, 0, 0]


@pytest.mark.parametrize("size", [1.7e308, 1e300, 1e-300, 5e-324])
def test_numbers_at_the_ends_of_the_scale_are_standardised_without_overflow(size: float) -> None:
    assert standardise(np.array([[size], [-size], [size], [-size]])).ravel().tolist() == [1, -1, 1, -1]
    ladder = np.arange(1.0, 101.0)[:, None] / 100 * size
    if size > 1e-308:
        assert pearson(np.concatenate([ladder, np.arange(100.0)[:, None]], axis=1))[0, 1] == pytest.approx(1)


def test_correlation_ratio_by_hand() -> None:
    assert correlation_ratio(np.array([0, 0, 1, 1]), np.array([1.0, 1.0, 5.0, 5.0]), 2) == 1.0
    # means 2 and 4 around 3: between 4, total 8
    assert correlation_ratio(np.array([0, 0, 1, 1]), np.array([1.0, 3.0, 3.0, 5.0]), 2) == pytest.approx(math.sqrt(0.5))
    assert math.isnan(correlation_ratio(np.array([0, 1]), np.array([2.0, 2.0]), 2))


def test_theils_u_by_hand_and_its_direction() -> None:
    assert theils_u(np.array([[5.0, 0.0], [0.0, 5.0]])) == 1.0
    assert theils_u(np.array([[5.0, 5.0], [5.0, 5.0]])) == 0.0
    four_to_two = np.array(
        [[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]]
    )  # four levels; the column tells half of them
    assert theils_u(four_to_two) == pytest.approx(0.5)
    assert theils_u(four_to_two.T) == pytest.approx(1.0)
    assert math.isnan(theils_u(np.array([[3.0, 4.0]])))


def test_moments_by_hand() -> None:
    assert moments.log_difference(np.array([1.0, 10.0]), np.array([np.e, 10.0])) == pytest.approx(0.5)
    assert math.isnan(moments.log_difference(np.empty(0), np.empty(0)))
    assert moments.mean_absolute_percentage_error(np.array([2.0, 4.0, 0.0]), np.array([1.0, 5.0, 9.0])) == 0.375
    assert moments.summary_statistics(np.array([[1.0], [3.0], [np.nan]])).ravel().tolist() == [2, 2, 1, 1]
    assert moments.rank_agreement(np.array([1.0, 2.0, 3.0]), np.array([10.0, 30.0, 20.0])) == pytest.approx(0.5)


def test_components_see_a_lost_direction() -> None:
    random = np.random.default_rng(1)
    real = random.normal(size=(500, 3)) * [3, 2, 1]
    assert moments.pca_similarity(real, real[::-1]) == pytest.approx(1)
    assert moments.pca_similarity(real, real * [1, 1, 0]) == pytest.approx(2 / 3, abs=0.01)
    assert math.isnan(moments.pca_similarity(np.zeros((5, 2)), np.ones((5, 2))))
