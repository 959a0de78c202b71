"""Given cells of any columns, as values and as codes, for models that complete rows from whatever is known."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from masquerade import frames, seeds, spelling
from masquerade.codec.condition import code_of
from masquerade.codec.table import TableCodec
from masquerade.errors import ConditionError, InputError, MasqueradeWarning, nearest
from masquerade.schema import Column, Schema
from masquerade.synthesize.given import rows_wanted

__all__ = ["Cells", "Distribution", "narrowed", "resolve", "typed_given"]

Distribution = Callable[[NDArray[np.int32], int], NDArray[np.float32]]
"""(given codes, column) to the probability of each code of the column, shape (rows, size)."""


@dataclass(frozen=True)
class Cells:
    """Some cells of each row, known; the others are to be drawn.

    Args:
        codes: int32, shape (rows, modelled columns): codes of known cells, -1 elsewhere.
        values: typed values of the given columns, one row each.
        known: by given column, which of its values are known; booleans, shape (rows,).
        temperature: at which the other cells are drawn.
    """

    codes: NDArray[np.int32]
    values: pl.DataFrame
    known: Mapping[str, NDArray[np.bool_]]
    temperature: float = 1.0

    @property
    def names(self) -> frozenset[str]:
        """The columns given in every row."""
        return frozenset(name for name, known in self.known.items() if known.all())

    def rows(self, start: int, count: int) -> Cells:
        """The cells of some consecutive rows."""
        return self.take(np.arange(start, start + count))

    def take(self, index: NDArray[np.intp]) -> Cells:
        """The cells of a selection of rows."""
        known = {name: flags[index] for name, flags in self.known.items()}
        values = self.values[index] if self.values.columns else self.values
        return replace(self, codes=self.codes[index], values=values, known=known)

    def fill(self, typed: pl.DataFrame) -> pl.DataFrame:
        """Drawn rows with what is known put in its place, exactly as given."""
        return typed.with_columns(
            pl.when(pl.Series(self.known[name])).then(self.values.get_column(name)).otherwise(pl.col(name)).alias(name)
            for name in self.values.columns
        )

    @classmethod
    def of(
        cls,
        codec: TableCodec,
        typed: pl.DataFrame,
        rows: int,
        *,
        missing_is_known: bool,
        strict: bool,
        temperature: float = 1.0,
    ) -> Cells:
        """The cells of a typed frame of given columns.

        Args:
            codec: of the table.
            typed: given columns, of `rows` rows, or of one row that holds for all.
            rows: how many.
            missing_is_known: whether null asks for a missing cell; else it is a cell to draw.
            strict: refuse a level that the model does not know; else such a cell is kept but tells the model nothing.
            temperature: at which the other cells are drawn.
        """
        codes = np.full((rows, len(codec.layout.names)), -1, np.int32)
        known = {}
        if typed.columns and typed.height != rows:
            typed = typed[np.zeros(rows, np.intp)]
        for name in typed.columns:
            values = typed.get_column(name)
            there = values.is_not_null().to_numpy()
            known[name] = np.ones(rows, np.bool_) if missing_is_known else there
            if name in codec.layout.names:
                located = codec.locate(name, values)
                if strict:
                    _check_known(codec, name, values, located)
                codes[:, codec.layout.names.index(name)] = np.where(known[name], located, -1)
        return cls(codes, typed, known, temperature)


def typed_given(codec: TableCodec, given: Any, n: int | None) -> tuple[pl.DataFrame, int]:
    """The typed values of a `given`, and how many rows to draw.

    Raises:
        ConditionError: no such column, or one that is not modelled; a value that does not fit its column.
    """
    if isinstance(given, Mapping):
        raw = pl.DataFrame([pl.Series(str(name), [value], strict=False) for name, value in given.items()])
        rows = rows_wanted(n, None)
    else:
        raw, _ = frames.to_polars(given)
        rows = rows_wanted(n, raw.height)
    for name in raw.columns:
        codec.check_modelled(name)
    schema = Schema(tuple(codec.schema[name] for name in raw.columns))
    blank = [name for name in raw.columns if raw.get_column(name).dtype == pl.Null]
    raw = raw.with_columns(pl.col(name).cast(pl.String) for name in blank)
    try:
        return spelling.parse(raw, schema), rows
    except InputError as error:
        for name in raw.columns:
            _check_fits(schema[name], raw.get_column(name))
        raise ConditionError(f"given: {error}") from None


def _check_fits(column: Column, cells: pl.Series) -> None:
    """Refuse the first cell that does not fit its column's kind."""
    values, missing = spelling.parse_column(cells, column)
    odd = cells.filter(values.is_null() & ~missing)
    if odd.len():
        words = column.levels if column.kind == "boolean" and column.levels is not None else ()
        hint = nearest(str(odd[0]), words) + (f"; it has {', '.join(map(repr, words))}" if words else "")
        raise ConditionError(f"given: got {odd[0]!r} for column {column.name!r}, which is {column.kind}{hint}.")


