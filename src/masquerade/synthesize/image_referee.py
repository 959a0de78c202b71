"""Judges a GAN of pictures in training: is it like pictures it never saw, and does it creep close to those it did?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from masquerade import seeds
from masquerade.metrics.euclid import nearest_point
from masquerade.metrics.frechet import Moments, frechet_distance
from masquerade.metrics.intervals import wilson
from masquerade.nets.picture_classifier import PictureClassifier
from masquerade.progress import Callback

__all__ = ["ImageReferee"]

HELD_SHARE = 0.1
MOST_HELD = 5_000
MOST_TAUGHT = 60_000
"""Pictures that the net whose features are compared learns from."""

DRAWN = 2_000
"""Pictures drawn for a judgement."""

SUSPECT = -1e9
"""The score of a generator that has learnt pictures by heart; finite, so that it can be written down."""

MOST_KNOWN = 20_000
"""Training pictures that drawn ones are searched for."""

STRANGE = 0.5
"""A drawn picture within this share of the distance at which one in a hundred held-out pictures lies from the nearest
training picture is a copy of that one."""

MOST_COPIED = 0.01
"""The share of copies from which on a generator has learnt by heart."""

LEAST_NEAR = 30
"""Real pictures that drawn ones must lie near to before a share of them tells anything."""

SURE = 3.1
"""Standard deviations from one half that count as leaning: one in a thousand, for a training is judged some thirty times, and
always beside the same held-out pictures, whose luck would end it."""

PASSES = 4
"""Passes over the training pictures by the net whose features are compared."""


class ImageReferee:
    """Holds pictures out of training, and scores what a generator draws.

    The score is less the Fréchet distance to the held-out pictures, in the features of a small net that learnt to tell the
    training pictures' classes apart (without classes: which of them stand on their heads). Of what is drawn as near to a
    real picture as real pictures are to one another, significantly more than half may not lie nearer to training pictures
    than to held-out ones, nor may one in a hundred be a copy of a training picture: else the score is `SUSPECT`, for utility
    can go on rising while a generator learns its training pictures by heart.

    Args:
        images: uint8 (n, height, width, channels).
        classes: their classes.
        count: how many classes; 0: there are none.
        seed: of the choice of pictures and of the net.
        callback: told how far the net is.

    Attributes:
        training: which pictures train.
        held: which are held out.
    """

    def __init__(
        self, images: NDArray[np.uint8], classes: NDArray[np.int32], count: int, seed: int, callback: Callback
    ):
        order = seeds.stream(seed, "held").permutation(len(images))
        held = min(max(round(HELD_SHARE * len(images)), 2), MOST_HELD)
        self.held, self.training = np.sort(order[:held]), np.sort(order[held:])
        self._classes, self._seed = classes[self.held], seed
        taught = self.training
        if len(taught) > MOST_TAUGHT:
            taught = np.sort(seeds.stream(seed, "taught").choice(taught, MOST_TAUGHT, replace=False))
        known = images[taught]
        labels, kinds = classes[taught], count
        if count < 2:
            known, labels, kinds = turned(known, seed)
        shape = (images.shape[1], images.shape[2], images.shape[3])
        net = PictureClassifier(shape, kinds, seen=int(np.clip(PASSES * len(known), 20_000, 120_000)))
        self._net = net.fit(known, labels, seed=seeds.integer(seed, "net"), callback=callback)
        self._unseen = flat(images[self.held])
        chosen = seeds.stream(seed, "equal").permutation(self.training)[:held]
        self._seen = flat(images[chosen])
        self._features = Moments.of(self._net.features(images[self.held]))
        self._usual = float(np.quantile(nearest_point(self._unseen, self._seen)[0], 0.9))
        self._known = flat(images[seeds.stream(seed, "known").permutation(self.training)[:MOST_KNOWN]])
        self._strange = STRANGE**2 * float(np.quantile(nearest_point(self._unseen, self._known)[0], 0.01))

    def classes_to_draw(self, shares: NDArray[np.float64]) -> NDArray[np.int32]:
        """The classes of the pictures that `judge` wants."""
        return seeds.stream(self._seed, "draw").choice(len(shares), DRAWN, p=shares).astype(np.int32)

    def judge(self, drawn: NDArray[np.uint8]) -> dict[str, float]:
        """`score`, `frechet_distance` and `memorisation` of drawn pictures."""
        distance = frechet_distance(self._features, Moments.of(self._net.features(drawn)))
        seen, place = nearest_point(flat(drawn), self._seen)
        unseen, other = nearest_point(flat(drawn), self._unseen)
        nearer = (seen < unseen) + 0.5 * (seen == unseen)
        near = np.minimum(seen, unseen) <= self._usual
        # Many drawn pictures may lean on one real picture: as a sample they count for no more than the pictures they lean on.
        leaned = len(set(place[near & (seen <= unseen)].tolist())) + len(set(other[near & (seen > unseen)].tolist()))
        leans = leaned >= LEAST_NEAR and wilson(float(nearer[near].mean()) * leaned, leaned, SURE)[0] > 0.5
        copied = float((nearest_point(flat(drawn), self._known)[0] < self._strange).mean())
        suspected = leans or copied > MOST_COPIED
        return {
            "score": SUSPECT if suspected else -distance,
            "frechet_distance": distance,
            "memorisation": float(nearer.mean()),
        }


def flat(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Pictures as points: one row of grey levels each."""
    return images.reshape(len(images), -1).astype(np.float32)


def turned(images: NDArray[np.uint8], seed: int) -> tuple[NDArray[np.uint8], NDArray[np.int32], int]:
    """Pictures half of which stand on their heads, and which of them do: what a net can learn without classes."""
    flipped = seeds.stream(seed, "turn").random(len(images)) < 0.5
    result = images.copy()
    result[flipped] = result[flipped, ::-1, ::-1]
    return result, flipped.astype(np.int32), 2
