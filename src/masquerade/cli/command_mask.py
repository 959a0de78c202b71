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

EXAMPLES = examples(
    "masquerade mask bank.csv -o masked.csv --columns job,balance --rate 0.2",
    "masquerade mask bank.csv -o masked.csv --rules mask.toml --key-file secret.key",
    "masquerade mask bank.csv -o masked.csv --columns age --report report.html --target y",
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
        typer.Option("--how", help="generate, replace, redact, noise, generalize, shuffle or suppress."),
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
        typer.Option("--holdout", metavar="H", help="Real rows that are not in DATA, for the report to compare with."),
    ] = None,
    protect: MaybeProtect = None,
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
    """
    from masquerade.cli.masking import Request, run

    run(
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
