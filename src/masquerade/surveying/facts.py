"""The second look at columns with more different cells than a census remembers, once it is known what they are."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod

import numpy as np
import polars as pl

from masquerade.cells import parse_column
from masquerade.privacy.counts import Counts, as_floats
from masquerade.privacy.free import TakenBeginnings
from masquerade.schema import Column

__all__ = ["Facts", "LevelFacts", "NumberFacts"]

MOST_ODD = 1_000


class Facts(ABC):
    """What both kinds of column have in common: rows with and without a value, and cells that do not fit.

    Args:
        column: what the column is taken for.
        sample: its raw cells in a sample of the rows.
        units: the units of these rows; None: each is its own.
        keep: how many units' numbers are kept at either end, and how many units of a level.
    """

    def __init__(self, column: Column, sample: pl.Series, units: pl.Series | None, keep: int) -> None:
        self.column, self.keep = column, keep
        self.sample = parse_column(sample, column)[0].alias("value")
        self.units = units
        self.there = self.missing = 0
        self.odd = pl.Series("value", [], dtype=sample.dtype)

    def add(self, cells: pl.Series, units: pl.Series | None) -> None:
        """Take further raw cells in."""
        values, gone = parse_column(cells, self.column)
        odd = values.is_null() & ~gone
        if odd.any():
            self.odd = (
                pl.concat([self.odd, cells.filter(odd).alias("value")]).unique(maintain_order=True).head(MOST_ODD)
            )
        present = values.is_not_null()
        count = int(present.sum())
        self.there, self.missing = self.there + count, self.missing + values.len() - count
        self._take(values.filter(present).alias("value"), None if units is None else units.filter(present))

    @abstractmethod
    def _take(self, values: pl.Series, units: pl.Series | None) -> None:
        """Take further values in, none missing."""

    @abstractmethod
    def counts(self, distinct: float) -> Counts:
        """What is known now; `distinct`: how many different values there are, about."""


class NumberFacts(Facts):
    """Numbers and moments: the outermost of the whole file, all else from the sample."""

    def __init__(self, column: Column, sample: pl.Series, units: pl.Series | None, keep: int) -> None:
        super().__init__(column, sample, units, keep)
        self._low = self._high = pl.DataFrame(schema={"value": self.sample.dtype, "unit": pl.UInt64})

    def _take(self, values: pl.Series, units: pl.Series | None) -> None:
        value = pl.col("value")
        if units is None:
            rows = values.to_frame().with_columns(unit=pl.lit(0, pl.UInt64))
            self._low = pl.concat([self._low, rows.bottom_k(self.keep, by="value")]).bottom_k(self.keep, by="value")
            self._high = pl.concat([self._high, rows.top_k(self.keep, by="value")]).top_k(self.keep, by="value")
            return
        rows = pl.DataFrame([values, units.alias("unit")])
        low, high = rows, rows
        if self._low.height == self.keep:  # only what lies further out can move an end
            low = rows.filter(value < self._low["value"].max())
            high = rows.filter(value > self._high["value"].min())
        low = pl.concat([self._low, low]).group_by("unit").agg(value.min()).select("value", "unit")
        high = pl.concat([self._high, high]).group_by("unit").agg(value.max()).select("value", "unit")
        self._low, self._high = low.bottom_k(self.keep, by="value"), high.top_k(self.keep, by="value")

    def counts(self, distinct: float) -> Counts:
        """Rows and holders as in the sample, and as many missing as go with them."""
        sampled = Counts.of(self.sample, self.units, keep=self.keep)
        missing = round(self.missing / max(self.there, 1) * sampled.there)
        low, high = (np.sort(as_floats(frame["value"])) for frame in (self._low, self._high))
        return dataclasses.replace(
            sampled,
            missing=max(missing, 1) if self.missing else 0,
            units=self.there if self.units is None else max(self._low.height, sampled.units),
            lows=low,
            highs=high,
            distinct=distinct,
            exact=False,
        )


class LevelFacts(Facts):
    """Texts, categories and ids: every level of the sample counted in the whole file."""

    def __init__(self, column: Column, sample: pl.Series, units: pl.Series | None, keep: int, rows: int) -> None:
        super().__init__(column, sample, units, keep)
        # What a declared schema lists is counted too.
        listed = pl.Series("value", list(column.levels or ()), dtype=pl.String).cast(self.sample.dtype)
        levels = pl.concat([self.sample.drop_nulls(), listed]).unique().sort()
        self._levels = pl.DataFrame(
            {"value": levels, "rows": pl.Series([0]).new_from_index(0, levels.len()).cast(pl.UInt32)}
        )
        self._pairs = pl.DataFrame(schema={"value": self.sample.dtype, "unit": pl.UInt64})
        self._taken = TakenBeginnings(rows)

    def _take(self, values: pl.Series, units: pl.Series | None) -> None:
        self._taken.add(values.cast(pl.String))
        frame = pl.DataFrame([values] if units is None else [values, units.alias("unit")])
        known = frame.join(self._levels.select("value"), on="value", how="semi")
        counted = known.group_by("value").len("rows")
        self._levels = pl.concat([self._levels, counted]).group_by("value").agg(pl.col("rows").sum())
        if units is not None:
            both = pl.concat([self._pairs, known.select("value", "unit")]).unique()
            self._pairs = both.filter(pl.col("unit").rank("ordinal").over("value") <= self.keep)

    def counts(self, distinct: float) -> Counts:
        """Exact rows and holders of the levels that the sample has."""
        pairs = None if self.units is None else self._pairs
        listed = self._levels.filter(pl.col("rows") > 0)
        known = Counts.from_rows(listed, pairs, missing=self.missing, keep=self.keep)
        return dataclasses.replace(known, there=self.there, distinct=distinct, exact=False, taken=self._taken)
