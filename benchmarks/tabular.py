"""`make bench-tabular`: Masquerade's synthesizers beside `mostlyai-engine` and `ctgan`, table by table.

Every fit runs in a process of its own, peers and ours in turns, with default settings. Released rows are judged twice: by
`masquerade.evaluate` and by the benchmark's own judge. With `--json` each result is put into that file as soon as it is
there, in the place of an earlier one, and `--resume` goes on where a run was interrupted.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from rich.console import Console

import masquerade as mq
import processes
import tables
import tabular_report
from environment import WORKERS, given_minutes, given_pythons, peer_python

GROUPS = {"published": tables.PUBLISHED, "numeric": tables.NUMERIC, "small": tables.SMALL, "all": tables.NAMES}


def main() -> None:
    options = _options()
    console = processes.console()
    results: dict[str, Any] = {"machine": processes.machine(), "tables": {}, "cells": []}
    if options.json and options.json.exists():
        results = json.loads(options.json.read_text())
    if not options.only_report:
        began = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="masquerade-bench-") as folder:
            Bench(Path(folder), options, results, console).measure()
        console.print(f"{(time.monotonic() - began) / 60:.1f} minutes.")
    grids = [tabular_report.summary(results), tabular_report.aims(results)]
    for grid in grids:
        console.print(grid.rich())
    grids += [tabular_report.details(results, name) for name in results["tables"]]
    if options.markdown:
        options.markdown.write_text("\n".join(grid.markdown() for grid in grids))


class Bench:
    """Runs every cell that is wanted and not there yet: a table, a model, a round."""

    def __init__(self, folder: Path, options: argparse.Namespace, results: dict[str, Any], console: Console) -> None:
        self.folder, self.options, self.results, self.console = folder, options, results, console
        self.train, self.released, self.holdout = (folder / f"{side}.csv" for side in ("train", "released", "holdout"))

    def measure(self) -> None:
        models = [("peer", name) for name in self.options.peers] + [("ours", name) for name in self.options.models]
        for name in self.options.tables:
            rounds = self.options.small_rounds if name in tables.SMALL else self.options.rounds
            for number in range(rounds):
                wanted = [cell for cell in (("ceiling", "ceiling"), *models) if not self._there(name, *cell, number)]
                if wanted:
                    self._prepare(name, number)
                for kind, model in wanted:
                    self._keep(self._cell(name, kind, model, number))

    def _there(self, table: str, kind: str, model: str, number: int) -> bool:
        if not self.options.resume:
            return False
        wanted = {"table": table, "kind": kind, "model": model, "round": number, "rows": self.options.rows}
        return any(wanted.items() <= cell.items() and "error" not in cell for cell in self.results["cells"])

    def _prepare(self, name: str, number: int) -> None:
        """Write the table's two sides; the round decides which rows are held out, where the publisher has not."""
        table = tables.load(name, seed=number)
        train, holdout, rows = table.train, table.holdout, self.options.rows
        if rows is not None:
            train, holdout = (side.sample(min(rows, side.height), seed=number) for side in (train, holdout))
        mq.write_table(train, self.train)
        mq.write_table(holdout, self.holdout)
        shape = {"train": train.height, "holdout": holdout.height, "columns": train.width}
        self.results["tables"][name] = shape | {"target": table.target, "task": table.task}
        self.results["tables"][name]["part"] = rows is not None

    def _cell(self, table: str, kind: str, model: str, number: int) -> dict[str, Any]:
        cell = {"table": table, "kind": kind, "model": model, "round": number, "rows": self.options.rows}
        said = f"{table}, {'our ' * (kind == 'ours')}{model}" + f", round {number + 1}" * (number > 0)
        try:
            run = {} if kind == "ceiling" else self._run(said, kind, model, number)
            target = self.results["tables"][table]["target"]
            arguments = [str(self.train), str(self.released), str(self.holdout), "--target", target]
            arguments += ["--seed", str(number), "--ceiling" if kind == "ceiling" else "--every-score"]
            scores = processes.run(f"judging {said}", Path(sys.executable), "judges.py", arguments, self.console)
        except processes.WorkerError as error:
            self.console.print(f"[bold]{error}[/bold]")
            return cell | {"error": str(error)}
        return cell | {"run": run, "scores": scores}

    def _run(self, said: str, kind: str, model: str, number: int) -> dict[str, Any]:
        arguments = [str(self.train), "--seed", str(number), "--out", str(self.released)]
        arguments += ["--sample-rows", str(self.options.sample_rows)]
        minutes = self.options.peer_minutes.get(model) if kind == "peer" else self.options.our_minutes
        if minutes is not None:
            arguments += ["--max-minutes", str(minutes)]
        if kind == "peer":
            python = self.options.peer_python.get(model) or peer_python(model)
            return processes.run(said, python, WORKERS[model], arguments, self.console)
        arguments += ["--model", model]
        return processes.run(said, Path(sys.executable), "ours_tabular.py", arguments, self.console)

    def _keep(self, cell: dict[str, Any]) -> None:
        """Put a cell in the place of an earlier one, and write all that is known."""
        names = ("table", "kind", "model", "round")
        key = {name: cell[name] for name in names}
        self.results["cells"] = [other for other in self.results["cells"] if not key.items() <= other.items()] + [cell]
        if self.options.json:
            with mq.files.atomic_path(self.options.json) as path:
                path.write_text(json.dumps(self.results))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench-tabular", description=__doc__)
    parser.add_argument("--tables", nargs="+", default=["all"], help=f"names or groups ({', '.join(GROUPS)})")
    parser.add_argument("--models", nargs="*", default=list(mq.synthesizers()), help="ours; default: all")
    parser.add_argument("--peers", nargs="*", default=list(WORKERS), choices=list(WORKERS), help="default: both")
    parser.add_argument(
        "--peer-minutes", nargs="+", default=[], metavar="[PEER=]MINUTES", help="end its training then, say so"
    )
    parser.add_argument("--our-minutes", type=float, help="likewise ours")
    parser.add_argument(
        "--peer-python", nargs="+", default=[], metavar="PEER=PYTHON", help="instead of one made on demand"
    )
    parser.add_argument("--rounds", type=int, default=1, help="how often each large table is fitted (default 1)")
    parser.add_argument("--small-rounds", type=int, default=3, help="and each small one (default 3)")
    parser.add_argument("--rows", type=int, help="only so many random rows of each side, to try it out")
    parser.add_argument("--sample-rows", type=int, default=100_000, help="rows of the timed second sampling")
    parser.add_argument("--json", type=Path, help="keep everything measured, after each fit")
    parser.add_argument("--resume", action="store_true", help="leave out what the --json file holds already")
    parser.add_argument("--only-report", action="store_true", help="measure nothing, show what the --json file holds")
    parser.add_argument("--markdown", type=Path, help="write the tables")
    options = parser.parse_args()
    if (options.resume or options.only_report) and not options.json:
        parser.error("--resume and --only-report need --json")
    options.tables = [name for given in options.tables for name in GROUPS.get(given, (given,))]
    for what, given, known in (("table", options.tables, tables.NAMES), ("model", options.models, mq.synthesizers())):
        for name in given:
            if name not in known:
                parser.error(f"there is no {what} {name!r}, expected one of {', '.join(known)}")
    try:
        options.peer_python = given_pythons(options.peer_python)
        options.peer_minutes = given_minutes(options.peer_minutes)
    except ValueError as error:
        parser.error(str(error))
    return options


if __name__ == "__main__":
    main()
