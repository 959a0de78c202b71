"""The facts behind the pictures of relations: associations of columns, and log means and deviations.

Levels that fewer than `least` rows of the real table have count as one, on both sides. This sets these matrices apart
from the score `correlation_distance`, which looks at every level but is one number only.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from masquerade.judge.association import association_matrix
from masquerade.judge.series import numbers, short, words
from masquerade.privacy.protect import protected_levels
from masquerade.schema import Column

__all__ = ["associations", "logs"]


def logs(columns: dict[str, Any]) -> dict[str, Any] | None:
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


def associations(tables: dict[str, pl.DataFrame], columns: list[Column], least: int) -> dict[str, Any] | None:
    """The association matrices of both tables, and how far they are apart.

    Args:
        tables: `real`, `released` and perhaps `holdout`, typed.
        columns: which columns, in the order of the picture.
        least: how many rows must have a level for it to count by itself.

    Returns:
        `columns`, `real`, `released`, `difference` (rows of each matrix), `mean_difference` by side; None where there is
        too little to compare.
    """
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
        "mean_difference": {side: short(value) for side, value in apart.items()},
    }


def _codes(values: pl.Series, levels: pl.Series) -> NDArray[np.int64]:
    """0 missing, 1 other, then the protected levels."""
    known = pl.DataFrame({"level": levels, "code": np.arange(levels.len(), dtype=np.int64) + 2})
    joined = pl.DataFrame({"level": values}).join(known, on="level", how="left", maintain_order="left")
    return joined.select(pl.when(pl.col("level").is_null()).then(0).otherwise(pl.col("code").fill_null(1)))[
        "literal"
    ].to_numpy()


def _log(value: float) -> float | None:
    return short(math.log10(abs(value)), 5) if value else None
