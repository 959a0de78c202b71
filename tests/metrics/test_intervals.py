"""Intervals: published values, and how often they hold the truth. Prediction figures: scikit-learn as a second opinion."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.metrics import f1_score, r2_score, roc_auc_score

from masquerade.metrics import intervals
from masquerade.metrics.prediction import macro_f1, r_squared, roc_auc


def test_published_values() -> None:
    assert intervals.wilson(0, 10) == pytest.approx((0, 0.2775), abs=1e-4)
    assert intervals.wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)  # Newcombe 1998a, table I
    assert intervals.newcombe(56, 70, 48, 80) == pytest.approx((0.0524, 0.3339), abs=1e-4)  # Newcombe 1998b, table II
    assert intervals.wilson(0, 0) == (0, 1)


def test_influences_cut_to_the_range_and_unknown_values_have_none() -> None:
    low, high = intervals.from_influences(0.99, np.array([0.0, 1.0] * 20)) or (0, 0)
    assert 0 < low < 0.99
    assert high == 1.0
    assert intervals.from_influences(math.nan, np.ones(3)) is None


def test_clusters_widen_the_interval_and_the_plain_one_is_too_narrow() -> None:
    random = np.random.default_rng(0)
    held = {"clusters": 0, "rows": 0}
    for _ in range(200):
        values = np.repeat(random.integers(0, 2, 100), 10).astype(float)
        for name, clusters in (("clusters", np.repeat(np.arange(100), 10)), ("rows", np.arange(1000))):
            low, high = intervals.from_clusters(values, clusters)
            held[name] += low <= 0.5 <= high
    assert held["clusters"] >= 180
    assert held["rows"] < 140


def test_quantile_intervals_hold_the_truth() -> None:
    random = np.random.default_rng(1)
    held = 0
    for _ in range(200):
        low, high = intervals.of_quantile(random.random(400), 0.05)
        held += low <= 0.05 <= high
    assert 180 <= held < 200


def test_prediction_figures_agree_with_scikit_learn() -> None:
    random = np.random.default_rng(2)
    labels, scores = random.integers(0, 2, 300), random.normal(size=300).round(1)
    assert roc_auc(labels, scores)[0] == pytest.approx(roc_auc_score(labels, scores))
    classes, guess = random.integers(0, 4, 300), random.integers(0, 4, 300)
    assert macro_f1(classes, guess, 4)[0] == pytest.approx(f1_score(classes, guess, average="macro"))
    assert macro_f1(classes, guess, 9)[0] == pytest.approx(f1_score(classes, guess, average="macro"))
    values, predicted = random.normal(size=300), random.normal(size=300)
    assert r_squared(values, predicted)[0] == pytest.approx(r2_score(values, predicted))
    assert math.isnan(roc_auc(np.ones(5, int), np.arange(5.0))[0])
    assert math.isnan(r_squared(np.ones(5), np.arange(5.0))[0])


@pytest.mark.parametrize("figure", ["auc", "f1", "r2"])
def test_their_influences_give_the_standard_error_that_resampling_gives(figure: str) -> None:
    random = np.random.default_rng(3)

    def draw() -> tuple[float, np.ndarray]:
        label = (random.random(500) < 0.3).astype(int)
        score = label + random.normal(size=500)
        if figure == "auc":
            return roc_auc(label, score)
        return macro_f1(label, (score > 0.5).astype(int), 2) if figure == "f1" else r_squared(score, 0.8 * label)

    sampled = np.std([draw()[0] for _ in range(300)])
    linear = np.mean([math.sqrt(draw()[1].var() / 500) for _ in range(10)])
    assert linear == pytest.approx(sampled, rel=0.2)
