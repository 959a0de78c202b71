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

EXAMPLES = examples(
    "masquerade desensitize adult.csv -o out.csv --hide sex --keep income",
    "masquerade desensitize adult.csv -o out.csv --hide sex --keep income --report report.html",
    "masquerade desensitize adult.csv -o out.csv --hide sex,race --strength 0.5 --save hide.mq",
    "masquerade desensitize new.csv -o new-out.csv --using hide.mq",
)


def desensitize(
    data: Data,
    output: Output,
    hide: Annotated[
        list[str] | None, typer.Option("--hide", metavar="COL,COL", help="The secrets; may be repeated.")
    ] = None,
    keep: Annotated[
        list[str] | None, typer.Option("--keep", metavar="COL,COL", help="Columns that stay exactly as they are.")
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
    """
    from masquerade.cli.desensitizing import Request, run

    run(
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
