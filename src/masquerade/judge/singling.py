"""Singling out: whether the release tells how to describe somebody so that nobody else fits."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import hypergeom

from masquerade import seeds
from masquerade.judge.figures import Outcome
from masquerade.judge.linkage import excess
from masquerade.judge.scores import Score
from masquerade.judge.tables import Side, Tables

__all__ = ["singling_out"]

_DESCRIPTIONS = 1_000
_ROUNDS = 12  # how often a released row may be described anew until nobody else in the release fits
_WIDEST = 8  # columns in a description at most
_LEAST = 100
_FEWEST = 10  # descriptions to judge by
_BLOCK_CELLS = 1 << 22

Bits = NDArray[np.bool_]


def singling_out(tables: Tables, seed: int) -> Outcome:
    """How often a description that fits one released row fits exactly one person, beyond what the population explains.

    As Giomi, Boenisch, Wehmeyer and Tasnádi (2022, arXiv 2211.10459) define it: an attacker describes a released row by some
    random columns (a level; at least a number if it is large, at most if it is small), keeps descriptions that fit no other
    released row, and is right where one fits exactly one person. The same descriptions are tried on the holdout, who are not
    in the release, and on as many of the people who trained: in expectation over all such samples, for the more there are, the
    fewer are alone.

    Args:
        tables: the coded tables.
        seed: of the choice of rows and columns.

    Returns:
        The score and the attack `singling_out`; nothing without 100 rows on each side, or where hardly a released row is alone.
    """
    holdout = tables.holdout
    if holdout is None or min(len(tables.real), len(tables.released), len(holdout)) < _LEAST or not tables.names:
        return Outcome()
    random = seeds.stream(seed, "singling out")
    released = tables.released
    middle = _middle(released.numbers)
    chosen = random.permutation(len(released))[:_DESCRIPTIONS]
    rows, used = chosen[:0], np.zeros((0, len(tables.names)), dtype=bool)
    for _ in range(_ROUNDS):
        left = np.setdiff1d(chosen, rows)
        columns = _some(random, len(left), len(tables.names))
        alone = _fits(released, left, columns, released, middle) == 1
        rows, used = np.concatenate([rows, left[alone]]), np.concatenate([used, columns[alone]])
    if len(rows) < _FEWEST:
        return Outcome()
    people = min(len(tables.real), len(holdout))
    trained, unseen = (_fits(released, rows, used, side, middle) for side in (tables.real, holdout))
    attack = float(_isolates(trained, len(tables.real), people).mean())
    control = float(_isolates(unseen, len(holdout), people).mean())
    value, interval = excess(attack, len(rows), control, len(rows))
    words = (
        f"{attack:.1%} of {len(rows):,} descriptions among {people:,} people who trained, {control:.1%} among others"
    )
    score = Score(
        "singling_out",
        value,
        "lower",
        interval=interval,
        ceiling=0.0,
        meaning="How often a description that fits one released row alone fits exactly one person, beyond what the population "
        f"explains: {words}.",
    )
    found = {"value": value, "interval": list(interval), "attack": attack, "control": control, "people": people}
    more = {"descriptions": len(rows), "of_all": float((trained == 1).mean()), "trained": len(tables.real)}
    return Outcome(scores={"singling_out": score}, attacks={"singling_out": found | more})


def _middle(numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    """The median of each column, 0 where it is empty."""
    return np.array([np.median(known) if len(known := column[~np.isnan(column)]) else 0.0 for column in numbers.T])


def _some(random: np.random.Generator, count: int, width: int) -> Bits:
    """Random sets of one to eight columns, shape (count, width)."""
    sizes = random.integers(1, min(_WIDEST, width) + 1, size=count)
    ranks = random.random((count, width)).argsort(axis=1).argsort(axis=1)
    return np.asarray(ranks < sizes[:, None], bool)


def _fits(
    released: Side, rows: NDArray[np.intp], used: Bits, among: Side, middle: NDArray[np.float64]
) -> NDArray[np.int64]:
    """How many rows fit each description, shape (descriptions,)."""
    width = released.numbers.shape[1]
    counts = np.empty(len(rows), dtype=np.int64)
    block = max(1, _BLOCK_CELLS // max(len(among), 1))
    for start in range(0, len(rows), block):
        part, columns = rows[start : start + block], used[start : start + block]
        fit = np.ones((len(part), len(among)), dtype=bool)
        for j in np.flatnonzero(columns.any(axis=0)):
            mine = np.flatnonzero(columns[:, j])
            if j < width:
                fit[mine] &= _beyond(released.numbers[part[mine], j], among.numbers[:, j], float(middle[j]))
            else:
                fit[mine] &= released.codes[part[mine], j - width][:, None] == among.codes[:, j - width][None, :]
        counts[start : start + block] = fit.sum(axis=1)
    return counts


def _beyond(values: NDArray[np.float64], others: NDArray[np.float64], middle: float) -> Bits:
    """Who is at least as far from the middle, on the same side; a missing value fits missing ones."""
    fit = np.empty((len(values), len(others)), dtype=bool)
    for place, value in enumerate(values):
        if np.isnan(value):
            np.isnan(others, out=fit[place])
        elif value > middle:
            np.greater_equal(others, value, out=fit[place])
        else:
            np.less_equal(others, value, out=fit[place])
    return fit


def _isolates(counts: NDArray[np.int64], total: int, people: int) -> NDArray[np.float64]:
    """How likely exactly one of so many people, drawn from all, fits where `counts` of all do."""
    return np.asarray(hypergeom.pmf(1, total, counts, people), np.float64)
