"""Options of commands that read picture sets."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

import typer

from masquerade.errors import SettingError

__all__ = ["Channels", "Labels", "Size", "SkipBad", "reading_of", "size_of"]

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


def size_of(text: str) -> tuple[int, int]:
    """`28x28` as height and width.

    Raises:
        SettingError: it is no size.

    >>> size_of("28x32")
    (28, 32)
    """
    found = re.fullmatch(r"\s*([1-9]\d{0,4})\s*[xX×,]\s*([1-9]\d{0,4})\s*", text)
    if found is None:
        raise SettingError(f"--size: got {text!r}, expected height and width in pixels, such as 28x28.")
    return int(found[1]), int(found[2])


def reading_of(size: str | None, channels: int | None, skip_bad: bool, labels: Path | None) -> dict[str, Any]:
    """The arguments of `read_pictures` that these options ask for.

    Raises:
        SettingError: a size that is none.

    >>> reading_of("28x32", None, True, None)
    {'size': (28, 32), 'skip_bad': True}
    """
    asked: dict[str, Any] = {}
    if size is not None:
        asked["size"] = size_of(size)
    if channels is not None:
        asked["channels"] = channels
    if skip_bad:
        asked["skip_bad"] = True
    if labels is not None:
        asked["labels"] = labels
    return asked
