"""Who can be found again: linking what two parties know of the same people, and released records to their origin."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from masquerade import seeds
from masquerade.judge.distances import Scale
from masquerade.judge.figures import Outcome
from masquerade.judge.scores import Score
from masquerade.judge.tables import Tables
from masquerade.judge.workers import side_by_side
from masquerade.metrics.intervals import wilson
from masquerade.metrics.neighbours import Points, distances

__all__ = ["excess", "linkability", "linkage_top1"]

_TARGETS = 1_000  # people that are attacked, and as many of the control group
_REFERENCES = 10_000  # released rows that are looked through
_COMPARISONS = 1_000_000_000  # people × references × columns at most: some seconds
_CLOSEST = 5  # released rows that each half of the columns may point at
_CANDIDATES = 2_000
_LEAST = 100


def excess(attack: float, attacked: int, control: float, controls: int) -> tuple[float, tuple[float, float]]:
    """(attack − control) / (1 − control): how much of what was left to win the release gave away, and its interval.

    The intervals of both proportions (Wilson 1927) are carried over by their distances (the square-and-add of Newcombe 1998).

    Args:
        attack: how often the attack was right about people in the release.
        attacked: about how many.
        control: how often it was right about people who are not in it.
        controls: about how many.

    >>> round(excess(0.55, 1000, 0.1, 1000)[0], 6)
    0.5
    """
    (low, high), (least, most) = wilson(attack * attacked, attacked), wilson(control * controls, controls)
    if control >= 1:
        return 0.0, (-1.0, 1.0)
    left = 1.0 - control
    pull = (1.0 - attack) / left**2
    value = (attack - control) / left
    down = math.hypot((attack - low) / left, pull * (most - control))
    up = math.hypot((high - attack) / left, pull * (control - least))
    return value, (max(-1.0, value - down), min(1.0, value + up))


def linkability(tables: Tables, seed: int, *, aligned: bool) -> Outcome:
    """How often the release tells that two halves of a person's columns belong together, beyond what chance gives.

    As Giomi, Boenisch, Wehmeyer and Tasnádi (2022, arXiv 2211.10459) define it: an attacker knows some columns of a person from
    one source and the others from a second one. Each half points at the five nearest released rows; where both point at a
    common row, the attacker takes the halves for the same person's. The same is done to people of the holdout, who are not in
    the release: what succeeds there is due to the population, not to the release.

    Args:
        tables: the coded tables.
        seed: of the choice of people.
        aligned: whether released row i was made from real row i: then the attacked people's own rows are among those looked at.

    Returns:
        The score and the attack `linkability`; nothing without a holdout of 100 rows, or with a single column.
    """
    holdout = tables.holdout
    people = min(_TARGETS, len(tables.real), len(holdout) if holdout is not None else 0)
    if holdout is None or people < _LEAST or len(tables.released) < _LEAST or len(tables.names) < 2:
        return Outcome()
    random = seeds.stream(seed, "linkability")
    most = max(_LEAST, min(_REFERENCES, _COMPARISONS // (people * len(tables.names))))
    chosen = random.permutation(len(tables.released))[:most]
    own = chosen if aligned else random.permutation(len(tables.real))
    people = min(people, len(own))
    targets = tables.real.rows(own[:people])
    controls = holdout.rows(random.permutation(len(holdout))[:people])
    scale = Scale.of(tables)
    released, *asked = (scale.points(side) for side in (tables.released.rows(chosen), targets, controls))
    halves = _halves(tables)
    jobs = [
        partial(_closest, _of(group, half), _of(released, half), _sizes(tables, half))
        for group in asked
        for half in halves
    ]
    first, second, third, fourth = side_by_side(jobs)
    attack, control = _common(first, second), _common(third, fourth)
    value, interval = excess(attack, len(first), control, len(third))
    words = f"{attack:.1%} of {people:,} people, {control:.1%} of as many who are not in the release"
    score = Score(
        "linkability",
        value,
        "lower",
        interval=interval,
        ceiling=0.0,
        meaning="How often the release tells that two halves of a person's columns belong together, beyond what the population "
        f"explains: {words}.",
    )
    found = {"value": value, "interval": list(interval), "attack": attack, "control": control, "people": people}
    named = [[tables.names[place] for place in half] for half in halves]
    return Outcome(scores={"linkability": score}, attacks={"linkability": found | {"halves": named}})


def linkage_top1(tables: Tables, seed: int) -> Outcome:
    """How often a released record lies nearest to the very record it was made from, among 2,000 people.

    Args:
        tables: the coded tables; released row i was made from real row i.
        seed: of the choice of people.

    Returns:
        The score and the attack `linkage_top1`; nothing for fewer than 100 rows or without columns.
    """
    if len(tables.real) < _LEAST or not tables.names:
        return Outcome()
    most = max(_LEAST, min(_CANDIDATES, math.isqrt(_COMPARISONS // len(tables.names))))
    chosen = np.sort(seeds.stream(seed, "linkage").permutation(len(tables.real))[:most])
    scale = Scale.of(tables)
    ours, theirs = (scale.points(side.rows(chosen)) for side in (tables.real, tables.released))
    hits = 0.0
    for start, apart in distances(theirs, ours, tables.sizes):
        at = np.arange(len(apart))
        own = apart[at, start + at]
        nearer = (apart < own[:, None] - 1e-6).any(axis=1)
        alike = (apart <= own[:, None] + 1e-6).sum(axis=1)
        hits += float(np.where(nearer, 0.0, 1.0 / alike).sum())
    count = len(chosen)
    value, interval = hits / count, wilson(hits, count)
    score = Score(
        "linkage_top1",
        value,
        "lower",
        interval=interval,
        ceiling=1.0 / count,
        meaning=f"How often a released record lies nearest to the real record it was made from, among {count:,} people, "
        "for one who holds their real records; the ceiling is guessing at random.",
    )
    found: dict[str, Any] = {"value": value, "interval": list(interval), "candidates": count, "chance": 1.0 / count}
    return Outcome(scores={"linkage_top1": score}, attacks={"linkage_top1": found})


def _halves(tables: Tables) -> tuple[list[int], list[int]]:
    """The columns in two halves that tell about as much: the most various ones are dealt out in turn."""
    real = tables.real
    various = [
        len(np.unique(column))
        for column in (*real.numbers.T, *real.codes.T)  # a NaN counts once
    ]
    order = [int(place) for place in np.argsort([-v for v in various], kind="stable")]
    first, second = order[0::4] + order[3::4], order[1::4] + order[2::4]
    return sorted(first), sorted(second)


def _of(points: Points, half: list[int]) -> Points:
    width = points.numbers.shape[1]
    return Points(
        points.numbers[:, [j for j in half if j < width]], points.codes[:, [j - width for j in half if j >= width]]
    )


def _sizes(tables: Tables, half: list[int]) -> tuple[int, ...]:
    width = len(tables.numeric)
    return tuple(tables.sizes[j - width] for j in half if j >= width)


def _closest(queries: Points, references: Points, sizes: tuple[int, ...]) -> NDArray[np.intp]:
    """The places of the nearest references, shape (queries, up to five)."""
    count = min(_CLOSEST, len(references))
    found = np.empty((len(queries), count), dtype=np.intp)
    for start, apart in distances(queries, references, sizes):
        found[start : start + len(apart)] = np.argpartition(apart, count - 1, axis=1)[:, :count]
    return found


def _common(first: NDArray[np.intp], second: NDArray[np.intp]) -> float:
    """The share of rows with a place that both name."""
    return float((first[:, :, None] == second[:, None, :]).any(axis=(1, 2)).mean())
