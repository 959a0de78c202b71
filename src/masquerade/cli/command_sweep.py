"""`masquerade sweep`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from masquerade.cli.boundary import tell
from masquerade.cli.options import (
    Data,
    Debug,
    PasswordFile,
    Quiet,
    SchemaFile,
    SealKeyFile,
    Seed,
    Target,
    Unit,
    examples,
)

if TYPE_CHECKING:
    from rich.table import Table

    from masquerade.studies.sweeping import Sweep

EXAMPLES = examples(
    "masquerade sweep look-alike.csv --schema schema.toml --target y -o sweep.html",
    "masquerade sweep look-alike.csv --schema schema.toml --epsilons .5,1,2 -o sweep.json",
    "masquerade evaluate real.csv private.csv --sweep sweep.json -o report.html",
    "masquerade verify bank.mq sweep.json.ledger.json    (if it was run on the real rows)",
)


def sweep(
    data: Data,
    output: Annotated[
        list[Path], typer.Option("--output", "-o", metavar="OUT", help="The findings: .html or .json; may be repeated.")
    ],
    target: Target = None,
    epsilons: Annotated[
        str, typer.Option("--epsilons", metavar="E,E", help="What to try, separated by commas.")
    ] = ".1,.3,1,3,10",
    delta: Annotated[float | None, typer.Option("--delta", metavar="D", help="Of each release; default 1e-6.")] = None,
    model: Annotated[str, typer.Option("--model", metavar="NAME", help="One that keeps guarantees.")] = "marginals",
    repeats: Annotated[
        int, typer.Option("--repeats", metavar="N", help="Releases for each ε; more show how much is chance.")
    ] = 1,
    holdout: Annotated[
        Path | None,
        typer.Option("--holdout", metavar="H", help="Rows that no release may see; default: a fifth of DATA."),
    ] = None,
    password_file: PasswordFile = None,
    seal_key_file: SealKeyFile = None,
    seed: Seed = None,
    quiet: Quiet = False,
    schema: SchemaFile = None,
    unit: Unit = None,
    debug: Debug = False,
) -> None:
    """Try several ε, and show what each would give analysts and leave attackers.

    A sweep spends budget itself: it fits a private release for each ε, and
    judges each beside the rows. So run it on public or synthetic rows that look
    like yours. Run on private ones it is charged: OUT.ledger.json says what all
    of it spent together, and `verify` adds that to the ε of the release.

    --seed settles which rows are held out and what judges draw, not the noise.
    """
    from masquerade.cli import checks
    from masquerade.cli.release import all_or_nothing, write_ledger
    from masquerade.cli.sealed import read_table
    from masquerade.cli.tables import declared_schema
    from masquerade.errors import SchemaError
    from masquerade.privacy.accounting import need_dp
    from masquerade.privacy.budget import DELTA
    from masquerade.privacy.ledger import ledger_path
    from masquerade.progress import ConsoleProgress
    from masquerade.seeds import check_seed

    tried = _numbers(epsilons)
    checks.check_outputs([("--output", path, checks.REPORTS) for path in output], [data, holdout, schema])
    need_dp()
    found = declared_schema(schema, unit)
    if found is None or not found.declared:
        what = "is needed" if found is None else f"{schema} says declared = false"
        raise SchemaError(
            f"--schema: {what}; write one with `masquerade inspect {data} -o schema.toml`, check that everything in it may be "
            "public knowledge, and set declared = true."
        )
    checks.check_column("--target", target, found.names)

    from masquerade.studies import sweeping  # loads JAX, which a refusal above need not wait for

    with ConsoleProgress() as bar:
        done = sweeping.sweep(
            read_table(data),
            found,
            target=target,
            epsilons=tried,
            delta=DELTA if delta is None else delta,
            model=model,
            repeats=repeats,
            holdout=None if holdout is None else read_table(holdout),
            seed=check_seed(seed),
            callback=None if quiet else bar,
        )
    with all_or_nothing([path for out in output for path in (out, ledger_path(out))]):
        for path in output:
            _write(done, path)
            write_ledger(path, done.ledger())
    tell(_table(done))
    for path in output:
        tell(f"Wrote {path} and {ledger_path(path).name}")
    tell(done.sentence())


def _numbers(text: str) -> list[float]:
    from masquerade.errors import SettingError

    try:
        return [float(word) for word in text.split(",")]
    except ValueError:
        raise SettingError(f"--epsilons: got {text!r}, expected numbers separated by commas, such as .3,1,3.") from None


def _write(done: Sweep, path: Path) -> None:
    import json

    from masquerade.atomic import atomic_path
    from masquerade.judge.html import page_of_panels
    from masquerade.studies.sweeping_panels import panels

    if path.suffix.lower() == ".json":
        text = json.dumps(done.to_dict(), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    else:
        many = len({point.epsilon for point in done.points})
        lede = f"What each of {many} ε gives analysts and leaves attackers: {done.rows:,} rows, {done.model}."
        cautions = [
            done.sentence(),
            "Every figure here was computed from the rows without noise. If they were private, share this page as carefully "
            "as the rows.",
            "What one ε gives on other rows, it will roughly give on yours; the guarantee itself never depends on the rows.",
        ]
        text = page_of_panels("What if: choosing ε", lede, cautions, panels(done))
    with atomic_path(path) as temporary:
        Path(temporary).write_text(text, encoding="utf-8")


def _table(done: Sweep) -> Table:
    """The figures for the terminal."""
    from rich import box
    from rich.table import Table

    shown = ["univariate_accuracy", "bivariate_accuracy", *(["tstr", "trtr"] if done.target is not None else [])]
    shown += ["membership_auc", "allowed_auc"]
    means = {name: done.means(name) for name in shown}
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("ε", justify="right")
    for name in shown:
        table.add_column(name, justify="right")
    for epsilon in sorted({point.epsilon for point in done.points}):
        cells = [means[name].get(epsilon) for name in shown]
        table.add_row(f"{epsilon:g}", *("–" if cell is None else f"{cell:.3f}" for cell in cells))
    return table
