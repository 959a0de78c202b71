"""Masking: what it costs in use and what it gives away on Adult, and how fast a million rows pass through the rules.

tstr                ROC AUC of income on Adult's own test split, trained on the masked training split (20 % of its cells drawn
                    anew, at random), beside the unmasked one: mean of three learners, and gradient boosting alone
equality            share of drawn cells that equal the original, less that of a model of the test split alone, which never saw
                    a row; and the same for the model that did see the row, which cross-fitting avoids
a million rows      `masquerade mask` in a process of its own: surrogates of names and codes, redacted phones, noise on amounts,
                    coarser ages, dates and postcodes; twice, with the same key, and once more on a part of the rows
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl

import processes
import tables
from grid import Grid
from masquerade import inference, spelling
from masquerade.judge.tables import tabulate
from masquerade.judge.utility import utility
from masquerade.release.mask import Masker
from masquerade.studies.masking import equality

RATE = 0.2
RULES = """
[columns.customer]
how = "replace"
kind = "name"
[columns.account]
how = "replace"
kind = "id"
[columns.phone]
how = "redact"
keep_first = 3
keep_last = 4
[columns.balance]
how = "noise"
scale = 50
[columns.opened]
how = "generalize"
to = "month"
[columns.age]
how = "generalize"
width = 10
[columns.postcode]
how = "generalize"
prefix = 2
"""


def main() -> None:
    options = _options()
    console = processes.console()
    for grid in [adult(options.engines, options.seed)] * bool(options.engines) + [rows(options.rows, options.seed)]:
        console.print(grid.rich())
        if options.markdown:
            with options.markdown.open("a") as file:
                file.write(grid.markdown() + "\n")


def adult(engines: list[str], seed: int) -> Grid:
    """A line an engine."""
    heads = ["engine", "fit, s", "transform, s", "tstr (unmasked)", "boosting (unmasked)"]
    heads += ["equal cells", "less a model of the test split", "the same had the model seen the row"]
    grid = Grid(f"Adult, {RATE:.0%} of all cells drawn anew", heads)
    table = tables.load("adult")
    schema = inference.infer(table.train)
    for engine in engines:
        began = time.perf_counter()
        masker = Masker(rate=RATE, engine=engine, random_state=seed).fit(table.train, schema=schema)
        fitted = time.perf_counter()
        masked = masker.transform(table.train)
        done = time.perf_counter()
        sides = [spelling.parse(side, schema, strict=False) for side in (table.train, masked, table.holdout)]
        scores = utility(tabulate(schema, *sides), table.target, seed, lambda part: None).scores
        found = equality(masker, table.train, holdout=table.holdout, seed=seed)
        assert found.difference is not None
        assert found.difference_interval is not None
        assert found.unseen is not None
        low, high = found.difference_interval
        grid.rows.append(
            [
                engine,
                f"{fitted - began:.0f}",
                f"{done - fitted:.1f}",
                *(f"{scores[f'tstr{x}'].value:.4f} ({scores[f'trtr{x}'].value:.4f})" for x in ("", "_boosting")),
                f"{found.ours:.4f}",
                f"{found.difference:+.4f} ({low:+.4f} to {high:+.4f})",
                f"{found.seen - found.unseen:+.4f}",
            ]
        )
    return grid


def rows(count: int, seed: int) -> Grid:
    """Made customers through every rule, on the command line."""
    random = np.random.default_rng(seed)
    first, last = (np.array([f"{word}{i}" for i in range(size)]) for word, size in (("First", 500), ("Last", 2_000)))
    frame = pl.DataFrame(
        {
            "customer": np.char.add(np.char.add(random.choice(first, count), " "), random.choice(last, count)),
            "account": [f"AC-{i:08d}" for i in random.permutation(count)],
            "phone": [f"138{n:08d}" for n in random.integers(0, 10**8, count)],
            "age": random.integers(18, 90, count),
            "balance": random.lognormal(7, 1, count).round(2),
            "opened": pl.Series(random.integers(10_000, 19_000, count)).cast(pl.Int32).cast(pl.Date),
            "postcode": random.integers(10_000, 99_999, count),
            "y": random.choice(["yes", "no"], count),
        }
    )
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        frame.write_csv(folder / "all.csv")
        frame.sample(min(count, 100_000), seed=seed).write_csv(folder / "part.csv")
        (folder / "mask.toml").write_text(RULES)
        (folder / "key").write_text("a key of the benchmark, known to all\n")
        found = [_mask(folder, source, out) for source, out in (("all", "one"), ("all", "two"), ("part", "three"))]
        seconds, peaks = zip(*found, strict=True)
        named = ["customer", "account"]
        one, two = (pl.read_csv(folder / f"{out}.csv", infer_schema=False) for out in ("one", "two"))
        three = pl.read_csv(folder / "three.csv", infer_schema=False)
        part = pl.read_csv(folder / "part.csv", infer_schema=False)
        known = pl.concat([frame.select(named), one.select(pl.col(named).name.suffix("_new"))], how="horizontal")
        both = part.select(named).join(known, on=named, maintain_order="left")
        same = one.select(named).equals(two.select(named)) and all(
            both[f"{name}_new"].equals(three[name], check_names=False) for name in named
        )
        distinct = one["account"].n_unique() == count
    heads = [
        "rows",
        "seconds, twice",
        "a part, s",
        "peak memory, MB",
        "same surrogates in both runs and files",
        "all codes differ",
    ]
    grid = Grid("Rules on the command line: replace, redact, noise, generalize", heads)
    grid.rows.append(
        [
            f"{count:,}",
            f"{seconds[0]:.1f}, {seconds[1]:.1f}",
            f"{seconds[2]:.1f}",
            f"{max(peaks):.0f}",
            str(same),
            str(distinct),
        ]
    )
    return grid


def _mask(folder: Path, source: str, out: str) -> tuple[float, float]:
    """Seconds, and the most memory that the program held, in MB."""
    began = time.perf_counter()
    program = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); from masquerade.cli import run; "
        "from peak_memory import peak_megabytes; assert run(sys.argv[1:]) == 0; print(peak_megabytes())"
    )
    words = ["mask", f"{source}.csv", "-o", f"{out}.csv", "--rules", "mask.toml", "--key-file", "key", "--quiet"]
    done = subprocess.run(
        [sys.executable, "-c", program, *words], cwd=folder, check=True, stdout=subprocess.PIPE, text=True
    )
    return time.perf_counter() - began, float(done.stdout)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engines", nargs="*", default=["autoregressive", "gan"], help="none: only the million rows")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--markdown", type=Path, help="append the tables")
    return parser.parse_args()


if __name__ == "__main__":
    main()
