"""Four releases of Adult under all attacks: a copy, a model that learns by heart, `Autoregressive`, and an independent sample.

The first has to be caught, the last must not be; what lies between is measured. Each is attacked twice: as it is (`quick`), and
by refitting its generator with and without the 20 most isolated people (`thorough`).
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

import masquerade as mq
from run import ADULT

Refit = Callable[[pl.DataFrame], pl.DataFrame]


def releases(population: pl.DataFrame) -> dict[str, Refit]:
    """Generators by name; each takes rows and returns as many."""
    seeds = iter(range(10_000))

    def copies(rows: pl.DataFrame) -> pl.DataFrame:
        return rows.sample(fraction=1.0, shuffle=True, seed=next(seeds))

    def by_heart(rows: pl.DataFrame) -> pl.DataFrame:
        model = mq.Autoregressive(
            protect=0, dropout=0.0, weight_decay=0.0, patience=None, epochs=120, random_state=next(seeds)
        )
        return model.fit(rows).sample(rows.height)

    def learned(rows: pl.DataFrame) -> pl.DataFrame:
        return mq.Autoregressive(random_state=next(seeds)).fit(rows).sample(rows.height)

    def independent(rows: pl.DataFrame) -> pl.DataFrame:
        return population.sample(rows.height, seed=next(seeds))

    return {
        "copies of the rows": copies,
        "Autoregressive, learned by heart": by_heart,
        "Autoregressive": learned,
        "independent sample": independent,
    }


def attacked(real: pl.DataFrame, holdout: pl.DataFrame, refit: Refit, shadows: int) -> dict[str, Any]:
    """The figures of one release."""
    began = time.perf_counter()
    released = refit(real)
    fitted = time.perf_counter() - began
    report = mq.evaluate(
        real, released, holdout=holdout, attacks="thorough" if shadows else "quick", refit=refit if shadows else None,
        **({"shadows": shadows} if shadows else {}),
    )  # fmt: skip
    names = (
        "membership_auc",
        "membership_tpr_at_1pct_fpr",
        "membership_isolated_auc",
        "membership_isolated_tpr_at_10pct_fpr",
    )
    found: dict[str, Any] = {
        name: {"value": report.scores[name].value, "interval": report.scores[name].interval}
        for name in (*names, "singling_out", "inference")
        if name in report.scores
    }
    isolation = report.attacks.get("isolation")
    if isolation:
        found["named_in_the_release"] = isolation["named"]["people"]
    return found | {"fit_seconds": fitted, "seconds": time.perf_counter() - began}


def quick_seconds(real: pl.DataFrame, holdout: pl.DataFrame) -> dict[str, float]:
    """What `attacks="quick"` adds to an evaluation."""
    released = holdout.sample(real.height, with_replacement=True, seed=0)
    found = {}
    for attacks in ("none", "quick"):
        began = time.perf_counter()
        mq.evaluate(real, released, holdout=holdout, attacks=attacks)
        found[attacks] = time.perf_counter() - began
    return found | {"added": found["quick"] - found["none"]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=ADULT, help="Adult as one CSV with a column `split`")
    parser.add_argument("--rows", type=int, default=2_000, help="that each release is made from")
    parser.add_argument("--shadows", type=int, default=16, help="refits of each; 0: none")
    parser.add_argument("--only", nargs="*", default=None)
    parser.add_argument("--json", type=Path, help="write what was measured")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    table = mq.read_table(options.data)
    train, test = (table.filter(pl.col("split") == side).drop("split") for side in ("train", "test"))
    order = np.random.default_rng(0).permutation(train.height)
    real, population = train[order[: options.rows]], train[order[options.rows :]]
    holdout = test.sample(min(4 * options.rows, test.height), seed=0)
    found: dict[str, Any] = {}
    for name, refit in releases(population).items():
        if options.only is None or name in options.only:
            found[name] = attacked(real, holdout, refit, options.shadows)
            print(name, json.dumps(found[name]), flush=True)
    if options.only is None or "seconds" in options.only:
        found["seconds of quick, 32,561 rows"] = quick_seconds(train, test)
        print(json.dumps(found["seconds of quick, 32,561 rows"]))
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
