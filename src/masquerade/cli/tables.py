"""A table and its schema, declared or inferred."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from masquerade import inference
from masquerade.cli.checks import check_column, with_unit
from masquerade.cli.sealed import read_table
from masquerade.files import read_schema
from masquerade.schema import Schema

__all__ = ["declared_schema", "infer", "read_with_schema"]


def declared_schema(path: Path | None, unit: str | None) -> Schema | None:
    """The schema of this file, if any; a unit given on the command line goes before the file's."""
    return None if path is None else with_unit(read_schema(path), unit)


def infer(raw: pl.DataFrame, *, unit: str | None, protect: int) -> Schema:
    """The inferred schema; an unknown unit is refused, naming the nearest column."""
    check_column("--unit", unit, raw.columns)
    return with_unit(inference.infer(raw, protect=protect, unit=unit), unit)


def read_with_schema(data: Path, schema: Path | None, *, unit: str | None, protect: int) -> tuple[pl.DataFrame, Schema]:
    """A table as it is spelled, and its schema: the declared one, or the inferred one."""
    declared = declared_schema(schema, unit)
    raw = read_table(data)
    return raw, infer(raw, unit=unit, protect=protect) if declared is None else declared
