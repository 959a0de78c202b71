"""Worker: one run of TabularARGN as `mostlyai-engine` ships it, in an environment of its own. It knows nothing of Masquerade.

Default settings throughout (the medium model). An empty cell and `?` are missing, which the package models by itself.
"""

from __future__ import annotations

import argparse
import json
import time
from importlib.metadata import version
from pathlib import Path

import pandas as pd
import torch
from mostlyai.engine import TabularARGN

from peak_memory import peak_megabytes

FOREVER = 14_400.0
"""The package's own limit of training, in minutes."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("train", type=Path)
    parser.add_argument("--max-minutes", type=float, default=FOREVER, help="of training")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--sample-rows", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--json", type=Path, required=True)
    options = parser.parse_args()

    table = pd.read_csv(options.train, keep_default_na=False, na_values=["", "?"])
    with TabularARGN(max_training_time=options.max_minutes, device="cpu", random_state=options.seed) as model:
        began = time.perf_counter()
        model.fit(table)
        fit_seconds = time.perf_counter() - began
        fit_megabytes = peak_megabytes()
        began = time.perf_counter()
        model.sample(len(table)).to_csv(options.out, index=False)
        first_seconds = time.perf_counter() - began
        began = time.perf_counter()
        model.sample(options.sample_rows)
        sample_seconds = time.perf_counter() - began
        progress = pd.read_csv(Path(model.workspace_path_) / "ModelStore" / "model-data" / "progress-messages.csv")

    result = {
        "name": f"mostlyai-engine {version('mostlyai-engine')}",
        "versions": {name: version(name) for name in ("mostlyai-engine", "torch", "numpy", "pandas")},
        "threads": torch.get_num_threads(),
        "epochs": float(progress["epoch"].max()),
        "stopped": fit_seconds > 60 * options.max_minutes,
        "fit_seconds": fit_seconds,
        "compile_seconds": 0.0,
        "first_sample_seconds": first_seconds,
        "sample_rows_per_second": options.sample_rows / sample_seconds,
        "fit_megabytes": fit_megabytes,
        "peak_megabytes": peak_megabytes(),
    }
    options.json.write_text(json.dumps(result))


if __name__ == "__main__":
    main()
