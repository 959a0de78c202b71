"""What each ε would buy and cost: a private release for each, judged beside rows that no training has seen.

A sweep looks at the rows it is run on: each of its releases spends its ε, and together they spend what `composed` says. Run it
on public or synthetic rows that look like the real ones and it costs nothing; run it on the real ones and it is charged.
"""

from __future__ import annotations

import dataclasses
import json
import math
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import polars as pl

from masquerade import frames, seeds
from masquerade.errors import FileError, SettingError, nearest
from masquerade.holdout import hold_out
from masquerade.interrupts import whole
from masquerade.judge.ceilings import guaranteed_ceilings
from masquerade.judge.fidelity import fidelity
from masquerade.judge.intake import check_columns, typed_side
from masquerade.judge.membership import membership
from masquerade.judge.tables import ROW_LIMIT, sample_rows, tabulate
from masquerade.judge.utility import utility
from masquerade.judge.workers import one_thread
from masquerade.privacy.accountant import RELATION
from masquerade.privacy.accounting import epsilon_of, epsilon_of_fits
from masquerade.privacy.budget import DELTA, Privacy
from masquerade.privacy.ledger import Ledger
from masquerade.progress import Callback, Progress
from masquerade.schema import Schema
from masquerade.synthesize import synthesizers
from masquerade.synthesize.base import Synthesizer
from masquerade.synthesize.settings import check_count

__all__ = ["EPSILONS", "Point", "Sweep", "sweep"]

EPSILONS = (0.1, 0.3, 1.0, 3.0, 10.0)
"""What is tried where nothing is asked for."""

HOLDOUT_SHARE = 0.2
MOST_POINTS = 200
_FORMAT = "masquerade sweep"
_FIGURES = (
    "univariate_accuracy", "bivariate_accuracy", "bivariate_ceiling", "tstr", "trtr", "membership_auc",
    "membership_auc_low", "membership_auc_high", "membership_tpr_at_1pct_fpr", "allowed_auc", "allowed_tpr_at_1pct_fpr",
)  # fmt: skip


@dataclass(frozen=True)
class Point:
    """One private release and what was found of it.

    Args:
        epsilon: ε that was asked for.
        figures: by name; those of `masquerade.evaluate`, `bivariate_ceiling` (of a fresh sample of real rows), the ends of the
            interval of `membership_auc`, and what ε allows any attacker: `allowed_auc`, `allowed_tpr_at_1pct_fpr`.
        events: what was spent, as in a ledger.
        seconds: how long it took to fit, draw and judge.
    """

    epsilon: float
    figures: Mapping[str, float]
    events: tuple[Mapping[str, Any], ...]
    seconds: float


