"""Generators of new rows. Each module holds one class; they do not import one another."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from pathlib import Path
from typing import Any

from masquerade import artifact
from masquerade.errors import ArtifactError
from masquerade.synthesize.base import Synthesizer

__all__ = ["Synthesizer", "load", "synthesizers"]


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


def load(path: str | Path, *, generator: Any = None, discriminator: Any = None) -> Synthesizer:
    """A fitted model from a `.mq` file. Loading never runs code from the file.

    Args:
        path: the file.
        generator: the net factory, where the model was fitted with one of the user's own.
        discriminator: likewise.

    Raises:
        ArtifactError: the file is damaged, made by a newer version, or not a model.
    """
    part = artifact.read(path)
    classes = {cls.__name__: cls for cls in synthesizers().values()}
    if part.kind not in classes:
        raise ArtifactError(f"{path}: holds a {part.kind!r}, expected one of {', '.join(sorted(classes))}.")
    return classes[part.kind]._load(part, generator=generator, discriminator=discriminator)
