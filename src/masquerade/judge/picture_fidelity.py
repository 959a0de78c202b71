"""How like the real pictures the released ones are, in what a small net makes of them; each figure beside its floor.

The net trained on real pictures, so it knows those better than unseen ones. Therefore released pictures are set beside
training pictures, and so is the holdout for the ceiling: both are unseen, and a release that is as good as fresh real pictures
comes out as the holdout does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from masquerade import seeds
from masquerade.judge.figures import Figure, Outcome, scored
from masquerade.judge.picture_intake import PictureSets, PictureSide
from masquerade.judge.scores import Score
from masquerade.metrics.frechet import Moments, frechet_distance, frechet_interval
from masquerade.metrics.intervals import wilson
from masquerade.metrics.kernel_distance import kernel_distance
from masquerade.metrics.manifolds import NEIGHBOURS, Manifold
from masquerade.metrics.shapes import tv_complement

__all__ = ["COMPARED", "FAIR_PICTURES", "class_balance", "likeness"]

COMPARED = 10_000
"""At most this many pictures of each set are compared in their features."""

FAIR_PICTURES = 100
"""A holdout of fewer pictures, and fewer than were released, says too little to be a ceiling: then there is none."""

Floats = NDArray[np.float32]
Features = Callable[[NDArray[np.uint8]], Floats]


@dataclass(frozen=True)
class _Scale:
    """Makes features comparable between nets: the real ones lie around 0, one unit wide on average."""

    mean: Floats
    width: np.float32

    @classmethod
    def of(cls, real: Floats) -> _Scale:
        mean = real.mean(axis=0)
        width = np.float32(np.sqrt(((real - mean) ** 2).mean()))
        return cls(mean, width if width > 0 else np.float32(1.0))

    def __call__(self, features: Floats) -> Floats:
        return (features - self.mean) / self.width


def likeness(
    sets: PictureSets, features: Features, seed: int, tick: Callable[[str], None], turned: bool = False
) -> Outcome:
    """`frechet_distance`, `kernel_distance`, `precision`, `recall`.

    All sets are sampled to the size of the smallest.

    Args:
        sets: the pictures.
        features: pictures → what a net that real pictures trained makes of them, shape (n, width).
        seed: of the samples and of the bootstrap.
        tick: told the name of each part when it is done.
        turned: whether the net learnt which way up pictures are, for want of classes.
    """
    holdout = sets.holdout
    if holdout is not None and len(holdout) < min(FAIR_PICTURES, len(sets.released)):
        holdout = None
    sides = [side for side in (sets.real, sets.released, holdout) if side is not None]
    count = min(COMPARED, *(len(side) for side in sides))
    taken = [
        features(side.sample(count, seed, name).images)
        for name, side in zip(("real", "released", "holdout"), sides, strict=False)
    ]
    tick("features")
    scale = _Scale.of(taken[0])
    real, released, *others = (scale(side) for side in taken)
    released = released[seeds.stream(seed, "likeness").permutation(count)]  # of no account which was made from which
    other = others[0] if others else None
    where = "in a small net's features"
    taught = f" The net learnt from real pictures {'which way up they are' if turned else 'what their classes are'}."
    sizes = f"{count:,} released beside as many real pictures that trained"
    found = [_frechet(real, released, other, seed, where, sizes + ")." + taught)]
    tick("Fréchet distance")
    found.append(_kernel(real, released, other, where, sizes))
    tick("kernel distance")
    found += _manifolds(real, released, other, where)
    tick("precision and recall")
    return Outcome(scores={score.name: score for score in found})


def _frechet(real: Floats, released: Floats, other: Floats | None, seed: int, where: str, remark: str) -> Score:
    width = real.shape[1]
    random = seeds.stream(seed, "fréchet")
    beside = Moments.of(real)  # the same for the floor, so it stands for itself
    value, (low, high) = frechet_interval(released, beside, random)
    floor = None if other is None else frechet_distance(beside, Moments.of(other)) / width
    times = f" Here it is {value / width / floor:.1f} times that." if floor else ""
    return Score(
        "frechet_distance",
        value / width,
        "lower",
        interval=(low / width, high / width),
        ceiling=floor,
        meaning=f"How far apart means and covariances are {where}, as a share of the real pictures' own spread ({remark} "
        "Small samples are some way apart even where both are real; the ceiling is what unseen real pictures are."
        + times,
    )


def _kernel(real: Floats, released: Floats, other: Floats | None, where: str, sizes: str) -> Score:
    value, interval = kernel_distance(released, real)
    return Score(
        "kernel_distance",
        value,
        "lower",
        interval=interval,
        ceiling=None if other is None else kernel_distance(other, real)[0],
        meaning=f"How far apart moments up to the third are {where}, without bias: 0 where both are drawn alike ({sizes}). "
        "The ceiling is what unseen real pictures reach.",
    )


def _manifolds(real: Floats, released: Floats, other: Floats | None, where: str) -> list[Score]:
    if len(real) <= NEIGHBOURS:
        return []
    of_real = Manifold(real)
    balls = f"within reach of the {NEIGHBOURS}rd-nearest neighbour {where}"
    told: tuple[tuple[str, str, Callable[[Floats], NDArray[np.bool_]]], ...] = (
        ("precision", f"The share of released pictures that look like some real one: {balls}.", of_real.holds),
        (
            "recall",
            f"The share of real pictures that some released one looks like: {balls}.",
            lambda points: Manifold(points).holds(real),
        ),
    )
    scores = []
    for name, meaning, inside in told:
        hits = inside(released)
        scores.append(
            Score(
                name,
                float(hits.mean()),
                "higher",
                interval=wilson(float(hits.sum()), len(hits)),
                ceiling=None if other is None else float(inside(other).mean()),
                meaning=f"{meaning} The ceiling is what unseen real pictures reach.",
            )
        )
    return scores


def class_balance(sets: PictureSets) -> Outcome:
    """`class_balance`: how far the shares of the classes are apart, on whole sets."""
    real, released, holdout = sets.real, sets.released, sets.holdout
    if real.shares is None or released.shares is None:
        return Outcome()
    figure = _apart(real, released)
    beside = None if holdout is None or holdout.shares is None else _apart(real, holdout).value
    score = scored(
        "class_balance",
        figure,
        "lower",
        "Half the sum of the gaps between the shares of the classes: 0 where each is as frequent as among the real pictures. "
        "The ceiling is that of the pictures held back.",
        ceiling=beside,
    )
    return Outcome(scores={score.name: score})


def _apart(real: PictureSide, other: PictureSide) -> Figure:
    """Half the gaps, with the influences of as many pictures as the whole sets have."""
    counts = [np.rint(_shares(side) * side.count).astype(np.int64) for side in (real, other)]
    codes = [np.repeat(np.arange(1, len(count) + 1), count) for count in counts]
    influences = np.zeros(len(codes[0])), np.zeros(len(codes[1]))
    value = 1.0 - tv_complement(codes[0], codes[1], len(counts[0]) + 1, influences)
    return Figure(value, influences)


def _shares(side: PictureSide) -> NDArray[Any]:
    return np.empty(0) if side.shares is None else side.shares
