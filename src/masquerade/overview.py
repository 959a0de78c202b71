"""A table's columns at a glance: name, kind, values, missing share. Only what the schema may show, never a row."""

from __future__ import annotations

import polars as pl
from rich import box
from rich.table import Table
from rich.text import Text

from masquerade.schema import Column, Schema

__all__ = ["describe_values", "overview"]

_SHOWN_LETTERS = 28


def describe_values(column: Column) -> str:
    """What the values of a column look like, in few words.

    >>> describe_values(Column("age", "integer", minimum=17, maximum=90))
    '17 to 90'
    >>> describe_values(Column("sex", "categorical", levels=("Female", "Male")))
    '2 levels: Female, Male'
    """
    if column.kind in ("text", "id"):
        return "new ones are made by pattern"
    if column.levels is not None:
        shown = _some(column.levels)
        return shown if column.kind == "boolean" else f"{len(column.levels)} levels: {shown}"
    if column.minimum is None or column.maximum is None:
        return ""
    return f"{_spelled(column.minimum, column)} to {_spelled(column.maximum, column)}"


def _some(levels: tuple[str, ...]) -> str:
    """The first levels, as many as have room."""
    whole = ", ".join(levels)
    if len(whole) <= _SHOWN_LETTERS:
        return whole
    fitting, comma, _ = whole[:_SHOWN_LETTERS].rpartition(", ")
    return f"{fitting}, …" if comma else f"{levels[0][:_SHOWN_LETTERS]}…"


def _spelled(value: float | int | str, column: Column) -> str:
    if isinstance(value, str):
        return value
    if column.kind == "continuous" and column.decimals is not None:
        return f"{value:,.{column.decimals}f}"
    return f"{value:,.10g}"


def _share(missing: float) -> str:
    """A share of missing values, blank for none.

    >>> _share(0.0), _share(0.0002), _share(0.5)
    ('', '<0.1%', '50.0%')
    """
    return "" if missing == 0 else "<0.1%" if missing < 0.001 else f"{missing:.1%}"


def overview(schema: Schema, typed: pl.DataFrame) -> Table:
    """A Rich table, one line a column.

    Args:
        schema: what each column is.
        typed: the table with null for missing, shape (rows, columns).
    """
    unit = "" if schema.unit is None else f", unit {schema.unit}"
    title = f"{typed.height:,} rows, {len(schema)} columns{unit}"
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("Column", overflow="fold")
    table.add_column("Kind", no_wrap=True)
    table.add_column("Values", overflow="fold")
    table.add_column("Missing", justify="right", no_wrap=True)
    for column in schema:
        missing = typed.get_column(column.name).null_count() / max(typed.height, 1)
        name = Text(column.name, style="bold red" if column.sensitive else "bold")
        table.add_row(name, column.kind, Text(describe_values(column)), _share(missing))
    return table
