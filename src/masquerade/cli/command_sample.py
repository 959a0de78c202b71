"""`masquerade sample`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from masquerade.cli.boundary import tell
from masquerade.cli.options import (
    Debug,
    Given,
    Output,
    PasswordFile,
    Plain,
    Quiet,
    Rebalance,
    SchemaFile,
    SealKeyFile,
    Seed,
    Temperature,
    Unit,
    examples,
)

EXAMPLES = examples(
    "masquerade sample bank.mq -n 10000 -o synthetic.csv",
    "masquerade sample bank.mq -n 500 -o yes.parquet --given y=yes --given age=33 --seed 1",
    "masquerade sample bank.mq -n 500 -o half.csv --rebalance y:yes=0.5 --temperature 0.8",
    "masquerade sample digits.mq -n 100 -o sevens/ --given label=7",
)


def sample(
    model: Annotated[Path, typer.Argument(metavar="MODEL.mq", help="A model that synthesize --save kept.")],
    rows: Annotated[int, typer.Option("--rows", "-n", min=0, metavar="N", help="How many rows, or pictures.")],
    output: Output,
    given: Given = None,
    rebalance: Rebalance = None,
    temperature: Temperature = None,
    password_file: PasswordFile = None,
    seal_key_file: SealKeyFile = None,
    plain: Plain = False,
    seed: Seed = None,
    quiet: Quiet = False,
    schema: SchemaFile = None,
    unit: Unit = None,
    debug: Debug = False,
) -> None:
    """Draw new rows or pictures from a saved model, without the data it learnt from.

    With --schema or --unit the model is refused unless it was trained with
    just that schema or unit.
    """
    from masquerade.cli import checks
    from masquerade.cli.control import check_model, read_control
    from masquerade.cli.picture_sampling import sample_pictures
    from masquerade.cli.release import all_or_nothing, write_ledger, write_rows
    from masquerade.cli.sealed import secret_of
    from masquerade.cli.tables import declared_schema
    from masquerade.errors import SchemaError, SettingError
    from masquerade.loading import load
    from masquerade.privacy.ledger import ledger_path
    from masquerade.progress import ConsoleProgress
    from masquerade.seeds import check_seed
    from masquerade.synthesize import ImageSynthesizer, Synthesizer

    fitted = load(model, secret=secret_of(model))
    if isinstance(fitted, ImageSynthesizer):
        only_tables = {"--rebalance": rebalance, "--temperature": temperature, "--schema": schema, "--unit": unit}
        sample_pictures(model, fitted, rows, output, given, seed=seed, quiet=quiet, refused=only_tables)
        return
    if not isinstance(fitted, Synthesizer):
        raise SettingError(f"{model}: holds a {type(fitted).__name__}, expected a synthesizer, which makes new rows.")
    ledger_file = ledger_path(output)
    checks.check_outputs(
        [("--output", output, checks.TABLES), ("--output", ledger_file, checks.REPORTS)], [model, schema]
    )
    expected = declared_schema(schema, None)
    condition = checks.split_given(given)
    found = fitted.schema_
    if expected is not None and [(c.name, c.kind) for c in expected] != [(c.name, c.kind) for c in found]:
        raise SchemaError(f"--schema: {schema} has other columns or kinds than the schema of {model}.")
    if unit is not None and unit != found.unit:
        raise SchemaError(f"--unit: the unit of {model} is {found.unit or 'the row'!r}, not {unit!r}.")
    control = read_control(rebalance, temperature, found)
    check_model(condition, control, found, type(fitted))
    seed = check_seed(seed)
    with ConsoleProgress() as bar, all_or_nothing([output, ledger_file]):
        frames = fitted.sample_chunks(rows, given=condition, random_state=seed, **control)
        write_rows(output, frames, rows, None if quiet else bar)
        write_ledger(output, fitted.ledger_)
    tell(f"Wrote {output} and {ledger_file.name}")
    tell(fitted.ledger_.sentence())
