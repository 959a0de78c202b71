"""Contact sheets: many pictures as one."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from masquerade.atomic import atomic_path
from masquerade.errors import FileError, SettingError, TableError
from masquerade.pictures import Pictures
from masquerade.picturing.decoding import encode

__all__ = ["contact_sheet", "sample_of_classes", "write_sheet"]

_SHOWN_PIXELS = 56
_GAP = 128


def contact_sheet(images: Any, columns: int | None = None, *, scale: int | None = None) -> NDArray[np.uint8]:
    """Pictures in rows, left to right, with a thin grey line between them.

    Args:
        images: uint8, shape (n, height, width[, 1 or 3]), at least one; or `Pictures`.
        columns: pictures in a row; None: about as many as there are rows.
        scale: how many pixels wide each pixel becomes; None: so many that a picture is about 56 pixels high.

    Returns:
        uint8, shape (height, width, 1 or 3).

    Raises:
        SettingError: columns or scale below 1.
        TableError: no pictures.

    >>> contact_sheet(np.zeros((5, 8, 8), np.uint8), columns=3, scale=1).shape
    (19, 28, 1)
    """
    pictures = images if isinstance(images, Pictures) else Pictures(np.asarray(images))
    if len(pictures) == 0:
        raise TableError("images: there are no pictures to show.")
    for name, value in (("columns", columns), ("scale", scale)):
        if value is not None and value < 1:
            raise SettingError(f"{name}: got {value}, expected at least 1.")
    count, height, width, channels = pictures.images.shape
    scale = max(1, round(_SHOWN_PIXELS / height)) if scale is None else scale
    columns = min(count, math.ceil(math.sqrt(count)) if columns is None else columns)
    rows = math.ceil(count / columns)
    large = pictures.images.repeat(scale, axis=1).repeat(scale, axis=2)
    tall, wide = height * scale + 1, width * scale + 1
    cells = np.full((rows * columns, tall, wide, channels), _GAP, dtype=np.uint8)
    cells[:count, :-1, :-1] = large
    sheet = np.full((rows * tall + 1, columns * wide + 1, channels), _GAP, dtype=np.uint8)
    grid = cells.reshape(rows, columns, tall, wide, channels).transpose(0, 2, 1, 3, 4)
    sheet[1:, 1:] = grid.reshape(rows * tall, columns * wide, channels)
    return sheet


def write_sheet(path: str | Path, images: Any, columns: int | None = None, *, scale: int | None = None) -> None:
    """Write a contact sheet as a PNG; arguments as for `contact_sheet`.

    Raises:
        FileError: the ending is not `.png`, or the file cannot be written.
    """
    if Path(path).suffix.lower() != ".png":
        raise FileError(f"{path}: the ending {Path(path).suffix!r} is unknown, expected .png.")
    content = encode(contact_sheet(images, columns, scale=scale))
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)


def sample_of_classes(pictures: Pictures, each: int) -> Pictures:
    """The first pictures of each class, class by class; of a set without labels the first ones.

    >>> digits = Pictures(np.zeros((6, 8, 8), np.uint8), {"label": np.array([1, 0, 1, 0, 1, 0])})
    >>> sample_of_classes(digits, 2).labels["label"].tolist()
    [0, 0, 1, 1]
    """
    labels = pictures.labels.get("label")
    if labels is None:
        return pictures[: each * each]
    return pictures[np.concatenate([np.flatnonzero(labels == level)[:each] for level in pictures.classes])]
