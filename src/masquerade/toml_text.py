"""TOML that somebody else may have written: `tomllib`, with bounds on how long and how deeply nested it may be."""

from __future__ import annotations

import re
import tomllib
from typing import Any

__all__ = ["loads"]

MOST_LETTERS = 16 * 2**20
_ENDLESS_KEY = re.compile(r"""(?<![\w-])(?:(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+){500}""")
"""What looks like a dotted key of 500 parts; `tomllib` takes a time that grows with the square of them."""


def loads(text: str) -> dict[str, Any]:
    """`tomllib.loads`, where a text without end or bottom is no valid TOML either.

    Raises:
        tomllib.TOMLDecodeError: it is not TOML, or is over 16 million letters long, or too deeply nested.

    >>> loads("a = 1")
    {'a': 1}
    """
    if len(text) > MOST_LETTERS:
        raise tomllib.TOMLDecodeError(f"it has {len(text):,} letters, at most {MOST_LETTERS:,} are read")
    if _ENDLESS_KEY.search(text):
        raise tomllib.TOMLDecodeError("it is nested too deeply")
    try:
        data = tomllib.loads(text)
    except RecursionError:
        raise tomllib.TOMLDecodeError("it is nested too deeply") from None
    _check_numbers(data)
    return data


def _check_numbers(data: object) -> None:
    """Whole numbers have 64 bits: TOML wants others refused, and `tomllib` takes them."""
    if isinstance(data, int) and not -(2**63) <= data < 2**63:
        raise tomllib.TOMLDecodeError(f"a whole number of {data.bit_length()} bits, at most 64 are read")
    for item in data.values() if isinstance(data, dict) else data if isinstance(data, list) else ():
        _check_numbers(item)
