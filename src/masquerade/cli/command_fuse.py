"""`masquerade fuse`."""

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
    protect: MaybeProtect = None,
    save: Annotated[Path | None, typer.Option("--save", metavar="MODEL.mq", help="Keep the fitted fusion.")] = None,
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
    """Keep every record, and draw its sensitive columns anew given the rest.

    The other columns stay as they are, cell for cell: whoever knows them of a
    person finds the record again. With --report a tenth of the rows (of the
    units) is kept out of training, and drawn and written like the others.
    """
    from masquerade.cli.fusing import Request, run

    run(
        Request(
            data=data,
            output=output,
            sensitive=tuple(sensitive or ()),
            model=model,
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
