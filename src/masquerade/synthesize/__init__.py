"""Generators of new rows. Each module holds one class; they do not import one another."""

from __future__ import annotations

from masquerade.synthesize.base import Synthesizer
from masquerade.synthesize.discovery import classes_of

__all__ = ["Synthesizer", "synthesizers"]


def synthesizers() -> dict[str, type[Synthesizer]]:
    """Every synthesizer by its name on the command line: the name of its module in this folder.

    >>> "ctgan" in synthesizers()
    True
    """
    return classes_of(__path__, __name__, Synthesizer)
