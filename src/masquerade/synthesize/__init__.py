"""Generators of new rows. Each module holds one class; they do not import one another."""

from __future__ import annotations

import importlib
import inspect
import pkgutil

from masquerade.synthesize.base import Synthesizer

__all__ = ["Synthesizer", "synthesizers"]


def synthesizers() -> dict[str, type[Synthesizer]]:
    """Every synthesizer by its name on the command line: the name of its module in this folder.

    >>> "ctgan" in synthesizers()
    True
    """
    found = {}
    for module in pkgutil.iter_modules(__path__, __name__ + "."):
        for value in vars(importlib.import_module(module.name)).values():
            if (
                inspect.isclass(value)
                and issubclass(value, Synthesizer)
                and not inspect.isabstract(value)
                and value.__module__ == module.name
            ):
                found[module.name.rpartition(".")[2]] = value
    return found
