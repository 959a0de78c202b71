"""`masquerade synthesize`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from masquerade.cli.options import (
    Data,
    Debug,
    Given,
    MaybeProtect,
    Output,
    PasswordFile,
    Plain,
    Quiet,
    Rebalance,
    Reports,
    SchemaFile,
    SealKeyFile,
    Seed,
    Sensitive,
    Target,
    Temperature,
    Unit,
    examples,
)
from masquerade.cli.picture_options import Channels, Labels, Size, SkipBad

_GUARANTEE = "A guarantee (differential privacy)"

EXAMPLES = examples(
    "masquerade synthesize bank.csv -o synthetic.csv",
    "masquerade synthesize bank.csv -o out.parquet --rows 1000000 --save bank.mq",
    "masquerade synthesize bank.csv -o out.csv --report report.html --target y",
    "masquerade synthesize bank.csv -o yes.csv --given y=yes --given age=33 --rows 500",
    "masquerade synthesize bank.csv -o half.csv --rebalance y:yes=0.5",
    "masquerade synthesize bank.csv -o level.csv --balance y --flag",
    "masquerade synthesize digits/ -o made/ --watch grids/ --report report.html",
    "masquerade synthesize digits/ -o private/ --epsilon 10 --classes 0,1,2,3,4,5,6,7,8,9",
    "masquerade synthesize bank.csv -o private.csv --schema bank.toml --epsilon 1",
)


def synthesize(
    data: Data,
    output: Output,
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            metavar="NAME",
            help="autoregressive, copula, ctgan, marginals or tvae; default autoregressive, with --epsilon marginals.",
        ),
    ] = None,
    rows: Annotated[int | None, typer.Option("--rows", min=0, metavar="N", help="Default: as many as trained.")] = None,
    given: Given = None,
    rebalance: Rebalance = None,
    temperature: Temperature = None,
    balance: Annotated[
        str | None, typer.Option("--balance", metavar="COL", help="Write the real rows plus new ones, classes level.")
    ] = None,
    flag: Annotated[
        bool, typer.Option("--flag", help="With --balance: add a column 'synthetic', true for new rows.")
    ] = False,
    epochs: Annotated[int | None, typer.Option("--epochs", min=1, metavar="N", help="Default: the model's.")] = None,
    max_minutes: Annotated[
        float | None, typer.Option("--max-minutes", min=0, metavar="M", help="Train at most this long.")
    ] = None,
    protect: MaybeProtect = None,
    epsilon: Annotated[
        float | None,
        typer.Option(
            "--epsilon",
            metavar="E",
            help="Guarantee this ε: smaller is stricter, 1 is usual. Needs --schema, for pictures --classes.",
            rich_help_panel=_GUARANTEE,
        ),
    ] = None,
    delta: Annotated[
        float | None,
        typer.Option("--delta", metavar="D", help="Default 1e-6; never above 1 / rows.", rich_help_panel=_GUARANTEE),
    ] = None,
    rows_per_unit: Annotated[
        int | None,
        typer.Option(
            "--rows-per-unit",
            metavar="K",
            help="With --unit: use K rows of each; default 1.",
            rich_help_panel=_GUARANTEE,
        ),
    ] = None,
    i_know: Annotated[
        bool,
        typer.Option(
            "--i-know", help="Take an ε above 20, which guarantees next to nothing.", rich_help_panel=_GUARANTEE
        ),
    ] = False,
    save: Annotated[Path | None, typer.Option("--save", metavar="MODEL.mq", help="Keep the model.")] = None,
    report: Reports = None,
    target: Target = None,
    sensitive: Sensitive = None,
    holdout_share: Annotated[
        float | None, typer.Option("--holdout-share", metavar="S", help="Kept for the report; default 0.1.")
    ] = None,
    stream: Annotated[
        bool, typer.Option("--stream", help="Do not hold the table in memory; the default for a large file.")
    ] = False,
    size: Size = None,
    channels: Channels = None,
    skip_bad: SkipBad = False,
    labels: Labels = None,
    watch: Annotated[
        Path | None,
        typer.Option(
            "--watch", metavar="DIR", help="A grid of drawn pictures per epoch.", rich_help_panel="Picture sets"
        ),
    ] = None,
    tensorboard: Annotated[
        Path | None,
        typer.Option(
            "--tensorboard",
            metavar="DIR",
            help="Losses, scores, grids and weights for TensorBoard.",
            rich_help_panel="Picture sets",
        ),
    ] = None,
    wandb: Annotated[
        Path | None,
        typer.Option(
            "--wandb",
            metavar="DIR",
            help="The same for Weights & Biases, offline: nothing is sent.",
            rich_help_panel="Picture sets",
        ),
    ] = None,
    keep_epochs: Annotated[
        Path | None,
        typer.Option("--keep-epochs", metavar="DIR", help="The model of each epoch.", rich_help_panel="Picture sets"),
    ] = None,
    start_from: Annotated[
        Path | None,
        typer.Option(
            "--start-from",
            metavar="MODEL.mq",
            help="Go on from a model of public pictures.",
            rich_help_panel="Picture sets",
        ),
    ] = None,
    freeze: Annotated[
        str | None,
        typer.Option(
            "--freeze",
            metavar="A,B,...",
            help="With --start-from: layers of the generator that stay, such as up,paint.",
            rich_help_panel="Picture sets",
        ),
    ] = None,
    classes: Annotated[
        str | None,
        typer.Option(
            "--classes",
            metavar="A,B,...",
            help="With --epsilon: the classes that there may be, which is public.",
            rich_help_panel="Picture sets",
        ),
    ] = None,
    password_file: PasswordFile = None,
    seal_key_file: SealKeyFile = None,
    plain: Plain = False,
    seed: Seed = None,
    quiet: Quiet = False,
    schema: SchemaFile = None,
    unit: Unit = None,
    debug: Debug = False,
) -> None:
    """Make new rows that follow a table's patterns without being any of its rows.

    Beside OUT a ledger, OUT.ledger.json, says what is guaranteed. With --report
    a tenth of the rows (of the units, with --unit) is kept out of training, so
    that the report can judge against people the model never saw.

    With --epsilon the release is differentially private. What the columns are
    is then asked of --schema and not of the data: write one with inspect, check
    that everything in it may be public, set declared = true. Bounds and levels
    that you take out of it are found with noise, for a part of the budget. No
    --seed then: it would undo the noise.
    """
    from masquerade.cli.job import Request, run
    from masquerade.cli.private import asked_privacy
    from masquerade.cli.refusing import refuse_for_tables
    from masquerade.picture_files import is_picture_set

    pictures_only = {
        "--size": size,
        "--channels": channels,
        "--skip-bad": skip_bad,
        "--labels": labels,
        "--watch": watch,
        "--tensorboard": tensorboard,
        "--wandb": wandb,
        "--keep-epochs": keep_epochs,
        "--start-from": start_from,
        "--freeze": freeze,
        "--classes": classes,
    }
    if is_picture_set(data):
        from masquerade.cli.picture_job import PictureRequest, run_pictures
        from masquerade.cli.picture_options import reading_of

        tables_only = {
            "--rebalance": rebalance,
            "--temperature": temperature,
            "--balance": balance,
            "--flag": flag,
            "--protect": protect,
            "--rows-per-unit": rows_per_unit,
            "--target": target,
            "--sensitive": sensitive,
            "--stream": stream,
            "--schema": schema,
            "--unit": unit,
        }
        return run_pictures(
            PictureRequest(
                data=data,
                output=output,
                model=model,
                rows=rows,
                given=given,
                epochs=epochs,
                max_minutes=max_minutes,
                save=save,
                reports=tuple(report or ()),
                holdout_share=holdout_share,
                seed=seed,
                quiet=quiet,
                reading=reading_of(size, channels, skip_bad, labels),
                watch=watch,
                tensorboard=tensorboard,
                wandb=wandb,
                keep_epochs=keep_epochs,
                start_from=start_from,
                freeze=freeze,
                privacy=asked_privacy(epsilon, delta, rows_per_unit=None, unit=None, i_know=i_know),
                classes=classes,
                refused=tables_only,
            )
        )
    refuse_for_tables(data, pictures_only)
    return run(
        Request(
            data=data,
            output=output,
            model=model,
            rows=rows,
            given=given,
            rebalance=rebalance,
            temperature=temperature,
            balance=balance,
            flag=flag,
            epochs=epochs,
            max_minutes=max_minutes,
            protect=protect,
            save=save,
            reports=tuple(report or ()),
            target=target,
            sensitive=tuple(sensitive or ()),
            holdout_share=holdout_share,
            seed=seed,
            quiet=quiet,
            schema=schema,
            unit=unit,
            stream=stream,
            privacy=asked_privacy(epsilon, delta, rows_per_unit=rows_per_unit, unit=unit, i_know=i_know),
        )
    )
