"""`masquerade audit`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from masquerade.cli.boundary import tell
from masquerade.cli.options import Debug, PasswordFile, Quiet, SchemaFile, SealKeyFile, Seed, Unit, examples

if TYPE_CHECKING:
    from masquerade.schema import Schema
    from masquerade.studies.auditing.whole import Audit

EXAMPLES = examples(
    "masquerade audit",
    "masquerade audit bank.csv --schema bank.toml --model autoregressive --epsilon 3 --epochs 2",
    "masquerade audit bank.csv --schema bank.toml --trials 500 --canaries 1000 -o audit.html",
)

REPORTS = (".html", ".json")
COLUMNS = ("age", "job", "marital", "education", "y")
"""Of the bundled table."""


def audit(
    data: Annotated[
        Path | None, typer.Argument(metavar="DATA", help="The table; default: some columns of bundled bank data.")
    ] = None,
    model: Annotated[
        str, typer.Option("--model", metavar="NAME", help="autoregressive, ctgan or marginals.")
    ] = "marginals",
    epsilon: Annotated[float, typer.Option("--epsilon", metavar="E", help="ε that is claimed.")] = 1.0,
    delta: Annotated[
        float | None, typer.Option("--delta", metavar="D", help="δ that is claimed; default 1e-6.")
    ] = None,
    trials: Annotated[
        int, typer.Option("--trials", metavar="N", help="Fits with a canary, and as many without.")
    ] = 100,
    canaries: Annotated[
        int, typer.Option("--canaries", min=0, metavar="N", help="One further fit with so many canaries at once.")
    ] = 0,
    rows: Annotated[int, typer.Option("--rows", min=10, metavar="N", help="Of the table, so many are fitted.")] = 1_000,
    confidence: Annotated[
        float, typer.Option("--confidence", metavar="C", help="With which all bounds hold at once.")
    ] = 0.95,
    epochs: Annotated[int | None, typer.Option("--epochs", min=1, metavar="N", help="Default: the model's.")] = None,
    output: Annotated[
        list[Path] | None,
        typer.Option("--output", "-o", metavar="A.json", help="The audit: .json or .html; may be repeated."),
    ] = None,
    i_know: Annotated[bool, typer.Option("--i-know", help="Audit an ε above 20 all the same.")] = False,
    password_file: PasswordFile = None,
    seal_key_file: SealKeyFile = None,
    seed: Seed = None,
    quiet: Quiet = False,
    schema: SchemaFile = None,
    unit: Unit = None,
    debug: Debug = False,
) -> None:
    """Try to disprove the ε that a private model claims.

    Each kind of mechanism that the model's ledger lists is run many times on
    two neighbouring tables, white box; then whole models are fitted with and
    without a canary, and judged by what leaves the house. How often an attacker
    is wrong about the canary says what ε is at least. The program ends with
    exit code 3 where that is more than what is claimed.
    """
    from masquerade.cli import checks
    from masquerade.cli.models import private_models, synthesizer
    from masquerade.errors import GateError, SettingError
    from masquerade.privacy.budget import DELTA, Privacy

    outputs = output or []
    checks.check_outputs([("--output", path, REPORTS) for path in outputs], [data, schema])
    if seed is not None:
        raise SettingError("--seed: the noise comes from the operating system and knows no seed; leave it out.")
    privacy = Privacy(epsilon, DELTA if delta is None else delta, unit=unit, i_know=i_know)
    chosen = synthesizer(model)
    if chosen.spends is None:
        raise SettingError(f"--model {model}: cannot keep a guarantee; take {' or '.join(private_models())}.")
    settings: dict[str, Any] = {"privacy": privacy}
    if epochs is not None:
        if "epochs" not in chosen._defaults():
            raise SettingError(f"--epochs: {model} does not train in epochs, leave it out.")
        settings["epochs"] = epochs
    table, declared = _table(data, schema)

    from masquerade.progress import ConsoleProgress
    from masquerade.studies.auditing.whole import audit_model

    with ConsoleProgress() as bar:
        found = audit_model(
            chosen(**settings),
            table,
            declared,
            trials=trials,
            canaries=canaries,
            rows=rows,
            confidence=confidence,
            callback=None if quiet else bar,
        )
    _write(found, outputs)
    tell(_shown(found))
    for path in outputs:
        tell(f"Wrote {path}")
    failed = [finding.sentence() for finding in found.findings if finding.disproved]
    if failed:
        raise GateError(f"audit: {' '.join(failed)}")
    tell(
        f"No claim was contradicted; all bounds hold at once with {100 * confidence:.10g} % confidence. That is no proof."
    )


def _table(data: Path | None, schema: Path | None) -> tuple[Any, Schema]:
    """The table and its declared schema; the bundled one is public, and so is what is inferred from it."""
    import dataclasses

    from masquerade.errors import SchemaError, SettingError

    if data is None:
        if schema is not None:
            raise SettingError("--schema: says what the columns of DATA are, and no DATA was given.")
        from masquerade import inference
        from masquerade.datasets import load_bank

        bank = load_bank().select(COLUMNS)
        return bank, dataclasses.replace(inference.infer(bank), declared=True)
    from masquerade.cli.sealed import read_table
    from masquerade.files import read_schema

    declared = None if schema is None else read_schema(schema)
    if declared is None or not declared.declared:
        raise SchemaError(
            "--schema: a private fit needs a declared one; write it with `masquerade inspect`, check that all of it may be "
            "public, and set declared = true."
        )
    return read_table(data), declared


def _write(found: Audit, outputs: list[Path]) -> None:
    import json

    from masquerade.atomic import atomic_path
    from masquerade.cli.release import all_or_nothing
    from masquerade.judge.report import plain
    from masquerade.studies.auditing.page import page

    with all_or_nothing(outputs):
        for path in outputs:
            data = json.dumps(plain(found.to_dict()), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
            with atomic_path(path) as temporary:
                Path(temporary).write_text(data if path.suffix.lower() == ".json" else page(found), encoding="utf-8")


def _shown(found: Audit) -> Any:
    """The findings as a table for the terminal."""
    from rich.table import Table
    from rich.text import Text

    table = Table(title=f"Audit of {found.model}")
    for name in ("mechanism", "ε at least", "ε claimed", "runs", "seconds", ""):
        table.add_column(name, justify="right" if name.startswith(("ε", "r", "s")) else "left")
    for finding in found.findings:
        verdict = Text("above the claim", "red") if finding.disproved else Text("within the claim", "green")
        figures = f"{finding.bound:.3f}", f"{finding.epsilon:.3f}", f"{finding.trials:,}", f"{finding.seconds:.1f}"
        table.add_row(finding.mechanism, *figures, verdict)
    return table
