"""The facts a report is drawn from: counts, shares and summaries of both tables as plain data, never a row.

Both sides are protected in the same way. Nothing is shown that fewer than ten units of the real table stand behind
(more, where `protect` asks for more): bins are merged until they hold that many, levels that fewer have are counted
as "other", extremes are the tenth most extreme values, and means and standard deviations are those of values pulled
in to these bounds, so that one huge value cannot be worked out from them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from masquerade.errors import TableError
from masquerade.judge.bins import Bins, protected_bins, quantile
from masquerade.judge.cloud import cloud
from masquerade.judge.relations import associations, logs
from masquerade.judge.series import numbers, short, words
from masquerade.privacy.protect import protected_levels, unit_series
from masquerade.schema import Column, Schema

__all__ = ["FEWEST", "UNFOLDED", "facts"]

FEWEST = 10
"""The least number of units behind anything shown, however low `protect` is."""
UNFOLDED = 40
"""Columns beyond this many are described more briefly, and fold away in the page."""

_LEVELS, _LEVELS_FOLDED = 15, 8
_CELLS, _CELLS_FOLDED = 40, 20
_WIDEST_MATRIX = 40

_Ends = tuple[float, float]


def facts(
    real: pl.DataFrame,
    released: pl.DataFrame,
    holdout: pl.DataFrame | None,
    schema: Schema,
    *,
    protect: int = 10,
    units: pl.Series | None = None,
    target: str | None = None,
) -> dict[str, Any]:
    """Everything that the pictures of a report show.

    Args:
        real: the private rows, typed, with the schema's columns; null is missing.
        released: the released rows, likewise.
        holdout: real rows that were kept back, likewise, or None; only its size and its associations are used.
        schema: the columns' kinds.
        protect: least number of units behind anything shown on the real side; below 10 counts as 10.
        units: the unit of each real row, as from `unit_series`; None: from the schema's `unit`, else each row its own.
        target: the column that analysts want to predict; it is drawn first.

    Returns:
        Plain data: `rows`, `protect`, `unit`, `target`, `columns` (by name: `kind`, `missing`, `describe`, and
        `histogram` or `bars`), `logs`, `association`, `cloud`. Absent parts are None.

    Raises:
        TableError: where a table lacks a column of the schema.

    >>> from masquerade.schema import Column
    >>> table = pl.DataFrame({"sex": ["f", "m"] * 20})
    >>> drawn = facts(table, table, None, Schema((Column("sex", "categorical"),)))
    >>> drawn["columns"]["sex"]["bars"]["levels"], drawn["columns"]["sex"]["bars"]["real"]
    (['f', 'm'], [20, 20])
    """
    for side, table in (("real", real), ("released", released)):
        absent = [name for name in schema.names if name not in table.columns]
        if absent:
            raise TableError(f"the {side} table has no column {absent[0]!r}, expected every column of the schema.")
    least = max(protect, FEWEST)
    units = unit_series(real, schema.unit) if units is None else units
    holders = None if units is None else units.to_numpy().astype(np.int64)
    names = sorted(schema.names, key=lambda name: name != target)
    columns: dict[str, Any] = {}
    for place, name in enumerate(names):
        own = max(least, schema[name].protect or 0)
        columns[name] = _column(schema[name], real[name], released[name], own, holders, units, folded=place >= UNFOLDED)
    tables = {"real": real, "released": released} | ({} if holdout is None else {"holdout": holdout})
    related = [c for c in (schema[name] for name in names) if c.kind not in ("text", "id") and c.name != schema.unit]
    return {
        "rows": {
            "real": real.height,
            "released": released.height,
            "holdout": None if holdout is None else holdout.height,
        },
        "protect": least,
        "unit": schema.unit,
        "target": target,
        "columns": columns,
        "logs": logs(columns),
        "association": associations(tables, related[:_WIDEST_MATRIX], least),
        "cloud": cloud(real, released, related, least, holders),
    }


def _column(
    column: Column,
    real: pl.Series,
    released: pl.Series,
    least: int,
    holders: NDArray[np.int64] | None,
    units: pl.Series | None,
    *,
    folded: bool,
) -> dict[str, Any]:
    lacking = _missing(real.is_null().to_numpy(), least, holders)
    shown: dict[str, Any] = {
        "kind": column.kind,
        "folded": folded,
        "missing": {"real": lacking, "released": int(released.null_count())},
    }
    if column.kind in ("categorical", "boolean"):
        size = _LEVELS_FOLDED if folded else _LEVELS
        return shown | _category(
            words(real, column), words(released, column), least, holders, units, size, shown["missing"]
        )
    size = _CELLS_FOLDED if folded else _CELLS
    return shown | _numeric(column, real, released, least, holders, size, shown["missing"])


def _missing(gaps: NDArray[np.bool_], least: int, holders: NDArray[np.int64] | None) -> int | None:
    """How many rows lack a value: None for fewer units than `least`, every row where that few have one."""
    lacking = int(gaps.sum())
    lackers, havers = (int(s.sum()) if holders is None else np.unique(holders[s]).size for s in (gaps, ~gaps))
    if lacking == 0 or lackers < least:
        return 0 if lacking == 0 else None
    return lacking if havers >= least else gaps.size


def _hiding(counts: list[int], gaps: int, missing: int | None) -> list[int]:
    """The counts, the largest one with the gaps that are too few to be told: else the sum would tell them."""
    if missing is None and counts:
        counts[counts.index(max(counts))] += gaps
    return counts


def _numeric(
    column: Column,
    real: pl.Series,
    released: pl.Series,
    least: int,
    holders: NDArray[np.int64] | None,
    cells: int,
    missing: dict[str, int | None],
) -> dict[str, Any]:
    kind = {"text": "integer", "id": "integer"}.get(column.kind, column.kind)
    ours, theirs = numbers(real, column), numbers(released, column)
    present = ~np.isnan(ours)
    ours, theirs = ours[present], theirs[~np.isnan(theirs)]
    holders = None if holders is None else holders[present]
    bins = protected_bins(ours, least, holders, kind=kind, cells=cells)
    if bins is None:
        return {"histogram": None, "describe": None}
    ends = _ends(ours, bins, least, holders, kind)
    outside = float(((theirs < bins.low) | (theirs > bins.high)).mean()) if theirs.size else 0.0
    return {
        "of": "length" if column.kind in ("text", "id") else "value",
        "histogram": {
            "edges": [short(edge, 12) for edge in bins.edges.tolist()],
            "cells": bins.cells.tolist(),
            "scale": bins.scale,
            "real": _hiding(bins.counts.tolist(), len(present) - len(ours), missing["real"]),
            "released": bins.count(theirs).tolist(),
            "outside": short(outside),
        },
        "describe": {
            "real": _summary(ours, bins, ends, least, holders, kind),
            "released": _summary(theirs, bins, ends, least, None, kind) if theirs.size else None,
        },
    }


def _ends(values: NDArray[np.float64], bins: Bins, least: int, holders: NDArray[np.int64] | None, kind: str) -> _Ends:
    """The protected bounds as they are shown: exact where enough units have that very value, else to four digits."""
    shown = []
    for end in (bins.low, bins.high):
        same = values == end
        shared = int(same.sum()) if holders is None else np.unique(holders[same]).size
        shown.append(short(end, 12) if kind == "datetime" or shared >= least else short(end))
    return shown[0], shown[1]


def _summary(
    values: NDArray[np.float64], bins: Bins, ends: _Ends, least: int, holders: NDArray[np.int64] | None, kind: str
) -> dict[str, float]:
    """describe() of one side; both sides are pulled in to the real side's protected bounds first."""
    order = np.argsort(values, kind="stable")
    pulled = np.clip(values[order], bins.low, bins.high)
    holders = None if holders is None else holders[order]
    size = max(abs(bins.low), abs(bins.high)) or 1.0  # huge and tiny numbers would overflow when squared
    centre = float((pulled / size).mean())
    spread = float(np.std(pulled / size - centre, ddof=1)) * size if pulled.size > 1 else 0.0
    centre *= size
    digits = 12 if kind in ("integer", "datetime") else 4
    quarters = {
        f"{share:.0%}": short(quantile(pulled, share, least, holders, integer=kind == "integer"), digits)
        for share in (0.25, 0.5, 0.75)
    }
    low, high = float(pulled.min()), float(pulled.max())
    return {
        "mean": short(centre, 12 if kind == "datetime" else 5),
        "std": short(spread, 5),
        "min": ends[0] if low == bins.low else short(low),
        **quarters,
        "max": ends[1] if high == bins.high else short(high),
    }


