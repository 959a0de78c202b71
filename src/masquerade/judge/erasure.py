"""The plain ways to hide a secret, which every better way has to beat: drop its proxies, or erase what is linear in it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import mutual_info_score

from masquerade.judge.tables import Side

__all__ = ["linearly_erased", "strongest"]

_BINS = 10
_LEAST_VARIANCE = 1e-8
_LEAST_COVARIANCE = 1e-9  # of white features with the secret, in its deviations: less is rounding


def strongest(side: Side, secret: NDArray[np.float64], classes: int) -> list[int]:
    """The columns of a table by how much each alone tells of a secret, the most telling first: its proxies.

    Args:
        side: numbers and codes; column i is among the numbers first, then among the codes.
        secret: class numbers, or numbers, shape (rows,); rows with none (−1, NaN) do not count.
        classes: how many classes; 0: a number, which is cut at its deciles.

    >>> side = Side(np.array([[0.0], [1.0], [0.0], [1.0]]), np.array([[1], [1], [2], [2]]))
    >>> strongest(side, np.array([0.0, 0.0, 1.0, 1.0]), 2)
    [1, 0]
    """
    known = np.flatnonzero(secret >= 0 if classes else np.isfinite(secret))
    truth = secret[known].astype(np.int64) if classes else _binned(secret[known])
    parts = [_binned(column) for column in side.numbers[known].T] + list(side.codes[known].T)
    told = [float(mutual_info_score(truth, part)) for part in parts]
    return [int(place) for place in np.argsort(told)[::-1]]


def _binned(numbers: NDArray[np.float64]) -> NDArray[np.int64]:
    """Deciles; missing values are a bin of their own."""
    there = np.isfinite(numbers)
    if not there.any():
        return np.zeros(len(numbers), np.int64)
    edges = np.unique(np.quantile(numbers[there], np.linspace(0, 1, _BINS + 1)[1:-1]))
    return np.where(there, 1 + np.searchsorted(edges, numbers, side="right"), 0).astype(np.int64)


def linearly_erased(features: NDArray[np.float64], secret: NDArray[np.float64], classes: int) -> NDArray[np.float64]:
    """Features from which no linear model tells the secret, as near to the given ones as that allows.

    Least-squares concept erasure (Belrose et al. 2023, arXiv 2306.03819, theorem 4.3): the directions that covary with the
    secret are projected away, in coordinates in which the features are white.

    Args:
        features: float64, shape (rows, features).
        secret: class numbers, or numbers, shape (rows,); rows with none (−1, NaN) do not decide the directions.
        classes: how many classes; 0: a number.

    Returns:
        float64, shape (rows, features).

    >>> random = np.random.default_rng(0)
    >>> secret = random.integers(0, 2, 500).astype(float)
    >>> features = random.normal(size=(500, 2)) + 3 * secret[:, None]
    >>> erased = linearly_erased(features, secret, 2)
    >>> bool(np.abs(erased[secret == 1].mean(axis=0) - erased[secret == 0].mean(axis=0)).max() < 1e-9)
    True
    """
    known = secret >= 0 if classes else np.isfinite(secret)
    said = secret[known]
    aims = np.eye(classes)[said.astype(np.int64)] if classes else said[:, None]
    mean = features[known].mean(axis=0)
    centred = features[known] - mean
    spread, axes = np.linalg.eigh(centred.T @ centred / known.sum())
    used = spread > _LEAST_VARIANCE * max(float(spread.max(initial=0.0)), 1e-12)
    white = axes[:, used] / np.sqrt(spread[used])
    colour = axes[:, used] * np.sqrt(spread[used])
    covariance = white.T @ centred.T @ (aims - aims.mean(axis=0)) / known.sum()
    left, size, _ = np.linalg.svd(covariance, full_matrices=False)
    telling = left[:, size > _LEAST_COVARIANCE * max(float(aims.std(axis=0).max()), 1e-12)]
    removed = white @ telling @ (colour @ telling).T
    return np.asarray(features - (features - mean) @ removed)
