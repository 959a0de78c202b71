"""What a net of any order can answer beside drawing rows: fill holes, predict a column, judge a row."""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from masquerade import frames, seeds, spelling
from masquerade.codec.arrays import Encoded
from masquerade.errors import InputError
from masquerade.schema import Schema
from masquerade.synthesize.any_cells import AnyCells
from masquerade.synthesize.cells import Cells, narrowed, resolve
from masquerade.synthesize.drawing import Drawer
from masquerade.synthesize.estimator import careful
from masquerade.synthesize.settings import check_count

__all__ = ["Completing"]

RESOLVING_DRAWS = 8
"""How often what a given column leaves open of the one that determines it is drawn for a prediction."""


class Completing(AnyCells):
    """A synthesizer whose net draws any cells from any others."""

    _drawer: Drawer

    def _codes(self, rows: int, seed: int, given: NDArray[np.int32] | None, temperature: float) -> NDArray[np.int32]:
        return self._drawer.rows(rows, seed, given=given, temperature=temperature)

    def _distribution(self, given: NDArray[np.int32], column: int) -> NDArray[np.float32]:
        return self._drawer.distribution(given, column)

    @careful
    def impute(self, frame: Any, draws: int | None = None, random_state: int | None = None) -> Any:
        """Fill missing cells by draws from their distribution given the other cells of their row.

        Args:
            frame: a table with the model's columns (or some of them: the others are drawn whole); it is not changed.
            draws: how many completed tables to return (multiple imputation, Rubin 1987); None: one.
            random_state: seed; None: the next draw of this model.

        Returns:
            A frame of the kind given, or a list of `draws` of them; cells that were there are untouched, and filled ones meet
            the rules wherever those leave a way.

        Raises:
            SchemaError: a column that the model does not know, or cells that do not fit it.

        >>> import masquerade as mq
        >>> table = pl.DataFrame({"age": [20, 30, 40, 50] * 25, "sex": ["f", "m"] * 50})
        >>> model = mq.Autoregressive(epochs=5, random_state=0).fit(table)
        >>> model.impute(pl.DataFrame({"age": [30, None], "sex": ["m", "f"]}))["age"][0]
        30
        """
        self._check_fitted()
        if draws is not None:
            check_count("draws", draws)
        seed = self._sampling_seed(random_state)
        raw, kind, typed = self._read(frame)
        cells = Cells.of(self.codec_, typed, typed.height, missing_is_known=False, strict=False)
        filled = []
        for turn in range(draws or 1):
            turn_seed = seeds.integer(seed, "impute", turn)
            known = resolve(self.codec_, cells, self._distribution, turn_seed, strict=False)
            codes = self._drawer.rows(
                typed.height, turn_seed, given=known.codes, log_share=self._drawer.without(self._missing_places())
            )
            drawn = self.codec_.decode(Encoded(codes, np.zeros(codes.shape, np.float32)), turn_seed)
            rows = self._within_rules(known.fill(drawn), known, turn_seed)
            filled.append(self._filled(raw, kind, typed, rows))
        return filled[0] if draws is None else filled

    def _within_rules(self, rows: pl.DataFrame, known: Cells, seed: int) -> pl.DataFrame:
        """The completed rows with drawn cells brought to meet the rules; where known cells leave no way, as they are."""
        if self._enforcer is None or not rows.height:
            return rows
        nothing = np.zeros(rows.height, np.bool_)
        flags = np.column_stack([known.known.get(name, nothing) for name in rows.columns])
        patterns, which = np.unique(flags, axis=0, return_inverse=True)
        for number, pattern in enumerate(patterns):
            if pattern.all():
                continue
            keep = frozenset(name for name, there in zip(rows.columns, pattern, strict=True) if there)
            index = np.flatnonzero(which == number)
            part = self._enforcer.settle(rows[index], keep)
            with contextlib.suppress(InputError):
                part = self._enforcer.repair(part, keep, seeds.stream(seed, "mend", number))
            rows = rows.with_columns(
                rows.get_column(name).scatter(index, part.get_column(name)) for name in rows.columns
            )
        return rows

    def _filled(self, raw: pl.DataFrame, kind: frames.FrameKind, typed: pl.DataFrame, drawn: pl.DataFrame) -> Any:
        """The raw cells where they were there, the drawn ones spelled alike where they were not."""
        given = frames.FrameKind(kind.library, {**self.kind_.columns, **kind.columns})
        spelled = spelling.spell(drawn, self.schema_, given)
        there = {name: typed.get_column(name).is_not_null() for name in typed.columns}
        columns = []
        for name in self.schema_.names:
            column = spelled.get_column(name)
            if name in raw.columns and column.dtype == raw.get_column(name).dtype:
                column = raw.get_column(name).zip_with(there[name], column)
            columns.append(column)
        return frames.from_polars(pl.DataFrame(columns), given)

    def _missing_places(self) -> NDArray[np.intp]:
        """The places of the codes that stand for missing."""
        digits = self._drawer.net.slots.digits
        names = self.codec_.layout.names
        return np.array(
            [
                digits.starts[i] + digits.sizes[i] - 1
                for i, name in enumerate(names)
                if self.codec_.codecs[name].missing  # type: ignore[attr-defined]
            ],
            np.intp,
        )

    @careful
    def predict_proba(self, frame: Any, column: str) -> Any:
        """The probability of each level of one column, row by row, given the other cells.

        Args:
            frame: a table with some or all of the other columns; what stands in `column` is not read. A missing cell counts as
                known to be missing where the model has seen missing cells in its column, else as not known.
            column: which column.

        Returns:
            A frame of the kind given, with one column for each level (for a bin of numbers `"low to high"`, for missing
            `"missing"`), float64, each row summing to 1.

        Raises:
            ConditionError: there is no such column, or nothing to predict in it.
        """
        self._check_fitted()
        codec = self.codec_
        codec.check_modelled(column)
        _, kind, typed = self._read(frame, without=column)
        cells = Cells.of(codec, typed, typed.height, missing_is_known=False, strict=False)
        for i, name in enumerate(codec.layout.names):
            if name in typed.columns and codec.codecs[name].missing:  # type: ignore[attr-defined]
                cells.codes[typed.get_column(name).is_null().to_numpy(), i] = codec.layout.sizes[i] - 1
        on = codec.dependencies[column].on if column in codec.dependencies else column
        place = codec.layout.names.index(on)
        shares = np.zeros((typed.height, codec.layout.sizes[place]))
        for turn in range(RESOLVING_DRAWS if codec.dependencies else 1):
            known = resolve(codec, cells, self._distribution, turn, strict=False)
            shares += self._distribution(known.codes, place)
            if np.array_equal(known.codes, cells.codes):
                break
        shares = narrowed(codec, typed, on, cells.codes[:, place], shares)
        if column in codec.dependencies:
            dependent = np.zeros((len(shares), codec.codecs[column].size))
            np.add.at(dependent.T, codec.dependencies[column].lookup, shares.T)
            shares = dependent
        names = codec.names_of_codes(column)
        return frames.from_polars(
            pl.DataFrame({name: shares[:, i] for i, name in enumerate(names)}),
            frames.FrameKind(kind.library, {}),
        )

    @careful
    def log_prob(self, frame: Any) -> NDArray[np.float64]:
        """The log-likelihood of each row's cells under the model, in nats.

        Args:
            frame: a table with all or some of the model's columns; columns that are left out are summed over.

        Returns:
            float64, shape (rows,): log probability of the row's codes (a number counts by its bin, so this is no density); -inf
            where a cell has a level that the model never draws. Ids, constants and columns that another one determines count
            nothing.
        """
        self._check_fitted()
        _, _, typed = self._read(frame)
        codec = self.codec_
        there = [name in typed.columns for name in codec.layout.names]
        codes = np.zeros((typed.height, len(there)), np.int32)
        for i, name in enumerate(codec.layout.names):
            if there[i]:
                codes[:, i] = codec.locate(name, typed.get_column(name))
        result = self._drawer.log_probability(codes, np.array(there))
        return np.where((codes < 0).any(axis=1), -np.inf, result)

    def _read(self, frame: Any, without: str | None = None) -> tuple[pl.DataFrame, frames.FrameKind, pl.DataFrame]:
        """A user's frame of some of the columns: as it is, what kind it was, and typed."""
        raw, kind = frames.to_polars(frame)
        part = raw if without is None or without not in raw.columns else raw.drop(without)
        for name in part.columns:
            self.schema_[name]
        blank = [name for name in part.columns if part.get_column(name).dtype == pl.Null]
        part = part.with_columns(pl.col(name).cast(pl.String) for name in blank)
        schema = Schema(tuple(self.schema_[name] for name in part.columns))
        return part, kind, spelling.parse(part, schema) if part.columns else pl.DataFrame()
