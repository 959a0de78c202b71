"""One desensitizing, step by step: check what was asked, train or load, change the records, judge."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from masquerade import spelling
from masquerade.cli import checks, tables
from masquerade.cli.boundary import tell
from masquerade.cli.columns import split_columns
from masquerade.cli.keeping import check_files, held_rows, load_release, protect_of
from masquerade.cli.refusing import refuse_with_using, refuse_without_report
from masquerade.cli.release import all_or_nothing, write_ledger
from masquerade.cli.sealed import read_table, secret_of_model, secret_of_output
from masquerade.errors import SettingError
from masquerade.files import write_table
from masquerade.frames import check_table
from masquerade.privacy.ledger import ledger_path
from masquerade.progress import Callback, ConsoleProgress
from masquerade.schema import Schema
from masquerade.seeds import check_seed

if TYPE_CHECKING:
    from masquerade.judge.report import Report
    from masquerade.release.desensitize import Desensitizer

__all__ = ["Request", "run"]


@dataclass(frozen=True, kw_only=True)
class Request:
    """What the user asked `desensitize` for: the options by their names, None or empty where not given."""

    data: Path
    output: Path
    hide: tuple[str, ...]
    keep: tuple[str, ...]
    strength: float | None
    replace: str | None
    epochs: int | None
    max_minutes: float | None
    protect: int | None
    save: Path | None
    using: Path | None
    reports: tuple[Path, ...]
    target: str | None
    seed: int | None
    quiet: bool
    schema: Path | None
    unit: str | None


def run(request: Request) -> None:
    """Do all of it; either every file that was asked for is written, or none."""
    _check(request)
    seed = check_seed(request.seed)
    ledger_file = ledger_path(request.output)
    with ConsoleProgress() as bar:
        callback = None if request.quiet else bar
        if request.using is None:
            release, raw, held = _train(request, seed, callback)
        else:
            release, raw, held = _load(request, request.using, seed), read_table(request.data), None
        changed = release.transform(raw)
        wanted = [request.output, ledger_file, *request.reports, *([] if request.save is None else [request.save])]
        with all_or_nothing(wanted):
            write_table(changed, request.output, secret=secret_of_output())
            write_ledger(request.output, release.ledger_)
            if request.save is not None:
                release.save(request.save, secret=secret_of_model())
            if request.reports:
                judged = _judged(request, release, raw, changed, held, seed, callback)
                for path in request.reports:
                    judged.save(path)
    if request.reports:
        tell(judged.summary())
    tell(f"Wrote {request.output} and {ledger_file.name}")
    for other in [request.save, *request.reports]:
        if other is not None:
            tell(f"Wrote {other}")
    tell(_sentence(release, raw, changed))
    tell(release.ledger_.sentence())


def _check(request: Request) -> None:
    """Refuse outputs that cannot be written, and options that contradict one another."""
    check_files(request.output, request.save, request.reports, [request.data, request.schema, request.using])
    settled = {
        "--hide": request.hide,
        "--keep": request.keep,
        "--replace": request.replace,
        "--epochs": request.epochs,
        "--max-minutes": request.max_minutes,
        "--save": request.save,
        "--schema": request.schema,
        "--unit": request.unit,
        "--protect": request.protect,
    }
    refuse_with_using(request.using, settled)
    if request.using is None and not request.hide:
        raise SettingError("--hide: no column is named, expected the secret, such as --hide sex.")
    refuse_without_report(request.reports, {"--target": request.target})


def _train(
    request: Request, seed: int, callback: Callback | None
) -> tuple[Desensitizer, pl.DataFrame, pl.Series | None]:
    """A release fitted to the table, the table, and which of its rows were held out."""
    raw, schema = tables.read_with_schema(
        request.data, request.schema, unit=request.unit, protect=protect_of(request.protect)
    )
    check_table(raw)
    hide = split_columns("--hide", request.hide, schema.names)
    keep = split_columns("--keep", request.keep, schema.names)
    checks.check_target(request.target, schema)
    from masquerade.release.desensitize import Desensitizer  # loads JAX, which a refusal above need not wait for

    settings: dict[str, Any] = {name: getattr(request, name) for name in ("strength", "replace")}
    release = Desensitizer(
        hide=hide,
        keep=keep,
        **{name: value for name, value in settings.items() if value is not None},
        epochs=request.epochs,
        max_minutes=request.max_minutes,
        protect=protect_of(request.protect),
        unit=schema.unit,
        random_state=seed,
        callbacks=() if callback is None else (callback,),
    )
    held = held_rows(raw, schema, seed) if request.reports else None
    return release.fit(raw if held is None else raw.filter(~held), schema=schema), raw, held


def _load(request: Request, path: Path, seed: int) -> Desensitizer:
    """The saved release, with this seed and strength."""
    from masquerade.release.desensitize import Desensitizer

    release = load_release(path, Desensitizer, "desensitize")
    if request.seed is not None:
        release.random_state = seed
    return release if request.strength is None else release.with_strength(request.strength)


def _judged(
    request: Request,
    release: Desensitizer,
    raw: pl.DataFrame,
    changed: pl.DataFrame,
    held: pl.Series | None,
    seed: int,
    callback: Callback | None,
) -> Report:
    """The report on the rows that trained, beside those that were held out."""
    from masquerade.evaluation import evaluate
    from masquerade.studies.desensitizing import with_desensitizer

    holdout = None
    if held is not None:
        raw, changed, holdout = raw.filter(~held), changed.filter(~held), raw.filter(held)
    target = request.target if request.target is not None else _first_target(release)
    judged = evaluate(
        raw,
        changed,
        holdout=holdout,
        target=target,
        sensitive=release.hide,
        keep=release.keep,
        schema=release.schema_,
        protect=release.protect,
        ledger=release.ledger_,
        seed=seed,
        callback=callback,
    )
    real = spelling.parse(raw, release.schema_)
    part = Schema(tuple(release.schema_[name] for name in changed.columns))
    unseen = None if holdout is None else spelling.parse(holdout, release.schema_)
    return with_desensitizer(
        judged, release, real, spelling.parse(changed, part), holdout=unseen, seed=seed, callback=callback
    )


def _first_target(release: Desensitizer) -> str | None:
    """The first kept column that can be predicted."""
    return next((name for name in release.keep if release.schema_[name].kind not in ("id", "text")), None)


def _sentence(release: Desensitizer, raw: pl.DataFrame, changed: pl.DataFrame) -> str:
    """How many cells changed; a number that is only spelled otherwise did not."""
    from masquerade.studies.desensitizing import changes

    part = Schema(tuple(release.schema_[name] for name in changed.columns))
    found = changes(release, spelling.parse(raw, release.schema_), spelling.parse(changed, part))
    shares = [change.share for change in found if change.column not in release.keep]
    fate = "left out" if release.replace == "drop" else "drawn anew"
    said = (
        f"{sum(shares) / len(shares):.1%} of the other cells changed."
        if shares
        else "Nothing else was there to change."
    )
    return f"Hidden: {', '.join(release.hide)} ({fate}). {said}"
