"""Noised sums: the bound on one vector, the noise's distribution, and that it is whole."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from masquerade.errors import SettingError
from masquerade.privacy.sums import GRID, bounded_rows, longest, noised_sums


def test_a_vector_beyond_the_bound_counts_as_none() -> None:
    limit = longest(4)
    rows = np.array(
        [
            [GRID, 0, 0, 0],
            [limit, 0, 0, 0],
            [limit + 1, 0, 0, 0],
            [GRID, GRID, 0, 0],
            [2**62, 0, 0, 0],
            [-(2**63), 0, 0, 0],
        ]
    )
    kept = bounded_rows(rows)
    assert (kept[:2] == rows[:2]).all()
    assert not kept[2:].any()
    assert bounded_rows(np.zeros((0, 4), np.int64)).shape == (0, 4)


def test_the_noise_is_gaussian_of_this_scale_and_no_other() -> None:
    drawn = noised_sums(np.full((20_000, 2), 7, np.int64), 1e5) - 7
    noise = drawn.ravel() / 1e5
    assert stats.kstest(noise, "norm").pvalue > 1e-7
    assert stats.kstest(noise * 1.5, "norm").pvalue < 1e-30
    assert stats.kstest(noise / 1.5, "norm").pvalue < 1e-30
    assert abs(np.corrcoef(drawn.T)[0, 1]) < 6 / 20_000**0.5


def test_small_scales_round_to_whole_numbers_around_the_sum() -> None:
    drawn = noised_sums(np.zeros(20_000, np.int64), 0.5)
    assert drawn.dtype == np.int64
    expected = np.diff(stats.norm.cdf(np.array([-1.5, -0.5, 0.5, 1.5]) / 0.5))
    found = [(drawn == value).mean() for value in (-1, 0, 1)]
    np.testing.assert_allclose(found, expected, atol=0.02)


@pytest.mark.parametrize("scale", [0.0, -1.0, float("inf"), float("nan")])
def test_a_scale_that_is_none_is_refused(scale: float) -> None:
    with pytest.raises(SettingError, match="scale"):
        noised_sums(np.zeros(2, np.int64), scale)
