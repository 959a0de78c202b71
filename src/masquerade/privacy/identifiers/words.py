"""The words by which identifiers are recognised, from `words.toml` beside this module."""

from __future__ import annotations

import functools
import tomllib
from importlib import resources
from typing import Any

__all__ = ["phrases", "words", "words_by_kind"]


@functools.cache
def _file() -> dict[str, Any]:
    return tomllib.loads(resources.files("masquerade.privacy.identifiers").joinpath("words.toml").read_text("utf-8"))


def words(part: str, name: str) -> list[str]:
    """The words of one entry.

    >>> words("people", "particles")[:3]
    ['al', 'bin', 'da']
    """
    return str(_file()[part][name]).split()


def words_by_kind(part: str, name: str | None = None) -> dict[str, list[str]]:
    """Words by kind of identifier."""
    table = _file()[part] if name is None else _file()[part][name]
    return {kind: str(text).split() for kind, text in table.items()}


def phrases() -> dict[str, list[str]]:
    """English phrases in column names, by kind."""
    table = _file()["headers"]["english"]
    return {kind: " ".join(str(text).split()).split(", ") for kind, text in table.items()}
