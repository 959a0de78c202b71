"""The facts a report is drawn from: counts, shares and summaries of both tables as plain data, never a row.

Both sides are protected in the same way. Nothing is shown that fewer than ten units of the real table stand behind
(more, where `protect` asks for more): bins are merged until they hold that many, levels that fewer have are counted
as "other", extremes are the tenth most extreme values, and means and standard deviations are those of values pulled
in to these bounds, so that one huge value cannot be worked out from them.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from masquerade.errors import TableError
from masquerade.judge.association import association_matrix
from masquerade.judge.bins import Bins, protected_bins, quantile
from masquerade.judge.cloud import cloud
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
        "logs": _logs(columns),
        "association": _association(tables, related[:_WIDEST_MATRIX], least),
        "cloud": cloud(real, released, related, least, holders),
    }


def numbers(values: pl.Series, column: Column) -> NDArray[np.float64]:
    """A column as float64, missing as NaN, moments in seconds since 1970, texts and ids by their length."""
    if column.kind == "datetime":
        stamps = values.cast(pl.Datetime("us")).dt.epoch("us").cast(pl.Float64) / 1e6
        return stamps.fill_null(math.nan).to_numpy()
    if column.kind in ("text", "id"):
        return values.cast(pl.String).str.len_chars().cast(pl.Float64).fill_null(math.nan).to_numpy()
    found = values.cast(pl.Float64).fill_null(math.nan).to_numpy()
    return np.where(np.isfinite(found), found, math.nan)


def words(values: pl.Series, column: Column) -> pl.Series:
    """A categorical or boolean column as text, a boolean in its schema's own words; missing stays null."""
    if values.dtype == pl.Boolean:
        false, true = column.levels if column.levels is not None and len(column.levels) == 2 else ("false", "true")
        return values.replace_strict({False: false, True: true}, return_dtype=pl.String)
    return values.cast(pl.String)


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
    gaps = real.is_null()
    lacking = int(gaps.sum())
    lackers = lacking if holders is None else np.unique(holders[gaps.to_numpy()]).size
    shown: dict[str, Any] = {
        "kind": column.kind,
        "folded": folded,
        "missing": {
            "real": lacking if lackers >= least or lacking == 0 else None,
            "released": int(released.null_count()),
        },
    }
    if column.kind in ("categorical", "boolean"):
        size = _LEVELS_FOLDED if folded else _LEVELS
        return shown | _category(
            words(real, column), words(released, column), least, holders, units, size, shown["missing"]
        )
    return shown | _numeric(column, real, released, least, holders, _CELLS_FOLDED if folded else _CELLS)


def _numeric(
    column: Column, real: pl.Series, released: pl.Series, least: int, holders: NDArray[np.int64] | None, cells: int
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
            "edges": [_short(edge, 12) for edge in bins.edges.tolist()],
            "cells": bins.cells.tolist(),
            "scale": bins.scale,
            "real": bins.counts.tolist(),
            "released": bins.count(theirs).tolist(),
            "outside": _short(outside),
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
        shown.append(_short(end, 12) if kind == "datetime" or shared >= least else _short(end))
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
        f"{share:.0%}": _short(quantile(pulled, share, least, holders, integer=kind == "integer"), digits)
        for share in (0.25, 0.5, 0.75)
    }
    low, high = float(pulled.min()), float(pulled.max())
    return {
        "mean": _short(centre, 12 if kind == "datetime" else 5),
        "std": _short(spread, 5),
        "min": ends[0] if low == bins.low else _short(low),
        **quarters,
        "max": ends[1] if high == bins.high else _short(high),
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
    counts = dict(released.value_counts().iter_rows())
    theirs = [counts.get(level, 0) for level in shown]
    levels = int(kept.height)
    return {
        "bars": {
            "levels": list(shown),
            "real": list(shown.values()),
            "released": theirs,
            "other": {"real": rows, "released": released.len() - released.null_count() - sum(theirs)},
            "missing": {"real": missing["real"] or 0, "released": missing["released"]},
        },
        "describe": {
            "real": {"levels": levels, "top": next(iter(shown), None), "top rows": next(iter(shown.values()), None)},
            "released": {
                "levels": int(sum(level in counts for level in kept["level"])),
                "top": max(zip(theirs, shown, strict=True), default=(0, None))[1],
                "top rows": max(theirs, default=None),
            },
        },
    }


def _logs(columns: dict[str, Any]) -> dict[str, Any] | None:
    """log10 of the absolute means and of the standard deviations, one point per numeric column."""
    points: dict[str, Any] = {}
    for name, column in columns.items():
        told = column.get("describe")
        if column["kind"] not in ("integer", "continuous") or not told or not told["released"]:
            continue
        points[name] = {
            part: {side: _log(told[side][part]) for side in ("real", "released")} for part in ("mean", "std")
        }
    return points or None


def _association(tables: dict[str, pl.DataFrame], columns: list[Column], least: int) -> dict[str, Any] | None:
    if len(columns) < 2 or tables["real"].height < 2 * least or tables["released"].height < 2:
        return None
    levels = {
        c.name: protected_levels(words(tables["real"][c.name], c), least)["level"] for c in columns if not c.is_numeric
    }
    matrices = {
        side: association_matrix(
            {
                c.name: numbers(table[c.name], c) if c.is_numeric else _codes(words(table[c.name], c), levels[c.name])
                for c in columns
            },
            {c.name: 0 if c.is_numeric else levels[c.name].len() + 2 for c in columns},
        )
        for side, table in tables.items()
    }
    off = ~np.eye(len(columns), dtype=bool)
    apart = {side: float(np.abs(matrices["real"] - m)[off].mean()) for side, m in matrices.items() if side != "real"}
    return {
        "columns": [c.name for c in columns],
        "real": np.round(matrices["real"], 3).tolist(),
        "released": np.round(matrices["released"], 3).tolist(),
        "difference": np.round(matrices["released"] - matrices["real"], 3).tolist(),
        "mean_difference": {side: _short(value) for side, value in apart.items()},
    }


def _codes(values: pl.Series, levels: pl.Series) -> NDArray[np.int64]:
    """0 missing, 1 other, then the protected levels."""
    known = pl.DataFrame({"level": levels, "code": np.arange(levels.len(), dtype=np.int64) + 2})
    joined = pl.DataFrame({"level": values}).join(known, on="level", how="left", maintain_order="left")
    return joined.select(pl.when(pl.col("level").is_null()).then(0).otherwise(pl.col("code").fill_null(1)))[
        "literal"
    ].to_numpy()


def _short(value: float, digits: int = 4) -> float:
    return float(f"{value:.{digits}g}")


def _log(value: float) -> float | None:
    return _short(math.log10(abs(value)), 5) if value else None
