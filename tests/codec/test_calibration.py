"""Marginal calibration: biases reach the frequencies, maps reach the quantiles, and neither holds one person's value."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from masquerade.codec.arrays import Encoded, Layout
from masquerade.codec.calibration import ScalarMap, frequency_bias, scalar_bins
from masquerade.errors import ArtifactError

LAYOUT = Layout(
    ("a", "x"),
    (3, 2),
    ((False,) * 3, (False, True)),
    (True, False),
    (np.array([0.7, 0.25, 0.05]), np.array([0.4, 0.6])),
)


def test_a_bias_brings_wrong_frequencies_right() -> None:
    random = np.random.default_rng(0)
    wrong = np.log(np.concatenate([[0.2, 0.2, 0.6], [0.9, 0.1]]))

    def draw(bias: np.ndarray) -> np.ndarray:
        logits = wrong + bias + random.gumbel(size=(40_000, 5))
        return np.stack([logits[:, :3].argmax(axis=1), logits[:, 3:].argmax(axis=1)], axis=1).astype(np.int32)

    before, bias = draw(np.zeros(5, np.float32)), frequency_bias(draw, LAYOUT)
    after = draw(bias)
    for column, size in enumerate(LAYOUT.sizes):
        wanted = LAYOUT.frequencies[column]
        assert np.abs(np.bincount(before[:, column], minlength=size) / 40_000 - wanted).max() > 0.3
        assert np.abs(np.bincount(after[:, column], minlength=size) / 40_000 - wanted).max() < 0.015
    assert np.abs(bias).max() <= 8


def encoded(scalars: np.ndarray, code: int = 1) -> Encoded:
    rows = len(scalars)
    codes = np.stack([np.zeros(rows), np.full(rows, code)], axis=1).astype(np.int32)
    return Encoded(codes, np.stack([np.zeros(rows), scalars], axis=1).astype(np.float32))


def test_a_map_brings_scalars_to_the_training_distribution() -> None:
    random = np.random.default_rng(1)
    real, drawn = random.beta(2, 5, 5_000) * 2 - 1, random.uniform(-1, 1, 20_000)
    scalar_map = ScalarMap.fit(encoded(real), encoded(drawn), LAYOUT, protect=10)
    fresh = encoded(random.uniform(-1, 1, 20_000))
    mapped = scalar_map.apply(fresh)
    assert stats.ks_2samp(fresh.scalars[:, 1], real).statistic > 0.3
    assert stats.ks_2samp(mapped.scalars[:, 1], real).statistic < 0.03
    assert (np.diff(mapped.scalars[np.argsort(fresh.scalars[:, 1]), 1]) >= 0).all()


def test_no_knot_is_one_persons_value() -> None:
    random = np.random.default_rng(2)
    real = random.uniform(-0.5, 0.5, 400)
    real[0], real[1] = 0.987654, -0.987654
    scalar_map = ScalarMap.fit(encoded(real), encoded(random.uniform(-1, 1, 2_000)), LAYOUT, protect=10)
    assert scalar_map.places.tolist() == [[1, 1]]
    assert scalar_map.target.max() < 0.6
    assert scalar_map.target.min() > -0.6
    single = ScalarMap.fit(encoded(real), encoded(random.uniform(-1, 1, 2_000)), LAYOUT, protect=0)
    assert single.target.max() > 0.98  # without protection the extreme is there, so the test can fail


def test_a_code_with_few_rows_is_left_alone() -> None:
    few = np.linspace(-0.5, 0.5, 39)
    assert len(ScalarMap.fit(encoded(few), encoded(np.linspace(-1, 1, 500)), LAYOUT, protect=10).places) == 0


def test_saved_maps_come_back_and_odd_ones_are_refused() -> None:
    random = np.random.default_rng(3)
    fitted = ScalarMap.fit(encoded(random.normal(0, 0.2, 800)), encoded(random.normal(0, 0.4, 800)), LAYOUT, protect=10)
    back = ScalarMap.from_arrays(fitted.to_arrays(), LAYOUT)
    np.testing.assert_array_equal(back.target, fitted.target)
    with pytest.raises(ArtifactError, match="does not fit"):
        ScalarMap.from_arrays(fitted.to_arrays() | {"places": np.array([[7, 0]], np.int32)}, LAYOUT)


def test_bins_refine_only_columns_with_scalars() -> None:
    refined = scalar_bins(encoded(np.array([-0.9, -0.1, 0.1, 0.9])), LAYOUT)
    assert refined.codes.tolist() == [[0, 4], [0, 5], [0, 6], [0, 7]]
