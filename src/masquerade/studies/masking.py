"""What a masked table is worth and what its masked cells give away.

The question of a drawn cell: is it the true one more often than where the model never saw the row? `equality` answers it
with the masker's own fills, with fills by the model that did see the row, and, where there are rows kept apart, with fills by
a model of those alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from masquerade import frames, seeds, spelling
from masquerade.evaluation import evaluate
from masquerade.judge.panels import Bars, Panel, Rows
from masquerade.judge.report import Report
from masquerade.metrics.intervals import from_clusters
from masquerade.progress import Callback
from masquerade.release.filling import Filler, Hidden
from masquerade.release.mask import Masker
from masquerade.schema import Schema

__all__ = ["Equality", "equality", "judge", "panels"]


@dataclass(frozen=True)
class Equality:
    """How often masked cells came out as they were.

    Args:
        ours: the share of the masker's own fills that equal the original.
        interval: of it, 95 %.
        unseen: the same share of fills by a model of the holdout only, which saw none of the rows; None without a holdout.
        difference: ours less unseen, over the same cells; None without a holdout.
        difference_interval: of it, 95 %.
        seen: the same share of fills by the model that learned from the row; what cross-fitting avoids.
        columns: by column, ours and unseen (None without a holdout).
        cells: how many cells were masked.
    """

    ours: float
    interval: tuple[float, float]
    unseen: float | None
    difference: float | None
    difference_interval: tuple[float, float] | None
    seen: float
    columns: Mapping[str, tuple[float, float | None]]
    cells: int


def equality(
    masker: Masker, table: Any, *, holdout: Any = None, mask: Any = None, draws: int = 3, seed: int = 0
) -> Equality:
    """How often the masker's generated cells equal the original, beside a model that never saw the rows.

    Args:
        masker: fitted, with columns that are generated.
        table: the rows it was fitted on.
        holdout: real rows that it was not fitted on; a model like the masker's own is fitted to them alone. None: none is.
        mask: which cells, as for `Masker.transform`; None: as the masker's rules say.
        draws: how often each way of filling is drawn.
        seed: of every draw and of the holdout's model.

    >>> random = np.random.default_rng(0)
    >>> table = pl.DataFrame({"x": random.integers(0, 4, 200), "y": random.choice(["a", "b"], 200)})
    >>> masker = Masker(rate=0.3, random_state=0).fit(table)
    >>> 0 < equality(masker, table).ours < 1
    True
    """
    typed, hidden = _typed_and_hidden(masker, table, mask, seed)
    fit = masker.cross_fit_
    ways: dict[str, list[NDArray[np.float64]]] = {}
    other: Filler | None = None
    if holdout is not None:
        raw, _ = frames.to_polars(holdout)
        other = masker.learned_from(_typed(masker, raw), seeds.integer(seed, "holdout"))
    for turn in range(draws):
        own = seeds.integer(seed, "draw", turn)
        ways.setdefault("ours", []).append(_same(typed, fit.fill(typed, hidden, own), hidden))
        ways.setdefault("seen", []).append(_same(typed, fit.fill(typed, hidden, own, seen=True), hidden))
        if other is not None:
            ways.setdefault("unseen", []).append(_same(typed, other.fill(typed, hidden, own), hidden))
    means = {name: np.mean(found, axis=0) for name, found in ways.items()}
    rows = np.concatenate([np.flatnonzero(flags) for flags in hidden.values()])
    ours = means["ours"]
    sizes = np.cumsum([int(flags.sum()) for flags in hidden.values()])[:-1]
    by_column = {name: np.split(found, sizes) for name, found in means.items()}
    columns = {
        column: (
            float(by_column["ours"][i].mean()),
            None if other is None else float(by_column["unseen"][i].mean()),
        )
        for i, column in enumerate(hidden)
    }
    difference = None if other is None else ours - means["unseen"]
    return Equality(
        ours=float(ours.mean()),
        interval=from_clusters(ours, rows),
        unseen=None if other is None else float(means["unseen"].mean()),
        difference=None if difference is None else float(difference.mean()),
        difference_interval=None if difference is None else from_clusters(difference, rows, -1.0),
        seen=float(means["seen"].mean()),
        columns=columns,
        cells=ours.size,
    )


def _typed(masker: Masker, raw: pl.DataFrame) -> pl.DataFrame:
    names = masker.modelled_
    return spelling.parse(raw.select(names), Schema(tuple(masker.schema_[name] for name in names)), strict=False)


def _typed_and_hidden(masker: Masker, table: Any, mask: Any, seed: int) -> tuple[pl.DataFrame, Hidden]:
    """The modelled columns, and which of their cells are generated; rows without any are left out."""
    raw, _ = frames.to_polars(table)
    flags = masker.flags(raw, seed, mask)
    generated = {name: found for name, found in flags.items() if masker.rules_[name].way is None and found.any()}
    return _typed(masker, raw), generated


def _same(typed: pl.DataFrame, filled: pl.DataFrame, hidden: Hidden) -> NDArray[np.float64]:
    """1 where a hidden cell came out as it was, column after column; two missing ones are alike."""
    return np.concatenate(
        [
            typed.get_column(name).eq_missing(filled.get_column(name)).to_numpy()[flags].astype(np.float64)
            for name, flags in hidden.items()
        ]
    )


def judge(
    masker: Masker,
    table: Any,
    masked: Any,
    *,
    holdout: Any = None,
    target: str | None = None,
    sensitive: Sequence[str] = (),
    seed: int = 0,
    callback: Callback | None = None,
) -> Report:
    """The report on a masked table: `mq.evaluate` on the columns that are still what they were, and the panels of `panels`.

    Args:
        masker: fitted on the table.
        table: the real rows.
        masked: the same rows, masked.
        holdout: real rows that are not among them; None: what needs such rows is left out.
        target: the column that analysts predict; None: utility is not judged.
        sensitive: columns that hold secrets.
        seed: of every sample and model.
        callback: told how far the judgement is.
    """
    raw, _ = frames.to_polars(table)
    released, _ = frames.to_polars(masked)
    coarse = [name for name in raw.columns if released[name].dtype != raw[name].dtype or _is_coarse(masker, name)]
    kept = [name for name in raw.columns if name not in coarse]
    schema = masker.schema_
    part = Schema(tuple(schema[name] for name in kept), schema.unit if schema.unit in kept else None, schema.declared)
    held = None if holdout is None else frames.to_polars(holdout)[0].select(kept)
    report = evaluate(
        raw.select(kept),
        released.select(kept),
        holdout=held,
        target=target if target in kept else None,
        sensitive=[name for name in sensitive if name in kept],
        schema=part,
        protect=masker.protect,
        ledger=masker.ledger_,
        seed=seed,
        callback=callback,
    )
    return report.with_panels(panels(masker, table, masked, holdout=holdout, left_out=coarse, seed=seed))


def _is_coarse(masker: Masker, name: str) -> bool:
    """Whether the column's cells may be of another kind than they were."""
    rule = masker.rules_.get(name)
    numeric = masker.schema_[name].is_numeric
    return rule is not None and numeric and rule.how in ("generalize", "redact", "replace", "suppress")


