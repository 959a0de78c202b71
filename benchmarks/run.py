"""`make bench`: Masquerade beside the `ctgan` package, one table.

The two take turns (peer, ours, peer, ours) in processes of their own, so that a busy machine troubles both alike: read the
ratios, not the seconds. Released rows are judged by `masquerade.evaluate` and by a judge of the benchmark's own.
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

import processes
from environment import peer_python
from table import markdown, reached, rich_table, rows

ADULT = Path(__file__).resolve().parents[2] / "shared" / "data" / "adult" / "adult.csv.gz"
ADULT_ROWS = 32_561
LADDER = (10, 20, 40, 80, 160)


def main() -> None:
    options = _options()
    console = processes.console()
    python = options.peer_python or peer_python("ctgan")
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="masquerade-bench-") as folder:
        bench = Bench(Path(folder), python, options.sample_rows, console)
        results = bench.measure(options)
    results["seconds"] = time.monotonic() - began
    found = rows(results)
    names = results["peer"][0]["name"], results["ours"][0]["name"]
    title = f"{results['data']['name']}, {results['data']['train']:,} rows, {results['machine']['cores']} cores"
    console.print(rich_table(found, title, *names))
    console.print(
        f"{results['seconds'] / 60:.1f} minutes. The peer's 300-epoch figures are given unless --full measures them."
    )
    if options.json:
        options.json.write_text(json.dumps(results, indent=2) + "\n")
    if options.markdown:
        options.markdown.write_text(markdown(found, *names))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument(
        "--data", type=Path, help="Adult as one CSV with a column `split`; default: Bank Marketing, bundled"
    )
    parser.add_argument("--peer-python", type=Path, help="a Python with ctgan, instead of one made on demand")
    parser.add_argument("--peer-epochs", type=int, help="epochs of both at equal settings (default 10)")
    parser.add_argument("--rounds", type=int, help="how often the two take turns (default 2)")
    parser.add_argument("--sample-rows", type=int, default=100_000, help="rows of the timed second sampling")
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--quick", action="store_true", help="two minutes: 3 epochs, one round, no runs to the end")
    length.add_argument("--full", action="store_true", help="the peer's 300 epochs too: three quarters of an hour more")
    parser.add_argument("--json", type=Path, help="write everything measured")
    parser.add_argument("--markdown", type=Path, help="write the table")
    options = parser.parse_args()
    options.peer_epochs = options.peer_epochs or (3 if options.quick else 10)
    options.rounds = options.rounds or (1 if options.quick else 2)
    if options.data is None and ADULT.exists():
        options.data = ADULT
    return options


class Bench:
    """Runs the workers, one after another, each in a process of its own."""

    def __init__(self, folder: Path, python: Path, sample_rows: int, console: Console):
        self.folder, self.python, self.sample_rows, self.console = folder, python, sample_rows, console
        self.train, self.holdout = folder / "train.csv", folder / "holdout.csv"
        self.count = 0

    def measure(self, options: argparse.Namespace) -> dict[str, Any]:
        data = prepare(options.data, self.train, self.holdout)
        epochs = options.peer_epochs
        results: dict[str, Any] = {
            "data": data,
            "machine": processes.machine(),
            "epochs": epochs,
            "peer": [],
            "ours": [],
        }
        for turn in range(options.rounds):
            results["peer"].append(self.peer(epochs, turn))
            results["ours"].append(self.ours("equal", epochs, turn))
        for side in ("peer", "ours"):
            name = "our_scores" if side == "ours" else "peer_scores"
            results[name] = self.judged(results[side][-1], data["target"])
        if not options.quick:
            results["ladder"] = self.ladder(data["target"]) if data["name"] == "adult" else []
            results["end"] = self.ours("default", None, 0)
            results["end_scores"] = self.judged(results["end"], data["target"])
        if options.full:
            results["peer_full"] = self.peer(300, 0)
            results["peer_full_scores"] = self.judged(results["peer_full"], data["target"])
        return results

    def ladder(self, target: str) -> list[dict[str, Any]]:
        """Whole fits with more and more epochs, until one reaches the given scores."""
        steps = []
        for epochs in LADDER:
            step = self.ours("default", epochs, 0)
            steps.append(step | {"scores": self.judged(step, target, only_independent=True)["independent"]})
            if reached(steps[-1]["scores"]):
                break
        return steps

    def peer(self, epochs: int, seed: int) -> dict[str, Any]:
        return self._fit(f"ctgan, {epochs} epochs", self.python, "peer_ctgan.py", epochs, seed)

    def ours(self, settings: str, epochs: int | None, seed: int) -> dict[str, Any]:
        said = f"Masquerade, {settings} settings, {'to the end' if epochs is None else f'{epochs} epochs'}"
        return self._fit(said, Path(sys.executable), "ours.py", epochs, seed, "--settings", settings)

    def _fit(self, said: str, python: Path, script: str, epochs: int | None, seed: int, *more: str) -> dict[str, Any]:
        self.count += 1
        out = self.folder / f"released-{self.count}.csv"
        arguments = [
            str(self.train),
            "--seed",
            str(seed),
            "--sample-rows",
            str(self.sample_rows),
            "--out",
            str(out),
            *more,
        ]
        if epochs is not None:
            arguments += ["--epochs", str(epochs)]
        return self._run(said, python, script, arguments) | {"released": str(out)}

    def judged(self, run: dict[str, Any], target: str, *, only_independent: bool = False) -> dict[str, Any]:
        arguments = [str(self.train), run["released"], str(self.holdout), "--target", target]
        arguments += ["--only-independent"] if only_independent else []
        return self._run(f"judging {run['name']}", Path(sys.executable), "judges.py", arguments)

    def _run(self, said: str, python: Path, script: str, arguments: list[str]) -> dict[str, Any]:
        return processes.run(said, python, script, arguments, self.console)


def prepare(path: Path | None, train: Path, holdout: Path) -> dict[str, Any]:
    """Write the training and the held-out rows; say what they are."""
    import polars as pl  # heavy, and first needed when the peer's environment stands

    import masquerade as mq
    from masquerade.datasets import bank_path
    from masquerade.holdout import hold_out

    if path is None:
        name, target = "bank", "y"
        kept, out = hold_out(mq.read_table(bank_path()), 0.2, seed=0)
    else:
        name, target = "adult", "income"
        table = mq.read_table(path)
        kept, out = (table.filter(pl.col("split") == side).drop("split") for side in ("train", "test"))
        name = name if kept.height == ADULT_ROWS else "part of adult"  # what is given was measured on all of it
    mq.write_table(kept, train)
    mq.write_table(out, holdout)
    return {"name": name, "target": target, "train": kept.height, "holdout": out.height, "columns": kept.width}


if __name__ == "__main__":
    main()
