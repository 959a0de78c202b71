"""What a synthesizer may be fitted to: a table, a file, or the survey of a file."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from masquerade import frames
from masquerade.errors import MasqueradeWarning, SettingError
from masquerade.files import read_table
from masquerade.privacy.counts import Counts
from masquerade.progress import Callback
from masquerade.schema import Schema
from masquerade.surveying import Survey, fits_in_memory, survey

__all__ = ["Source", "open_source"]


@dataclass(frozen=True)
class Source:
    """Rows to train on, and what else is known of the table they are from.

    Args:
        raw: the rows: the whole table, or a sample of it.
        kind: what kind of frame they were.
        schema: what the columns are; None where that is still to be inferred.
        counts: of the whole table, where `raw` is a sample of it.
    """

    raw: pl.DataFrame
    kind: frames.FrameKind
    schema: Schema | None
    counts: Mapping[str, Counts] | None = None


def open_source(
    table: Any, schema: Schema | None, *, protect: int, unit: str | None, seed: int, callback: Callback
) -> Source:
    """Get hold of a table.

    Args:
        table: a pandas, Polars or PyArrow table, a `Survey`, or the path of a CSV or Parquet file, which is surveyed where it
            would take more than half of the free memory.
        schema: what each column is; None: inferred.
        protect: how many units must share what is shown.
        unit: the column that says whose row it is.
        seed: of the choice of rows.
        callback: told how far a survey is.

    Raises:
        FileError, TableError, SchemaError, SettingError: as the reading and the table require.
    """
    if isinstance(table, str | Path):
        if fits_in_memory(table):
            table = read_table(table)
        else:
            table = survey(table, schema=schema, protect=protect, unit=unit, random_state=seed, callback=callback)
            warnings.warn(table.sentence(), MasqueradeWarning, stacklevel=4)
            schema = None
    if not isinstance(table, Survey):
        raw, kind = frames.to_polars(table)
        frames.check_table(raw)
        return Source(raw, kind, schema)
    if schema is not None and schema != table.schema:
        raise SettingError("schema: a survey has its own; give the schema to `survey`, and leave it out here.")
    for name, own, asked in (("protect", table.protect, protect), ("unit", table.schema.unit, unit)):
        if own != asked and not (name == "unit" and asked is None):
            raise SettingError(f"{name}: got {asked!r}, but the survey was made with {own!r}; give both the same.")
    return Source(table.sample, table.kind, table.schema, table.counts)
