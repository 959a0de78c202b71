"""Integer noise has the scale that it is charged for, no more and no less, and tells no more than its ledger says.

The noise cannot be seeded: each statistical test here fails by chance less than once in a million runs.
"""

from __future__ import annotations

import bisect
import math

import numpy as np
import pytest
from scipy import stats

from masquerade.errors import SettingError
from masquerade.privacy import noise
from masquerade.privacy.accounting import deltas_of
from masquerade.privacy.events import discrete_gaussian
from masquerade.privacy.noise import noised_counts

pytest.importorskip("opendp")

DRAWS = 20_000
RARE = 5.5
"""So many standard deviations are left less than once in ten million times."""


def drawn(scale: float, draws: int = DRAWS) -> np.ndarray:
    return noised_counts(np.zeros(draws, np.int64), scale)


def masses(scale: float, reach: int) -> np.ndarray:
    """Of -reach, ..., reach."""
    found = np.exp(-(np.arange(-reach, reach + 1.0) ** 2) / (2 * scale**2))
    return found / found.sum()


def distance(sample: np.ndarray, scale: float) -> float:
    """Kolmogorov's, times the root of the number of draws: above 2.9 less than once in ten million times."""
    reach = int(np.abs(sample).max()) + math.ceil(9 * scale)
    expected = np.cumsum(masses(scale, reach))
    found = np.cumsum(np.bincount(sample + reach, minlength=2 * reach + 1)) / sample.size
    return float(np.abs(found - expected).max() * math.sqrt(sample.size))


@pytest.mark.parametrize("scale", [0.7, 3.0, 40.0])
def test_noise_has_its_scale_and_no_other(scale: float) -> None:
    sample = drawn(scale)
    assert distance(sample, scale) < 2.9
    assert distance(sample, scale * 2 / 3) > 4
    assert distance(sample, scale * 3 / 2) > 4


@pytest.mark.parametrize("scale", [3.0, 6_000.0])
def test_noise_of_opendp_where_a_table_is_not_worth_it(scale: float) -> None:
    few = np.zeros(1 if scale < 4_000 else 4_000, np.int64)
    calls = 4_000 // few.size
    sample = np.concatenate([noised_counts(few, scale) for _ in range(calls)])
    assert distance(sample, scale) < 2.9
    assert distance(sample, scale * 3 / 2) > 4


@pytest.mark.parametrize("scale", [0.05, 0.7, 3.0, 200.0])
def test_the_table_holds_the_exact_distribution(scale: float) -> None:
    high, low = noise._thresholds(scale)
    whole = [int(h) << 64 | int(lo) for h, lo in zip(high, low, strict=True)]
    assert whole == sorted(whole)
    found = np.diff([0, *whole, 2**128]).astype(float) / 2**128
    exact = masses(scale, len(whole) // 2)
    seen = exact > 1e-30
    np.testing.assert_allclose(found[seen], exact[seen], rtol=1e-8)
    divergence = np.sum(exact[seen] * np.log(exact[seen] / found[seen]))
    assert abs(divergence) < 1e-12
    ends = max(found[0], found[-1])
    assert ends < 2.0**-100 or scale < 1


def test_sample_and_distribution_have_no_divergence() -> None:
    sample, exact = drawn(2.0, 100_000), masses(2.0, 30)
    found = np.bincount(sample + 30, minlength=61) / sample.size
    seen = exact * sample.size > 10
    divergence = 2 * sample.size * np.sum(found[seen] * np.log(found[seen] / exact[seen]) - found[seen] + exact[seen])
    assert divergence < stats.chi2(seen.sum() - 1).isf(1e-7)


def test_ties_of_64_bits_are_settled_by_64_more() -> None:
    random = np.random.default_rng(0)
    whole = sorted(int(v) for v in random.integers(0, 64, 12))
    high, low = (np.array([v >> 3 for v in whole], np.uint64), np.array([v & 7 for v in whole], np.uint64))
    words = np.arange(64)
    found = noise._passed(high, low, (words >> 3).astype(np.uint64), (words & 7).astype(np.uint64))
    assert found.tolist() == [bisect.bisect_right(whole, word) for word in words]


def test_noise_is_new_at_every_count_and_call() -> None:
    one, other = drawn(10.0), drawn(10.0)
    for first, second in ((one, other), (one[1:], one[:-1]), (one[: DRAWS // 2], one[DRAWS // 2 :])):
        assert abs(np.corrcoef(first, second)[0, 1]) * math.sqrt(first.size) < RARE


def test_counts_keep_their_shape_and_stay_whole() -> None:
    counts = np.arange(2_000, dtype=np.int32).reshape(2, 10, 100)
    noised = noised_counts(counts, 0.05)
    assert noised.dtype == np.int64
    assert np.array_equal(noised, counts)
    assert noised_counts(np.zeros((0, 3), np.int64), 1.0).shape == (0, 3)


@pytest.mark.parametrize("true", [1.0, 2 / 3])
def test_neighbours_differ_as_much_as_charged(true: float) -> None:
    """The event that tells neighbours apart best happens e^ε times as often and δ more; with less noise it gives it away."""
    sigma, epsilon, draws = 1.5, 0.6, 400_000
    (delta,) = deltas_of([discrete_gaussian(sigma, stage="marginals", what="one")], [epsilon])
    least = math.floor(epsilon * sigma**2 + 0.5) + 1  # where the loss (2 z - 1) / (2 sigma²) is above ε
    with_it = noised_counts(np.ones(draws, np.int64), sigma * true) >= least
    without = noised_counts(np.zeros(draws, np.int64), sigma * true) >= least
    excess = with_it.mean() - math.exp(epsilon) * without.mean()
    error = math.sqrt(with_it.var() + math.exp(2 * epsilon) * without.var()) / math.sqrt(draws)
    if true == 1:
        assert abs(excess - delta) < RARE * error  # tight, too
    else:
        assert excess > delta + RARE * error


def test_a_level_of_one_unit_passes_its_threshold_as_rarely_as_said() -> None:
    scale, delta, draws = 5.0, 0.01, 200_000
    least = 2 + scale * stats.norm.isf(delta)
    passed = (noised_counts(np.ones(draws, np.int64), scale) >= least).mean()
    assert delta / 2 < passed < delta


@pytest.mark.parametrize("scale", [0.0, -1.0, math.inf, math.nan])
def test_a_scale_that_is_none_is_refused(scale: float) -> None:
    with pytest.raises(SettingError, match=r"scale: got .*above 0"):
        noised_counts(np.zeros(3, np.int64), scale)


def test_fractions_are_refused() -> None:
    with pytest.raises(SettingError, match="got float64, expected whole numbers"):
        noised_counts(np.zeros(3), 1.0)
