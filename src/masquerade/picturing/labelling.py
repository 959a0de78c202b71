"""Labels of pictures: integers or texts, one each, from arrays, files and the names of folders."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from masquerade.errors import FileError, TableError
from masquerade.files import read_table
from masquerade.pictures import LABEL

__all__ = ["FILE", "check_lengths", "from_texts", "in_order", "label_array", "of_files"]

FILE = "file"
"""The column of a labels file that names the picture."""
_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,17})")


def from_texts(texts: Sequence[str]) -> NDArray[Any]:
    """Texts as a label; as integers where all of them are written as such.

    >>> from_texts(["3", "10"]).tolist(), from_texts(["03", "10"]).tolist()
    ([3, 10], ['03', '10'])
    """
    if texts and all(_INTEGER.fullmatch(text) for text in texts):
        return np.array([int(text) for text in texts], dtype=np.int64)
    return np.array(texts, dtype=str)


def label_array(values: Any, name: str) -> NDArray[Any]:
    """An array as a label: int64 or text, shape (n,); a trailing axis of length 1 is dropped.

    Raises:
        TableError: numbers that are not whole, or something else than numbers and texts.
    """
    array = np.asarray(values)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.dtype.kind == "O" and all(isinstance(value, str) for value in array.flat):
        array = array.astype(str)
    if array.ndim != 1 or array.dtype.kind not in "iubfSU":
        raise TableError(f"label {name!r}: got {array.dtype} of shape {array.shape}, expected an integer or text each.")
    if array.dtype.kind == "S":
        return np.char.decode(array, "utf-8")
    if array.dtype.kind == "U":
        return array
    with np.errstate(invalid="ignore"):
        whole = array.astype(np.int64)
    if not (whole == array).all():
        raise TableError(f"label {name!r}: got numbers that are not whole, expected an integer or text each.")
    return whole


def check_lengths(labels: Mapping[str, NDArray[Any]], count: int, path: Path) -> None:
    """Refuse labels that are not one for each picture."""
    for name, values in labels.items():
        if len(values) != count:
            raise TableError(
                f"{path}: label {name!r} has {len(values):,} values for {count:,} pictures, expected one each."
            )


def in_order(path: Path, count: int) -> dict[str, NDArray[Any]]:
    """The columns of a table whose rows are the pictures of one file, in order."""
    frame = _table(path)
    if frame.height != count:
        raise TableError(f"{path}: got {frame.height:,} rows for {count:,} pictures, expected one each.")
    return _columns(frame)


def of_files(path: Path, files: Sequence[str], folder: Path) -> tuple[list[str], dict[str, NDArray[Any]]]:
    """The labels of pictures by their files, and the files in the order of the table.

    Args:
        path: a table with a column `file`, paths relative to the folder with `/`.
        files: the pictures that there are.
        folder: where they are, for messages.

    Raises:
        TableError: no such column, a row without its picture, a picture without its row, or a picture with two rows.
    """
    frame = _table(path)
    if FILE not in frame.columns:
        raise TableError(
            f"{path}: there is no column {FILE!r} that names the picture of a row; it has {frame.columns}."
        )
    named = [str(PurePosixPath(str(name).replace("\\", "/"))) for name in frame.get_column(FILE)]
    there, listed = set(files), set(named)
    missing = next((name for name in named if name not in there), None)
    if missing is not None:
        gone = sum(name not in there for name in named)
        raise TableError(
            f"{path}: {gone:,} of {len(named):,} rows name a picture that is not in {folder}, first {missing}."
        )
    if len(listed) < len(named):
        twice = next(name for i, name in enumerate(named) if name in named[:i])
        raise TableError(f"{path}: {twice} has more than one row, expected one for each picture.")
    bare = [name for name in files if name not in listed]
    if bare:
        raise TableError(f"{path}: {len(bare):,} of {len(files):,} pictures in {folder} have no row, first {bare[0]}.")
    return named, _columns(frame.drop(FILE))


def _table(path: Path) -> pl.DataFrame:
    frame = read_table(path)
    if frame.height == 0:
        raise FileError(f"{path}: it has no rows, expected the labels of pictures.")
    return frame


def _columns(frame: pl.DataFrame) -> dict[str, NDArray[Any]]:
    labels = {}
    for column in frame:
        if column.dtype == pl.String:
            labels[column.name] = from_texts(column.fill_null("").to_list())
        elif column.null_count():
            raise TableError(f"label {column.name!r}: {column.null_count():,} rows are empty, expected a value each.")
        else:
            labels[column.name] = label_array(column.to_numpy(), column.name)
    return labels


def with_class_first(labels: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """The same labels, the class before all others."""
    return {name: labels[name] for name in sorted(labels, key=lambda name: name != LABEL)}
