"""The benchmark's own judge: the scores' definitions written down a second time, so that nobody judges himself.

NumPy, pandas and scikit-learn (with its threadpoolctl) only; nothing of Masquerade or of its peers is imported. Definitions:

column_shapes         mean over columns of 1 − sup |F_real − F_released| (numbers) or 1 − ½ Σ |p_real − p_released| (levels);
                      missing cells are left out
univariate_accuracy   mean over columns of 1 − ½ Σ |p_real − p_released| over bins: ten quantile bins of the real numbers,
                      values that over 5 % of them share in bins of their own; the ten most frequent levels, one for the
                      others; one for missing
bivariate_accuracy    the same over pairs of columns
detection_auc         5-fold AUC of histogram gradient boosting told to tell released from held-out real rows, equal rows
tstr_boosting         histogram gradient boosting trained on released rows, on held-out real rows: ROC AUC (two classes),
                      macro F1 (more), R² (numbers)
dcr_share             how often a released row's nearest real row is a training row, not one of as many held-out rows (ties
                      count half); numbers scaled by the real range, levels 0 or 1
exact_copies          share of released rows equal to a training row, less the same share of held-out rows

Each score comes with replicates, from which its standard error is taken: random halves of the released rows where bins are
counted (their spread is that of the whole), else bootstrap samples of the rows judged. Two releases that are judged with the
same seed meet the same samples of held-out rows, so that their replicates can be subtracted one by one.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.metrics import confusion_matrix, r2_score, roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from threadpoolctl import threadpool_limits

__all__ = ["ceiling", "judge", "read"]

MISSING = ("", "?")
DCR_QUERIES = 4_000
DCR_BLOCK = 200
MOST_LEVELS = 250
REPLICATES = 100
THREADS_FROM = 10_000  # with fewer rows, threads wait longer than they work
HALVES = 20
FEW_ROWS, REPEATS = 2_000, 3  # with fewer rows, detection is the mean of so many divisions into folds

Tables = dict[str, pd.DataFrame]
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def read(path: Path) -> pd.DataFrame:
    """A table with text as it stands; `""` and `"?"` are missing."""
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    return table.mask(table.isin(MISSING))


def judge(
    real: pd.DataFrame, released: pd.DataFrame, holdout: pd.DataFrame, target: str, seed: int = 0
) -> dict[str, Any]:
    """All scores of released rows, with `replicates` by score; tables as from `read`, `target` a column to be predicted."""
    tables, numeric = _tables(real, released, holdout)
    replicates: dict[str, list[float]] = {}
    found: dict[str, Any] = {}
    parts = _counted(tables, numeric, seed)
    with threadpool_limits(1 if len(real) < THREADS_FROM else None):
        parts["detection_auc"] = _detection(tables, numeric, seed)
        parts["tstr_boosting"] = _utility(tables, numeric, target, seed)
    parts["exact_copies"] = _exact_copies(tables, seed)
    for name, (value, around) in parts.items():
        found[name], replicates[name] = value, around.tolist()
    share, means = _dcr_share(tables, numeric, seed)
    found["dcr_share"], replicates["dcr_share"] = share, means[:REPLICATES].tolist()
    found["dcr_share_interval"] = (float(np.quantile(means, 0.025)), float(np.quantile(means, 0.975)))
    return found | {"replicates": replicates}


def ceiling(real: pd.DataFrame, holdout: pd.DataFrame, target: str, seed: int = 0) -> dict[str, float]:
    """What held-out real rows score in place of released ones; and what models score that real rows have trained."""
    tables, numeric = _tables(real, holdout, holdout)
    found = {name: value for name, (value, _) in _counted(tables, numeric, seed).items()}
    tables["released"] = tables["real"]
    found["tstr_boosting"] = _utility(tables, numeric, target, seed)[0]
    return found | {"detection_auc": 0.5, "dcr_share": 0.5, "exact_copies": 0.0}


def _tables(real: pd.DataFrame, released: pd.DataFrame, holdout: pd.DataFrame) -> tuple[Tables, list[str]]:
    """The three tables with numbers as numbers, and the names of these columns."""
    tables = {"real": real, "released": released[list(real.columns)], "holdout": holdout[list(real.columns)]}
    numeric = [name for name in real.columns if pd.to_numeric(real[name].dropna(), errors="coerce").notna().all()]
    for side, table in tables.items():
        tables[side] = table.assign(**{name: pd.to_numeric(table[name], errors="coerce") for name in numeric})
    return tables, numeric


def _counted(tables: Tables, numeric: list[str], seed: int) -> dict[str, tuple[float, Floats]]:
    """The scores that count rows in bins."""
    shapes = [(*_values(tables, name), name in numeric) for name in tables["real"].columns]
    binned = [_binned(tables, name, name in numeric) for name in tables["real"].columns]
    rows = np.random.default_rng(seed)
    halves = [rows.permutation(len(tables["released"]))[: len(tables["released"]) // 2] for _ in range(HALVES)]

    def scores(chosen: Ints | slice) -> tuple[float, float, float]:
        bins = [(real, released[chosen]) for real, released in binned]
        return (
            float(np.mean([_shape(real, released[chosen], is_number) for real, released, is_number in shapes])),
            float(np.mean([_overlap(*codes) for codes in bins])),
            float(np.mean([_pair(a, b) for a, b in combinations(bins, 2)])) if len(bins) > 1 else np.nan,
        )

    values = scores(slice(None))
    around = np.array([scores(half) for half in halves])
    around += np.array(values) - around.mean(axis=0)  # a half has larger gaps by chance; only the spread is wanted
    names = ("column_shapes", "univariate_accuracy", "bivariate_accuracy")
    return {name: (values[place], around[:, place]) for place, name in enumerate(names)}


def _values(tables: Tables, name: str) -> tuple[Ints, Ints]:
    """Each value's rank among all values of both columns; −1 is missing."""
    real, released = tables["real"][name], tables["released"][name]
    codes, _ = pd.factorize(pd.concat([real, released], ignore_index=True), sort=True)
    return codes[: len(real)], codes[len(real) :]