def panels(
    masker: Masker, table: Any, masked: Any, *, holdout: Any = None, left_out: Sequence[str] = (), seed: int = 0
) -> list[Panel]:
    """What was done to each column and how much of it changed; and how often drawn cells equal the original.

    Args:
        masker: fitted on the table.
        table: the real rows.
        masked: the same rows, masked.
        holdout: real rows that are not among them, or None.
        left_out: columns that the report does not compare cell by cell.
        seed: of every draw.
    """
    raw, released = (frames.to_polars(frame)[0] for frame in (table, masked))
    rows = []
    for name, rule in masker.rules_.items():
        before, after = (frame[name].cast(pl.String) for frame in (raw, released))
        same = float(before.eq_missing(after).mean())  # type: ignore[arg-type]
        noted = "not compared: another kind than before" if name in left_out else ""
        rows.append((name, rule.how, f"{rule.rate:.0%}", f"{1 - same:.1%}", str(rule.facts()["reversible"]), noted))
    found = [
        Panel(
            "How each column was masked",
            "Changed: the share of all cells of the column that are not as they were. Columns that are not listed are as "
            "they were.",
            table=Rows(("column", "how", "cells masked", "changed", "reversible", "note"), tuple(rows)),
        )
    ]
    if not any(rule.way is None for rule in masker.rules_.values()):
        return found
    measured = equality(masker, table, holdout=holdout, seed=seed)
    names = ["this release", "the model saw the row"]
    values = [measured.ours, measured.seen]
    errors = [(measured.interval[1] - measured.interval[0]) / 2] * 2
    note = (
        f"Of {measured.cells:,} masked cells {measured.ours:.2%} came out as they were. That happens by chance, as likely "
        "values are drawn often; what matters is whether it happens more often than with a model that never saw the row. "
    )
    if measured.difference is not None and measured.difference_interval is not None and measured.unseen is not None:
        low, high = measured.difference_interval
        note += (
            f"A model of the holdout alone reaches {measured.unseen:.2%}: a difference of {measured.difference:+.4f} "
            f"(95 % interval {low:+.4f} to {high:+.4f})."
        )
        names.insert(1, "a model of the holdout alone")
        values.insert(1, measured.unseen)
        errors.append(errors[0])
    else:
        note += "No holdout was given, so the only comparison is with the model that did see the row."
    chart = Bars("drawn cells equal to the original", tuple(names), tuple(values), errors=tuple(errors))
    header = ("column", "this release", "a model of the holdout alone")
    table_rows = tuple(
        (name, f"{ours:.2%}", "" if unseen is None else f"{unseen:.2%}")
        for name, (ours, unseen) in measured.columns.items()
    )
    return [*found, Panel("Do drawn cells give the truth away?", note, chart=chart, table=Rows(header, table_rows))]
