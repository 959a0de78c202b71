"""Numbers moved as little as need be to meet inequalities, ranges and formulas, all rows at once.

Each cell has an interval; every rule tightens the intervals of its columns until nothing changes (interval propagation,
Davis 1987, "Constraint propagation with interval labels"). Then column after column takes the value of its interval that
is nearest to what it held, and the intervals are tightened again. For inequalities and ranges this always ends at a
solution when there is one; with several formulas it nearly always does, and `masquerade.rules.exact` does the rest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from masquerade.rules.formula import Formula
from masquerade.rules.grid import Grid
from masquerade.rules.inequality import Inequality
from masquerade.rules.interval import Range
from masquerade.rules.rule import Rule

__all__ = ["System", "fill", "intervals", "systems"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class System:
    """Numeric columns that hang together by rules.

    Args:
        names: the columns.
        rules: inequalities, ranges and formulas about them.
        grids: one per column.
        low: the least value of each column by the ranges, shape (columns,).
        high: the greatest.
    """

    names: tuple[str, ...]
    rules: tuple[Rule, ...]
    grids: tuple[Grid, ...]
    low: Floats
    high: Floats

    @property
    def inequalities(self) -> list[tuple[int, int, bool]]:
        """(low column, high column, strict), columns by place."""
        found = [rule for rule in self.rules if isinstance(rule, Inequality)]
        return [(self.names.index(rule.low), self.names.index(rule.high), rule.strict) for rule in found]

    @property
    def sums(self) -> list[tuple[list[int], Floats, float, float]]:
        """Formulas as columns by place, coefficients, constant and slack: abs(Σ coefficient * column + constant) <= slack."""
        found = []
        for rule in self.rules:
            if isinstance(rule, Formula):
                places = [self.names.index(name) for name in rule.columns]
                decimals = self.grids[places[0]].decimals
                slack = 0.0 if decimals is None else 0.5 * 10.0**-decimals
                found.append((places, np.array([-1.0, *(size for size, _ in rule.terms)]), rule.constant, slack))
        return found


def systems(rules: Sequence[Rule], grids: Mapping[str, Grid]) -> tuple[System, ...]:
    """The numeric rules by the groups of columns that hang together."""
    numeric = [rule for rule in rules if isinstance(rule, Inequality | Range | Formula)]
    groups: list[set[str]] = []
    for rule in numeric:
        touched = [group for group in groups if not group.isdisjoint(rule.columns)]
        groups = [group for group in groups if group not in touched] + [set(rule.columns).union(*touched)]
    found = []
    for group in groups:
        mine = tuple(rule for rule in numeric if rule.columns[0] in group)
        names = tuple(dict.fromkeys(name for rule in mine for name in rule.columns))
        low, high = np.full(len(names), -np.inf), np.full(len(names), np.inf)
        for rule in mine:
            if isinstance(rule, Range):
                place, (least, most) = names.index(rule.column), rule.bounds
                low[place], high[place] = max(low[place], least), min(high[place], most)
        found.append(System(names, mine, tuple(grids[name] for name in names), low, high))
    return tuple(found)


def intervals(system: System, values: Floats, fixed: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """The interval of every cell, tightened; a lower end above the upper one says that there is no solution.

    Args:
        system: the rules.
        values: shape (rows, columns), NaN where missing.
        fixed: which columns keep their values, shape (columns,).
    """
    low, high = np.empty(values.shape), np.empty(values.shape)
    for j, grid in enumerate(system.grids):
        free = np.isnan(values[:, j]) | (not fixed[j])
        low[:, j] = np.where(free, grid.up(system.low[j : j + 1]), values[:, j])
        high[:, j] = np.where(free, grid.down(system.high[j : j + 1]), values[:, j])
    _tighten(system, low, high, ~np.isnan(values), fixed)
    return low, high


def fill(system: System, values: Floats, fixed: NDArray[np.bool_], last: Sequence[str]) -> Floats:
    """Values moved into their intervals, column after column; shape (rows, columns).

    Args:
        system: the rules.
        values: shape (rows, columns), NaN where missing.
        fixed: which columns keep their values.
        last: columns that are moved after the others, in this order: they follow from them.
    """
    low, high = intervals(system, values, fixed)
    there, moved, held = ~np.isnan(values), values.copy(), fixed.copy()
    late = [system.names.index(name) for name in last if name in system.names]
    for j in [*(j for j in range(len(system.names)) if j not in late), *late]:
        if held[j]:
            continue
        nearest = system.grids[j].nearest(values[:, j])
        moved[:, j] = np.where(there[:, j], np.clip(nearest, low[:, j], np.maximum(low[:, j], high[:, j])), np.nan)
        held[j] = True
        low[:, j] = np.where(there[:, j], moved[:, j], low[:, j])
        high[:, j] = np.where(there[:, j], moved[:, j], high[:, j])
        _tighten(system, low, high, there, held)
    return moved


def _tighten(system: System, low: Floats, high: Floats, there: NDArray[np.bool_], held: NDArray[np.bool_]) -> None:
    """Tighten the intervals of columns that are not held, in place, until nothing changes."""
    inequalities, sums, grids = system.inequalities, system.sums, system.grids
    for _ in range(4 * len(system.names) + 4):
        before = low.copy(), high.copy()
        for i, j, strict in inequalities:
            both = there[:, i] & there[:, j]
            if not held[j]:
                _raise(low, j, grids[j].up(low[:, i], strict=strict), both)
            if not held[i]:
                _lower(high, i, grids[i].down(high[:, j], strict=strict), both)
        for places, sizes, constant, slack in sums:
            every = there[:, places].all(axis=1)
            least = np.where(sizes > 0, low[:, places], high[:, places]) * sizes
            most = np.where(sizes > 0, high[:, places], low[:, places]) * sizes
            for place, j in enumerate(places):
                if held[j]:
                    continue
                others = [other for other in range(len(places)) if other != place]
                ends = [
                    -slack - constant - most[:, others].sum(axis=1),
                    slack - constant - least[:, others].sum(axis=1),
                ]
                first, second = ends if sizes[place] > 0 else ends[::-1]
                _raise(low, j, grids[j].up(first / sizes[place]), every)
                _lower(high, j, grids[j].down(second / sizes[place]), every)
        if np.array_equal(before[0], low) and np.array_equal(before[1], high):
            return


def _raise(low: Floats, j: int, bound: Floats, rows: NDArray[np.bool_] | np.bool_) -> None:
    low[:, j] = np.where(rows, np.fmax(low[:, j], bound), low[:, j])


def _lower(high: Floats, j: int, bound: Floats, rows: NDArray[np.bool_] | np.bool_) -> None:
    high[:, j] = np.where(rows, np.fmin(high[:, j], bound), high[:, j])
