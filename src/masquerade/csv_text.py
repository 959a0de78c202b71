"""A CSV file's bytes to a table of text: which encoding, which delimiter, and whether every row is whole.

Every cell stays text, and an empty cell is `""`. Well-formed files are scanned once with NumPy and read by Polars;
anything the scan cannot vouch for is read by Python's `csv`, record by record.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from masquerade.errors import FileError

__all__ = [
    "DELIMITERS",
    "ENCODINGS",
    "SNIFFED",
    "Dialect",
    "bare_utf16",
    "decode",
    "read_csv",
    "read_fast",
    "records",
    "sniff",
]

ENCODINGS = ("UTF-8", "UTF-8 with BOM", "UTF-16", "GB18030")
"""The encodings that are recognised, in the order they are tried."""
DELIMITERS = (",", ";", "\t", "|")
_BLOCK = 1 << 23
SNIFFED = 1 << 18
"""So many bytes at the beginning tell the delimiter and UTF-16."""
_SNIFFED_RECORDS = 100
_LEAST_COMMON_SHARE = 0.5


def decode(data: bytes, path: Path) -> bytes:
    """The bytes as UTF-8 without a byte order mark; raises `FileError` naming the encodings that were tried."""
    if data.startswith(codecs.BOM_UTF8):
        data = data[3:]
    elif data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return _recode(data, "utf-16", path)
    elif (guess := bare_utf16(data)) is not None:
        return _recode(data, guess, path)
    if b"\0" in data:
        line = data.count(b"\n", 0, data.index(b"\0")) + 1
        raise FileError(f"{path}, line {line}: there is a NUL byte, expected text; the file is damaged or not a CSV.")
    if _is_utf8(data):
        return data
    if is_gb18030(data):
        return _recode(data, "gb18030", path)
    raise FileError(f"{path}: the text is in none of the encodings tried ({', '.join(ENCODINGS)}); save it as UTF-8.")


def _recode(data: bytes, encoding: str, path: Path) -> bytes:
    try:
        return data.decode(encoding).encode()
    except UnicodeError as error:
        raise FileError(
            f"{path}: the text begins as {encoding.upper()} but is not ({error}); save it as UTF-8."
        ) from error


def bare_utf16(data: bytes) -> str | None:
    """The byte order of UTF-16 without a mark: ASCII characters leave every other byte 0."""
    head = np.frombuffer(data[: SNIFFED // 2 * 2], dtype=np.uint8)
    head = head[: len(head) // 2 * 2].reshape(-1, 2)
    if len(data) % 2 or len(head) == 0:
        return None
    first, second = (head == 0).mean(axis=0)
    if second > _LEAST_COMMON_SHARE and first == 0:
        return "utf-16-le"
    return "utf-16-be" if first > _LEAST_COMMON_SHARE and second == 0 else None


def _is_utf8(data: bytes) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for start in range(0, len(data), _BLOCK):
            decoder.decode(data[start : start + _BLOCK], final=start + _BLOCK >= len(data))
    except UnicodeDecodeError:
        return False
    return True


def is_gb18030(data: bytes) -> bool:
    """Whether it decodes as GB18030 and looks like Chinese: Western texts decode too, but into pairs that end in
    ASCII."""
    try:
        text = data.decode("gb18030")
    except UnicodeDecodeError:
        return False
    beyond = [character for character in text[:SNIFFED] if character > "\x7f"] or [c for c in text if c > "\x7f"]
    common = sum(character.encode("gb18030")[1] >= 0xA1 for character in beyond)
    return common > _LEAST_COMMON_SHARE * len(beyond)


@dataclass(frozen=True)
class Dialect:
    """How a CSV is written: its delimiter, and whether a space follows each."""

    delimiter: str
    padded: bool


def sniff(head: str, *, whole: bool) -> Dialect:
    """The delimiter that gives most records as many fields as the header, and whether a space follows it."""
    best, dialect = (0.0, 0), Dialect(",", padded=False)
    for delimiter in DELIMITERS:
        records: list[list[str]] = []
        reader = csv.reader(io.StringIO(head, newline=""), delimiter=delimiter, skipinitialspace=True)
        try:
            for record in reader:
                records.append(record)
                if len(records) > _SNIFFED_RECORDS:
                    break
        except csv.Error:
            continue
        records = [r for r in (records if whole or len(records) > _SNIFFED_RECORDS else records[:-1] or records) if r]
        width = len(records[0]) if records else 0
        if width < 2:
            continue
        score = (sum(len(record) == width for record in records) / len(records), width)
        if score > best:
            lines = [line for line in head.splitlines()[: len(records)] if line]
            best, dialect = score, Dialect(delimiter, all(_is_padded(line, delimiter) for line in lines))
    return dialect


def _is_padded(line: str, delimiter: str) -> bool:
    return delimiter != "\t" and delimiter in line and line.count(delimiter) == line.count(delimiter + " ")


def read_csv(data: bytes, path: Path) -> pl.DataFrame:
    """A table of text from UTF-8 bytes whose first record is the header.

    Raises:
        FileError: it is empty, has only a header, a name twice, or a row with too few or too many fields (which one).
    """
    if not data.strip(b"\r\n\t "):
        raise FileError(f"{path}: the file is empty, expected a header line and rows.")
    if b"\n" not in data[:SNIFFED] and b"\r" in data[:SNIFFED]:
        data = data.replace(b"\r", b"\n")
    data = data.lstrip(b"\r\n")
    head = data[:SNIFFED].decode("utf-8", errors="ignore")
    dialect = sniff(head, whole=len(data) <= SNIFFED)
    names = [name.strip() if dialect.padded else name for name in next(records(data, dialect, path))]
    for name in names:
        if names.count(name) > 1:
            raise FileError(
                f"{path}: the header has {names.count(name)} columns named {name!r}, expected one; rename them."
            )
    frame = None if dialect.padded and b'"' in data else read_fast(data, dialect, names)
    if frame is None:
        frame = _read_slowly(data, dialect, names, path)
    elif dialect.padded:
        frame = frame.with_columns(pl.all().str.strip_chars_start(" "))
    if frame.height == 0:
        raise FileError(f"{path}: there is only a header line, expected rows below it.")
    return frame


def records(data: bytes, dialect: Dialect, path: Path) -> Iterator[list[str]]:
    """The records of UTF-8 text, one by one; `FileError` where there is none."""
    text = io.TextIOWrapper(io.BytesIO(data), encoding="utf-8", newline="")
    reader = csv.reader(text, delimiter=dialect.delimiter, skipinitialspace=dialect.padded)
    limit = csv.field_size_limit(len(data) + 1)
    try:
        yield from reader
    except csv.Error as error:
        raise FileError(f"{path}, line {reader.line_num}: not a CSV record ({error}).") from error
    finally:
        csv.field_size_limit(limit)


def read_fast(data: bytes, dialect: Dialect, names: list[str]) -> pl.DataFrame | None:
    """The table read by Polars, or None unless the scan finds every record to have one field per name."""
    blank = _scan(data, dialect.delimiter, len(names))
    if blank is None:
        return None
    try:
        frame = pl.read_csv(data, separator=dialect.delimiter, infer_schema=False, has_header=True)
    except pl.exceptions.PolarsError:
        return None
    if frame.width != len(names):
        return None
    frame.columns = names
    if len(blank):
        keep = np.ones(frame.height + 1, dtype=bool)
        if blank.max() > frame.height:
            return None
        keep[blank] = False
        frame = frame.filter(pl.Series(keep[1:]))
    return frame.fill_null("")


def _scan(data: bytes, delimiter: str, width: int) -> NDArray[np.int64] | None:
    """The numbers of blank records (the header is 0), or None if quotes are odd or a record has not `width` fields."""
    blank: list[NDArray[np.int64]] = []
    inside, fields, length, record = 0, 0, 0, 0
    mark = ord(delimiter)
    for start in range(0, len(data), _BLOCK):
        block = np.frombuffer(data, dtype=np.uint8, count=min(_BLOCK, len(data) - start), offset=start)
        quotes = block == ord('"')
        open_ = None
        if inside or quotes.any():
            open_ = (np.cumsum(quotes, dtype=np.int64) + inside) & 1 == 1
            inside = int(open_[-1])
        ends = (block == ord("\n")) if open_ is None else (block == ord("\n")) & ~open_
        marks = (block == mark) if open_ is None else (block == mark) & ~open_
        places = np.flatnonzero(ends)
        counted = np.cumsum(marks, dtype=np.int64)
        at = counted[places]
        per_record = np.diff(at, prepend=0)
        sizes = np.diff(places, prepend=-1) - 1
        if len(places):
            per_record[0] += fields
            sizes[0] += length
            returns = np.zeros(len(places), dtype=bool)
            returns[places > 0] = block[places[places > 0] - 1] == ord("\r")
            empty = (per_record == 0) & (sizes - returns <= 0)
            wrong = (per_record != width - 1) & ~empty
            if wrong.any():
                return None
            if width > 1 and empty.any():
                blank.append(record + np.flatnonzero(empty))
            if width == 1 and empty.any():
                return None
            fields, length = int(counted[-1] - at[-1]), len(block) - 1 - int(places[-1])
            record += len(places)
        else:
            fields, length = fields + int(counted[-1]), length + len(block)
    if inside or (length > 0 and fields != width - 1):
        return None
    return np.concatenate(blank) if blank else np.empty(0, dtype=np.int64)


def _read_slowly(data: bytes, dialect: Dialect, names: list[str], path: Path) -> pl.DataFrame:
    width = len(names)
    columns: list[list[str]] = [[] for _ in names]
    text = io.TextIOWrapper(io.BytesIO(data), encoding="utf-8", newline="")
    reader = csv.reader(text, delimiter=dialect.delimiter, skipinitialspace=dialect.padded)
    limit = csv.field_size_limit(len(data) + 1)
    try:
        next(reader)
        for record in reader:
            if not record:
                continue
            if len(record) != width:
                raise FileError(
                    f"{path}, line {reader.line_num}: got {len(record)} fields, expected {width} as in the header; "
                    "correct the line, or quote cells that hold the delimiter."
                )
            for column, cell in zip(columns, record, strict=True):
                column.append(cell)
    except csv.Error as error:
        raise FileError(f"{path}, line {reader.line_num}: not a CSV record ({error}).") from error
    finally:
        csv.field_size_limit(limit)
    return pl.DataFrame(
        {name: pl.Series(name, cells, dtype=pl.String) for name, cells in zip(names, columns, strict=True)}
    )
