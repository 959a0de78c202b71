"""One encoding, step by step: check what was asked, read the table, train or load, encode, judge."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from masquerade.cli import checks, tables
from masquerade.cli.boundary import tell
from masquerade.cli.columns import split_columns
from masquerade.cli.keeping import check_files, load_release, protect_of
from masquerade.cli.refusing import refuse_with_using, refuse_without_report
from masquerade.cli.release import all_or_nothing, keep_trained, tell_written, write_ledger
from masquerade.cli.sealed import read_table, secret_of_output
from masquerade.errors import SettingError
from masquerade.files import write_table
from masquerade.frames import check_table
from masquerade.privacy.ledger import Ledger, ledger_path
from masquerade.progress import Callback, ConsoleProgress
from masquerade.schema import Schema
from masquerade.seeds import check_seed

if TYPE_CHECKING:
    from masquerade.release.encode import Encoder

__all__ = ["Request", "run"]


@dataclass(frozen=True, kw_only=True)
class Request:
    """What the user asked `encode` for: the options by their names, None or empty where not given."""

    data: Path
    output: Path
    groups: str | None
    width: str | None
    noise: float | None
    group_means: int | None
    group_by: tuple[str, ...]
    hide: tuple[str, ...]
    adversary: float | None
    epochs: int | None
    max_minutes: float | None
    protect: int | None
    save: Path | None
    using: Path | None
    reports: tuple[Path, ...]
    target: str | None
    sensitive: tuple[str, ...]
    seed: int | None
    quiet: bool
    schema: Path | None
    unit: str | None


def run(request: Request) -> None:
    """Do all of it; either every file that was asked for is written, or none but a model worth keeping."""
    _check(request)
    seed = check_seed(request.seed)
    declared = tables.declared_schema(request.schema, request.unit)
    settings = _settings(request)
    with ConsoleProgress() as bar:
        callback = None if request.quiet else bar
        if request.using is None:
            raw, encoder = _train(request, declared, settings, seed, callback)
        else:
            raw, encoder = _load(request, request.using, seed, callback)
        with all_or_nothing([request.output, ledger_path(request.output), *request.reports]):
            codes = encoder.transform(raw)
            write_table(codes, request.output, secret=secret_of_output())
            ledger = _report(request, encoder, raw, codes, seed, callback) if request.reports else encoder.ledger_
            write_ledger(request.output, ledger)
    tell_written(request.output, request.save, request.reports)
    tell(ledger.sentence())
    tell(str(ledger.protections["pseudonymous"]))


def _check(request: Request) -> None:
    """Refuse outputs that cannot be written, and options that contradict one another."""
    groups = None if request.groups is None else Path(request.groups)
    inputs = [request.data, request.schema, request.using, groups]
    check_files(request.output, request.save, request.reports, inputs)
    settled = {
        "--groups": request.groups,
        "--width": request.width,
        "--noise": request.noise,
        "--group-means": request.group_means,
        "--group-by": request.group_by,
        "--hide": request.hide,
        "--adversary": request.adversary,
        "--epochs": request.epochs,
        "--max-minutes": request.max_minutes,
        "--save": request.save,
        "--target": request.target,
        "--schema": request.schema,
        "--unit": request.unit,
        "--protect": request.protect,
    }
    refuse_with_using(request.using, settled)
    refuse_without_report(request.reports, {"--sensitive": request.sensitive})
    if request.adversary is not None and not request.hide:
        raise SettingError("--adversary: is the weight of what --hide trains, give --hide COL too.")


def _settings(request: Request) -> dict[str, Any]:
    """What was asked of the encoder, by the names of its settings."""
    found: dict[str, Any] = {}
    if request.width is not None:
        found["width"] = _width(request.width)
    if request.groups is not None:
        from masquerade.release.groups import read_groups

        found["groups"] = read_groups(request.groups)
    for name in ("noise", "group_means", "adversary", "epochs", "max_minutes"):
        if getattr(request, name) is not None:
            found[name] = getattr(request, name)
    return found


def _width(text: str) -> float:
    """`"0.5"` as a share, `"16"` as a number of codes."""
    with contextlib.suppress(ValueError):
        return int(text)
    try:
        return float(text)
    except ValueError:
        raise SettingError(
            f"--width: got {text!r}, expected a share such as 0.5, or a whole number of codes."
        ) from None


def _train(
    request: Request, declared: Schema | None, settings: dict[str, Any], seed: int, callback: Callback | None
) -> tuple[pl.DataFrame, Encoder]:
    """The table, and an encoder fitted to it."""
    raw = read_table(request.data)
    check_table(raw)
    schema = tables.infer(raw, unit=request.unit, protect=protect_of(request.protect)) if declared is None else declared
    checks.check_column("--target", request.target, schema.names)
    settings["hide"] = split_columns("--hide", request.hide, schema.names)
    settings["group_by"] = split_columns("--group-by", request.group_by, schema.names) or None
    from masquerade.release.encode import Encoder  # loads JAX, which a refusal above need not wait for

    encoder = Encoder(
        **settings,
        target=request.target,
        protect=protect_of(request.protect),
        unit=schema.unit,
        random_state=seed,
        callbacks=() if callback is None else (callback,),
    )
    encoder._check_settings()
    if request.reports:
        _check_judgeable(request, raw, schema, request.target)
    encoder.fit(raw, schema=schema)
    keep_trained(encoder, request.save, "encoder", "codes")
    return raw, encoder


def _load(request: Request, path: Path, seed: int, callback: Callback | None) -> tuple[pl.DataFrame, Encoder]:
    """The table, and the saved encoder, with this seed."""
    from masquerade.release.encode import Encoder

    encoder = load_release(path, Encoder, "encode")
    encoder.set_params(callbacks=() if callback is None else (callback,))
    if request.seed is not None:
        encoder.set_params(random_state=seed)
    raw = read_table(request.data)
    if request.reports:
        target = encoder.target if encoder.target in raw.columns else None
        _check_judgeable(request, raw, encoder.schema_, target)
    return raw, encoder


def _check_judgeable(request: Request, raw: pl.DataFrame, schema: Schema, target: str | None) -> None:
    """Refuse, before training, what no report can be made of."""
    from masquerade.studies.encoding import check_judgeable
    from masquerade.studies.secrets_in_codes import secrets_of

    check_judgeable(raw, schema, target)
    secrets_of(schema, split_columns("--sensitive", request.sensitive, schema.names), target)


def _report(
    request: Request, encoder: Encoder, raw: pl.DataFrame, codes: pl.DataFrame, seed: int, callback: Callback | None
) -> Ledger:
    """Judge the codes and write the reports; the ledger then holds what the attacks found."""
    from masquerade.studies.encoding import encoding

    target = encoder.target if encoder.target in raw.columns else None
    sensitive = split_columns("--sensitive", request.sensitive, encoder.schema_.names)
    study = encoding(raw, encoder, codes, target=target, sensitive=sensitive, seed=seed, callback=callback)
    judged = study.report()
    for path in request.reports:
        judged.save(path)
    tell(judged.summary())
    return study.ledger
