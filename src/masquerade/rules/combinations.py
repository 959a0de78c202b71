"""The combinations of values that enough people share, and the nearest of them to a drawn row."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self, cast

import numpy as np
import polars as pl
from numpy.typing import NDArray

from masquerade.errors import MasqueradeWarning, RuleError
from masquerade.rules.fixed import FixedCombinations
from masquerade.rules.interval import Range
from masquerade.rules.rule import Rule

__all__ = ["Combinations", "plain_column", "tied_rules", "typed_column", "warn_of_rare"]

Floats = NDArray[np.float64]

_MANY_RARE = 0.05

_CELLS = 20_000_000
"""How many pairs of a row and a combination are compared at a time."""


@dataclass(frozen=True)
class Combinations:
    """Combinations of values, each shared by enough units.

    Args:
        table: typed, one combination a row, the most frequent first.
        weights: rows that had it, shape (combinations,).
    """

    table: pl.DataFrame
    weights: Floats

    @classmethod
    def learn(cls, typed: pl.DataFrame, columns: Sequence[str], protect: int, units: pl.Series | None) -> Self:
        """Count the combinations without a missing value.

        Args:
            typed: the real rows.
            columns: which of them.
            protect: least number of different units that share a combination.
            units: unit of each row; None: each row is its own.
        """
        frame = typed.select(columns)
        holders = pl.len()
        if units is not None:
            frame, holders = frame.with_columns(units.alias("\0unit")), pl.col("\0unit").n_unique()
        counted = (
            frame.drop_nulls(columns)
            .group_by(columns)
            .agg(pl.len().alias("\0rows"), holders.alias("\0holders"))
            .filter(pl.col("\0holders") >= protect)
            .sort(["\0rows", *columns], descending=[True, *[False] * len(columns)])
        )
        return cls(counted.select(columns), counted.get_column("\0rows").cast(pl.Float64).to_numpy())

    def nearest(
        self,
        rows: pl.DataFrame,
        keep: frozenset[str],
        within: Mapping[str, tuple[Floats, Floats]],
        rng: np.random.Generator,
        *,
        anew: bool = False,
    ) -> NDArray[np.intp]:
        """For each row the combination with the same value in most columns, drawn by frequency among equals.

        Args:
            rows: typed; a missing value matches anything.
            keep: columns in which the combination must have the row's own value.
            within: numeric columns to bounds of each row, shape (rows,), that the combination must respect.
            rng: of the draws.
            anew: let the row's own values count for nothing where they are not to be kept.

        Returns:
            Row numbers of `table`, shape (rows,); -1 where none will do.
        """
        chosen = np.full(rows.height, -1, dtype=np.intp)
        count = self.table.height
        if not count:
            return chosen
        codes = [_codes(rows.get_column(name), self.table.get_column(name)) for name in self.table.columns]
        height = max(1, _CELLS // count)
        for start in range(0, rows.height, height):
            part = slice(start, min(start + height, rows.height))
            score = np.zeros((part.stop - start, count), dtype=np.float32)
            for name, (mine, theirs) in zip(self.table.columns, codes, strict=True):
                null = mine[part] == -2
                same = (mine[part][:, None] == theirs) & ~null[:, None]
                score += 0 if anew else same
                if name in keep:
                    score[~same & ~null[:, None]] = -np.inf
                if name in within:
                    low, high = (ends[part][:, None] for ends in within[name])
                    values = _floats(self.table.get_column(name))
                    score[~((values >= low) & (values <= high)) & ~null[:, None]] = -np.inf
            best = score.max(axis=1)
            # The greatest of log weight + Gumbel noise is a draw by weight.
            luck = np.log(self.weights) + rng.gumbel(size=score.shape)
            found = np.where(score == best[:, None], luck, -np.inf).argmax(axis=1)
            chosen[part] = np.where(np.isfinite(best), found, -1)
        return chosen

    def extents(self) -> list[Range]:
        """The ranges of the columns of numbers and moments."""
        found = []
        for values in self.table.get_columns():
            if values.dtype.is_numeric() or values.dtype.is_temporal():
                low, high = (
                    end.isoformat() if isinstance(end, datetime) else end for end in (values.min(), values.max())
                )
                found.append(Range(values.name, cast(Any, low), cast(Any, high)))
        return found

    def put(self, rows: pl.DataFrame, chosen: NDArray[np.intp]) -> pl.DataFrame:
        """The rows with the chosen combinations (-1: as they are); missing values stay missing."""
        places = np.flatnonzero(chosen >= 0)
        changed = []
        for name in self.table.columns:
            values = rows.get_column(name)
            there = places[values.gather(places).is_not_null().to_numpy()] if places.size else places
            if there.size:
                changed.append(values.scatter(there, self.table.get_column(name).gather(chosen[there])))
        return rows.with_columns(changed)

    def to_state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Columns of plain values, and arrays."""
        columns = {name: plain_column(self.table.get_column(name)) for name in self.table.columns}
        config = {"columns": [{"name": name, **config} for name, (config, _) in columns.items()]}
        return config, {f"{j}": codes for j, (_, codes) in enumerate(columns.values())} | {"weights": self.weights}

    @classmethod
    def from_state(cls, config: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The reverse of `to_state`."""
        columns = [typed_column(part, arrays[str(j)]).alias(part["name"]) for j, part in enumerate(config["columns"])]
        return cls(pl.DataFrame(columns), arrays["weights"])


def tied_rules(rules: Sequence[Rule]) -> list[list[FixedCombinations]]:
    """Fixed combinations by the groups that share columns."""
    groups: list[list[FixedCombinations]] = []
    for rule in rules:
        if isinstance(rule, FixedCombinations):
            near = [group for group in groups if any(not set(rule.columns).isdisjoint(r.columns) for r in group)]
            groups = [group for group in groups if group not in near] + [[r for group in near for r in group] + [rule]]
    return groups


def warn_of_rare(tied: Sequence[Rule], found: Combinations, rows: int, protect: int) -> None:
    """Refuse fixed combinations that nobody shares; warn where many rows have a rare one."""
    names = " and ".join(repr(rule.text) for rule in tied)
    if not found.table.height:
        raise RuleError(
            f"rule {names}: no combination is shared by {protect} units, so none can be released; drop a column of it, or "
            "the rule."
        )
    rare = rows - int(found.weights.sum())
    if rare > _MANY_RARE * rows:
        warnings.warn(
            f"rule {names}: {rare:,} of {rows:,} rows have a combination that fewer than {protect} units share; drawn rows "
            "like them get a more common one.",
            MasqueradeWarning,
            stacklevel=4,
        )


_TYPES: dict[str, pl.DataType] = {
    "integer": pl.Int64(),
    "continuous": pl.Float64(),
    "boolean": pl.Boolean(),
    "text": pl.String(),
    "moment": pl.Datetime("us"),
}


def plain_column(values: pl.Series) -> tuple[dict[str, Any], NDArray[np.int32]]:
    """A typed column without missing values as its distinct values (plain data) and a code for each row."""
    word = next(word for word, dtype in _TYPES.items() if dtype == values.dtype)
    distinct = values.unique().sort()
    codes = (_codes(values, distinct)[0] - 1).astype(np.int32)
    if word == "moment":
        distinct = distinct.dt.epoch("us")
    return {"type": word, "values": distinct.to_list()}, codes


def typed_column(config: Mapping[str, Any], codes: NDArray[Any]) -> pl.Series:
    """The reverse of `plain_column`."""
    dtype = _TYPES[config["type"]]
    values = pl.Series(config["values"], dtype=pl.Int64 if config["type"] == "moment" else dtype)
    return values.cast(dtype).gather(codes)


def _codes(mine: pl.Series, theirs: pl.Series) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Both columns as numbers that are equal where the values are; -2 where missing."""
    both = pl.concat([mine.alias("v"), theirs.alias("v")])
    both = both.cast(pl.Int8) if both.dtype == pl.Boolean else both
    ranks = both.rank("dense").cast(pl.Int64).fill_null(-2).to_numpy()
    return ranks[: len(mine)], ranks[len(mine) :]


def _floats(values: pl.Series) -> Floats:
    counts = values.dt.epoch("us") if values.dtype.is_temporal() else values
    return counts.cast(pl.Float64).to_numpy()
