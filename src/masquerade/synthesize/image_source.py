"""Picture sets that may be larger than memory: read once into a file of the system's, of which parts are looked at."""

from __future__ import annotations

import itertools
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from masquerade.picture_files import open_source, read_pictures, stream_pictures
from masquerade.pictures import Pictures

__all__ = ["SHARD_BYTES", "largest_shard", "open_pictures"]

SHARD_BYTES = 1 << 26
"""So many bytes of pictures are in memory at a time while a model learns: 85,598 pictures of 28 by 28."""

BATCH = 4096


def largest_shard(shape: tuple[int, ...]) -> int:
    """How many pictures of a shape are in memory at a time.

    >>> largest_shard((28, 28, 1))
    85598
    """
    return max(SHARD_BYTES // int(np.prod(shape)), 1)


def open_pictures(path: str | Path, **reading: Any) -> Pictures:
    """`read_pictures`, but the pixels of a set larger than a shard lie in a temporary file that is gone with them.

    Args:
        path: a picture set.
        reading: arguments of `read_pictures`.

    Raises:
        FileError, TableError, SettingError: as `read_pictures`.
    """
    count = open_source(path, reading.get("labels")).count
    parts = stream_pictures(path, BATCH, **reading)
    first = next(parts, None)
    if first is None or count <= largest_shard(first.images.shape[1:]):
        return read_pictures(path, **reading)
    with tempfile.TemporaryFile(prefix="masquerade-") as file:  # the map keeps it open
        images: NDArray[np.uint8] = np.memmap(file, np.uint8, "w+", shape=(count, *first.images.shape[1:]))
    labels: dict[str, list[NDArray[Any]]] = {name: [] for name in first.labels}
    done = 0
    for part in itertools.chain([first], parts):
        images[done : done + len(part)] = part.images
        done += len(part)
        for name, values in part.labels.items():
            labels[name].append(values)
    return Pictures(images[:done], {name: np.concatenate(values) for name, values in labels.items()})
