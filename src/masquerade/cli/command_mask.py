"""`masquerade mask`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from masquerade.cli.options import (
    Data,
    Debug,
    MaybeProtect,
    Output,
    PasswordFile,
    Plain,
    Quiet,
    Reports,
    SchemaFile,
    SealKeyFile,
    Seed,
    Sensitive,
    Target,
    Unit,
    examples,
)
from masquerade.cli.picture_options import Channels, Labels, Size, SkipBad

EXAMPLES = examples(
    "masquerade mask bank.csv -o masked.csv --columns job,balance --rate 0.2",
    "masquerade mask bank.csv -o masked.csv --rules mask.toml --key-file secret.key",
    "masquerade mask bank.csv -o masked.csv --columns age --report report.html --target y",
    "masquerade mask faces/ -o masked/ --box 7,7,14,14",
)


def mask(
    data: Data,
    output: Output,
    columns: Annotated[
        list[str] | None,
        typer.Option(
            "--columns", metavar="COL,COL", help="Which columns; may be repeated. Without it (and rules): all."
        ),
    ] = None,
    rate: Annotated[float | None, typer.Option("--rate", metavar="R", help="Share of their cells, at random.")] = None,
    how: Annotated[
        str | None,
        typer.Option(
            "--how",
            help="generate, replace, redact, noise, generalize, shuffle or suppress; pictures: generate, blur, pixelate "
            "or blackout.",
        ),
    ] = None,
    rules: Annotated[
        Path | None, typer.Option("--rules", metavar="mask.toml", help="Columns with ways of their own.")
    ] = None,
    engine: Annotated[str | None, typer.Option("--engine", help="What generates: autoregressive or gan.")] = None,
    key_file: Annotated[
        Path | None,
        typer.Option(
            "--key-file", metavar="F", help="The secret of surrogates; else $MASQUERADE_KEY, else a random one."
        ),
    ] = None,
    locale: Annotated[
        str | None,
        typer.Option("--locale", metavar="L", help="Of surrogates, such as zh_CN; else by each value's script."),
    ] = None,
    save: Annotated[
        Path | None, typer.Option("--save", metavar="MODEL.mq", help="Keep the masker for new rows, without the key.")
    ] = None,
    using: Annotated[
        Path | None, typer.Option("--using", metavar="MODEL.mq", help="Mask by a masker that --save kept.")
    ] = None,
    report: Reports = None,
    target: Target = None,
    sensitive: Sensitive = None,
    holdout: Annotated[
        Path | None,
        typer.Option(
            "--holdout", metavar="H", help="Real rows (pictures) that are not in DATA, for the report to compare with."
        ),
    ] = None,
    protect: MaybeProtect = None,
    box: Annotated[
        str | None,
        typer.Option(
            "--box",
            metavar="T,L,H,W",
            help="What of every picture: top, left, height, width in pixels.",
            rich_help_panel="Picture sets",
        ),
    ] = None,
    epochs: Annotated[
        int | None,
        typer.Option("--epochs", min=1, metavar="N", help="Default: by the pictures.", rich_help_panel="Picture sets"),
    ] = None,
    max_minutes: Annotated[
        float | None,
        typer.Option(
            "--max-minutes", min=0, metavar="M", help="Train at most this long.", rich_help_panel="Picture sets"
        ),
    ] = None,
    size: Size = None,
    channels: Channels = None,
    skip_bad: SkipBad = False,
    labels: Labels = None,
    password_file: PasswordFile = None,
    seal_key_file: SealKeyFile = None,
    plain: Plain = False,
    seed: Seed = None,
    quiet: Quiet = False,
    schema: SchemaFile = None,
    unit: Unit = None,
    debug: Debug = False,
) -> None:
    """Mask chosen cells of real records; all others stay to the letter.

    By default a masked cell is drawn by a model that never saw its row, from
    what the row still shows. The other ways follow a rule: replace by keyed
    surrogates, redact, add noise, generalize, shuffle, suppress; they need no
    training and read the table piece by piece.

    Of pictures (a folder, NPZ, IDX) the region --box is masked, and drawn by
    a net that never saw the picture; or blurred, pixelated or blacked out.
    """
    from masquerade.cli.picture_options import reading_of
    from masquerade.cli.refusing import refuse_for_tables
    from masquerade.picture_files import is_picture_set

    if is_picture_set(data):
        from masquerade.cli.picture_masking import PictureMaskRequest, run_picture_mask

        tables_only = {
            "--columns": columns,
            "--rate": rate,
            "--rules": rules,
            "--engine": engine,
            "--key-file": key_file,
            "--locale": locale,
            "--target": target,
            "--sensitive": sensitive,
            "--protect": protect,
            "--schema": schema,
            "--unit": unit,
        }
        return run_picture_mask(
            PictureMaskRequest(
                data=data,
                output=output,
                box=box,
                how=how,
                epochs=epochs,
                max_minutes=max_minutes,
                save=save,
                using=using,
                reports=tuple(report or ()),
                holdout=holdout,
                seed=seed,
                quiet=quiet,
                reading=reading_of(size, channels, skip_bad, labels),
                refused=tables_only,
            )
        )
    pictures_only = {
        "--box": box,
        "--epochs": epochs,
        "--max-minutes": max_minutes,
        "--size": size,
        "--channels": channels,
        "--skip-bad": skip_bad,
        "--labels": labels,
    }
    refuse_for_tables(data, pictures_only)
    from masquerade.cli.masking import Request, run

    return run(
        Request(
            data=data,
            output=output,
            columns=tuple(columns or ()),
            rate=rate,
            how=how,
            rules=rules,
            engine=engine,
            key_file=key_file,
            locale=locale,
            save=save,
            using=using,
            reports=tuple(report or ()),
            target=target,
            sensitive=tuple(sensitive or ()),
            holdout=holdout,
            protect=protect,
            seed=seed,
            quiet=quiet,
            schema=schema,
            unit=unit,
        )
    )
