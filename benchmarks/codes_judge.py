"""The benchmark's own judge of released codes: it knows nothing of Masquerade.

Total variation ½ Σ |p - q| of every table of one, two and three columns, in the mean; and the ROC AUC, on rows held out, of
gradient boosting trained on the released ones.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score

__all__ = ["boosting_auc", "mean_variation"]


def mean_variation(real: NDArray[np.int32], released: NDArray[np.int32], sizes: Sequence[int], width: int) -> float:
    """The mean total variation distance over all tables of so many columns."""
    found = []
    for columns in itertools.combinations(range(len(sizes)), width):
        shape = [sizes[column] for column in columns]
        tables = []
        for rows in (real, released):
            places = np.ravel_multi_index([rows[:, column] for column in columns], shape)
            tables.append(np.bincount(places, minlength=int(np.prod(shape))) / len(rows))
        found.append(0.5 * np.abs(tables[0] - tables[1]).sum())
    return float(np.mean(found))


def boosting_auc(released: NDArray[np.int32], holdout: NDArray[np.int32], target: int) -> float:
    """The AUC of gradient boosting for a target of two codes; ½ where only one of them was released."""
    if np.unique(released[:, target]).size < 2:
        return 0.5
    others = np.arange(released.shape[1]) != target
    model = HistGradientBoostingClassifier(random_state=0).fit(released[:, others], released[:, target])
    return float(roc_auc_score(holdout[:, target], model.predict_proba(holdout[:, others])[:, 1]))
