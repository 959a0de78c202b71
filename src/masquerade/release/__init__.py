"""Releases built on generators: the same records made safer, or more of them. They do not import one another."""

from __future__ import annotations

from masquerade.release.base import Release
from masquerade.release.image_release import PictureRelease
from masquerade.synthesize.discovery import classes_of

__all__ = ["PictureRelease", "Release", "picture_releases", "releases"]


def releases() -> dict[str, type[Release]]:
    """Every release that keeps its records, by the name of its module in this folder."""
    return classes_of(__path__, __name__, Release)


def picture_releases() -> dict[str, type[PictureRelease]]:
    """Every release that keeps its pictures, by the name of its module in this folder.

    >>> "image_mask" in picture_releases()
    True
    """
    return classes_of(__path__, __name__, PictureRelease)
