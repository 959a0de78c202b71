"""What the cells of the tabular benchmark say: means over rounds, and which of two models scores significantly better."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import fmean, stdev
from typing import Any, Literal

import numpy as np

__all__ = ["MAIN", "Cell", "Comparison", "Side", "compare", "interval", "mean", "sides"]

Cell = Mapping[str, Any]
Comparison = Literal["better", "worse", "level"]
MAIN = {
    "column_shapes": "higher",
    "univariate_accuracy": "higher",
    "bivariate_accuracy": "higher",
    "detection_auc": "half",
    "tstr_boosting": "higher",
    "dcr_share": "half",
    "exact_copies": "lower",
}
"""The scores of the benchmark's own judge, and which way is better; of "half", what lies above ½ is bad."""

SURE = 1.96
"""Standard errors of a difference that are called significant."""
SMALLEST = 5e-4
"""A smaller difference is none, however sure."""
FEWEST_ROUNDS = 3
"""From so many rounds on, the spread between them is looked at too."""


class Side:
    """One model on one table: its cells, one a round."""

    def __init__(self, cells: Sequence[Cell]) -> None:
        self.cells = {cell["round"]: cell for cell in cells if "error" not in cell}
        self.errors = [cell["error"] for cell in cells if "error" in cell]
        self.kind: str = cells[0]["kind"]
        self.model: str = cells[0]["model"]

    def __bool__(self) -> bool:
        return bool(self.cells)

    @property
    def name(self) -> str:
        """As it is shown."""
        if self.kind == "ceiling" or not self:
            return self.model
        return str(next(iter(self.cells.values()))["run"]["name"])

    def run(self, figure: str) -> float:
        """The mean of a figure of the runs; NaN where there is none."""
        return mean([cell["run"].get(figure) for cell in self.cells.values()])

    @property
    def stopped(self) -> bool:
        """Whether a limit of time ended a training."""
        return any(cell["run"].get("stopped") for cell in self.cells.values())

    def score(self, judge: str, name: str) -> float:
        """The mean of a score over rounds; NaN where there is none."""
        return mean([_value(cell, judge, name) for cell in self.cells.values()])

    def error(self, judge: str, name: str) -> float:
        """The standard error of that mean: of judging, or between rounds, whichever is greater."""
        parts = [_error(cell, judge, name) for cell in self.cells.values()]
        return _pooled(parts, [_value(cell, judge, name) for cell in self.cells.values()])


def sides(cells: Sequence[Cell], table: str) -> dict[tuple[str, str], Side]:
    """The models of one table by (kind, model), peers first, the ceiling apart under ("ceiling", "ceiling")."""
    groups: dict[tuple[str, str], list[Cell]] = {}
    for cell in cells:
        if cell["table"] == table:
            groups.setdefault((cell["kind"], cell["model"]), []).append(cell)
    order = {"ceiling": 0, "peer": 1, "ours": 2}
    return {key: Side(groups[key]) for key in sorted(groups, key=lambda key: (order[key[0]], key[1]))}


def mean(values: Sequence[float | None]) -> float:
    """The mean of the values that are there; NaN without any."""
    found = [value for value in values if value is not None and math.isfinite(value)]
    return fmean(found) if found else math.nan


def interval(side: Side, judge: str, name: str) -> tuple[float, float]:
    """The mean of a score, less and plus 1.96 standard errors."""
    value, error = side.score(judge, name), side.error(judge, name)
    return value - SURE * error, value + SURE * error


def compare(ours: Side, theirs: Side, judge: str, name: str) -> Comparison:
    """Whether one model scores significantly better than another on the same table.

    With the benchmark's own judge the replicates of one round are subtracted one by one, since both were judged on the same
    samples of held-out rows; with `evaluate`, intervals are taken as independent, which says "level" too often.
    """
    gains, errors = [], []
    for number in ours.cells.keys() & theirs.cells.keys():
        pair = ours.cells[number], theirs.cells[number]
        values = [_value(cell, judge, name) for cell in pair]
        if values[0] is None or values[1] is None:
            continue
        better = _better(pair[0], judge, name)
        goods = [_goodness(value, better) for value in values if value is not None]
        gains.append(goods[0] - goods[1])
        if judge == "independent":
            around = [np.asarray(cell["scores"][judge]["replicates"][name]) for cell in pair]
            errors.append(float(np.std(around[0] - around[1], ddof=1)))
        else:
            parts = [_error(cell, judge, name) for cell in pair]
            errors.append(math.hypot(*(0.0 if part is None else part for part in parts)))
    if not gains or abs(fmean(gains)) < max(SMALLEST, SURE * _pooled(errors, gains)):
        return "level"
    return "better" if fmean(gains) > 0 else "worse"


def _pooled(errors: Sequence[float | None], values: Sequence[float | None]) -> float:
    found = [error for error in errors if error is not None]
    seen = [value for value in values if value is not None]
    within = math.sqrt(fmean(error**2 for error in found) / len(found)) if found else 0.0
    between = stdev(seen) / math.sqrt(len(seen)) if len(seen) >= FEWEST_ROUNDS else 0.0
    return max(within, between)


def _value(cell: Cell, judge: str, name: str) -> float | None:
    found = cell["scores"].get(judge, {}).get(name)
    value = found["value"] if isinstance(found, Mapping) else found
    return None if value is None or not math.isfinite(value) else float(value)


def _error(cell: Cell, judge: str, name: str) -> float | None:
    if judge == "independent":
        around = cell["scores"][judge].get("replicates", {}).get(name)
        return None if around is None else float(np.std(around, ddof=1))
    ends = cell["scores"].get(judge, {}).get(name, {}).get("interval")
    return None if ends is None or None in ends else (ends[1] - ends[0]) / (2 * SURE)


def _better(cell: Cell, judge: str, name: str) -> str:
    return MAIN[name] if judge == "independent" else str(cell["scores"][judge][name]["better"])


def _goodness(value: float, better: str) -> float:
    if better == "half":
        return -max(value, 0.5)
    return value if better == "higher" else -value
