"""Worker: one run of the `ctgan` package, in an environment of its own. It knows nothing of Masquerade.

Everything is as the package ships it; only its progress bar is replaced, by one that notes the time after each epoch and
can end the training. It takes no empty cells among numbers: these are filled with the column's median.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import ctgan
import ctgan.synthesizers.ctgan as module
import numpy as np
import pandas as pd
import torch
from ctgan.data_transformer import DataTransformer

from peak_memory import peak_megabytes


class Clock:
    """Stands where the progress bar stood: iterates over the epochs and notes when each one begins and ends.

    Args:
        most_seconds: no epoch begins after so long.
    """

    def __init__(self, most_seconds: float = math.inf) -> None:
        self.marks: list[float] = []
        self.most_seconds = most_seconds

    def __call__(self, epochs: Any, disable: bool = False) -> Clock:
        self._epochs = epochs
        return self

    def __iter__(self) -> Iterator[int]:
        self.marks.append(time.perf_counter())
        for epoch in self._epochs:
            yield epoch
            self.marks.append(time.perf_counter())
            if self.marks[-1] - self.marks[0] > self.most_seconds:
                return

    def set_description(self, said: str) -> None:
        """What a bar would show."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("train", type=Path)
    parser.add_argument("--epochs", type=int, default=300, help="the package's own default")
    parser.add_argument("--max-minutes", type=float, default=math.inf, help="of training")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--sample-rows", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--json", type=Path, required=True)
    options = parser.parse_args()

    np.random.seed(options.seed)  # noqa: NPY002 - the package draws its batches from the global state
    table = pd.read_csv(options.train, keep_default_na=False)
    for name, column in pd.read_csv(options.train, keep_default_na=False, na_values=[""]).items():
        if pd.api.types.is_numeric_dtype(column):
            table[name] = column.fillna(column.median())
    discrete = [name for name in table.columns if not pd.api.types.is_numeric_dtype(table[name])]

    began = time.perf_counter()
    transformer = DataTransformer()
    transformer.fit(table, discrete)
    transformer.transform(table)
    encode_seconds = time.perf_counter() - began
    del transformer

    clock = Clock(60 * options.max_minutes)
    module.tqdm = clock
    model = ctgan.CTGAN(
        embedding_dim=128,
        generator_dim=(256, 256),
        discriminator_dim=(256, 256),
        batch_size=500,
        pac=10,
        discriminator_steps=1,
        epochs=options.epochs,
        enable_gpu=False,
    )
    model.set_random_state(options.seed)
    began_fit = time.perf_counter()
    model.fit(table, discrete)
    fit_seconds = time.perf_counter() - began_fit
    fit_megabytes = peak_megabytes()
    model.sample(len(table)).to_csv(options.out, index=False)
    began = time.perf_counter()
    model.sample(options.sample_rows)
    sample_seconds = time.perf_counter() - began

    result = {
        "name": f"ctgan {version('ctgan')}",
        "versions": {name: version(name) for name in ("ctgan", "torch", "numpy", "pandas")},
        "threads": torch.get_num_threads(),
        "epochs": len(clock.marks) - 1,
        "stopped": len(clock.marks) - 1 < options.epochs,
        "encode_seconds": min(encode_seconds, clock.marks[0] - began_fit),  # by itself, and within `fit`
        "compile_seconds": 0.0,
        "epoch_seconds": np.diff(clock.marks).tolist(),
        "fit_seconds": fit_seconds,
        "sample_rows_per_second": options.sample_rows / sample_seconds,
        "fit_megabytes": fit_megabytes,
        "peak_megabytes": peak_megabytes(),
    }
    options.json.write_text(json.dumps(result))


if __name__ == "__main__":
    main()
