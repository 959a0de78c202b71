"""Pictures that come into a judgement: from arrays, `Pictures` or files, a fair sample of each set in bounded memory."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from masquerade import seeds
from masquerade.errors import InputError, SettingError, TableError
from masquerade.judge.intake import warn
from masquerade.picture_files import stream_pictures
from masquerade.pictures import LABEL, Pictures
from masquerade.picturing.decoding import Wanted, resample

__all__ = ["LEAST_PICTURES", "PictureSets", "PictureSide", "picture_sets"]

LEAST_PICTURES = 10
MOST_PICTURES = 60_000
MOST_BYTES = 1 << 27
"""So many pictures, and bytes of them, are judged of each set at most."""

LARGEST_SIDE = 64
"""Larger pictures are shrunk to be judged."""

_BATCH_BYTES = 1 << 25
_MOST_CLASSES = 1_000

Given = Pictures | Path


@dataclass(frozen=True)
class PictureSide:
    """One set.

    Args:
        images: a random sample of the set, uint8, shape (n, height, width, channels).
        classes: the number of each one's class, shape (n,); None: the set has no labels.
        count: how many pictures the whole set has.
        shares: the share of each class in the whole set; None: the set has no labels.
    """

    images: NDArray[np.uint8]
    classes: NDArray[np.int64] | None
    count: int
    shares: NDArray[np.float64] | None

    def __len__(self) -> int:
        return len(self.images)

    def sample(self, count: int, seed: int, name: str) -> PictureSide:
        """At most `count` random pictures; the same seed and name take the same ones."""
        if len(self) <= count:
            return self
        return self.rows(np.sort(seeds.stream(seed, "pictures", name).choice(len(self), count, replace=False)))

    def rows(self, index: NDArray[np.intp]) -> PictureSide:
        """A selection of pictures."""
        classes = None if self.classes is None else self.classes[index]
        return PictureSide(self.images[index], classes, self.count, self.shares)


@dataclass(frozen=True)
class PictureSets:
    """The sets that are judged, alike in size and mode, with classes numbered alike.

    Args:
        real: the pictures that the release was made from.
        released: the released ones.
        holdout: real ones that the release never saw, or None.
        names: of the classes; empty where the real pictures have none, or the labels are of no use as classes.
    """

    real: PictureSide
    released: PictureSide
    holdout: PictureSide | None
    names: tuple[Any, ...]

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width and channels."""
        height, width, channels = self.real.images.shape[1:]
        return height, width, channels


def picture_sets(
    real: Any,
    released: Any,
    holdout: Any,
    *,
    size: tuple[int, int] | None = None,
    skip_bad: bool = False,
    seed: int = 0,
) -> PictureSets:
    """Read and check what is to be judged.

    Args:
        real, released, holdout: each `Pictures`, an array uint8 (n, height, width[, 3]), a pair of such an array and labels, or
            the path of a picture set; the holdout may be None.
        size: height and width to which all pictures are brought; None: they must be alike.
        skip_bad: whether damaged pictures of files are left out, with a warning that counts and names them.
        seed: of the samples that are taken of large sets.

    Raises:
        TableError: pictures of different sizes, fewer than 10, or labels that do not match.
        FileError: a path that cannot be read.
        SettingError: something that is no set of pictures, or a size that cannot be.
    """
    given = {"real": _taken("real", real), "released": _taken("released", released)}
    if holdout is not None:
        given["holdout"] = _taken("holdout", holdout)
    shapes = {side: _shape(side, pictures, skip_bad) for side, pictures in given.items()}
    wanted = _wanted(shapes, size)
    loaded = {side: _Loaded.of(side, pictures, wanted, skip_bad, seed) for side, pictures in given.items()}
    for side, found in loaded.items():
        if found.count < LEAST_PICTURES:
            raise TableError(f"{side}: {found.count} pictures, expected at least {LEAST_PICTURES}.")
    names = _names(loaded)
    sides = {side: found.numbered(names) for side, found in loaded.items()}
    return PictureSets(sides["real"], sides["released"], sides.get("holdout"), names)


