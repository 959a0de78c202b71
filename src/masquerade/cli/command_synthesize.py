"""`masquerade synthesize`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from masquerade.cli.options import (
    Data,
    Debug,
    Given,
    Output,
    PasswordFile,
    Plain,
    Protect,
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

EXAMPLES = examples(
    "masquerade synthesize bank.csv -o synthetic.csv",
    "masquerade synthesize bank.csv -o out.parquet --rows 1000000 --save bank.mq",
    "masquerade synthesize bank.csv -o out.csv --report report.html --target y",
    "masquerade synthesize bank.csv -o yes.csv --given y=yes --given age=33 --rows 500",
    "masquerade synthesize bank.csv -o half.csv --rebalance y:yes=0.5",
    "masquerade synthesize bank.csv -o level.csv --balance y --flag",
)


def synthesize(
    data: Data,
    output: Output,
    model: Annotated[
        str, typer.Option("--model", metavar="NAME", help="autoregressive, copula, ctgan or tvae.")
    ] = "autoregressive",
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
    protect: Protect = 10,
    epsilon: Annotated[float | None, typer.Option("--epsilon", metavar="E", help="Not available yet.")] = None,
    delta: Annotated[float | None, typer.Option("--delta", metavar="D", help="Not available yet.")] = None,
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
    """
    from masquerade.cli.checks import not_yet
    from masquerade.cli.job import Request, run

    if epsilon is not None or delta is not None:
        option, value = ("--epsilon", epsilon) if epsilon is not None else ("--delta", delta)
        raise not_yet(option, value, "no model here gives a differential privacy guarantee")
    run(
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
        )
    )
