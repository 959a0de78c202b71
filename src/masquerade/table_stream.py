"""A table's file as a stream of batches, for files that memory does not hold.

What a batch holds is what `files.read_table` would give for its rows. A CSV is cut at the ends of records and each piece is
read as a table of its own; from the first piece that is not well-formed on, Python's `csv` reads record by record.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import io
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

import numpy as np
import polars as pl

from masquerade.atomic import one_line
from masquerade.csv_text import SNIFFED, Dialect, bare_utf16, decode, read_csv, read_fast, records, sniff
from masquerade.errors import FileError
from masquerade.files import DAMAGE, kind_of_file, read_table
from masquerade.sealing import is_sealed
from masquerade.secret import Secret

__all__ = ["Batch", "TableStream"]

BLOCK_BYTES = 1 << 25
"""So much text of a CSV is read at a time."""
BATCH_CELLS = 4_000_000
"""A batch of a Parquet file has about so many cells."""
LONGEST_RECORD = 1 << 28
"""A record longer than this is taken for a quote that is never closed, and read slowly."""


@dataclass(frozen=True)
class Batch:
    """Some rows of a file.

    Args:
        frame: raw rows, as `files.read_table` gives them.
        share: how much of the file is read once these are, from 0 to 1.
    """

    frame: pl.DataFrame
    share: float


class TableStream:
    """A file that can be read from the start as often as is needed, never whole.

    Args:
        path: CSV (any of the dialects and encodings of `read_table`, also `.gz`) or Parquet; an Excel sheet is one batch.
        secret: what the file was sealed with: it is then opened in memory alone, and one batch. None: it is not sealed.

    Raises:
        FileError: the file is missing, empty or damaged; or it is sealed and the secret is wrong or missing, or not sealed and
            there is one.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "a.csv"
    >>> _ = path.write_text("a;b\\n1;x\\n2;y\\n")
    >>> [batch.frame.rows() for batch in TableStream(path).batches()]
    [[('1', 'x'), ('2', 'y')]]
    """

    def __init__(self, path: str | Path, *, secret: Secret | None = None) -> None:
        self.path = Path(path)
        self._ending = kind_of_file(self.path)
        self._text: _Text | None = None
        self._opened: pl.DataFrame | None = None
        if secret is not None or is_sealed(self.path):
            self._opened = read_table(self.path, secret=secret)
            self.names = self._opened.columns
        elif self._ending == ".parquet":
            try:
                self.names = pl.scan_parquet(self.path, glob=False).collect_schema().names()
            except DAMAGE as error:
                raise self._unreadable(error) from error
        elif self._ending == ".xlsx":
            self.names = read_table(self.path).columns
        else:
            try:
                self._text = _Text(self.path, packed=self._ending.endswith(".gz"))
            except DAMAGE as error:
                raise self._unreadable(error) from error
            self.names = self._text.names

    def bytes_in_memory(self) -> float:
        """About how many bytes the whole table would take in memory, by its first batch."""
        batches = self.batches()
        first = next(batches, None)
        batches.close()
        if first is None:
            return 0.0
        whole = first.frame.estimated_size() / max(first.share, 1e-9)
        # While a CSV is read whole, its text lies beside the cells.
        return whole if self._text is None else whole + self.path.stat().st_size * self._text.growth(first.share)

    def batches(self, columns: Sequence[str] | None = None) -> Generator[Batch]:
        """The rows in the file's order; `columns`: only these, which saves time in a Parquet file."""
        try:
            if self._ending == ".parquet" and self._opened is None:
                yield from self._parquet(columns)
            elif self._text is None:
                whole = read_table(self.path) if self._opened is None else self._opened
                yield Batch(whole if columns is None else whole.select(columns), 1.0)
            else:
                for batch in self._text.batches():
                    yield batch if columns is None else Batch(batch.frame.select(columns), batch.share)
        except DAMAGE as error:
            raise self._unreadable(error) from error

    def _parquet(self, columns: Sequence[str] | None) -> Iterator[Batch]:
        table = pl.scan_parquet(self.path, glob=False, low_memory=True)
        total = int(table.select(pl.len()).collect().item())
        width = len(self.names if columns is None else columns)
        rows = max(BATCH_CELLS // max(width, 1), 1_000)
        chosen = table if columns is None else table.select(columns)
        done = 0
        for frame in chosen.collect_batches(chunk_size=rows, maintain_order=True, engine="streaming"):
            done += frame.height
            if frame.height:
                yield Batch(frame, done / max(total, 1))
        if done != total:  # Polars may end a stream of batches where it cannot read on, and say nothing
            raise FileError(f"{self.path}: it is damaged, {done:,} of {total:,} rows can be read; take a fresh copy.")

    def _unreadable(self, error: BaseException) -> FileError:
        return FileError(f"{self.path}: cannot be read ({one_line(error)}).")


class _Text:
    """A CSV file: its encoding and dialect, found once, and its records as batches."""

    def __init__(self, path: Path, *, packed: bool) -> None:
        self.path, self.packed = path, packed
        self.encoding = self._find_encoding()
        self.returns_only = False
        first = b""
        for block, _ in self._blocks():
            first = (first + block).lstrip(b"\r\n")
            if len(first) > SNIFFED:
                break
        if not first.strip(b"\r\n\t "):
            raise FileError(f"{path}: the file is empty, expected a header line and rows.")
        self.returns_only = b"\n" not in first[:SNIFFED] and b"\r" in first[:SNIFFED]
        if self.returns_only:
            first = first.replace(b"\r", b"\n")
        head = first[:SNIFFED].decode("utf-8", errors="ignore")
        self.dialect: Dialect = sniff(head, whole=len(first) <= SNIFFED)
        if len(first) <= SNIFFED:
            read_csv(first, path)  # a small file's faults are told at once
        header = next(records(first, self.dialect, path))
        self.names = [name.strip() if self.dialect.padded else name for name in header]
        for name in self.names:
            if self.names.count(name) > 1:
                raise FileError(
                    f"{path}: the header has {self.names.count(name)} columns named {name!r}, expected one; rename them."
                )

    def growth(self, share: float) -> float:
        """Bytes of text for each byte of the file."""
        if not self.packed:
            return 1.0
        with gzip.open(self.path) as file:
            text = len(file.read(BLOCK_BYTES))
        return max(1.0, text / max(share * self.path.stat().st_size, 1.0))

    def _open(self) -> tuple[IO[bytes], IO[bytes]]:
        """What gives the text, and what lies on the disk (the same unless it is packed)."""
        raw = self.path.open("rb")
        return (cast(IO[bytes], gzip.GzipFile(fileobj=raw)), raw) if self.packed else (raw, raw)

    def _find_encoding(self) -> str:
        """The encoding that all of the file is in: one pass, as no part of it tells for the rest."""
        text, raw = self._open()
        with raw, text:
            head = text.read(SNIFFED)
            if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
                return "utf-16"
            if not head.startswith(codecs.BOM_UTF8) and (guess := bare_utf16(head[: len(head) // 2 * 2])) is not None:
                return guess
            line, decoder = 1, codecs.getincrementaldecoder("utf-8")()
            block, plain = head, True
            while block:
                if b"\0" in block:
                    line += block.count(b"\n", 0, block.index(b"\0"))
                    raise FileError(
                        f"{self.path}, line {line}: there is a NUL byte, expected text; the file is damaged or not a CSV."
                    )
                line += block.count(b"\n")
                try:
                    if plain and not (block.isascii() and not decoder.getstate()[0]):
                        decoder.decode(block)
                except UnicodeDecodeError:
                    plain = False
                    decode(block[block.find(b"\n") + 1 : block.rfind(b"\n") + 1] or block, self.path)
                block = text.read(BLOCK_BYTES)
        return "utf-8-sig" if plain else "gb18030"

    def _blocks(self) -> Iterator[tuple[bytes, float]]:
        """UTF-8 text in pieces, and how much of the file is behind each."""
        size = max(self.path.stat().st_size, 1)
        text, raw = self._open()
        plain = self.encoding == "utf-8-sig"
        decoder = codecs.getincrementaldecoder(self.encoding)()
        with raw, text:
            first = True
            while block := text.read(BLOCK_BYTES):
                if plain:
                    block = block.removeprefix(codecs.BOM_UTF8) if first else block
                else:
                    try:
                        block = decoder.decode(block).encode()
                    except UnicodeError as error:
                        raise FileError(
                            f"{self.path}: the text begins as {self.encoding.upper()} but is not ({error}); save it as UTF-8."
                        ) from error
                first = False
                yield block.replace(b"\r", b"\n") if self.returns_only else block, min(raw.tell() / size, 1.0)

    def batches(self) -> Iterator[Batch]:
        """The records below the header."""
        blocks = self._blocks()
        rest, share, started, line, rows = b"", 0.0, False, 1, 0
        for block, share in blocks:
            rest += block
            if not started:
                rest = rest.lstrip(b"\r\n")
                begin = _first_end(rest)
                if begin == 0:
                    continue
                line += rest.count(b"\n", 0, begin)
                rest, started = rest[begin:], True
            cut = _last_end(rest)
            if cut == 0 and len(rest) < LONGEST_RECORD:
                continue
            frame = self._fast(rest[:cut])
            if frame is None:
                for batch in self._slowly(rest, blocks, line, share):
                    rows += batch.frame.height
                    yield batch
                rest = b""
                break
            line += rest.count(b"\n", 0, cut)
            rest = rest[cut:]
            rows += frame.height
            if frame.height:
                yield Batch(frame, share)
        if started and rest.strip(b"\r\n"):
            frame = self._fast(rest)
            left = iter([Batch(frame, 1.0)]) if frame is not None else self._slowly(rest, iter(()), line, 1.0)
            for batch in left:
                rows += batch.frame.height
                yield batch
        if rows == 0:
            raise FileError(f"{self.path}: there is only a header line, expected rows below it.")

    def _fast(self, data: bytes) -> pl.DataFrame | None:
        if self.dialect.padded and b'"' in data:
            return None
        mark = self.dialect.delimiter
        header = mark.join(f"c{i}" for i in range(len(self.names))).encode() + b"\n"
        frame = read_fast(header + data, self.dialect, self.names)
        return (
            frame.with_columns(pl.all().str.strip_chars_start(" "))
            if frame is not None and self.dialect.padded
            else frame
        )

    def _slowly(self, rest: bytes, blocks: Iterator[tuple[bytes, float]], line: int, share: float) -> Iterator[Batch]:
        """Everything from here on by Python's `csv`, whose reading needs no cut in advance."""
        pipe = _Pipe(rest, blocks, share)
        text = io.TextIOWrapper(io.BufferedReader(pipe, 1 << 20), encoding="utf-8", newline="")
        reader = csv.reader(text, delimiter=self.dialect.delimiter, skipinitialspace=self.dialect.padded)
        limit = csv.field_size_limit(2**31 - 1)
        width = len(self.names)
        most = max(BATCH_CELLS // 4 // width, 1_000)
        kept: list[list[str]] = []
        try:
            for record in reader:
                if not record:
                    continue
                if len(record) != width:
                    raise FileError(
                        f"{self.path}, line {line + reader.line_num - 1}: got {len(record)} fields, expected {width} as in "
                        "the header; correct the line, or quote cells that hold the delimiter."
                    )
                kept.append(record)
                if len(kept) >= most:
                    yield Batch(self._frame(kept), pipe.share)
                    kept = []
        except csv.Error as error:
            raise FileError(f"{self.path}, line {line + reader.line_num - 1}: not a CSV record ({error}).") from error
        finally:
            csv.field_size_limit(limit)
        if kept:
            yield Batch(self._frame(kept), pipe.share)

    def _frame(self, rows: list[list[str]]) -> pl.DataFrame:
        return pl.DataFrame(rows, schema=dict.fromkeys(self.names, pl.String), orient="row")


class _Pipe(io.RawIOBase):
    """Pieces of text as one file to read from."""

    def __init__(self, rest: bytes, blocks: Iterator[tuple[bytes, float]], share: float) -> None:
        self.left, self.blocks, self.share = memoryview(rest), blocks, share

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        while not len(self.left):
            block, self.share = next(self.blocks, (b"", self.share))
            if not block:
                return 0
            self.left = memoryview(block)
        count = min(len(buffer), len(self.left))
        buffer[:count] = self.left[:count]
        self.left = self.left[count:]
        return count


def _first_end(data: bytes) -> int:
    """Where the second record begins; 0 where the first does not end here."""
    start = 0
    while (end := data.find(b"\n", start)) >= 0:
        if data.count(b'"', 0, end) % 2 == 0:
            return end + 1
        start = end + 1
    return 0


def _last_end(data: bytes) -> int:
    """Where the last record begins that does not end here: after the last line end outside quotes; 0 without any."""
    if b'"' not in data:
        return data.rfind(b"\n") + 1
    marks = np.frombuffer(data, dtype=np.uint8)
    ends = np.flatnonzero(marks == ord("\n"))
    quotes = np.flatnonzero(marks == ord('"'))
    outside = np.flatnonzero(np.searchsorted(quotes, ends) % 2 == 0)
    return int(ends[outside[-1]]) + 1 if outside.size else 0
