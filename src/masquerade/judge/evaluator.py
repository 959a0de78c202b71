"""The figures that table-evaluator's users know: log means and deviations, principal components, one summary score."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from masquerade.judge.tables import Side, Tables
from masquerade.metrics import moments
from masquerade.metrics.association import theils_u

__all__ = ["evaluator_figures"]

_TOP_LEVELS = 50
_QUANTILES = 1_000


def evaluator_figures(
    tables: Tables,
    real: Side,
    other: Side,
    associations: tuple[NDArray[np.float64], NDArray[np.float64]],
) -> dict[str, float]:
    """`pca_similarity`, `mean_log_difference`, `std_log_difference`, `similarity_score` of `other` beside `real`.

    Args:
        tables: names and sizes.
        real: the training rows.
        other: the rows that are judged.
        associations: of both, as from `masquerade.judge.pairs.associations`.

    Returns:
        Figures by score name; one that cannot be computed is NaN. The similarity score is the mean of: the rank
        agreement of mean, median, deviation and variance of the numeric columns; the correlation of the two sets of
        associations; the mean correlation of the columns' quantiles (Theil's U for levels); and `pca_similarity`.
    """
    usable = [
        j
        for j, moment in enumerate(tables.moments)
        if not moment and not np.isnan(real.numbers[:, j]).all() and not np.isnan(other.numbers[:, j]).all()
    ]
    figures = {"mean_log_difference": math.nan, "std_log_difference": math.nan}
    basics = math.nan
    if usable:
        a = moments.summary_statistics(real.numbers[:, usable])
        b = moments.summary_statistics(other.numbers[:, usable])
        scale = np.maximum(np.abs(a[0]), a[2])  # a figure below a millionth of its column's size is as good as 0
        scale[scale == 0] = 1.0
        figures["mean_log_difference"] = moments.log_difference(a[0] / scale, b[0] / scale)
        figures["std_log_difference"] = moments.log_difference(a[2] / scale, b[2] / scale)
        basics = moments.rank_agreement(a.ravel(), b.ravel())
    figures["pca_similarity"] = moments.pca_similarity(*_scaled(real, other))
    parts = [basics, _agreement(*associations), _column_agreement(tables, real, other), figures["pca_similarity"]]
    known = [part for part in parts if math.isfinite(part)]
    figures["similarity_score"] = float(np.mean(known)) if known else math.nan
    return figures


def _scaled(real: Side, other: Side) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Numbers and level codes of both, on the real side's means and deviations; missing numbers at the mean."""
    first = np.concatenate([real.numbers, np.minimum(real.codes, _TOP_LEVELS + 1)], axis=1)
    second = np.concatenate([other.numbers, np.minimum(other.codes, _TOP_LEVELS + 1)], axis=1)
    some = ~np.isnan(first).all(axis=0)
    first, second = first[:, some], second[:, some]
    mean, deviation = np.nanmean(first, axis=0), np.nanstd(first, axis=0)
    deviation[deviation <= 1e-12 * np.abs(mean)] = np.inf
    return np.nan_to_num((first - mean) / deviation), np.nan_to_num((second - mean) / deviation)


def _agreement(real: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Pearson's correlation of two sets of associations; NaN for fewer than two pairs."""
    a, b = np.nan_to_num(real).ravel(), np.nan_to_num(other).ravel()
    if len(real) < 2 or np.ptp(a) == 0 or np.ptp(b) == 0:
        return math.nan
    return float(np.corrcoef(a, b)[0, 1])


def _column_agreement(tables: Tables, real: Side, other: Side) -> float:
    """The mean over columns of how well the quantiles of one side tell those of the other."""
    found: list[float] = []
    for j in range(len(tables.numeric)):
        a, b = _quantiles(real.numbers[:, j]), _quantiles(other.numbers[:, j])
        if len(a) and len(b) and np.ptp(a) > 0:
            found.append(float(np.corrcoef(a, b)[0, 1]) if np.ptp(b) > 0 else 0.0)
    for j in range(len(tables.discrete)):
        size = min(tables.sizes[j], _TOP_LEVELS + 2)
        p = _quantiles(np.minimum(real.codes[:, j], _TOP_LEVELS + 1).astype(np.float64)).astype(np.int64)
        q = _quantiles(np.minimum(other.codes[:, j], _TOP_LEVELS + 1).astype(np.float64)).astype(np.int64)
        joint = np.bincount(p * size + q, minlength=size * size).reshape(size, size)
        value = theils_u(joint.astype(np.float64))
        if math.isfinite(value):
            found.append(value)
    return float(np.mean(found)) if found else math.nan


def _quantiles(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """A thousand evenly spaced values of the sorted ones that are there."""
    ordered = np.sort(values[~np.isnan(values)])
    if not len(ordered):
        return ordered
    places = ((np.arange(_QUANTILES) + 0.5) / _QUANTILES * len(ordered)).astype(np.intp)
    spread: NDArray[np.float64] = ordered[np.minimum(places, len(ordered) - 1)]
    return spread
