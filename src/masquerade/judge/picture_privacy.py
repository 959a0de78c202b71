"""What released pictures tell of those that trained: copies, nearness, and attackers who ask who was in the set."""

from __future__ import annotations

import dataclasses
import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from masquerade import seeds
from masquerade.judge.figures import Outcome
from masquerade.judge.intake import warn
from masquerade.judge.membership import LEAST, PEOPLE, told_of
from masquerade.judge.picture_intake import PictureSets, PictureSide
from masquerade.judge.scores import Score
from masquerade.judge.workers import one_thread
from masquerade.judge.worst import auc
from masquerade.metrics.euclid import nearest_point
from masquerade.metrics.intervals import newcombe
from masquerade.metrics.memorisation import nearer_share

if TYPE_CHECKING:
    from masquerade.nets.picture_classifier import PictureClassifier

__all__ = ["Neighbours", "copies", "membership", "memorisation"]

LARGEST_SIDE = 32
"""Larger pictures are averaged down before their distances are measured."""

QUERIES = 10_000
_MULTIPLICATIONS = 1e11  # of one search: some seconds
_SURE = 3.0  # standard deviations
_NOT_A_GUARANTEE = " A distance is not a guarantee."


@dataclass(frozen=True)
class Neighbours:
    """Released pictures and the nearest real ones.

    Args:
        released: those that looked for neighbours.
        train: those that trained among which they looked.
        index: which of these is the nearest, shape (released,).
        to_train: how far it is, as the root of the mean squared difference of pixels, shape (released,).
        to_holdout: how far the nearest one of the holdout is.
    """

    released: PictureSide
    train: PictureSide
    index: NDArray[np.intp]
    to_train: NDArray[np.float64]
    to_holdout: NDArray[np.float64]


def copies(sets: PictureSets) -> Outcome:
    """`exact_copies`: the share of released pictures equal to one that trained, less the same share of the holdout."""
    if sets.holdout is None:
        return Outcome()
    known = set(_digests(sets.real))
    found = [[digest in known for digest in _digests(side)] for side in (sets.released, sets.holdout)]
    share, chance = (float(np.mean(hits)) for hits in found)
    score = Score(
        "exact_copies",
        share - chance,
        "lower",
        interval=newcombe(sum(found[0]), len(found[0]), sum(found[1]), len(found[1])),
        ceiling=0.0,
        meaning="The share of released pictures that equal one that trained pixel by pixel, less that of unseen ones.",
    )
    return Outcome(scores={score.name: score})


def _digests(side: PictureSide) -> list[bytes]:
    return [hashlib.blake2b(image.tobytes(), digest_size=16).digest() for image in side.images]


def memorisation(sets: PictureSets, seed: int, *, kept: bool = False) -> tuple[Outcome, Neighbours | None]:
    """`memorisation`: how often a released picture's nearest real one trained, among as many that did not; by pixels.

    Args:
        sets: what is judged.
        seed: of the samples.
        kept: whether each released picture was made from a real one.
    """
    if sets.holdout is None:
        return Outcome(), None
    width = math.prod(_small(sets.real.images[:1]).shape[1:])
    most = min(QUERIES, math.isqrt(int(_MULTIPLICATIONS / width)))
    count = min(len(sets.real), len(sets.holdout), most)
    released = sets.released.sample(most, seed, "queries")
    train, holdout = sets.real.sample(count, seed, "train"), sets.holdout.sample(count, seed, "held back")
    points = _points(released)
    (to_train, index), (to_holdout, other) = (nearest_point(points, _points(side)) for side in (train, holdout))
    share, interval = nearer_share(to_train, index, to_holdout, other)
    score = Score(
        "memorisation",
        share,
        "half",
        interval=interval,
        ceiling=0.5,
        meaning=f"How often the nearest real picture of a released one, by pixels, is one that trained, among {count:,} that "
        f"trained and as many unseen ones, for {len(points):,} released ones; ½ means that those that trained are no nearer."
        + (" Each of these was made from a real one, and what it keeps of that brings it near." if kept else "")
        + _NOT_A_GUARANTEE,
    )
    near = Neighbours(released, train, index, np.sqrt(to_train / width), np.sqrt(to_holdout / width))
    return Outcome(scores={score.name: score}), near


