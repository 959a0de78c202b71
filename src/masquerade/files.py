"""Users' tables and schemas as files; the only module that reads them.

A file's ending chooses its format. Everything is written atomically: a file appears whole or not at all.
"""

from __future__ import annotations

import gzip
import io
import tempfile
import tomllib
import zlib
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import IO, Any, cast

import polars as pl
import tomli_w

from masquerade import toml_text
from masquerade.atomic import atomic_path, check_writable, one_line
from masquerade.csv_text import decode, read_csv
from masquerade.errors import FileError, RuleError, SchemaError
from masquerade.schema import KINDS, Schema
from masquerade.sealing import SealedWriter, opened
from masquerade.secret import Secret

__all__ = [
    "DAMAGE",
    "READABLE",
    "WRITABLE",
    "TableWriter",
    "atomic_path",
    "check_writable",
    "kind_of_file",
    "read_schema",
    "read_table",
    "write_schema",
    "write_table",
]

_TEXT = (".csv", ".tsv", ".txt", ".asc", ".data")
READABLE: tuple[str, ...] = (*_TEXT, *(ending + ".gz" for ending in _TEXT), ".parquet", ".xlsx")
"""The endings of tables that can be read."""
WRITABLE: tuple[str, ...] = (".csv", ".csv.gz", ".parquet", ".xlsx")
"""The endings of tables that can be written."""
DAMAGE = (OSError, EOFError, zlib.error, pl.exceptions.PolarsError, pl.exceptions.PanicException)
"""What damaged files lead to; Polars panics at some."""
_EXCEL_ROWS = 1_048_575
_NO_EXCEL = "Excel files need an extra; run `pip install masquerade[excel]`"


def _ending(path: Path, known: tuple[str, ...]) -> str:
    name = path.name.lower().removesuffix(".age" if known is READABLE else "")
    for ending in sorted(known, key=len, reverse=True):
        if name.endswith(ending):
            return ending
    raise FileError(
        f"{path}: the ending {''.join(path.suffixes[-2:])!r} is unknown, expected one of {', '.join(known)}."
    )


def kind_of_file(path: Path) -> str:
    """The ending of a table's file, one of `READABLE`; `FileError` where it is unknown or there is no such file."""
    ending = _ending(path, READABLE)  # of what `age` encrypted: the ending before its own
    if path.is_dir():
        raise FileError(f"{path}: it is a folder, expected a file.")
    if not path.exists():
        raise FileError(f"{path}: there is no such file.")
    return ending


def read_table(path: str | Path, *, secret: Secret | None = None) -> pl.DataFrame:
    """A table from a CSV (any delimiter of `, ; tab |`, quoting and usual encoding, also `.gz`), Parquet or Excel file.

    Args:
        path: the file. The first line of a CSV is its header.
        secret: what the file was sealed with; it is then opened in memory alone. None: it is not sealed.

    Returns:
        A raw table: from a CSV every column is text with `""` for an empty cell; otherwise the file's own types.

    Raises:
        FileError: the file is missing, empty, damaged, of an unknown ending or encoding, has ragged rows or duplicate
            names; or it is sealed and the secret is wrong or missing, or not sealed and there is one.
    """
    path = Path(path)
    ending = kind_of_file(path)
    try:
        data = opened(path, secret)
        if ending == ".parquet":
            return pl.read_parquet(path, glob=False) if data is None else pl.read_parquet(io.BytesIO(data))
        if ending == ".xlsx":
            return _read_excel(path, data)
        data = path.read_bytes() if data is None else data
        data = gzip.decompress(data) if ending.endswith(".gz") else data
    except DAMAGE as error:
        raise FileError(f"{path}: cannot be read ({one_line(error)}).") from error
    return read_csv(decode(data, path), path)


def _read_excel(path: Path, data: bytes | None) -> pl.DataFrame:
    try:
        import fastexcel
    except ImportError as error:
        raise FileError(f"{path}: {_NO_EXCEL}.") from error
    try:
        frame = pl.read_excel(path if data is None else data, engine="calamine")
    except (fastexcel.FastExcelError, pl.exceptions.PolarsError) as error:
        raise FileError(f"{path}: cannot be read as an Excel file ({one_line(error)}).") from error
    return frame


