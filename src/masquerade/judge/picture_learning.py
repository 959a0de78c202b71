"""The small nets that judge pictures: one that real pictures train, whose features all are compared in, and classifiers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from masquerade import seeds
from masquerade.judge.picture_intake import PictureSide
from masquerade.nets.picture_classifier import PictureClassifier
from masquerade.progress import Progress

__all__ = ["TURNS", "Teacher", "turned"]

TURNS = 4
"""Ways to turn a picture, which a net tells apart where there are no classes (Gidaris et al. 2018, arXiv 1803.07728)."""

_PASSES = 20
_FEWEST, _MOST = 20_000, 240_000  # pictures that training sees
_TURNED = 60_000  # turned pictures that are held at most


class Teacher:
    """Trains nets of one kind on pictures of one shape.

    Args:
        shape: height, width, channels.
        classes: how many; 0: there are none, and nets learn which way up a picture is.
        seed: of the nets.
        seen: pictures that training sees; None: twenty times the set, from 20,000 to 240,000.
    """

    def __init__(self, shape: tuple[int, int, int], classes: int, seed: int, seen: int | None = None):
        self.shape, self.classes, self.seed, self._seen = shape, classes, seed, seen

    def train(
        self, side: PictureSide, name: str, told: Callable[[float], None] = lambda share: None
    ) -> PictureClassifier:
        """A net trained on a set.

        Args:
            side: the set, with classes where there are any.
            name: of the set.
            told: which share of the training is done.
        """
        images, labels = side.images, side.classes
        if not self.classes or labels is None:
            images, labels = turned(images, seeds.stream(self.seed, "turns", name))
        seen = min(max(_PASSES * len(images), _FEWEST), _MOST) if self._seen is None else self._seen
        net = PictureClassifier(self.shape, self.classes or TURNS, seen=seen)

        def pass_on(progress: Progress) -> None:
            if progress.stage == "train":
                told(min(progress.done / max(progress.total, 1e-9), 1.0))

        return net.fit(images, labels, seed=seeds.integer(self.seed, "net", name), callback=pass_on)


def turned(images: NDArray[np.uint8], random: np.random.Generator) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Pictures turned all four ways, or, of many, each in a random one; and which way it is.

    Square ones are turned by 0, 90, 180 and 270 degrees, others by 0 and 180 degrees, as they are and mirrored.
    """
    if len(images) * TURNS <= _TURNED:
        return np.concatenate([_turn(images, way) for way in range(TURNS)]), np.repeat(np.arange(TURNS), len(images))
    ways = random.integers(0, TURNS, len(images))
    out = np.empty_like(images)
    for way in range(TURNS):
        out[ways == way] = _turn(images[ways == way], way)
    return out, ways


def _turn(images: NDArray[np.uint8], way: int) -> NDArray[np.uint8]:
    if images.shape[1] == images.shape[2]:
        return np.ascontiguousarray(np.rot90(images, way, axes=(1, 2)))
    return np.ascontiguousarray(images[:, :: (-1 if way & 2 else 1), :: (-1 if way in (1, 2) else 1)])
