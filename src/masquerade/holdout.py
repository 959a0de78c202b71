"""Keep some rows out of training, so that a release can be judged on people its generator never saw."""

from __future__ import annotations

import numpy as np
import polars as pl

from masquerade import seeds
from masquerade.errors import SettingError, TableError
from masquerade.privacy.protect import unit_series

__all__ = ["hold_out"]


def hold_out(
    table: pl.DataFrame, share: float, *, seed: int, unit: str | None = None
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Split a table into what trains and what is held out, at random, whole units together.

    Args:
        table: any frame, shape (rows, columns).
        share: how much is held out, above 0 and below 1, of the rows, or of the units where there are any.
        seed: decides who is held out.
        unit: the column that says whose row it is; None: each row is its own unit.

    Returns:
        (train, holdout), each in the table's order.

    Raises:
        SettingError: `share` is not between 0 and 1.
        TableError: either side would be empty.

    >>> train, kept = hold_out(pl.DataFrame({"a": range(100)}), 0.2, seed=0)
    >>> train.height, kept.height
    (80, 20)
    """
    if not 0 < share < 1:
        raise SettingError(f"holdout share: got {share}, expected a number above 0 and below 1.")
    units = unit_series(table, unit)
    names = np.arange(table.height) if units is None else units.to_numpy()
    different = np.unique(names)
    count = round(share * different.size)
    if not 0 < count < different.size:
        what = "rows" if unit is None else f"different values of {unit!r}"
        raise TableError(
            f"holdout: {different.size} {what} cannot be split with a share of {share}, give a larger table or share."
        )
    chosen = seeds.stream(seed, "holdout").choice(different, count, replace=False)
    held = pl.Series(np.isin(names, chosen))
    return table.filter(~held), table.filter(held)
