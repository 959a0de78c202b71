"""How the time and memory of fitting grow with rows and with columns, ours and the peers' at the smaller sizes.

Made tables (`tables.grown`): a third each of amounts, counts and levels. Every fit runs in a process of its own with default
settings; the exponent says how the seconds grow from the first size to the last: 1 is in proportion.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

import masquerade as mq
import processes
import tables
from environment import WORKERS, given_minutes, given_pythons, peer_python
from grid import Grid

ROWS = (10_000, 30_000, 100_000, 300_000)
COLUMNS = (15, 60, 240, 500)
FEW_COLUMNS, FEW_ROWS = 15, 2_000


def main() -> None:
    options = _options()
    console = processes.console()
    runs: list[dict[str, Any]] = []
    if options.json and options.json.exists():
        runs = json.loads(options.json.read_text())
    steps = [("rows", rows, FEW_COLUMNS) for rows in options.rows]
    steps += [("columns", FEW_ROWS, columns) for columns in options.columns]
    models = [("ours", name) for name in options.models] + [("peer", name) for name in options.peers]
    for axis, rows, columns in steps:
        for kind, model in models:
            key = {"axis": axis, "rows": rows, "columns": columns, "kind": kind, "model": model}
            there = options.resume and any(key.items() <= run.items() and "error" not in run for run in runs)
            if there or (kind == "peer" and rows * columns > options.peer_cells):
                continue
            found = key | measured(rows, columns, kind, model, options, console)
            runs = [run for run in runs if not key.items() <= run.items()] + [found]
            if options.json:
                options.json.write_text(json.dumps(runs, indent=1) + "\n")
    grids = [grown(axis, runs) for axis in ("rows", "columns")]
    for grid in grids:
        console.print(grid.rich())
    if options.markdown:
        options.markdown.write_text("\n".join(grid.markdown() for grid in grids))


def measured(
    rows: int, columns: int, kind: str, model: str, options: argparse.Namespace, console: Console
) -> dict[str, Any]:
    """One fit of a made table: what its worker says, or the error it ended with."""
    with tempfile.TemporaryDirectory(prefix="masquerade-bench-") as folder:
        train, released = Path(folder) / "train.csv", Path(folder) / "released.csv"
        mq.write_table(tables.grown(rows, columns).train, train)
        arguments = [str(train), "--out", str(released), "--sample-rows", str(rows)]
        minutes = options.peer_minutes.get(model) if kind == "peer" else options.our_minutes
        arguments += [] if minutes is None else ["--max-minutes", str(minutes)]
        if kind == "ours":
            python, script = Path(sys.executable), "ours_tabular.py"
            arguments += ["--model", model]
        else:
            python, script = options.peer_python.get(model) or peer_python(model), WORKERS[model]
        try:
            return processes.run(f"{rows:,} × {columns}, {model}", python, script, arguments, console)
        except processes.WorkerError as error:
            console.print(f"[bold]{error}[/bold]")
            return {"error": str(error)}


def grown(axis: str, runs: Sequence[dict[str, Any]]) -> Grid:
    """A line a model: seconds and memory at each size, and the exponent of growth over it."""
    mine = [run for run in runs if run["axis"] == axis]
    sizes = sorted({run[axis] for run in mine})
    other = f"{FEW_COLUMNS} columns" if axis == "rows" else f"{FEW_ROWS:,} rows"
    heads = [f"seconds to fit · peak MB, at so many {axis}", *(f"{size:,}" for size in sizes), "exponent"]
    grid = Grid(f"Growth with {axis} ({other})", heads)
    for kind, model in dict.fromkeys((run["kind"], run["model"]) for run in mine):
        found = {run[axis]: run for run in mine if (run["kind"], run["model"]) == (kind, model)}
        name = next((run["name"] for run in found.values() if "name" in run), model)
        grid.rows.append([name, *(_cell(found.get(size)) for size in sizes), exponent(axis, list(found.values()))])
    return grid


def exponent(axis: str, runs: Sequence[dict[str, Any]]) -> str:
    """How seconds grow from the smallest to the largest size: the slope between both on a logarithmic scale."""
    good = sorted((run for run in runs if "error" not in run and not run["stopped"]), key=lambda run: run[axis])
    if len(good) < 2:
        return ""
    first, last = good[0], good[-1]
    return f"{math.log(last['fit_seconds'] / first['fit_seconds']) / math.log(last[axis] / first[axis]):.2f}"


def _cell(run: dict[str, Any] | None) -> str:
    if run is None:
        return ""
    if "error" in run:
        return "failed"
    return f"{run['fit_seconds']:,.1f} · {run['fit_megabytes']:,.0f}" + " (stopped)" * run["stopped"]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    ours = ["autoregressive"] if "autoregressive" in mq.synthesizers() else list(mq.synthesizers())
    parser.add_argument("--models", nargs="*", default=ours, choices=list(mq.synthesizers()), help=f"default: {ours}")
    parser.add_argument("--peers", nargs="*", default=["mostlyai"], choices=list(WORKERS), help="default: mostlyai")
    parser.add_argument(
        "--peer-cells", type=int, default=500_000, help="peers fit up to so many cells (default 500,000)"
    )
    parser.add_argument(
        "--peer-minutes", nargs="+", default=[], metavar="[PEER=]MINUTES", help="end its training then, say so"
    )
    parser.add_argument("--our-minutes", type=float, help="likewise ours")
    parser.add_argument(
        "--peer-python", nargs="+", default=[], metavar="PEER=PYTHON", help="instead of one made on demand"
    )
    parser.add_argument("--rows", nargs="*", type=int, default=list(ROWS))
    parser.add_argument("--columns", nargs="*", type=int, default=list(COLUMNS))
    parser.add_argument("--json", type=Path, help="keep everything measured, after each fit")
    parser.add_argument("--resume", action="store_true", help="leave out what the --json file holds already")
    parser.add_argument("--markdown", type=Path, help="write the tables")
    options = parser.parse_args()
    try:
        options.peer_python = given_pythons(options.peer_python)
        options.peer_minutes = given_minutes(options.peer_minutes)
    except ValueError as error:
        parser.error(str(error))
    return options


if __name__ == "__main__":
    main()
