"""`mq.evaluate`: set a release beside the real rows, and beside real rows it never saw, in one report."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from masquerade import inference, seeds
from masquerade.errors import SettingError
from masquerade.frames import FrameKind, from_polars, to_polars
from masquerade.judge.adherence import rule_adherence
from masquerade.judge.attribute import attribute_attacks
from masquerade.judge.ceilings import guaranteed_ceilings
from masquerade.judge.codes_report import judge_codes, refuse_for_codes
from masquerade.judge.columns import key_uniqueness, per_column
from masquerade.judge.dependencies import dependency_facts
from masquerade.judge.describe import facts
from masquerade.judge.distances import distances, exact_copies
from masquerade.judge.fidelity import FAIR_ROWS, fidelity
from masquerade.judge.figures import Outcome
from masquerade.judge.inferring import inference as infer_values
from masquerade.judge.intake import check_columns, check_refit, check_settings, secrets_of, typed_side, warn, without
from masquerade.judge.isolation import check_shadows, isolation
from masquerade.judge.linkage import linkability, linkage_top1
from masquerade.judge.membership import membership
from masquerade.judge.parts import Parts
from masquerade.judge.report import Report
from masquerade.judge.singling import singling_out
from masquerade.judge.tables import ROW_LIMIT, Tables, sample_rows, tabulate
from masquerade.judge.utility import utility
from masquerade.judge.workers import one_thread
from masquerade.privacy.ledger import Ledger
from masquerade.privacy.protect import unit_series
from masquerade.progress import Callback, Progress
from masquerade.schema import Schema

__all__ = ["evaluate"]


def evaluate(
    real: Any,
    released: Any,
    *,
    holdout: Any = None,
    target: str | None = None,
    sensitive: Sequence[str] = (),
    keep: Sequence[str] = (),
    aligned: bool | None = None,
    schema: Schema | None = None,
    unit: str | None = None,
    protect: int = 10,
    kind: str = "rows",
    attacks: str = "quick",
    refit: Callable[[Any], Any] | None = None,
    shadows: int = 16,
    ledger: Ledger | Mapping[str, Any] | None = None,
    dependencies: Any = None,
    size: tuple[int, int] | None = None,
    skip_bad: bool = False,
    show_neighbours: bool = False,
    seed: int = 0,
    callback: Callback | None = None,
) -> Report:
    """Judge a release: how like the real table or pictures it is, what an analyst loses, how near it lies to real people.

    Without a holdout, what cannot be judged without one is left out, with a warning: ceilings, utility, detection, and
    whether released rows lie nearer to training rows than to unseen ones.

    Args:
        real: the rows the release was made from; a pandas or Polars DataFrame or a PyArrow Table. With `kind="images"` all
            three are `Pictures`, an array uint8 (n, height, width[, 3]), a pair (images, labels), or the path of a set.
        released: the released rows, with the same columns; others are left out, with a warning. Columns that the ledger says
            were dropped, and sensitive ones, may be missing: the rest is judged. With `kind="codes"`: numeric code columns,
            row i for row i of `real`, beside columns that were kept.
        holdout: real rows that the release never saw, or None.
        target: the column that analysts want to predict; None: utility is not judged.
        sensitive: columns that hold secrets, beside those that the schema marks: fresh attackers try to guess them.
        keep: columns that were kept on purpose: the attackers are judged with and without them.
        aligned: whether released row i was made from real row i; None: what the ledger says, and without one, no.
        schema: what each column is; None: inferred from `real`. Where it has business rules, `rule_adherence` is judged.
        unit: the column that says whose row it is; None: the schema's.
        protect: how many rows must share an extreme or a level before it has to be covered, or is shown.
        kind: what was released: `"rows"`, `"codes"` of an encoder, or `"images"`.
        attacks: how hard to attack beyond secrets and links: `"quick"`, with a holdout, asks who was in the table (where rows
            are fresh, not kept; from 200 holdout rows on), singles people out and infers their values (from 100 on); `"none"`
            does not. Codes are attacked in any case. `"thorough"` does all that, and asks whether the 20 most isolated people
            were in the table by refitting the generator with and without them.
        refit: for `"thorough"`: takes rows as `real` has them and returns as many as were released, by a generator fitted
            afresh to these rows alone, such as `lambda rows: mq.CTGAN().fit(rows).sample(len(rows))`.
        shadows: for `"thorough"`: how many times it is refitted, even, at least 8. More make the figures surer.
        ledger: what was guaranteed, to be shown in the report; None: nothing is known.
        dependencies: which columns the release's columns were drawn from, to be shown in the report: a frame such as
            `Autoregressive.dependencies_`, or None.
        size: for pictures: height and width to which all are brought; None: they must be alike.
        skip_bad: for pictures: whether damaged ones of files are left out, with a warning that counts and names them.
        show_neighbours: for pictures: whether the report's page shows the **real** pictures that released ones come nearest to.
        seed: of every sample and model; the same seed gives the same report.
        callback: told after every part how far the judgement is.

    Returns:
        A report: `report.scores["quality"].value`, `report.save("report.html")`, `rich.print(report.summary())`.

    Raises:
        SettingError: a parameter is out of range, or names no column.
        TableError: a table lacks columns or has fewer than 10 rows; pictures of different sizes, or labels that do not match.
        SchemaError: the schema does not fit `real`.

    >>> real = pl.DataFrame({"age": range(20, 60), "sex": ["f", "m"] * 20})
    >>> report = evaluate(real[:20], real[20:30], holdout=real[30:])
    >>> report.scores["category_adherence"].value
    1.0
    """
    start = time.monotonic()
    check_settings(kind, attacks, protect)
    check_refit(kind, attacks, refit)
    check_shadows(shadows)
    seed = seeds.check_seed(seed)
    if kind == "images":
        from masquerade.judge.picture_report import (
            judge_pictures,
            refuse_for_pictures,
        )  # loads JAX, which tables do not need

        for_tables = {"target": target, "sensitive": sensitive, "keep": keep, "schema": schema, "unit": unit}
        refuse_for_pictures(for_tables | {"dependencies": dependencies})
        return judge_pictures(
            real,
            released,
            holdout,
            size=size,
            skip_bad=skip_bad,
            aligned=aligned,
            protect=protect,
            attacks=attacks,
            show_neighbours=show_neighbours,
            ledger=ledger.to_dict() if isinstance(ledger, Ledger) else dict(ledger or {}),
            seed=seed,
            callback=callback,
        )
    asked = {"size": size is not None, "skip_bad": skip_bad, "show_neighbours": show_neighbours}
    for name in (name for name, given in asked.items() if given):
        raise SettingError(f"{name}: it is for pictures, expected kind='images'; leave it out.")
    real_rows, frame_kind = to_polars(real)
    raw = {"real": real_rows, "released": to_polars(released)[0]}
    if holdout is not None:
        raw["holdout"] = to_polars(holdout)[0]
    schema = inference.infer(raw["real"], protect=protect, unit=unit) if schema is None else schema
    if unit is not None and schema.unit != unit:
        schema = dataclasses.replace(schema, unit=unit)
    check_columns(schema, target, sensitive, keep)
    known = ledger if isinstance(ledger, Ledger) else Ledger.from_dict(ledger or {})
    ledger = ledger.to_dict() if isinstance(ledger, Ledger) else dict(ledger or {})
    secrets = secrets_of(schema, sensitive, keep)
    if kind == "codes":
        refuse_for_codes(holdout=holdout, dependencies=dependencies, keep=keep, aligned=aligned)
        records = typed_side("real", raw["real"], schema)
        return judge_codes(records, raw["released"], schema, target, secrets, ledger, seed, callback)
    links = None if dependencies is None else dependency_facts(dependencies, schema)
    left = without(schema, _dropped(raw["released"], schema, {*known.dropped, *sensitive}, keep))
    typed = {side: typed_side(side, table, left if side == "released" else schema) for side, table in raw.items()}
    kept = typed.get("holdout")
    aligned = _aligned(aligned, known, typed)
    if aligned and refit is not None:
        raise SettingError(
            "attacks: 'thorough' asks who was in the table, and of records that were kept everybody knows; expected 'quick'."
        )
    if kept is None:
        warn("no holdout was given: ceilings, utility, detection_auc, dcr_share and exact_copies are left out.")
    elif kept.height < min(FAIR_ROWS, typed["released"].height):
        warn(f"holdout: {kept.height} rows are too few to compare with (expected {FAIR_ROWS}); ceilings are left out.")
    predicted = target if target in left else None
    if target is not None and predicted is None:
        warn(f"target: column {target!r} is not in the release; utility is left out.")

    quick = attacks != "none" and kept is not None
    units = unit_series(typed["real"], schema.unit)
    attacked = len(secrets) + (kept is not None) + aligned + (3 - aligned) * quick
    parts = Parts(callback, start, total=attacked + (8 if kept is None else 14 + (predicted is not None)))
    rest = {side: table.select(left.names) for side, table in typed.items()}
    outcomes = [_whole(rest, left), rule_adherence(rest, left.rules)]
    parts.done("copies")
    sampled = {
        side: sample_rows(table, ROW_LIMIT, seed, "real" if aligned and side == "released" else side)
        for side, table in typed.items()
    }
    long = [f"{side} ({table.height:,})" for side, table in typed.items() if table.height > ROW_LIMIT]
    if long:
        warn(f"{', '.join(long)}: long tables are judged on {ROW_LIMIT:,} random rows each.")
    tables = _tabulated(sampled, left)
    parts.done("coding")
    thresholds = {column.name: protect if column.protect is None else column.protect for column in left}
    with one_thread():
        outcomes.append(fidelity(tables, thresholds, seed, parts.done))
        outcomes.append(distances(tables, seed, max(protect, 10), parts.done))
        if predicted is not None and kept is not None:
            outcomes.append(utility(tables, predicted, seed, parts.done))
        if kept is not None:
            outcomes.append(linkability(tables, seed, aligned=aligned))
            parts.done("linkability")
        if quick:
            if not aligned:  # of kept records everybody knows whose they are
                outcomes.append(membership(tables, seed, guaranteed_ceilings(known)))
                parts.done("membership")
            for attack in (singling_out, infer_values):
                outcomes.append(attack(tables, seed))
                parts.done("singling out and inference")
        if aligned:
            outcomes.append(linkage_top1(tables, seed))
            parts.done("linkage")
        if secrets:
            whole = tables if left is schema else _tabulated(sampled | {"released": sampled["real"]}, schema)
            outcomes.append(
                attribute_attacks(whole, tables, secrets, keep, aligned=aligned, seed=seed, tick=parts.done)
            )
        if refit is not None:
            again = _Refit(raw["real"], frame_kind, refit, left)
            outcomes.append(
                isolation(
                    rest["real"],
                    rest["released"],
                    left,
                    again,
                    shadows=shadows,
                    seed=seed,
                    units=units,
                    ceilings=guaranteed_ceilings(known),
                    tick=_shadow_bar(callback, shadows),
                )
            )
    drawn = facts(
        rest["real"], rest["released"], rest.get("holdout"), left, protect=protect, units=units, target=predicted
    )
    parts.finish()
    columns = per_column({name: found for outcome in outcomes for name, found in outcome.columns.items()}, schema)
    for column in schema:
        columns[column.name] |= _missing(drawn, column.name) if column.name in left else {"dropped": True}
        columns[column.name]["sensitive"] = column.sensitive or column.name in sensitive
    return Report(
        scores={name: score for outcome in outcomes for name, score in outcome.scores.items()},
        columns=columns,
        pairs={name: found for outcome in outcomes for name, found in outcome.pairs.items()},
        attacks={name: found for outcome in outcomes for name, found in outcome.attacks.items()},
        ledger=ledger,
        rows={side: typed[side].height if side in typed else 0 for side in ("real", "released", "holdout")},
        seconds=time.monotonic() - start,
        facts=drawn
        | {"unit": schema.unit}
        | {name: found for outcome in outcomes for name, found in outcome.facts.items()}
        | ({} if links is None else {"dependencies": links}),
    )


@dataclasses.dataclass(frozen=True)
class _Refit:
    """Some of the real rows → typed rows that a generator released which was fitted to these alone."""

    real: pl.DataFrame
    kind: FrameKind
    refit: Callable[[Any], Any]
    schema: Schema

    def __call__(self, index: NDArray[np.intp]) -> pl.DataFrame:
        released = to_polars(self.refit(from_polars(self.real[index], self.kind)))[0]
        return typed_side("refit", released, self.schema).select(self.schema.names)


def _shadow_bar(callback: Callback | None, total: int) -> Callable[[int], None]:
    """Tells the callback how many refits are done, in a stage of their own: they are the long part."""
    began = time.monotonic()

    def tell(done: int) -> None:
        if callback is not None:
            callback(Progress("shadows", done, total, time.monotonic() - began, finished=done == total))

    tell(0)
    return tell


def _dropped(released: pl.DataFrame, schema: Schema, may: Collection[str], keep: Sequence[str]) -> set[str]:
    """The columns that were left out of the release with good reason."""
    absent = {name for name in schema.names if name not in released.columns}
    gone = [name for name in keep if name in absent]
    if gone:
        raise SettingError(f"keep: column {gone[0]!r} is not in the release, expected one that was kept.")
    return {name for name in absent if name in may} if absent != set(schema.names) else set()


def _aligned(aligned: bool | None, ledger: Ledger, typed: Mapping[str, pl.DataFrame]) -> bool:
    """Whether released row i was made from real row i; asked for, or told by the ledger, there must be as many of each."""
    said = ledger.aligned if aligned is None else aligned
    counts = {side: typed[side].height for side in ("real", "released")}
    if said and counts["real"] != counts["released"]:
        words = f"{counts['released']:,} released and {counts['real']:,} real rows"
        if aligned:
            raise SettingError(f"aligned: got {words}, expected as many, in the same order.")
        warn(f"the ledger says that records were kept, but there are {words}: judged as if they were not.")
        return False
    return said


def _tabulated(sampled: Mapping[str, pl.DataFrame], schema: Schema) -> Tables:
    real, released = (sampled[side].select(schema.names) for side in ("real", "released"))
    return tabulate(schema, real, released, sampled["holdout"].select(schema.names) if "holdout" in sampled else None)


def _missing(drawn: Mapping[str, Any], name: str) -> dict[str, float | None]:
    """The shares of missing values, protected on the real side: None where too few rows lack a value to say how many."""
    counts = drawn["columns"][name]["missing"]
    rows = {side: drawn["rows"][side] for side in ("real", "released")}
    return {f"missing_{side}": None if counts[side] is None else counts[side] / rows[side] for side in rows}


def _whole(typed: Mapping[str, pl.DataFrame], schema: Schema) -> Outcome:
    """What is judged on all rows, however many."""
    compared = [c.name for c in schema if c.kind not in ("text", "id") and c.name != schema.unit]
    keys = [c.name for c in schema if c.kind == "id" and c.name != schema.unit]
    found = [
        key_uniqueness(typed["released"], typed.get("holdout"), keys),
        exact_copies(typed["real"], typed["released"], typed.get("holdout"), compared),
    ]
    return Outcome(scores={score.name: score for score in found if score is not None})
