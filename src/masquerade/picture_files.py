"""Users' pictures as files; the only way in and out for them.

A picture set is one of

- a folder, a class by sub-folder (PNG, JPEG, BMP, the first frame of a GIF, TIFF, WebP), further labels in a CSV with a column
  `file`: `labels.csv` in it or beside it, or FOLDER.csv beside it;
- `.npz` with `images` (n, height, width[, 3]), uint8, and `labels` (n,), further arrays (n,) being further labels; also the
  archives of Keras and MedMNIST, whose parts are named as in `mnist.npz#test` (the training part without that);
- IDX (`train-images-idx3-ubyte`, also `.gz`), its labels found beside it;
- `.parquet` with a column `image` of encoded pictures, the other columns being labels.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from masquerade.errors import FileError, SettingError
from masquerade.pictures import LABEL, Pictures
from masquerade.picturing.decoding import Wanted
from masquerade.picturing.folder import open_folder
from masquerade.picturing.idx import is_idx, open_idx, read_labels
from masquerade.picturing.labelling import check_lengths, in_order, label_array, with_class_first
from masquerade.picturing.npz import open_npz, split_part
from masquerade.picturing.parquet import image_column, open_parquet
from masquerade.picturing.sheet import contact_sheet, write_sheet
from masquerade.picturing.source import Source, chunks
from masquerade.picturing.writing import check_picture_output, write_pictures
from masquerade.sealing import is_sealed

__all__ = [
    "check_picture_output",
    "contact_sheet",
    "is_picture_set",
    "open_source",
    "read_pictures",
    "stream_pictures",
    "write_pictures",
    "write_sheet",
]

_LARGEST_SIDE = 16_384


def is_picture_set(path: str | Path) -> bool:
    """Whether a path is one of a picture set and not of a table: a folder, NPZ, IDX, or Parquet with encoded pictures.

    It looks at the name, and into a Parquet file at its columns; whether the set can be read is another question.

    >>> is_picture_set("mnist.npz#test"), is_picture_set("train-images-idx3-ubyte.gz"), is_picture_set("bank.csv")
    (True, True, False)
    """
    file, part = split_part(Path(path))
    if part is not None or file.is_dir() or file.name.lower().endswith(".npz") or is_idx(file):
        return True
    if not file.name.lower().endswith(".parquet") or not file.is_file():
        return False
    try:
        return image_column(file) is not None
    except FileError:  # whoever reads it as a table will say so
        return False


def read_pictures(
    path: str | Path,
    *,
    size: tuple[int, int] | None = None,
    channels: int | None = None,
    skip_bad: bool = False,
    labels: Any = None,
) -> Pictures:
    """All pictures of a set, decoded one by one into one array.

    Args:
        path: a folder, a class by sub-folder; or an NPZ, IDX or Parquet file; of an NPZ in parts which one, as in
            `mnist.npz#test` (without that the training part).
        size: height and width in pixels, to which every picture is resampled, each side by itself; None: they must be alike.
        channels: 1 (grey) or 3 (red, green, blue), into which every picture is turned, transparency on white; None: they must
            be alike.
        skip_bad: whether pictures that cannot be read are left out with a warning instead of refused.
        labels: one array for the classes, several by name, or a file (IDX; or a table, with a column `file` for a folder, else
            in the order of the pictures); None: those that come with the set.

    Returns:
        Pictures with labels as int64 or text; texts that are all integers, such as the names of folders, become integers.

    Raises:
        FileError: it is missing, damaged or no picture set, or has pictures that are damaged, too large or not alike.
        TableError: labels that do not match the pictures.
        SettingError: a size or number of channels that cannot be.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "digits.npz"
    >>> np.savez(path, images=np.zeros((3, 8, 8), np.uint8), labels=np.arange(3))
    >>> read_pictures(path, size=(4, 4)).images.shape
    (3, 4, 4, 1)
    """
    source, wanted = open_source(path, labels), _wanted(size, channels)
    images: NDArray[np.uint8] | None = None
    kept = np.empty(source.count, dtype=np.int64)
    done = 0
    for positions, block in chunks(source, wanted, skip_bad=skip_bad):
        if images is None:
            images = np.empty((source.count, *block.shape[1:]), dtype=np.uint8)
        images[done : done + len(block)] = block
        kept[done : done + len(block)] = positions
        done += len(block)
    if images is None:
        raise FileError(f"{source.path}: there is no picture in it.")
    return _pictures(source, kept[:done], images[:done])


def stream_pictures(
    path: str | Path,
    batch: int = 1024,
    *,
    size: tuple[int, int] | None = None,
    channels: int | None = None,
    skip_bad: bool = False,
    labels: Any = None,
) -> Iterator[Pictures]:
    """The same, in batches of which only one is in memory.

    Args:
        path, size, channels, skip_bad, labels: as for `read_pictures`.
        batch: pictures at a time; the last batch is what remains.

    Yields:
        Pictures in the order of the set.

    Raises:
        FileError, TableError, SettingError: as `read_pictures`; a damaged picture is met in its turn, after those before it.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "digits.npz"
    >>> np.savez(path, images=np.zeros((5, 8, 8), np.uint8))
    >>> [len(part) for part in stream_pictures(path, 2)]
    [2, 2, 1]
    """
    if not _is_count(batch):
        raise SettingError(f"batch: got {batch!r}, expected an integer of at least 1.")
    source, wanted = open_source(path, labels), _wanted(size, channels)
    return _batches(source, wanted, int(batch), skip_bad)


def open_source(path: str | Path, labels: Any = None) -> Source:
    """A picture set, opened but not read: how many, labels and where the pictures come from."""
    file, part = split_part(Path(path))
    if not file.exists():
        raise FileError(f"{file}: there is no such file or folder.")
    given = Path(labels) if isinstance(labels, str | Path) else None
    search = labels is None
    if is_sealed(file):
        raise FileError(
            f"{file}: it is sealed (encrypted), which a picture set cannot be; open it with masquerade unseal."
        )
    if file.is_dir():
        source = open_folder(file, given, search=search)
    elif is_idx(file):
        as_idx = given if given is not None and is_idx(given) else None
        source = open_idx(file, as_idx, search=search)
        given = None if as_idx is not None else given
    elif file.name.lower().endswith(".npz"):
        source = open_npz(file, part)
    elif file.name.lower().endswith(".parquet"):
        source = open_parquet(file)
    else:
        raise FileError(f"{file}: not a picture set, expected a folder, .npz, IDX (...-idx3-ubyte) or .parquet.")
    if given is not None and not file.is_dir():
        source.labels.update({LABEL: read_labels(given)} if is_idx(given) else in_order(given, source.count))
    elif labels is not None and given is None and not isinstance(labels, str | Path):
        named = labels if isinstance(labels, Mapping) else {LABEL: labels}
        source.labels.update({str(name): label_array(values, str(name)) for name, values in named.items()})
    check_lengths(source.labels, source.count, file)
    return source


def _batches(source: Source, wanted: Wanted, batch: int, skip_bad: bool) -> Iterator[Pictures]:
    images: NDArray[np.uint8] | None = None
    kept, done = np.empty(batch, dtype=np.int64), 0
    for positions, block in chunks(source, wanted, skip_bad=skip_bad):
        begin = 0
        while begin < len(block):
            if images is None:
                images, done = np.empty((batch, *block.shape[1:]), dtype=np.uint8), 0
            count = min(batch - done, len(block) - begin)
            images[done : done + count] = block[begin : begin + count]
            kept[done : done + count] = positions[begin : begin + count]
            done, begin = done + count, begin + count
            if done == batch:
                yield _pictures(source, kept, images)
                images = None
    if images is not None:
        yield _pictures(source, kept[:done], images[:done])


def _pictures(source: Source, kept: NDArray[np.int64], images: NDArray[np.uint8]) -> Pictures:
    files = tuple(source.files[i] for i in kept) if source.files else ()
    labels = {name: values[kept] for name, values in with_class_first(source.labels).items()}
    return Pictures(images, labels, files)


def _wanted(size: Any, channels: Any) -> Wanted:
    if size is not None:
        sides = list(size) if isinstance(size, tuple | list) else []
        if len(sides) != 2 or not all(_is_count(side) and side <= _LARGEST_SIDE for side in sides):
            raise SettingError(f"size: got {size!r}, expected height and width in pixels, such as (28, 28).")
        size = (int(sides[0]), int(sides[1]))
    if channels not in (None, 1, 3):
        raise SettingError(f"channels: got {channels!r}, expected 1 (grey) or 3 (red, green, blue).")
    return Wanted(size, channels)


def _is_count(value: Any) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool) and bool(value >= 1)
