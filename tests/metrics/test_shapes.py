"""Single columns: values worked out by hand, SciPy as a second opinion, and standard errors against resampling."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import ks_2samp

from masquerade.metrics import shapes
from masquerade.metrics.bins import Bins, equal_width, quantiles

NONE = np.array([np.nan, np.nan])


def test_ks_by_hand_and_by_scipy() -> None:
    assert shapes.ks_complement(np.array([1.0, 2.0, 3.0, 4.0]), np.array([3.0, 4.0, 5.0, 6.0, np.nan])) == 0.5
    random = np.random.default_rng(0)
    a, b = random.normal(size=300), random.normal(0.3, 1.2, size=200).round(1)
    assert shapes.ks_complement(a, b) == pytest.approx(1 - ks_2samp(a, b).statistic)


def test_total_variation_by_hand() -> None:
    assert shapes.tv_complement(np.array([1, 1, 2, 2]), np.array([1, 1, 1, 2, 0]), 3) == 0.75
    assert shapes.tv_complement(np.array([1, 1]), np.array([2, 2]), 3) == 0.0


def test_a_side_without_values() -> None:
    assert math.isnan(shapes.ks_complement(NONE, NONE))
    assert shapes.ks_complement(NONE, np.array([1.0])) == 0.0
    assert math.isnan(shapes.tv_complement(np.array([0]), np.array([0]), 2))
    assert shapes.tv_complement(np.array([0]), np.array([1]), 2) == 0.0
    assert math.isnan(shapes.boundary_adherence(NONE, 0, 1))
    assert math.isnan(shapes.category_adherence(np.array([1]), np.array([0]), 2))
    assert shapes.range_coverage(NONE, 0, 1) == 0.0
    assert math.isnan(shapes.range_coverage(np.array([1.0]), 3, 3))


def test_ranges_and_levels_by_hand() -> None:
    assert shapes.range_coverage(np.array([2.0, 5.0]), 0.0, 10.0) == 0.3
    assert shapes.range_coverage(np.array([-5.0, 15.0]), 0.0, 10.0) == 1.0
    assert shapes.boundary_adherence(np.array([1.0, 2.0, 9.0, 11.0]), 0.0, 10.0) == 0.75
    assert shapes.category_coverage(np.array([1, 1, 2, 3]), np.array([1, 2]), 4, threshold=2) == 1.0
    assert shapes.category_adherence(np.array([1, 2, 2]), np.array([1, 1, 2, 3]), 4) == 0.75


@pytest.mark.parametrize("figure", ["ks", "tv"])
def test_influences_give_the_standard_error_that_resampling_gives(figure: str) -> None:
    random = np.random.default_rng(1)

    def draw(shift: float, n: int) -> np.ndarray:
        values = random.normal(shift, 1, n)
        values[random.random(n) < 0.2] = np.nan
        return values if figure == "ks" else np.where(np.isnan(values), 0, (values > 0) + 1)

    def value(a: np.ndarray, b: np.ndarray, influences: tuple | None = None) -> float:
        return shapes.ks_complement(a, b, influences) if figure == "ks" else shapes.tv_complement(a, b, 3, influences)

    influences = np.zeros(800), np.zeros(800)
    value(draw(0, 800), draw(0.8, 800), influences)
    linear = math.sqrt(sum(side.var() / 800 for side in influences))
    sampled = np.std([value(draw(0, 800), draw(0.8, 800)) for _ in range(300)])
    assert linear == pytest.approx(sampled, rel=0.2)


def test_bins_by_hand() -> None:
    assert equal_width(np.array([0.0, 10.0]), bins=5).edges.tolist() == [2, 4, 6, 8]
    assert equal_width(np.array([3.0, 3.0])).size == 2
    assert equal_width(NONE).codes(np.array([np.nan, 5.0])).tolist() == [0, 1]
    found = quantiles(np.array([0.0] * 50 + list(range(1, 51))), bins=5)
    assert (found.heavy.tolist(), found.edges.tolist()) == ([0], [11, 21, 31, 41])
    assert found.codes(np.array([np.nan, 0, -3, 11, 999])).tolist() == [0, 1, 2, 3, 6]
    assert quantiles(np.array([1.0, 1.0])).size == 3
    assert Bins(np.array([2.0]), np.array([0.0])).codes(np.array([np.nan, 0, 1, 2, 99])).tolist() == [0, 1, 2, 3, 3]


def test_quantile_bins_hold_equally_many() -> None:
    values = np.random.default_rng(2).normal(size=1000)
    assert np.bincount(quantiles(values).codes(values)).tolist() == [0] + [100] * 10
