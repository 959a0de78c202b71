"""The classifier two-sample test (Lopez-Paz & Oquab 2017): can a model tell released rows from unseen real ones?"""

from __future__ import annotations

import math
from functools import partial

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import StratifiedKFold

from masquerade import seeds
from masquerade.judge.figures import Figure
from masquerade.judge.tables import Side, Tables
from masquerade.judge.workers import fill_empty, side_by_side
from masquerade.metrics.prediction import roc_auc

__all__ = ["DETECTION_ROWS", "detection_figure"]

DETECTION_ROWS = 10_000
"""At most this many rows of each side are told apart."""

_NATIVE_LEVELS = 254  # what histogram boosting can hold; rarer levels count as one
_COLUMNS = 100  # of a wider table, this many random columns are looked at


def detection_figure(tables: Tables, first: Side, second: Side, seed: int) -> Figure:
    """The mean AUC of histogram gradient boosting over five folds, told to tell `second` from `first`, equal rows each.

    Returns:
        ½ where they cannot be told apart; NaN with fewer than 10 rows on a side or nothing to look at.
    """
    rows = min(len(first), len(second), DETECTION_ROWS)
    width = len(tables.names)
    if rows < 10 or not width:
        return Figure(math.nan)
    random = seeds.stream(seed, "detection")
    parts = [side.rows(np.sort(random.choice(len(side), size=rows, replace=False))) for side in (first, second)]
    features = np.concatenate(
        [np.concatenate([part.numbers, np.minimum(part.codes, _NATIVE_LEVELS - 1)], axis=1) for part in parts]
    )
    is_level = np.arange(width) >= len(tables.numeric)
    if width > _COLUMNS:
        chosen = np.sort(random.choice(width, size=_COLUMNS, replace=False))
        features, is_level = features[:, chosen], is_level[chosen]
    label = np.repeat([0, 1], rows)
    folds = StratifiedKFold(5, shuffle=True, random_state=seeds.integer(seed, "folds"))

    def fold(train: NDArray[np.intp], test: NDArray[np.intp]) -> tuple[float, NDArray[np.float64]]:
        model = HistGradientBoostingClassifier(
            categorical_features=is_level, early_stopping=False, random_state=seeds.integer(seed, "detection")
        )
        seen, unseen = fill_empty(features[train], features[test])
        model.fit(seen, label[train])
        return roc_auc(label[test], model.predict_proba(unseen)[:, 1])

    splits = list(folds.split(features, label))
    found = side_by_side([partial(fold, train, test) for train, test in splits])
    influence = np.zeros(2 * rows)
    for (_, test), (_, pull) in zip(splits, found, strict=True):
        influence[test] = pull
    return Figure(float(np.mean([value for value, _ in found])), (influence[:rows] * 0.5, influence[rows:] * 0.5))
