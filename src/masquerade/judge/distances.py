"""Distances between records: copies, and whether released rows lie nearer to training rows than to unseen ones.

Distances are not guarantees: they do not predict who can be recognised (arXiv 2505.01524). The scores say so.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from masquerade import seeds
from masquerade.judge.figures import Outcome
from masquerade.judge.scores import Score
from masquerade.judge.tables import Side, Tables, sample_side
from masquerade.judge.workers import side_by_side
from masquerade.metrics.intervals import from_clusters, newcombe, of_quantile
from masquerade.metrics.neighbours import Nearest, Points, nearest

__all__ = ["QUERY_ROWS", "REFERENCE_ROWS", "Scale", "distances", "exact_copies"]

QUERY_ROWS = 10_000
"""At most this many released rows look for their nearest real rows."""

REFERENCE_ROWS = 20_000
"""At most this many training rows, and as many holdout rows, are looked through."""

_COMPARISONS = 4_000_000_000  # queries × references × columns at most: some ten seconds
_NOT_A_GUARANTEE = " A distance is not a guarantee."
_BINS = 40


def exact_copies(
    real: pl.DataFrame, released: pl.DataFrame, holdout: pl.DataFrame | None, columns: list[str]
) -> Score | None:
    """The share of released rows equal to a training row in all of `columns`, less the same share of holdout rows.

    Args:
        real: typed training rows, all of them.
        released: typed released rows, all of them.
        holdout: typed holdout rows; without them there is no score.
        columns: what is compared (ids and free text, which are regenerated, say nothing here).
    """
    if holdout is None or not columns:
        return None
    known = real.select(columns).unique()
    copies, chance = (_matches(table.select(columns), known) for table in (released, holdout))
    low, high = newcombe(copies, released.height, chance, holdout.height)
    return Score(
        "exact_copies",
        copies / released.height - chance / holdout.height,
        "lower",
        interval=(low, high),
        ceiling=0.0,
        meaning="The share of released rows that equal a training row, less the same share of unseen real rows.",
    )


def _matches(table: pl.DataFrame, known: pl.DataFrame) -> int:
    return table.join(known, on=table.columns, how="semi", nulls_equal=True).height


def distances(tables: Tables, seed: int, protect: int, tick: Callable[[str], None]) -> Outcome:
    """`dcr_share`, `nndr`, `dcr_baseline_protection`, `dcr_overfitting_protection`, and the curves behind them.

    Args:
        tables: the coded tables.
        seed: chooses samples, and the random rows of the baseline.
        protect: a bin of a curve holds at least so many rows, or is merged with its neighbour.
        tick: told the name of each part when it is done.
    """
    width = len(tables.names)
    if not width:
        return Outcome()
    holdout = tables.holdout
    references = min(len(tables.real), REFERENCE_ROWS, len(holdout) if holdout is not None else REFERENCE_ROWS)
    references = max(1, min(references, math.isqrt(_COMPARISONS // width)))
    queries = max(10, min(QUERY_ROWS, _COMPARISONS // (references * width)))

    train_side = sample_side(tables.real, references, seed, "train references")
    released_side = sample_side(tables.released, queries, seed, "distance queries")
    scale = Scale.of(tables)
    train, released = scale.points(train_side), scale.points(released_side)
    noise = scale.points(_random_side(tables, min(len(released), 2_000), seed))
    searches = [(released, train), (noise, train)]
    if holdout is not None:
        kept = scale.points(sample_side(holdout, references, seed, "holdout references"))
        searches += [(released, kept), (kept.rows(slice(0, len(released))), train)]
    to_train, of_noise, *more = side_by_side([partial(nearest, a, b, tables.sizes) for a, b in searches])
    tick("distances")

    scores: dict[str, Score] = {}
    facts: dict[str, Any] = {}
    of_holdout: Nearest | None = None
    if more:
        to_holdout, of_holdout = more
        scores |= _shares(to_train, to_holdout, references)
        facts["distances"] = _curves(to_train.first, to_holdout.first, protect)
    scores["nndr"] = _nndr(to_train, of_holdout)
    scores["dcr_baseline_protection"] = _baseline(to_train, of_noise, of_holdout)
    return Outcome(scores=scores, facts=facts)


@dataclass(frozen=True)
class Scale:
    """The real range of each number, on which distances between rows are measured."""

    low: NDArray[np.float64]
    width: NDArray[np.float64]

    @classmethod
    def of(cls, tables: Tables) -> Scale:
        numbers = tables.real.numbers
        have = ~np.isnan(numbers)
        low = np.min(numbers, axis=0, initial=np.inf, where=have)
        high = np.max(numbers, axis=0, initial=-np.inf, where=have)
        width = np.where(high > low, high - low, 1.0)
        return cls(np.where(np.isfinite(low), low, 0.0), width)

    def points(self, side: Side) -> Points:
        """Rows as points."""
        scaled = ((side.numbers - self.low) / self.width).astype(np.float32)
        return Points(np.clip(scaled, -1.0, 2.0), side.codes.astype(np.int32))


def _shares(to_train: Nearest, to_holdout: Nearest, references: int) -> dict[str, Score]:
    """`dcr_share` and, from it, `dcr_overfitting_protection`."""
    nearer = np.where(to_train.first < to_holdout.first, 1.0, np.where(to_train.first == to_holdout.first, 0.5, 0.0))
    share = float(nearer.mean())
    # Released rows around one real row are not independent: their nearest row makes the cluster.
    clusters = np.where(to_train.first <= to_holdout.first, to_train.index, references + to_holdout.index)
    low, high = from_clusters(nearer, clusters)
    strictly = float((to_train.first < to_holdout.first).mean())
    protection = min(1.0, 2.0 * (1.0 - strictly))
    return {
        "dcr_share": Score(
            "dcr_share",
            share,
            "half",
            interval=(low, high),
            ceiling=0.5,
            meaning=f"How often a released row's nearest real row is one that trained, among {references:,} training "
            f"and as many unseen rows, for {len(nearer):,} released ones; ½ means that training rows are no nearer."
            + _NOT_A_GUARANTEE,
        ),
        "dcr_overfitting_protection": Score(
            "dcr_overfitting_protection",
            protection,
            "higher",
            interval=(min(protection, max(0.0, 2.0 * (1.0 - high))), min(1.0, max(protection, 2.0 * (1.0 - low)))),
            ceiling=1.0,
            meaning="1 unless more than half of the released rows lie nearer to a training row than to an unseen one, "
            "then twice the other rows' share." + _NOT_A_GUARANTEE,
        ),
    }


def _ratios(found: Nearest) -> NDArray[np.float64]:
    """Nearest over second-nearest distance; 1 where both are 0 or there is only one."""
    first, second = found.first.astype(np.float64), found.second.astype(np.float64)
    ratio = np.ones(len(first))
    return np.divide(first, second, out=ratio, where=np.isfinite(second) & (second > 0))


def _quantile(
    values: NDArray[np.float64], beside: NDArray[np.float64] | None, level: float
) -> tuple[float, tuple[float, float], float | None]:
    """A quantile, its interval, and the same quantile of unseen rows, whose own chance the interval allows for."""
    value, (low, high) = float(np.quantile(values, level)), of_quantile(values, level)
    if beside is None:
        return value, (low, high), None
    ceiling, (least, most) = float(np.quantile(beside, level)), of_quantile(beside, level)
    return (
        value,
        (value - math.hypot(value - low, most - ceiling), value + math.hypot(high - value, ceiling - least)),
        ceiling,
    )


def _nndr(to_train: Nearest, of_holdout: Nearest | None) -> Score:
    beside = None if of_holdout is None else _ratios(of_holdout)
    value, (low, high), ceiling = _quantile(_ratios(to_train), beside, 0.05)
    return Score(
        "nndr",
        value,
        "higher",
        interval=(max(0.0, low), min(1.0, high)),
        ceiling=ceiling,
        meaning="Nearest over second-nearest distance to training rows, 5th percentile: near 0, some released rows "
        "point at one training row alone. The ceiling is the same for unseen real rows." + _NOT_A_GUARANTEE,
    )


def _baseline(to_train: Nearest, noise: Nearest, of_holdout: Nearest | None) -> Score:
    """min(1, median distance of released rows / median distance of random rows)."""
    random = float(np.median(noise.first))

    def protection(median: float) -> float:
        return min(1.0, max(0.0, median / random)) if random > 0 else math.nan

    beside = None if of_holdout is None else of_holdout.first.astype(np.float64)
    value, (low, high), ceiling = _quantile(to_train.first.astype(np.float64), beside, 0.5)
    return Score(
        "dcr_baseline_protection",
        protection(value),
        "higher",
        interval=(protection(low), protection(high)) if random > 0 else None,
        ceiling=None if ceiling is None or random == 0 else protection(ceiling),
        meaning="The median distance to the nearest training row, as a share of what rows made at random would have. "
        "The ceiling is the same for unseen real rows." + _NOT_A_GUARANTEE,
    )


def _random_side(tables: Tables, rows: int, seed: int) -> Side:
    """Rows drawn at random: numbers evenly over the real range, levels evenly, nulls as often as in the real table."""
    random = seeds.stream(seed, "baseline")
    real = tables.real
    numbers = np.empty((rows, len(tables.numeric)), order="F")
    for j in range(len(tables.numeric)):
        column = real.numbers[:, j]
        values = column[~np.isnan(column)]
        numbers[:, j] = random.uniform(values.min(), values.max(), rows) if len(values) else np.nan
        numbers[random.random(rows) < 1 - len(values) / len(column), j] = np.nan
    codes = np.zeros((rows, len(tables.discrete)), dtype=np.int64, order="F")
    for j in range(len(tables.discrete)):
        levels = real.codes[:, j]
        present = np.unique(levels[levels > 0])
        if len(present):
            codes[:, j] = random.choice(present, rows)
        codes[random.random(rows) < (levels == 0).mean(), j] = 0
    return Side(numbers, codes)


def _curves(train: NDArray[np.float32], holdout: NDArray[np.float32], least: int) -> dict[str, list[float]]:
    """Counts of nearest distances in shared bins, each of at least `least` rows on both sides, or merged."""
    top = float(max(np.quantile(train, 0.995), np.quantile(holdout, 0.995)))
    edges = np.linspace(0.0, top if top > 0 else 1.0, _BINS + 1)
    counts = [np.histogram(np.minimum(side, edges[-1]), edges)[0] for side in (train, holdout)]
    bins, kept, waiting = [], [0.0], [0, 0]
    for place in range(_BINS):
        waiting = [more + int(side[place]) for more, side in zip(waiting, counts, strict=True)]
        if min(waiting) >= least:
            bins.append(waiting)
            kept.append(float(edges[place + 1]))
            waiting = [0, 0]
    if bins:
        kept[-1] = float(edges[-1])
        bins[-1] = [count + more for count, more in zip(bins[-1], waiting, strict=True)]
    else:
        kept.append(float(edges[-1]))
        bins.append(waiting)
    return {"edges": kept, "train": [pair[0] for pair in bins], "holdout": [pair[1] for pair in bins]}
