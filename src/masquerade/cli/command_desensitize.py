"""`masquerade desensitize`."""

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
    Target,
    Unit,
    examples,
)
from masquerade.cli.picture_options import Channels, Labels, Size, SkipBad

EXAMPLES = examples(
    "masquerade desensitize adult.csv -o out.csv --hide sex --keep income",
    "masquerade desensitize adult.csv -o out.csv --hide sex --keep income --report report.html",
    "masquerade desensitize adult.csv -o out.csv --hide sex,race --strength 0.5 --save hide.mq",
    "masquerade desensitize new.csv -o new-out.csv --using hide.mq",
    "masquerade desensitize digits.npz -o out.npz --hide parity --keep big",
)


def desensitize(
    data: Data,
    output: Output,
    hide: Annotated[
        list[str] | None, typer.Option("--hide", metavar="COL,COL", help="The secrets; of pictures one label.")
    ] = None,
    keep: Annotated[
        list[str] | None,
        typer.Option("--keep", metavar="COL,COL", help="Columns that stay as they are; of pictures a label."),
    ] = None,
    strength: Annotated[
        float | None,
        typer.Option("--strength", metavar="S", help="From 0 (as they are) to 1 (nothing tells); default 1."),
    ] = None,
    replace: Annotated[
        str | None,
        typer.Option("--replace", help="What becomes of the secrets: redraw (independently; the default) or drop."),
    ] = None,
    epochs: Annotated[int | None, typer.Option("--epochs", min=1, metavar="N", help="Default: by the rows.")] = None,
    max_minutes: Annotated[
        float | None, typer.Option("--max-minutes", min=0, metavar="M", help="Train at most this long.")
    ] = None,
    protect: MaybeProtect = None,
    save: Annotated[
        Path | None, typer.Option("--save", metavar="MODEL.mq", help="Keep the fitted release for new rows.")
    ] = None,
    using: Annotated[
        Path | None, typer.Option("--using", metavar="MODEL.mq", help="Apply one that was kept; nothing is fitted.")
    ] = None,
    report: Reports = None,
    target: Target = None,
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
    """Change records as little as it takes until a secret cannot be told from them.

    Every record stays in its row. Values that are commoner with its secret
    than without are redrawn, until released records look alike whatever the
    secret was, but for what --keep keeps. With --report a tenth of the rows is
    kept out of training, and fresh attackers try the release.

    Pictures (a folder, NPZ, IDX) are redrawn with a random secret and the
    kept label; a tenth is kept out of training for attackers to be tried on.
    """
    from masquerade.cli.picture_options import reading_of
    from masquerade.cli.refusing import refuse_for_tables
    from masquerade.picture_files import is_picture_set

    if is_picture_set(data):
        from masquerade.cli.picture_desensitizing import PictureDesensitizeRequest, run_picture_desensitize

        return run_picture_desensitize(
            PictureDesensitizeRequest(
                data=data,
                output=output,
                hide=tuple(hide or ()),
                keep=tuple(keep or ()),
                strength=strength,
                epochs=epochs,
                max_minutes=max_minutes,
                save=save,
                using=using,
                reports=tuple(report or ()),
                seed=seed,
                quiet=quiet,
                reading=reading_of(size, channels, skip_bad, labels),
                refused={
                    "--replace": replace,
                    "--protect": protect,
                    "--target": target,
                    "--schema": schema,
                    "--unit": unit,
                },
            )
        )
    pictures_only = {"--size": size, "--channels": channels, "--skip-bad": skip_bad, "--labels": labels}
    refuse_for_tables(data, pictures_only)
    from masquerade.cli.desensitizing import Request, run

    return run(
        Request(
            data=data,
            output=output,
            hide=tuple(hide or ()),
            keep=tuple(keep or ()),
            strength=strength,
            replace=replace,
            epochs=epochs,
            max_minutes=max_minutes,
            protect=protect,
            save=save,
            using=using,
            reports=tuple(report or ()),
            target=target,
            seed=seed,
            quiet=quiet,
            schema=schema,
            unit=unit,
        )
    )
