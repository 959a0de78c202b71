"""Rows whose numbers break rules, mended: sides swapped where that is enough, else moved together, else solved exactly."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from masquerade.rules.equations import Step, solve
from masquerade.rules.exact import nearest_row
from masquerade.rules.formula import as_floats
from masquerade.rules.grid import to_column
from masquerade.rules.rule import Rule
from masquerade.rules.sweep import System, fill

__all__ = ["breaks", "matrix", "mend_numbers", "put_back"]

Floats = NDArray[np.float64]

_HOPELESS = 50
"""So many rows without a solution, and the rest is not tried: they are refused anyway, or drawn anew."""


def mend_numbers(rows: pl.DataFrame, system: System, frozen: frozenset[str], steps: Sequence[Step]) -> pl.DataFrame:
    """Rows that break a system's rules, mended as far as the frozen columns allow.

    Args:
        rows: typed.
        system: the rules.
        frozen: columns that must not change.
        steps: the formulas' plan under the frozen columns.
    """
    wrong = breaks(rows, system.rules)
    if not wrong.any():
        return rows
    part, fixed = rows.filter(wrong), np.array([name in frozen for name in system.names])
    values = matrix(part, system.names)
    moved = _with(part, system.names, values, _swapped(part, system, values, fixed))
    left = breaks(moved, system.rules)
    if left.any():
        swept = fill(system, values[left], fixed, [step.output for step in steps])
        moved = put_back(moved, left, _with(part.filter(left), system.names, values[left], swept))
        failed = 0
        for row in np.flatnonzero(breaks(moved, system.rules)):
            found = nearest_row(system, values[row], fixed)
            if found is None:
                failed += 1
                if failed == _HOPELESS:
                    break
                continue
            exact = _with(part[int(row)], system.names, values[row : row + 1], found[None, :])
            for step in steps:
                grid = system.grids[system.names.index(step.output)] if step.formula in system.rules else None
                exact = exact if grid is None or grid.decimals is not None else solve(step, exact, grid)
            moved = put_back(moved, np.arange(part.height) == row, exact)
    return put_back(rows, wrong, moved)


def breaks(rows: pl.DataFrame, rules: Sequence[Rule]) -> NDArray[np.bool_]:
    """Which rows break one of the rules, shape (rows,)."""
    wrong = np.zeros(rows.height, dtype=np.bool_)
    for rule in rules:
        wrong |= ~rule.holds(rows).to_numpy()
    return wrong


def matrix(rows: pl.DataFrame, names: Sequence[str]) -> Floats:
    """Columns as numbers, shape (rows, columns), NaN where missing."""
    return np.stack([as_floats(rows.get_column(name)) for name in names], axis=1)


def put_back(rows: pl.DataFrame, mask: NDArray[np.bool_], part: pl.DataFrame) -> pl.DataFrame:
    """The rows with those of a mask replaced by the rows of `part`."""
    places = np.flatnonzero(mask)
    if not places.size:
        return rows
    return rows.with_columns(rows.get_column(name).scatter(places, part.get_column(name)) for name in rows.columns)


def _with(rows: pl.DataFrame, names: Sequence[str], before: Floats, after: Floats) -> pl.DataFrame:
    """The rows with the cells that changed; what did not change keeps its last bit."""
    changed = (before != after) & ~np.isnan(after)
    columns = [to_column(rows.get_column(name), after[:, j], changed[:, j]) for j, name in enumerate(names)]
    return rows.with_columns(columns)


def _swapped(rows: pl.DataFrame, system: System, values: Floats, fixed: NDArray[np.bool_]) -> Floats:
    """Numbers with the sides of broken inequalities swapped, as often as a chain may need it."""
    swapped = values.copy()
    of_sums = {j for places, *_ in system.sums for j in places}
    pairs = [
        (i, j)
        for i, j, _ in system.inequalities
        if not (fixed[i] or fixed[j] or i in of_sums or j in of_sums)
        and system.grids[i] == system.grids[j]
        and rows.schema[system.names[i]] == rows.schema[system.names[j]]
    ]
    for _ in pairs:
        for i, j in pairs:
            wrong = swapped[:, i] > swapped[:, j]
            swapped[wrong, i], swapped[wrong, j] = swapped[wrong, j], swapped[wrong, i]
    return swapped
