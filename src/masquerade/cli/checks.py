"""What is checked before any work begins, so that a long training is never lost to a typing error."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from masquerade.errors import ConditionError, FileError, SchemaError, SettingError, nearest
from masquerade.files import WRITABLE, check_writable
from masquerade.schema import Column, Schema

__all__ = [
    "check_column",
    "check_given",
    "check_outputs",
    "not_yet",
    "split_given",
    "with_unit",
]

TABLES = WRITABLE
REPORTS = (".html", ".json")
MODELS = (".mq",)


def not_yet(option: str, value: object, instead: str) -> SettingError:
    """The refusal of something that a later version will do."""
    return SettingError(f"{option} {value}: not available yet; {instead}.")


def check_outputs(outputs: Iterable[tuple[str, Path | None, Sequence[str]]], inputs: Iterable[Path | None]) -> None:
    """Refuse an output that cannot be written, has an unknown ending, or would overwrite an input or another output.

    Args:
        outputs: (option, path, endings) of each; None: not asked for.
        inputs: files that are read; None: not given.
    """
    taken = {path.resolve(): "the input" for path in inputs if path is not None}
    for option, path, endings in outputs:
        if path is None:
            continue
        check_writable(path, endings=endings)
        if path.exists() and not os.access(path, os.W_OK):
            raise FileError(f"{path}: cannot be written, it is protected against writing.")
        if path.resolve() in taken:
            raise FileError(f"{option}: {path} is also {taken[path.resolve()]}, give another name.")
        taken[path.resolve()] = f"the output of {option}"


def with_unit(schema: Schema, unit: str | None) -> Schema:
    """The schema with this unit, or as it is when there is none."""
    return schema if unit is None else dataclasses.replace(schema, unit=unit)


def check_column(option: str, name: str | None, names: Sequence[str]) -> None:
    """Refuse a column that is not there, naming the nearest."""
    if name is not None and name not in names:
        raise SchemaError(f"{option}: there is no column {name!r}{nearest(name, names)}.")


def split_given(given: Sequence[str] | None) -> dict[str, str] | None:
    """`["y=yes"]` as `{"y": "yes"}`."""
    if not given:
        return None
    values: dict[str, str] = {}
    for text in given:
        name, mark, value = text.partition("=")
        if not mark or not name:
            raise ConditionError(f"--given: got {text!r}, expected COL=VALUE, such as --given y=yes.")
        if name in values:
            raise ConditionError(f"--given: the column {name!r} is given twice.")
        values[name] = value
    return values


def check_given(given: dict[str, str] | None, schema: Schema) -> dict[str, Any] | None:
    """Refuse, before training, a condition on a column or level that the schema does not have."""
    for name, value in (given or {}).items():
        check_column("--given", name, schema.names)
        _check_level(schema[name], value)
    return None if given is None else dict(given)


def _check_level(column: Column, value: str) -> None:
    if column.levels is None or value == column.missing:
        return
    if value not in column.levels:
        raise ConditionError(
            f"--given: column {column.name!r} has no level {value!r} that may be shown{nearest(value, column.levels)}."
        )
