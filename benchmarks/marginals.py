"""Private synthesizers on the same codes: `mq.Marginals` beside MST, AIM and PrivBayes as `dpmm` ships them.

All learn from the same four fifths of the rows, as integers with a public domain (numbers in at most 32 bins), under the same ε
and δ, each run in a process of its own. What they release, as many rows as they learned from, goes before the benchmark's own
judge: total variation of all tables of one, two and three columns against the rows learned from, and the AUC of gradient
boosting trained on released rows, on the fifth held out. `masquerade.metrics` must find the same variation.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
import tempfile
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

import codes_judge
import masquerade as mq
import processes
from environment import given_pythons, peer_python
from grid import Grid
from masquerade.metrics.codes import subset_accuracies
from tables import SHARED

TABLES = {
    "adult": ("adult/adult.csv.gz", "income", ("split",)),
    "bank": ("bank_marketing/bank-additional-full.csv.gz", "y", ()),
}
"""File, target, columns left out."""

BINS = 32
HEAVY = 0.05
"""A value with this share of the rows is a bin of its own."""

PEERS = ("MST", "AIM", "PrivBayes")


def main() -> None:
    options = _options()
    console = processes.console()
    results: dict[str, Any] = {"machine": processes.machine(), "data": options.data, "runs": []}
    if options.json and options.json.exists():
        results = json.loads(options.json.read_text())
    with tempfile.TemporaryDirectory(prefix="masquerade-bench-") as folder:
        codes = Path(folder) / "codes.npz"
        given = coded(options.data)
        np.savez(codes, **given)
        measure(options, results, given, codes, console)
    for grid in (report(results),):
        console.print(grid.rich())
        if options.markdown:
            options.markdown.write_text(grid.markdown())


def coded(data: str) -> dict[str, NDArray[Any]]:
    """The table as codes: names, sizes, which columns have an order, rows to learn from and to hold out, the target's place."""
    path, target, left_out = TABLES[data]
    table = mq.read_table(SHARED / path).drop(left_out)
    columns, sizes, ordered = [], [], []
    for name in table.columns:
        numbers = table[name].cast(float, strict=False)
        is_number = numbers.null_count() == 0
        codes = _binned(numbers.to_numpy()) if is_number else np.unique(table[name].to_numpy(), return_inverse=True)[1]
        columns.append(codes.astype(np.int32))
        sizes.append(int(codes.max()) + 1)
        ordered.append(is_number)
    rows = np.column_stack(columns)[np.random.default_rng(0).permutation(table.height)]
    cut = table.height * 4 // 5
    return {
        "names": np.array(table.columns),
        "sizes": np.array(sizes),
        "ordered": np.array(ordered),
        "train": rows[:cut],
        "holdout": rows[cut:],
        "target": np.array(table.columns.index(target)),
    }


def _binned(values: NDArray[np.float64]) -> NDArray[np.intp]:
    """Quantile bins, heavy values each in one of its own; a number of few values keeps them."""
    distinct, counts = np.unique(values, return_counts=True)
    if distinct.size <= BINS:
        return np.searchsorted(distinct, values)
    heavy = distinct[counts > HEAVY * values.size]
    inner = np.quantile(values, np.linspace(0, 1, BINS + 1)[1:-1])
    edges = np.unique(np.concatenate([inner, heavy, np.nextafter(heavy, np.inf)]))
    return np.unique(np.searchsorted(edges, values, side="right"), return_inverse=True)[1]


def measure(
    options: argparse.Namespace, results: dict[str, Any], given: dict[str, Any], codes: Path, console: Console
) -> None:
    """Every run that is wanted and not there yet."""
    python = options.peer_python.get("dpmm") or (peer_python("dpmm") if options.peers else None)
    for epsilon in options.epsilons:
        wanted = [("ours", i) for i in range(options.rounds)] + [(peer, 0) for peer in options.peers]
        for model, number in wanted:
            key = {"model": model, "epsilon": epsilon, "round": number}
            if any(key.items() <= run.items() for run in results["runs"]):
                continue
            out = codes.with_name("released.npy")
            arguments = [str(codes), "--epsilon", str(epsilon), "--delta", str(options.delta), "--out", str(out)]
            said = f"{model} at ε = {epsilon:g}"
            if model == "ours":
                run = processes.run(said, Path(sys.executable), "ours_marginals.py", arguments, console)
            else:
                limit = options.aim_limit_seconds if model == "AIM" else options.limit_seconds
                arguments += ["--model", model, "--limit-seconds", str(limit)]
                run = processes.run(said, python, "peer_dpmm.py", arguments, console)
            scores = judged(given, np.load(out)) if run["finished"] else {}
            results["runs"].append({**run, **key, "guaranteed": run["epsilon"], "scores": scores})
            if options.json:
                options.json.write_text(json.dumps(results, indent=1))
    if "real" not in results:
        results["real"] = codes_judge.boosting_auc(given["train"], given["holdout"], int(given["target"]))


