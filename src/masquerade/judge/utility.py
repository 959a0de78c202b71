"""Utility: what an analyst loses who trains on the release instead of the real rows."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from masquerade.errors import MasqueradeWarning, SettingError
from masquerade.judge.figures import Figure, Outcome, mean_figure, scored
from masquerade.judge.models import Features, Task, panels
from masquerade.judge.scores import Score
from masquerade.judge.tables import Side, Tables, sample_side

__all__ = ["CLASS_LIMIT", "utility"]

CLASS_LIMIT = 20
"""Of a target with more classes, the less frequent ones count as one."""

_FEATURES = 100  # of a wider table, so many columns train, evenly spread
_WORK = 5_000_000  # rows × features × classes to train on at most: some ten seconds
_LEAST = 10  # rows, on each side

_WORDS = {
    "logistic": "logistic regression",
    "ridge": "ridge regression",
    "forest": "a random forest",
    "boosting": "gradient boosting",
}


def utility(tables: Tables, target: str, seed: int, tick: Callable[[str], None]) -> Outcome:
    """`tstr_*`, `trtr_*`, `utility_gap`: models trained on released, or as many real, rows, tested on the holdout.

    Args:
        tables: the coded tables; there must be a holdout.
        target: the column that is predicted: a number is judged by R², two classes by ROC AUC, more by macro F1.
        seed: of the models and of the choice of rows.
        tick: told the name of each part when it is done.

    Raises:
        SettingError: the target is an id or free text.
    """
    if tables.holdout is None:
        return Outcome()
    if target not in tables.names:
        raise SettingError(
            f"target: column {target!r} is an id, free text or the unit, expected a number, a category, a boolean or a "
            "moment; name another column, or give its kind in the schema."
        )
    goal = _Goal.of(tables, target)
    numeric, discrete = _features(tables, target)
    if not numeric and not discrete:
        _warn(f"target {target!r}: there is no other column to predict it from; utility is left out.")
        return Outcome()
    most = max(2_000, _WORK // ((len(numeric) + len(discrete)) * max(goal.task.classes, 2)))
    rows = min(len(tables.real), len(tables.released), most)
    released = goal.known(sample_side(tables.released, rows, seed, "utility"))
    holdout = goal.known(tables.holdout)
    real = goal.known(sample_side(tables.real, rows, seed, "utility"))
    for words, (_, values) in (("released", released), ("holdout", holdout), ("real", real)):
        if len(values) < _LEAST or (words != "real" and goal.task.classes == 0 and np.ptp(values) == 0):
            _warn(f"target {target!r}: {len(values)} usable {words} rows, too few or all alike; utility is left out.")
            return Outcome()
    missing = set(np.unique(real[1])) - set(np.unique(released[1])) if goal.task.classes else set()
    if missing:
        names = ", ".join(repr(goal.classes[int(place)]) for place in sorted(missing)[:3])
        _warn(f"target {target!r}: {len(missing)} of its classes are not in the released rows ({names}).")

    features = Features.of(tables.real, numeric, discrete, tables.sizes)
    tstr, trtr = panels(goal.task, features, [released, real], holdout, seed)
    tick("models")
    return Outcome(scores=_scores(goal, tstr, trtr, tables))


def _features(tables: Tables, target: str) -> tuple[list[int], list[int]]:
    """Places of the numeric and of the discrete columns that train, at most a hundred in all."""
    places = [place for place, name in enumerate(tables.names) if name != target]
    if len(places) > _FEATURES:
        places = [places[int(i)] for i in np.linspace(0, len(places) - 1, _FEATURES)]
    width = len(tables.numeric)
    return [place for place in places if place < width], [place - width for place in places if place >= width]


@dataclass(frozen=True)
class _Goal:
    """The target column, and where its values are."""

    task: Task
    place: int
    numeric: bool
    cuts: NDArray[np.float64]  # the values of a numeric target that is a class
    classes: tuple[str, ...]

    @classmethod
    def of(cls, tables: Tables, target: str) -> _Goal:
        none = np.empty(0)
        if target in tables.numeric:
            place = tables.numeric.index(target)
            values = tables.real.numbers[:, place]
            distinct = np.unique(values[~np.isnan(values)])
            if len(distinct) == 2:  # 0 and 1 are classes
                return cls(Task(2), place, True, distinct, tuple(f"{x:g}" for x in distinct))
            return cls(Task(0), place, True, none, ())
        place = tables.discrete.index(target)
        known = int(tables.real.codes[:, place].max(initial=0))
        classes = tables.levels[place][:known]
        if known > CLASS_LIMIT:
            _warn(f"target {target!r}: {known} classes, the {known - CLASS_LIMIT + 1} least frequent count as one.")
            classes = (*classes[: CLASS_LIMIT - 1], "(other)")
        return cls(Task(max(len(classes), 2)), place, False, none, classes)

    def known(self, side: Side) -> tuple[Side, NDArray[np.float64]]:
        """The rows whose target is there and is a real class, and their target."""
        if self.numeric:
            values = side.numbers[:, self.place]
            keep = np.isin(values, self.cuts) if len(self.cuts) else ~np.isnan(values)
            found = np.searchsorted(self.cuts, values[keep]).astype(np.float64) if len(self.cuts) else values[keep]
            return side.rows(np.flatnonzero(keep)), found
        codes = side.codes[:, self.place]
        merged = self.classes[-1:] == ("(other)",)
        keep = (codes > 0) & (merged | (codes <= len(self.classes)))
        return side.rows(np.flatnonzero(keep)), (np.minimum(codes[keep], len(self.classes)) - 1).astype(np.float64)


def _scores(goal: _Goal, tstr: dict[str, Figure], trtr: dict[str, Figure], tables: Tables) -> dict[str, Score]:
    low = 0.0 if goal.task.classes else -math.inf
    measure = goal.task.measure
    left = f" Left out: {', '.join(tables.left_out[:5])}." if tables.left_out else ""
    means = mean_figure(list(tstr.values())), mean_figure(list(trtr.values()))
    scores: dict[str, Score] = {}
    for suffix in ("", *goal.task.models):
        name = f"_{suffix}" if suffix else ""
        words = _WORDS[suffix] if suffix else "three models, their mean"
        ours, theirs = (tstr[suffix], trtr[suffix]) if suffix else means
        scores[f"tstr{name}"] = scored(
            f"tstr{name}",
            ours,
            "higher",
            f"{measure} on unseen real rows of {words}, trained on released rows; the ceiling: on real ones.{left}",
            ceiling=theirs.value,
            low=low,
        )
        scores[f"trtr{name}"] = scored(
            f"trtr{name}",
            theirs,
            "higher",
            f"{measure} on unseen real rows of {words}, trained on as many real rows.{left}",
            low=low,
        )
    pulls = tuple(real - released for released, real in zip(means[0].influences, means[1].influences, strict=True))
    scores["utility_gap"] = scored(
        "utility_gap",
        Figure(means[1].value - means[0].value, pulls),
        "lower",
        f"How much {measure} an analyst loses who trains on released instead of real rows.",
        ceiling=0.0,
        low=-math.inf,
        high=math.inf,
    )
    return {name: score for name, score in scores.items() if math.isfinite(score.value)}


def _warn(message: str) -> None:
    warnings.warn(message, MasqueradeWarning, stacklevel=3)
