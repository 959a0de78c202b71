"""What a public beginning saves: how many private pictures a GAN needs with it, and without.

A generator learns the public pictures; then, from so many private ones each, one begins from scratch, one goes on from it, and
one goes on from it with some layers as they were (`freeze`). Scores are tstr: a small convolutional net learns from drawn
pictures and is tested on unseen private ones. The public pictures are the same digits a quarter turned to the right, so that
the strokes are alike and the pictures are not.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.datasets import load_digits

import masquerade as mq
from grid import Grid
from masquerade.nets.picture_classifier import PictureClassifier

DRAWN = 10_000


def main() -> None:
    options = _options()
    pictures, test = _pictures(options.path)
    order = np.random.default_rng(0).permutation(len(pictures))
    half = len(pictures) // 2
    public, private = pictures[order[:half]], pictures[order[half:]]
    turned = mq.Pictures(np.rot90(public.images, axes=(2, 1)).copy(), dict(public.labels))
    # On so few pictures an epoch is a few steps, and ten without a better score say nothing.
    settings: dict[str, Any] = {
        "width": options.width,
        "batch_size": options.batch,
        "patience": None,
        "random_state": 0,
    }
    began = time.monotonic()
    beginning = mq.ImageGAN(epochs=options.epochs, **settings).fit(turned)
    print(f"public model of {len(turned):,} pictures: {time.monotonic() - began:.0f} s")
    runs: list[dict[str, Any]] = []
    ways: list[dict[str, Any]] = [
        {},
        {"start_from": beginning},
        {"start_from": beginning, "freeze": options.freeze},
    ]
    rows = []
    for count in options.counts:
        scores = []
        for way in ways:
            began = time.monotonic()
            model = mq.ImageGAN(epochs=options.epochs, **settings).fit(private[:count], **way)
            run = {"pictures": count, "public": "start_from" in way, "freeze": way.get("freeze", [])}
            run |= {"seconds": round(time.monotonic() - began), "tstr": tstr(model.sample(DRAWN, random_state=0), test)}
            scores.append(f"{run['tstr']:.3f}")
            runs.append(run)
            print(json.dumps(run), flush=True)
        rows.append([f"{count:,}", *scores])
    heads = ["private pictures", "tstr from scratch", "after the public model", f"{', '.join(options.freeze)} kept"]
    grid = Grid("A public beginning", heads, rows)
    print(grid.markdown())
    if options.json:
        options.json.write_text(json.dumps(runs, indent=1) + "\n")


def _pictures(path: Path | None) -> tuple[mq.Pictures, mq.Pictures]:
    """Training and test pictures: of MNIST, or scikit-learn's digits."""
    if path is not None:
        data = np.load(path)
        return (
            mq.Pictures(data["x_train"], {"label": data["y_train"].astype(int)}),
            mq.Pictures(data["x_test"], {"label": data["y_test"].astype(int)}),
        )
    digits = load_digits()
    every = mq.Pictures(np.round(digits.images * 255 / 16).astype(np.uint8), {"label": digits.target})
    order = np.random.default_rng(1).permutation(len(every))
    return every[order[400:]], every[order[:400]]


def tstr(train: mq.Pictures, test: mq.Pictures) -> float:
    """Share of `test` that a small convolutional net reads which learned from `train`."""
    height, width = train.size
    net = PictureClassifier((height, width, train.channels), 10, seen=60_000)
    net.fit(train.images, train.labels["label"], seed=0)
    return float((net.predict(test.images) == test.labels["label"]).mean())


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "path", type=Path, nargs="?", help="mnist.npz (x_train, y_train, x_test, y_test); digits without"
    )
    parser.add_argument("--counts", type=int, nargs="+", default=[100, 200, 400], help="private pictures")
    parser.add_argument(
        "--freeze", nargs="+", default=["up", "second", "last", "paint"], help="layers that stay in the third way"
    )
    parser.add_argument("--epochs", type=int, help="of each training; default: the model's")
    parser.add_argument("--width", type=int, default=32, help="of the nets")
    parser.add_argument("--batch", type=int, default=32, help="pictures a step")
    parser.add_argument("--json", type=Path, help="where the figures go")
    return parser.parse_args()


if __name__ == "__main__":
    main()
