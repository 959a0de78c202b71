"""What a generator draws each column from, as a matrix that can be shown and as its strongest links."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from masquerade.errors import SettingError, nearest
from masquerade.frames import to_polars
from masquerade.judge.series import short
from masquerade.schema import Schema

__all__ = ["dependency_facts"]

_WIDEST = 60
_STRONGEST = 12


def dependency_facts(links: Any, schema: Schema) -> dict[str, Any] | None:
    """The facts behind the picture "what each column is drawn from".

    Args:
        links: a frame with the columns `column`, `drawn_from`, `nats` and perhaps `determined`, such as
            `Autoregressive.dependencies_`.
        schema: the table's columns, in their order.

    Returns:
        `rows` (columns that are drawn from others), `columns` (those they are drawn from), both in the schema's order and at
        most 60, the ones with the strongest links; `nats` and `determined`, lists of shape (rows, columns), `nats` None where
        there is no link; `strongest`, at most 12 links; `left_out`, how many columns there was no room for. None without links.

    Raises:
        SettingError: a column is not there, or a link names one that the table has not.

    >>> from masquerade.schema import Column
    >>> links = pl.DataFrame({"column": ["b"], "drawn_from": ["a"], "nats": [0.5]})
    >>> dependency_facts(links, Schema((Column("a", "integer"), Column("b", "integer"))))["nats"]
    [[0.5]]
    """
    frame = _checked(links, schema)
    if frame.is_empty():
        return None
    kept, left_out = {}, set()
    for side in ("column", "drawn_from"):
        names = frame.group_by(side).agg(pl.col("nats").max()).sort("nats", descending=True)[side].to_list()
        left_out |= set(names[_WIDEST:])
        kept[side] = sorted(names[:_WIDEST], key=schema.names.index)
    place = {side: {name: i for i, name in enumerate(names)} for side, names in kept.items()}
    nats: list[list[float | None]] = [[None] * len(kept["drawn_from"]) for _ in kept["column"]]
    determined = np.zeros((len(kept["column"]), len(kept["drawn_from"])), bool)
    for column, on, strength, certain in frame.iter_rows():
        if column in place["column"] and on in place["drawn_from"]:
            i, j = place["column"][column], place["drawn_from"][on]
            nats[i][j], determined[i, j] = short(strength), certain
    return {
        "rows": kept["column"],
        "columns": kept["drawn_from"],
        "nats": nats,
        "determined": determined.tolist(),
        "strongest": [[*row[:2], short(row[2]), row[3]] for row in frame.head(_STRONGEST).iter_rows()],
        "left_out": len(left_out),
    }


def _checked(links: Any, schema: Schema) -> pl.DataFrame:
    """`column`, `drawn_from`, `nats`, `determined`: positive links, the strongest first."""
    frame = to_polars(links)[0]
    absent = [name for name in ("column", "drawn_from", "nats") if name not in frame.columns]
    if absent:
        raise SettingError(
            f"dependencies: there is no column {absent[0]!r}, expected 'column', 'drawn_from' and 'nats', as in "
            "`Autoregressive.dependencies_`."
        )
    for side in ("column", "drawn_from"):
        unknown = sorted(set(frame[side].to_list()) - set(schema.names), key=str)
        if unknown:
            raise SettingError(
                f"dependencies: the table has no column {unknown[0]!r}{nearest(str(unknown[0]), schema.names)}."
            )
    if not frame["nats"].dtype.is_numeric():
        raise SettingError(f"dependencies: column 'nats' has type {frame['nats'].dtype}, expected numbers.")
    determined = pl.col("determined") if "determined" in frame.columns else pl.lit(False).alias("determined")
    found = frame.select("column", "drawn_from", pl.col("nats").cast(pl.Float64), determined.cast(pl.Boolean))
    found = found.filter(pl.col("nats").is_finite() & (pl.col("nats") > 0))
    return found.sort("nats", descending=True, maintain_order=True)