def _taken(side: str, given: Any) -> Given:
    if isinstance(given, Pictures):
        return given
    if isinstance(given, str | Path):
        return Path(given)
    images, labels = given if isinstance(given, tuple) and len(given) == 2 else (given, None)
    if not hasattr(images, "shape") or not hasattr(images, "dtype"):
        raise SettingError(
            f"{side}: got a {type(given).__name__}, expected Pictures, an array of pictures (n, height, width[, 3]), "
            "a pair (images, labels), or the path of a picture set."
        )
    try:
        return Pictures(np.asarray(images), {} if labels is None else {LABEL: np.asarray(labels)})
    except InputError as error:
        raise type(error)(f"{side}: {error}") from error


def _shape(side: str, given: Given, skip_bad: bool) -> tuple[int, int, int]:
    """Height, width and channels; of a file those of its first picture."""
    first = given if isinstance(given, Pictures) else next(stream_pictures(given, 1, skip_bad=skip_bad), None)
    if first is None or not len(first):
        raise TableError(f"{side}: 0 pictures, expected at least {LEAST_PICTURES}.")
    return first.size[0], first.size[1], first.channels


def _wanted(shapes: Mapping[str, tuple[int, int, int]], size: tuple[int, int] | None) -> Wanted:
    """What all pictures are turned into."""
    height, width = shapes["real"][:2] if size is None else _checked(size)
    for side, shape in shapes.items() if size is None else ():
        if shape[:2] != (height, width):
            raise TableError(
                f"{side}: pictures of {shape[0]}x{shape[1]} pixels (height x width) beside real ones of {height}x{width}, "
                f"expected them alike; bring all to one size with --size {height}x{width} (in Python size=({height}, {width}))."
            )
    channels = max(shape[2] for shape in shapes.values())
    if len({shape[2] for shape in shapes.values()}) > 1:
        grey = ", ".join(side for side, shape in shapes.items() if shape[2] == 1)
        warn(f"{grey}: grey pictures beside coloured ones; all are judged in red, green and blue.")
    if max(height, width) > LARGEST_SIDE:
        shrink = LARGEST_SIDE / max(height, width)
        small = max(4, round(height * shrink)), max(4, round(width * shrink))
        warn(f"pictures of {height}x{width} pixels are judged at {small[0]}x{small[1]}.")
        height, width = small
    return Wanted((height, width), channels)


def _checked(size: Any) -> tuple[int, int]:
    sides = tuple(size) if isinstance(size, tuple | list) else ()
    whole = all(isinstance(side, int | np.integer) and not isinstance(side, bool) and side >= 4 for side in sides)
    if len(sides) != 2 or not whole:
        raise SettingError(f"size: got {size!r}, expected height and width of at least 4 pixels, such as (28, 28).")
    return int(sides[0]), int(sides[1])


