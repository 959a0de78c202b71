"""A million rows and 20 columns or more, one of them a text with 300,000 levels: read, encode, train, sample a million rows to
Parquet. Prints seconds and peak memory of each phase, and of the mean epoch.

`scale.py` is CTGAN's aim (one epoch, 20 columns, under 4 GB), `scale.py --model autoregressive --columns 60` the default
model's (a whole fit in half an hour and 6 GB).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl

import masquerade as mq
from masquerade.files import TableWriter
from masquerade.progress import Progress
from peak_memory import peak_megabytes, reset_peak


def made(rows: int, levels: int, seed: int = 0) -> pl.DataFrame:
    """A long-tailed table of every kind: 6 decimals, 4 integers, 5 categories, a yes and no, 2 moments, a text, an id."""
    random = np.random.default_rng(seed)
    wealth = random.normal(size=rows)
    columns: dict[str, object] = {"record_id": [f"R{i:08d}" for i in range(rows)]}
    for i in range(3):
        columns[f"amount_{i}"] = np.round(np.exp(4 + i + wealth + random.normal(size=rows)), 2)
    for i in range(2):
        columns[f"score_{i}"] = np.round(wealth * (i + 1) + random.normal(size=rows), 4)
    columns["balance"] = np.where(random.random(rows) < 0.3, 0.0, np.round(1_000 * random.standard_t(3, size=rows), 2))
    columns["age"] = np.clip(random.normal(45 + 5 * wealth, 15), 18, 95).astype(np.int64)
    columns["visits"] = random.geometric(0.2, rows)
    columns["points"] = np.minimum(random.zipf(1.7, rows), 100_000)
    columns["year_of_birth"] = 2020 - np.asarray(columns["age"])
    for size in (2, 5, 12, 50, 400):
        places = np.minimum((size * random.random(rows) ** 2).astype(np.int64), size - 1)
        columns[f"category_{size}"] = np.array([f"level {i}" for i in range(size)])[places]
    columns["active"] = np.where(random.random(rows) < 0.5 + 0.1 * np.sign(wealth), "yes", "no")
    day = np.datetime64("2015-01-01") + random.integers(0, 3_000, rows).astype("timedelta64[D]")
    columns["opened"] = day
    columns["last_seen"] = day + random.integers(0, 365 * 86_400, rows).astype("timedelta64[s]").astype(
        "timedelta64[ms]"
    )
    places = (levels * random.random(rows) ** 4).astype(np.int64)
    places[random.permutation(rows)[: min(levels, rows)]] = np.arange(min(levels, rows))
    columns["merchant"] = pl.Series([f"Merchant {i * 7919 % 1_000_003:06d} Ltd" for i in range(levels)]).gather(places)
    return pl.DataFrame(columns)


def wide(rows: int, columns: int, levels: int) -> pl.DataFrame:
    """`made` with so many columns: others of its kinds, drawn with other seeds, stand beside the first twenty."""
    parts = [made(rows, levels)]
    while sum(part.width for part in parts) < columns:
        more = made(rows, 10, seed=len(parts)).drop("record_id", "merchant")
        parts.append(more.rename({name: f"{name}_{len(parts)}" for name in more.columns}))
    table = pl.concat(parts, how="horizontal")
    return table.select(table.columns[:columns])


class Phases:
    """Seconds and peak memory from one phase's beginning to the next one's."""

    def __init__(self) -> None:
        self.found: dict[str, dict[str, float]] = {}
        self._name: str | None = None
        self.apart = reset_peak()

    def enter(self, name: str | None) -> None:
        """End the running phase and begin another; entered again, a phase goes on."""
        if name == self._name:
            return
        now = time.perf_counter()
        if self._name is not None:
            phase = self.found.setdefault(self._name, {"seconds": 0.0, "peak_megabytes": 0.0})
            phase["seconds"] += now - self._began
            phase["peak_megabytes"] = max(phase["peak_megabytes"], peak_megabytes())
        self._name, self._began = name, now
        reset_peak()

    def hear(self, progress: Progress) -> None:
        """A callback: the model's stages are phases."""
        self.enter(progress.stage)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--levels", type=int, default=300_000)
    parser.add_argument("--columns", type=int, default=20)
    parser.add_argument("--model", choices=("ctgan", "autoregressive"), default="ctgan")
    parser.add_argument("--epochs", type=int, help="default: one for ctgan, its own for autoregressive")
    parser.add_argument("--format", choices=("csv", "parquet"), default="csv")
    parser.add_argument("--max-minutes", type=float, help="stop training before the epoch's end (memory is the same)")
    parser.add_argument("--make", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--json", type=Path, help="write what was measured")
    options = parser.parse_args()
    if options.make is not None:  # in a process of its own, so that making the table costs the others no memory
        mq.write_table(wide(options.rows, options.columns, options.levels), options.make)
        return
    with tempfile.TemporaryDirectory(prefix="masquerade-bench-") as folder:
        source, out = Path(folder) / f"made.{options.format}", Path(folder) / "synthetic.parquet"
        size = ["--rows", str(options.rows), "--levels", str(options.levels), "--columns", str(options.columns)]
        subprocess.run([sys.executable, __file__, *size, "--make", str(source)], check=True)
        phases = Phases()
        phases.enter("read")
        table = mq.read_table(source)
        settings = {"max_minutes": options.max_minutes, "random_state": 0, "callbacks": [phases.hear]}
        if options.model == "ctgan":
            settings["epochs"] = options.epochs or 1
        elif options.epochs is not None:
            settings["epochs"] = options.epochs
        model = mq.synthesizers()[options.model](**settings).fit(table)
        del table
        phases.enter("sample to Parquet")
        with TableWriter(out) as writer:
            for part in model.sample_chunks(options.rows):
                writer.write(part)
        phases.enter(None)
        written = pl.scan_parquet(out).select(pl.len()).collect().item()
    width = max(map(len, phases.found))
    for name, phase in phases.found.items():
        print(f"{name:{width}}  {phase['seconds']:7.1f} s  {phase['peak_megabytes']:7,.0f} MB")
    peak = max(phase["peak_megabytes"] for phase in phases.found.values())
    print(
        f"{written:,} rows written; peak {peak:,.0f} MB (aim: under {4_000 if options.model == 'ctgan' else 6_000:,})"
    )
    for entry in model.history_:
        print(f"epoch {entry['epoch']:.0f} done {entry['seconds']:,.0f} s after training began")
    if not phases.apart:
        print("This system cannot begin a peak anew: each phase's is the highest until then.")
    if options.json:
        options.json.write_text(
            json.dumps({"rows": written, "peak_megabytes": peak, "phases": phases.found}, indent=2) + "\n"
        )


if __name__ == "__main__":
    main()
