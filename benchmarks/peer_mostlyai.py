"""Worker: one run of TabularARGN as `mostlyai-engine` ships it, in an environment of its own. It knows nothing of Masquerade.

Default settings throughout (the medium model). An empty cell and `?` are missing, which the package models by itself.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

import pandas as pd
import torch
from mostlyai import engine

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
    with tempfile.TemporaryDirectory(prefix="masquerade-bench-") as folder:
        space = {"workspace_dir": Path(folder)}
        engine.set_random_state(options.seed)
        began = time.perf_counter()
        engine.split(tgt_data=table, model_type="TABULAR", **space)
        engine.analyze(**space)
        engine.encode(**space)
        began_training = time.perf_counter()
        engine.train(max_training_time=options.max_minutes, device="cpu", **space)
        fit_seconds, train_seconds = (time.perf_counter() - start for start in (began, began_training))
        fit_megabytes = peak_megabytes()

        def sample(rows: int) -> pd.DataFrame:
            engine.generate(sample_size=rows, device="cpu", **space)
            return pd.read_parquet(Path(folder) / "SyntheticData")

        began = time.perf_counter()
        sample(len(table)).to_csv(options.out, index=False)
        first_seconds = time.perf_counter() - began
        began = time.perf_counter()
        sample(options.sample_rows)
        sample_seconds = time.perf_counter() - began
        progress = pd.read_csv(Path(folder) / "ModelStore" / "model-data" / "progress-messages.csv")

    result = {
        "name": f"mostlyai-engine {version('mostlyai-engine')}",
        "versions": {name: version(name) for name in ("mostlyai-engine", "torch", "numpy", "pandas")},
        "threads": torch.get_num_threads(),
        "epochs": float(progress["epoch"].max()),
        "stopped": train_seconds >= 60 * options.max_minutes,
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
