"""One synthesis, step by step: check what was asked, read and split the table, train, draw, judge."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from masquerade.cli import checks, tables
from masquerade.cli.boundary import say, tell
from masquerade.cli.control import check_model, read_control
from masquerade.cli.keeping import check_files, protect_of
from masquerade.cli.private import (
    DEFAULT,
    PRIVATE_DEFAULT,
    check_private,
    check_private_model,
    read_private,
    tell_guarantee,
    undeclared,
)
from masquerade.cli.reading import HOLDOUT_SHARE, Reading, read
from masquerade.cli.refusing import refuse_without_report
from masquerade.cli.release import all_or_nothing, keep_trained, tell_written, write_ledger, write_rows
from masquerade.errors import SettingError
from masquerade.privacy.budget import Privacy
from masquerade.privacy.ledger import Ledger, ledger_path
from masquerade.progress import Callback, ConsoleProgress
from masquerade.seeds import check_seed

__all__ = ["Request", "run"]


@dataclass(frozen=True, kw_only=True)
class Request:
    """What the user asked `synthesize` for: the options by their names, None where not given."""

    data: Path
    output: Path
    model: str | None
    rows: int | None
    given: list[str] | None
    rebalance: list[str] | None
    temperature: float | None
    balance: str | None
    flag: bool
    epochs: int | None
    max_minutes: float | None
    protect: int | None
    save: Path | None
    reports: tuple[Path, ...]
    target: str | None
    sensitive: tuple[str, ...]
    holdout_share: float | None
    seed: int | None
    quiet: bool
    schema: Path | None
    unit: str | None
    stream: bool = False
    privacy: Privacy | None = None


@dataclass(frozen=True, kw_only=True)
class Job:
    """What there is to do, once the table is read and everything is checked.

    Args:
        table: what trains, what is held out, and what each column is.
        given: the condition that all new rows meet.
        control: further arguments of `sample`.
        seed: of everything.
    """

    table: Reading
    given: dict[str, str] | None
    control: dict[str, Any]
    seed: int


def run(request: Request) -> None:
    """Do all of it; either every file that was asked for is written, or none but a model worth keeping."""
    _check(request)
    job = _prepare(request)
    with ConsoleProgress() as bar:
        callback = None if request.quiet else bar
        model = _train(request, job, callback)
        with all_or_nothing([request.output, ledger_path(request.output), *request.reports]):
            kept: list[pl.DataFrame] = []
            frames = _draw(request, job, model)
            total = 0 if request.balance is not None else _rows(request, job, model)
            if request.reports:
                frames = _remember(frames, kept, None if job.table.survey is None else job.table.train.height)
            write_rows(request.output, frames, total, callback)
            ledger = _ledger(request, model.ledger_)
            write_ledger(request.output, ledger)
            if request.reports:
                _report(request, job, model, pl.concat(kept), ledger, callback)
    tell_written(request.output, request.save, request.reports)
    if request.privacy is not None:
        tell_guarantee(ledger, reports=bool(request.reports))
        return
    tell(ledger.sentence())
    if request.balance is not None:
        say(
            "warning", f"{request.output} holds real rows: it is for training models inside the house, not for release."
        )


def _check(request: Request) -> None:
    """Refuse outputs that cannot be written, and options that would have no effect together."""
    check_files(request.output, request.save, request.reports, [request.data, request.schema])
    drawing = (request.rows, request.given or None, request.rebalance or None, request.temperature)
    if request.balance is not None and any(option is not None for option in drawing):
        raise SettingError(
            "--balance: decides itself how many rows of which class, leave out --rows, --given, --rebalance, --temperature."
        )
    if request.flag and request.balance is None:
        raise SettingError("--flag: marks new rows among real ones, which only --balance mixes.")
    for_report = {
        "--target": request.target,
        "--holdout-share": request.holdout_share,
        "--sensitive": request.sensitive,
    }
    refuse_without_report(request.reports, for_report)
    check_private(request)


def _prepare(request: Request) -> Job:
    """Read the table, keep the holdout out, find the schema of what trains, and check all that names a column."""
    seed = check_seed(request.seed)
    table = read_private(request, seed) if request.privacy is not None else _read(request, seed)
    schema = table.schema
    given = checks.split_given(request.given)
    checks.check_given(given, schema)
    control = read_control(request.rebalance, request.temperature, schema)
    checks.check_balance(request.balance, request.flag, schema)
    checks.check_target(request.target, schema)
    for name in request.sensitive:
        checks.check_column("--sensitive", name, schema.names)
    return Job(table=table, given=given, control=control, seed=seed)


def _read(request: Request, seed: int) -> Reading:
    declared = tables.declared_schema(request.schema, request.unit)
    share = HOLDOUT_SHARE if request.holdout_share is None else request.holdout_share
    return read(
        request.data,
        declared,
        unit=request.unit if declared is None else declared.unit,
        protect=protect_of(request.protect),
        holdout_share=share if request.reports else None,
        stream=request.stream,
        balance=request.balance is not None,
        seed=seed,
        quiet=request.quiet,
    )


def _train(request: Request, job: Job, callback: Callback | None) -> Any:
    """Fit the model; it is saved at once, so that nothing that follows can lose it."""
    from masquerade.cli.models import synthesizer  # loads JAX, which a refusal above need not wait for

    name_of_model = request.model or (DEFAULT if request.privacy is None else PRIVATE_DEFAULT)
    chosen = synthesizer(name_of_model)
    settings: dict[str, Any] = {"unit": job.table.schema.unit}
    if request.privacy is None:
        settings |= {"protect": protect_of(request.protect), "random_state": job.seed}
    else:
        check_private_model(name_of_model, chosen)
        settings["privacy"] = request.privacy
    check_model(job.given, job.control, job.table.schema, chosen)
    for name, value in (("epochs", request.epochs), ("max_minutes", request.max_minutes)):
        if value is not None and name not in chosen._defaults():
            raise SettingError(f"--{name.replace('_', '-')}: {name_of_model} does not train in steps, leave it out.")
        if value is not None:
            settings[name] = value
    model = chosen(**settings, callbacks=() if callback is None else (callback,))
    model.fit(job.table.train if job.table.survey is None else job.table.survey, schema=job.table.schema)
    keep_trained(model, request.save, "model", "rows")
    return model


def _rows(request: Request, job: Job, model: Any) -> int:
    """As many as asked for; else as many as trained, which a private model knows with noise alone."""
    if request.rows is not None:
        return request.rows
    return job.table.rows if request.privacy is None else model.noised_rows_


def _draw(request: Request, job: Job, model: Any) -> Iterator[pl.DataFrame]:
    if request.balance is None:
        yield from model.sample_chunks(
            _rows(request, job, model), given=job.given, random_state=job.seed, **job.control
        )
        return
    from masquerade.release.balance import augment

    yield augment(job.table.train, model, request.balance, flag=request.flag, random_state=job.seed)


def _remember(frames: Iterator[pl.DataFrame], kept: list[pl.DataFrame], most: int | None) -> Iterator[pl.DataFrame]:
    """Pass the frames on, and keep them for the report: all, or the first with `most` rows or somewhat more."""
    rows = 0
    for frame in frames:
        if most is None or rows < most:
            kept.append(frame)
            rows += frame.height
        yield frame


def _ledger(request: Request, ledger: Ledger) -> Ledger:
    """A levelled table carries real rows, so the model's protections do not hold for it."""
    if request.balance is None:
        return ledger
    return dataclasses.replace(
        Ledger(), unit=ledger.unit, mechanism=f"the real rows, and new ones by {ledger.mechanism}"
    )


def _report(
    request: Request, job: Job, model: Any, released: pl.DataFrame, ledger: Ledger, callback: Callback | None
) -> None:
    from masquerade.evaluation import evaluate

    judged = evaluate(
        job.table.train,
        released.drop("synthetic") if request.flag else released,
        holdout=job.table.holdout,
        target=request.target,
        sensitive=request.sensitive,
        schema=job.table.schema if request.privacy is None else undeclared(model.schema_),
        unit=job.table.schema.unit,
        protect=protect_of(request.protect),
        ledger=ledger,
        dependencies=getattr(model, "dependencies_", None),
        seed=job.seed,
        callback=callback,
    )
    for path in request.reports:
        judged.save(path)
    tell(judged.summary())
