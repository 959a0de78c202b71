"""How good predictions are, with each row's influence on the figure (see `masquerade.metrics.intervals`)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

__all__ = ["correlation", "macro_f1", "macro_roc_auc", "r_squared", "roc_auc"]

Floats = NDArray[np.float64]


def roc_auc(labels: NDArray[np.integer], scores: Floats) -> tuple[float, Floats]:
    """The area under the ROC curve: how often a positive row scores above a negative one, ties counting half.

    Its influences are the structural components of DeLong, DeLong and Clarke-Pearson (1988), scaled to a mean.

    Args:
        labels: 0 or 1, shape (rows,).
        scores: higher means more likely 1, shape (rows,).

    Returns:
        (value, influences of shape (rows,)); NaN where only one class is there.

    >>> roc_auc(np.array([0, 0, 1, 1]), np.array([0.1, 0.4, 0.35, 0.8]))[0]
    0.75
    """
    positive = labels == 1
    ones, zeros = int(positive.sum()), int((~positive).sum())
    if not ones or not zeros:
        return float("nan"), np.zeros(len(labels))
    ranks = rankdata(scores)
    above = np.empty(len(labels))
    above[positive] = (ranks[positive] - rankdata(scores[positive])) / zeros
    above[~positive] = 1.0 - (ranks[~positive] - rankdata(scores[~positive])) / ones
    value = float(above[positive].mean())
    share = np.where(positive, ones, zeros) / len(labels)
    return value, (above - value) / share


def macro_roc_auc(labels: NDArray[np.integer], shares: Floats, *, fewest: int = 1) -> tuple[float, Floats]:
    """The area under the ROC curve for two classes; for more, the mean over classes of each against the rest.

    Args:
        labels: class numbers from 0, shape (rows,).
        shares: the score of each class, shape (rows, classes).
        fewest: a class with fewer rows, or fewer rows beside it, is left out of the mean.

    Returns:
        (value, influences of shape (rows,)); NaN where no class counts.

    >>> macro_roc_auc(np.array([0, 1, 2, 2]), np.eye(3)[[0, 1, 2, 1]])[0]
    0.8611111111111112
    """
    classes = shares.shape[1]
    found = []
    for level in range(1, 2) if classes == 2 else range(classes):
        mine = labels == level
        if min(mine.sum(), (~mine).sum()) >= max(fewest, 1):
            found.append(roc_auc(mine.astype(np.int64), shares[:, level]))
    if not found:
        return float("nan"), np.zeros(len(labels))
    return float(np.mean([value for value, _ in found])), np.mean([pull for _, pull in found], axis=0)


def macro_f1(labels: NDArray[np.integer], predicted: NDArray[np.integer], classes: int) -> tuple[float, Floats]:
    """The mean of each class's F1 = 2 TP / (2 TP + FP + FN); a class that nobody has or predicts is left out.

    >>> round(macro_f1(np.array([0, 0, 1, 2]), np.array([0, 1, 1, 2]), 3)[0], 6)
    0.777778
    """
    figures, influence = [], np.zeros(len(labels))
    for level in range(classes):
        true, guess = labels == level, predicted == level
        weight = int(true.sum() + guess.sum())
        if not weight:
            continue
        hit = true & guess
        f1 = 2.0 * hit.sum() / weight
        influence += (2.0 * hit - f1 * (true.astype(float) + guess)) * (len(labels) / weight)
        figures.append(f1)
    if not figures:
        return float("nan"), influence
    return float(np.mean(figures)), influence / len(figures)


def r_squared(values: Floats, predicted: Floats) -> tuple[float, Floats]:
    """1 − Σ (y − ŷ)² / Σ (y − mean)²: 1 is perfect, 0 no better than the mean, below 0 worse.

    >>> r_squared(np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 2.0]))[0]
    0.5
    """
    error, spread = (values - predicted) ** 2, (values - values.mean()) ** 2
    if not spread.sum() > 0:
        return float("nan"), np.zeros(len(values))
    ratio = float(error.sum() / spread.sum())
    return 1.0 - ratio, -(error - ratio * spread) / spread.mean()


def correlation(values: Floats, predicted: Floats) -> tuple[float, Floats]:
    """Pearson's correlation; 0 where the predictions are all alike, NaN where the values are.

    Its influences are those of Devlin, Gnanadesikan and Kettenring (1975): z w − r (z² + w²) / 2 of the standardised pair.

    >>> round(correlation(np.array([1.0, 2.0, 3.0]), np.array([2.0, 4.0, 6.0]))[0], 6)
    1.0
    """
    spread, other = float(values.std()), float(predicted.std())
    if not spread > 0:
        return float("nan"), np.zeros(len(values))
    if not other > 1e-12 * float(np.abs(predicted).max(initial=0.0)):
        return 0.0, np.zeros(len(values))
    z, w = (values - values.mean()) / spread, (predicted - predicted.mean()) / other
    r = float(np.clip((z * w).mean(), -1.0, 1.0))
    return r, z * w - r * (z**2 + w**2) / 2