@dataclass(frozen=True)
class Sweep:
    """What a sweep found.

    Args:
        model: the synthesizer's name.
        target: what analysts predict; None: not judged.
        unit: whose rows each ε protects: a column, or `"row"`.
        delta: δ of each release.
        rows: how many trained.
        points: in the order of their ε.
        composed: ε that all releases together spent on the rows, at δ times their number.
    """

    model: str
    target: str | None
    unit: str
    delta: float
    rows: int
    points: tuple[Point, ...]
    composed: float

    def ledger(self) -> Ledger:
        """What the whole sweep spent, as a ledger: `masquerade verify` adds it to that of the release."""
        return Ledger(
            guarantee="differential privacy",
            epsilon=self.composed,
            delta=self.delta * len(self.points),
            unit=self.unit,
            relation=RELATION,
            mechanism=f"sweep of {len(self.points)} x {self.model}",
            events=tuple(event for point in self.points for event in point.events),
        )

    def means(self, figure: str) -> dict[float, float]:
        """By ε: a figure's mean over repeats, where it was measured."""
        found: dict[float, list[float]] = {}
        for point in self.points:
            if figure in point.figures:
                found.setdefault(point.epsilon, []).append(point.figures[figure])
        return {epsilon: statistics.fmean(values) for epsilon, values in found.items()}

    def sentence(self) -> str:
        """What the sweep itself cost, in plain words."""
        spent = f"ε = {self.composed:.3g}, δ = {self.delta * len(self.points):.3g} per {self.unit}"
        return (
            f"The sweep itself spent {spent} on the rows it was run on: {len(self.points)} releases, added up. If those were "
            "private rows, this comes on top of the ε of whatever is released, and the figures of the sweep, which were "
            "computed from them without noise, are private too. On public or synthetic look-alike rows it costs nothing."
        )

    # ── a file ─────────────────────────────────────────────────────────────────────────────────────────────────

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        points = [dataclasses.asdict(point) | {"events": list(point.events)} for point in self.points]
        return {"format": _FORMAT, "version": 1, **dataclasses.asdict(self), "points": points}

    @classmethod
    def from_dict(cls, data: Any) -> Self:
        """The reverse of `to_dict`.

        Raises:
            FileError: it is not what `to_dict` gives.
        """
        if not isinstance(data, dict) or data.get("format") != _FORMAT or data.get("version") != 1:
            raise FileError("not a sweep, expected what `masquerade sweep DATA -o sweep.json` wrote.")
        target, points = data.get("target"), data.get("points")
        texts = isinstance(data.get("model"), str) and isinstance(data.get("unit"), str)
        if not texts or not (target is None or isinstance(target, str)):
            raise FileError("a damaged sweep: model, unit and target are expected to be text.")
        if not isinstance(points, list) or not 1 <= len(points) <= MOST_POINTS:
            raise FileError(f"a damaged sweep: expected 1 to {MOST_POINTS} points.")
        return cls(
            model=data["model"][:60],
            target=None if target is None else target[:200],
            unit=data["unit"][:200],
            delta=_number(data.get("delta"), "delta", 0.0, 1.0),
            rows=int(_number(data.get("rows"), "rows", 0.0, 1e12)),
            points=tuple(sorted(map(_point, points), key=lambda point: point.epsilon)),
            composed=_number(data.get("composed"), "composed", 0.0, 1e9),
        )

    @classmethod
    def read(cls, path: str | Path) -> Self:
        """A sweep from its `.json` file.

        Raises:
            FileError: it cannot be read, or is none.
        """
        try:
            data = json.loads(Path(path).read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError) as error:
            raise FileError(f"{path}: cannot be read as a sweep ({error}).") from error
        try:
            return cls.from_dict(data)
        except FileError as error:
            raise FileError(f"{path}: {error}") from error


def sweep(
    real: Any,
    schema: Schema,
    *,
    target: str | None = None,
    epsilons: Sequence[float] = EPSILONS,
    delta: float = DELTA,
    model: str = "marginals",
    repeats: int = 1,
    holdout: Any = None,
    unit: str | None = None,
    seed: int = 0,
    callback: Callback | None = None,
) -> Sweep:
    """Fit a private release for each ε, and judge each.

    Args:
        real: the rows to release, or rows that look like them; a pandas, Polars or PyArrow table.
        schema: declared, as every private fit needs it.
        target: what analysts predict; None: prediction is not judged.
        epsilons: what to try, each above 0.
        delta: of each release.
        model: a synthesizer that keeps guarantees, by its name.
        repeats: releases for each ε; more than one shows how much chance there is in a figure.
        holdout: rows that no release may see; None: a fifth of `real` (of its units) is held out.
        unit: the column that says whose row it is; None: the schema's.
        seed: of the holdout and of the judges; the releases' noise comes from the operating system.
        callback: told after each release how far the sweep is.

    Raises:
        SettingError: no ε, one that is out of range or there twice; an unknown model or target; `repeats` below 1.
        SchemaError: the schema is not declared, or does not fit.
        TableError: too few rows.
    """
    wanted = _checked(epsilons, delta, repeats, unit)
    maker = _maker(model)
    check_columns(schema, target, (), ())
    schema = schema if unit is None else dataclasses.replace(schema, unit=unit)
    raw = frames.to_polars(real)[0]
    if holdout is None:
        train, kept = hold_out(raw, HOLDOUT_SHARE, seed=seed, unit=schema.unit)
    else:
        train, kept = raw, frames.to_polars(holdout)[0]
    looked = dataclasses.replace(schema, declared=False)  # real cells may lie beyond what is declared
    sides = {"real": typed_side("real", train, looked), "holdout": typed_side("holdout", kept, looked)}
    judge = _Judge(sides, looked, target, seed)
    points, fits, began = [], [], time.monotonic()
    total = len(wanted) * repeats
    for number, privacy in enumerate([privacy for privacy in wanted for _ in range(repeats)]):
        _tell(callback, number, total, began)
        start = time.monotonic()
        fitted = whole(maker(privacy=privacy).fit(train, schema=schema))
        released = fitted.sample(train.height, random_state=seeds.integer(seed, "sweep", number))
        figures = judge(released, fitted.ledger_)
        events = tuple(fitted.ledger_.events)
        fits.append(events)
        points.append(Point(privacy.epsilon, figures, events, time.monotonic() - start))
    _tell(callback, total, total, began)
    together = [event for events in fits for event in events]
    composed = max(epsilon_of_fits(fits, delta * total), epsilon_of(together, delta * total))
    return Sweep(model, target, schema.unit or "row", delta, train.height, tuple(points), composed)


