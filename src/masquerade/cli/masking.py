"""One masking, step by step: check what was asked, learn what is needed, mask, judge."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from masquerade.cli import checks, tables
from masquerade.cli.boundary import tell
from masquerade.cli.keeping import check_files, load_release, protect_of
from masquerade.cli.refusing import refuse_with_using, refuse_without_report
from masquerade.cli.release import all_or_nothing, write_ledger
from masquerade.cli.sealed import read_table, secret_of, secret_of_model, secret_of_output
from masquerade.errors import SettingError
from masquerade.files import TableWriter, write_table
from masquerade.masking.keys import Key
from masquerade.masking.mask_rules import read_rules
from masquerade.privacy.ledger import ledger_path
from masquerade.progress import Callback, ConsoleProgress, Progress
from masquerade.schema import Schema
from masquerade.seeds import check_seed
from masquerade.table_stream import TableStream

if TYPE_CHECKING:
    from masquerade.release.mask import Masker

__all__ = ["KEY_VARIABLE", "Request", "run"]

KEY_VARIABLE = "MASQUERADE_KEY"
"""The environment variable that may hold the key; an argument would be seen by everybody on the machine."""

PIECE_ROWS = 1 << 17
"""Rows masked at a time."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """What the user asked `mask` for: the options by their names, None or empty where not given."""

    data: Path
    output: Path
    columns: tuple[str, ...]
    rate: float | None
    how: str | None
    rules: Path | None
    engine: str | None
    key_file: Path | None
    locale: str | None
    save: Path | None
    using: Path | None
    reports: tuple[Path, ...]
    target: str | None
    sensitive: tuple[str, ...]
    holdout: Path | None
    protect: int | None
    seed: int | None
    quiet: bool
    schema: Path | None
    unit: str | None


def run(request: Request) -> None:
    """Do all of it; either every file that was asked for is written, or none."""
    _check(request)
    ledger_file = ledger_path(request.output)
    seed = check_seed(request.seed)
    declared = tables.declared_schema(request.schema, request.unit)
    key = _key(request)
    with ConsoleProgress() as bar, all_or_nothing([request.output, ledger_file, request.save, *request.reports]):
        callback = None if request.quiet else bar
        masker = _masker(request, key, seed, callback)
        if request.reports or not masker.streams:
            _at_once(request, masker, declared, callback)
        else:
            _stream(request, masker, declared, callback)
        write_ledger(request.output, masker.ledger_)
        if request.save is not None:
            masker.save(request.save, secret=secret_of_model())
    for path in [request.output, ledger_file, request.save, *request.reports]:
        if path is not None:
            tell(f"Wrote {path}")
    for name, rule in masker.rules_.items():
        share = "" if rule.rate == 1 else f", {rule.rate:.0%} of its cells"
        tell(f"{name}: {rule.how}{share}; reversible: {rule.facts()['reversible']}")
    tell(masker.ledger_.sentence())


def _check(request: Request) -> None:
    """Refuse outputs that cannot be written, and options that contradict one another."""
    inputs = [request.data, request.schema, request.rules, request.key_file, request.using, request.holdout]
    check_files(request.output, request.save, request.reports, inputs)
    settled = {
        "--columns": request.columns,
        "--rate": request.rate,
        "--how": request.how,
        "--rules": request.rules,
        "--engine": request.engine,
        "--locale": request.locale,
        "--save": request.save,
        "--schema": request.schema,
        "--unit": request.unit,
        "--protect": request.protect,
    }
    refuse_with_using(request.using, settled)
    for_report = {"--target": request.target, "--sensitive": request.sensitive, "--holdout": request.holdout}
    refuse_without_report(request.reports, for_report)
    if request.target is not None and request.holdout is None:
        raise SettingError("--target: models are tested on rows that are not in DATA; give them with --holdout H.")
    for option, value in (("--rate", request.rate), ("--how", request.how)):
        if value is not None and request.rules is not None and not request.columns:
            raise SettingError(f"{option}: is for --columns; the columns of {request.rules} have their own.")


def _key(request: Request) -> Key | None:
    if request.key_file is not None:
        return Key.read(request.key_file)
    secret = os.environ.get(KEY_VARIABLE)
    return None if secret is None else Key(secret)


def _masker(request: Request, key: Key | None, seed: int, callback: Callback | None) -> Masker:
    """The saved masker, or a new one; its settings are checked before anything is read."""
    if request.using is None and request.rules is not None:
        read_rules(request.rules, request.locale)  # a typing error is told before JAX is loaded
    from masquerade.release.mask import Masker

    callbacks = () if callback is None else (callback,)
    if request.using is not None:
        masker = load_release(request.using, Masker, "mask")
        return masker.set_params(key=key, random_state=seed, callbacks=callbacks)
    masker = Masker(
        [name.strip() for part in request.columns for name in part.split(",") if name.strip()] or None,
        rate=1.0 if request.rate is None else request.rate,
        how="generate" if request.how is None else request.how,
        engine="autoregressive" if request.engine is None else request.engine,
        key=key,
        rules=None if request.rules is None else str(request.rules),
        locale=request.locale,
        protect=protect_of(request.protect),
        unit=request.unit,
        random_state=seed,
        callbacks=callbacks,
    )
    masker._check_settings()
    names = TableStream(request.data, secret=secret_of(request.data)).names
    masker.check_columns(names)
    for option, name in (
        ("--unit", request.unit),
        ("--target", request.target),
        *(("--sensitive", n) for n in request.sensitive),
    ):
        checks.check_column(option, name, names)
    return masker


def _fit(request: Request, masker: Masker, raw: pl.DataFrame, declared: Schema | None) -> None:
    if request.using is None:
        masker.fit(raw, schema=declared)


def _at_once(request: Request, masker: Masker, declared: Schema | None, callback: Callback | None) -> None:
    """The whole table in memory, and the report on it."""
    raw = read_table(request.data)
    _fit(request, masker, raw, declared)
    masked = masker.transform(raw)
    write_table(masked, request.output, secret=secret_of_output())
    if request.reports:
        _report(request, masker, raw, masked, callback)


def _stream(request: Request, masker: Masker, declared: Schema | None, callback: Callback | None) -> None:
    """Piece by piece; what the columns are is learned from the first."""
    began = time.monotonic()
    rows = 0
    batches = TableStream(request.data, secret=secret_of(request.data)).batches()
    with contextlib.closing(batches), TableWriter(request.output, secret=secret_of_output()) as writer:
        first = next(batches)
        _fit(request, masker, first.frame, declared)
        shares = [first.share]

        def frames() -> Iterator[Any]:
            yield from first.frame.iter_slices(PIECE_ROWS)
            for batch in batches:
                shares.append(batch.share)
                yield from batch.frame.iter_slices(PIECE_ROWS)

        for masked in masker.transform_chunks(frames()):
            writer.write(masked)
            rows += masked.height
            if callback is not None:
                total = rows / max(shares[-1], 1e-9)
                callback(Progress("sample", rows, total, time.monotonic() - began))
    if callback is not None:
        callback(Progress("sample", rows, rows, time.monotonic() - began, finished=True))


def _report(
    request: Request, masker: Masker, raw: pl.DataFrame, masked: pl.DataFrame, callback: Callback | None
) -> None:
    from masquerade.studies.masking import judge

    holdout = None if request.holdout is None else read_table(request.holdout)
    judged = judge(
        masker, raw, masked, holdout=holdout, target=request.target, sensitive=request.sensitive, callback=callback
    )
    for path in request.reports:
        judged.save(path)
    tell(judged.summary())
