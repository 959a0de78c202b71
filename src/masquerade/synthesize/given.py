"""What a user gives when sampling: columns fixed to values, the same in every row or row by row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from masquerade import frames, seeds
from masquerade.codec.table import TableCodec
from masquerade.errors import SettingError
from masquerade.synthesize.settings import check_count

__all__ = ["Condition", "Known", "given_columns", "one_column", "rows_wanted"]


@dataclass(frozen=True)
class Condition:
    """One modelled column fixed to a code in each row.

    Args:
        column: index of the modelled column in the layout.
        codes: int32, shape (rows,): its code in each row.
        name: the column that was given: the modelled one, or one that it determines.
    """

    column: int
    codes: NDArray[np.int32]
    name: str

    @property
    def names(self) -> frozenset[str]:
        """The columns given in every row."""
        return frozenset({self.name})

    def rows(self, start: int, count: int) -> Condition:
        """The condition of some consecutive rows."""
        return self.take(np.arange(start, start + count))

    def take(self, index: NDArray[np.intp]) -> Condition:
        """The condition of a selection of rows."""
        return replace(self, codes=self.codes[index])

    def fill(self, typed: pl.DataFrame) -> pl.DataFrame:
        """Drawn rows: what is known stands in them already."""
        return typed


class Known(Protocol):
    """What is known of the rows to draw: `Condition`, or `masquerade.synthesize.cells.Cells`."""

    @property
    def names(self) -> frozenset[str]:
        """The columns given in every row."""

    def rows(self, start: int, count: int) -> Self:
        """What is known of some consecutive rows."""

    def take(self, index: NDArray[np.intp]) -> Self:
        """What is known of a selection of rows."""

    def fill(self, typed: pl.DataFrame) -> pl.DataFrame:
        """Drawn rows with what is known put in its place."""


def given_columns(given: Any) -> tuple[dict[str, list[Any]], int | None]:
    """The columns of a `given` and their values: one of each for a mapping, one a row (and how many rows) for a frame."""
    if given is None:
        return {}, None
    if isinstance(given, Mapping):
        return {str(name): [value] for name, value in given.items()}, None
    frame, _ = frames.to_polars(given)
    return {name: frame.get_column(name).to_list() for name in frame.columns}, frame.height


def rows_wanted(n: int | None, given_rows: int | None) -> int:
    """How many rows to draw: `n`, or as many as a given frame has.

    Raises:
        SettingError: neither or two different numbers were given, or `n` is no number of rows.
    """
    if n is None and given_rows is None:
        raise SettingError("n: got None, expected how many rows to draw.")
    if n is None:
        return given_rows or 0
    check_count("n", n, least=0)
    if given_rows is not None and n != given_rows:
        raise SettingError(f"n: got {n}, but `given` has {given_rows} rows; leave `n` out.")
    return int(n)


def one_column(codec: TableCodec, name: str, values: Sequence[Any], rows: int, seed: int) -> Condition:
    """The condition that `name` has these values: one for all rows, or one a row.

    Where a value is met by several codes of a determining column, each row draws one of them by frequency.

    Raises:
        ConditionError: no such column or level, or no condition can be put on the column.
    """
    if not values:
        codec.levels(name)  # no row is asked for, but the column must exist all the same
        return Condition(0, np.zeros(0, np.int32), name)
    distinct = {value: place for place, value in enumerate(dict.fromkeys(values))}
    met = [codec.condition(name, value) for value in distinct]
    column = codec.layout.names.index(met[0][0])
    which = np.fromiter((distinct[value] for value in values), np.int64, len(values))
    which = which if len(values) == rows else np.full(rows, which[0])
    codes, random = np.empty(rows, np.int32), seeds.stream(seed, "given", name)
    for place, (_, choices) in enumerate(met):
        mine, weight = np.flatnonzero(which == place), codec.layout.frequencies[column][choices]
        codes[mine] = random.choice(choices, size=len(mine), p=weight / weight.sum())
    return Condition(column, codes, name)
