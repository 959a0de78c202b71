"""Every model of pictures on MNIST: what is made, private, filled and desensitized, each beside real pictures, in one table.

    python benchmarks/mnist.py mnist.npz --parts gan merf private mask desensitize --markdown mnist.md

All nets that judge are small convolutional ones, trained afresh, and tested on the 10,000 test pictures.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import masquerade as mq
from grid import Grid
from masquerade.metrics.frechet import Moments, frechet_distance
from masquerade.nets.picture_classifier import PictureClassifier
from masquerade.picture_files import write_sheet
from masquerade.pictures import LABEL
from masquerade.release.image_attackers import guessing

BOX = (7, 7, 14, 14)
Found = dict[str, float]


class Bench:
    """Both halves of the set, and what parts of the benchmark share.

    Args:
        path: mnist.npz (x_train, y_train, x_test, y_test).
        out: folder for contact sheets; None: none.
        settings: of every model, such as `{"epochs": 3}`.
    """

    def __init__(self, path: Path, out: Path | None, settings: dict[str, Any]):
        with np.load(path) as data:
            x, y, x_test, y_test = (data[name] for name in ("x_train", "y_train", "x_test", "y_test"))
        self.train = mq.Pictures(x, {LABEL: y.astype(np.int64)})
        self.test = mq.Pictures(x_test, {LABEL: y_test.astype(np.int64)})
        self.out, self.settings = out, settings

    def net(self, pictures: mq.Pictures, labels: NDArray[Any], kinds: int = 10) -> PictureClassifier:
        """A fresh net that learned these labels."""
        return PictureClassifier((28, 28, 1), kinds).fit(pictures.images, labels, seed=0)

    def right(self, net: PictureClassifier, pictures: mq.Pictures, labels: NDArray[Any]) -> float:
        """Share of pictures whose label it tells."""
        return float((net.predict(pictures.images) == labels).mean())

    def sheet(self, name: str, images: NDArray[np.uint8], columns: int = 20) -> None:
        """Pictures to look at."""
        if self.out is not None:
            self.out.mkdir(parents=True, exist_ok=True)
            write_sheet(self.out / f"{name}.png", images, columns=columns)

    # ── parts ──────────────────────────────────────────────────────────────────────────────────────────────────

    def drawn(self, name: str, model: Any) -> Found:
        """Train a synthesizer, draw as many pictures as there are, and judge them."""
        began = time.monotonic()
        model.fit(self.train)
        found: Found = {"fit, s": time.monotonic() - began, "epochs": float(len(model.history_))}
        made = model.sample(len(self.train), random_state=0)
        self.sheet(name, made.images[:100])
        found["tstr"] = self.right(self.net(made, made.labels[LABEL]), self.test, self.test.labels[LABEL])
        judge = self.net(self.train, self.train.labels[LABEL])
        found["trtr"] = self.right(judge, self.test, self.test.labels[LABEL])
        order = np.random.default_rng(0).permutation(len(self.train))
        parts = (order[:10_000], order[10_000:20_000])
        one, other = (Moments.of(judge.features(self.train.images[part])) for part in parts)
        distance = frechet_distance(one, Moments.of(judge.features(made.images[:10_000])))
        found["Fréchet, times its floor"] = distance / frechet_distance(one, other)
        shares = [np.bincount(each.labels[LABEL], minlength=10) / len(each) for each in (self.train, made)]
        found["class balance, TVD"] = float(np.abs(shares[0] - shares[1]).sum() / 2)
        return found

    def gan(self) -> Found:
        """`ImageGAN`."""
        return self.drawn("gan", mq.ImageGAN(random_state=0, **self.settings))

    def merf(self) -> Found:
        """`DPMERF` at ε = 10."""
        limit = {name: value for name, value in self.settings.items() if name == "max_minutes"}
        return self.drawn("merf", mq.DPMERF(privacy=mq.Privacy(10.0, 1e-5), classes=list(range(10)), **limit))

    def private(self) -> Found:
        """`ImageGAN` at ε = 10."""
        model = mq.ImageGAN(privacy=mq.Privacy(10.0, 1e-5), classes=list(range(10)), **self.settings)
        return self.drawn("private", model)

    def mask(self) -> Found:
        """The centre of 14 by 14 pixels, hidden and filled."""
        began = time.monotonic()
        masker = mq.ImageMasker(box=BOX, random_state=0, **self.settings).fit(self.train)
        found: Found = {"fit, s": time.monotonic() - began}
        labels = self.test.labels[LABEL]
        judge = self.net(self.train, self.train.labels[LABEL])
        whole = found["whole pictures"] = self.right(judge, self.test, labels)
        first, second = (masker.transform(self.test, random_state=seed) for seed in (1, 2))
        found["filled, class told"] = self.right(judge, first, labels) / whole
        found["filled, untold"] = self.right(judge, masker.transform(mq.Pictures(self.test.images)), labels) / whole
        black = mq.ImageMasker(box=BOX, how="blackout").fit_transform(self.test)
        found["blacked out"] = self.right(judge, black, labels) / whole
        top, left, height, width = BOX
        apart = first.images.astype(np.float64) - second.images
        found["grey levels between draws"] = float(np.abs(apart[:, top : top + height, left : left + width]).mean())
        self.sheet("mask", np.concatenate([self.test.images[:20], first.images[:20], second.images[:20]]))
        return found

    def desensitize(self) -> Found:
        """Parity hidden, "is it five or more" kept."""
        train, test = (
            mq.Pictures(each.images, {"parity": each.labels[LABEL] % 2, "big": (each.labels[LABEL] >= 5).astype(int)})
            for each in (self.train, self.test)
        )
        began = time.monotonic()
        model = mq.ImageDesensitizer(hide="parity", keep="big", random_state=0, **self.settings).fit(train)
        found: Found = {"fit, s": time.monotonic() - began, "share of the code": model.code_share_}
        released, tried = model.transform(train, random_state=10), model.transform(test, random_state=11)
        parity, big = ([each.labels[name] for each in (train, test)] for name in ("parity", "big"))
        found["parity, on real"] = self.right(self.net(train, parity[0], 2), test, parity[1])
        found["parity, fresh attacker"] = self.right(self.net(released, parity[0], 2), tried, parity[1])
        found["parity, guessed from what is kept"] = guessing(parity[1], big[1])
        found["kept, fresh net"] = self.right(self.net(released, big[0], 2), tried, big[1])
        found["kept, net of real pictures"] = self.right(self.net(train, big[0], 2), tried, big[1])
        self.sheet("desensitize", np.concatenate([test.images[:20], tried.images[:20]]))
        return found


def main() -> None:
    options = _options()
    settings = {
        name: value
        for name, value in (("epochs", options.epochs), ("max_minutes", options.minutes))
        if value is not None
    }
    bench = Bench(options.pictures, options.out, settings)
    parts: dict[str, Callable[[], Found]] = {name: getattr(bench, name) for name in PARTS}
    results: dict[str, Found] = {}
    grid = Grid("Pictures: MNIST", ("", "figure"))
    for name in options.parts:
        results[name] = parts[name]()
        grid.rows.append((str(parts[name].__doc__).strip(". "),))
        grid.rows += [(key, f"{value:.0f}" if value > 9 else f"{value:.4f}") for key, value in results[name].items()]
        print(json.dumps({name: results[name]}), flush=True)
    print(grid.markdown())
    if options.markdown:
        options.markdown.write_text(grid.markdown())


PARTS = ("gan", "merf", "private", "mask", "desensitize")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pictures", type=Path, help="mnist.npz (x_train, y_train, x_test, y_test)")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--epochs", type=int, help="of each training; default: the model's")
    parser.add_argument("--minutes", type=float, help="limit of each training")
    parser.add_argument("--out", type=Path, help="folder for contact sheets")
    parser.add_argument("--markdown", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
