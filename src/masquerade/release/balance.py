"""More rows where there are few: real rows plus synthetic ones, so that every class of a column is as frequent as the first."""

from __future__ import annotations

from typing import Any

import polars as pl

from masquerade import frames, spelling
from masquerade.errors import SettingError, TableError, nearest
from masquerade.synthesize.base import Synthesizer

__all__ = ["FLAG", "augment"]

FLAG = "synthetic"
"""Name of the flag column."""


def augment(
    table: Any, model: Synthesizer, balance: str, *, flag: bool = False, random_state: int | None = None
) -> Any:
    """The real rows plus as many synthetic ones as level the classes of a column.

    A class that the model does not know (fewer rows than its protection threshold) is left as it is. The result holds real
    rows: it is for training models inside the house, not for release.

    Args:
        table: the real table, of the kind and columns that the model was fitted on; it is not changed.
        model: a fitted synthesizer that can condition on `balance`.
        balance: the discrete column whose classes are levelled.
        flag: whether to add a boolean column `synthetic`, true for new rows.
        random_state: seed; None: the model's next draw.

    Returns:
        A frame of the same kind: the real rows first, unchanged, then the synthetic ones.

    Raises:
        ConditionError: the model cannot condition on `balance`.
        SettingError: there is no such column, or a column named `synthetic` is in the way of the flag.
        TableError: the table's columns are not the model's.

    >>> table = pl.DataFrame({"x": [1, 2, 3] * 20, "y": ["a"] * 45 + ["b"] * 15})
    >>> from masquerade.synthesize.ctgan import CTGAN
    >>> model = CTGAN(epochs=1, random_state=0).fit(table)
    >>> augment(table, model, "y")["y"].value_counts()["count"].to_list()
    [45, 45]
    """
    raw, kind = frames.to_polars(table)
    if balance not in raw.columns:
        raise SettingError(f"balance: there is no column {balance!r}{nearest(balance, raw.columns)}.")
    if flag and FLAG in raw.columns:
        raise SettingError(f"flag: the table already has a column {FLAG!r}; rename it, or do without the flag.")
    if set(raw.columns) != set(model.schema_.names):
        raise TableError("table: its columns are not those that the model was fitted on; augment the table of the fit.")
    known = model.codec_.levels(balance)
    counts = _counts(raw, balance, model)
    most = int(counts["len"].max() or 0)  # type: ignore[arg-type]
    wanted = [value for value, count in counts.iter_rows() if value in known for _ in range(most - count)]
    if not wanted:
        made = raw.clear()
    else:
        drawn = model.sample(given=pl.DataFrame({balance: wanted}), random_state=random_state)
        made = frames.to_polars(drawn)[0].select(raw.columns)
    both = pl.concat([raw, made], how="vertical_relaxed")
    if flag:
        both = both.with_columns(pl.Series(FLAG, [False] * raw.height + [True] * made.height))
    return frames.from_polars(both, kind)


def _counts(raw: pl.DataFrame, balance: str, model: Synthesizer) -> pl.DataFrame:
    """Typed values of the column and how many rows have each; missing ones are no class."""
    typed = spelling.parse(raw, model.schema_, strict=False).get_column(balance)
    return typed.drop_nulls().to_frame().group_by(balance, maintain_order=True).len()
