"""IDX files (the format of MNIST), plain or gzipped: pictures in one, their classes in another."""

from __future__ import annotations

import gzip
import math
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
from numpy.typing import NDArray

from masquerade.atomic import one_line
from masquerade.errors import FileError, TableError
from masquerade.pictures import LABEL
from masquerade.picturing.labelling import label_array
from masquerade.picturing.npz import DENSEST, read_exactly
from masquerade.picturing.source import BLOCK_BYTES, Source

__all__ = ["header", "is_idx", "labels_beside", "open_idx", "read_labels"]

_NAMED = re.compile(r"(idx[0-9]-ubyte|\.idx)(\.gz)?$", re.IGNORECASE)
_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4"}
_DAMAGE = (OSError, EOFError, zlib.error)


def is_idx(path: Path) -> bool:
    """Whether it is named as an IDX file: `...idx3-ubyte`, `....idx`, or either with `.gz`."""
    return _NAMED.search(path.name) is not None


def labels_beside(path: Path) -> Path:
    """How the file with the labels of a file with pictures is called.

    >>> labels_beside(Path("train-images-idx3-ubyte.gz")).name
    'train-labels-idx1-ubyte.gz'
    """
    name = re.sub(r"idx[0-9]-ubyte", "idx1-ubyte", path.name, flags=re.IGNORECASE)
    name = re.sub("images", "labels", name, flags=re.IGNORECASE)
    stem, mark, rest = name.partition(".")
    return path.with_name(name if name != path.name else f"{stem}-labels{mark}{rest}")


def header(kind: int, shape: tuple[int, ...]) -> bytes:
    """The beginning of an IDX file."""
    return bytes([0, 0, kind, len(shape)]) + b"".join(length.to_bytes(4, "big") for length in shape)


def open_idx(path: Path, labels: Path | None, *, search: bool = True) -> Source:
    """The pictures of an IDX file, with the classes of the file beside it.

    Args:
        path: a file of shape (n, height, width) or (n, height, width, 3), uint8.
        labels: the file of shape (n,); None: the one named alike beside it (see `labels_beside`), if any.
        search: False: look for no such file.

    Raises:
        FileError: it is damaged, not an IDX file of pictures, or claims to be larger than it is.
        TableError: not one label a picture.
    """
    shape, kind = _shape(path)
    if len(shape) == 1:
        raise FileError(f"{path}: these are labels, expected the file with the pictures (idx3-ubyte).")
    if kind != ">u1" or len(shape) not in (3, 4) or (len(shape) == 4 and shape[3] not in (1, 3)) or 0 in shape:
        raise FileError(f"{path}: got {kind[1:]} of shape {shape}, expected u1 (uint8) of shape (n, height, width).")
    if labels is None and search:
        beside = labels_beside(path)
        both = (beside, beside.with_name(beside.name.removesuffix(".gz")), beside.with_name(beside.name + ".gz"))
        labels = next((found for found in both if found.is_file()), None)
    found = {}
    if labels is not None:
        found[LABEL] = read_labels(labels)
        if len(found[LABEL]) != shape[0]:
            raise TableError(
                f"{labels}: got {len(found[LABEL]):,} labels for {shape[0]:,} pictures, expected one each."
            )
    return Source(path, shape[0], found, blocks=lambda: _blocks(path, shape))


def read_labels(path: Path) -> NDArray[Any]:
    """The labels in an IDX file of shape (n,)."""
    shape, kind = _shape(path)
    if len(shape) != 1:
        raise FileError(f"{path}: got an array of shape {shape}, expected labels of shape (n,) (idx1-ubyte).")
    dtype = np.dtype(kind)
    try:
        with _opened(path) as stream:
            read_exactly(stream, 8)
            return label_array(np.frombuffer(read_exactly(stream, shape[0] * dtype.itemsize), dtype), LABEL)
    except _DAMAGE as error:
        raise FileError(f"{path}: it is damaged ({one_line(error)}).") from error


def _shape(path: Path) -> tuple[tuple[int, ...], str]:
    """Shape and type of what is in a file, if the file is large enough for it."""
    try:
        with _opened(path) as stream:
            magic = read_exactly(stream, 4)
            if magic[:2] != b"\x00\x00" or magic[2] not in _TYPES or not 1 <= magic[3] <= 4:
                raise FileError(f"{path}: it is not an IDX file of integers.")
            shape = tuple(int.from_bytes(read_exactly(stream, 4), "big") for _ in range(magic[3]))
        size = path.stat().st_size
    except _DAMAGE as error:
        raise FileError(f"{path}: cannot be read as an IDX file ({one_line(error)}).") from error
    claimed = 4 + 4 * len(shape) + math.prod(shape) * np.dtype(_TYPES[magic[2]]).itemsize
    packed = path.name.lower().endswith(".gz")
    if claimed > size * DENSEST if packed else claimed != size:
        raise FileError(f"{path}: it is damaged or cut off, its header claims {claimed:,} bytes and it has {size:,}.")
    return shape, _TYPES[magic[2]]


def _opened(path: Path) -> IO[bytes]:
    return cast(IO[bytes], gzip.open(path, "rb")) if path.name.lower().endswith(".gz") else path.open("rb")


def _blocks(path: Path, shape: tuple[int, ...]) -> Iterator[NDArray[np.uint8]]:
    height, width, channels = (*shape[1:], 1)[:3]
    each = height * width * channels
    rows = max(1, BLOCK_BYTES // each)
    try:
        with _opened(path) as stream:
            read_exactly(stream, 4 + 4 * len(shape))
            for begin in range(0, shape[0], rows):
                count = min(rows, shape[0] - begin)
                flat = np.frombuffer(read_exactly(stream, count * each), np.uint8)
                yield flat.reshape(count, height, width, channels)
            if stream.read(1):
                raise EOFError("it holds more than its header claims")
    except _DAMAGE as error:
        raise FileError(f"{path}: it is damaged ({one_line(error)}).") from error
