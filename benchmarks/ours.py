"""Worker: one run of Masquerade's CTGAN through its public API, and of its codec by itself."""

from __future__ import annotations

import argparse
import json
import os
import time
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path

import masquerade as mq
from masquerade import spelling
from masquerade.codec.table import TableCodec
from masquerade.progress import Progress
from peak_memory import peak_megabytes

EQUAL = {
    "loss": "wgan-gp",
    "pac": 10,
    "batch_size": 500,
    "embedding_dim": 128,
    "generator_dim": (256, 256),
    "discriminator_dim": (256, 256),
    "discriminator_steps": 1,
    "patience": None,
}
"""The peer's own settings: its nets, batch, packs, penalty (10) and critic's dropout (½) come with the loss."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("train", type=Path)
    parser.add_argument("--settings", choices=("equal", "default"), default="equal")
    parser.add_argument("--epochs", type=int, help="the default: the model's own, with early stopping")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--sample-rows", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--json", type=Path, required=True)
    options = parser.parse_args()

    table = mq.read_table(options.train)
    began = time.perf_counter()
    schema = mq.infer(table)
    typed = spelling.parse(table, schema)
    understand_seconds = time.perf_counter() - began
    encode_seconds = []
    for _ in range(2):
        began = time.perf_counter()
        TableCodec.fit_encode(typed, schema, seed=options.seed)
        encode_seconds.append(time.perf_counter() - began)
    del typed

    stages: dict[str, float] = {}

    def clock(progress: Progress) -> None:
        stages[progress.stage] = max(stages.get(progress.stage, 0.0), progress.seconds)

    settings = dict(EQUAL) if options.settings == "equal" else {}
    if options.epochs is not None:
        settings["epochs"] = options.epochs
    model = mq.CTGAN(**settings, random_state=options.seed, callbacks=[clock])
    began = time.perf_counter()
    model.fit(table)
    fit_seconds = time.perf_counter() - began
    fit_megabytes = peak_megabytes()
    mq.write_table(model.sample(table.height), options.out)
    began = time.perf_counter()
    model.sample(options.sample_rows)
    sample_seconds = time.perf_counter() - began

    marks = [entry["seconds"] for entry in model.history_]
    result = {
        "name": f"Masquerade {mq.__version__}",
        "versions": {name: version(name) for name in ("jax", "numpy", "polars", "scikit-learn")},
        "threads": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "epochs": round(model.history_[-1]["epoch"]),
        "understand_seconds": understand_seconds,
        "encode_seconds": min(encode_seconds),
        "compile_seconds": stages["compile"],
        "epoch_seconds": [marks[0] - stages["compile"]] + [later - earlier for earlier, later in pairwise(marks)],
        "fit_seconds": fit_seconds,
        "sample_rows_per_second": options.sample_rows / sample_seconds,
        "fit_megabytes": fit_megabytes,
        "peak_megabytes": peak_megabytes(),
    }
    options.json.write_text(json.dumps(result))


if __name__ == "__main__":
    main()
