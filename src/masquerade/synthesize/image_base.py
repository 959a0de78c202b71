"""The contract of every synthesizer of pictures, and all that they share: pictures → arrays, and back.

A synthesizer of pictures is one class that says how to learn (`_learn`), how to draw (`_draw`), and what to save. Reading,
classes, seeds, ledgers and files are dealt with here.
"""

from __future__ import annotations

import secrets
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from masquerade import artifact, seeds
from masquerade.errors import ConditionError, SettingError, TableError, nearest
from masquerade.interrupts import keeping_model
from masquerade.pictures import LABEL, Pictures, check_classes
from masquerade.privacy.ledger import Ledger
from masquerade.synthesize.estimator import careful
from masquerade.synthesize.image_model import PictureModel
from masquerade.synthesize.image_source import open_pictures
from masquerade.synthesize.settings import check_count

__all__ = ["ImageSynthesizer", "as_pictures"]

LEAST_PICTURES = 10
CHUNK = 5_000
"""Pictures drawn at a time."""


def as_pictures(images: Any, labels: Any = None) -> Pictures:
    """What a user hands over as `Pictures`.

    Args:
        images: `Pictures`, the path of a picture set, or an array uint8 (n, height, width[, 3]).
        labels: classes beside an array: shape (n,), or a mapping of such arrays by name.

    Raises:
        TableError: shapes or types that do not fit.
        FileError: the path cannot be read.
        SettingError: labels beside something that has its own.
    """
    if isinstance(images, str | Path):
        images = open_pictures(images)
    if isinstance(images, Pictures):
        if labels is None:
            return images
        given = dict(labels) if isinstance(labels, Mapping) else {LABEL: np.asarray(labels)}
        return Pictures(images.images, {**images.labels, **given}, images.files)
    if labels is None:
        return Pictures(np.asarray(images))
    return Pictures(np.asarray(images), dict(labels) if isinstance(labels, Mapping) else {LABEL: np.asarray(labels)})