def _category(
    real: pl.Series,
    released: pl.Series,
    least: int,
    holders: NDArray[np.int64] | None,
    units: pl.Series | None,
    size: int,
    missing: dict[str, int | None],
) -> dict[str, Any]:
    """Counts of the most frequent protected levels; the rest, too small a rest included, is one bar "other"."""
    kept = protected_levels(real, least, units)
    shown = dict(kept.head(size).iter_rows())
    present = real.drop_nulls()
    known = (real.is_not_null()).to_numpy()
    while shown:
        rest = known & ~real.is_in(list(shown)).fill_null(False).to_numpy()
        rows = int(rest.sum())
        people = rows if holders is None else np.unique(holders[rest]).size
        if rows == 0 or people >= least:
            break
        shown.popitem()  # the least frequent level joins a rest that too few people stand behind
    rows = present.len() - sum(shown.values())
    if not shown and (present.len() if holders is None else np.unique(holders[known]).size) < least:
        rows = 0
    counted = _hiding([*shown.values(), rows], int((~known).sum()), missing["real"])
    counts = dict(released.value_counts().iter_rows())
    theirs = [counts.get(level, 0) for level in shown]
    levels = int(kept.height)
    return {
        "bars": {
            "levels": list(shown),
            "real": counted[:-1],
            "released": theirs,
            "other": {"real": counted[-1], "released": released.len() - released.null_count() - sum(theirs)},
            "missing": {"real": missing["real"] or 0, "released": missing["released"]},
        },
        "describe": {
            "real": {"levels": levels, "top": next(iter(shown), None), "top rows": counted[0] if shown else None},
            "released": {
                "levels": int(sum(level in counts for level in kept["level"])),
                "top": max(zip(theirs, shown, strict=True), default=(0, None))[1],
                "top rows": max(theirs, default=None),
            },
        },
    }
