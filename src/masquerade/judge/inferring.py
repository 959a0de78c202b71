"""Inference: whether the release tells one value of a person from all of their others."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from masquerade import seeds
from masquerade.judge.distances import Scale
from masquerade.judge.figures import Outcome
from masquerade.judge.linkage import excess
from masquerade.judge.scores import Score
from masquerade.judge.tables import Side, Tables, sample_side
from masquerade.judge.workers import side_by_side
from masquerade.judge.worst import crossed, sidak
from masquerade.metrics.intervals import Z95
from masquerade.metrics.neighbours import Points, distances

__all__ = ["inference"]

_TARGETS = 1_000
_COMPARISONS = 4_500_000_000  # people × released rows × columns at most: some seconds
_COLUMNS = 30  # of a wider table, so many random ones are guessed
_LEAST = 100
_NEAR = 0.05  # a number is guessed that lies this near, as a share of the span of nine in ten
_KNOWN = 0.99  # a value that the control group shows so often leaves nothing to infer

Hits = NDArray[np.bool_]


def inference(tables: Tables, seed: int) -> Outcome:
    """How often the release tells a value of a person from all their others, beyond what it tells of people not in it.

    As Giomi, Boenisch, Wehmeyer and Tasnádi (2022, arXiv 2211.10459) define it: an attacker knows all columns of a person but
    one, looks for the released row nearest in these, and takes its value for theirs. Right is the same level, or a number that
    lies within a twentieth of the column's span (5th to 95th percentile). The control group are people of the holdout: what
    succeeds there is true of the population. Each column is attacked; the score is of the worst, chosen on other people than
    it is counted on.

    Args:
        tables: the coded tables.
        seed: of the choice of people, and of columns in a wide table.

    Returns:
        The score and the attack `inference`; nothing without 100 rows on each side, or with a single column.
    """
    holdout, width = tables.holdout, len(tables.names)
    people = min(_TARGETS, len(tables.real), len(holdout) if holdout is not None else 0)
    if holdout is None or people < _LEAST or len(tables.released) < _LEAST or width < 2:
        return Outcome()
    random = seeds.stream(seed, "inference")
    columns = np.sort(random.permutation(width)[:_COLUMNS])
    most = max(_LEAST, _COMPARISONS // (2 * people * (width + 2 * len(columns))))
    released = sample_side(tables.released, most, seed, "inference")
    groups = [side.rows(random.permutation(len(side))[:people]) for side in (tables.real, holdout)]
    scale = Scale.of(tables)
    jobs = [partial(_guessed, tables, scale, group, released, [int(j) for j in columns]) for group in groups]
    trained, unseen = side_by_side(jobs)
    told = [(tables.names[int(j)], trained[:, i], unseen[:, i]) for i, j in enumerate(columns)]
    told = [entry for entry in told if entry[2].mean() < _KNOWN]
    if not told:
        return Outcome()
    z, middle = sidak(len(told)), people // 2
    halves = {
        name: [_excess(first[half], second[half], z) for half in (slice(0, middle), slice(middle, None))]
        for name, first, second in told
    }
    value, (low, high) = crossed(halves)
    interval = (max(-1.0, low), min(1.0, high))
    each = {name: _column(first, second) for name, first, second in told}
    worst = max(each, key=lambda name: float(each[name]["interval"][0]))
    score = Score(
        "inference",
        value,
        "lower",
        interval=interval,
        ceiling=0.0,
        meaning="How often the nearest released row tells a value of a person, beyond what it tells of people who are not in "
        f"the release, for the worst of {len(each)} columns: “{worst}” {each[worst]['attack']:.1%} against "
        f"{each[worst]['control']:.1%}, of {people:,} people each.",
    )
    found = {"value": value, "interval": list(interval), "people": people, "worst": worst, "columns": each}
    return Outcome(scores={"inference": score}, attacks={"inference": found})


def _guessed(tables: Tables, scale: Scale, people: Side, released: Side, columns: list[int]) -> Hits:
    """Whether each value of each person is told by the nearest released row in all other columns, shape (people, columns)."""
    asked, among = scale.points(people), scale.points(released)
    width = len(tables.numeric)
    near = [_tolerance(tables.real.numbers[:, j]) for j in range(width)]
    hits = np.empty((len(people), len(columns)), dtype=bool)
    for start, apart in distances(asked, among, tables.sizes):
        rows = slice(start, start + len(apart))
        for place, j in enumerate(columns):
            found = (apart - _alone(asked.rows(rows), among, j)).argmin(axis=1)
            if j < width:
                truth, guess = people.numbers[rows, j], released.numbers[found, j]
                hits[rows, place] = (np.abs(truth - guess) <= near[j]) | (np.isnan(truth) & np.isnan(guess))
            else:
                hits[rows, place] = people.codes[rows, j - width] == released.codes[found, j - width]
    return hits


def _alone(asked: Points, among: Points, column: int) -> NDArray[np.float32]:
    """The part of the distances that is due to one column, shape (asked, among)."""
    width = asked.numbers.shape[1]
    if column >= width:
        mine, theirs = asked.codes[:, column - width], among.codes[:, column - width]
        return np.asarray(mine[:, None] != theirs[None, :], np.float32)
    x, y = asked.numbers[:, column], among.numbers[:, column]
    x, y = (np.where(np.isnan(values), np.float32(4.0), values) for values in (x, y))  # further than 1 from all others
    apart = np.asarray(x[:, None] - y[None, :], np.float32)
    np.abs(apart, out=apart)
    np.minimum(apart, np.float32(1.0), out=apart)
    return apart


def _tolerance(values: NDArray[np.float64]) -> float:
    known = values[~np.isnan(values)]
    return _NEAR * float(np.subtract(*np.percentile(known, (95, 5)))) if len(known) else 0.0


def _excess(first: Hits, second: Hits, z: float) -> tuple[float, tuple[float, float]]:
    """The excess of one column, its interval so many standard deviations wide."""
    value, (low, high) = excess(float(first.mean()), len(first), float(second.mean()), len(second))
    stretch = z / Z95
    return value, (value - stretch * (value - low), value + stretch * (high - value))


def _column(first: Hits, second: Hits) -> dict[str, Any]:
    value, interval = _excess(first, second, Z95)
    return {
        "value": value,
        "interval": list(interval),
        "attack": float(first.mean()),
        "control": float(second.mean()),
    }
