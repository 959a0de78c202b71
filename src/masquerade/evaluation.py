"""`mq.evaluate`: set a release beside the real rows, and beside real rows it never saw, in one report."""

from __future__ import annotations

import dataclasses
import time
import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import polars as pl

from masquerade import inference, seeds, spelling
from masquerade.errors import InputError, MasqueradeWarning, SettingError, TableError, nearest
from masquerade.frames import LEAST_ROWS, check_table, to_polars
from masquerade.judge.adherence import rule_adherence
from masquerade.judge.columns import key_uniqueness, per_column
from masquerade.judge.dependencies import dependency_facts
from masquerade.judge.describe import facts
from masquerade.judge.distances import distances, exact_copies
from masquerade.judge.fidelity import FAIR_ROWS, fidelity
from masquerade.judge.figures import Outcome
from masquerade.judge.report import Report
from masquerade.judge.tables import ROW_LIMIT, sample_rows, tabulate
from masquerade.judge.utility import utility
from masquerade.judge.workers import one_thread
from masquerade.privacy.ledger import Ledger
from masquerade.progress import Callback, Progress
from masquerade.schema import Schema

__all__ = ["evaluate"]

_LATER = {"kind": ("codes", "images"), "attacks": ("quick", "thorough")}


def evaluate(
    real: Any,
    released: Any,
    *,
    holdout: Any = None,
    target: str | None = None,
    sensitive: Sequence[str] = (),
    schema: Schema | None = None,
    unit: str | None = None,
    protect: int = 10,
    kind: str = "rows",
    attacks: str = "none",
    ledger: Ledger | Mapping[str, Any] | None = None,
    dependencies: Any = None,
    seed: int = 0,
    callback: Callback | None = None,
) -> Report:
    """Judge a released table: how like the real one it is, what an analyst loses, how near it lies to real people.

    Without a holdout, what cannot be judged without one is left out, with a warning: ceilings, utility, detection, and
    whether released rows lie nearer to training rows than to unseen ones.

    Args:
        real: the rows the release was made from; a pandas or Polars DataFrame or a PyArrow Table.
        released: the released rows, with the same columns; others are left out, with a warning.
        holdout: real rows that the release never saw, or None.
        target: the column that analysts want to predict; None: utility is not judged.
        sensitive: columns that hold secrets; marked in the report beside those that the schema marks.
        schema: what each column is; None: inferred from `real`. Where it has business rules, `rule_adherence` is judged.
        unit: the column that says whose row it is; None: the schema's.
        protect: how many rows must share an extreme or a level before it has to be covered, or is shown.
        kind: what was released; so far `"rows"`.
        attacks: how hard to attack; so far `"none"`.
        ledger: what was guaranteed, to be shown in the report; None: nothing is known.
        dependencies: which columns the release's columns were drawn from, to be shown in the report: a frame such as
            `Autoregressive.dependencies_`, or None.
        seed: of every sample and model; the same seed gives the same report.
        callback: told after every part how far the judgement is.

    Returns:
        A report: `report.scores["quality"].value`, `report.save("report.html")`, `rich.print(report.summary())`.

    Raises:
        SettingError: a parameter is out of range, or names no column.
        TableError: a table lacks columns or has fewer than 10 rows.
        SchemaError: the schema does not fit `real`.

    >>> real = pl.DataFrame({"age": range(20, 60), "sex": ["f", "m"] * 20})
    >>> report = evaluate(real[:20], real[20:30], holdout=real[30:])
    >>> report.scores["category_adherence"].value
    1.0
    """
    start = time.monotonic()
    _check_settings(kind, attacks, protect)
    seed = seeds.check_seed(seed)
    raw = {"real": to_polars(real)[0], "released": to_polars(released)[0]}
    if holdout is not None:
        raw["holdout"] = to_polars(holdout)[0]
    schema = inference.infer(raw["real"], protect=protect, unit=unit) if schema is None else schema
    if unit is not None and schema.unit != unit:
        schema = dataclasses.replace(schema, unit=unit)
    _check_columns(schema, target, sensitive)
    links = None if dependencies is None else dependency_facts(dependencies, schema)
    typed = {side: _typed(side, table, schema) for side, table in raw.items()}
    kept = typed.get("holdout")
    if kept is None:
        _warn("no holdout was given: ceilings, utility, detection_auc, dcr_share and exact_copies are left out.")
    elif kept.height < min(FAIR_ROWS, typed["released"].height):
        _warn(f"holdout: {kept.height} rows are too few to compare with (expected {FAIR_ROWS}); ceilings are left out.")

    parts = _Parts(callback, start, total=8 if kept is None else 14 + (target is not None))
    outcomes = [_whole(typed, schema), rule_adherence(typed, schema.rules)]
    parts.done("copies")
    sampled = {side: sample_rows(table, ROW_LIMIT, seed, side) for side, table in typed.items()}
    long = [f"{side} ({table.height:,})" for side, table in typed.items() if table.height > ROW_LIMIT]
    if long:
        _warn(f"{', '.join(long)}: long tables are judged on {ROW_LIMIT:,} random rows each.")
    tables = tabulate(schema, sampled["real"], sampled["released"], sampled.get("holdout"))
    parts.done("coding")
    thresholds = {column.name: protect if column.protect is None else column.protect for column in schema}
    with one_thread():
        outcomes.append(fidelity(tables, thresholds, seed, parts.done))
        outcomes.append(distances(tables, seed, max(protect, 10), parts.done))
        if target is not None and kept is not None:
            outcomes.append(utility(tables, target, seed, parts.done))
    drawn = facts(typed["real"], typed["released"], kept, schema, protect=protect, target=target)
    parts.finish()
    columns = per_column({name: found for outcome in outcomes for name, found in outcome.columns.items()}, schema)
    for column in schema:
        columns[column.name] |= _missing(drawn, column.name)
        columns[column.name]["sensitive"] = column.sensitive or column.name in sensitive
    return Report(
        scores={name: score for outcome in outcomes for name, score in outcome.scores.items()},
        columns=columns,
        pairs={name: found for outcome in outcomes for name, found in outcome.pairs.items()},
        ledger=ledger.to_dict() if isinstance(ledger, Ledger) else dict(ledger or {}),
        rows={side: typed[side].height if side in typed else 0 for side in ("real", "released", "holdout")},
        seconds=time.monotonic() - start,
        facts=drawn
        | {name: found for outcome in outcomes for name, found in outcome.facts.items()}
        | ({} if links is None else {"dependencies": links}),
    )


