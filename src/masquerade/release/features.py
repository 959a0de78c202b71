"""A typed table as numbers for a net: standardised numerics, one place for each level that enough rows share.

>>> from masquerade.schema import Column
>>> typed = pl.DataFrame({"age": [20, 30, 40, None], "sex": ["f", "m", "f", "m"]})
>>> schema = Schema((Column("age", "integer"), Column("sex", "categorical")))
>>> features = Features.learn(typed, schema, protect=0)
>>> features.names
('age', 'age is missing', 'sex=f', 'sex=m')
>>> features.transform(typed)[3].tolist()
[0.0, 1.0, 0.0, 1.0]
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from masquerade.errors import SettingError
from masquerade.privacy.protect import protected_bounds, protected_levels, unit_series
from masquerade.schema import Column, Schema

__all__ = ["Features", "Levels", "Number", "is_free", "standardised"]

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Number:
    """A numeric column: cut to its protected bounds, standardised; a missing value is the mean.

    Args:
        name: the column's.
        low: the least value told apart, the `protect`-th lowest of the training rows.
        high: the greatest, likewise.
        mean: of the training rows, once cut.
        deviation: likewise; above 0.
        gaps: whether a training row lacked a value; a second place then says so.
    """

    name: str
    low: float
    high: float
    mean: float
    deviation: float
    gaps: bool

    @classmethod
    def learn(cls, values: pl.Series, threshold: int, units: pl.Series | None) -> Number | None:
        """The column's numbers; None where they do not vary and none is missing."""
        numbers = _numbers(values)
        there = np.isfinite(numbers)
        known = None if units is None else units.to_numpy()[there]
        low, high = protected_bounds(numbers[there], threshold, known)
        cut = np.clip(numbers[there], low, high)
        gaps = not bool(there.all())
        mean, deviation = (float(cut.mean()), float(cut.std())) if cut.size else (0.0, 0.0)
        constant = deviation <= 1e-12 * max(abs(mean), 1e-300)
        if constant and not (gaps and there.any()):
            return None
        return cls(values.name, low, high, mean, 1.0 if constant else deviation, gaps)

    @property
    def names(self) -> tuple[str, ...]:
        """Of its places."""
        return (self.name, f"{self.name} is missing") if self.gaps else (self.name,)

    def transform(self, values: pl.Series) -> Floats:
        """Shape (rows, places)."""
        numbers = _numbers(values)
        missing = ~np.isfinite(numbers)
        standard = np.where(missing, 0.0, (np.clip(numbers, self.low, self.high) - self.mean) / self.deviation)
        parts = [standard, missing.astype(np.float64)] if self.gaps else [standard]
        return np.stack(parts, axis=1).astype(np.float32)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {"kind": "number", **vars(self)}


@dataclass(frozen=True)
class Levels:
    """A column of levels: one place for each that enough training rows share, one for all others where there were any.

    Args:
        name: the column's.
        levels: those with a place of their own, in order; None is a missing value.
        other: whether rarer levels share a last place. Without it a level never seen before has no place: all are 0.
    """

    name: str
    levels: tuple[str | None, ...]
    other: bool

    @classmethod
    def learn(cls, values: pl.Series, threshold: int, units: pl.Series | None) -> Levels | None:
        """The column's levels; None where all rows have the same."""
        words = values.cast(pl.String)
        shared: list[str | None] = sorted(protected_levels(words, threshold, units).get_column("level").to_list())
        gaps = words.is_null()
        if gaps.any():
            holders = int(gaps.sum()) if units is None else units.filter(gaps).n_unique()
            shared += [None] if holders >= threshold else []
        other = bool((~words.is_in([level for level in shared if level is not None]) & ~gaps).any())
        other = other or (bool(gaps.any()) and None not in shared)
        return cls(values.name, tuple(shared), other) if len(shared) + other > 1 else None

    @property
    def names(self) -> tuple[str, ...]:
        """Of its places."""
        own = [f"{self.name} is missing" if level is None else f"{self.name}={level}" for level in self.levels]
        return (*own, f"{self.name}: another") if self.other else tuple(own)

    def transform(self, values: pl.Series) -> Floats:
        """Shape (rows, places)."""
        words = values.cast(pl.String)
        width = len(self.names)
        own = [level for level in self.levels if level is not None]
        codes = words.replace_strict(own, range(len(own)), default=-1, return_dtype=pl.Int32).to_numpy().copy()
        if None in self.levels:
            codes[words.is_null().to_numpy()] = len(own)
        codes[codes < 0] = width - 1 if self.other else width
        return np.asarray(np.eye(width + 1, width, dtype=np.float32)[codes])

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {"kind": "levels", "name": self.name, "levels": list(self.levels), "other": self.other}