@dataclass(frozen=True)
class _Judge:
    """A release → its figures, beside the rows that trained and those that did not."""

    sides: Mapping[str, pl.DataFrame]
    schema: Schema
    target: str | None
    seed: int

    def __call__(self, released: pl.DataFrame, ledger: Ledger) -> dict[str, float]:
        typed = {**self.sides, "released": typed_side("released", frames.to_polars(released)[0], self.schema)}
        cut = {side: sample_rows(table, ROW_LIMIT, self.seed, side) for side, table in typed.items()}
        tables = tabulate(self.schema, cut["real"], cut["released"], cut["holdout"])
        allowed = guaranteed_ceilings(ledger)
        assert allowed is not None, "a private release has a guarantee"
        with one_thread():
            parts = [fidelity(tables, dict.fromkeys(self.schema.names, 10), self.seed, _no_tick)]
            if self.target is not None:
                parts.append(utility(tables, self.target, self.seed, _no_tick))
            parts.append(membership(tables, self.seed, allowed))
        scores = {name: score for part in parts for name, score in part.scores.items()}
        figures = {name: scores[name].value for name in _FIGURES if name in scores}
        pairs, told = scores.get("bivariate_accuracy"), scores.get("membership_auc")
        if pairs is not None and pairs.ceiling is not None:
            figures["bivariate_ceiling"] = pairs.ceiling
        if told is not None and told.interval is not None:
            figures["membership_auc_low"], figures["membership_auc_high"] = told.interval
        figures |= {f"allowed_{name}": allowed[name] for name in ("auc", "tpr_at_1pct_fpr")}
        return {name: float(value) for name, value in figures.items() if math.isfinite(value)}


def _no_tick(part: str) -> None:
    """The sweep tells its own progress."""


def _tell(callback: Callback | None, done: int, total: int, began: float) -> None:
    if callback is not None:
        callback(Progress("sweep", done, total, time.monotonic() - began, finished=done == total))


def _checked(epsilons: Sequence[float], delta: float, repeats: int, unit: str | None) -> list[Privacy]:
    """The guarantees to be tried, by rising ε."""
    check_count("repeats", repeats)
    if not epsilons or len(set(epsilons)) < len(epsilons):
        raise SettingError(f"epsilons: got {list(epsilons)!r}, expected different numbers, at least one.")
    if len(epsilons) * repeats > MOST_POINTS:
        raise SettingError(f"epsilons: {len(epsilons) * repeats} releases, at most {MOST_POINTS} are made.")
    return sorted((Privacy(epsilon, delta, unit) for epsilon in epsilons), key=lambda privacy: privacy.epsilon)


def _maker(model: str) -> Callable[..., Synthesizer]:
    known = {name: cls for name, cls in synthesizers().items() if cls.spends is not None}
    if model not in known:
        raise SettingError(
            f"model: got {model!r}, expected one that keeps guarantees: {', '.join(known)}{nearest(model, known)}."
        )
    return known[model]


def _point(data: Any) -> Point:
    if not isinstance(data, dict) or not isinstance(data.get("figures"), dict):
        raise FileError("a damaged sweep: a point has no figures.")
    figures = {
        name: _number(data["figures"][name], name, 0.0 if "tstr" not in name and "trtr" not in name else -1e9, 1.0)
        for name in _FIGURES
        if name in data["figures"]
    }
    events = Ledger.from_dict({"events": data.get("events", [])}).events
    return Point(
        _number(data.get("epsilon"), "epsilon", 1e-9, 1e6),
        figures,
        events,
        _number(data.get("seconds"), "seconds", 0.0, 1e9),
    )


def _number(value: Any, name: str, low: float, high: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise FileError(f"a damaged sweep: {name} is {str(value)[:40]!r}, expected a number from {low:g} to {high:g}.")
    return float(value)
