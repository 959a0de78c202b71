"""More pictures where there are few: altered copies of real ones, or new ones of a generator until classes are level."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np

from masquerade.errors import MasqueradeWarning, SettingError, TableError
from masquerade.pictures import LABEL, Pictures, check_classes, join
from masquerade.picturing.augmenting import alter, with_given
from masquerade.seeds import check_seed, integer, stream

__all__ = ["ALTERED", "SYNTHETIC", "PictureModel", "altered_copies", "as_pictures", "levelled"]

ALTERED = "altered"
"""Name of the label that flags altered copies."""
SYNTHETIC = "synthetic"
"""Name of the label that flags drawn pictures."""


class PictureModel(Protocol):
    """What can draw pictures of a class."""

    def sample(self, n: int, given: Mapping[str, Any] | None = None, random_state: int | None = None) -> Pictures:
        """So many pictures, all with these labels."""
        ...


def as_pictures(given: Any) -> Pictures | None:
    """Pictures as they are, or made of an array of pictures or a pair of arrays `(images, labels)`; None: something else.

    >>> len(as_pictures((np.zeros((3, 8, 8), np.uint8), [0, 1, 1])))
    3
    """
    if isinstance(given, Pictures):
        return given
    images, labels = given if isinstance(given, tuple) and len(given) == 2 else (given, None)
    if not isinstance(images, np.ndarray) or images.ndim not in (3, 4):
        return None
    return Pictures(images, {} if labels is None else {LABEL: np.asarray(labels)})


def altered_copies(
    pictures: Pictures,
    *,
    preset: str,
    changes: Mapping[str, float | bool | None],
    copies: int,
    flag: bool,
    random_state: int | None,
) -> Pictures:
    """The pictures, then `copies` altered versions of each; see `masquerade.augment`."""
    if copies < 1:
        raise SettingError(f"copies: got {copies!r}, expected an integer of at least 1.")
    if flag:
        _check_free(pictures, ALTERED)
    settings = with_given(preset, dict(changes))
    seed = check_seed(random_state)
    count = len(pictures)
    images = np.empty((count * (copies + 1), *pictures.images.shape[1:]), dtype=np.uint8)
    images[:count] = pictures.images
    for copy in range(1, copies + 1):
        images[copy * count : (copy + 1) * count] = alter(pictures.images, settings, stream(seed, "augment", copy))
    labels = {name: np.tile(values, copies + 1) for name, values in pictures.labels.items()}
    if flag:
        labels[ALTERED] = np.repeat([0, 1], [count, count * copies])
    return Pictures(images, labels)


def levelled(
    pictures: Pictures, model: PictureModel, *, balance: str, flag: bool, random_state: int | None
) -> Pictures:
    """The pictures, then as many drawn ones as level the values of a label; see `masquerade.augment`."""
    check_classes(pictures, least=1, label=balance)
    if flag:
        _check_free(pictures, SYNTHETIC)
    seed = None if random_state is None else check_seed(random_state)
    counts = pictures.counts(balance)
    most = max(counts.values(), default=0)
    both, made = pictures, 0
    for level, count in counts.items():
        if count == most:
            continue
        each = None if seed is None else integer(seed, "balance", str(level))
        drawn = model.sample(most - count, given={balance: level}, random_state=each)
        if len(drawn) != most - count:
            raise TableError(f"model: it drew {len(drawn):,} pictures of {level!r}, expected {most - count:,}.")
        values = np.full(len(drawn), level, dtype=pictures.labels[balance].dtype)
        both = join(both, Pictures(drawn.images, {**drawn.labels, balance: values}))
        made += len(drawn)
    lost = [name for name in pictures.labels if name not in both.labels]
    if lost:
        message = f"labels: left out {', '.join(lost)}, which drawn pictures do not have."
        warnings.warn(message, MasqueradeWarning, stacklevel=3)
    if flag:
        labels = {**both.labels, SYNTHETIC: np.repeat([0, 1], [len(pictures), made])}
        return Pictures(both.images, labels)
    return Pictures(both.images, both.labels)


def _check_free(pictures: Pictures, name: str) -> None:
    if name in pictures.labels:
        raise SettingError(f"flag: the pictures already have a label {name!r}; rename it, or do without the flag.")