def _check_known(codec: TableCodec, name: str, values: pl.Series, located: NDArray[np.int32]) -> None:
    """Refuse what has no code; say where a number lies beyond what the model has seen."""
    unknown = np.flatnonzero(located < 0)
    if unknown.size:
        code_of(codec.codecs[name], codec.schema[name], values[int(unknown[0])])
        raise ConditionError(f"given: column {name!r} has no level {values[int(unknown[0])]!r}.")
    bounds = codec.bounds(name)
    if bounds is None:
        return
    beyond = ((values < bounds[0]) | (values > bounds[1])).fill_null(False)
    if beyond.any():
        low, high = (int(bound) if values.dtype == pl.Int64 else bound for bound in bounds)
        warnings.warn(
            f"given: column {name!r}: {values.filter(beyond)[0]} lies outside what the model learned from "
            f"({low} to {high}); the value is kept, and the other columns are drawn as for the nearest one.",
            MasqueradeWarning,
            stacklevel=5,
        )


def resolve(codec: TableCodec, cells: Cells, distribution: Distribution, seed: int, *, strict: bool) -> Cells:
    """Codes for columns that were not given but determine one that was.

    A column that another one determines is not modelled. Where it is given, the determining column's code is drawn among those
    that go with it, by the model's distribution given the other cells.

    Raises:
        ConditionError: (if strict) a level that the model does not know, or given values that never go together.
    """
    codes, names = cells.codes.copy(), codec.layout.names
    for name, dependency in codec.dependencies.items():
        if name not in cells.values.columns:
            continue
        on, values = names.index(dependency.on), cells.values.get_column(name)
        located = codec.locate(name, values)
        if strict:
            _check_known(codec, name, values, located)
        allowed = dependency.lookup[None, :] == located[:, None]
        open_ = cells.known[name] & (codes[:, on] < 0) & allowed.any(axis=1)
        clash = cells.known[name] & (codes[:, on] >= 0) & ~allowed[np.arange(len(codes)), codes[:, on]]
        if strict and clash.any():
            row = int(np.flatnonzero(clash)[0])
            other = cells.values.get_column(dependency.on)[row] if dependency.on in cells.values.columns else None
            raise ConditionError(
                f"given: {name!r} is {values[row]!r}, which never goes with {dependency.on!r} "
                f"{'as the other given values ask for' if other is None else repr(other)}; leave one of the two out."
            )
        which = np.flatnonzero(open_)
        if not which.size:
            continue
        weights = np.where(allowed[which], codec.layout.frequencies[on] + 1e-12, 0.0)
        if (weights > 0).sum(axis=1).max() > 1 and (codes[which] >= 0).any():
            weights = np.where(allowed[which], distribution(codes[which], on) + 1e-12, 0.0)
        edges = np.cumsum(weights, axis=1)
        places = seeds.stream(seed, "given", name).random(which.size) * edges[:, -1]
        codes[which, on] = np.minimum((edges <= places[:, None]).sum(axis=1), weights.shape[1] - 1)
    return replace(cells, codes=codes)


def narrowed(
    codec: TableCodec, typed: pl.DataFrame, column: str, codes: NDArray[np.int32], shares: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The probabilities of a column's codes, without those that its own cell or a column that it determines rules out.

    Args:
        codec: of the table.
        typed: what is known.
        column: a modelled column.
        codes: its own codes where they are known, else -1; shape (rows,).
        shares: of its codes given the other modelled columns, not negative; shape (rows, size).

    Returns:
        float64, shape (rows, size), each row summing to 1.
    """
    fits = (codes < 0)[:, None] | (codes[:, None] == np.arange(shares.shape[1]))
    for name, dependency in codec.dependencies.items():
        if dependency.on == column and name in typed.columns:
            located = codec.locate(name, typed.get_column(name))
            allowed = dependency.lookup[None, :] == located[:, None]
            known = typed.get_column(name).is_not_null().to_numpy() & (allowed & fits).any(axis=1)
            fits &= allowed | ~known[:, None]
    shares = (shares + 1e-12) * fits
    return np.asarray(shares / shares.sum(axis=1, keepdims=True), np.float64)
