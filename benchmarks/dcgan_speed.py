"""One epoch of `DCGAN` beside the same nets in Keras on TensorFlow: same batch, same cores, in turns.

    python benchmarks/dcgan_speed.py mnist.npz --peer /path/to/python-with-tensorflow

Workers take turns, each in a process of its own, and the median of the turns' ratios is told. Neither's compiling is counted.
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

import processes
from grid import Grid


def main() -> None:
    options = _options()
    console = processes.console()
    turns: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pictures.npz"
        with np.load(options.pictures) as data:
            images, labels = data["x_train"][: options.count], data["y_train"][: options.count]
        np.savez(path, images=images.reshape(len(images), 28, 28, 1), labels=labels)
        arguments = [str(path), "--epochs", str(options.epochs)]
        for turn in range(options.rounds):
            ours = processes.run(f"turn {turn + 1}, ours", Path(sys.executable), "ours_dcgan.py", arguments, console)
            peer = processes.run(f"turn {turn + 1}, Keras", options.peer, "peer_keras_dcgan.py", arguments, console)
            turns.append(ours | peer)
    if options.json:
        options.json.write_text(json.dumps(turns, indent=1) + "\n")
    grid = Grid(
        f"An epoch of DCGAN on {len(images):,} pictures",
        ("", "wall, s", "processor, s", "times ours, wall", "processor"),
    )
    for way, said in (("ours", "DCGAN"), ("peer", f"Keras {turns[0]['keras']}, TensorFlow {turns[0]['tensorflow']}")):
        wall, cpu = ([turn[way][clock] for turn in turns] for clock in ("wall", "cpu"))
        times = [
            statistics.median(turn[way][clock] / turn["ours"][clock] for turn in turns) for clock in ("wall", "cpu")
        ]
        grid.rows.append((said, *(f"{statistics.median(x):.1f}" for x in (wall, cpu)), *(f"{x:.2f} ×" for x in times)))
    console.print(grid.rich())


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pictures", type=Path, help="mnist.npz (x_train, y_train)")
    parser.add_argument("--peer", type=Path, required=True, help="Python of an environment with tensorflow-cpu")
    parser.add_argument("--count", type=int, default=12_800, help="pictures of an epoch")
    parser.add_argument("--epochs", type=int, default=2, help="timed, each turn")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
