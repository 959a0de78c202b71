"""The panel of models that stand for an analyst: linear, forest, boosting; one preprocessing for all of them."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, Ridge

from masquerade import seeds
from masquerade.judge.figures import Figure
from masquerade.judge.tables import Side
from masquerade.judge.workers import fill_empty, side_by_side
from masquerade.metrics.prediction import macro_f1, r_squared, roc_auc

__all__ = ["Features", "Task", "boosted", "panels"]

_ONE_HOT_LEVELS = 20  # for the linear model, rarer levels count as one
_NATIVE_LEVELS = 254  # what histogram boosting can hold
_TREES = 100
_STEPS = 100
_TREE_ROWS = 10_000  # what each tree of the forest is grown on at most


@dataclass(frozen=True)
class Features:
    """One preprocessing, set by the real training rows and used for every row, so that only the training rows differ.

    Args:
        numeric: places of the numeric columns that are features.
        discrete: places of the discrete ones.
        sizes: codes per discrete feature.
        mean: of each numeric feature, over the real training rows.
        deviation: likewise; 1 where a column does not vary.
    """

    numeric: tuple[int, ...]
    discrete: tuple[int, ...]
    sizes: tuple[int, ...]
    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]

    @classmethod
    def of(cls, real: Side, numeric: Sequence[int], discrete: Sequence[int], sizes: Sequence[int]) -> Features:
        """Set by the real training rows."""
        numbers = real.numbers[:, list(numeric)]
        have = ~np.isnan(numbers)
        count = np.maximum(have.sum(axis=0), 1)
        mean = np.where(have, numbers, 0.0).sum(axis=0) / count
        deviation = np.sqrt(np.where(have, (numbers - mean) ** 2, 0.0).sum(axis=0) / count)
        deviation[deviation <= 1e-12 * np.abs(mean)] = 1.0
        return cls(tuple(numeric), tuple(discrete), tuple(sizes[j] for j in discrete), mean, deviation)

    def trees(self, side: Side) -> NDArray[np.float64]:
        """Numbers as they are (NaN where missing) and codes by falling frequency, shape (rows, features)."""
        codes = np.minimum(side.codes[:, list(self.discrete)], _NATIVE_LEVELS - 1)
        return np.concatenate([side.numbers[:, list(self.numeric)], codes], axis=1)

    @property
    def is_level(self) -> NDArray[np.bool_]:
        """Which features of `trees` are levels."""
        return np.arange(len(self.numeric) + len(self.discrete)) >= len(self.numeric)

    def linear(self, side: Side) -> NDArray[np.float64]:
        """Standardised numbers (missing at the mean, cut at 10 deviations), flags for missing ones, one-hot levels."""
        numbers = (side.numbers[:, list(self.numeric)] - self.mean) / self.deviation
        parts = [np.clip(np.nan_to_num(numbers), -10.0, 10.0), np.isnan(numbers).astype(np.float64)]
        for j, size in zip(self.discrete, self.sizes, strict=True):
            width = min(size, _ONE_HOT_LEVELS + 2)
            parts.append(np.eye(width)[np.minimum(side.codes[:, j], width - 1)])
        return np.concatenate(parts, axis=1)


@dataclass(frozen=True)
class Task:
    """What is to be predicted.

    Args:
        classes: how many classes there are; 0 for a number.
    """

    classes: int

    @property
    def models(self) -> tuple[str, str, str]:
        """The panel's names."""
        return ("logistic" if self.classes else "ridge", "forest", "boosting")

    @property
    def measure(self) -> str:
        """What the models are judged by, in words."""
        if not self.classes:
            return "R²"
        return "ROC AUC" if self.classes == 2 else "macro F1"

    def judge(self, model: Any, features: NDArray[np.float64], target: NDArray[np.float64]) -> Figure:
        """How well a fitted model predicts the rows."""
        if not self.classes:
            value, pull = r_squared(target, model.predict(features))
        elif self.classes == 2:
            value, pull = roc_auc(target.astype(np.int64), model.predict_proba(features)[:, 1])
        else:
            value, pull = macro_f1(target.astype(np.int64), model.predict(features).astype(np.int64), self.classes)
        return Figure(value, (pull,))

    def constant(self, trained: NDArray[np.float64], target: NDArray[np.float64]) -> Figure:
        """How well the only class that was seen predicts the rows."""
        guess = np.full(len(target), trained[0])
        if self.classes == 2:
            return Figure(*_one(roc_auc(target.astype(np.int64), guess)))
        return Figure(*_one(macro_f1(target.astype(np.int64), guess.astype(np.int64), self.classes)))


