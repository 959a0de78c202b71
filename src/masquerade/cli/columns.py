"""Names of columns on the command line: `--sensitive age,job`, or the option repeated."""

from __future__ import annotations

from collections.abc import Sequence

from masquerade.cli.checks import check_column

__all__ = ["split_columns"]


def split_columns(option: str, texts: Sequence[str] | None, names: Sequence[str]) -> tuple[str, ...]:
    """The columns that were named, each once; a name may hold commas itself.

    Raises:
        SchemaError: there is no such column; the nearest is named.

    >>> split_columns("--sensitive", ["age,job", "a,b"], ["age", "job", "a,b"])
    ('age', 'job', 'a,b')
    """
    found: dict[str, None] = {}
    for text in texts or ():
        for name in [text] if text in names else [part.strip() for part in text.split(",") if part.strip()]:
            check_column(option, name, names)
            found[name] = None
    return tuple(found)
