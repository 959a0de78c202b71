"""Parquet files with encoded pictures, as Hugging Face's data sets are kept."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from masquerade.atomic import one_line
from masquerade.errors import FileError, MasqueradeWarning, TableError
from masquerade.files import DAMAGE
from masquerade.picturing.labelling import from_texts, label_array, with_class_first
from masquerade.picturing.source import BLOCK_BYTES, Source

__all__ = ["IMAGE", "image_column", "open_parquet"]

IMAGE = "image"
"""The column of encoded pictures: bytes, or structs with a field `bytes`."""


def image_column(path: Path) -> str | None:
    """The column of encoded pictures of a Parquet file: `image`, or else the only one of such a type; None: there is none.

    Raises:
        FileError: it cannot be read.
    """
    try:
        schema = pl.scan_parquet(path, glob=False).collect_schema()
    except DAMAGE as error:
        raise FileError(f"{path}: cannot be read as a Parquet file ({one_line(error)}).") from error
    able = [name for name, dtype in schema.items() if _holds_bytes(dtype)]
    return IMAGE if IMAGE in able else able[0] if len(able) == 1 else None


def open_parquet(path: Path) -> Source:
    """The pictures of the column `image`, the other columns of integers and texts being labels.

    Raises:
        FileError: it is damaged, or has no such column.
        TableError: empty labels.
    """
    image = image_column(path)
    if image is None:
        raise FileError(
            f"{path}: there is no column {IMAGE!r} of encoded pictures (bytes, or structs with bytes) in it."
        )
    try:
        scan = pl.scan_parquet(path, glob=False)
        schema = scan.collect_schema()
        taken = [n for n, t in schema.items() if n != image and (t.is_integer() or t in (pl.String, pl.Boolean))]
        rows = int(scan.select(pl.len()).collect().item())
        labelled = scan.select(taken).collect() if taken else pl.DataFrame()
    except DAMAGE as error:
        raise FileError(f"{path}: cannot be read as a Parquet file ({one_line(error)}).") from error
    if rows == 0:
        raise FileError(f"{path}: there is no picture in it.")
    ignored = [name for name in schema if name not in (image, *taken)]
    if ignored:
        message = f"{path}: left out {', '.join(ignored)}, expected columns of integers or texts."
        warnings.warn(message, MasqueradeWarning, stacklevel=4)
    labels = {}
    for column in labelled:
        if column.null_count():
            raise TableError(
                f"{path}: label {column.name!r} has {column.null_count():,} empty rows, expected a value each."
            )
        text = column.dtype == pl.String
        labels[column.name] = from_texts(column.to_list()) if text else label_array(column.to_numpy(), column.name)

    def encoded() -> Iterator[tuple[str, Path | bytes]]:
        return _encoded(path, image, rows)

    return Source(path, rows, with_class_first(labels), encoded=encoded)


def _holds_bytes(dtype: pl.DataType) -> bool:
    if isinstance(dtype, pl.Struct):
        return any(field.name == "bytes" and field.dtype == pl.Binary for field in dtype.fields)
    return dtype == pl.Binary


def _encoded(path: Path, image: str, rows: int) -> Iterator[tuple[str, Path | bytes]]:
    scan = pl.scan_parquet(path, glob=False).select(image)
    step = max(1, min(rows, BLOCK_BYTES * rows // max(1, path.stat().st_size)))
    for begin in range(0, rows, step):
        try:
            column = scan.slice(begin, step).collect().get_column(image)
        except DAMAGE as error:
            raise FileError(f"{path}: it is damaged ({one_line(error)}).") from error
        contents = column.struct.field("bytes") if isinstance(column.dtype, pl.Struct) else column
        for offset, content in enumerate(contents):
            yield f"row {begin + offset + 1:,}", b"" if content is None else content
