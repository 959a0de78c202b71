"""Worker: `dpmm`'s MST fitted again and again with and without a canary, in its own environment, without Masquerade.

The domain is public: levels of every column are those that are given here, and the age is in ten bins between public bounds.
"""

from __future__ import annotations

import argparse
import json
import warnings
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
from dpmm.pipelines.mst import MSTPipeline

DOMAIN = {
    "job": {"categories": ["clerk", "nurse", "smith"]},
    "member": {"categories": ["false", "true"]},
    "age": {"lower": 0, "upper": 99},
    "grade": {"categories": ["a", "b", "c", "d"]},
}
DRAWN = 1_000


def read(path: Path) -> pd.DataFrame:
    """A table, its levels as categories of the public domain."""
    table = pd.read_csv(path, dtype={"member": str})
    for name, domain in DOMAIN.items():
        if "categories" in domain:
            table[name] = pd.Categorical(table[name], categories=domain["categories"])
    return table


def outcome(table: pd.DataFrame, canary: pd.Series, epsilon: float, delta: float) -> list[float]:
    """Shares of drawn rows that agree with the canary: per column, and the mean number of pairs."""
    pipe = MSTPipeline(epsilon=epsilon, delta=delta, proc_epsilon=None)
    pipe.fit(table, domain=DOMAIN)
    drawn = pipe.generate(n_records=DRAWN)
    agree = np.column_stack([
        (drawn[name] - canary[name]).abs() <= 5 if name == "age" else drawn[name].astype(str) == str(canary[name])
        for name in DOMAIN
    ]).astype(float)  # fmt: skip
    count = agree.sum(axis=1)
    return [float(count.mean()), float((count * (count - 1) / 2).mean()), float((count == len(DOMAIN)).mean())]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("without", type=Path)
    parser.add_argument("canary", type=Path)
    parser.add_argument("scores", type=Path)
    parser.add_argument("--trials", type=int, default=100)
    parser.add_argument("--epsilon", type=float, default=1.0)
    parser.add_argument("--delta", type=float, default=1e-6)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    without, canary = read(options.without), read(options.canary)
    inside = pd.concat([without, canary], ignore_index=True)
    found: dict[str, list[list[float]]] = {"without": [], "inside": []}
    for _ in range(options.trials):
        for side, table in (("without", without), ("inside", inside)):
            found[side].append(outcome(table, canary.iloc[0], options.epsilon, options.delta))
    options.scores.write_text(json.dumps(found | {"name": f"dpmm {version('dpmm')}, MST, whole fits"}))


if __name__ == "__main__":
    main()
