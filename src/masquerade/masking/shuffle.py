"""Real values given to other rows: the column stays exactly as it is, its ties to the others go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import polars as pl

from masquerade.masking.way import Batch, Way, refuse

__all__ = ["Shuffle"]


@dataclass(frozen=True, kw_only=True)
class Shuffle(Way):
    """Permute a column's hidden cells at random. Every value shown is a real one, so a rare one still tells that it exists.

    Args:
        together: a word that columns share which move together, so that what belongs together stays so; None: by itself.
        within: a column; values move only among rows that have the same value there. None: among all.
    """

    how: ClassVar[str] = "shuffle"
    whole: ClassVar[bool] = True
    together: str | None = None
    within: str | None = None

    def __post_init__(self) -> None:
        for option in ("together", "within"):
            if getattr(self, option) is not None and not isinstance(getattr(self, option), str):
                refuse(option, getattr(self, option), "text in quotes")

    def apply(self, name: str, batch: Batch) -> pl.Series:
        cells = batch.cells(name)
        hidden = batch.hidden.get(name)
        places = np.arange(cells.len()) if hidden is None else np.flatnonzero(hidden)
        shuffled = places[batch.random.permutation(places.size)]
        if self.within is not None:
            group = batch.cells(self.within).rank("dense").fill_null(0).to_numpy()
            # Both orders list the groups one after another, each with as many places: the k-th of one takes the k-th's value.
            places, shuffled = (order[np.argsort(group[order], kind="stable")] for order in (places, shuffled))
        source = np.arange(cells.len())
        source[places] = shuffled
        return cells.gather(source)

    def facts(self) -> dict[str, Any]:
        within = {} if self.within is None else {"within": self.within}
        return within | {"reversible": "no", "shows": "real values in other rows"}
