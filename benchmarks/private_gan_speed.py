"""A step of `CTGAN(privacy=...)` beside the same step in PyTorch, with per-example gradients in a loop and by `torch.func`.

The same nets, codes of Adult, sampling rate, clip and noise; one update of the critic and one of the generator. Workers take
turns, each in a process of its own, and the median of the turns' ratios is told: a busy machine troubles all alike.

    python benchmarks/private_gan_speed.py --peer /path/to/python-with-torch

On a busy machine, `taskset -c 0` in front gives one core to all of them.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

import masquerade as mq
import processes
import tables
from grid import Grid
from masquerade.synthesize.ctgan import PRIVATE_WIDTHS
from masquerade.synthesize.ctgan_private import CLIP, PrivateSchedule

BINS = 20
SIGMA = 1.5
"""About the noise multiplier of 2,000 steps at ε = 3."""


def main() -> None:
    options = _options()
    console = processes.console()
    turns: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.npz"
        np.savez(path, **described(tables.load("adult").train))
        arguments = [str(path), "--seconds", str(options.seconds)]
        for turn in range(options.rounds):
            ours = processes.run(
                f"turn {turn + 1}, ours", Path(sys.executable), "ours_private_gan.py", arguments, console
            )
            peer = processes.run(f"turn {turn + 1}, PyTorch", options.peer, "peer_private_gan.py", arguments, console)
            turns.append(ours | peer)
    if options.json:
        options.json.write_text(json.dumps(turns, indent=1) + "\n")
    grid = Grid("A private step of a GAN on Adult", ("", "wall, ms", "processor, ms", "times ours, wall", "processor"))
    for way, said in (("ours", "CTGAN(privacy=...)"), ("loop", "PyTorch, loop over rows"), ("vmap", "torch.func")):
        wall, cpu = ([turn[way][clock] for turn in turns] for clock in ("wall", "cpu"))
        times = [
            statistics.median(turn[way][clock] / turn["ours"][clock] for turn in turns) for clock in ("wall", "cpu")
        ]
        grid.rows.append(
            (said, *(f"{1000 * statistics.median(x):.1f}" for x in (wall, cpu)), *(f"{x:.1f} ×" for x in times))
        )
    console.print(grid.rich())


def described(frame: pl.DataFrame) -> dict[str, Any]:
    """Adult as codes, numbers in bins of equal ranks, and the figures of a step."""
    schema = mq.infer(frame)
    columns, discrete = [], []
    for column in schema:
        ranks = frame[column.name].cast(pl.Float64, strict=False).rank("dense") if column.is_numeric else None
        codes = frame[column.name].rank("dense") - 1 if ranks is None else (ranks / ranks.max() * BINS).floor()
        columns.append(codes.fill_null(0).cast(pl.Int32).to_numpy())
        discrete.append(not column.is_numeric)
    codes = np.column_stack(columns)
    return {
        "codes": codes,
        "sizes": codes.max(axis=0) + 1,
        "discrete": discrete,
        "rate": PrivateSchedule.share,
        "clip": CLIP,
        "deviation": SIGMA * CLIP,
        "generator": PRIVATE_WIDTHS[0],
        "critic": PRIVATE_WIDTHS[1],
    }


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer", type=Path, required=True, help="Python of an environment with PyTorch and NumPy")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=10.0, help="of each way, each turn")
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