def write_table(frame: pl.DataFrame, path: str | Path, *, secret: Secret | None = None) -> None:
    """Write a table by its ending: CSV (UTF-8, commas; also `.csv.gz`), Parquet or Excel.

    Args:
        frame: the table.
        path: the file.
        secret: what seals (encrypts) the file; None: it is not sealed.

    Raises:
        FileError: the ending is unknown, the table is too long for Excel, or the file cannot be written; nothing is
            left then.
    """
    with TableWriter(path, secret=secret) as writer:
        writer.write(frame)


class TableWriter:
    """Write a table in parts; the file appears when the block ends well, and nothing is left when it does not.

    Args:
        path: the file; its ending chooses the format. CSV and Parquet parts go to disk at once, Excel parts are
            gathered.
        secret: what seals the file: nothing plain is ever on the disk then, so Parquet parts are gathered too. None: it is
            not sealed.

    Raises:
        FileError: as `write_table`.

    >>> folder = Path(tempfile.mkdtemp())
    >>> with TableWriter(folder / "a.csv") as writer:
    ...     writer.write(pl.DataFrame({"a": [1, 2]}))
    ...     writer.write(pl.DataFrame({"a": [3]}))
    >>> (folder / "a.csv").read_text().split()
    ['a', '1', '2', '3']
    """

    def __init__(self, path: str | Path, *, secret: Secret | None = None) -> None:
        self._path, self._secret = Path(path), secret
        self._ending = _ending(self._path, WRITABLE)
        check_writable(self._path, endings=WRITABLE)
        self._parts = 0
        self._gathered: list[pl.DataFrame] = []
        self._stream: IO[bytes] | None = None
        self._folder: Path | None = None

    def __enter__(self) -> TableWriter:
        with ExitStack() as stack:
            self._temporary = stack.enter_context(atomic_path(self._path))
            stack.push(self._finish)
            if self._ending in (".csv", ".csv.gz"):
                self._stream = stack.enter_context(self._temporary.open("wb"))
                if self._secret is not None:
                    sealed = stack.enter_context(SealedWriter(self._stream, self._secret))
                    self._stream = cast(IO[bytes], sealed)
            if self._ending == ".csv.gz":
                packed = gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=self._stream, mtime=0)
                self._stream = cast(IO[bytes], stack.enter_context(packed))
            if self._ending == ".parquet" and self._secret is None:
                folder = tempfile.TemporaryDirectory(prefix=".parts-", dir=self._temporary.parent)
                self._folder = Path(stack.enter_context(folder))
                stack.push(self._join)
            self._stack = stack.pop_all()
        return self

    def write(self, frame: pl.DataFrame) -> None:
        """Append rows; every part must have the same columns and types."""
        if self._stream is not None:
            plain = (
                _without_empty_text(frame) if frame.width > 1 else frame.with_columns(pl.col(pl.String).fill_null(""))
            )
            plain.write_csv(self._stream, include_header=self._parts == 0)
        elif self._folder is not None:
            frame.write_parquet(self._folder / f"{self._parts:08}.parquet")
        else:
            self._gathered.append(frame)
        self._parts += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def _join(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Called before the folder of parts goes: stream them into one Parquet file."""
        if kind is None and self._folder is not None and self._parts:
            parts = sorted(self._folder.iterdir())
            if len(parts) == 1:
                parts[0].replace(self._temporary)
            else:
                pl.scan_parquet(parts, glob=False).sink_parquet(self._temporary)

    def _finish(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Called when every stream is closed, and before the file takes its place."""
        if kind is not None:
            return
        if self._parts == 0:
            raise FileError(f"{self._path}: no rows were written.")
        if self._gathered and self._secret is None:
            _write_excel(pl.concat(self._gathered), self._temporary, self._path)
        elif self._gathered and self._secret is not None:
            content, whole = io.BytesIO(), pl.concat(self._gathered)
            if self._ending == ".parquet":
                whole.write_parquet(content)
            else:
                _write_excel(whole, content, self._path)
            with self._temporary.open("wb") as file, SealedWriter(file, self._secret) as sealed:
                sealed.write(content.getbuffer())


def _without_empty_text(frame: pl.DataFrame) -> pl.DataFrame:
    """Empty text as null, which a CSV spells as nothing instead of two quotes."""
    return frame.with_columns(pl.when(pl.col(pl.String) != "").then(pl.col(pl.String)).name.keep())


def _write_excel(frame: pl.DataFrame, target: Path | io.BytesIO, path: Path) -> None:
    if frame.height > _EXCEL_ROWS:
        raise FileError(
            f"{path}: an Excel sheet holds {_EXCEL_ROWS:,} rows, got {frame.height:,}; write .csv or .parquet."
        )
    try:
        import xlsxwriter  # type: ignore[import-untyped]
    except ImportError as error:
        raise FileError(f"{path}: {_NO_EXCEL}.") from error
    try:
        if isinstance(target, Path):
            frame.write_excel(target)
        else:
            with xlsxwriter.Workbook(target, {"in_memory": True}) as book:  # else its parts lie on the disk, plain
                frame.write_excel(book)
    except xlsxwriter.exceptions.FileCreateError as error:
        raise FileError(f"{path}: cannot be written ({one_line(error)}).") from error


_TOP = f"""\
# What each column is. Edit freely, then pass this file with --schema.
#
# declared = true   once you vouch that everything below may be public knowledge: bounds and levels included.
# unit = "COLUMN"   the column that says whose row it is (a person, an account); without it each row stands for itself.
#
# In [columns.NAME]:
#   kind            {", ".join(KINDS)}
#   minimum, maximum, levels   the values it may take; what is listed here came from the data, without rare ones
#   sensitive       true: a secret that attacks should try to learn, and that fuse draws anew
#   pii             the kind of identifier that inspect found ("phone", "name", "birth_date", ...)
#   quasi           true: tells who a row is about together with other columns
#   missing         the word for a missing value; "" is an empty cell
#   nullable        true: values may be missing; a private release asks this and not the data: neither it nor a word, never
#   protect         a protection threshold of its own
#   format          how dates and times are written (%d-%b-%y is 01-Oct-18)
#   decimals, least_decimals, thousands, grouping, decimal_mark   how numbers are written
#
# For a private release (differential privacy): check that every bound and level below may be public, take out those that may
# not (they are then found with noise, for a part of the budget), set declared = true, and run
#   masquerade synthesize DATA -o OUT --schema THIS-FILE --epsilon 1
# Free text (kind = "text") has to be dropped, or made categorical with levels; ids and the unit are numbered anew.
#
# rules = ["start <= end", "0 <= age <= 120", "total = net + tax"]   what holds in every row; columns in backticks if need be.
# The same and more as tables at the end of the file, every field on a line of its own: [[rules]], then kind = "inequality"
# (low, high, strict), "range" (column, minimum, maximum), "formula" (target, formula), "one_hot" (columns: exactly one of
# them is 1 or yes) or "fixed_combinations" (columns: their values occur only in combinations that the data has).

"""


def write_schema(schema: Schema, path: str | Path) -> None:
    """Write a `schema.toml` for a person to edit; raises `FileError` when it cannot be written."""
    with atomic_path(path) as temporary:
        temporary.write_text(_TOP + tomli_w.dumps(schema.to_dict()), encoding="utf-8")


def read_schema(path: str | Path) -> Schema:
    """Read a `schema.toml`.

    Raises:
        FileError: the file cannot be read.
        SchemaError: it is not TOML, or not a schema; the message says which column and field.
        RuleError: a rule in it cannot be read, or does not fit its columns.
    """
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
        data: dict[str, Any] = toml_text.loads(text)
    except (OSError, UnicodeError) as error:
        raise FileError(f"{path}: cannot be read ({one_line(error)}).") from error
    except tomllib.TOMLDecodeError as error:
        raise SchemaError(f"{path}: not a TOML file ({one_line(error)}).") from error
    try:
        return Schema.from_dict(data)
    except (SchemaError, RuleError) as error:
        raise type(error)(f"{path}: {error}") from error
