"""NPZ archives: `images` and `labels`, read a block at a time and without pickle."""

from __future__ import annotations

import io
import math
import re
import tokenize
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from masquerade.atomic import one_line
from masquerade.errors import FileError, MasqueradeWarning, TableError
from masquerade.pictures import LABEL
from masquerade.picturing.labelling import label_array
from masquerade.picturing.source import BLOCK_BYTES, Source

__all__ = ["DENSEST", "open_npz", "read_exactly", "split_part"]

DENSEST = 1040
"""Deflate packs at most about so many bytes into one; a file that claims more is a decompression bomb."""
_DAMAGE = (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError)
_PARTS = ("train", "test", "val")


def open_npz(path: Path, part: str | None) -> Source:
    """An archive with `images` (n, height, width[, 1, 3 or 4]) and `labels` (n,), further arrays (n,) being further labels.

    The archives of Keras (`x_train`, `y_train`) and MedMNIST (`train_images`, `train_labels`) are read too.

    Args:
        path: the archive.
        part: of the latter two, which part; None: `"train"`.

    Raises:
        FileError: it is damaged, holds no pictures, pickled objects, other numbers than uint8, or claims to be larger than it
            can be.
        TableError: labels that do not match.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            shapes = {_name(info): _header(archive, info, path) for info in archive.infolist()}
            images, labels = _chosen(path, shapes, part)
            shape, dtype, _ = shapes[images]
            _check_images(path, images, shape, dtype)
            found = _labels(archive, path, shapes, images, labels, shape[0])
    except (FileError, TableError):
        raise
    except _DAMAGE as error:
        raise FileError(f"{path}: cannot be read as an NPZ archive ({one_line(error)}).") from error

    def blocks() -> Iterator[NDArray[np.uint8]]:
        return _blocks(path, images, shape)

    return Source(path, shape[0], found, blocks=blocks)


def read_exactly(stream: IO[bytes], count: int) -> bytes:
    """So many bytes; raises `EOFError` where the stream ends before."""
    data = stream.read(count)
    if len(data) < count:
        raise EOFError("it ends too early")
    return data


def _name(info: zipfile.ZipInfo) -> str:
    return info.filename.removesuffix(".npy")


def _header(archive: zipfile.ZipFile, info: zipfile.ZipInfo, path: Path) -> tuple[tuple[int, ...], np.dtype[Any], bool]:
    """Shape, type and whether the first axis runs fastest; the size that they claim is that of the member."""
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise FileError(f"{path}: {info.filename} is packed in a way that NumPy does not write.")
    if info.file_size > DENSEST * (info.compress_size + 64):
        raise FileError(f"{path}: {info.filename} claims to be larger than it can be, refused as a decompression bomb.")
    with archive.open(info) as stream:
        shape, fortran, dtype, length = _read_header(stream)
    if dtype.hasobject:
        raise FileError(
            f"{path}: {_name(info)} holds pickled Python objects, which could run code; save it as numbers or texts, "
            "such as np.array(labels, dtype=str)."
        )
    if length + math.prod(shape) * dtype.itemsize != info.file_size:
        raise FileError(f"{path}: {info.filename} is damaged, its header claims {shape} but its size is another.")
    return shape, dtype, fortran


def _read_header(stream: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any], int]:
    """Of an array file: shape, order, type and how long the header is, in bytes."""
    version = np.lib.format.read_magic(stream)
    width = 2 if version == (1, 0) else 4
    size = read_exactly(stream, width)
    length = int.from_bytes(size, "little")
    if length > 10_000:
        raise ValueError("a header of more than 10,000 bytes")
    text = io.BytesIO(size + read_exactly(stream, length))
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    try:
        shape, fortran, dtype = read(text)
    except (MemoryError, RecursionError, SyntaxError, tokenize.TokenError):  # how Python's parser gives up
        raise ValueError("a header that cannot be parsed") from None
    return shape, fortran, dtype, 8 + width + length


def _chosen(path: Path, shapes: dict[str, Any], part: str | None) -> tuple[str, str]:
    """The names of the arrays with pictures and with classes."""
    names = list(shapes)
    if "images" in names and part is None:
        return "images", "labels"
    parts = [p for p in _PARTS if f"x_{p}" in names or f"{p}_images" in names]
    wanted = "train" if part is None else part
    for images, labels in ((f"x_{wanted}", f"y_{wanted}"), (f"{wanted}_images", f"{wanted}_labels")):
        if images in names:
            return images, labels
    if part is not None:
        has = f"it has {', '.join(parts)}" if parts else "it is not cut into parts"
        raise FileError(f"{path}: there is no part {part!r}, {has}.")
    raise FileError(
        f"{path}: there is no array 'images' (n, height, width[, 3]) in it, but {', '.join(names[:8]) or 'none'}."
    )


def _check_images(path: Path, name: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    if len(shape) not in (3, 4) or (len(shape) == 4 and shape[3] not in (1, 3, 4)) or 0 in shape[1:]:
        raise FileError(f"{path}: {name} has the shape {shape}, expected (n, height, width) or (n, height, width, 3).")
    if dtype != np.uint8:
        raise FileError(f"{path}: {name} holds numbers of type {dtype}, expected uint8 from 0 (black) to 255 (white).")
    if shape[0] == 0:
        raise FileError(f"{path}: there is no picture in it.")


def _labels(
    archive: zipfile.ZipFile, path: Path, shapes: dict[str, Any], images: str, labels: str, count: int
) -> dict[str, NDArray[Any]]:
    found, ignored = {}, []
    further = [] if images != "images" else [name for name in shapes if name not in (images, labels)]
    for name in [labels, *further] if labels in shapes else further:
        shape = shapes[name][0]
        if name != labels and (shape not in ((count,), (count, 1)) or shapes[name][1].kind not in "iubSU"):
            ignored.append(name)
            continue
        with archive.open(_member(archive, name)) as stream:
            values = label_array(np.lib.format.read_array(stream, allow_pickle=False), name)
        if len(values) != count:
            raise TableError(f"{path}: {name} has {len(values):,} values for {count:,} pictures, expected one each.")
        found[LABEL if name == labels else name] = values
    if ignored:
        message = f"{path}: left out {', '.join(ignored)}, expected an integer or text for each of {count:,} pictures."
        warnings.warn(message, MasqueradeWarning, stacklevel=4)
    return found


def _member(archive: zipfile.ZipFile, name: str) -> zipfile.ZipInfo:
    return next(info for info in archive.infolist() if _name(info) == name)


def _blocks(path: Path, name: str, shape: tuple[int, ...]) -> Iterator[NDArray[np.uint8]]:
    height, width, channels = (*shape[1:], 1)[:3]
    each = height * width * channels
    rows = max(1, BLOCK_BYTES // each)
    try:
        with zipfile.ZipFile(path) as archive, archive.open(_member(archive, name)) as stream:
            _, fortran, _, _ = _read_header(stream)
            if fortran:  # the first axis runs fastest, so that no block holds a whole picture: all of it is read
                flat = np.frombuffer(read_exactly(stream, math.prod(shape)), np.uint8)
                yield flat.reshape(shape[::-1]).T.reshape(shape[0], height, width, channels)
                return
            for begin in range(0, shape[0], rows):
                count = min(rows, shape[0] - begin)
                flat = np.frombuffer(read_exactly(stream, count * each), np.uint8)
                yield flat.reshape(count, height, width, channels)
    except _DAMAGE as error:
        raise FileError(f"{path}: {name} is damaged ({one_line(error)}).") from error


def split_part(path: Path) -> tuple[Path, str | None]:
    """`mnist.npz#test` as the file and the part of it.

    >>> path, part = split_part(Path("mnist.npz#test"))
    >>> path.name, part
    ('mnist.npz', 'test')
    """
    match = re.fullmatch(r"(.*\.npz)#(\w+)", str(path), flags=re.IGNORECASE | re.DOTALL)
    return (Path(match[1]), match[2]) if match and not path.exists() else (path, None)
