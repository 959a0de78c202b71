"""`masquerade encode`."""

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
    "masquerade encode bank.csv -o codes.csv --target y",
    "masquerade encode bank.csv -o codes.csv --target y --groups bank --report report.html",
    "masquerade encode people.csv -o codes.parquet --groups groups.toml --width 0.25 --save people.mq",
    "masquerade encode new.csv -o new-codes.csv --using people.mq",
    "masquerade encode people.csv -o codes.csv --group-means 5 --noise 0.3",
)


def encode(
    data: Data,
    output: Output,
    groups: Annotated[
        str | None,
        typer.Option(
            "--groups", metavar="G.toml", help="Columns by group, an encoder for each; bank: the bundled ones."
        ),
    ] = None,
    width: Annotated[
        str | None,
        typer.Option("--width", metavar="W", help="Codes: a share of the inputs (default 0.5), or a whole number."),
    ] = None,
    noise: Annotated[
        float | None, typer.Option("--noise", metavar="SD", help="Gaussian noise, in deviations of a code.")
    ] = None,
    group_means: Annotated[
        int | None, typer.Option("--group-means", metavar="K", help="The mean code of K records in place of each.")
    ] = None,
    group_by: Annotated[
        list[str] | None,
        typer.Option("--group-by", metavar="COL,COL", help="With --group-means: public columns to group inside of."),
    ] = None,
    hide: Annotated[
        list[str] | None,
        typer.Option(
            "--hide", metavar="COL,COL", help="Not encoded, and unlearned: train against a net that finds them."
        ),
    ] = None,
    adversary: Annotated[
        float | None, typer.Option("--adversary", metavar="A", help="With --hide: weight of that net; default 1.")
    ] = None,
    epochs: Annotated[int | None, typer.Option("--epochs", min=1, metavar="N", help="Default: 100.")] = None,
    max_minutes: Annotated[
        float | None, typer.Option("--max-minutes", min=0, metavar="M", help="Train at most this long.")
    ] = None,
    protect: MaybeProtect = None,
    save: Annotated[
        Path | None, typer.Option("--save", metavar="MODEL.mq", help="Keep the encoder, apart from the codes.")
    ] = None,
    using: Annotated[
        Path | None, typer.Option("--using", metavar="MODEL.mq", help="Encode by one that --save kept.")
    ] = None,
    report: Reports = None,
    target: Target = None,
    sensitive: Sensitive = None,
    password_file: PasswordFile = None,
    seal_key_file: SealKeyFile = None,
    plain: Plain = False,
    seed: Seed = None,
    quiet: Quiet = False,
    schema: SchemaFile = None,
    unit: Unit = None,
    debug: Debug = False,
) -> None:
    """Replace each record by a few numbers, for modelling elsewhere.

    The codes are those of a bottleneck autoencoder of the whole table, or of
    each group of columns. They are pseudonymous, not anonymous: --report
    attacks them, and measures what a forest still learns from them. A target
    is copied to OUT as it is. The encoder's weights are never in OUT.
    """
    from masquerade.cli.encoding import Request, run

    run(
        Request(
            data=data,
            output=output,
            groups=groups,
            width=width,
            noise=noise,
            group_means=group_means,
            group_by=tuple(group_by or ()),
            hide=tuple(hide or ()),
            adversary=adversary,
            epochs=epochs,
            max_minutes=max_minutes,
            protect=protect,
            save=save,
            using=using,
            reports=tuple(report or ()),
            target=target,
            sensitive=tuple(sensitive or ()),
            seed=seed,
            quiet=quiet,
            schema=schema,
            unit=unit,
        )
    )