def _one(found: tuple[float, NDArray[np.float64]]) -> tuple[float, tuple[NDArray[np.float64]]]:
    return found[0], (found[1],)


def panels(
    task: Task,
    features: Features,
    trains: Sequence[tuple[Side, NDArray[np.float64]]],
    test: tuple[Side, NDArray[np.float64]],
    seed: int,
) -> list[dict[str, Figure]]:
    """Train each model of the panel on each of some sets of rows, and judge all on the same other rows.

    Args:
        task: what is to be predicted.
        features: the preprocessing.
        trains: rows and their target (class numbers, or numbers), once per panel.
        test: likewise, of the rows that are predicted.
        seed: of the forest and the boosting.

    Returns:
        For each set, figures by model name, with the influences of the test rows.
    """
    views = {name: features.linear if name in ("logistic", "ridge") else features.trees for name in task.models}

    def fit(name: str, rows: Side, target: NDArray[np.float64]) -> Figure:
        if task.classes and len(np.unique(target)) < 2:
            return task.constant(target, test[1])
        seen, unseen = fill_empty(views[name](rows), views[name](test[0]))
        model = _model(name, task, features, len(target), seed).fit(seen, target)
        return task.judge(model, unseen, test[1])

    jobs = [(name, rows, target) for name in reversed(task.models) for rows, target in trains]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        found = side_by_side([partial(fit, *job) for job in jobs])
    by_job = {(name, place): found.pop(0) for name in reversed(task.models) for place in range(len(trains))}
    return [{name: by_job[name, place] for name in task.models} for place in range(len(trains))]


def boosted(
    task: Task,
    features: Features,
    train: tuple[Side, NDArray[np.float64]],
    test: tuple[Side, NDArray[np.float64]],
    seed: int,
) -> float:
    """How well gradient boosting alone does, for a curve of many points; arguments as of `panels`."""
    if task.classes and len(np.unique(train[1])) < 2:
        return task.constant(train[1], test[1]).value
    seen, unseen = fill_empty(features.trees(train[0]), features.trees(test[0]))
    return task.judge(
        _model("boosting", task, features, len(train[1]), seed).fit(seen, train[1]), unseen, test[1]
    ).value


def _model(name: str, task: Task, features: Features, rows: int, seed: int) -> Any:
    state = seeds.integer(seed, "panel", name)
    steps = _STEPS if task.classes <= 2 else max(20, 3 * _STEPS // task.classes)
    share = min(0.5, _TREE_ROWS / rows) if rows >= 1_000 else None  # far quicker, and hardly worse
    forest = {"n_estimators": _TREES, "min_samples_leaf": 5, "max_samples": share, "n_jobs": 1, "random_state": state}
    boosting = {"max_iter": steps, "early_stopping": False, "random_state": state}
    match name:
        case "ridge":
            return Ridge()
        case "logistic":
            return LogisticRegression(max_iter=100)
        case "forest":
            return (
                RandomForestClassifier(**forest)
                if task.classes
                else RandomForestRegressor(max_features=1 / 3, **forest)
            )
        case _:
            kind = HistGradientBoostingClassifier if task.classes else HistGradientBoostingRegressor
            return kind(categorical_features=features.is_level, **boosting)
