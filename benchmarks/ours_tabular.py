"""Worker: one run of a synthesizer of Masquerade with its default settings, through the public API."""

from __future__ import annotations

import argparse
import json
import os
import time
from importlib.metadata import version
from pathlib import Path

import masquerade as mq
from masquerade.progress import Progress
from peak_memory import peak_megabytes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("train", type=Path)
    parser.add_argument("--model", required=True, help="a name of `masquerade.synthesizers()`")
    parser.add_argument("--max-minutes", type=float, help="of training")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--sample-rows", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--json", type=Path, required=True)
    options = parser.parse_args()

    stages: dict[str, float] = {}

    def clock(progress: Progress) -> None:
        stages[progress.stage] = max(stages.get(progress.stage, 0.0), progress.seconds)

    synthesizer = mq.synthesizers()[options.model]
    limit = {"max_minutes": options.max_minutes} if options.max_minutes is not None else {}
    if "max_minutes" not in synthesizer().get_params():
        limit = {}  # it has no training to end
    model = synthesizer(**limit, random_state=options.seed, callbacks=[clock])
    table = mq.read_table(options.train)
    began = time.perf_counter()
    model.fit(table)
    fit_seconds = time.perf_counter() - began
    fit_megabytes, fit_stages = peak_megabytes(), dict(stages)
    began = time.perf_counter()
    mq.write_table(model.sample(table.height), options.out)
    first_seconds = time.perf_counter() - began
    began = time.perf_counter()
    model.sample(options.sample_rows)
    sample_seconds = time.perf_counter() - began

    result = {
        "name": synthesizer.__name__,
        "versions": {name: version(name) for name in ("masquerade", "jax", "numpy", "polars")},
        "threads": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "epochs": model.history_[-1].get("epoch") if model.history_ else None,
        "stopped": bool(limit) and fit_seconds > 60 * options.max_minutes,
        "fit_seconds": fit_seconds,
        "compile_seconds": fit_stages.get("compile", 0.0),
        "stages": fit_stages,
        "first_sample_seconds": first_seconds,
        "sample_rows_per_second": options.sample_rows / sample_seconds,
        "fit_megabytes": fit_megabytes,
        "peak_megabytes": peak_megabytes(),
    }
    options.json.write_text(json.dumps(result))


if __name__ == "__main__":
    main()
