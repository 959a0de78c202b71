"""The benchmark's own judge: the scores' definitions written down a second time, so that nobody judges himself.

NumPy, pandas and scikit-learn only; nothing of Masquerade or of its peers is imported. Definitions:

column_shapes         mean over columns of 1 − sup |F_real − F_released| (numbers) or 1 − ½ Σ |p_real − p_released| (levels);
                      missing cells are left out
univariate_accuracy   mean over columns of 1 − ½ Σ |p_real − p_released| over bins: ten quantile bins of the real numbers,
                      values that over 5 % of them share in bins of their own; the ten most frequent levels, one for the
                      others; one for missing
bivariate_accuracy    the same over pairs of columns
detection_auc         5-fold AUC of histogram gradient boosting told to tell released from held-out real rows, equal rows
tstr_boosting         ROC AUC on held-out real rows of histogram gradient boosting trained on released rows
dcr_share             how often a released row's nearest real row is a training row, not one of as many held-out rows (ties
                      count half); numbers scaled by the real range, levels 0 or 1
"""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict

__all__ = ["judge", "read"]

MISSING = ("", "?")
DCR_QUERIES = 4_000
DCR_BLOCK = 200
MOST_LEVELS = 250

Tables = dict[str, pd.DataFrame]


def read(path: Path) -> pd.DataFrame:
    """A table with text as it stands; `""` and `"?"` are missing."""
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    return table.mask(table.isin(MISSING))


def judge(
    real: pd.DataFrame, released: pd.DataFrame, holdout: pd.DataFrame, target: str, seed: int = 0
) -> dict[str, Any]:
    """All scores of released rows; tables as from `read`, `target` a column of two levels."""
    tables = {"real": real, "released": released[list(real.columns)], "holdout": holdout[list(real.columns)]}
    numeric = [name for name in real.columns if pd.to_numeric(real[name].dropna(), errors="coerce").notna().all()]
    for side, table in tables.items():
        tables[side] = table.assign(**{name: pd.to_numeric(table[name], errors="coerce") for name in numeric})
    binned = {name: _binned(tables, name, name in numeric) for name in real.columns}
    share, interval = _dcr_share(tables, numeric, seed)
    return {
        "column_shapes": float(np.mean([_shape(tables, name, name in numeric) for name in real.columns])),
        "univariate_accuracy": float(np.mean([_overlap(*codes) for codes in binned.values()])),
        "bivariate_accuracy": float(np.mean([_pair(binned[a], binned[b]) for a, b in combinations(binned, 2)])),
        "detection_auc": _detection(tables, numeric, seed),
        "tstr_boosting": _utility(tables, numeric, target, seed),
        "dcr_share": share,
        "dcr_share_interval": interval,
    }


def _shape(tables: Tables, name: str, is_number: bool) -> float:
    real, released = tables["real"][name].dropna(), tables["released"][name].dropna()
    if is_number:
        places = np.union1d(real, released)
        below = [np.searchsorted(np.sort(side), places, side="right") / len(side) for side in (real, released)]
        return 1.0 - float(np.abs(below[0] - below[1]).max())
    shares = pd.concat([side.value_counts(normalize=True) for side in (real, released)], axis=1).fillna(0.0)
    return 1.0 - 0.5 * float(np.abs(shares.iloc[:, 0] - shares.iloc[:, 1]).sum())


