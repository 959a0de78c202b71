"""One row of numbers made to meet its rules by a mixed-integer program: exact, and slow beside `masquerade.rules.sweep`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from masquerade.rules.sweep import System

__all__ = ["nearest_row"]

Floats = NDArray[np.float64]

_SECONDS = 10.0
_MARGIN = 1e-5
"""What a continuous column stays clear of an inequality, relative: more than the solver may miss it by."""


def nearest_row(system: System, values: Floats, fixed: NDArray[np.bool_]) -> Floats | None:
    """The row that meets all rules with the least sum of relative changes, or None where there is none.

    Counting in steps from the given row keeps the program's numbers small, so that it is solved exactly even for large
    amounts. HiGHS (Huangfu and Hall 2018) does the work.

    Args:
        system: the rules.
        values: shape (columns,), NaN where missing: such cells stay, and rules about them hold.
        fixed: which columns keep their values, shape (columns,).
    """
    from scipy.optimize import Bounds, LinearConstraint, milp  # loaded for the rare rows that need it

    free = [int(j) for j in np.flatnonzero(~fixed & ~np.isnan(values))]
    if not free:
        return None
    start = values.copy()
    for j in free:
        start[j] = system.grids[j].nearest(values[j : j + 1])[0]
    whole = np.array([system.grids[j].unit > 0 for j in free])
    size = np.maximum(np.abs(start[free]), 1.0)
    unit = np.where(whole, [system.grids[j].unit for j in free], size)
    place = {j: k for k, j in enumerate(free)}
    rows, lows, highs = [], [], []

    def constrain(terms: list[tuple[int, float]], low: float, high: float) -> None:
        """low <= Σ coefficient * column <= high, as a row about the changes."""
        row = np.zeros(len(free))
        for j, weight in terms:
            if j in place:
                row[place[j]] += weight * unit[place[j]]
            low, high = low - weight * start[j], high - weight * start[j]
        scale = np.abs(row).max()
        if scale > 0:
            rows.append(row / scale)
            lows.append(low / scale)
            highs.append(high / scale)

    there = ~np.isnan(values)
    for j in free:
        constrain([(j, 1.0)], float(system.low[j]), float(system.high[j]))
    for i, j, strict in system.inequalities:
        if there[i] and there[j]:
            steps = [system.grids[k].unit for k in (i, j)]
            gap = (
                (min(steps) if strict else 0.0) if min(steps) > 0 else _MARGIN * max(1.0, abs(start[i]), abs(start[j]))
            )
            constrain([(i, 1.0), (j, -1.0)], -np.inf, -gap)
    for places, sizes, constant, slack in system.sums:
        if there[places].all():
            constrain(list(zip(places, sizes, strict=True)), -constant - slack, -constant + slack)
    cost = unit / size
    matrix = np.array(rows)
    found = milp(
        np.concatenate([cost, cost]),
        integrality=np.concatenate([whole, whole]).astype(int),
        bounds=Bounds(0, np.inf),
        constraints=LinearConstraint(np.hstack([matrix, -matrix]), np.array(lows), np.array(highs)),
        options={"time_limit": _SECONDS},
    )
    if found.x is None:
        return None
    change = found.x[: len(free)] - found.x[len(free) :]
    moved = start.copy()
    for k, j in enumerate(free):
        raw = start[j : j + 1] + (np.rint(change[k]) if whole[k] else change[k]) * unit[k]
        moved[j] = np.clip(system.grids[j].nearest(raw), system.low[j], system.high[j])[0]
    return moved