def _small(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Pictures averaged over squares of pixels, at most 32 of them a side."""
    count, height, width, channels = images.shape
    by = -(-max(height, width) // LARGEST_SIDE)
    if by == 1:
        return images.astype(np.float32)
    padded = np.pad(images, ((0, 0), (0, -height % by), (0, -width % by), (0, 0)), mode="edge")
    squares = padded.reshape(count, -(-height // by), by, -(-width // by), by, channels)
    small: NDArray[np.float32] = squares.mean(axis=(2, 4), dtype=np.float32)
    return small


def _points(side: PictureSide) -> NDArray[np.float32]:
    """Pixels in a row, around grey, so that little is lost to rounding."""
    flat = _small(side.images).reshape(len(side), -1)
    flat -= np.float32(127.5)
    return flat


def membership(
    sets: PictureSets, net: PictureClassifier | None, seed: int, ceilings: Mapping[str, float] | None = None
) -> Outcome:
    """How well attackers who hold a picture and the release tell whether the picture trained.

    One looks how near the nearest released picture is, beside the nearest of other real pictures that nobody is asked about.
    Where released pictures have classes, two more hold a net that released pictures trained: one compares in its features, and
    one asks how surely it knows the picture's class (Yeom et al. 2018, arXiv 1709.01604). The worst is told without flattery,
    as in `masquerade.judge.membership`.

    Args:
        sets: the pictures.
        net: one that released pictures trained, or None.
        seed: of the choice of pictures.
        ceilings: what a guarantee allows, as from `masquerade.judge.ceilings.guaranteed_ceilings`, or None.

    Returns:
        `membership_auc` and `membership_tpr_at_1pct_fpr`; nothing without 100 pictures that trained, 100 released and 200 held
        back.
    """
    holdout = sets.holdout
    count = min(PEOPLE, len(sets.real), len(holdout) // 2 if holdout is not None else 0)
    if holdout is None or count < LEAST or len(sets.released) < LEAST:
        return Outcome()
    random = seeds.stream(seed, "membership")
    order = random.permutation(len(holdout))
    members = sets.real.rows(random.permutation(len(sets.real))[:count])
    others = holdout.rows(order[:count])
    reference = holdout.rows(np.sort(order[count:])).sample(QUERIES, seed, "membership reference")
    width = math.prod(_small(sets.real.images[:1]).shape[1:])
    released = sets.released.sample(int(_MULTIPLICATIONS / width / (2 * count)), seed, "membership released")
    asked = dataclasses.replace(members, images=np.concatenate([members.images, others.images]))
    if members.classes is not None and others.classes is not None:
        asked = dataclasses.replace(asked, classes=np.concatenate([members.classes, others.classes]))
    points = [_points(side) for side in (asked, released, reference)]
    scores = {"nearest_pixels": _nearer(*points)}
    _check_holdout(np.sqrt(nearest_point(points[0], points[2])[0]), count)
    if net is not None:
        scores["nearest_features"] = _nearer(*(net.features(side.images) for side in (asked, released, reference)))
        if asked.classes is not None:
            sure = net.probabilities(asked.images)[np.arange(2 * count), asked.classes].astype(np.float64)
            scores["sureness"] = sure
    split = {name: (told[:count], told[count:]) for name, told in scores.items()}
    with one_thread():
        return told_of(split, references=len(reference), ceilings=ceilings, things="pictures")


def _check_holdout(apart: NDArray[np.float64], count: int) -> None:
    """Warn where training pictures are told from those held back without any release: then nothing here is about the release.

    Args:
        apart: how far each picture that is asked about is from the nearest of the holdout's others, members first.
        count: how many members there are.
    """
    value, (low, high) = auc(apart[:count], apart[count:], _SURE)
    if not low <= 0.5 <= high:
        warn(
            "holdout: it is no random part of the same set: without any release its pictures are told from those that trained "
            f"(AUC {max(value, 1 - value):.3f}). memorisation and membership_auc count this in; hold out a random part instead."
        )


def _nearer(
    asked: NDArray[np.float32], released: NDArray[np.float32], reference: NDArray[np.float32]
) -> NDArray[np.float64]:
    """How much nearer the nearest released point is than the nearest reference point, as the log of their ratio."""
    near, far = (nearest_point(asked, points)[0] for points in (released, reference))
    tiny = 1e-6 * float(np.mean(far)) + 1e-12
    log: NDArray[np.float64] = np.log((far + tiny) / (near + tiny))
    return log
