"""Nets trained under a guarantee (DP-SGD) on Adult, at several ε, beside the same net without one.

The training rows are cut at random: nine tenths train, a tenth judges. What `masquerade inspect` finds in them (levels and
bounds) is declared, that is taken for public. Scores are those of `mq.evaluate`, as many rows drawn as were learned, with the
ceiling (what real rows score). Seconds are of the whole fit, noised counts, accounting and compiling included. The noise
comes from the operating system, so no two runs are alike: `--rounds` shows how far they differ.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import statistics
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import masquerade as mq
import processes
import tables
from grid import Grid

MODELS: dict[str, Callable[[mq.Privacy | None], Any]] = {
    "autoregressive": lambda privacy: mq.Autoregressive(privacy=privacy),
    "ctgan": lambda privacy: mq.CTGAN(privacy=privacy),
}
SCORES = (
    "column_shapes",
    "column_pair_trends",
    "bivariate_accuracy",
    "trivariate_accuracy",
    "detection_auc",
    "tstr_boosting",
)
DELTA = 1e-6


def main() -> None:
    options = _options()
    console = processes.console()
    table = tables.load("adult")
    rows = table.train.sample(fraction=1.0, shuffle=True, seed=0)
    holdout, train = rows[: rows.height // 10], rows[rows.height // 10 :]
    schema = dataclasses.replace(mq.infer(train), declared=True)
    runs: list[dict[str, Any]] = []
    for name in options.models:
        for epsilon in (*options.epsilon, *([None] if options.plain else [])):
            for turn in range(options.rounds if epsilon is not None else 1):
                run = {"model": name, "epsilon": epsilon, "turn": turn}
                run |= measured(MODELS[name], epsilon, train, holdout, schema, table.target)
                runs.append(run)
                console.print(f"[dim]{json.dumps(run)}[/dim]")
                if options.json:
                    options.json.write_text(json.dumps(runs, indent=1) + "\n")
    grid = shown(runs)
    console.print(grid.rich())
    if options.markdown:
        options.markdown.write_text(grid.markdown())


def measured(
    make: Callable[[mq.Privacy | None], Any],
    epsilon: float | None,
    train: Any,
    holdout: Any,
    schema: mq.Schema,
    target: str,
) -> dict[str, Any]:
    """One fit: its seconds, what its ledger claims, and its scores."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = make(None if epsilon is None else mq.Privacy(epsilon, DELTA))
        began = time.perf_counter()
        model.fit(train, schema=None if epsilon is None else schema)
        seconds = time.perf_counter() - began
        report = mq.evaluate(train, model.sample(train.height), holdout=holdout, target=target, attacks="none")
    found = {score: report.scores[score].value for score in SCORES if score in report.scores}
    ceilings = {score: report.scores[score].ceiling for score in found}
    return {"seconds": seconds, "claimed": model.ledger_.epsilon, "ceilings": ceilings} | found


def shown(runs: Sequence[dict[str, Any]]) -> Grid:
    """A line for each model and ε: means over the rounds."""
    grid = Grid(f"Adult, δ = {DELTA:g}", ("model, ε", "rounds", "seconds", *SCORES))
    for name, epsilon in dict.fromkeys((run["model"], run["epsilon"]) for run in runs):
        same = [run for run in runs if (run["model"], run["epsilon"]) == (name, epsilon)]
        figures = [statistics.mean(run.get(score, float("nan")) for run in same) for score in SCORES]
        seconds = statistics.mean(run["seconds"] for run in same)
        label = f"{name}, {'no guarantee' if epsilon is None else f'{epsilon:g}'}"
        grid.rows.append((label, str(len(same)), f"{seconds:.0f}", *(f"{figure:.3f}" for figure in figures)))
    ceilings = [runs[0]["ceilings"].get(score) for score in SCORES]
    grid.rows.append(("ceiling", "", "", *("" if value is None else f"{value:.3f}" for value in ceilings)))
    return grid


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", choices=sorted(MODELS), default=sorted(MODELS))
    parser.add_argument("--epsilon", nargs="+", type=float, default=[0.3, 1.0, 3.0, 10.0])
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--plain", action="store_true", help="the same without a guarantee too")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--markdown", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
