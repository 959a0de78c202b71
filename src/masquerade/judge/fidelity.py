"""Fidelity: how much the released rows look like the real ones, each figure beside what a fresh real sample reaches."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from masquerade.judge.binned import accuracy_figures
from masquerade.judge.columns import column_figures
from masquerade.judge.detection import DETECTION_ROWS, detection_figure
from masquerade.judge.evaluator import evaluator_figures
from masquerade.judge.figures import Figure, Outcome, mean_figure, scored
from masquerade.judge.pairs import PAIR_LIMIT, associations, correlation_distance, pair_figures, pair_plan
from masquerade.judge.tables import Side, Tables, sample_side

__all__ = ["FAIR_ROWS", "fidelity"]

FAIR_ROWS = 100
"""A holdout of fewer rows, and fewer than were released, says too little to be a ceiling: then there is none."""

_MEANINGS: dict[str, tuple[Literal["higher", "lower", "half"], str]] = {
    "column_shapes": (
        "higher",
        "How alike the columns are one by one: 1 less the largest gap of cumulative curves, or half the gaps of bars.",
    ),
    "column_pair_trends": (
        "higher",
        "How well relations between two columns are kept: correlations of numbers, joint tables of all else.",
    ),
    "quality": ("higher", "The mean of column shapes and column pair trends."),
    "univariate_accuracy": ("higher", "The share of rows that fall into the same bins, one column at a time."),
    "bivariate_accuracy": ("higher", "The share of rows that fall into the same cells, two columns at a time."),
    "trivariate_accuracy": (
        "higher",
        "The share of rows that fall into the same cells, three columns at a time (at most 10,000 random triples).",
    ),
    "missing_value_similarity": ("higher", "How alike the shares of missing values are."),
    "range_coverage": ("higher", "How much of each number's real range, protected extremes left out, is reached."),
    "category_coverage": ("higher", "The share of the real levels, protected rare ones left out, that are present."),
    "boundary_adherence": ("higher", "The share of released numbers that lie inside the real range."),
    "category_adherence": ("higher", "The share of released levels that exist in the real table."),
    "detection_auc": (
        "half",
        "How well a model tells released rows from real ones it has not seen: ½ is a coin, 1 is always "
        f"(at most {DETECTION_ROWS:,} rows of each).",
    ),
    "correlation_distance": ("lower", "The mean gap between the two association matrices."),
    "pca_similarity": ("higher", "How alike the spread along the first five principal components is."),
    "mean_log_difference": ("lower", "The mean gap between the logarithms of the columns' means."),
    "std_log_difference": ("lower", "The mean gap between the logarithms of the columns' standard deviations."),
    "similarity_score": (
        "higher",
        "One summary: the mean agreement of basic statistics, associations, quantiles and principal components.",
    ),
}


@dataclass(frozen=True)
class _Found:
    """What one table looks like beside the real one."""

    figures: Mapping[str, Figure]
    columns: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    pairs: Mapping[str, Mapping[str, float]] = field(default_factory=dict)


def fidelity(tables: Tables, protect: Mapping[str, int], seed: int, tick: Callable[[str], None]) -> Outcome:
    """All fidelity scores of the released rows.

    Where there is a holdout, it and the released rows are judged at the smaller of their two sizes.

    Args:
        tables: the coded tables.
        protect: per column, how many rows must share what is to be covered.
        seed: chooses samples, pairs and triples.
        tick: told the name of each part when it is done.
    """
    released, holdout = tables.released, tables.holdout
    if holdout is not None and len(holdout) < min(FAIR_ROWS, len(released)):
        holdout = None
    if holdout is not None:
        rows = min(len(released), len(holdout))
        released, holdout = sample_side(released, rows, seed, "released"), sample_side(holdout, rows, seed, "holdout")
    found = _compare(tables, released, protect, seed, tick)
    ceiling = _Found({}) if holdout is None else _compare(tables, holdout, protect, seed, tick)
    figures, ceilings = dict(found.figures), dict(ceiling.figures)
    if holdout is not None:
        figures["detection_auc"] = detection_figure(tables, holdout, released, seed)
        tick("detection")
        ceilings["detection_auc"] = detection_figure(tables, holdout, tables.real, seed)
        tick("detection ceiling")
    scores = {}
    for name, (better, meaning) in _MEANINGS.items():
        figure = figures.get(name)
        if figure is None or not math.isfinite(figure.value):
            continue
        reached = ceilings.get(name)
        high = math.inf if name.endswith("_difference") else 1.0
        scores[name] = scored(
            name,
            figure,
            better,
            meaning + _remark(name, tables),
            ceiling=None if reached is None else reached.value,
            high=high,
        )
    return Outcome(scores=scores, columns=found.columns, pairs=found.pairs)


def _compare(tables: Tables, other: Side, protect: Mapping[str, int], seed: int, tick: Callable[[str], None]) -> _Found:
    """Every figure of `other` beside the real rows."""
    real = tables.real
    figures, columns = column_figures(tables, real, other, protect)
    tick("columns")
    plan = pair_plan(tables, seed)
    figures["column_pair_trends"], pairs = pair_figures(tables, real, other, plan)
    known = [figures[name] for name in ("column_shapes", "column_pair_trends") if name in figures]
    figures["quality"] = mean_figure(known)
    matrices = associations(tables, real, plan), associations(tables, other, plan)
    figures["correlation_distance"] = Figure(correlation_distance(*matrices))
    tick("pairs")
    figures |= accuracy_figures(tables, real, other, seed)
    tick("triples")
    figures |= {name: Figure(value) for name, value in evaluator_figures(tables, real, other, matrices).items()}
    tick("components")
    return _Found(figures, columns, pairs)


def _remark(name: str, tables: Tables) -> str:
    """What must be said where not everything could be looked at."""
    columns = len(tables.names)
    pairs = columns * (columns - 1) // 2
    if name in ("column_pair_trends", "bivariate_accuracy", "correlation_distance") and pairs > PAIR_LIMIT:
        return f" Judged on {PAIR_LIMIT:,} random pairs of {pairs:,}."
    return ""
