"""What a fusion leaves open: linkage through what was kept, and how often a drawn cell is the true one all the same."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from masquerade.judge.kept import kept
from masquerade.judge.panels import Panel, Rows
from masquerade.judge.report import Report
from masquerade.judge.scores import Score
from masquerade.metrics.intervals import from_influences
from masquerade.privacy.pii import find
from masquerade.release.fuse import UNPROTECTED, Fusion

__all__ = ["own_values", "quasi_columns", "with_fusion"]


def quasi_columns(fusion: Fusion, typed: pl.DataFrame) -> tuple[str, ...]:
    """The kept columns that somebody may know of a person.

    Those that the schema marks as `quasi` or as holding an identifier; without a mark those in which identifiers are found;
    without any finding all kept columns but ids and free text, for the worst case.

    Args:
        fusion: fitted.
        typed: rows of the table.
    """
    schema = fusion.schema_
    marked = tuple(name for name in fusion.kept_ if schema[name].quasi or schema[name].pii is not None)
    found = marked or tuple(finding.column for finding in find(typed.select(fusion.kept_)))
    plain = tuple(name for name in fusion.kept_ if schema[name].kind not in ("text", "id") and name != schema.unit)
    return found or plain or fusion.kept_


def own_values(
    typed: pl.DataFrame, fused: pl.DataFrame, columns: Sequence[str], unseen: tuple[pl.DataFrame, pl.DataFrame] | None
) -> tuple[Score, Panel]:
    """How often a drawn cell equals the one that stood there, beside rows that no model saw.

    Args:
        typed: the rows that trained, typed.
        fused: the same rows, sensitive columns drawn anew, typed.
        columns: the sensitive columns.
        unseen: (real, fused) rows that were held out of training, typed; None: there are none.

    Returns:
        The score `own_values` (mean over the columns; its ceiling is the same for unseen rows), and a panel with each column
        beside what two random records have in common.

    >>> table = pl.DataFrame({"a": ["x", "y"] * 5})
    >>> own_values(table, table, ["a"], None)[0].value
    1.0
    """
    equal = np.column_stack([_equal(typed, fused, name) for name in columns])
    other = None if unseen is None else np.column_stack([_equal(*unseen, name) for name in columns])
    trained = equal.mean(axis=0)
    rows = []
    for place, name in enumerate(columns):
        counts = typed.get_column(name).value_counts()["count"]
        chance = float(((counts / typed.height) ** 2).sum())
        control = "–" if other is None else f"{other[:, place].mean():.1%}"
        rows.append((name, f"{trained[place]:.1%}", control, f"{chance:.1%}"))
    mean = float(equal.mean())
    score = Score(
        "own_values",
        mean,
        "lower",
        interval=from_influences(mean, equal.mean(axis=1), *([] if other is None else [other.mean(axis=1)])),
        ceiling=None if other is None else float(other.mean()),
        meaning="Share of drawn cells that equal the true one; the ceiling is the same for rows that no model saw, and the "
        "interval knows that both are samples.",
    )
    told = [name for name, own in zip(columns, trained, strict=True) if own > TOLD]
    note = (
        "A drawn cell may be the true one by luck, or because the kept columns tell it. It must not be so more often than "
        "in rows that no model saw: each row is drawn by a model that learned from other rows."
    )
    if told:
        note += f" The kept columns tell {', '.join(told)} almost outright: to hide it, hide them too."
    header = ("drawn column", "equal to the true cell", "the same, unseen rows", "two random records")
    return score, Panel("Drawn cells beside the true ones", note, table=Rows(header, tuple(rows)))


TOLD = 0.95
"""From this share of true cells on, the kept columns tell a secret."""


def _equal(real: pl.DataFrame, fused: pl.DataFrame, name: str) -> NDArray[np.float64]:
    """1 where a cell is the true one, else 0; shape (rows,)."""
    return real.get_column(name).eq_missing(fused.get_column(name)).cast(pl.Float64).to_numpy()


def with_fusion(
    report: Report,
    fusion: Fusion,
    typed: pl.DataFrame,
    fused: pl.DataFrame,
    unseen: tuple[pl.DataFrame, pl.DataFrame] | None = None,
) -> Report:
    """The report with what only a fusion has: `own_values`, `k_anonymity`, `l_diversity`, `t_closeness`, and their panels.

    Args:
        report: as from `masquerade.evaluate`.
        fusion: fitted.
        typed: the rows that trained, typed.
        fused: the same rows as released, typed.
        unseen: (real, fused) rows that were held out of training and released all the same, typed; None: there are none.
    """
    schema = fusion.schema_
    secrets = [name for name in fusion.sensitive_ if schema[name].kind not in ("text", "id") and name != schema.unit]
    score, drawn = own_values(typed, fused, fusion.sensitive_, unseen)
    everybody = fused if unseen is None else pl.concat([fused, unseen[1]])
    found = kept(everybody, quasi_columns(fusion, typed), secrets)
    ids = [name for name in fusion.kept_ if schema[name].kind in ("text", "id") or name == schema.unit]
    note = UNPROTECTED + " What they tell about the drawn columns is still told."
    if ids:
        note += f" Kept as it is: {', '.join(ids)}, which may name a person outright; mask it, or name it as sensitive."
    lists = Rows(("part", "columns"), (("kept", ", ".join(fusion.kept_)), ("drawn anew", ", ".join(fusion.sensitive_))))
    panels = (Panel("What this release does not protect", note, table=lists), found.panel, drawn)
    scores = {**report.scores, score.name: score, **found.scores}
    return dataclasses.replace(report, scores=scores).with_panels(panels)
