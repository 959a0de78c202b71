"""What the workers of the audit of rivals share: a rival is fitted again and again on two neighbouring tables, and looked at.

Runs in the rivals' environments, without Masquerade: only NumPy and pandas are needed. Neighbours differ by one row, the
canary. How many rows there are is looked at nowhere, though some rivals write it down exactly.
"""

from __future__ import annotations

import argparse
import json
import math
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

LEVELS = {"job": ["clerk", "nurse", "smith"], "member": ["no", "yes"], "grade": ["a", "b", "c", "d"]}
NUMBER, LOW, HIGH = "age", 0, 99
CLOSE = 5
DRAWN = 1_000
LEAST = 30
"""With fewer runs of each side even what never overlaps would hardly contradict ε = 1."""

SCENARIOS = {
    "declared": "domain given, rare row",
    "inferred": "as the quick start shows",
    "odd": "domain given, odd row",
    "choice": "domain given, two columns nearly empty",
}
"""`declared`: levels and bounds are given, the canary combines common values that are rarely together. `inferred`: they are
not, and the canary has a level and a number of its own. `odd`: they are given, and the canary alone has a certain declared
level and an empty cell. `choice`: another table, whose rare levels only the canary has together."""


@dataclass(frozen=True)
class Carried:
    """What a fitted model carries besides its noisy counts or weights."""

    levels: set[str] = field(default_factory=set)
    greatest: float = 0.0
    gaps: float = 0.0


Fit = Callable[[pd.DataFrame], tuple[pd.DataFrame, Carried]]
Numbers = dict[str, float]


def read(path: Path, scenario: str) -> pd.DataFrame:
    """A table; the number's dtype does not depend on whether a cell is empty."""
    table = pd.read_csv(path, dtype=dict.fromkeys(LEVELS, str))
    return table.astype({NUMBER: float}) if scenario == "odd" else table


def odd_level(canary: pd.Series, without: pd.DataFrame) -> str:
    """The canary's level that no other row has; empty where there is none."""
    alone = [str(canary[name]) for name in LEVELS if not (without[name] == canary[name]).any()]
    return alone[0] if alone else ""


def agreement(drawn: pd.DataFrame, canary: pd.Series) -> dict[str, float]:
    """How far drawn rows agree with the canary: columns, pairs of columns, and all columns, means over the rows."""
    agree = [drawn[name].astype(str) == str(canary[name]) for name in LEVELS]
    agree.append((pd.to_numeric(drawn[NUMBER], errors="coerce") - float(canary[NUMBER])).abs() <= CLOSE)
    count = np.column_stack(agree).sum(axis=1).astype(float)
    return {
        "columns that agree": float(count.mean()),
        "pairs that agree": float((count * (count - 1) / 2).mean()),
        "rows that agree": float((count == len(agree)).mean()),
    }


def traces(drawn: pd.DataFrame, level: str) -> dict[str, float]:
    """What an odd record leaves in drawn rows: its level, an extreme number, numbers of another kind, empty cells."""
    share = float(np.column_stack([drawn[name].astype(str) == level for name in LEVELS]).any(axis=1).mean())
    numbers = pd.to_numeric(drawn[NUMBER], errors="coerce").astype(float)
    greatest = float(numbers.abs().max()) if numbers.notna().any() else 0.0
    return {
        "level is drawn": float(share > 0),
        "rows with the level": share,
        "greatest number, log": math.log1p(greatest),
        "different numbers, log": math.log1p(numbers.nunique()),
        "empty cells are drawn": float(numbers.isna().any()),
        "empty cells": float(numbers.isna().mean()),
    }


def carried(model: Carried, level: str) -> dict[str, float]:
    """What the model itself tells of an odd record."""
    return {
        "model knows the level": float(level in model.levels),
        "model's greatest number, log": math.log1p(abs(model.greatest)),
        "model knows gaps": model.gaps,
    }


def parser(description: str | None, models: list[str]) -> argparse.ArgumentParser:
    """The options that every worker takes."""
    options = argparse.ArgumentParser(description=description)
    options.add_argument("without", type=Path, help="CSV of the rows")
    options.add_argument("canary", type=Path, help="CSV of one row more")
    options.add_argument("scores", type=Path, help="JSON that is written")
    options.add_argument("--model", choices=models, default=models[0])
    options.add_argument("--scenario", choices=list(SCENARIOS), default="declared")
    options.add_argument("--trials", type=int, default=100, help="fits of each side at most")
    options.add_argument(
        "--seconds", type=float, default=180, help="after so many no fit is begun, but for the first 30 pairs"
    )
    options.add_argument("--epsilon", type=float, default=1.0)
    options.add_argument("--delta", type=float, default=1e-6)
    return options


def audit(options: argparse.Namespace, fit: Fit, name: str) -> None:
    """Audit a rival on the table that all get.

    Args:
        options: of `parser`.
        fit: learns a table, and returns drawn rows and what the model carries.
        name: of the rival, with its version.
    """
    without, row = read(options.without, options.scenario), read(options.canary, options.scenario)
    canary = row.iloc[0]
    level = odd_level(canary, without)

    def outcome(table: pd.DataFrame) -> tuple[Numbers, Numbers]:
        drawn, model = fit(table)
        if options.scenario == "declared":
            return agreement(drawn, canary), {}
        return traces(drawn, level), carried(model, level)

    repeat(options, without, row, outcome, name)


def repeat(
    options: argparse.Namespace,
    without: pd.DataFrame,
    canary: pd.DataFrame,
    outcome: Callable[[pd.DataFrame], tuple[Numbers, Numbers]],
    name: str,
) -> None:
    """Fit by turns without and with the canary, and write what each outcome looked like.

    Args:
        options: of `parser`.
        without: rows.
        canary: one row more.
        outcome: learns a table, and returns numbers of the drawn rows, and of the model itself.
        name: of the rival, with its version.
    """
    warnings.simplefilter("ignore")
    inside = pd.concat([without, canary], ignore_index=True)
    found: dict[str, list[list[float]]] = {"without": [], "inside": []}
    names: dict[str, list[str]] = {}
    began = time.monotonic()
    while len(found["inside"]) < options.trials:
        if len(found["inside"]) >= LEAST and time.monotonic() - began > options.seconds:
            break
        for side, table in (("without", without), ("inside", inside)):
            rows, more = outcome(table.copy())
            names = {"rows": list(rows), "model": list(more)}
            found[side].append([*rows.values(), *more.values()])
    name = f"{name}, {SCENARIOS[options.scenario]}"
    options.scores.write_text(json.dumps({**found, "names": names, "name": name}))
