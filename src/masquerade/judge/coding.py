"""What codes are worth to an analyst: one forest on the raw features and on each kind of code, on the same folds.

The forest is the one of the literature on encodings of Bank Marketing: 500 trees of depth 2, ten stratified folds. So shallow a
tree cuts along single features, which is a hard test for codes that mix many of them.
"""

from __future__ import annotations

import math
import threading
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import average_precision_score, balanced_accuracy_score, f1_score, roc_auc_score
from sklearn.model_selection import StratifiedKFold

from masquerade import seeds
from masquerade.errors import TableError
from masquerade.judge.panels import Bars, Panel, Rows
from masquerade.judge.workers import side_by_side

__all__ = ["MEASURES", "Coding", "Forest", "Mean", "forest_panel", "importance_panel", "judge_codings"]

MEASURES = ("balanced_accuracy", "f1_weighted", "roc_auc", "average_precision")

Floats = NDArray[np.floating[Any]]

_SHOWN = 30
"""Bars of a chart of importance, at most."""


@dataclass(frozen=True)
class Coding:
    """One kind of features for the same rows.

    Args:
        values: shape (rows, features), no NaN.
        names: of the features.
        groups: of each feature, which gives its colour; empty: all alike.
    """

    values: Floats
    names: tuple[str, ...]
    groups: tuple[str, ...] = ()


@dataclass(frozen=True)
class Mean:
    """A figure over folds.

    Args:
        value: mean over the folds.
        interval: 95 % by Student's t over the folds; they share training rows, so it is somewhat too narrow.
        folds: the figure of each.
    """

    value: float
    interval: tuple[float, float]
    folds: tuple[float, ...]

    @classmethod
    def of(cls, folds: Sequence[float]) -> Mean:
        """From the figure of each fold, at least two."""
        values = np.asarray(folds, np.float64)
        half = float(student.ppf(0.975, len(values) - 1)) * float(values.std(ddof=1)) / math.sqrt(len(values))
        mean = float(values.mean())
        return cls(mean, (mean - half, mean + half), tuple(values.tolist()))


@dataclass(frozen=True)
class Forest:
    """What the forest reached on one kind of features.

    Args:
        test: by measure, on the folds that did not train it.
        train: by measure, on the rows that did.
        importance: by feature, the mean drop of roc_auc on unseen rows when it is shuffled; empty where it was not asked for.
    """

    test: Mapping[str, Mean]
    train: Mapping[str, Mean]
    importance: Mapping[str, Mean]

    def to_dict(self) -> dict[str, Any]:
        """Plain data for `report.json`."""
        return {
            side: {name: {"value": mean.value, "interval": list(mean.interval)} for name, mean in found.items()}
            for side, found in (("test", self.test), ("train", self.train), ("permutation_importance", self.importance))
            if found
        }


