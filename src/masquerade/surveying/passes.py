"""One or two passes over a file: what its columns are, how often each value is there, and a sample of its rows.

The first pass draws the sample and counts the cells of every column. Columns with more different cells than can be counted
in bounded memory are looked at again, once it is known what they are.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from masquerade import frames, seeds
from masquerade.cells import parse_column
from masquerade.distinct import Cells
from masquerade.errors import SchemaError, SettingError, TableError, nearest
from masquerade.files import READABLE, kind_of_file
from masquerade.inference import column_of, with_evidence
from masquerade.machine import available_bytes
from masquerade.privacy.counts import Counts, hashed_units
from masquerade.progress import Callback, Progress
from masquerade.schema import Column, Schema
from masquerade.spelling import check_declared
from masquerade.surveying.census import ValueCensus
from masquerade.surveying.facts import Facts, LevelFacts, NumberFacts
from masquerade.surveying.sample import RowSample, row_numbers
from masquerade.table_stream import TableStream

__all__ = ["Survey", "fits_in_memory", "survey"]

SAMPLE_ROWS = 1_000_000
"""At most so many rows are sampled ..."""
SAMPLE_CELLS = 30_000_000
"""... and at most so many cells."""
HOLDOUT_ROWS = 100_000
"""At most so many of the rows that are held out are kept."""
MEMORY_SHARE = 0.5
"""A table that takes more than this share of the free memory is read as a stream."""

UNKNOWN_BYTES = 4 << 30
"""Taken for free where the system does not say."""
MOST_GROWTH = 16
PACKED = (".parquet", *(ending for ending in READABLE if ending.endswith(".gz")))
_TRIES = 4


@dataclass(frozen=True)
class Survey:
    """What is learned from a file that is read as a stream.

    Args:
        sample: raw rows, drawn at random from those that are not held out.
        holdout: raw rows that are held out and counted nowhere; None where none were asked for.
        rows: how many rows there are to learn from: all that are not held out.
        held_rows: how many rows are held out, kept or not.
        schema: what the columns are; levels and bounds from all rows to learn from.
        counts: by column, from all rows to learn from.
        protect: the protection that the counts were made for.
        kind: what kind of frame the file's rows are.
    """

    sample: pl.DataFrame
    holdout: pl.DataFrame | None
    rows: int
    held_rows: int
    schema: Schema
    counts: Mapping[str, Counts]
    protect: int
    kind: frames.FrameKind

    def sentence(self) -> str:
        """What was done, for people."""
        return (
            f"read {self.rows + self.held_rows:,} rows in a stream; training on a sample of {self.sample.height:,}; levels, "
            f"bounds and frequencies counted over all {self.rows:,} rows to learn from."
        )


def fits_in_memory(path: str | Path) -> bool:
    """Whether a file's table takes less than half of the free memory, about; raises `FileError` like `read_table`."""
    path, room = Path(path), MEMORY_SHARE * (available_bytes() or UNKNOWN_BYTES)
    # A cell takes 16 bytes, or somewhat more, and at least two in a text that is not packed.
    if path.is_file() and kind_of_file(path) not in PACKED and path.stat().st_size * MOST_GROWTH < room:
        return True
    return TableStream(path).bytes_in_memory() < room


def survey(
    path: str | Path,
    *,
    schema: Schema | None = None,
    protect: int = 10,
    unit: str | None = None,
    sample_rows: int | None = None,
    holdout_share: float = 0.0,
    random_state: int | None = None,
    callback: Callback | None = None,
) -> Survey:
    """Read a file as a stream, in memory that does not grow with its rows.

    Args:
        path: CSV (also `.gz`) or Parquet, of any length.
        schema: what each column is; None: inferred from all rows.
        protect: how many units must share a level or value for it to be shown.
        unit: the column that says whose row it is; None: the schema's, or each row is its own unit.
        sample_rows: at most so many rows are kept to train on; None: 1,000,000, or fewer where columns are many.
        holdout_share: how much is held out, of the rows or of the units: from 0 to below 1; 100,000 rows of it are kept.
        random_state: decides which rows; None: fresh.
        callback: told how far the reading is, as stage `"read"`.

    Raises:
        FileError: the file cannot be read.
        SchemaError: a column or cell does not fit the schema.
        TableError: it cannot be modelled.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "a.parquet"
    >>> pl.DataFrame({"n": range(50_000), "w": ["a", "b"] * 25_000}).write_parquet(path)
    >>> found = survey(path, sample_rows=1_000, random_state=0)
    >>> found.rows, found.sample.height, found.counts["w"].rows.tolist()
    (50000, 1000, [25000, 25000])
    """
    sample_rows = SAMPLE_ROWS if sample_rows is None else sample_rows
    if sample_rows < frames.LEAST_ROWS:
        raise SettingError(f"sample_rows: got {sample_rows}, expected at least {frames.LEAST_ROWS}.")
    if not 0 <= holdout_share < 1:
        raise SettingError(f"holdout share: got {holdout_share}, expected a number from 0 to below 1.")
    unit = unit if unit is not None else None if schema is None else schema.unit
    return _Surveyor(
        path, schema, protect, unit, sample_rows, holdout_share, seeds.check_seed(random_state), callback
    ).run()


