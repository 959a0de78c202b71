"""`masquerade evaluate` on picture sets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from masquerade.errors import SettingError
from masquerade.picture_files import is_picture_set

__all__ = ["kind_of", "refuse_for_pictures", "refuse_for_tables", "size_of"]


def kind_of(kind: str | None, real: Path) -> str:
    """The kind that was asked for, or the one that the path of the real set tells."""
    return kind if kind is not None else "images" if is_picture_set(real) else "rows"


def size_of(text: str | None) -> tuple[int, int] | None:
    """`28x28` as height and width.

    >>> size_of("28x32")
    (28, 32)
    """
    if text is None:
        return None
    match = re.fullmatch(r"([1-9]\d{0,4})[xX×]([1-9]\d{0,4})", text.strip())
    if match is None:
        raise SettingError(f"--size: got {text!r}, expected height and width in pixels, such as 28x28.")
    return int(match[1]), int(match[2])


def refuse_for_pictures(options: Mapping[str, Any], real: Path) -> None:
    """Refuse options that are for tables; None and empty ones were not given."""
    for option, value in options.items():
        if value is not None and value != []:
            raise SettingError(f"{option}: it is for tables, and {real} is a picture set; leave it out.")


def refuse_for_tables(size: str | None, *, skip_bad: bool, show_neighbours: bool) -> None:
    """Refuse options that are for pictures."""
    for option, given in (
        ("--size", size is not None),
        ("--skip-bad", skip_bad),
        ("--show-neighbours", show_neighbours),
    ):
        if given:
            raise SettingError(f"{option}: it is for pictures, and --kind is not images; leave it out.")