@dataclass(frozen=True)
class Features:
    """All columns that are turned into numbers, in the table's order, numerics first.

    Args:
        columns: each with at least one place.
    """

    columns: tuple[Number | Levels, ...]

    @classmethod
    def learn(cls, typed: pl.DataFrame, schema: Schema, *, protect: int, leave_out: Collection[str] = ()) -> Features:
        """What the training rows say about each column.

        Args:
            typed: the training rows.
            schema: their columns; ids, free text and the unit's column are left out.
            protect: how many rows (units) must share a level, or lie at or beyond a bound.
            leave_out: further columns to leave out.
        """
        units = unit_series(typed, schema.unit)
        numbers: list[Number | Levels] = []
        levels: list[Number | Levels] = []
        for column in schema:
            if is_free(column, schema) or column.name in leave_out:
                continue
            threshold = protect if column.protect is None else column.protect
            values = typed.get_column(column.name)
            found = (Number if column.is_numeric else Levels).learn(values, threshold, units)
            if found is not None:
                (numbers if column.is_numeric else levels).append(found)
        return cls((*numbers, *levels))

    @property
    def names(self) -> tuple[str, ...]:
        """Of all places, in order."""
        return tuple(name for column in self.columns for name in column.names)

    @property
    def width(self) -> int:
        """How many places there are."""
        return len(self.names)

    @property
    def places(self) -> dict[str, slice]:
        """Where each column's places are."""
        found, start = {}, 0
        for column in self.columns:
            found[column.name] = slice(start, start + len(column.names))
            start = found[column.name].stop
        return found

    def transform(self, typed: pl.DataFrame) -> Floats:
        """Shape (rows, places); the table needs only the columns that have places."""
        if not self.columns:
            return np.zeros((typed.height, 0), np.float32)
        return np.concatenate([column.transform(typed.get_column(column.name)) for column in self.columns], axis=1)

    def to_list(self) -> list[dict[str, Any]]:
        """Plain data for JSON."""
        return [column.to_dict() for column in self.columns]

    @classmethod
    def from_list(cls, data: Collection[Mapping[str, Any]]) -> Features:
        """The reverse of `to_list`."""
        columns: list[Number | Levels] = []
        for fields in data:
            values = {key: value for key, value in fields.items() if key != "kind"}
            if fields["kind"] == "number":
                columns.append(Number(**values))
            else:
                columns.append(Levels(values["name"], tuple(values["levels"]), values["other"]))
        return cls(tuple(columns))


def standardised(typed: pl.DataFrame, schema: Schema, names: Collection[str], *, protect: int) -> Floats:
    """Some columns as features with mean 0 and standard deviation 1, shape (rows, places); no name: no place.

    Args:
        typed: rows.
        schema: their columns.
        names: which; each is to be hidden.
        protect: as for `Features.learn`.

    Raises:
        SettingError: a column has one value only.
    """
    others = [column.name for column in schema if column.name not in names]
    features = Features.learn(typed, schema, protect=protect, leave_out=others)
    for name in names:
        if name not in features.places:
            raise SettingError(f"hide: column {name!r} has one value only, so there is nothing to hide.")
    found = features.transform(typed)
    return np.asarray((found - found.mean(axis=0)) / np.maximum(found.std(axis=0), 1e-6), np.float32)


def is_free(column: Column, schema: Schema) -> bool:
    """Whether a column's values are made up freely, so that they are no features: ids, free text, the unit's column."""
    return column.kind in ("id", "text") or column.name == schema.unit


def _numbers(values: pl.Series) -> NDArray[np.float64]:
    """Numbers, NaN where missing; a moment counts microseconds."""
    if values.dtype.is_temporal():
        values = values.cast(pl.Int64)
    return values.cast(pl.Float64).to_numpy()
