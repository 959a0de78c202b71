"""Formulas as a plan: which column follows from which others, and in what order, when some columns are given."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from masquerade.rules.formula import Formula, as_floats
from masquerade.rules.grid import Grid, to_column

__all__ = ["Step", "plan", "solve"]

_TRIES = 10_000


@dataclass(frozen=True)
class Step:
    """One formula, and the column that is computed from its others.

    Args:
        formula: the rule.
        output: its target, or one of its terms where the target is given.
    """

    formula: Formula
    output: str


def plan(
    formulas: Sequence[Formula], keep: Collection[str], grids: Mapping[str, Grid], busy: Collection[str] = ()
) -> tuple[Step, ...]:
    """The steps that meet every formula, inputs before outputs.

    A formula computes its target. Where that is given, or needed for another formula whose columns are given, it
    computes a term: rather one that no other rule is about, then the one with the finest steps, then the last. A
    formula all of whose columns are given has no step.

    Args:
        formulas: no two of the same target.
        keep: columns that must not change.
        grids: of every column of the formulas.
        busy: columns that other rules are about.

    >>> plan([Formula("t", "a + b")], {"t", "b"}, {name: Grid(0) for name in "abt"})[0].output
    'a'
    """
    targets = {rule.target for rule in formulas}

    def choices(rule: Formula) -> list[str]:
        def cost(place: int) -> tuple[bool, bool, float, int]:
            size, name = rule.terms[place]
            return name in targets, name in busy, abs(size) * grids[name].unit, -place

        terms = [rule.terms[place][1] for place in sorted(range(len(rule.terms)), key=cost)]
        return [name for name in (rule.target, *terms) if name not in keep]

    # Formulas whose target is given have the fewest choices and go first.
    ordered = sorted(formulas, key=lambda rule: rule.target not in keep)
    options = [choices(rule) for rule in ordered]
    chosen: list[Step] = []
    tries = 0

    def add(rule: Formula, output: str) -> bool:
        chosen.append(Step(rule, output))
        if all(step.output != output for step in chosen[:-1]) and _sorted(chosen) is not None:
            return True
        chosen.pop()
        return False

    def assign(place: int) -> bool:
        nonlocal tries
        if place == len(ordered):
            return True
        if not options[place]:
            return assign(place + 1)
        for output in options[place]:
            tries += 1
            if tries > _TRIES:
                return False
            if add(ordered[place], output):
                if assign(place + 1):
                    return True
                chosen.pop()
        return False

    if not assign(0):  # no way to have a step for every formula: leave out what cannot be had
        chosen.clear()
        for rule, outputs in zip(ordered, options, strict=True):
            any(add(rule, output) for output in outputs)
    return tuple(_sorted(chosen) or ())


def _sorted(steps: Sequence[Step]) -> list[Step] | None:
    """The steps with inputs before outputs; None where they go in a circle."""
    left, done = list(steps), []
    while left:
        outputs = {step.output for step in left}
        ready = [step for step in left if outputs.isdisjoint(set(step.formula.columns) - {step.output})]
        if not ready:
            return None
        done += ready
        left = [step for step in left if step not in ready]
    return done


def solve(step: Step, typed: pl.DataFrame, grid: Grid) -> pl.DataFrame:
    """The table with a step's output computed wherever none of the formula's columns is missing.

    Args:
        step: as from `plan`.
        typed: the table.
        grid: of the output.
    """
    rule = step.formula
    target = as_floats(typed.get_column(rule.target))
    there = np.isfinite(target)
    total, size = np.full(typed.height, rule.constant), 1.0
    for weight, name in rule.terms:
        values = as_floats(typed.get_column(name))
        there &= np.isfinite(values)
        if name == step.output:
            size = weight
        else:
            total = total + weight * values
    values = total if step.output == rule.target else (target - total) / size
    return typed.with_columns(to_column(typed.get_column(step.output), grid.nearest(values), there))