@dataclass(frozen=True)
class _Loaded:
    images: NDArray[np.uint8]
    labels: NDArray[Any] | None
    count: int
    counts: Mapping[Any, int]

    @classmethod
    def of(cls, side: str, given: Given, wanted: Wanted, skip_bad: bool, seed: int) -> _Loaded:
        """A random sample of a set, read batch by batch: every picture draws a number, and the smallest ones stay."""
        if isinstance(given, Pictures):
            count = len(given)
            batches = _slices(given, wanted)
        else:
            batches = _files(given, wanted, skip_bad)
        height, width = wanted.size or (0, 0)
        limit = max(LEAST_PICTURES, min(MOST_PICTURES, MOST_BYTES // (height * width * (wanted.channels or 1))))
        random = seeds.stream(seed, "sample of pictures", side)
        kept: list[tuple[NDArray[np.float64], Pictures]] = []
        counts: dict[Any, int] = {}
        count, bound = 0, 1.0
        for batch in batches:
            count += len(batch)
            for level, number in batch.counts().items():
                counts[level] = counts.get(level, 0) + number
            drawn = random.random(len(batch))
            stay = drawn < bound
            kept.append((drawn[stay], batch if stay.all() else batch[np.flatnonzero(stay)]))
            held = sum(len(part) for _, part in kept)
            if held > limit + limit // 4:
                kept, bound = _fewer(kept, limit)
        if sum(len(part) for _, part in kept) > limit:
            kept, _ = _fewer(kept, limit)
            warn(f"{side} ({count:,}): large sets are judged on {limit:,} random pictures each.")
        if not kept:
            return cls(np.empty((0, height, width, wanted.channels or 1), np.uint8), None, 0, {})
        images = np.concatenate([part.images for _, part in kept])
        labelled = all(LABEL in part.labels for _, part in kept)
        labels = np.concatenate([part.labels[LABEL] for _, part in kept]) if labelled else None
        return cls(images, labels, count, counts)

    def numbered(self, names: tuple[Any, ...]) -> PictureSide:
        """With classes as numbers."""
        if not names or self.labels is None:
            return PictureSide(self.images, None, self.count, None)
        place = {_same(name): number for number, name in enumerate(names)}
        levels, where = np.unique(self.labels, return_inverse=True)
        numbers = np.array([place[_same(level)] for level in levels.tolist()], np.int64)[where]
        shares = np.zeros(len(names))
        for level, number in self.counts.items():
            shares[place[_same(level)]] += number
        return PictureSide(self.images, numbers, self.count, shares / shares.sum())


def _fewer(
    kept: list[tuple[NDArray[np.float64], Pictures]], limit: int
) -> tuple[list[tuple[NDArray[np.float64], Pictures]], float]:
    """The pictures that drew the `limit` smallest numbers, and the number that a further one has to stay below."""
    drawn = np.concatenate([numbers for numbers, _ in kept])
    bound = float(np.partition(drawn, limit)[limit])
    chosen = [(numbers[numbers < bound], part[np.flatnonzero(numbers < bound)]) for numbers, part in kept]
    images = np.concatenate([part.images for _, part in chosen])
    labelled = all(LABEL in part.labels for _, part in chosen)
    labels = {LABEL: np.concatenate([part.labels[LABEL] for _, part in chosen])} if labelled else {}
    return [(np.concatenate([numbers for numbers, _ in chosen]), Pictures(images, labels))], bound


def _slices(given: Pictures, wanted: Wanted) -> Iterator[Pictures]:
    batch = max(1, _BATCH_BYTES // max(1, math.prod(given.images.shape[1:])))
    alike = given.size == wanted.size and given.channels == wanted.channels
    for start in range(0, len(given), batch):
        images = given.images[start : start + batch]
        if not alike:
            images = np.stack([resample(image, wanted) for image in images])
        labels = given.labels.get(LABEL)
        yield Pictures(images, {} if labels is None else {LABEL: labels[start : start + batch]})


def _files(path: Path, wanted: Wanted, skip_bad: bool) -> Iterator[Pictures]:
    height, width = wanted.size or (1, 1)
    batch = max(1, _BATCH_BYTES // (height * width * 3))
    yield from stream_pictures(path, batch, size=wanted.size, channels=wanted.channels, skip_bad=skip_bad)


def _names(loaded: Mapping[str, _Loaded]) -> tuple[Any, ...]:
    """The real classes, checked to be those of the other sets; empty where there are none to speak of."""
    real = loaded["real"]
    if real.labels is None:
        if any(found.labels is not None for found in loaded.values()):
            warn("real: the pictures have no labels, so those of the others say nothing; all are judged without.")
        return ()
    names = tuple(sorted(real.counts, key=lambda level: (isinstance(level, str), level)))
    known = {_same(name) for name in names}
    for side, found in loaded.items():
        unknown = [level for level in found.counts if _same(level) not in known]
        if unknown and found.labels is not None:
            raise TableError(
                f"{side}: labels that do not match the real ones: {_listed(unknown)}, expected among {_listed(names)}."
            )
    if len(names) < 2 or len(names) > min(_MOST_CLASSES, real.count // 2):
        warn(
            f"label: {len(names)} classes among {real.count:,} real pictures are none to tell apart; judged without them."
        )
        return ()
    for side, found in loaded.items():
        missing = [name for name in names if _same(name) not in {_same(level) for level in found.counts}]
        if found.labels is None:
            warn(f"{side}: the pictures have no labels; what needs them is left out.")
        elif missing:
            warn(f"{side}: there is no picture of the {_noun(missing)} {_listed(missing)}.")
    return names


def _same(level: Any) -> str:
    """A class as text, so that 3 and "3" are one."""
    return str(level)


def _noun(names: list[Any]) -> str:
    return "class" if len(names) == 1 else "classes"


def _listed(names: Any) -> str:
    shown = [repr(name) for name in names]
    return ", ".join(shown[:10]) + (f" and {len(shown) - 10} more" if len(shown) > 10 else "")
