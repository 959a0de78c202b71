"""`masquerade fuse`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from masquerade.cli.boundary import tell
from masquerade.cli.options import (
    Data,
    Debug,
    Output,
    Protect,
    Quiet,
    Reports,
    SchemaFile,
    Seed,
    Target,
    Unit,
    examples,
)

if TYPE_CHECKING:
    import polars as pl

    from masquerade.progress import Callback
    from masquerade.release.fuse import Fusion
    from masquerade.schema import Schema

EXAMPLES = examples(
    "masquerade fuse people.csv -o out.csv --sensitive income,diagnosis",
    "masquerade fuse people.csv -o out.csv --schema schema.toml    (what it marks as sensitive)",
    "masquerade fuse people.csv -o out.csv --sensitive income --report report.html --save fuse.mq",
    "masquerade fuse new.csv -o new-out.csv --using fuse.mq",
)


def fuse(
    data: Data,
    output: Output,
    sensitive: Annotated[
        list[str] | None,
        typer.Option("--sensitive", metavar="COL,COL", help="Draw these anew; default: what --schema marks."),
    ] = None,
    model: Annotated[
        str | None, typer.Option("--model", metavar="NAME", help="What draws them; default: autoregressive.")
    ] = None,
    protect: Protect = 10,
    save: Annotated[Path | None, typer.Option("--save", metavar="MODEL.mq", help="Keep the fitted fusion.")] = None,
    using: Annotated[
        Path | None, typer.Option("--using", metavar="MODEL.mq", help="Apply one that was kept; nothing is fitted.")
    ] = None,
    report: Reports = None,
    target: Target = None,
    seed: Seed = None,
    quiet: Quiet = False,
    schema: SchemaFile = None,
    unit: Unit = None,
    debug: Debug = False,
) -> None:
    """Keep every record, and draw its sensitive columns anew given the rest.

    The other columns stay as they are, cell for cell: whoever knows them of a
    person finds the record again. With --report a tenth of the rows (of the
    units) is kept out of training, and drawn and written like the others.
    """
    from masquerade.cli import checks
    from masquerade.cli.release import all_or_nothing, write_ledger
    from masquerade.files import write_table
    from masquerade.privacy.ledger import ledger_path
    from masquerade.progress import ConsoleProgress

    reports = tuple(report or ())
    ledger_file = ledger_path(output)
    checks.check_outputs(
        [
            ("--output", output, checks.TABLES),
            ("--output", ledger_file, checks.REPORTS),
            ("--save", save, checks.MODELS),
            *(("--report", path, checks.REPORTS) for path in reports),
        ],
        [data, schema, using],
    )
    _check_together(using, sensitive, model, save, reports, schema, unit, target)
    with ConsoleProgress() as bar:
        callback = None if quiet else bar
        if using is not None:
            from masquerade.files import read_table

            fusion = _kept(using, seed)
            raw, held = read_table(data), None
        else:
            fusion, raw, held = _fitted(data, schema, unit, sensitive, model, protect, target, seed, reports, callback)
        fused = fusion.transform(raw)
        with all_or_nothing([output, ledger_file, *reports, *([] if save is None else [save])]):
            write_table(fused, output)
            write_ledger(output, fusion.ledger_)
            if save is not None:
                fusion.save(save)
            if reports:
                judged = _judged(fusion, raw, fused, held, target, seed, callback)
                for path in reports:
                    judged.save(path)
    tell(f"Wrote {output} and {ledger_file.name}")
    for path in [*([] if save is None else [save]), *reports]:
        tell(f"Wrote {path}")
    if reports:
        tell(judged.summary())
    from masquerade.release.fuse import UNPROTECTED

    tell(f"Drawn anew: {', '.join(fusion.sensitive_)}. {UNPROTECTED}")
    tell(fusion.ledger_.sentence())


def _check_together(
    using: Path | None,
    sensitive: list[str] | None,
    model: str | None,
    save: Path | None,
    reports: tuple[Path, ...],
    schema: Path | None,
    unit: str | None,
    target: str | None,
) -> None:
    """Refuse options that would have no effect together."""
    from masquerade.errors import SettingError

    if using is not None:
        fitting = {"--sensitive": sensitive, "--model": model, "--save": save, "--report": reports}
        for option, value in {**fitting, "--schema": schema, "--unit": unit}.items():
            if value:
                raise SettingError(
                    f"{option}: is for fitting, and --using applies what was fitted; leave one of them out."
                )
    if target is not None and not reports:
        raise SettingError("--target: is for the report, add --report R.html.")


def _kept(path: Path, seed: int | None) -> Fusion:
    """The fusion in this file, with this seed."""
    from masquerade.errors import SettingError
    from masquerade.loading import load
    from masquerade.release.fuse import Fusion

    fusion = load(path)
    if not isinstance(fusion, Fusion):
        raise SettingError(
            f"--using: {path} holds a {type(fusion).__name__}, expected what `masquerade fuse --save` kept."
        )
    fusion.random_state = seed
    return fusion


def _fitted(
    data: Path,
    schema: Path | None,
    unit: str | None,
    sensitive: list[str] | None,
    model: str | None,
    protect: int,
    target: str | None,
    seed: int | None,
    reports: tuple[Path, ...],
    callback: Callback | None,
) -> tuple[Fusion, pl.DataFrame, pl.Series | None]:
    """A fusion of the table, the table, and which of its rows were held out (None: none)."""
    import polars as pl

    from masquerade.cli import checks, tables
    from masquerade.cli.columns import split_columns
    from masquerade.cli.models import synthesizer
    from masquerade.cli.reading import HOLDOUT_SHARE
    from masquerade.errors import SettingError
    from masquerade.frames import LEAST_ROWS, check_table
    from masquerade.holdout import hold_out
    from masquerade.seeds import check_seed

    raw, found = tables.read_with_schema(data, schema, unit=unit, protect=protect)
    check_table(raw)
    named = split_columns("--sensitive", sensitive, found.names)
    _check_sensitive(named, found)
    checks.check_target(target, found)
    name = "autoregressive" if model is None else model
    cls = synthesizer(name)
    if not cls.takes_any_cells:
        raise SettingError(
            f"--model: {name} cannot draw columns given any others, as a fusion needs; --model autoregressive can."
        )
    from masquerade.release.fuse import Fusion

    held = None
    if reports:
        place = _free("row", raw.columns)
        _, other = hold_out(raw.with_row_index(place), HOLDOUT_SHARE, seed=check_seed(seed), unit=found.unit)
        if other.height >= LEAST_ROWS:
            held = pl.Series(range(raw.height)).is_in(other.get_column(place).implode())
            tell(f"Held out {other.height:,} rows for the report; {raw.height - other.height:,} rows train.")
    fusion = Fusion(
        sensitive=named or None,
        model=name,
        protect=protect,
        unit=found.unit,
        random_state=check_seed(seed),
        callbacks=() if callback is None else (callback,),
    )
    return fusion.fit(raw if held is None else raw.filter(~held), schema=found), raw, held


def _check_sensitive(named: tuple[str, ...], schema: Schema) -> None:
    """Refuse, before any training, that nothing or everything is drawn anew."""
    from masquerade.errors import SettingError

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


def _free(word: str, names: list[str]) -> str:
    while word in names:
        word += "_"
    return word


def _judged(
    fusion: Fusion,
    raw: pl.DataFrame,
    fused: pl.DataFrame,
    held: pl.Series | None,
    target: str | None,
    seed: int | None,
    callback: Callback | None,
) -> Any:
    """The report on the rows that trained, beside those that were held out."""
    from masquerade import spelling
    from masquerade.evaluation import evaluate
    from masquerade.seeds import check_seed
    from masquerade.studies.fusion import with_fusion

    train, released, holdout, drawn = raw, fused, None, None
    if held is not None:
        train, released = raw.filter(~held), fused.filter(~held)
        holdout, drawn = raw.filter(held), fused.filter(held)
    judged = evaluate(
        train,
        released,
        holdout=holdout,
        target=target,
        sensitive=fusion.sensitive_,
        schema=fusion.schema_,
        unit=fusion.schema_.unit,
        protect=fusion.protect,
        ledger=fusion.ledger_,
        seed=check_seed(seed),
        callback=callback,
    )

    def typed(side: pl.DataFrame) -> pl.DataFrame:
        return spelling.parse(side, fusion.schema_)

    unseen = None if holdout is None or drawn is None else (typed(holdout), typed(drawn))
    return with_fusion(judged, fusion, typed(train), typed(released), unseen)
