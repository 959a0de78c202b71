"""Attacks on a secret: how well fresh attackers tell it from what was released.

The panel's best attacker is chosen on rows of its own, which neither trained it nor are counted, so that taking the best of
three does not flatter it: an independent secret is guessed with an AUC of ½, give or take the interval.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from masquerade import seeds as streams
from masquerade.errors import SettingError, TableError
from masquerade.judge.attackers import ATTACKERS, Known, guesses
from masquerade.judge.tables import Side
from masquerade.metrics.intervals import from_influences
from masquerade.metrics.prediction import correlation, macro_roc_auc, r_squared

__all__ = ["LEAST_ROWS", "ROWS", "AttributeFinding", "attack_attribute", "attack_unseen"]

ROWS = 20_000
"""An attacker knows at most this many secrets, and guesses at most as many others."""

LEAST_ROWS = 100
"""With fewer rows an attack says nothing."""

_FEWEST = 10  # of a class, among the rows that are guessed, for it to count in the mean AUC


@dataclass(frozen=True)
class AttributeFinding:
    """How well the best attacker guesses a secret.

    Args:
        auc: area under the ROC curve, ½ for a coin; the mean over classes, each against the rest, for more than two; NaN for a
            numeric secret.
        interval: 95 % interval of `auc`, or of `correlation` where the secret is a number; over the choice of the guessed rows.
        accuracy: share of rows whose class was guessed; NaN for a numeric secret.
        majority: the share that guessing the most frequent known class would reach; NaN for a numeric secret.
        correlation: Pearson's, of guesses and truth; NaN for classes.
        r2: R² of the guesses; NaN for classes.
        r2_interval: 95 % interval of `r2`; None for classes.
        attacker: which attacker was the best on the validation rows.
        by_attacker: `auc` (or `correlation`) of each of them.
        rows: how many rows were guessed.
    """

    auc: float
    interval: tuple[float, float] | None
    accuracy: float
    majority: float
    by_attacker: Mapping[str, float]
    correlation: float = math.nan
    r2: float = math.nan
    r2_interval: tuple[float, float] | None = None
    attacker: str = ""
    rows: int = 0

    @property
    def value(self) -> float:
        """`auc`, or `correlation` where the secret is a number."""
        return self.correlation if math.isnan(self.auc) else self.auc

    def to_dict(self) -> dict[str, Any]:
        """Plain data for `report.json`; figures that do not apply are left out."""
        found: dict[str, Any] = {"interval": None if self.interval is None else list(self.interval)}
        for name in ("auc", "accuracy", "majority", "correlation", "r2"):
            value = getattr(self, name)
            if math.isfinite(value):
                found[name] = value
        if self.r2_interval is not None:
            found["r2_interval"] = list(self.r2_interval)
        return found | {"attacker": self.attacker, "attackers": dict(self.by_attacker), "rows": self.rows}


def attack_attribute(
    numbers: NDArray[np.float64],
    codes: NDArray[np.int64],
    secret: NDArray[Any],
    *,
    classes: int,
    seeds: int = 3,
    seed: int = 0,
    limit: int = ROWS,
) -> AttributeFinding:
    """Guess a secret of released records whose order was kept: half of the people's secrets are known, the others guessed.

    Gradient boosting, a small neural network and nearest neighbours are trained on nine tenths of the known rows, `seeds` times
    with new draws; the best of the three on the other tenth is the attacker whose figures on the guessed half are returned.

    Args:
        numbers: numeric columns of the release, NaN where missing, shape (rows, numeric).
        codes: its discrete columns as codes of at least 0, shape (rows, discrete).
        secret: the real secret of each row: class numbers from 0 (below 0: not known), or numbers (NaN: not known), (rows,).
        classes: how many classes the secret has; 0: it is a number.
        seeds: how many times the attackers are trained; figures are means over them.
        seed: of every draw.
        limit: at most this many random rows are known, and at most as many others guessed.

    Raises:
        TableError: fewer than 100 rows have a known secret, or all have the same.
        SettingError: `classes` is 1 or below 0, `seeds` below 1, `limit` below 100, or a class number is too high.

    >>> random = np.random.default_rng(0)
    >>> secret = random.integers(0, 2, 400)
    >>> release = (secret + random.normal(size=400))[:, None]
    >>> found = attack_attribute(release, np.empty((400, 0), np.int64), secret, classes=2, seeds=1)
    >>> found.auc > 0.65, found.interval[0] < found.auc < found.interval[1]
    (True, True)
    """
    _check(classes, seeds, limit)
    everyone = _known(Side(np.asarray(numbers, np.float64), np.asarray(codes, np.int64)), secret, classes)
    order = streams.stream(seed, "halves").permutation(len(everyone))[: 2 * limit]
    half = len(order) // 2
    return attack_unseen(
        everyone.rows(order[:half]), [everyone.rows(order[half:])], classes=classes, seeds=seeds, seed=seed
    )[0]


def attack_unseen(
    known: Known, unseen: Sequence[Known], *, classes: int, seeds: int = 3, seed: int = 0
) -> list[AttributeFinding]:
    """Train the panel on some rows and guess the secret of others; `attack_attribute` says how.

    Args:
        known: what the attackers learn from, at least 50 rows.
        unseen: sets of rows to guess, each with the truth; the first is of the people that are attacked.
        classes: how many classes the secret has; 0: it is a number.
        seeds: how many times the attackers are trained.
        seed: of every draw.

    Returns:
        For each set, what the attacker found that was the best on the validation rows.
    """
    known, *others = _ranked([known, *unseen])
    sizes = [int(max(side.codes[:, j].max(initial=0) for side in (known.side, *(k.side for k in others)))) + 1
             for j in range(known.side.codes.shape[1])]  # fmt: skip

    def judge(secret: NDArray[np.float64], said: NDArray[np.float64]) -> float:
        value = _figure(secret, said, classes)[0]
        return value if math.isfinite(value) else -math.inf

    found = guesses(known, [k.side for k in others], sizes, classes, judge, seeds, seed)
    best = max(ATTACKERS, key=lambda name: float(np.mean([guess.validation for guess in found[name]])))
    majority = int(np.bincount(known.secret.astype(np.intp)).argmax()) if classes else 0
    return [
        _finding(
            truth.secret,
            {name: [guess.tests[place] for guess in found[name]] for name in ATTACKERS},
            best,
            classes,
            majority,
        )
        for place, truth in enumerate(others)
    ]


def _check(classes: int, seeds: int, limit: int) -> None:
    if classes < 0 or classes == 1:
        raise SettingError(f"classes: got {classes}, expected 0 for a number, or at least 2.")
    if seeds < 1:
        raise SettingError(f"seeds: got {seeds}, expected at least 1.")
    if limit < LEAST_ROWS:
        raise SettingError(f"limit: got {limit}, expected at least {LEAST_ROWS}.")


def _known(side: Side, secret: NDArray[Any], classes: int) -> Known:
    """The rows whose secret is there."""
    values = np.asarray(secret, np.float64)
    there = np.flatnonzero(values >= 0 if classes else np.isfinite(values))
    if len(there) < LEAST_ROWS:
        raise TableError(f"secret: {len(there)} rows have one, expected at least {LEAST_ROWS} to attack.")
    found = Known(side, values).rows(there)
    if classes and found.secret.max() >= classes:
        raise SettingError(f"secret: got class {int(found.secret.max())}, expected 0 to {classes - 1}.")
    if np.ptp(found.secret) == 0:
        raise TableError("secret: all rows have the same, so there is nothing to guess; name another column.")
    return found


def _ranked(parts: list[Known]) -> list[Known]:
    """The same rows, each discrete column's codes by falling frequency among the first ones: rare ones may be merged."""
    first = parts[0].side
    coded = [part.side.codes.copy() for part in parts]
    for j in range(first.codes.shape[1]):
        size = max(int(codes[:, j].max(initial=0)) for codes in coded) + 1
        order = np.argsort(-np.bincount(first.codes[:, j], minlength=size), kind="stable")
        rank = np.empty(size, np.int64)
        rank[order] = np.arange(size)
        for codes in coded:
            codes[:, j] = rank[codes[:, j]]
    return [Known(Side(part.side.numbers, codes), part.secret) for part, codes in zip(parts, coded, strict=True)]


