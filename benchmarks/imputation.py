"""Filling holes: `model.impute` beside scikit-learn's IterativeImputer with extremely randomised trees.

Of each table's numeric columns a fifth of the cells that are there is hidden at random. Both see the table with these holes
and nothing else. What is shown, on columns scaled to [0, 1] by their true values:

RMSE                root of the mean squared error over all hidden cells: of the mean of the draws, of one draw, of the trees,
                    and of the column's mean
KS, hidden cells    1 − sup |F_filled − F_true| over a column's hidden cells, mean over columns and draws; the ceiling puts
                    visible values, chosen at random, in the place of filled ones, for few cells differ much by chance
KS, whole column    likewise, of the completed column beside the true one
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

import masquerade as mq
import processes
import tables
from grid import Grid
from masquerade import spelling

HIDDEN = 0.2
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


def main() -> None:
    options = _options()
    console = processes.console()
    results: dict[str, Any] = {}
    if options.json and options.json.exists():
        results = json.loads(options.json.read_text())
    for name in options.tables:
        if options.resume and name in results:
            continue
        frame = numbers(name, options.rows, options.scale_first)
        with console.status(f"{name}, {frame.height:,} × {frame.width} …"):
            results[name] = measured(frame, options)
        console.print(f"[dim]done: {name}[/dim]")
        if options.json:
            options.json.write_text(json.dumps(results, indent=1) + "\n")
    grid = shown(results)
    console.print(grid.rich())
    if options.markdown:
        options.markdown.write_text(grid.markdown())


def numbers(name: str, rows: int, scale_first: bool) -> pl.DataFrame:
    """The numeric columns of a table that vary, at most so many random rows, null where a value is missing."""
    train = tables.load(name).train
    schema = mq.infer(train)
    typed = spelling.parse(train.sample(min(rows, train.height), seed=0), schema)
    names = [column.name for column in schema if column.kind in ("integer", "continuous")]
    found = typed.select(column for column in typed.select(names) if column.drop_nulls().n_unique() > 1)
    return found if not scale_first else pl.DataFrame(_scaled(found, found), found.columns)


def hide(frame: pl.DataFrame, seed: int) -> tuple[pl.DataFrame, Mask]:
    """The frame with a fifth of its cells empty, and which were there and are hidden, shape (rows, columns)."""
    random = np.random.default_rng(seed)
    hidden = random.random(frame.shape) < HIDDEN
    empty = frame.select(column.is_null() for column in frame).to_numpy()
    for place in range(frame.width):
        if (hidden | empty)[:, place].all():
            raise SystemExit(f"error: column {frame.columns[place]!r} has no visible cell left; take more rows")
    masked = frame.select(
        pl.when(pl.Series(hidden[:, place])).then(None).otherwise(pl.col(name)).alias(name)
        for place, name in enumerate(frame.columns)
    )
    return masked, hidden & ~empty


def measured(frame: pl.DataFrame, options: argparse.Namespace) -> dict[str, Any]:
    """Both imputers on one table."""
    holes, hidden = hide(frame, options.seed)
    truth, seen = _scaled(frame, frame), _scaled(holes, frame)
    began = time.perf_counter()
    model = mq.synthesizers()[options.model](random_state=options.seed).fit(holes)
    fit_seconds = time.perf_counter() - began
    began = time.perf_counter()
    completed = model.impute(holes, draws=options.draws)
    draw_seconds = time.perf_counter() - began
    draws = np.stack([_scaled(each, frame) for each in completed])
    if np.isnan(draws[:, hidden]).any():
        raise SystemExit("error: impute has left cells empty")
    began = time.perf_counter()
    trees = _trees(seen, options.seed)
    tree_seconds = time.perf_counter() - began
    random = np.random.default_rng(options.seed)
    chance = np.column_stack([_refilled(seen[:, j], hidden[:, j], random) for j in range(frame.width)])
    return {
        "rows": frame.height,
        "columns": frame.width,
        "hidden": int(hidden.sum()),
        "seconds": {"fit": fit_seconds, "draws": draw_seconds, "trees": tree_seconds},
        "rmse": {
            "mean of draws": rmse(draws.mean(axis=0), truth, hidden),
            "one draw": float(np.mean([rmse(draw, truth, hidden) for draw in draws])),
            "trees": rmse(trees, truth, hidden),
            "column's mean": rmse(np.broadcast_to(np.nanmean(seen, axis=0), truth.shape), truth, hidden),
        },
        "ks_hidden": {
            "draws": float(np.mean([ks(draw, truth, hidden) for draw in draws])),
            "trees": ks(trees, truth, hidden),
            "ceiling": ks(chance, truth, hidden),
        },
        "ks_column": {
            "draws": float(np.mean([ks(draw, truth, ~np.isnan(truth)) for draw in draws])),
            "trees": ks(trees, truth, ~np.isnan(truth)),
            "ceiling": ks(chance, truth, ~np.isnan(truth)),
        },
    }


def rmse(filled: Floats, truth: Floats, hidden: Mask) -> float:
    """Root of the mean squared error over the hidden cells."""
    return float(np.sqrt(np.mean((filled - truth)[hidden] ** 2)))


def ks(filled: Floats, truth: Floats, chosen: Mask) -> float:
    """1 − the largest gap between cumulative curves of the chosen cells, mean over columns."""
    found = []
    for j in range(truth.shape[1]):
        sides = [np.sort(side[chosen[:, j], j]) for side in (filled, truth)]
        places = np.union1d(*sides)
        below = [np.searchsorted(side, places, side="right") / max(len(side), 1) for side in sides]
        found.append(1.0 - float(np.abs(below[0] - below[1]).max(initial=0.0)))
    return float(np.mean(found))


def _scaled(frame: pl.DataFrame, by: pl.DataFrame) -> Floats:
    """Numbers with the least true value at 0 and the greatest at 1, NaN where missing; shape (rows, columns)."""
    found = []
    for name in by.columns:
        true = by[name].cast(pl.Float64).drop_nulls().to_numpy()
        values = frame[name].cast(pl.Float64).fill_null(np.nan).to_numpy()
        found.append((values - true.min()) / (true.max() - true.min()))
    return np.column_stack(found)


def _refilled(seen: Floats, hidden: Mask, random: np.random.Generator) -> Floats:
    visible = seen[~np.isnan(seen)]
    return np.where(hidden, random.choice(visible, len(seen)), seen)


def _trees(seen: Floats, seed: int) -> Floats:
    from sklearn.ensemble import ExtraTreesRegressor
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.experimental import enable_iterative_imputer  # noqa: F401 - it makes the next import possible
    from sklearn.impute import IterativeImputer

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = IterativeImputer(ExtraTreesRegressor(n_jobs=-1, random_state=seed), random_state=seed)
        return np.asarray(model.fit_transform(seen))


def shown(results: dict[str, Any]) -> Grid:
    """A line a table."""
    heads = ["table", "rows × columns", "RMSE, mean of draws", "RMSE, trees", "RMSE, one draw", "RMSE, column's mean"]
    heads += ["KS, hidden cells (trees; ceiling)", "KS, whole column", "fit + draws, s", "trees, s"]
    grid = Grid(f"Imputation, {HIDDEN:.0%} of cells hidden, columns scaled to [0, 1]", heads)
    for name, found in results.items():
        errors, hidden, seconds = found["rmse"], found["ks_hidden"], found["seconds"]
        grid.rows.append(
            [
                name,
                f"{found['rows']:,} × {found['columns']}",
                *(f"{errors[which]:.4f}" for which in ("mean of draws", "trees", "one draw", "column's mean")),
                f"{hidden['draws']:.3f} ({hidden['trees']:.3f}; {hidden['ceiling']:.3f})",
                f"{found['ks_column']['draws']:.3f}",
                f"{seconds['fit'] + seconds['draws']:.1f}",
                f"{seconds['trees']:.1f}",
            ]
        )
    return grid


def _options() -> argparse.Namespace:
    able = [name for name, kind in mq.synthesizers().items() if hasattr(kind, "impute")]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", nargs="+", default=[*tables.NAMES], choices=tables.NAMES, help="default: all")
    parser.add_argument("--model", default="autoregressive", choices=able, help="one of ours that can impute")
    parser.add_argument("--rows", type=int, default=10_000, help="at most so many random rows of a table")
    parser.add_argument("--draws", type=int, default=20, help="completed tables that are averaged")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--scale-first", action="store_true", help="hand over the columns already scaled to [0, 1]")
    parser.add_argument("--json", type=Path, help="keep everything measured, after each table")
    parser.add_argument("--resume", action="store_true", help="leave out what the --json file holds already")
    parser.add_argument("--markdown", type=Path, help="write the table")
    options = parser.parse_args()
    if options.model not in able:
        parser.error(f"{options.model!r} cannot impute; so far: {', '.join(able) or 'none can'}")
    return options


if __name__ == "__main__":
    main()
