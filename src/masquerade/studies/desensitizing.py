"""What hiding a secret costs: the curve over the strength, beside the plain ways, and what changed in each column."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from masquerade import seeds
from masquerade.errors import TableError
from masquerade.judge.attacks import attack_attribute
from masquerade.judge.attribute import Secret
from masquerade.judge.erasure import linearly_erased, strongest
from masquerade.judge.models import Features, Task, boosted
from masquerade.judge.panels import Curve, Line, Panel, Rows
from masquerade.judge.report import Report
from masquerade.judge.tables import Side, Tables, as_numbers, sample_rows, tabulate
from masquerade.progress import Callback, Progress
from masquerade.release.desensitize import Desensitizer

__all__ = ["POINTS", "Change", "Point", "changes", "curve", "with_desensitizer"]

STRENGTHS = (0.25, 0.5, 0.75, 1.0)
PROXIES = 3
"""How many of the most telling columns *drop its proxies* leaves out, at most a third of them."""

ROWS = 12_000
"""Of the table, so many random rows draw the curve: its points are to be compared with each other."""

DECIMALS = 6
"""Of features after linear erasure."""

POINTS = len(STRENGTHS) + 3
"""Points of the curve of one secret."""


@dataclass(frozen=True)
class Point:
    """One way to hide a secret.

    Args:
        way: its name, such as `"strength"` or `"drop its proxies"`.
        label: what stands beside the point.
        attacked: of the best fresh attacker on all columns but the kept ones: AUC, or correlation for a number.
        useful: of boosting trained on released rows and tested on real ones, for the first kept column: AUC, F1 or R²; NaN
            where nothing is kept.
        changed: the share of cells that changed, of the columns that may change; NaN where columns are not what they were.
    """

    way: str
    label: str
    attacked: float
    useful: float
    changed: float


@dataclass(frozen=True)
class Change:
    """What changed in one column.

    Args:
        column: its name.
        share: of its cells.
        move: how far a changed number moved on average, in standard deviations of the column; NaN for others.
    """

    column: str
    share: float
    move: float


def changes(release: Desensitizer, real: pl.DataFrame, released: pl.DataFrame) -> list[Change]:
    """What changed, column by column, the most changed first.

    Args:
        release: fitted.
        real: typed rows.
        released: the same rows, typed.
    """
    found = []
    for name in real.columns:
        if name in release.hide or name not in released.columns or release.schema_[name].kind in ("id", "text"):
            continue
        before, after = real.get_column(name), released.get_column(name)
        other = before.ne_missing(after).to_numpy()
        move = math.nan
        if release.schema_[name].is_numeric and other.any():
            numbers = as_numbers(before)
            spread = float(np.nanstd(numbers))
            moved = np.abs(as_numbers(after) - numbers)[other]
            move = float(np.nanmean(moved) / spread) if spread > 0 and np.isfinite(moved).any() else math.nan
        found.append(Change(name, float(other.mean()), move))
    return sorted(found, key=lambda change: -change.share)


def curve(
    release: Desensitizer,
    real: pl.DataFrame,
    secret: str,
    *,
    holdout: pl.DataFrame | None = None,
    seed: int = 0,
    told: Callable[[], None] = lambda: None,
) -> list[Point]:
    """The points of one secret: the release at several strengths, the untouched table, and the plain ways.

    Args:
        release: fitted on the table.
        real: its typed rows.
        secret: one of the hidden columns.
        holdout: typed rows that were not fitted, to test what stays predictable; None: a third of the rows are set aside.
        seed: of every draw.
        told: called after each point.
    """
    real = sample_rows(real, ROWS, seed, "curve")
    if holdout is None:
        cut = 2 * real.height // 3
        real, holdout = real[:cut], real[cut:]
    holdout = sample_rows(holdout, ROWS, seed, "curve holdout")
    views = [real, *(release.with_strength(strength).changed_rows(real, seed) for strength in STRENGTHS)]
    judge = _Judge.of(release, secret, [tabulate(release.schema_, real, view, holdout) for view in views], seed)
    found = []
    for strength, view, tables in zip((0.0, *STRENGTHS), views, judge.tables, strict=True):
        if strength == 0:
            found.append(judge.point("drop the secret", "drop the secret", tables.real, 0.0))
        else:
            moved = [change.share for change in changes(release, real, view) if change.column not in release.keep]
            share = float(np.mean(moved)) if moved else 0.0
            found.append(judge.point("this release", f"strength {strength:g}", tables.released, share))
        told()
    plain = judge.tables[0]
    found.append(judge.without_proxies(plain))
    told()
    found.append(judge.erased(plain))
    told()
    return found


@dataclass(frozen=True)
class _Judge:
    """Attackers of one secret, and a model of the first kept column."""

    tables: list[Tables]
    secret: Secret
    goal: Secret | None
    columns: tuple[str, ...]
    seed: int

    @classmethod
    def of(cls, release: Desensitizer, secret: str, tables: list[Tables], seed: int) -> _Judge:
        names = tables[0].names
        goals = [name for name in release.keep if name in names]
        free = tuple(name for name in names if name not in (*release.keep, *release.hide))
        goal = Secret.of(tables[0], goals[0]) if goals else None
        return cls(tables, Secret.of(tables[0], secret), goal, free, seed)

    def point(self, way: str, label: str, side: Side, changed: float, columns: Sequence[str] | None = None) -> Point:
        """The figures of rows that look like `side`; the truth is that of the real ones."""
        columns = self.columns if columns is None else columns
        first = self.tables[0]
        tested = first.holdout
        assert tested is not None
        useful = math.nan
        if self.goal is not None:
            numeric, discrete = _places(first, columns)
            task = Task(self.goal.classes)
            features = Features.of(first.real, numeric, discrete, first.sizes)
            train, test = self.goal.values(first.real), self.goal.values(tested)
            useful = boosted(task, features, _known(side, train, task), _known(tested, test, task), self.seed)
        attacked = self._attacked(_view(first, side, columns))
        return Point(way, label, attacked, useful, changed)

    def _attacked(self, side: Side) -> float:
        truth = self.secret.values(self.tables[0].real)
        seed = seeds.integer(self.seed, "curve attack")
        return attack_attribute(side.numbers, side.codes, truth, classes=self.secret.classes, seeds=1, seed=seed).value

    def without_proxies(self, tables: Tables) -> Point:
        """The columns but those that tell the most of the secret."""
        order = strongest(
            _view(tables, tables.real, self.columns), self.secret.values(tables.real), self.secret.classes
        )
        numeric, discrete = _places(tables, self.columns)
        names = [tables.numeric[i] for i in numeric] + [tables.discrete[i] for i in discrete]
        gone = [names[place] for place in order[: max(1, min(PROXIES, len(names) // 3))]]
        kept = [name for name in self.columns if name not in gone] or list(self.columns)
        return self.point("drop its proxies", f"without {', '.join(gone)}", tables.real, math.nan, kept)

    def erased(self, tables: Tables) -> Point:
        """Standardised numbers and one-hot levels without what is linear in the secret."""
        numeric, discrete = _places(tables, self.columns)
        features = Features.of(tables.real, numeric, discrete, tables.sizes)
        assert tables.holdout is not None
        both = np.concatenate([features.linear(tables.real), features.linear(tables.holdout)])
        truth = [self.secret.values(side) for side in (tables.real, tables.holdout)]
        # What is left of an erased direction is the noise of rounding, from which boosting would tell the secret.
        erased = np.round(linearly_erased(both, np.concatenate(truth), self.secret.classes), DECIMALS)
        real, held = np.split(erased, [len(tables.real)])
        none = np.empty((len(both), 0), np.int64)
        useful = math.nan
        if self.goal is not None:
            task = Task(self.goal.classes)
            sides = [Side(real, none[: len(real)]), Side(held, none[: len(held)])]
            plain = Features.of(sides[0], range(real.shape[1]), (), ())
            goals = [self.goal.values(side) for side in (tables.real, tables.holdout)]
            known = [_known(side, goal, task) for side, goal in zip(sides, goals, strict=True)]
            useful = boosted(task, plain, known[0], known[1], self.seed)
        return Point(
            "linear erasure", "linear erasure", self._attacked(Side(real, none[: len(real)])), useful, math.nan
        )


def _places(tables: Tables, columns: Sequence[str]) -> tuple[list[int], list[int]]:
    numeric = [i for i, name in enumerate(tables.numeric) if name in columns]
    return numeric, [i for i, name in enumerate(tables.discrete) if name in columns]


def _view(tables: Tables, side: Side, columns: Sequence[str]) -> Side:
    numeric, discrete = _places(tables, columns)
    return Side(side.numbers[:, numeric], side.codes[:, discrete])


def _known(side: Side, goal: NDArray[np.float64], task: Task) -> tuple[Side, NDArray[np.float64]]:
    rows = np.flatnonzero(goal >= 0 if task.classes else np.isfinite(goal))
    return side.rows(rows), goal[rows]


def with_desensitizer(
    report: Report,
    release: Desensitizer,
    real: pl.DataFrame,
    released: pl.DataFrame,
    *,
    holdout: pl.DataFrame | None = None,
    seed: int = 0,
    callback: Callback | None = None,
) -> Report:
    """The report with the curve of each secret, and what changed in each column.

    Args:
        report: as from `mq.evaluate`.
        release: fitted on the table.
        real: its typed rows.
        released: the same rows as released, typed.
        holdout: typed rows that were not fitted, or None.
        seed: of every draw.
        callback: told after each point of a curve how far it is.
    """
    began, total, done = time.monotonic(), POINTS * len(release.hide), 0

    def told() -> None:
        nonlocal done
        done += 1
        if callback is not None:
            callback(Progress("evaluate", done, total, time.monotonic() - began, finished=done == total))

    panels = []
    for name in release.hide:
        try:
            points = curve(release, real, name, holdout=holdout, seed=seed, told=told)
        except TableError as error:  # too few rows to attack; the release is what was asked for first
            panels.append(Panel(_title(name), f"No curve was drawn: {error}"))
        else:
            panels.append(_curve_panel(release, name, points))
    panels.append(_changes_panel(release, changes(release, real, released)))
    facts = dict(report.facts)
    facts["panels"] = [*facts.get("panels", ()), *(panel.to_dict() for panel in panels)]
    return dataclasses.replace(report, facts=facts)


def _title(secret: str) -> str:
    return f"What hiding {secret} costs"


def _curve_panel(release: Desensitizer, secret: str, points: list[Point]) -> Panel:
    numeric = release.schema_[secret].is_numeric
    measure = "correlation of the best attacker's guess" if numeric else "AUC of the best attacker (½ is ideal)"
    kept = release.keep[0] if release.keep and any(math.isfinite(point.useful) for point in points) else None
    y_title = "share of cells changed" if kept is None else f"how well {kept} is predicted from the release"

    def height(point: Point) -> float:
        return point.changed if kept is None else point.useful

    shown = [point for point in points if math.isfinite(height(point))]
    ways = dict.fromkeys(point.way for point in shown)
    lines = tuple(
        Line(
            way,
            tuple(point.attacked for point in shown if point.way == way),
            tuple(height(point) for point in shown if point.way == way),
            tuple(point.label for point in shown if point.way == way),
        )
        for way in ways
    )
    said = "correlation" if numeric else "AUC"
    header = ("way", f"attacker's {said}", "" if kept is None else f"{kept} predicted", "cells changed")
    rows = tuple(
        (
            point.label,
            f"{point.attacked:.3f}",
            *([""] if kept is None else [f"{point.useful:.3f}"]),
            _share(point.changed),
        )
        for point in points
    )
    return Panel(
        _title(secret),
        f"Fresh attackers were trained on released rows to tell {secret} from every column that is neither hidden nor kept. "
        + (
            "Further left is more private; further down changes less. "
            if kept is None
            else f"Further left is more private, further up more useful: a model of {kept} was trained on released rows and "
            "tested on real ones. "
        )
        + "Dropping the secret alone leaves the columns that tell it; linear erasure fools linear attackers only.",
        chart=Curve(measure, y_title, lines),
        table=Rows(header, rows),
    )


def _changes_panel(release: Desensitizer, found: list[Change]) -> Panel:
    free = [change for change in found if change.column not in release.keep]
    share = float(np.mean([change.share for change in free])) if free else 0.0
    rows = tuple(
        (change.column, f"{change.share:.1%}", "" if math.isnan(change.move) else f"{change.move:.2f}")
        for change in found
    )
    return Panel(
        "How much the records changed",
        f"{share:.1%} of the cells that may change did. The last column says how far a changed number moved on average, in "
        "standard deviations of its column.",
        table=Rows(("column", "cells changed", "moved"), rows),
    )


def _share(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.1%}"
