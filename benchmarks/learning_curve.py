"""How many private rows a public model saves: `fit(start_from=model)` beside a fit from scratch, at growing numbers of rows.

adult   public: the first 20,000 training rows; private: the others, of the same people
bank    public: the older bank table, 45,211 calls, 17 columns; private: the newer one, 21 columns, with other words for some
        things and five economic columns that the public one lacks

Both models of a line learn the same private rows, are drawn from with the same seed, and are judged by private rows that no
model saw:

log loss             of the target, predicted by the model itself from the other cells; nats, lower is better
tstr_boosting        of `mq.evaluate`: boosted trees trained on drawn rows
bivariate_accuracy   of `mq.evaluate`

The last line says how many private rows a fit from scratch needs for what 100, 300 ... rows reach with a start, read off the
curve of log loss.
"""

from __future__ import annotations

import argparse
import json
import math
import time
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

import masquerade as mq
import processes
import tables
from grid import Grid
from masquerade.errors import ConditionError

ROWS = (100, 300, 1_000, 3_000, 10_000)
PUBLIC_ROWS = 20_000
JUDGED_ROWS = 8_000
SCORES = ("log loss", "tstr_boosting", "bivariate_accuracy")


def main() -> None:
    options = _options()
    console = processes.console()
    results: dict[str, Any] = {}
    for pair in options.pairs:
        public, private, judged, target = sides(pair)
        began = time.perf_counter()
        start = mq.Autoregressive(random_state=options.seed).fit(public)
        console.print(f"[dim]{pair}: {public.height:,} public rows in {time.perf_counter() - began:.0f} s[/dim]")
        lines = results[pair] = [{"rows": 0, "start": scored(start, judged, target)}] if pair == "adult" else []
        for rows in options.rows:
            line: dict[str, Any] = {"rows": rows}
            for side, known in (("scratch", None), ("start", start)):
                found = [
                    fitted(private, rows, known, options.seed + turn, judged, target) for turn in range(options.rounds)
                ]
                line[side] = {name: float(np.mean([each[name] for each in found])) for name in found[0]}
            lines.append(line)
            console.print(f"[dim]{pair}: {json.dumps(line)}[/dim]")
            if options.json:
                options.json.write_text(json.dumps(results, indent=1) + "\n")
    grids = [shown(pair, lines) for pair, lines in results.items()]
    for grid in grids:
        console.print(grid.rich())
    if options.markdown:
        options.markdown.write_text("\n".join(grid.markdown() for grid in grids))


def sides(pair: str) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame, str]:
    """The public rows, the private ones in random order, those that judge, and the target."""
    table = tables.load(pair)
    if pair == "adult":
        public, private = table.train[:PUBLIC_ROWS], table.train[PUBLIC_ROWS:]
    else:
        public, private = mq.read_table(tables.SHARED / "bank_marketing" / "bank-full.csv.gz"), table.train
    judged = table.holdout.sample(min(JUDGED_ROWS, table.holdout.height), seed=0, shuffle=True)
    return public, private.sample(fraction=1.0, shuffle=True, seed=0), judged, table.target


def fitted(
    private: pl.DataFrame, rows: int, start: mq.Autoregressive | None, seed: int, judged: pl.DataFrame, target: str
) -> dict[str, float]:
    """The scores of a model of so many private rows, other ones for another seed."""
    chosen = private.sample(rows, seed=seed, shuffle=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of levels too rare to show, at a hundred rows nearly all
        model = mq.Autoregressive(random_state=seed).fit(chosen, start_from=start)
    return scored(model, judged, target)


def scored(model: mq.Autoregressive, judged: pl.DataFrame, target: str) -> dict[str, float]:
    half = judged.height // 2
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        report = mq.evaluate(judged[:half], model.sample(judged.height), holdout=judged[half:], target=target)
    found = {name: report.scores[name].value for name in SCORES[1:]}
    return {"log loss": log_loss(model, judged, target)} | found


def log_loss(model: mq.Autoregressive, judged: pl.DataFrame, target: str) -> float:
    """Mean −log of what the model gives the true level; a level it does not know counts as one in a thousand."""
    try:
        known = model.predict_proba(_within(model, judged), target).with_columns(truth=judged[target])
    except ConditionError:  # too few rows had the rarer level: the model knows the other one only
        only = model.sample(1)[target][0]
        known = judged.select(truth=target).with_columns(pl.lit(1.0).alias(only))
    levels = [name for name in known.columns if name != "truth"]
    given = sum((pl.when(pl.col("truth") == level).then(pl.col(level)).otherwise(0.0) for level in levels), pl.lit(0.0))
    return float(known.select(-given.clip(1e-3).log().mean()).item())


def _within(model: mq.Autoregressive, frame: pl.DataFrame) -> pl.DataFrame:
    return frame.select(name for name in frame.columns if name in model.schema_)


def shown(pair: str, lines: Sequence[dict[str, Any]]) -> Grid:
    """A line a number of private rows: each score from scratch and with a start; then the rows that the start is worth."""
    heads = ["private rows"]
    for name in SCORES:
        heads += [name, "with start"]
    grid = Grid(f"{pair}: what a public model adds", [*heads, "worth"])
    curve = [(line["rows"], line["scratch"]["log loss"]) for line in lines if "scratch" in line]
    for line in lines:
        cells = [f"{line['rows']:,}"]
        for name in SCORES:
            cells += [f"{line[side][name]:.3f}" if side in line else "–" for side in ("scratch", "start")]
        grid.rows.append([*cells, worth(curve, line["start"]["log loss"])])
    return grid


def worth(curve: Sequence[tuple[int, float]], loss: float) -> str:
    """The rows at which a fit from scratch comes to a loss, between measured points on a logarithmic scale of rows.

    >>> worth([(100, 0.5), (1_000, 0.4)], 0.45), worth([(100, 0.5), (1_000, 0.4)], 0.3)
    ('316 rows', 'over 1,000 rows')
    """
    best = np.minimum.accumulate([each for _, each in curve])
    if loss >= best[0]:
        return f"{curve[0][0]:,} rows or fewer"
    if loss < best[-1]:
        return f"over {curve[-1][0]:,} rows"
    after = int(np.argmax(best <= loss))
    share = (best[after - 1] - loss) / (best[after - 1] - best[after])
    low, high = (math.log(curve[place][0]) for place in (after - 1, after))
    return f"{round(math.exp(low + share * (high - low))):,} rows"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", nargs="+", choices=("adult", "bank"), default=["adult", "bank"])
    parser.add_argument("--rows", nargs="+", type=int, default=list(ROWS), help="private rows, ascending")
    parser.add_argument(
        "--rounds", type=int, default=1, help="fits of each kind, with other private rows and seeds; means"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, help="where to keep the figures")
    parser.add_argument("--markdown", type=Path, help="where to write the tables")
    return parser.parse_args()


if __name__ == "__main__":
    main()
