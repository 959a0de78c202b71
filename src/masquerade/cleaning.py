"""Tidy a table before anything else is done with it: blanks around words, empty rows and columns, exact duplicates."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from masquerade.errors import TableError

__all__ = ["Cleaned", "clean"]


@dataclass(frozen=True)
class Cleaned:
    """A tidied table and what was done.

    Args:
        table: raw rows, in their order.
        trimmed: how many cells lost blanks at their ends.
        empty_rows: how many rows held nothing.
        empty_columns: the columns that held nothing.
        duplicates: how many rows repeated an earlier one, cell for cell.
    """

    table: pl.DataFrame
    trimmed: int
    empty_rows: int
    empty_columns: tuple[str, ...]
    duplicates: int

    def sentence(self) -> str:
        """What was done, in plain words."""
        columns = f" ({', '.join(self.empty_columns)})" if self.empty_columns else ""
        return (
            f"Trimmed {self.trimmed:,} cells; dropped {self.empty_rows:,} empty rows, {len(self.empty_columns)} empty "
            f"columns{columns} and {self.duplicates:,} duplicate rows; {self.table.height:,} rows stay."
        )


def clean(
    raw: pl.DataFrame,
    *,
    trim_spaces: bool = True,
    drop_empty_rows: bool = True,
    drop_empty_columns: bool = True,
    drop_duplicates: bool = True,
) -> Cleaned:
    """Tidy a raw table. A cell is empty where it is null or text without a letter.

    Args:
        raw: as `files.read_table` gives it; it is not changed.
        trim_spaces: take blanks from both ends of text cells.
        drop_empty_rows: leave out rows whose every cell is empty.
        drop_empty_columns: leave out columns whose every cell is empty.
        drop_duplicates: of rows that are equal in every cell keep the first. Two people may be equal where there is no id.

    Raises:
        TableError: nothing would be left.

    >>> table = pl.DataFrame({"a": [" x", "x", "", "y"], "b": ["1", "1", "", "2"], "c": ["", "", "", ""]})
    >>> clean(table).table.rows()
    [('x', '1'), ('y', '2')]
    """
    table, trimmed = raw, 0
    texts = [name for name, dtype in raw.schema.items() if dtype == pl.String]
    if trim_spaces and texts:
        table = raw.with_columns(pl.col(texts).str.strip_chars())
        changed = raw.select(texts).select(
            (pl.col(name).str.len_bytes() != pl.col(name).str.strip_chars().str.len_bytes()).sum() for name in texts
        )
        trimmed = int(sum(changed.row(0)))
    empty = {name: _is_empty(name, dtype) for name, dtype in table.schema.items()}
    gone: tuple[str, ...] = ()
    if drop_empty_columns and table.height:
        flags = table.select(test.all() for test in empty.values()).row(0)
        gone = tuple(name for name, flag in zip(empty, flags, strict=True) if flag)
    rows = table.height
    if drop_empty_rows and table.width:
        table = table.filter(~pl.all_horizontal(list(empty.values())))
    empty_rows = rows - table.height
    table = table.drop(gone)
    if not table.width or not table.height:
        raise TableError("table: every cell is empty, so nothing is left after cleaning; check the file that was read.")
    rows = table.height
    if drop_duplicates:
        table = table.unique(keep="first", maintain_order=True)
    return Cleaned(table, trimmed, empty_rows, gone, rows - table.height)


def _is_empty(name: str, dtype: pl.DataType) -> pl.Expr:
    null = pl.col(name).is_null()
    return null | (pl.col(name).str.strip_chars() == "") if dtype == pl.String else null
