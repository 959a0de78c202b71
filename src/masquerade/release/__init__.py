"""Releases built on generators: the same records made safer, or more of them. They do not import one another."""

from __future__ import annotations

import importlib
import inspect
import pkgutil

from masquerade.release.base import Release

__all__ = ["Release", "releases"]


def releases() -> dict[str, type[Release]]:
    """Every release that keeps its records, by the name of its module in this folder."""
    found = {}
    for module in pkgutil.iter_modules(__path__, __name__ + "."):
        for value in vars(importlib.import_module(module.name)).values():
            if (
                inspect.isclass(value)
                and issubclass(value, Release)
                and not inspect.isabstract(value)
                and value.__module__ == module.name
            ):
                found[module.name.rpartition(".")[2]] = value
    return found
