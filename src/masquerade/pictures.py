"""`Pictures`: a set of pictures of one size and mode, with labels, as arrays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from masquerade.errors import TableError, nearest

__all__ = ["LABEL", "Pictures", "check_classes", "join"]

LABEL = "label"
"""The name of the label that says what is on a picture: its class."""


@dataclass(frozen=True)
class Pictures:
    """Pictures and what is known of each.

    Args:
        images: uint8, shape (n, height, width, channels) with 1 channel (grey) or 3 (red, green, blue), 0 to 255; of grey
            pictures also (n, height, width).
        labels: by name, one array of shape (n,) each: integers or texts. `"label"` is the class.
        files: the file that each picture came from; empty where they came from one file.

    Raises:
        TableError: shapes or types that do not fit together.

    >>> digits = Pictures(np.zeros((5, 8, 8), np.uint8), {"label": np.arange(5)})
    >>> digits.images.shape, len(digits), digits.classes.tolist()
    ((5, 8, 8, 1), 5, [0, 1, 2, 3, 4])
    """

    images: NDArray[np.uint8]
    labels: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    files: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        images = np.asarray(self.images)
        if images.ndim == 3:
            images = images[..., None]
        if images.ndim != 4 or images.shape[3] not in (1, 3):
            raise TableError(
                f"images: got an array of shape {np.shape(self.images)}, expected (n, height, width) or "
                "(n, height, width, 3)."
            )
        if images.dtype != np.uint8:
            raise TableError(f"images: got numbers of type {images.dtype}, expected uint8 from 0 to 255.")
        labels = {name: np.asarray(values) for name, values in self.labels.items()}
        for name, values in labels.items():
            if values.shape != (len(images),):
                raise TableError(
                    f"label {name!r}: got {values.shape} values for {len(images)} pictures, expected one each."
                )
        object.__setattr__(self, "images", images)
        object.__setattr__(self, "labels", labels)

    def __len__(self) -> int:
        return len(self.images)

    def __iter__(self) -> Iterator[Any]:
        """Images (grey ones without their channel) and classes, so that `images, labels = pictures` works."""
        yield self.images[..., 0] if self.images.shape[3] == 1 else self.images
        yield self.labels.get(LABEL)

    def __getitem__(self, index: Any) -> Pictures:
        """A selection of pictures."""
        chosen = np.atleast_1d(np.arange(len(self))[index])
        files = tuple(self.files[i] for i in chosen) if self.files else ()
        return Pictures(self.images[chosen], {k: v[chosen] for k, v in self.labels.items()}, files)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.images.shape[1], self.images.shape[2]

    @property
    def channels(self) -> int:
        """1 for grey, 3 for colour."""
        return int(self.images.shape[3])

    @property
    def mode(self) -> str:
        """`"grey"` or `"RGB"`."""
        return "grey" if self.channels == 1 else "RGB"

    def counts(self, label: str = LABEL) -> dict[Any, int]:
        """How many pictures have each value of a label, in their order; empty where there is no such label."""
        if label not in self.labels:
            return {}
        values, counts = np.unique(self.labels[label], return_counts=True)
        return dict(zip(values.tolist(), counts.tolist(), strict=True))

    @property
    def classes(self) -> NDArray[Any]:
        """The different classes, sorted; empty where there are no labels."""
        return np.unique(self.labels[LABEL]) if LABEL in self.labels else np.empty(0)


def check_classes(pictures: Pictures, least: int = 2, *, label: str = LABEL) -> None:
    """Refuse to learn from classes of which there are too few pictures.

    Args:
        pictures: those to learn from.
        least: how many of each class there must be.
        label: the label whose values are the classes.

    Raises:
        TableError: there is no such label, or a class with fewer pictures; it is named.

    >>> check_classes(Pictures(np.zeros((3, 8, 8), np.uint8), {"label": np.array(["cat", "cat", "dog"])}))
    Traceback (most recent call last):
    masquerade.errors.TableError: label 'label': the class 'dog' has 1 picture, expected at least 2; add some, or leave it out.
    """
    if label not in pictures.labels:
        known = ", ".join(pictures.labels) or "none"
        raise TableError(
            f"label {label!r}: the pictures have no such label{nearest(label, pictures.labels)}, but {known}."
        )
    for level, count in pictures.counts(label).items():
        if count < least:
            noun = "picture" if count == 1 else "pictures"
            raise TableError(
                f"label {label!r}: the class {level!r} has {count} {noun}, expected at least {least}; add some, or "
                "leave it out."
            )


def join(first: Pictures, second: Pictures) -> Pictures:
    """The pictures of one set, then those of another, without their files; labels that only one of them has are left out.

    Raises:
        TableError: their sizes or modes differ, or a label is of integers in one and of texts in the other.

    >>> one = Pictures(np.zeros((2, 8, 8), np.uint8), {"label": np.arange(2)})
    >>> len(join(one, one))
    4
    """
    if first.images.shape[1:] != second.images.shape[1:]:
        raise TableError(
            f"pictures: got {second.images.shape[1:]} (height, width, channels) to go with {first.images.shape[1:]}, "
            "expected them alike."
        )
    for name in set(first.labels) & set(second.labels):
        kinds = [pictures.labels[name].dtype.kind in "US" for pictures in (first, second)]
        if kinds[0] != kinds[1]:
            raise TableError(
                f"label {name!r}: it is of integers in one set and of texts in the other, expected the same."
            )
    labels = {
        name: np.concatenate([values, second.labels[name]])
        for name, values in first.labels.items()
        if name in second.labels
    }
    return Pictures(np.concatenate([first.images, second.images]), labels)