class ImageSynthesizer(PictureModel):
    """Learns a set of pictures and draws new ones.

    Attributes after `fit`, beside those of `PictureModel`:
        classes_: the classes, sorted; empty where the pictures have none.
    """

    classes_: NDArray[Any]
    _shares: NDArray[np.float64]

    # ── what a subclass says ───────────────────────────────────────────────────────────────────────────────────

    @abstractmethod
    def _check_settings(self) -> None:
        """Raise `SettingError` for a setting out of range, before any work."""

    @abstractmethod
    def _learn(self, images: NDArray[np.uint8], classes: NDArray[np.int32], seed: int) -> None:
        """Learn from pictures and the numbers of their classes (all 0 without classes)."""

    @abstractmethod
    def _draw(self, classes: NDArray[np.int32], seed: int, start: int) -> NDArray[np.uint8]:
        """A picture of each class; `start` pictures came before with this seed."""

    # ── fit and sample ─────────────────────────────────────────────────────────────────────────────────────────

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn from pictures.

        Args:
            X: an array uint8 of shape (n, height, width) or (n, height, width, 3), `Pictures`, or the path of a picture set;
                at least 10 pictures, height and width multiples of 4 from 8 to 64. It is not changed.
            y: the class of each picture, shape (n,); None: what `X` says, and without any the model is not conditional.

        Raises:
            TableError: pictures that cannot be modelled (the message says why and what to do).
            FileError: the path cannot be read.
            SettingError: a setting out of range.
            InterruptedTraining: Ctrl-C before there was anything to keep.
        """
        seed = self._seed()
        self._check_settings()
        pictures = as_pictures(X, y)
        self._take(pictures)
        numbers = np.zeros(len(pictures), np.int32)
        if self.classes_.size:
            numbers = np.searchsorted(self.classes_, pictures.labels[LABEL]).astype(np.int32)
        self._shares = np.bincount(numbers, minlength=max(self.classes_.size, 1)) / len(pictures)
        self.ledger_ = Ledger(unit="picture", mechanism=type(self).__name__)
        self.interrupted_, self._calls, self.history_ = False, 0, []
        with keeping_model(self):
            self._learn(pictures.images, numbers, seeds.integer(seed, "learn"))
        return self

    def _take(self, pictures: Pictures) -> None:
        """Check that the pictures can be modelled, and keep their shape and classes."""
        if len(pictures) < LEAST_PICTURES:
            raise TableError(f"images: got {len(pictures)} pictures, expected at least {LEAST_PICTURES}.")
        self._take_shape(pictures)
        if LABEL in pictures.labels:
            check_classes(pictures)
        self.classes_ = pictures.classes

    def _take_shape(self, pictures: Pictures) -> None:
        """Check that pictures of this size can be modelled, and keep their shape."""
        height, width = pictures.size
        if not _has_nets(height, width):
            raise TableError(
                f"images: got {height} x {width} pixels, expected multiples of 4 from 8 to 64; "
                "read them with size=(28, 28), say."
            )
        self.shape_ = (height, width, pictures.channels)

    def sample(self, n: int | None = None, given: Any = None, random_state: int | None = None) -> Pictures:
        """Draw new pictures.

        Args:
            n: how many; None: as many as classes are given.
            given: `{"label": c}`, all of class c; `{"label": [c, ...]}`, one picture of each; None: classes by their share
                of the training pictures.
            random_state: seed; None: the next draw of this model, reproducible when the model itself was given a seed.

        Returns:
            `Pictures` with the class of each as `labels["label"]`, where there are classes.

        Raises:
            ConditionError: a label or class that the model does not know.
        """
        chunks = list(self.sample_chunks(n, given, random_state))
        labels = {LABEL: np.concatenate([c.labels[LABEL] for c in chunks])} if self.classes_.size else {}
        return Pictures(np.concatenate([c.images for c in chunks]), labels)

    def sample_chunks(
        self, n: int | None = None, given: Any = None, random_state: int | None = None, *, chunk_pictures: int = CHUNK
    ) -> Iterator[Pictures]:
        """`sample` as a stream of at most `chunk_pictures` pictures each, so that memory stays small."""
        self._check_fitted()
        seed = self._sampling_seed(random_state)
        numbers = self._numbers(n, given, seed)
        return self._chunks(numbers, seed, chunk_pictures)

    def _chunks(self, numbers: NDArray[np.int32], seed: int, size: int) -> Iterator[Pictures]:
        for start in range(0, max(len(numbers), 1), size):
            with artifact.doubted(self._file):
                part = numbers[start : start + size]
                labels = {LABEL: self.classes_[part]} if self.classes_.size else {}
                made = Pictures(self._draw(part, seeds.integer(seed, "draw", start), start), labels)
            yield made

    def _sampling_seed(self, random_state: int | None) -> int:
        if random_state is not None:
            return seeds.check_seed(random_state)
        self._calls += 1
        return secrets.randbits(63) if self.random_state is None else seeds.integer(self._seed(), "sample", self._calls)

    @careful
    def _numbers(self, n: int | None, given: Any, seed: int) -> NDArray[np.int32]:
        """The number of each picture's class."""
        if n is not None:
            check_count("n", n, least=0)
        if given is None or not len(given):
            if n is None:
                raise SettingError("n: got None, expected how many pictures to draw.")
            return seeds.stream(seed, "classes").choice(len(self._shares), n, p=self._shares).astype(np.int32)
        unknown = [name for name in given if name != LABEL]
        if unknown or not self.classes_.size:
            got = unknown[0] if unknown else LABEL
            known = f"the model knows {LABEL!r} only" if self.classes_.size else "the model was fitted without labels"
            raise ConditionError(f"given: got {got!r}, and {known}{nearest(str(got), [LABEL])}.")
        values = given[LABEL]
        wanted = [values] * (n or 0) if np.ndim(values) == 0 else list(values)
        if np.ndim(values) == 0 and n is None:
            raise SettingError("n: got None, expected how many pictures of that class to draw.")
        if n is not None and len(wanted) != n:
            raise SettingError(f"n: got {n}, but {len(wanted)} classes are given; leave one of them out.")
        place = {str(value): i for i, value in enumerate(self.classes_.tolist())}
        for value in {str(v): v for v in wanted}.values() if n != 0 else [values]:
            if str(value) not in place:
                raise ConditionError(
                    f"given: there is no class {value!r}, expected one of "
                    f"{', '.join(map(str, self.classes_.tolist()[:20]))}{nearest(str(value), place)}."
                )
        return np.array([place[str(value)] for value in wanted], np.int32)

    # ── save and load ──────────────────────────────────────────────────────────────────────────────────────────

    def _to_facts(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        return {"classes": self.classes_.tolist()}, {"shares": self._shares}

    def _from_facts(self, config: Mapping[str, Any], arrays: dict[str, NDArray[Any]]) -> None:
        if not _has_nets(*self.shape_[:2]):
            raise ValueError(f"pictures of {self.shape_[0]} x {self.shape_[1]} pixels")
        self.classes_, self._calls = np.array(config["classes"]), 0
        self._shares = arrays.pop("shares")

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "_shares")


def _has_nets(height: int, width: int) -> bool:
    """Whether there are nets for pictures of this size."""
    return height % 4 == 0 and width % 4 == 0 and 8 <= height <= 64 and 8 <= width <= 64
