"""Which pixels are hidden: a box or a mask, and which half a picture is in."""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from masquerade.errors import SettingError

__all__ = ["box_mask", "check_box", "halves", "read_masks"]


def check_box(box: Any) -> tuple[int, int, int, int]:
    """A box as four whole numbers.

    Raises:
        SettingError: it is none.

    >>> check_box([7, 7, 14, 14])
    (7, 7, 14, 14)
    """
    whole = isinstance(box, tuple | list | np.ndarray) and len(box) == 4
    if not whole or any(isinstance(side, bool) or not isinstance(side, int | np.integer) for side in box):
        raise SettingError(f"box: got {box!r}, expected (top, left, height, width) in pixels, such as (7, 7, 14, 14).")
    top, left, height, width = (int(side) for side in box)
    if top < 0 or left < 0 or height < 1 or width < 1:
        raise SettingError(f"box: got {tuple(box)!r}, expected top and left of at least 0, height and width of 1.")
    return top, left, height, width


def box_mask(box: tuple[int, int, int, int], size: tuple[int, int]) -> NDArray[np.bool_]:
    """A box as a mask of booleans, shape (height, width).

    Raises:
        SettingError: it does not lie in a picture of that size.
    """
    top, left, height, width = box
    if top + height > size[0] or left + width > size[1]:
        raise SettingError(
            f"box: got {box!r} (top, left, height, width), which does not lie within pictures of {size[0]} x {size[1]}."
        )
    mask = np.zeros(size, np.bool_)
    mask[top : top + height, left : left + width] = True
    return mask


def read_masks(mask: Any, count: int, size: tuple[int, int]) -> NDArray[np.bool_]:
    """What a user gives as mask, for so many pictures: booleans (1, height, width), or (count, height, width).

    Raises:
        SettingError: another type or shape.
    """
    masks = np.asarray(mask)
    if masks.dtype != np.bool_:
        raise SettingError(f"mask: got numbers of type {masks.dtype}, expected booleans; mask != 0 makes them.")
    if masks.shape == size:
        return masks[None]
    if masks.shape != (count, *size):
        raise SettingError(f"mask: got an array of shape {masks.shape}, expected {size} or {(count, *size)}.")
    return masks


def halves(images: NDArray[np.uint8], salt: bytes) -> NDArray[np.bool_]:
    """Which half each picture belongs to: booleans (n,), by a keyed hash of its pixels, so that nothing of it has to be kept.

    Of equal pictures the first, the second and so on are hashed with their number.

    >>> twice = np.zeros((64, 8, 8, 1), np.uint8)
    >>> bool(0.2 < halves(twice, b"salt").mean() < 0.8)
    True
    """
    bits, met = np.empty(len(images), np.bool_), Counter[bytes]()
    for i, image in enumerate(np.ascontiguousarray(images)):
        digest = hashlib.blake2b(image.tobytes(), digest_size=16, key=salt).digest()
        number = met[digest]
        met[digest] += 1
        again = hashlib.blake2b(digest + number.to_bytes(8, "little"), digest_size=1, key=salt).digest()
        bits[i] = again[0] & 1
    return bits
