"""The forest on kinds of features: same folds for all, four measures, importance of what matters."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.inspection import permutation_importance

from masquerade.errors import TableError
from masquerade.judge.coding import (
    MEASURES,
    Coding,
    Mean,
    _importance,
    forest_panel,
    importance_panel,
    judge_codings,
    measured,
)


def rows(count: int = 600, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    values = random.normal(size=(count, 4)).astype(np.float32)
    return values, (values[:, 1] + 0.5 * random.normal(size=count) > 0.5).astype(int)


def test_what_tells_the_target_is_found_and_noise_is_not() -> None:
    values, target = rows()
    told: list[tuple[int, int]] = []
    found = judge_codings(
        {
            "all": Coding(values, ("a", "b", "c", "d"), ("p", "p", "q", "q")),
            "noise": Coding(np.random.default_rng(1).normal(size=(600, 2)), ("n", "m")),
        },
        target,
        trees=30,
        folds=4,
        told=lambda done, total: told.append((done, total)),
    )
    assert found["all"].test["roc_auc"].value > 0.85
    low, high = found["noise"].test["roc_auc"].interval
    assert low < 0.55
    assert high > 0.45
    assert found["all"].train["roc_auc"].value >= found["all"].test["roc_auc"].value - 0.02
    importance = found["all"].importance
    assert max(importance, key=lambda name: importance[name].value) == "b"
    assert importance["b"].value > 0.2
    assert abs(importance["a"].value) < 0.03
    assert told[-1] == (8, 8)
    assert set(found["all"].test) == set(MEASURES)


def test_importance_is_that_of_scikit_learn() -> None:
    values, target = rows(2000)
    forest = RandomForestClassifier(40, max_depth=2, random_state=0).fit(values, target)
    own = _importance(forest, values, target, 30, np.random.default_rng(0))
    theirs = permutation_importance(forest, values, target, scoring="roc_auc", n_repeats=30, random_state=0)
    assert own == pytest.approx(theirs.importances_mean, abs=0.005)


def test_more_than_two_classes_and_words_as_classes() -> None:
    values, _ = rows()
    target = np.array(["x", "y", "z"])[np.digitize(values[:, 0], [-0.5, 0.5])]
    found = judge_codings({"raw": Coding(values, ("a", "b", "c", "d"))}, target, trees=20, folds=3)
    assert found["raw"].test["roc_auc"].value > 0.9
    assert found["raw"].test["balanced_accuracy"].value > 0.6


def test_the_measures_of_a_known_guess() -> None:
    shares = np.array([[0.9, 0.1], [0.6, 0.4], [0.7, 0.3], [0.2, 0.8]])
    found = measured(np.array([0, 0, 1, 1]), shares)
    assert found == {
        "balanced_accuracy": 0.75,
        "f1_weighted": pytest.approx(0.7333, abs=1e-4),
        "roc_auc": 0.75,
        "average_precision": pytest.approx(0.8333, abs=1e-4),
    }


def test_a_mean_of_folds_has_students_interval() -> None:
    mean = Mean.of([1.0, 2.0, 3.0])
    assert mean.value == 2.0
    assert mean.interval == pytest.approx((2 - 4.3027 / np.sqrt(3), 2 + 4.3027 / np.sqrt(3)), abs=1e-3)


def test_panels_hold_both_sides_and_the_colours() -> None:
    values, target = rows()
    coding = Coding(values, ("a", "b", "c", "d"), ("p", "p", "q", "q"))
    found = judge_codings({"raw": coding}, target, trees=10, folds=2)
    table = forest_panel(found).table
    assert table is not None
    assert [row[0] for row in table.rows] == [f"{measure}, raw" for measure in MEASURES]
    chart = importance_panel("raw", coding, found["raw"]).to_dict()["chart"]
    assert chart["names"][0] == "b"
    assert chart["groups"][0] == "p"
    assert len(chart["errors"]) == 4


@pytest.mark.parametrize("target", [np.zeros(600, int), np.r_[1, np.zeros(599, int)]])
def test_a_target_without_classes_is_refused(target: np.ndarray) -> None:
    with pytest.raises(TableError, match="expected at least two classes"):
        judge_codings({"raw": Coding(rows()[0], ("a", "b", "c", "d"))}, target)