def judged(given: dict[str, Any], released: NDArray[np.int32]) -> dict[str, float]:
    """The scores of released codes; both judges must agree."""
    sizes = given["sizes"].tolist()
    scores = {}
    for width in (1, 2, 3):
        scores[f"tvd_{width}"] = codes_judge.mean_variation(given["train"], released, sizes, width)
        subsets = itertools.combinations(range(len(sizes)), width)
        ours = 1 - float(subset_accuracies(given["train"], released, sizes, subsets).mean())
        if abs(ours - scores[f"tvd_{width}"]) > 1e-9:
            raise SystemExit(f"error: the judges disagree on {width} columns: {ours} and {scores[f'tvd_{width}']}.")
    return scores | {"tstr_boosting": codes_judge.boosting_auc(released, given["holdout"], int(given["target"]))}


def report(results: dict[str, Any]) -> Grid:
    """One line for each model and ε: means over its runs, and in brackets how many times MST's variation it is."""
    heads = ["ε", "", "TVD 1-way", "2-way", "3-way", "tstr_boosting", "seconds", "of ours"]
    grid = Grid(f"{results['data']}: private synthesizers on the same codes (real rows: {results['real']:.3f})", heads)
    runs = results["runs"]
    for epsilon in dict.fromkeys(run["epsilon"] for run in runs):
        here = [run for run in runs if run["epsilon"] == epsilon]
        reference = next((run["scores"] for run in here if run["model"] == "MST" and run["finished"]), None)
        our_seconds = [run["seconds"] for run in here if run["model"] == "ours"]
        for model in dict.fromkeys(run["model"] for run in here):
            mine = [run for run in here if run["model"] == model]
            name = "mq.Marginals" if model == "ours" else f"dpmm {model}"
            seconds = mean(run["seconds"] for run in mine)
            ratio = f"{seconds / mean(our_seconds):.1f} ×" if our_seconds and model != "ours" else ""
            if not all(run["finished"] for run in mine):
                grid.rows.append([f"{epsilon:g}", name, *["not finished"] * 4, f"> {seconds:,.0f}", f"> {ratio}"])
                continue
            cells = []
            for score in ("tvd_1", "tvd_2", "tvd_3"):
                value = mean(run["scores"][score] for run in mine)
                told = f" ({value / reference[score]:.2f})" if reference and model != "MST" else ""
                cells.append(f"{value:.4f}{told}")
            cells.append(f"{mean(run['scores']['tstr_boosting'] for run in mine):.3f}")
            grid.rows.append([f"{epsilon:g}", name, *cells, f"{seconds:,.1f}", ratio])
    return grid


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", choices=TABLES, default="adult")
    parser.add_argument("--epsilons", type=float, nargs="+", default=[0.1, 1.0, 3.0, 10.0])
    parser.add_argument("--delta", type=float, default=1e-9)
    parser.add_argument("--peers", nargs="*", choices=PEERS, default=list(PEERS))
    parser.add_argument("--rounds", type=int, default=3, help="of ours, whose noise differs each time; default: 3")
    parser.add_argument("--aim-limit-seconds", type=int, default=420)
    parser.add_argument("--limit-seconds", type=int, default=3600, help="of the other peers")
    parser.add_argument(
        "--peer-python", action="append", default=[], metavar="dpmm=PYTHON", help="an environment that is there"
    )
    parser.add_argument("--json", type=Path, help="results; runs that it holds are not repeated")
    parser.add_argument("--markdown", type=Path, help="where the table goes")
    options = parser.parse_args()
    try:
        options.peer_python = given_pythons(options.peer_python)
    except ValueError as error:
        parser.error(f"--peer-python: {error}")
    return options


if __name__ == "__main__":
    main()