def _shape(real: Ints, released: Ints, is_number: bool) -> float:
    size = int(max(real.max(), released.max())) + 2
    counts = [np.bincount(side + 1, minlength=size)[1:] for side in (real, released)]
    shares = [count / max(count.sum(), 1) for count in counts]
    if is_number:
        return 1.0 - float(np.abs(np.cumsum(shares[0]) - np.cumsum(shares[1])).max())
    return 1.0 - 0.5 * float(np.abs(shares[0] - shares[1]).sum())


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


def _bootstrap(score: Callable[[Ints], float], rows: int, seed: int) -> Floats:
    """A score of some rows, over bootstrap samples of them: the same samples for the same number of rows and seed."""
    random = np.random.default_rng([seed, rows])
    return np.array([score(random.integers(rows, size=rows)) for _ in range(REPLICATES)])


def _detection(tables: Tables, numeric: list[str], seed: int) -> tuple[float, Floats]:
    features, is_level = _features(tables, list(tables["real"].columns), numeric)
    rows = min(len(features["released"]), len(features["holdout"]))
    random = np.random.default_rng(seed)
    sides = [features[side][random.permutation(len(features[side]))[:rows]] for side in ("holdout", "released")]
    label = np.repeat([0, 1], rows)
    found, told = [], np.zeros(2 * rows)
    for repeat in range(REPEATS if rows < FEW_ROWS else 1):
        model = HistGradientBoostingClassifier(categorical_features=is_level, early_stopping=False, random_state=seed)
        folds = StratifiedKFold(5, shuffle=True, random_state=seed + 1_000 * repeat)
        said = cross_val_predict(model, np.concatenate(sides), label, cv=folds, method="predict_proba")[:, 1]
        found += [roc_auc_score(label[test], said[test]) for _, test in folds.split(label, label)]
        told += said

    def score(chosen: Ints) -> float:
        both = np.concatenate([chosen, rows + chosen])
        return float(roc_auc_score(label[both], told[both]))

    value, around = float(np.mean(found)), _bootstrap(score, rows, seed)
    return value, around + value - score(np.arange(rows))


def _utility(tables: Tables, numeric: list[str], target: str, seed: int) -> tuple[float, Floats]:
    columns = [name for name in tables["real"].columns if name != target]
    features, is_level = _features(tables, columns, numeric)
    known = {side: table[target].notna().to_numpy() for side, table in tables.items()}
    features = {side: values[known[side]] for side, values in features.items()}
    truth = {side: table[target][known[side]] for side, table in tables.items()}
    classes = truth["real"].value_counts().index
    settings = {"categorical_features": is_level, "early_stopping": False, "random_state": seed}
    if target in numeric and len(classes) > 2:
        model = HistGradientBoostingRegressor(**settings).fit(features["released"], truth["released"])
        numbers = truth["holdout"].to_numpy(float), model.predict(features["holdout"])
        return _judged(lambda rows: float(r2_score(numbers[0][rows], numbers[1][rows])), len(numbers[0]), seed)
    labels = {side: classes.get_indexer(values) for side, values in truth.items()}
    features["released"], trained = (x[labels["released"] >= 0] for x in (features["released"], labels["released"]))
    unseen = labels["holdout"]
    if len(np.unique(trained)) < 2:
        told = np.zeros((len(unseen), len(classes)))
    else:
        model = HistGradientBoostingClassifier(**settings).fit(features["released"], trained)
        told = np.zeros((len(unseen), len(classes)))
        told[:, model.classes_] = model.predict_proba(features["holdout"])
    if len(classes) == 2:
        rare = (unseen == 1).astype(int)
        return _judged(lambda rows: float(roc_auc_score(rare[rows], told[rows, 1])), len(unseen), seed)
    guess = told.argmax(axis=1)
    return _judged(lambda rows: _macro_f1(unseen[rows], guess[rows], len(classes)), len(unseen), seed)


def _judged(score: Callable[[Ints], float], rows: int, seed: int) -> tuple[float, Floats]:
    return score(np.arange(rows)), _bootstrap(score, rows, seed)


def _macro_f1(truth: Ints, guess: Ints, classes: int) -> float:
    counts = confusion_matrix(truth, guess, labels=range(classes))
    return float(np.mean(2 * np.diag(counts) / np.maximum(counts.sum(axis=0) + counts.sum(axis=1), 1)))


def _exact_copies(tables: Tables, seed: int) -> tuple[float, Floats]:
    rows = {side: pd.util.hash_pandas_object(table, index=False) for side, table in tables.items()}
    copied, chance = (rows[side].isin(rows["real"]).to_numpy(float) for side in ("released", "holdout"))
    around = _bootstrap(lambda chosen: float(copied[chosen].mean()), len(copied), seed)
    around -= _bootstrap(lambda chosen: float(chance[chosen].mean()), len(chance), seed)
    return float(copied.mean() - chance.mean()), around


def _dcr_share(tables: Tables, numeric: list[str], seed: int) -> tuple[float, Floats]:
    """The share, and what 1,000 bootstrap samples of the released rows give."""
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
    return float(nearer.mean()), np.array(means)


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
