"""Releases built on generators: the same records made safer, or more of them. They do not import one another."""

from __future__ import annotations

from masquerade.release.base import Release
from masquerade.synthesize.discovery import classes_of

__all__ = ["Release", "releases"]


def releases() -> dict[str, type[Release]]:
    """Every release that keeps its records, by the name of its module in this folder."""
    return classes_of(__path__, __name__, Release)
