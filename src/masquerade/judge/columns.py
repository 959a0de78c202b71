"""Columns one at a time: shapes, missing values, ranges and levels."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from masquerade.judge.figures import Figure, mean_figure
from masquerade.judge.scores import Score
from masquerade.judge.tables import Side, Tables
from masquerade.metrics import shapes
from masquerade.metrics.intervals import wilson
from masquerade.privacy.protect import protected_bounds
from masquerade.schema import Schema

__all__ = ["column_figures", "key_uniqueness", "per_column"]


def column_figures(
    tables: Tables, real: Side, other: Side, protect: Mapping[str, int]
) -> tuple[dict[str, Figure], dict[str, dict[str, Any]]]:
    """Every score about single columns of `other` beside `real`, and the details per column.

    Args:
        tables: names and sizes.
        real: the training rows.
        other: the rows that are judged.
        protect: per column, how many rows must share an extreme or have a level before it has to be covered.

    Returns:
        (figures by score name, details by column name).
    """
    shape: list[Figure] = []
    missing: list[Figure] = []
    ranges: list[float] = []
    levels: list[float] = []
    inside: list[Figure] = []
    known: list[Figure] = []
    details: dict[str, dict[str, Any]] = {}
    for j, name in enumerate(tables.numeric):
        a, b = real.numbers[:, j], other.numbers[:, j]
        influences = np.zeros(len(a)), np.zeros(len(b))
        shape.append(Figure(shapes.ks_complement(a, b, influences), influences))
        gone, other_gone = np.isnan(a), np.isnan(b)
        missing.append(_missing(gone, other_gone))
        values = a[~gone]
        bounds = protected_bounds(values, protect[name])
        ranges.append(shapes.range_coverage(b, *bounds) if len(values) else math.nan)
        if len(values):
            low, high = float(values.min()), float(values.max())
            inside.append(
                _share((b >= low) & (b <= high), ~other_gone, shapes.boundary_adherence(b, low, high), len(a))
            )
        details[name] = _detail(shape[-1].value, "KSComplement", range_coverage=ranges[-1])
    for j, name in enumerate(tables.discrete):
        p, q, size = real.codes[:, j], other.codes[:, j], tables.sizes[j]
        influences = np.zeros(len(p)), np.zeros(len(q))
        shape.append(Figure(shapes.tv_complement(p, q, size, influences), influences))
        missing.append(_missing(p == 0, q == 0))
        levels.append(shapes.category_coverage(p, q, size, protect[name]))
        real_level = np.bincount(p, minlength=size) > 0
        known.append(_share(real_level[q], q > 0, shapes.category_adherence(p, q, size), len(p)))
        details[name] = _detail(shape[-1].value, "TVComplement", category_coverage=levels[-1])
    figures = {
        "column_shapes": mean_figure(shape),
        "missing_value_similarity": mean_figure(missing),
        "range_coverage": mean_figure([Figure(x) for x in ranges]),
        "category_coverage": mean_figure([Figure(x) for x in levels]),
        "boundary_adherence": mean_figure(inside),
        "category_adherence": mean_figure(known),
    }
    return {name: figure for name, figure in figures.items() if math.isfinite(figure.value)}, details


def per_column(details: Mapping[str, Mapping[str, Any]], schema: Schema) -> dict[str, dict[str, Any]]:
    """The details of every column in the schema's order, its kind first; ids and free text have no score."""
    none = {"score": None, "metric": None}
    return {column.name: {"kind": column.kind} | dict(details.get(column.name, none)) for column in schema}


def key_uniqueness(released: pl.DataFrame, holdout: pl.DataFrame | None, keys: list[str]) -> Score | None:
    """The share of released ids that are distinct, over all id columns; None where there is none."""

    def distinct(table: pl.DataFrame) -> tuple[int, int]:
        values = [table.get_column(name).drop_nulls() for name in keys]
        return sum(v.n_unique() for v in values), sum(v.len() for v in values)

    found, total = distinct(released)
    if not total:
        return None
    real, real_total = (0, 0) if holdout is None else distinct(holdout)
    return Score(
        "key_uniqueness",
        found / total,
        "higher",
        interval=wilson(found, total),
        ceiling=real / real_total if real_total else None,
        meaning="The share of released ids that are distinct.",
    )


def _detail(score: float, metric: str, **more: float) -> dict[str, Any]:
    return {
        "score": score,
        "metric": metric,
        **more,
    }


def _missing(real: NDArray[np.bool_], other: NDArray[np.bool_]) -> Figure:
    difference = float(other.mean() - real.mean())
    sign = np.sign(difference)
    value = shapes.missing_value_similarity(float(real.mean()), float(other.mean()))
    return Figure(value, (sign * real, -sign * other))


def _share(hits: NDArray[np.bool_], have: NDArray[np.bool_], value: float, real_rows: int) -> Figure:
    """A share among the values that are there; the real side, which only sets the bounds, is taken as given."""
    if not have.any():
        return Figure(math.nan)
    pull = np.where(have, hits - value, 0.0) * (len(have) / have.sum())
    return Figure(value, (np.zeros(real_rows), pull))