def _figure(secret: NDArray[np.float64], said: NDArray[np.float64], classes: int) -> tuple[float, NDArray[np.float64]]:
    """AUC or correlation, with the rows' influences."""
    if not classes:
        return correlation(secret, said)
    return macro_roc_auc(secret.astype(np.int64), said, fewest=_FEWEST)


def _finding(
    secret: NDArray[np.float64],
    said: Mapping[str, list[NDArray[np.float64]]],
    best: str,
    classes: int,
    majority: int,
) -> AttributeFinding:
    figures = {name: [_figure(secret, guess, classes) for guess in said[name]] for name in said}
    means = {name: float(np.mean([value for value, _ in found])) for name, found in figures.items()}
    pull = np.mean([influence for _, influence in figures[best]], axis=0)
    interval = from_influences(means[best], pull, low=0.0 if classes else -1.0)
    if classes:
        right = [float((guess.argmax(axis=1) == secret).mean()) for guess in said[best]]
        return AttributeFinding(
            auc=means[best],
            interval=interval,
            accuracy=float(np.mean(right)),
            majority=float((secret == majority).mean()),
            by_attacker=means,
            attacker=best,
            rows=len(secret),
        )
    explained = [r_squared(secret, guess) for guess in said[best]]
    r2 = float(np.mean([value for value, _ in explained]))
    return AttributeFinding(
        auc=math.nan,
        interval=interval,
        accuracy=math.nan,
        majority=math.nan,
        correlation=means[best],
        r2=r2,
        r2_interval=from_influences(r2, np.mean([pull for _, pull in explained], axis=0), low=-math.inf),
        by_attacker=means,
        attacker=best,
        rows=len(secret),
    )
