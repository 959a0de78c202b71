"""The whole cell taken away: it is missing, or a word stands in its place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import polars as pl

from masquerade.masking.way import Batch, Way, refuse

__all__ = ["Suppress"]


@dataclass(frozen=True, kw_only=True)
class Suppress(Way):
    """Empty the cell.

    Args:
        mark: what stands in its place; None: what stands for a missing value in the column.

    >>> from masquerade.masking.keys import Key
    >>> from masquerade.schema import Column, Schema
    >>> import numpy as np
    >>> batch = Batch(
    ...     raw=pl.DataFrame({"job": ["cook", "?"]}), schema=Schema((Column("job", "categorical", missing="?"),)),
    ...     kind=None, key=Key.random(), random=np.random.default_rng(0),
    ... )
    >>> Suppress().apply("job", batch).to_list()
    ['?', '?']
    """

    how: ClassVar[str] = "suppress"
    mark: str | None = None

    def __post_init__(self) -> None:
        if self.mark is not None and not isinstance(self.mark, str):
            refuse("mark", self.mark, "text in quotes")

    def apply(self, name: str, batch: Batch) -> pl.Series:
        cells = batch.cells(name)
        if self.mark is not None:
            return pl.Series(name, [self.mark], dtype=pl.String).new_from_index(0, cells.len())
        word = batch.schema[name].missing if cells.dtype == pl.String else None
        return pl.Series(name, [word], dtype=cells.dtype).new_from_index(0, cells.len())

    def facts(self) -> dict[str, Any]:
        return {"reversible": "no"}
