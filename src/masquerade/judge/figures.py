"""Figures on their way to becoming scores: a value with the rows' influences on it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from masquerade.judge.scores import Score
from masquerade.metrics.intervals import from_influences

__all__ = ["Figure", "Outcome", "mean_figure", "scored"]


@dataclass(frozen=True)
class Figure:
    """A value and how much each row pulls it.

    Args:
        value: NaN where it cannot be computed.
        influences: one array per independent side; empty for an exact figure.
    """

    value: float
    influences: tuple[NDArray[np.float64], ...] = ()


@dataclass(frozen=True)
class Outcome:
    """What one judge found.

    Args:
        scores: by their standard names.
        columns: figures per column.
        pairs: figures per pair, first column → second column.
        facts: what pictures are drawn from.
        attacks: outcomes of attacks, by the attack's name.
    """

    scores: Mapping[str, Score] = field(default_factory=dict)
    columns: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    pairs: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    attacks: Mapping[str, Any] = field(default_factory=dict)


def mean_figure(figures: list[Figure]) -> Figure:
    """The mean of figures about the same rows; those that could not be computed are left out."""
    known = [figure for figure in figures if math.isfinite(figure.value)]
    if not known:
        return Figure(math.nan)
    sides = min(len(figure.influences) for figure in known)
    summed = tuple(np.sum([figure.influences[side] for figure in known], axis=0) for side in range(sides))
    return Figure(float(np.mean([figure.value for figure in known])), tuple(side / len(known) for side in summed))


def scored(
    name: str,
    figure: Figure,
    better: Literal["higher", "lower", "half"],
    meaning: str,
    *,
    ceiling: float | None = None,
    low: float = 0.0,
    high: float = 1.0,
) -> Score:
    """A score from a figure, with the interval that its influences give."""
    interval = from_influences(figure.value, *figure.influences, low=low, high=high) if figure.influences else None
    known = None if ceiling is None or not math.isfinite(ceiling) else ceiling
    return Score(name, figure.value, better, interval=interval, ceiling=known, meaning=meaning)