class _Surveyor:
    def __init__(
        self,
        path: str | Path,
        schema: Schema | None,
        protect: int,
        unit: str | None,
        sample_rows: int,
        holdout_share: float,
        seed: int,
        callback: Callback | None,
    ) -> None:
        self.stream, self.schema, self.protect, self.unit = TableStream(path), schema, protect, unit
        self.holdout_share, self.callback, self.began = holdout_share, callback, time.monotonic()
        names = self.stream.names
        if unit is not None and unit not in names:
            raise SchemaError(f"unit: there is no column {unit!r}{nearest(unit, names)}.")
        known = set(names if schema is None else schema.names)
        for name in known:
            if name not in names:
                raise SchemaError(f"column {name!r} is in the schema but not in the table{nearest(name, names)}.")
        for name in names:
            if name not in known:
                raise SchemaError(
                    f"column {name!r} is in the table but not in the schema{nearest(name, known)}; add it there "
                    "or drop it."
                )
        most = max(min(sample_rows, SAMPLE_CELLS // max(len(names), 1)), 1_000)
        self.training, self.held = RowSample(min(most, sample_rows)), RowSample(HOLDOUT_ROWS)
        self.sample_seed, self.holdout_seed = seeds.integer(seed, "sample rows"), seeds.integer(seed, "holdout rows")
        stricter = [protect, *(c.protect for c in schema or () if c.protect is not None), 1]
        self.keep = 2 * max(stricter)

    # ── the passes ─────────────────────────────────────────────────────────────────────────────────────────────

    def run(self) -> Survey:
        censuses: dict[str, ValueCensus] = {}
        kind = frames.FrameKind("polars", {})
        rows = held = 0
        for frame, first, share in self._frames(None):
            frame, kind = frames.to_polars(frame)
            if not censuses:
                each = 0 if self.unit is None else self.keep
                censuses = {name: ValueCensus(name, frame.schema[name], each) for name in frame.columns}
            train, out, units = self._split(frame, first)
            ranks = row_numbers(first, frame.height, self.sample_seed)
            self.training.add(train, ranks if out is None else ranks[~out], first)
            if out is not None:
                self.held.add(frame.filter(pl.Series(out)), self._holdout_ranks(frame, first)[out], first)
                held += int(out.sum())
            rows += train.height
            for name, census in censuses.items():
                census.add(train.get_column(name), units)
            self._tell(share, "read")
        sample = self.training.rows()
        if sample is None or rows < frames.LEAST_ROWS:
            raise TableError(f"table: it has {rows} rows to learn from, expected at least {frames.LEAST_ROWS}.")
        self._tell(1.0, "read", finished=True)
        schema, counts = self._conclude(censuses, sample, rows)
        return Survey(sample, self.held.rows(), rows, held, schema, counts, self.protect, kind)

    def _frames(self, columns: list[str] | None) -> Iterator[tuple[pl.DataFrame, int, float]]:
        first = 0
        for batch in self.stream.batches(columns):
            yield batch.frame, first, batch.share
            first += batch.frame.height

    def _split(
        self, frame: pl.DataFrame, first: int
    ) -> tuple[pl.DataFrame, NDArray[np.bool_] | None, pl.Series | None]:
        """The rows to learn from, which rows are held out (None: no holdout), and the units of the former."""
        units = self._units(frame, first)
        if not self.holdout_share:
            return frame, None, units
        out = self._holdout_ranks(frame, first) < np.uint64(int(self.holdout_share * 2**64))
        kept = pl.Series(~out)
        return frame.filter(kept), out, None if units is None else units.filter(kept)

    def _units(self, frame: pl.DataFrame, first: int) -> pl.Series | None:
        if self.unit is None:
            return None
        return hashed_units(frame.get_column(self.unit), row_numbers(first, frame.height, 0))

    def _holdout_ranks(self, frame: pl.DataFrame, first: int) -> NDArray[np.uint64]:
        """A random number for each row; for each unit, where there are units, so that they stay together."""
        if self.unit is None:
            return row_numbers(first, frame.height, self.holdout_seed)
        return (
            hashed_units(frame.get_column(self.unit), row_numbers(first, frame.height, 0))
            .hash(self.holdout_seed)
            .to_numpy()
        )

    def _tell(self, share: float, stage: str, *, finished: bool = False) -> None:
        if self.callback is not None:
            self.callback(Progress(stage, 100 * share, 100, time.monotonic() - self.began, finished=finished))

    # ── what it comes to ───────────────────────────────────────────────────────────────────────────────────────

    def _conclude(
        self, censuses: dict[str, ValueCensus], sample: pl.DataFrame, rows: int
    ) -> tuple[Schema, dict[str, Counts]]:
        columns = {name: self._column(census, None) for name, census in censuses.items()}
        found: dict[str, Counts] = {}
        for name, census in censuses.items():
            if census.share == 1:
                found[name] = self._exact(census, columns[name])
        units = self._units(sample, 0)
        again = [name for name in columns if name not in found]
        for _ in range(_TRIES):
            facts = self._second_pass({name: columns[name] for name in again}, sample, units, rows) if again else {}
            again = []
            for name, known in facts.items():
                if not known.odd.len():
                    found[name] = known.counts(censuses[name].distinct(known.there))
                    continue
                if self.schema is not None:
                    raise _unfit(columns[name], known.odd)
                columns[name] = self._column(censuses[name], known.odd)
                again.append(name)
            if not again:
                break
        if again:
            raise SchemaError(
                f"column {again[0]!r}: its cells do not agree on what it is; give its kind with a schema."
            )
        if self.schema is not None:
            for column in self.schema if self.schema.declared else ():
                check_declared(found[column.name].outermost(), column, whole=False)
            return self.schema, found
        evident = (with_evidence(columns[name], found[name], self.protect) for name in censuses)
        return Schema(tuple(evident), unit=self.unit), found

    def _column(self, census: ValueCensus, odd: pl.Series | None) -> Column:
        """What the column is, also in the light of cells that did not fit what it was taken for."""
        if self.schema is not None:
            return self.schema[census.name]
        cells = census.cells()
        if odd is not None:
            values = pl.concat([cells.values, odd.cast(cells.values.dtype)])
            ones = pl.Series([1], dtype=cells.counts.dtype).new_from_index(0, odd.len())
            cells = Cells(cells.name, values, pl.concat([cells.counts, ones]), cells.share)
        give: Callable[[], Cells] = lambda: cells  # noqa: E731
        return column_of(census.name, census.dtype, give, has_null=census.nulls > 0, is_unit=census.name == self.unit)

    def _exact(self, census: ValueCensus, column: Column) -> Counts:
        """Counts of typed values from those of raw cells."""
        cells = census.cells()
        values, gone = parse_column(cells.values, column)
        odd = values.is_null() & ~gone
        if odd.any():
            raise _unfit(column, cells.values.filter(odd))
        if values.dtype.is_float() and values.is_infinite().any():
            raise TableError(
                f"column {column.name!r}: a number is infinite, expected a finite one; correct it or leave it empty."
            )
        typed = pl.DataFrame({"raw": cells.values, "value": values, "rows": cells.counts})
        missing = census.nulls + int(typed.filter(pl.col("value").is_null())["rows"].sum())
        typed = typed.drop_nulls("value")
        pairs = None
        if census.pairs is not None:
            pairs = census.pairs.rename({"value": "raw"}).join(typed, on="raw").select("value", "unit").unique()
        return Counts.from_rows(typed.select("value", "rows"), pairs, missing=missing, keep=self.keep)

    def _second_pass(
        self, columns: dict[str, Column], sample: pl.DataFrame, units: pl.Series | None, rows: int
    ) -> dict[str, Facts]:
        facts: dict[str, Facts] = {}
        for name, column in columns.items():
            cells = sample.get_column(name)
            if column.is_numeric:
                facts[name] = NumberFacts(column, cells, units, self.keep)
            else:
                facts[name] = LevelFacts(column, cells, units, self.keep, rows)
        wanted = list(columns) if self.unit is None or self.unit in columns else [*columns, self.unit]
        began, self.began = self.began, time.monotonic()
        for batch, first, share in self._frames(wanted):
            frame, _ = frames.to_polars(batch)
            train, _, owners = self._split(frame, first)
            for name, known in facts.items():
                known.add(train.get_column(name), owners)
            self._tell(share, "count")
        self._tell(1.0, "count", finished=True)
        self.began = began
        return facts


def _unfit(column: Column, odd: pl.Series) -> SchemaError:
    shown = ", ".join(repr(cell) for cell in odd.head(3).to_list())
    return SchemaError(
        f"column {column.name!r}: {shown} {'does' if odd.len() == 1 else 'do'} not fit its kind ({column.kind}); correct the "
        "cells, or change the kind in the schema."
    )
