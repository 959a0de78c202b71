"""What synthesizers of pictures under a guarantee share: declared classes, noised counts, and noised mean embeddings.

Public are the pictures' size and channels, the declared classes, and the settings; whatever else is told of the pictures is
noised, and paid for before it is looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from masquerade.errors import SettingError, TableError
from masquerade.nets.picture_merf import WindowFeatures
from masquerade.pictures import LABEL, Pictures
from masquerade.privacy.accountant import Accountant
from masquerade.privacy.budget import Privacy
from masquerade.privacy.events import Event, discrete_gaussian, gaussian
from masquerade.privacy.noise import noised_counts
from masquerade.privacy.sums import GRID, bounded_rows, longest, noised_sums
from masquerade.synthesize.image_base import LEAST_PICTURES
from masquerade.synthesize.image_net import BLOCK

__all__ = [
    "Counted",
    "check_guarantee",
    "class_numbers",
    "class_sums",
    "count_classes",
    "declared_classes",
    "embedding_event",
    "noised_means",
]

COUNTING = 0.02
"""Share of the budget for the number of pictures of each class."""


def check_guarantee(privacy: Any, random_state: int | None) -> None:
    """Refuse what is no guarantee for pictures.

    Raises:
        SettingError: not a `Privacy`, a unit other than the picture, or a seed.
    """
    if not isinstance(privacy, Privacy):
        raise SettingError(f"privacy: got {privacy!r}, expected masquerade.Privacy(epsilon=..., delta=...).")
    if privacy.unit is not None or privacy.rows_per_unit != 1:
        raise SettingError("privacy: got a unit, but each picture is its own; leave unit and rows_per_unit out.")
    if random_state is not None:
        raise SettingError(
            f"random_state: got {random_state} with a private fit, whose noise must stay unknown: a published seed undoes it; "
            "leave the seed out."
        )


def declared_classes(classes: Any) -> NDArray[Any]:
    """The declared classes, sorted; empty where there are none.

    Raises:
        SettingError: not a list of different integers, or of different texts.

    >>> declared_classes(["b", "a"]).tolist()
    ['a', 'b']
    """
    if classes is None:
        return np.empty(0)
    listed = [] if isinstance(classes, str) else [v.item() if isinstance(v, np.generic) else v for v in classes]
    kinds = {type(value) for value in listed}
    if not listed or (kinds != {int} and kinds != {str}):
        raise SettingError(f"classes: got {classes!r}, expected a list of integers or of texts, such as [0, 1].")
    if len(set(listed)) < len(listed):
        raise SettingError("classes: one is listed twice, expected each once.")
    return np.array(sorted(listed))


def class_numbers(pictures: Pictures, classes: NDArray[Any]) -> NDArray[np.int32]:
    """The number of each picture's declared class; -1 for another.

    Raises:
        SettingError: pictures have classes, and none are declared.
        TableError: classes are declared, and pictures have none.
    """
    if not classes.size:
        if LABEL in pictures.labels:
            raise SettingError(
                "classes: the pictures have classes, and which there are must be public under a guarantee; name all that there "
                "may be: classes=[0, 1, 2] (--classes 0,1,2)."
            )
        return np.zeros(len(pictures), np.int32)
    if LABEL not in pictures.labels:
        raise TableError("label: classes are declared and the pictures have none; hand them over as y.")
    place = {str(value): i for i, value in enumerate(classes.tolist())}
    levels, inverse = np.unique(pictures.labels[LABEL], return_inverse=True)
    return np.array([place.get(str(level), -1) for level in levels.tolist()], np.int32)[inverse.ravel()]


@dataclass(frozen=True)
class Counted:
    """The account of a fit, and the number of pictures as it may be known.

    Args:
        accountant: what the rest is spent with.
        kept: noised number of each class, at least 1.
        total: noised number of all.
    """

    accountant: Accountant
    kept: NDArray[np.int64]
    total: float

    @property
    def shares(self) -> NDArray[np.float64]:
        """The noised share of each class."""
        shares: NDArray[np.float64] = self.kept / self.kept.sum()
        return shares


def count_classes(privacy: Privacy, numbers: NDArray[np.int32], kinds: int) -> Counted:
    """Open the account of a fit and spend the first of it on the number of pictures of each class.

    Args:
        privacy: the budget.
        numbers: each picture's class, from 0.
        kinds: how many classes there may be.

    Raises:
        SettingError: δ is above 1 / pictures, counted with noise.
        TableError: too few pictures, counted with noise.
    """
    accountant = Accountant(privacy, "picture")
    sigma = accountant.sigma(COUNTING)
    accountant.spend(discrete_gaussian(sigma, stage="marginals", what="pictures of each class"))
    counts = noised_counts(np.bincount(numbers, minlength=kinds), sigma)
    total = max(float(counts.sum()), 1.0)
    accountant.check_delta(total)
    if total < LEAST_PICTURES:
        raise TableError(
            f"images: there are about {total:.0f} pictures, counted with noise; expected at least {LEAST_PICTURES}."
        )
    return Counted(accountant, np.maximum(counts, 1), total)


def embedding_event(sigma: float) -> Event:
    """What noised mean embeddings of all classes are charged as: a picture adds one vector of bounded length to one class."""
    return gaussian(sigma, stage="training", what="mean embedding of each class")


def class_sums(
    features: WindowFeatures, images: NDArray[np.uint8], numbers: NDArray[np.int32], kinds: int
) -> NDArray[np.int64]:
    """The sum of the rounded features of each class: private until it is noised."""
    sums = np.zeros((kinds, features.width), np.int64)
    for start in range(0, len(images), BLOCK):
        rows = bounded_rows(features.whole(images[start : start + BLOCK], GRID))
        which = numbers[start : start + BLOCK]
        for kind in np.unique(which):
            sums[kind] += rows[which == kind].sum(axis=0)
    return sums


def noised_means(
    counted: Counted, sigma: float, features: WindowFeatures, images: NDArray[np.uint8], numbers: NDArray[np.int32]
) -> NDArray[np.float32]:
    """The noised mean embedding of each class, shape (classes, features); paid for here, before the pictures are looked at.

    Args:
        counted: the account, and the noised numbers that sums are divided by.
        sigma: noise multiplier.
        features: what embeds.
        images: pictures uint8 (n, height, width, channels).
        numbers: their classes.

    Raises:
        SettingError: it does not fit what is left of the budget.
    """
    counted.accountant.spend(embedding_event(sigma))
    sums = noised_sums(class_sums(features, images, numbers, len(counted.kept)), sigma * longest(features.width))
    return (sums / (GRID * counted.kept[:, None])).astype(np.float32)
