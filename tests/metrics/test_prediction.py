"""Figures of predictions, and whether their influences give an honest interval."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from masquerade.metrics.intervals import from_influences
from masquerade.metrics.prediction import correlation, macro_roc_auc


def test_the_mean_auc_over_classes_is_the_one_known() -> None:
    random = np.random.default_rng(0)
    labels = random.integers(0, 4, 300)
    shares = np.eye(4)[labels] + random.gumbel(size=(300, 4))
    shares = np.exp(shares) / np.exp(shares).sum(axis=1, keepdims=True)
    value, pull = macro_roc_auc(labels, shares)
    assert value == pytest.approx(roc_auc_score(labels, shares, multi_class="ovr", average="macro"))
    assert pull.mean() == pytest.approx(0, abs=1e-12)
    two = labels % 2
    assert macro_roc_auc(two, shares[:, :2])[0] == pytest.approx(roc_auc_score(two, shares[:, 1]))


def test_a_class_that_too_few_have_is_left_out() -> None:
    labels = np.array([0] * 20 + [1] * 20 + [2] * 2)
    shares = np.eye(3)[labels]
    shares[-2:] = [1.0, 0.0, 0.0]
    assert macro_roc_auc(labels, shares, fewest=1)[0] < macro_roc_auc(labels, shares, fewest=5)[0]
    assert math.isnan(macro_roc_auc(np.zeros(5, np.int64), np.ones((5, 3)))[0])


def test_the_interval_of_a_correlation_covers_the_truth_as_often_as_it_says() -> None:
    random = np.random.default_rng(1)
    inside = 0
    for _ in range(300):
        x = random.normal(size=400)
        y = 0.6 * x + 0.8 * random.normal(size=400)
        value, pull = correlation(x, y)
        assert value == pytest.approx(np.corrcoef(x, y)[0, 1])
        interval = from_influences(value, pull, low=-1.0)
        assert interval is not None
        inside += interval[0] <= 0.6 <= interval[1]
    assert 268 <= inside <= 297  # 285 ± 4 standard deviations


def test_predictions_that_are_all_alike_correlate_with_nothing() -> None:
    assert correlation(np.array([1.0, 2.0]), np.array([3.0, 3.0]))[0] == 0.0
    assert math.isnan(correlation(np.array([1.0, 1.0]), np.array([3.0, 4.0]))[0])
