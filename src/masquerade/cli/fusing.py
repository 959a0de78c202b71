"""One fusion, step by step: check what was asked, train or load, draw the sensitive columns anew, judge."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from masquerade import spelling
from masquerade.cli import checks, tables
from masquerade.cli.boundary import tell
from masquerade.cli.columns import split_columns
from masquerade.cli.keeping import check_files, held_rows, load_release, protect_of
from masquerade.cli.refusing import refuse_with_using, refuse_without_report
from masquerade.cli.release import all_or_nothing, tell_written, write_ledger
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
    from masquerade.release.fuse import Fusion

__all__ = ["Request", "run"]


@dataclass(frozen=True, kw_only=True)
class Request:
    """What the user asked `fuse` for: the options by their names, None or empty where not given."""

    data: Path
    output: Path
    sensitive: tuple[str, ...]
    model: str | None
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
    with ConsoleProgress() as bar:
        callback = None if request.quiet else bar
        if request.using is None:
            fusion, raw, held = _train(request, seed, callback)
        else:
            fusion, raw, held = _load(request.using, seed), read_table(request.data), None
        fused = fusion.transform(raw)
        with all_or_nothing([request.output, ledger_path(request.output), request.save, *request.reports]):
            write_table(fused, request.output, secret=secret_of_output())
            write_ledger(request.output, fusion.ledger_)
            if request.save is not None:
                fusion.save(request.save, secret=secret_of_model())
            if request.reports:
                judged = _judged(request, fusion, raw, fused, held, seed, callback)
                for path in request.reports:
                    judged.save(path)
    tell_written(request.output, request.save, request.reports)
    if request.reports:
        tell(judged.summary())
    from masquerade.release.fuse import UNPROTECTED

    tell(f"Drawn anew: {', '.join(fusion.sensitive_)}. {UNPROTECTED}")
    tell(fusion.ledger_.sentence())


def _check(request: Request) -> None:
    """Refuse outputs that cannot be written, and options that contradict one another."""
    check_files(request.output, request.save, request.reports, [request.data, request.schema, request.using])
    fitting = {
        "--sensitive": request.sensitive,
        "--model": request.model,
        "--save": request.save,
        "--report": request.reports,
        "--schema": request.schema,
        "--unit": request.unit,
        "--protect": request.protect,
    }
    why = "is for fitting, and --using applies what was fitted; leave one of them out."
    refuse_with_using(request.using, fitting, why)
    refuse_without_report(request.reports, {"--target": request.target})


def _train(request: Request, seed: int, callback: Callback | None) -> tuple[Fusion, pl.DataFrame, pl.Series | None]:
    """A fusion fitted to the table, the table, and which of its rows were held out."""
    raw, schema = tables.read_with_schema(
        request.data, request.schema, unit=request.unit, protect=protect_of(request.protect)
    )
    check_table(raw)
    named = split_columns("--sensitive", request.sensitive, schema.names)
    _check_sensitive(named, schema)
    checks.check_target(request.target, schema)
    from masquerade.cli.models import synthesizer  # loads JAX, which a refusal above need not wait for
    from masquerade.release.fuse import Fusion

    model = "autoregressive" if request.model is None else request.model
    if not synthesizer(model).takes_any_cells:
        raise SettingError(
            f"--model: {model} cannot draw columns given any others, as a fusion needs; --model autoregressive can."
        )
    held = held_rows(raw, schema, seed) if request.reports else None
    fusion = Fusion(
        sensitive=named or None,
        model=model,
        protect=protect_of(request.protect),
        unit=schema.unit,
        random_state=seed,
        callbacks=() if callback is None else (callback,),
    )
    return fusion.fit(raw if held is None else raw.filter(~held), schema=schema), raw, held


def _check_sensitive(named: tuple[str, ...], schema: Schema) -> None:
    """Refuse, before any training, that nothing or everything is drawn anew."""
    marked = [column.name for column in schema if column.sensitive]
    if not named and not marked:
        raise SettingError(
            "--sensitive: no column is named, and none is marked in a --schema; name some, or let "
            "`masquerade inspect DATA -o schema.toml` mark those that identify people."
        )
    if len(named or marked) == len(schema):
        raise SettingError(
            f"--sensitive: all {len(schema)} columns are sensitive, so nothing is kept to fuse them with; leave some out, or "
            "use `masquerade synthesize`."
        )


def _load(path: Path, seed: int) -> Fusion:
    """The saved fusion, with this seed."""
    from masquerade.release.fuse import Fusion

    return load_release(path, Fusion, "fuse").set_params(random_state=seed)


def _judged(
    request: Request,
    fusion: Fusion,
    raw: pl.DataFrame,
    fused: pl.DataFrame,
    held: pl.Series | None,
    seed: int,
    callback: Callback | None,
) -> Report:
    """The report on the rows that trained, beside those that were held out."""
    from masquerade.evaluation import evaluate
    from masquerade.studies.fusion import with_fusion

    holdout, drawn = None, None
    if held is not None:
        holdout, drawn = raw.filter(held), fused.filter(held)
        raw, fused = raw.filter(~held), fused.filter(~held)
    judged = evaluate(
        raw,
        fused,
        holdout=holdout,
        target=request.target,
        sensitive=fusion.sensitive_,
        schema=fusion.schema_,
        unit=fusion.schema_.unit,
        protect=fusion.protect,
        ledger=fusion.ledger_,
        seed=seed,
        callback=callback,
    )

    def typed(side: pl.DataFrame) -> pl.DataFrame:
        return spelling.parse(side, fusion.schema_)

    unseen = None if holdout is None or drawn is None else (typed(holdout), typed(drawn))
    return with_fusion(judged, fusion, typed(raw), typed(fused), unseen)