def judge_codings(
    codings: Mapping[str, Coding],
    target: NDArray[Any],
    *,
    trees: int = 500,
    depth: int = 2,
    folds: int = 10,
    repeats: int = 10,
    seed: int = 0,
    told: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, Forest]:
    """Cross-validate the forest on each kind of features, all on the same stratified folds.

    Args:
        codings: kinds of features by name, all of the same rows.
        target: the class of each row, shape (rows,).
        trees: of a forest.
        depth: of a tree.
        folds: at most the rows of the rarest class.
        repeats: times that each feature is shuffled, shared out among the folds; 0: no importance is measured.
        seed: of the folds, the forests and the shuffling.
        told: called with how many forests are done, and of how many.

    Raises:
        TableError: the target has one class only, or fewer than two rows of one.

    >>> random = np.random.default_rng(0)
    >>> target = random.integers(2, size=200)
    >>> found = judge_codings({"raw": Coding(target[:, None] + random.normal(size=(200, 1)), ("x",))}, target, trees=5, folds=2)
    >>> 0.6 < found["raw"].test["roc_auc"].value < 0.9
    True
    """
    levels, classes = np.unique(target, return_inverse=True)
    fewest = int(np.bincount(classes).min())
    if len(levels) < 2 or fewest < 2:
        raise TableError(
            "target: expected at least two classes of at least two rows each, to be told apart by a model."
        )
    splitter = StratifiedKFold(min(folds, fewest), shuffle=True, random_state=seeds.integer(seed, "folds"))
    splits = list(splitter.split(np.zeros(len(classes)), classes))
    lock, done = threading.Lock(), [0]

    def one(coding: Coding, fold: int) -> tuple[dict[str, float], dict[str, float], NDArray[np.float64]]:
        train, test = splits[fold]
        values = np.asarray(coding.values, np.float32)
        forest = RandomForestClassifier(
            trees, max_depth=depth, n_jobs=1, random_state=seeds.integer(seed, "forest", fold)
        ).fit(values[train], classes[train])
        shuffling = seeds.stream(seed, "shuffle", fold)
        found = (
            measured(classes[test], forest.predict_proba(values[test])),
            measured(classes[train], forest.predict_proba(values[train])),
            _importance(forest, values[test], classes[test], -(-repeats // len(splits)), shuffling),
        )
        with lock:
            done[0] += 1
            told(done[0], len(codings) * len(splits))
        return found

    jobs = [partial(one, coding, fold) for fold in range(len(splits)) for coding in codings.values()]
    found = side_by_side(jobs)
    result = {}
    for place, (name, coding) in enumerate(codings.items()):
        mine = found[place :: len(codings)]
        drops = np.stack([drop for _, _, drop in mine])
        result[name] = Forest(
            {measure: Mean.of([test[measure] for test, _, _ in mine]) for measure in MEASURES},
            {measure: Mean.of([train[measure] for _, train, _ in mine]) for measure in MEASURES},
            {feature: Mean.of(drops[:, i].tolist()) for i, feature in enumerate(coding.names)} if repeats else {},
        )
    return result


def measured(classes: NDArray[np.integer], shares: NDArray[np.float64]) -> dict[str, float]:
    """The four measures of predicted class probabilities, shape (rows, classes); more than two classes: macro means.

    >>> measured(np.array([0, 1]), np.array([[0.9, 0.1], [0.2, 0.8]]))["roc_auc"]
    1.0
    """
    guess = shares.argmax(axis=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a class that is never guessed counts as missed
        return {
            "balanced_accuracy": float(balanced_accuracy_score(classes, guess)),
            "f1_weighted": float(f1_score(classes, guess, average="weighted")),
            "roc_auc": _ranked(classes, shares),
            "average_precision": float(
                average_precision_score(classes, shares[:, 1])
                if shares.shape[1] == 2
                else average_precision_score(np.eye(shares.shape[1])[classes], shares)
            ),
        }


def _ranked(classes: NDArray[np.integer], shares: NDArray[np.float64]) -> float:
    if shares.shape[1] == 2:
        return float(roc_auc_score(classes, shares[:, 1]))
    return float(roc_auc_score(np.eye(shares.shape[1])[classes], shares))


def _importance(
    forest: Any, values: NDArray[np.float32], classes: NDArray[np.integer], repeats: int, random: np.random.Generator
) -> NDArray[np.float64]:
    """Mean drop of roc_auc when a feature is shuffled (Breiman 2001), shape (features,).

    A shallow tree looks at few features, so only those that look at the shuffled one are asked again.
    """
    trees = [tree.tree_ for tree in forest.estimators_]
    looks = np.zeros((len(trees), values.shape[1]), bool)
    for place, tree in enumerate(trees):
        looks[place, tree.feature[tree.feature >= 0]] = True
    drops = np.zeros(values.shape[1])
    if not repeats:
        return drops
    own = [_shares(tree, values) for tree in trees]
    total = np.sum(own, axis=0)
    whole = _ranked(classes, total / len(trees))
    for feature in range(values.shape[1]):
        asked = np.flatnonzero(looks[:, feature])
        if not len(asked):
            continue
        others = total - np.sum([own[i] for i in asked], axis=0)
        for _ in range(repeats):
            shuffled = values.copy()
            shuffled[:, feature] = random.permutation(values[:, feature])
            shares = others + np.sum([_shares(trees[i], shuffled) for i in asked], axis=0)
            drops[feature] += (whole - _ranked(classes, shares / len(trees))) / repeats
    return drops


def _shares(tree: Any, values: NDArray[np.float32]) -> NDArray[np.float64]:
    counts: NDArray[np.float64] = tree.predict(values)
    shares: NDArray[np.float64] = counts / counts.sum(axis=1, keepdims=True)
    return shares


def forest_panel(found: Mapping[str, Forest]) -> Panel:
    """The table of measures, test folds and training rows beside each other."""
    rows = []
    for measure in MEASURES:
        for name, forest in found.items():
            test, train = forest.test[measure], forest.train[measure]
            low, high = test.interval
            rows.append((f"{measure}, {name}", f"{test.value:.4f}", f"{low:.4f} – {high:.4f}", f"{train.value:.4f}"))
    header = ("measure, features", "unseen folds", "95 % interval", "training rows")
    note = (
        "One random forest of shallow trees, cross-validated on the same folds with the raw features and with each kind of "
        "code. The encoder never sees the target; it has seen the other columns of all rows."
    )
    return Panel("What an analyst's forest reaches", note, table=Rows(header, tuple(rows)))


def importance_panel(name: str, coding: Coding, forest: Forest) -> Panel:
    """How much each feature matters to the forest, most first, in the colours of the groups."""
    order = sorted(range(len(coding.names)), key=lambda i: -forest.importance[coding.names[i]].value)[:_SHOWN]
    means = [forest.importance[coding.names[i]] for i in order]
    bars = Bars(
        "drop of roc_auc when shuffled",
        tuple(coding.names[i] for i in order),
        tuple(mean.value for mean in means),
        tuple(coding.groups[i] for i in order) if coding.groups else (),
        tuple((mean.interval[1] - mean.interval[0]) / 2 for mean in means),
    )
    more = len(coding.names) - len(order)
    note = "How much worse the forest ranks unseen rows when one feature is shuffled, mean over repeats and folds" + (
        f"; the {more} features below are left out." if more else "."
    )
    return Panel(f"Which features matter: {name}", note, chart=bars)
