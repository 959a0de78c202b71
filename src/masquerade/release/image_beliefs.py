"""What class a picture with a hidden region is of, as nets tell that never saw it: fills go by it where nobody says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from masquerade import seeds
from masquerade.nets.picture_classifier import SEEN, PictureClassifier
from masquerade.nets.picture_filling import boxes
from masquerade.nets.picture_nets import Shape
from masquerade.nets.weights import from_arrays, to_arrays
from masquerade.progress import Callback

__all__ = ["Beliefs"]

ASKED = 0.9
"""Share of the pictures that have a region which will be asked for; the others have boxes anywhere."""

MOST = 60_000
"""Pictures of a half that its net learns from."""

PASSES, LEAST_SEEN = 20, 8_000
"""A net sees each picture so many times, and so many pictures at least, but no more than any classifier here."""


class Beliefs:
    """Two classifiers of pictures with holes, each of one half of the pictures; either judges the other half's.

    Args:
        shape: of the pictures: height, width, channels.
        classes: how many.
    """

    def __init__(self, shape: Shape, classes: int):
        self._shape, self._classes = shape, classes
        self._nets = (self._fresh(LEAST_SEEN), self._fresh(LEAST_SEEN))

    def _fresh(self, seen: int) -> PictureClassifier:
        height, width, channels = self._shape
        return PictureClassifier((height, width, channels + 1), self._classes, seen=seen)

    def fit(
        self,
        images: NDArray[np.uint8],
        classes: NDArray[np.int32],
        second: NDArray[np.bool_],
        masks: NDArray[np.bool_],
        *,
        seed: int,
        max_seconds: float | None = None,
        callback: Callback = lambda progress: None,
    ) -> Beliefs:
        """Learn, each net from its half.

        Args:
            images: uint8 (n, height, width, channels).
            classes: of each picture, shape (n,), from 0; -1: not known, and it is not learned from.
            second: which pictures are of the second half, shape (n,).
            masks: booleans (m, height, width): regions that will be asked for.
            seed: of the first weights and all chance.
            max_seconds: wall-clock limit of both together; None: none.
            callback: told how far training is.

        Raises:
            InterruptedTraining: Ctrl-C.
        """
        found = []
        for half, own in enumerate((~second, second)):
            draws = seeds.stream(seed, "half", half)
            chosen = np.sort(draws.permutation(np.flatnonzero(own & (classes >= 0)))[:MOST])
            asked = masks[draws.integers(len(masks), size=len(chosen))]
            anywhere = np.asarray(boxes(jnp.asarray(draws.random((4, len(chosen)), np.float32)), self._shape))
            hidden = np.where((draws.random(len(chosen)) < ASKED)[:, None, None], asked, anywhere)
            net = self._fresh(int(np.clip(PASSES * len(chosen), LEAST_SEEN, SEEN)))
            net.fit(
                _holed(images[chosen], hidden),
                classes[chosen].astype(np.int64),
                seed=seeds.integer(seed, "net", half),
                max_seconds=None if max_seconds is None else max_seconds / 2,
                callback=callback,
            )
            found.append(net)
        self._nets = (found[0], found[1])
        return self

    def likeliest(self, images: NDArray[np.uint8], hidden: NDArray[np.bool_], half: int) -> NDArray[np.int32]:
        """The likeliest class of each picture by the net of one half, shape (n,).

        Args:
            images: uint8 (n, height, width, channels); their hidden pixels are not looked at.
            hidden: booleans (n, height, width).
            half: 0 or 1.
        """
        return self._nets[half].predict(_holed(images, hidden)).astype(np.int32)

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Both nets' weights by name."""
        return {
            f"{half}{name}": array
            for half, net in enumerate(self._nets)
            for name, array in to_arrays(net.weights).items()
        }

    def take(self, arrays: Mapping[str, NDArray[Any]]) -> Beliefs:
        """The reverse of `to_arrays`."""
        for half, net in enumerate(self._nets):
            own = {name[1:]: array for name, array in arrays.items() if name.startswith(str(half))}
            net.weights = from_arrays(net.skeleton(), own)
        return self


def _holed(images: NDArray[np.uint8], hidden: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Pictures black where they are hidden, and the mask as one more channel."""
    hole = hidden[..., None]
    return np.concatenate([np.where(hole, np.uint8(0), images), np.where(hole, np.uint8(255), np.uint8(0))], axis=3)