def _binned(tables: Tables, name: str, is_number: bool) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Bin numbers of the real and of the released column; 0 is missing."""
    real, released = tables["real"][name], tables["released"][name]
    if not is_number:
        top = real.value_counts().index[:10]
        codes = [
            np.where(side.isna(), 0, np.where(side.isin(top), top.get_indexer(side) + 2, 1))
            for side in (real, released)
        ]
        return codes[0], codes[1]
    shares = real.value_counts(normalize=True)
    heavy = np.sort(shares.index[shares > 0.05].to_numpy(float))
    rest = real.dropna()
    rest = rest[~rest.isin(heavy)]
    edges = np.unique(np.quantile(rest, np.arange(0.1, 0.95, 0.1), method="higher")) if len(rest) else np.empty(0)

    def codes_of(side: pd.Series[float]) -> NDArray[np.int64]:
        values = side.to_numpy(float)
        code = 1 + len(heavy) + np.searchsorted(edges, values, side="right")
        for place, value in enumerate(heavy):
            code[values == value] = place + 1
        code[np.isnan(values)] = 0
        return code

    return codes_of(real), codes_of(released)


def _overlap(real: NDArray[np.int64], released: NDArray[np.int64]) -> float:
    size = int(max(real.max(), released.max())) + 1
    shares = [np.bincount(side, minlength=size) / len(side) for side in (real, released)]
    return 1.0 - 0.5 * float(np.abs(shares[0] - shares[1]).sum())


def _pair(a: tuple[NDArray[np.int64], NDArray[np.int64]], b: tuple[NDArray[np.int64], NDArray[np.int64]]) -> float:
    wide = int(max(b[0].max(), b[1].max())) + 1
    return _overlap(a[0] * wide + b[0], a[1] * wide + b[1])


def _features(
    tables: Tables, columns: list[str], numeric: list[str]
) -> tuple[dict[str, NDArray[np.float64]], list[bool]]:
    """Numbers as they are and levels as codes, the same in every table; missing and unheard-of levels are NaN."""
    found: dict[str, list[Any]] = {side: [] for side in tables}
    for name in columns:
        levels = None if name in numeric else tables["real"][name].value_counts().index[:MOST_LEVELS]
        for side, table in tables.items():
            values = table[name].to_numpy(float) if levels is None else levels.get_indexer(table[name]).astype(float)
            found[side].append(values if levels is None else np.where(values < 0, np.nan, values))
    return {side: np.column_stack(values) for side, values in found.items()}, [name not in numeric for name in columns]


def _detection(tables: Tables, numeric: list[str], seed: int) -> float:
    features, is_level = _features(tables, list(tables["real"].columns), numeric)
    rows = min(len(features["released"]), len(features["holdout"]))
    random = np.random.default_rng(seed)
    sides = [features[side][random.permutation(len(features[side]))[:rows]] for side in ("holdout", "released")]
    label = np.repeat([0, 1], rows)
    model = HistGradientBoostingClassifier(categorical_features=is_level, early_stopping=False, random_state=seed)
    folds = StratifiedKFold(5, shuffle=True, random_state=seed)
    told = cross_val_predict(model, np.concatenate(sides), label, cv=folds, method="predict_proba")[:, 1]
    parts = [test for _, test in folds.split(label, label)]
    return float(np.mean([roc_auc_score(label[test], told[test]) for test in parts]))


def _utility(tables: Tables, numeric: list[str], target: str, seed: int) -> float:
    columns = [name for name in tables["real"].columns if name != target]
    features, is_level = _features(tables, columns, numeric)
    positive = tables["real"][target].value_counts().index[-1]
    label = {side: (table[target] == positive).to_numpy() for side, table in tables.items()}
    if label["released"].all() or not label["released"].any():
        return 0.5
    model = HistGradientBoostingClassifier(categorical_features=is_level, early_stopping=False, random_state=seed)
    model.fit(features["released"], label["released"])
    return float(roc_auc_score(label["holdout"], model.predict_proba(features["holdout"])[:, 1]))


def _dcr_share(tables: Tables, numeric: list[str], seed: int) -> tuple[float, tuple[float, float]]:
    """The share, and its 95 % interval from 1,000 bootstrap samples of the released rows."""
    random = np.random.default_rng(seed)
    features, is_level = _features(tables, list(tables["real"].columns), numeric)
    levels = np.array(is_level)
    low, high = np.nanmin(features["real"], axis=0), np.nanmax(features["real"], axis=0)
    rows = min(len(features["real"]), len(features["holdout"]))

    def part(side: str, count: int) -> NDArray[np.float32]:
        chosen = features[side][random.permutation(len(features[side]))[:count]]
        scaled = (chosen - low) / np.where(high > low, high - low, 1.0)
        return np.where(levels, np.nan_to_num(chosen, nan=-1.0), np.nan_to_num(scaled, nan=9.0)).astype(np.float32)

    queries = part("released", DCR_QUERIES)
    train, holdout = (_nearest(queries, part(side, rows), levels) for side in ("real", "holdout"))
    nearer = np.where(np.isclose(train, holdout, atol=1e-6), 0.5, train < holdout)
    means = [nearer[random.integers(len(nearer), size=len(nearer))].mean() for _ in range(1_000)]
    return float(nearer.mean()), (float(np.quantile(means, 0.025)), float(np.quantile(means, 0.975)))


def _nearest(queries: NDArray[np.float32], rows: NDArray[np.float32], levels: NDArray[np.bool_]) -> NDArray[np.float32]:
    columns = np.asfortranarray(rows)
    found = []
    for start in range(0, len(queries), DCR_BLOCK):
        block = queries[start : start + DCR_BLOCK]
        distance = np.zeros((len(block), len(rows)), np.float32)
        for place, is_level in enumerate(levels):
            ours, theirs = block[:, place, None], columns[None, :, place]
            distance += (ours != theirs) if is_level else np.minimum(np.abs(ours - theirs), 1.0)
        found.append(distance.min(axis=1))
    return np.concatenate(found)
