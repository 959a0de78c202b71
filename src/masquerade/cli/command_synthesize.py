"""`masquerade synthesize`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from masquerade.cli.boundary import session, tell
from masquerade.cli.options import (
    Data,
    Debug,
    Given,
    Output,
    Protect,
    Quiet,
    Reports,
    SchemaFile,
    Seed,
    Sensitive,
    Target,
    Unit,
    examples,
)

if TYPE_CHECKING:
    import polars as pl

    from masquerade.progress import Callback
    from masquerade.schema import Schema

EXAMPLES = examples(
    "masquerade synthesize bank.csv -o synthetic.csv",
    "masquerade synthesize bank.csv -o out.parquet --rows 1000000 --save bank.mq",
    "masquerade synthesize bank.csv -o out.csv --report report.html --target y",
    "masquerade synthesize bank.csv -o yes.csv --given y=yes --rows 500",
    "masquerade synthesize bank.csv -o level.csv --balance y --flag synthetic",
)
HOLDOUT_SHARE = 0.1


@dataclass(frozen=True)
class Job:
    """What one `synthesize` has to do, checked.

    Args:
        train: the rows that train, as they are spelled.
        holdout: the rows kept for the report; None without one.
        schema: what each column is.
        rows: how many to make; None with `balance`.
        given: the condition that all rows meet.
    """

    train: pl.DataFrame
    holdout: pl.DataFrame | None
    schema: Schema
    rows: int | None
    given: dict[str, Any] | None


def synthesize(
    data: Data,
    output: Output,
    model: Annotated[str, typer.Option("--model", help="Which synthesizer: ctgan.")] = "ctgan",
    rows: Annotated[int | None, typer.Option("--rows", min=0, metavar="N", help="Default: as many as trained.")] = None,
    given: Given = None,
    balance: Annotated[
        str | None, typer.Option("--balance", metavar="COL", help="Write the real rows plus new ones, classes level.")
    ] = None,
    flag: Annotated[
        str | None, typer.Option("--flag", metavar="NAME", help="With --balance: a column that marks new rows.")
    ] = None,
    epochs: Annotated[int | None, typer.Option("--epochs", min=1, metavar="N", help="Default: the model's.")] = None,
    max_minutes: Annotated[
        float | None, typer.Option("--max-minutes", min=0, metavar="M", help="Train at most this long.")
    ] = None,
    protect: Protect = 10,
    epsilon: Annotated[float | None, typer.Option("--epsilon", metavar="E", help="Not available yet.")] = None,
    delta: Annotated[float | None, typer.Option("--delta", metavar="D", help="Not available yet.")] = None,
    save: Annotated[Path | None, typer.Option("--save", metavar="MODEL.mq", help="Keep the model.")] = None,
    report: Reports = None,
    target: Target = None,
    sensitive: Sensitive = None,
    holdout_share: Annotated[
        float | None, typer.Option("--holdout-share", metavar="S", help="Kept for the report; default 0.1.")
    ] = None,
    seed: Seed = None,
    quiet: Quiet = False,
    schema: SchemaFile = None,
    unit: Unit = None,
    debug: Debug = False,
) -> None:
    """Make new rows that follow a table's patterns without being any of its rows.

    Beside OUT a ledger, OUT.ledger.json, says what is guaranteed. With --report
    a tenth of the rows (of the units, with --unit) is kept out of training, so
    that the report can judge against people the model never saw.
    """
    from masquerade.cli import checks
    from masquerade.cli.release import all_or_nothing, write_ledger, write_rows
    from masquerade.privacy.ledger import ledger_path
    from masquerade.seeds import check_seed

    if epsilon is not None or delta is not None:
        option, value = ("--epsilon", epsilon) if epsilon is not None else ("--delta", delta)
        raise checks.not_yet(option, value, "no model here gives a differential privacy guarantee")
    reports = report or []
    _check_combinations(rows, given, balance, flag, reports, target, sensitive, holdout_share)
    ledger_file = ledger_path(output)
    checks.check_outputs(
        [
            ("--output", output, checks.TABLES),
            ("--output", ledger_file, checks.REPORTS),
            ("--save", save, checks.MODELS),
            *(("--report", path, checks.REPORTS) for path in reports),
        ],
        [data, schema],
    )
    share = None if not reports else HOLDOUT_SHARE if holdout_share is None else holdout_share
    seed = check_seed(seed)
    job = _prepare(data, schema, unit, protect, share, seed, rows, given, balance)
    for option, name in [
        ("--balance", balance),
        ("--target", target),
        *(("--sensitive", name) for name in sensitive or []),
    ]:
        checks.check_column(option, name, job.schema.names)

    from masquerade.progress import ConsoleProgress

    with ConsoleProgress() as bar:
        callback = None if quiet else bar
        fitted = _train(model, job, epochs, max_minutes, protect, seed, save, callback)
        with all_or_nothing([output, ledger_file, *reports]):
            kept: list[pl.DataFrame] = []
            frames = _frames(fitted, job, balance, flag, seed)
            total = job.rows if job.rows is not None else 0
            write_rows(output, _remember(frames, kept) if reports else frames, total, callback)
            ledger = _ledger(fitted.ledger_, balance)
            write_ledger(output, ledger)
            if reports:
                _report(job, kept, flag, reports, target, sensitive, protect, ledger, seed, callback)
    tell(f"Wrote {output} and {ledger_file.name}")
    for path in [save, *reports]:
        if path is not None:
            tell(f"Wrote {path}")
    tell(ledger.sentence())


def _check_combinations(
    rows: int | None,
    given: list[str] | None,
    balance: str | None,
    flag: str | None,
    reports: list[Path],
    target: str | None,
    sensitive: list[str] | None,
    holdout_share: float | None,
) -> None:
    """Refuse options that would have no effect together, rather than ignore one."""
    from masquerade.errors import SettingError

    if balance is not None and (rows is not None or given):
        raise SettingError("--balance: decides itself how many rows of which class, leave out --rows and --given.")
    if flag is not None and balance is None:
        raise SettingError("--flag: marks new rows among real ones, which only --balance mixes.")
    for option, value in (("--target", target), ("--sensitive", sensitive), ("--holdout-share", holdout_share)):
        if value not in (None, []) and not reports:
            raise SettingError(f"{option}: is for the report, add --report R.html.")


def _prepare(
    data: Path,
    schema: Path | None,
    unit: str | None,
    protect: int,
    share: float | None,
    seed: int,
    rows: int | None,
    given: list[str] | None,
    balance: str | None,
) -> Job:
    """Read the table, keep the holdout out, and find the schema of what trains."""
    from masquerade.cli import checks, tables
    from masquerade.files import read_table
    from masquerade.holdout import hold_out

    declared = tables.declared_schema(schema, unit)
    raw = read_table(data)
    unit = unit if declared is None else declared.unit
    checks.check_column("--unit", unit, raw.columns)
    train, holdout = raw, None
    if share is not None:
        train, holdout = hold_out(raw, share, seed=seed, unit=unit)
        what = "rows" if unit is None else f"rows (whole units of {unit})"
        tell(f"Held out {holdout.height:,} {what} for the report; {train.height:,} rows train.")
    found = tables.infer(train, unit=unit, protect=protect) if declared is None else declared
    condition = checks.check_given(checks.split_given(given), found)
    count = None if balance is not None else train.height if rows is None else rows
    return Job(train=train, holdout=holdout, schema=found, rows=count, given=condition)


def _train(
    name: str,
    job: Job,
    epochs: int | None,
    max_minutes: float | None,
    protect: int,
    seed: int,
    save: Path | None,
    callback: Callback | None,
) -> Any:
    """Fit the model; saved at once, so that nothing that follows can lose it."""
    from masquerade.cli.models import synthesizer
    from masquerade.errors import InterruptedTraining

    settings: dict[str, Any] = {"protect": protect, "unit": job.schema.unit, "random_state": seed}
    if epochs is not None:
        settings["epochs"] = epochs
    if max_minutes is not None:
        settings["max_minutes"] = max_minutes
    made = synthesizer(name)(**settings, callbacks=() if callback is None else (callback,))
    model = made.fit(job.train, schema=job.schema)
    if save is not None:
        model.save(save)
    if getattr(model, "interrupted_", False):
        session.interrupted = True
        kept = (
            "the model has not been saved (--save keeps it)" if save is None else f"the best model so far is in {save}"
        )
        raise InterruptedTraining(f"training was interrupted; {kept}, no rows were written.")
    return model


def _frames(model: Any, job: Job, balance: str | None, flag: str | None, seed: int) -> Iterator[pl.DataFrame]:
    if balance is None:
        yield from model.sample_chunks(job.rows, given=job.given, random_state=seed)
        return
    import masquerade as mq

    yield mq.augment(job.train, model, balance=balance, flag=flag)


def _remember(frames: Iterator[pl.DataFrame], kept: list[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    for frame in frames:
        kept.append(frame)
        yield frame


def _ledger(ledger: Any, balance: str | None) -> Any:
    """A levelled table carries real rows, so the model's protections do not hold for it."""
    import dataclasses

    if balance is None:
        return ledger
    return dataclasses.replace(ledger, mechanism=f"real rows and {ledger.mechanism}", guarantee="none", protections={})


def _report(
    job: Job,
    kept: list[pl.DataFrame],
    flag: str | None,
    reports: list[Path],
    target: str | None,
    sensitive: list[str] | None,
    protect: int,
    ledger: Any,
    seed: int,
    callback: Callback | None,
) -> None:
    import polars as pl

    import masquerade as mq

    released = pl.concat(kept)
    judged = mq.evaluate(
        job.train,
        released if flag is None else released.drop(flag),
        holdout=job.holdout,
        target=target,
        sensitive=sensitive or [],
        schema=job.schema,
        unit=job.schema.unit,
        protect=protect,
        ledger=ledger,
        seed=seed,
        callback=callback,
    )
    for path in reports:
        judged.save(path)
    tell(judged.summary())
