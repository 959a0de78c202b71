"""What the articles do with MNIST: draw digits, watch the training, fill up small sets, hide a part, and guarantee privacy.

python examples/mnist.py mnist.npz --out mnist
python examples/mnist.py --quick --out digits     (scikit-learn's 8 x 8 digits, a minute)
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.svm import SVC

import masquerade as mq


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Synthetic, filled, masked and private digits.")
    parser.add_argument("path", type=Path, nargs="?", help="mnist.npz, or another picture set with classes")
    parser.add_argument("--minutes", type=float, default=30.0, help="how long to train each model at most")
    parser.add_argument("--quick", action="store_true", help="small digits, small nets, few steps")
    parser.add_argument("--out", type=Path, default=Path("mnist"), help="a folder for all that is written")
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    real = small_digits() if options.quick or options.path is None else mq.read_pictures(options.path)
    order = np.random.default_rng(0).permutation(len(real))
    held, train = real[order[: len(real) // 10]], real[order[len(real) // 10 :]]
    quick = {"epochs": 3, "width": 8, "latent_width": 8} if options.quick else {"max_minutes": options.minutes}

    # 1. A conditional GAN; a grid of what it draws after each epoch goes to a folder, and so may its weights.
    model = mq.ImageGAN(watch=options.out / "watch", random_state=0, **quick).fit(train)
    drawn = model.sample(len(train), random_state=0)
    mq.write_pictures(options.out / "drawn.npz", drawn)
    model.save(options.out / "digits.mq")
    print(f"A machine that learned from drawn digits reads {tstr(drawn, held):.1%} of unseen real ones,")
    print(f"one that learned from real digits {tstr(train, held):.1%}.")

    # 2. A public model as a beginning: fewer private pictures are needed. `start_from` takes a model or its file.
    few = train[: max(len(train) // 20, 60)]
    mq.ImageGAN(random_state=0, **quick).fit(few, start_from=options.out / "digits.mq")

    # 3. More training data: altered copies, and classes levelled by what the model draws. For use inside the house only.
    more = mq.augment(few, copies=2, rotate=10, random_state=0)
    level = mq.augment(few, model, random_state=0)
    print(f"{len(few)} digits became {len(more)} by altering, and {len(level)} by levelling the classes.")

    # 4. The middle of every picture hidden, and filled by nets that never saw it.
    height, width = real.size
    box = (height // 4, width // 4, height // 2, width // 2)
    filling = {"epochs": 1, "width": 8} if options.quick else {"max_minutes": options.minutes}
    masked = mq.ImageMasker(box=box, random_state=0, **filling).fit_transform(
        mq.Pictures(train.images, dict(train.labels))
    )
    mq.write_pictures(options.out / "masked.npz", masked)

    # 5. Differential privacy: one noised mean is all that is told of the pictures. No seed: it would undo the noise.
    promise = mq.Privacy(epsilon=10.0, delta=1e-5)
    small = {"features": 600, "steps": 100, "width": 8} if options.quick else {"max_minutes": options.minutes}
    private = mq.DPMERF(privacy=promise, classes=real.classes.tolist(), **small).fit(train)
    mq.write_pictures(options.out / "private.npz", private.sample(private.noised_rows_))
    print(private.ledger_.sentence())


def small_digits() -> mq.Pictures:
    """scikit-learn's digits as a picture set."""
    data = load_digits()
    return mq.Pictures(np.round(data.images * 255 / 16).astype(np.uint8), {"label": data.target})


def tstr(train: mq.Pictures, test: mq.Pictures) -> float:
    """Share of `test` that a support vector machine reads which learned from (at most 5,000 of) `train`."""
    train = train[:5_000]
    machine = SVC(gamma="scale").fit(train.images.reshape(len(train), -1) / 255, train.labels["label"])
    return float(machine.score(test.images.reshape(len(test), -1) / 255, test.labels["label"]))


if __name__ == "__main__":
    main()
