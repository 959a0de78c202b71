"""Hiding a secret: the release beside the plain ways, each attacked afresh by boosting, a network and nearest neighbours.

secret acc, AUC     of the best of the three attackers on every released column but the kept one and the secret, three seeds; an
                    attacker knows the true secret of half of the records, and guesses that of the other half
with kept           the same with the kept column
target acc, AUC     boosting trained on the released rows to predict the kept column, tested on real rows that were held out
changed             share of the cells that may change which did

The attackers here are scikit-learn's own, fitted to plain matrices: nothing of the product's judge.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from rich.console import Console
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler

import masquerade as mq
import tables
from grid import Grid
from masquerade.judge.erasure import linearly_erased

Floats = NDArray[np.float64]
ONE_HOT_LEVELS = 30
BOOSTING_LEVELS = 250
LEAST_ROWS = 50
"""Of a class, for attackers to be asked about it."""

TASKS = {
    "adult-sex": ("adult", "sex", "income", ("relationship", "marital-status", "occupation")),
    "adult-race": ("adult", "race", "income", ("native-country", "relationship", "marital-status")),
    "diabetes-gender": ("diabetes", "gender", "readmitted", ("diag_1", "diag_2", "medical_specialty")),
}


@dataclass(frozen=True)
class Figures:
    """One way, judged."""

    alone: tuple[float, float]
    kept: tuple[float, float]
    target: tuple[float, float]
    changed: float | None
    seconds: float | None


def main() -> None:
    """Every task, every way, one table each."""
    options = _options()
    warnings.simplefilter("ignore")
    written = []
    for task in options.tasks:
        grid = _grid(task, options.seeds, options.rows)
        Console(width=140).print(grid.rich())
        written.append(grid.markdown())
    if options.markdown is not None:
        options.markdown.write_text("\n\n".join(written) + "\n", encoding="utf-8")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", nargs="+", choices=list(TASKS), default=list(TASKS))
    parser.add_argument("--seeds", type=int, default=3, help="of each attacker")
    parser.add_argument("--rows", type=int, help="only so many random training rows, to try it out")
    parser.add_argument("--markdown", type=Path, help="write the tables")
    return parser.parse_args()


def _grid(task: str, seeds: int, rows: int | None) -> Grid:
    name, secret, keep, proxies = TASKS[task]
    table = tables.load(name)
    train = table.train if rows is None else table.train.sample(rows, seed=0)
    train, holdout = _two_classes(train, keep), _two_classes(table.holdout, keep)
    began = time.monotonic()
    release = mq.Desensitizer(hide=[secret], keep=[keep], random_state=0).fit(train)
    fitted = time.monotonic() - began
    began = time.monotonic()
    released = release.transform(train)
    applied = time.monotonic() - began
    truth = np.unique(train[secret].cast(pl.String).fill_null("?").to_numpy(), return_inverse=True)[1]
    free = [c for c in train.columns if c not in (secret, keep) and release.schema_[c].kind not in ("id", "text")]
    same = [float(train[c].cast(pl.String).eq_missing(released[c].cast(pl.String)).mean()) for c in free]  # type: ignore[arg-type]
    judge = _Judge(train, holdout, truth, keep, seeds)
    less = [column for column in free if column not in proxies]
    ways = {
        "drop the secret": judge.rows(train, free, None, None),
        f"drop {len(proxies)} proxies too": judge.rows(train, less, None, None),
        "linear erasure": judge.erased(free),
        "Desensitizer": judge.rows(released, free, 1 - float(np.mean(same)), fitted + applied),
    }
    majority = float(np.bincount(truth).max() / len(truth))
    floor = judge.guessed(*judge.matrices(train, [], with_kept=True))
    lines = [
        (
            way,
            f"{found.alone[0]:.3f} / {found.alone[1]:.3f}",
            f"{found.kept[0]:.3f} / {found.kept[1]:.3f}",
            f"{found.target[0]:.3f} / {found.target[1]:.3f}",
            "" if found.changed is None else f"{found.changed:.1%}",
            "" if found.seconds is None else f"{found.seconds:.1f}",
        )
        for way, found in ways.items()
    ]
    title = f"{name}: hide `{secret}`, keep `{keep}`; {train.height:,} rows; majority {majority:.3f}"
    heads = ["", "secret acc / AUC", "with kept", "target acc / AUC", "changed", "seconds"]
    return Grid(f"{title}, {keep} alone gives AUC {floor[1]:.3f}", heads, lines)


def _two_classes(frame: pl.DataFrame, keep: str) -> pl.DataFrame:
    """Readmitted within 30 days or not; other targets have two classes already."""
    if keep != "readmitted":
        return frame
    return frame.with_columns(pl.when(pl.col(keep) == "<30").then(pl.lit("<30")).otherwise(pl.lit("no")).alias(keep))


@dataclass(frozen=True)
class _Judge:
    train: pl.DataFrame
    holdout: pl.DataFrame
    truth: NDArray[np.intp]
    keep: str
    seeds: int

    def rows(
        self, released: pl.DataFrame, columns: Sequence[str], changed: float | None, seconds: float | None
    ) -> Figures:
        """The figures of released rows."""
        alone = self.guessed(*self.matrices(released, columns, with_kept=False))
        kept = self.guessed(*self.matrices(released, columns, with_kept=True))
        coded, level, _ = _coded(released, columns, self.train)
        held, _, _ = _coded(self.holdout, columns, self.train)
        return Figures(alone, kept, self._target(coded, held, level), changed, seconds)

    def erased(self, columns: Sequence[str]) -> Figures:
        """The figures of the real rows without what is linear in the secret."""
        both = pl.concat([self.train.select(self.holdout.columns), self.holdout])
        hot = _coded(both, columns, self.train)[2]
        truth = np.concatenate([self.truth.astype(np.float64), np.full(self.holdout.height, -1.0)])
        clean = linearly_erased(hot, truth, int(self.truth.max()) + 1)
        rows, held = np.split(clean, [self.train.height])
        kept = np.column_stack([rows, self._kept(self.train)])
        none = np.zeros(rows.shape[1], bool)
        return Figures(
            self.guessed(rows, none, rows),
            self.guessed(kept, np.append(none, False), kept),
            self._target(rows, held, none),
            None,
            None,
        )

    def matrices(
        self, frame: pl.DataFrame, columns: Sequence[str], *, with_kept: bool
    ) -> tuple[Floats, NDArray[Any], Floats]:
        """Codes for trees, which of them are levels, and one-hot levels for the others."""
        return _coded(frame, [*columns, *([self.keep] if with_kept else [])], self.train)

    def guessed(self, coded: Floats, level: NDArray[Any], hot: Floats) -> tuple[float, float]:
        """Accuracy and AUC of the attacker with the best AUC, each the mean over the seeds."""
        found: dict[str, list[tuple[float, float]]] = {}
        for seed in range(self.seeds):
            frequent = np.bincount(self.truth)[self.truth] >= LEAST_ROWS
            order = np.random.default_rng(seed).permutation(np.flatnonzero(frequent))
            known, other = np.array_split(order, 2)
            scaled = StandardScaler().fit_transform(hot)
            attackers = {
                "boosting": (HistGradientBoostingClassifier(random_state=seed, categorical_features=level), coded),
                "network": (
                    MLPClassifier((64,), early_stopping=True, max_iter=40, random_state=seed)
                    if scaled.shape[1] > 1
                    else LogisticRegression(),
                    scaled,
                ),
                "neighbours": (KNeighborsClassifier(50), scaled),
            }
            for name, (model, matrix) in attackers.items():
                few = known if name != "neighbours" else known[:10_000]
                asked = other if name != "neighbours" else other[:10_000]
                said = model.fit(matrix[few], self.truth[few]).predict_proba(matrix[asked])
                right = float((model.classes_[said.argmax(axis=1)] == self.truth[asked]).mean())
                found.setdefault(name, []).append((right, _auc(self.truth[asked], said, model.classes_)))
        means = [tuple(np.mean(figures, axis=0).tolist()) for figures in found.values()]
        accuracy, auc = max(means, key=lambda figure: figure[1])
        return float(accuracy), float(auc)

    def _kept(self, frame: pl.DataFrame) -> Floats:
        levels = self.train[self.keep].unique().sort().to_list()
        return np.array([levels.index(value) for value in frame[self.keep].to_list()], np.float64)

    def _target(self, coded: Floats, held: Floats, level: NDArray[Any]) -> tuple[float, float]:
        goal, asked = self._kept(self.train), self._kept(self.holdout)
        found = []
        for seed in range(self.seeds):
            model = HistGradientBoostingClassifier(random_state=seed, categorical_features=level).fit(coded, goal)
            said = model.predict_proba(held)[:, 1]
            found.append((float(((said > 0.5) == asked).mean()), float(roc_auc_score(asked, said))))
        accuracy, auc = np.mean(found, axis=0)
        return float(accuracy), float(auc)


def _auc(truth: NDArray[np.intp], said: Floats, classes: NDArray[np.intp]) -> float:
    """Of two classes, or the mean over classes (with at least ten rows), each against the rest."""
    every = [
        float(roc_auc_score(truth == label, said[:, place]))
        for place, label in enumerate(classes)
        if 10 <= int((truth == label).sum()) < len(truth)
    ]
    return every[-1] if len(classes) == 2 else float(np.mean(every))


def _coded(frame: pl.DataFrame, columns: Sequence[str], like: pl.DataFrame) -> tuple[Floats, NDArray[Any], Floats]:
    """Columns as numbers and level codes for trees, which of them are levels, and numbers with one-hot levels."""
    trees, hot, level = [], [], []
    for name in columns:
        numbers = like[name].cast(pl.Float64, strict=False)
        if numbers.null_count() <= like[name].null_count() + (like[name].cast(pl.String) == "").sum():
            values = frame[name].cast(pl.Float64, strict=False).to_numpy()
            mean = float(np.nanmean(numbers.to_numpy()))
            trees.append(values)
            hot.append(np.nan_to_num(values, nan=mean)[:, None])
            level.append(False)
            continue
        counts = like[name].cast(pl.String).value_counts(sort=True)
        place = {value: i + 1 for i, value in enumerate(counts[name].to_list())}
        codes = np.array([place.get(value, 0) for value in frame[name].cast(pl.String).to_list()])
        few = len(place) < BOOSTING_LEVELS
        trees.append(codes.astype(np.float64))
        width = min(len(place), ONE_HOT_LEVELS + 1) + 1
        hot.append(np.eye(ONE_HOT_LEVELS + 2)[np.minimum(codes, ONE_HOT_LEVELS + 1)][:, :width])
        level.append(few)
    return np.column_stack(trees), np.array(level), np.column_stack(hot)


if __name__ == "__main__":
    main()
