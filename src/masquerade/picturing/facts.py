"""What is in a set of pictures, whole or damaged: counted in one pass, a picture in memory at a time."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from masquerade.pictures import LABEL, Pictures
from masquerade.picturing.decoding import BadPicture, Wanted, resample
from masquerade.picturing.source import Source, naturals

__all__ = ["PictureFacts", "survey"]

_SHOWN_CLASSES, _SHOWN_EACH = 20, 10
_MOST_SIDE = 256
"""Pixels of a shown picture's longer side: photographs are made smaller at once, for some hundred of them are kept."""
_NAMED = 5


@dataclass(frozen=True)
class PictureFacts:
    """What `survey` found.

    Args:
        count: pictures that can be read.
        sizes: how many pictures have each height and width.
        modes: how many are grey, RGB, palette ...
        labels: by name, how many pictures have each value; the class first.
        duplicates: pictures that are equal to an earlier one, pixel by pixel.
        contradictions: those of them whose class is another.
        bad: pictures that cannot be read.
        first_bad: names and reasons of the first of them.
        shown: the first pictures of each class, in the most frequent size, or smaller in its proportions where a side
            has over 256 pixels, for a contact sheet; None: there is none.
    """

    count: int
    sizes: dict[tuple[int, int], int]
    modes: dict[str, int]
    labels: dict[str, dict[Any, int]]
    duplicates: int
    contradictions: int
    bad: int
    first_bad: tuple[tuple[str, str], ...]
    shown: Pictures | None = field(default=None, compare=False)

    def to_dict(self) -> dict[str, Any]:
        """The facts as they go into a JSON file."""
        return {
            "pictures": self.count,
            "sizes": [{"height": h, "width": w, "pictures": n} for (h, w), n in self.sizes.items()],
            "modes": self.modes,
            "labels": {name: {str(value): n for value, n in counts.items()} for name, counts in self.labels.items()},
            "duplicates": {"pictures": self.duplicates, "of_another_class": self.contradictions},
            "bad": {"pictures": self.bad, "first": [{"picture": n, "reason": r} for n, r in self.first_bad]},
        }


def survey(source: Source) -> PictureFacts:
    """Look at every picture of a set, each in its own size and mode; unreadable ones are counted, not refused."""
    sizes: Counter[tuple[int, int]] = Counter()
    modes: Counter[str] = Counter()
    classes = source.labels.get(LABEL)
    taken: Counter[Any] = Counter()
    seen: dict[bytes, int] = {}
    good, shown, bad = [], [], []
    duplicates = contradictions = 0
    for position, found in naturals(source):
        if isinstance(found, BadPicture):
            bad.append((source.files[position] if source.files else f"row {position + 1:,}", str(found)))
            continue
        good.append(position)
        sizes[found.size] += 1
        modes[found.kind] += 1
        if _has_room(taken, None if classes is None else classes[position]):
            shown.append((position, resample(found.pixels, Wanted(_shown_size(*found.size), None))))
        key = hashlib.blake2b(found.pixels.tobytes(), digest_size=16, key=repr(found.pixels.shape).encode()).digest()
        earlier = seen.setdefault(key, position)
        if earlier != position:
            duplicates += 1
            contradictions += classes is not None and classes[earlier] != classes[position]
    labels = {name: _counted(values[good]) for name, values in source.labels.items()}
    return PictureFacts(
        len(good),
        dict(sizes.most_common()),
        dict(modes.most_common()),
        labels,
        duplicates,
        int(contradictions),
        len(bad),
        tuple(bad[:_NAMED]),
        _sheet(source, shown, sizes),
    )


def _counted(values: Any) -> dict[Any, int]:
    levels, counts = np.unique(values, return_counts=True)
    return dict(zip(levels.tolist(), counts.tolist(), strict=True))


def _has_room(taken: Counter[Any], level: Any) -> bool:
    """Whether one more picture of a class, None being no class, goes onto the contact sheet; it is counted then."""
    most = _SHOWN_EACH**2 if level is None else _SHOWN_EACH
    if (level not in taken and len(taken) == _SHOWN_CLASSES) or taken[level] == most:
        return False
    taken[level] += 1
    return True


def _shown_size(height: int, width: int) -> tuple[int, int]:
    """A picture's size with sides of 256 pixels at most."""
    share = min(1.0, _MOST_SIDE / max(height, width))
    return max(round(share * height), 1), max(round(share * width), 1)


def _sheet(
    source: Source, shown: list[tuple[int, NDArray[np.uint8]]], sizes: Counter[tuple[int, int]]
) -> Pictures | None:
    """Those pictures, class by class, in one size and mode; None: there are none."""
    if not shown:
        return None
    alike = Wanted(_shown_size(*sizes.most_common(1)[0][0]), max(pixels.shape[2] for _, pixels in shown))
    classes = source.labels.get(LABEL)
    if classes is not None:
        shown = sorted(shown, key=lambda item: (classes[item[0]], item[0]))
    labels = {} if classes is None else {LABEL: classes[[position for position, _ in shown]]}
    return Pictures(np.stack([resample(pixels, alike) for _, pixels in shown]), labels)
