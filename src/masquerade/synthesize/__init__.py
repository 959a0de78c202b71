"""Generators of new rows. Each module holds one class; they do not import one another."""

from __future__ import annotations

from masquerade.synthesize.base import Synthesizer
from masquerade.synthesize.discovery import classes_of
from masquerade.synthesize.image_base import ImageSynthesizer

__all__ = ["ImageSynthesizer", "Synthesizer", "image_synthesizers", "synthesizers"]


def synthesizers() -> dict[str, type[Synthesizer]]:
    """Every synthesizer by its name on the command line: the name of its module in this folder.

    >>> "ctgan" in synthesizers()
    True
    """
    return classes_of(__path__, __name__, Synthesizer)


def image_synthesizers() -> dict[str, type[ImageSynthesizer]]:
    """Every synthesizer of pictures by its name on the command line.

    >>> sorted(image_synthesizers())[:2]
    ['dcgan', 'imagegan']
    """
    return classes_of(__path__, __name__, ImageSynthesizer)
