"""What is checked before any work begins, so that a long training is never lost to a typing error."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import polars as pl

from masquerade.cli.sealed import check_secret, secret_files
from masquerade.errors import ConditionError, FileError, SchemaError, SettingError, nearest
from masquerade.files import WRITABLE, check_writable
from masquerade.schema import Schema
from masquerade.spelling import parse_column

__all__ = [
    "check_balance",
    "check_column",
    "check_given",
    "check_outputs",
    "check_target",
    "split_given",
    "with_unit",
]

TABLES = WRITABLE
REPORTS = (".html", ".json")
MODELS = (".mq",)
SEALED = ("",)
"""Whatever the ending: what `seal` writes."""


def check_outputs(outputs: Iterable[tuple[str, Path | None, Sequence[str]]], inputs: Iterable[Path | None]) -> None:
    """Refuse an output that cannot be written, has an unknown ending, or would overwrite an input or another output.

    A secret that does not serve, or has no effect, is refused too.

    Args:
        outputs: (option, path, endings) of each; None: not asked for.
        inputs: files that are read; None: not given.
    """
    wanted = [(option, path, endings) for option, path, endings in outputs if path is not None]
    inputs = list(inputs)
    check_secret(
        writes_table=any(endings is TABLES for _, _, endings in wanted),
        writes_model=any(endings is MODELS or endings is SEALED for _, _, endings in wanted),
        inputs=inputs,
    )
    taken = {path.resolve(): "the input" for path in [*inputs, *secret_files()] if path is not None}
    for option, path, endings in wanted:
        check_writable(path, endings=endings)
        _probe(path)
        if path.resolve() in taken:
            raise FileError(f"{option}: {path} is also {taken[path.resolve()]}, give another name.")
        taken[path.resolve()] = f"the output of {option}"


def _probe(path: Path) -> None:
    """Write nothing beside `path` for a moment: only trying shows what a read-only or pseudo file system refuses."""
    new = [folder for folder in (path.parent, *path.parent.parents) if not folder.exists()]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path.parent):
            pass
        if path.exists() and not os.access(path, os.W_OK):
            raise FileError(f"{path}: cannot be written, it is protected against writing.")
    except OSError as error:
        raise FileError(f"{path}: cannot be written ({error.strerror}).") from error
    finally:
        for folder in new:
            with contextlib.suppress(OSError):
                folder.rmdir()


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


def check_given(given: dict[str, str] | None, schema: Schema) -> None:
    """Refuse, before training, a condition that no model can meet: the model itself is asked only afterwards.

    Raises:
        ConditionError: a column whose values are made afresh, a cell that does not fit, or an unknown level; the nearest is
            named.
        SchemaError: there is no such column.
    """
    for name, value in (given or {}).items():
        check_column("--given", name, schema.names)
        column = schema[name]
        if column.kind in ("text", "id") or name == schema.unit:
            raise ConditionError(
                f"--given: column {name!r} is an id, free text or the unit, whose values are made afresh."
            )
        cells, missing = parse_column(pl.Series([value]), column)
        if cells.is_null().any() and not missing.any():
            raise ConditionError(f"--given: got {value!r} for column {name!r}, which is {column.kind}.")
        if column.levels is not None and value not in column.levels and value != column.missing:
            raise ConditionError(
                f"--given: column {name!r} has no level {value!r} that enough rows share{nearest(value, column.levels)}."
            )


def check_target(name: str | None, schema: Schema) -> None:
    """Refuse a target that nobody can predict."""
    check_column("--target", name, schema.names)
    if name is not None and (schema[name].kind in ("text", "id") or name == schema.unit):
        raise SettingError(f"--target: column {name!r} is an id, free text or the unit, expected something to predict.")


def check_balance(name: str | None, flag: bool, schema: Schema) -> None:
    """Refuse to level what has no classes, or to add a flag column whose name is taken."""
    check_column("--balance", name, schema.names)
    if name is not None and schema[name].kind not in ("categorical", "boolean"):
        raise SettingError(f"--balance: column {name!r} is {schema[name].kind}, expected a categorical or boolean one.")
    if flag and "synthetic" in schema:
        raise SettingError("--flag: the table already has a column 'synthetic', rename it or leave --flag out.")
