"""Synthesizers that complete rows from whatever is known: any cells given, levels rebalanced, a temperature set."""

from __future__ import annotations

import dataclasses
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import numpy as np
import polars as pl
from numpy.typing import NDArray

from masquerade import seeds
from masquerade.codec.arrays import Encoded
from masquerade.errors import SettingError
from masquerade.synthesize.base import CHUNK_ROWS, Synthesizer
from masquerade.synthesize.cells import Cells, resolve, typed_given
from masquerade.synthesize.given import rows_wanted
from masquerade.synthesize.rebalance import check_rebalance, rebalanced
from masquerade.synthesize.settings import check_positive

__all__ = ["AnyCells"]


class AnyCells(Synthesizer):
    """A synthesizer that draws rows from any cells, and tells the distribution of one column given any others."""

    takes_any_cells: ClassVar[bool] = True

    pool_rows: ClassVar[int] = 16_384
    """Rows drawn to learn how the columns to rebalance hang together."""

    @abstractmethod
    def _codes(self, rows: int, seed: int, given: NDArray[np.int32] | None, temperature: float) -> NDArray[np.int32]:
        """Codes of new rows, shape (rows, columns); `given` are the known ones, -1 elsewhere, None where there are none."""

    @abstractmethod
    def _distribution(self, given: NDArray[np.int32], column: int) -> NDArray[np.float32]:
        """The probability of each code of one column given other cells, shape (rows, size); see `Distribution`."""

    def sample(
        self,
        n: int | None = None,
        given: Any = None,
        random_state: int | None = None,
        *,
        rebalance: Mapping[str, Mapping[Any, float]] | None = None,
        temperature: float = 1.0,
    ) -> Any:
        """Draw new rows.

        Args:
            n: how many; None: as many as `given` has, where that is a frame.
            given: values of any columns: a mapping `{column: value}` that holds in every row, or a frame whose row i is
                completed to row i of the result. None among the values asks for a missing cell.
            random_state: seed; None: the next draw of this model, reproducible when the model itself was given a seed.
            rebalance: `{column: {level: share}}`: the shares of some levels of discrete columns; the other levels share the
                rest as they do in the model.
            temperature: below 1 the likely is drawn more often, above 1 the unlikely; above 0.

        Returns:
            The same kind of frame as was fitted, with the same columns, dtypes and spelling.

        Raises:
            ConditionError: a column or level that the model does not know.
            SettingError: a setting out of range.

        >>> import masquerade as mq
        >>> table = pl.DataFrame({"age": [20, 30, 40, 50] * 25, "sex": ["f", "m"] * 50})
        >>> model = mq.Autoregressive(epochs=2, random_state=0).fit(table)
        >>> rows = model.sample(1_000, rebalance={"sex": {"f": 0.9}})
        >>> bool((rows["sex"] == "f").mean() > 0.85)
        True
        """
        chunks = self.sample_chunks(
            n, given, random_state, chunk_rows=None, rebalance=rebalance, temperature=temperature
        )
        return next(chunks)

    def sample_chunks(
        self,
        n: int | None = None,
        given: Any = None,
        random_state: int | None = None,
        *,
        chunk_rows: int | None = CHUNK_ROWS,
        rebalance: Mapping[str, Mapping[Any, float]] | None = None,
        temperature: float = 1.0,
    ) -> Iterator[Any]:
        """`sample` as a stream of frames of at most `chunk_rows` rows (None: one frame), so that memory stays small."""
        self._check_fitted()
        check_positive("temperature", temperature)
        seed = self._sampling_seed(random_state)
        rows, cells = self._condition(n, given, seed)
        if rebalance is not None:
            check_rebalance(self.codec_, rebalance)
            cells = self._rebalanced(rows, given, cells, rebalance, seed)
        if temperature != 1 and cells is None:
            cells = Cells.of(self.codec_, pl.DataFrame(), rows, missing_is_known=True, strict=True)
        cells = None if cells is None else dataclasses.replace(cells, temperature=temperature)
        return self._chunks(rows, cells, seed, chunk_rows)

    def _condition(self, n: int | None, given: Any, seed: int) -> tuple[int, Cells | None]:
        if given is None or (isinstance(given, Mapping) and not given):
            return rows_wanted(n, None), None
        typed, rows = typed_given(self.codec_, given, n)
        return rows, self._cells(typed, rows, seed)

    def _cells(self, typed: pl.DataFrame, rows: int, seed: int) -> Cells:
        cells = Cells.of(self.codec_, typed, rows, missing_is_known=True, strict=True)
        return resolve(self.codec_, cells, self._distribution, seed, strict=True)

    def _rebalanced(
        self, rows: int, given: Any, cells: Cells | None, wanted: Mapping[str, Mapping[Any, float]], seed: int
    ) -> Cells:
        """What is given, and values of the columns to rebalance."""
        if given is not None and not isinstance(given, Mapping):
            raise SettingError(
                "rebalance: got a frame of given values too; give a mapping, or leave one of the two out."
            )
        both = [name for name in wanted if cells is not None and name in cells.values.columns]
        if both:
            raise SettingError(f"rebalance: {both[0]!r} is given already; leave it out here or there.")
        fixed = None if cells is None or not rows else cells.take(np.zeros(self.pool_rows, np.intp))
        pool = self._typed(self.pool_rows, fixed, seeds.integer(seed, "pool"))
        chosen = rebalanced(self.codec_, pool, wanted, rows, seeds.stream(seed, "rebalance"))
        return self._cells(chosen if cells is None else pl.concat([cells.values, chosen], how="horizontal"), rows, seed)

    def _draw(self, rows: int, known: Cells | None, seed: int) -> Encoded:
        given, temperature = None, 1.0
        if known is not None:
            temperature = known.temperature
            given = known.codes if (known.codes >= 0).any() else None
        codes = self._codes(rows, seed, given, temperature)
        return Encoded(codes, np.zeros(codes.shape, np.float32))
