"""The classes of a folder, one a module: what `synthesizers` and `releases` list."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterable
from typing import Any

__all__ = ["classes_of"]


def classes_of(path: Iterable[str], package: str, base: type[Any]) -> dict[str, type[Any]]:
    """Every class below `base` that a module of a package defines and that can be made, by the module's name.

    Args:
        path: `__path__` of the package.
        package: its name.
        base: the contract.
    """
    found = {}
    for module in pkgutil.iter_modules(path, package + "."):
        for value in vars(importlib.import_module(module.name)).values():
            if (
                inspect.isclass(value)
                and issubclass(value, base)
                and not inspect.isabstract(value)
                and value.__module__ == module.name
            ):
                found[module.name.rpartition(".")[2]] = value
    return found