def _missing(drawn: Mapping[str, Any], name: str) -> dict[str, float | None]:
    """The shares of missing values, protected on the real side: None where too few rows lack a value to say how many."""
    counts = drawn["columns"][name]["missing"]
    rows = {side: drawn["rows"][side] for side in ("real", "released")}
    return {f"missing_{side}": None if counts[side] is None else counts[side] / rows[side] for side in rows}


class _Parts:
    """Tells the callback after every part how many are done."""

    def __init__(self, callback: Callback | None, start: float, total: int) -> None:
        self._callback, self._start, self._total, self._done = callback, start, total, 0

    def done(self, part: str) -> None:
        del part  # a bar shows how far, not what
        self._done = min(self._done + 1, self._total)
        self._tell(finished=False)

    def finish(self) -> None:
        self._done = self._total
        self._tell(finished=True)

    def _tell(self, *, finished: bool) -> None:
        if self._callback is not None:
            seconds = time.monotonic() - self._start
            self._callback(Progress("evaluate", self._done, self._total, seconds, finished=finished))


def _whole(typed: Mapping[str, pl.DataFrame], schema: Schema) -> Outcome:
    """What is judged on all rows, however many."""
    compared = [c.name for c in schema if c.kind not in ("text", "id") and c.name != schema.unit]
    keys = [c.name for c in schema if c.kind == "id" and c.name != schema.unit]
    found = [
        key_uniqueness(typed["released"], typed.get("holdout"), keys),
        exact_copies(typed["real"], typed["released"], typed.get("holdout"), compared),
    ]
    return Outcome(scores={score.name: score for score in found if score is not None})


def _check_settings(kind: str, attacks: str, protect: Any) -> None:
    for name, value, now in (("kind", kind, "rows"), ("attacks", attacks, "none")):
        if value in _LATER[name]:
            raise SettingError(f"{name}: {value!r} is not there yet, expected {now!r} in this version.")
        if value != now:
            raise SettingError(f"{name}: got {value!r}, expected {now!r}{nearest(str(value), (now, *_LATER[name]))}.")
    if isinstance(protect, bool) or not isinstance(protect, int) or protect < 0:
        raise SettingError(f"protect: got {protect!r}, expected an integer of at least 0.")


def _check_columns(schema: Schema, target: str | None, sensitive: Sequence[str]) -> None:
    if isinstance(sensitive, str):
        raise SettingError(f"sensitive: got the text {sensitive!r}, expected a list of column names: [{sensitive!r}].")
    wanted: list[tuple[str, str]] = [("sensitive", name) for name in sensitive]
    if target is not None:
        wanted.append(("target", target))
    for setting, name in wanted:
        if name not in schema:
            raise SettingError(f"{setting}: there is no column {name!r}{nearest(name, schema.names)}.")
    if target is not None and (schema[target].kind in ("text", "id") or target == schema.unit):
        raise SettingError(
            f"target: column {target!r} is an id, free text or the unit, expected a number, a category, a boolean or a "
            "moment; name another column, or give its kind in the schema."
        )


def _typed(side: str, raw: pl.DataFrame, schema: Schema) -> pl.DataFrame:
    """One table's typed values; what does not fit in a released or held-out table counts as missing, with a warning."""
    absent = [name for name in schema.names if name not in raw.columns]
    if absent:
        hint = nearest(absent[0], set(raw.columns) - set(schema.names))
        more = f" and {len(absent) - 1} more" if len(absent) > 1 else ""
        raise TableError(f"{side}: there is no column {absent[0]!r}{more}, expected the real table's columns{hint}.")
    if raw.height < LEAST_ROWS:
        raise TableError(f"{side}: {raw.height} rows, expected at least {LEAST_ROWS}.")
    if side != "real":
        extra = [name for name in raw.columns if name not in schema]
        if extra:
            _warn(f"{side}: {_listed(extra)} not in the real table, left out of the judgement.")
            raw = raw.drop(extra)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            check_table(raw)
            typed = spelling.parse(raw, schema, strict=side == "real")
        except InputError as error:
            raise type(error)(f"{side}: {error}") from error
    for warning in caught:
        _warn(f"{side}: {warning.message}")
    return typed


def _listed(names: Iterable[str]) -> str:
    quoted = [repr(name) for name in names]
    shown = ", ".join(quoted[:5]) + (f" and {len(quoted) - 5} more" if len(quoted) > 5 else "")
    return f"column {shown} is" if len(quoted) == 1 else f"columns {shown} are"


def _warn(message: str) -> None:
    warnings.warn(message, MasqueradeWarning, stacklevel=3)
