"""Options of commands that read picture sets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from masquerade.errors import SettingError

__all__ = ["Channels", "Labels", "Size", "SkipBad", "reading_of", "refuse_for_tables"]

_PICTURES = "Picture sets"

Size = Annotated[
    str | None,
    typer.Option("--size", metavar="HxW", help="Resample every picture to H by W pixels.", rich_help_panel=_PICTURES),
]
Channels = Annotated[
    int | None,
    typer.Option(
        "--channels", metavar="N", help="Turn every picture into 1 (grey) or 3 (colour).", rich_help_panel=_PICTURES
    ),
]
SkipBad = Annotated[
    bool, typer.Option("--skip-bad", help="Leave damaged pictures out, counted.", rich_help_panel=_PICTURES)
]
Labels = Annotated[
    Path | None,
    typer.Option(
        "--labels",
        metavar="FILE",
        help="Labels beside a set: a table with a column 'file', or an IDX file.",
        rich_help_panel=_PICTURES,
    ),
]


def reading_of(size: str | None, channels: int | None, skip_bad: bool, labels: Path | None) -> dict[str, Any]:
    """The arguments of `read_pictures` that these options ask for.

    Raises:
        SettingError: a size that is none.

    >>> reading_of("28x32", None, True, None)
    {'size': (28, 32), 'skip_bad': True}
    """
    asked: dict[str, Any] = {}
    if size is not None:
        found = re.fullmatch(r"\s*(\d{1,5})\s*[xX×,]\s*(\d{1,5})\s*", size)
        if found is None:
            raise SettingError(f"--size: got {size!r}, expected HxW in pixels, such as 28x28.")
        asked["size"] = (int(found[1]), int(found[2]))
    if channels is not None:
        asked["channels"] = channels
    if skip_bad:
        asked["skip_bad"] = True
    if labels is not None:
        asked["labels"] = labels
    return asked


def refuse_for_tables(data: Path, given: Mapping[str, Any]) -> None:
    """Refuse options that only picture sets have, where a table is read.

    Args:
        data: the table.
        given: what was given, by option; None or False: was not.
    """
    for option, value in given.items():
        if value is not None and value is not False:
            raise SettingError(f"{option}: is for picture sets, and {data} is none; leave it out.")
