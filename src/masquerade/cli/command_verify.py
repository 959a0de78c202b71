"""`masquerade verify`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from masquerade.cli.boundary import tell
from masquerade.cli.options import Debug, PasswordFile, Quiet, SealKeyFile, examples

if TYPE_CHECKING:
    from rich.table import Table

    from masquerade.privacy.claims import Claim, Composed
    from masquerade.privacy.ledger import Ledger

EXAMPLES = examples(
    "masquerade verify bank.mq",
    "masquerade verify bank.mq second.mq --at-most 3    (two models of one table)",
    "masquerade verify synthetic.csv.ledger.json",
)

LEDGER = ".json"


def verify(
    models: Annotated[
        list[Path], typer.Argument(metavar="MODEL.mq", help="Models, or ledgers (OUT.ledger.json), of one table.")
    ],
    at_most: Annotated[
        float | None,
        typer.Option(
            "--at-most", metavar="E", help="Also fail if ε of all together is above E, or nothing is guaranteed."
        ),
    ] = None,
    password_file: PasswordFile = None,
    seal_key_file: SealKeyFile = None,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Recompute every guarantee from what its ledger says was done.

    No data is needed: each model carries the list of everything its budget was
    spent on. ε is added up again, by two methods, and held against the claim;
    of several models of one table also what they give away together. Name a
    model or its release's ledger, not both: they share one budget.

    Exit code 3 if a claim is lower than what was done.
    """
    from masquerade.cli import checks
    from masquerade.errors import GateError, SettingError
    from masquerade.privacy.claims import compose

    if at_most is not None and not 0 < at_most < float("inf"):
        raise SettingError(f"--at-most: got {at_most!r}, expected a finite number above 0.")
    if len({path.resolve() for path in models}) < len(models):
        raise SettingError("MODEL.mq: a file is named twice, and would be counted twice; name each once.")
    checks.check_outputs([], models)
    ledgers = [_ledger(path) for path in models]
    claims = [_checked(path, ledger) for path, ledger in zip(models, ledgers, strict=True)]
    made = [claim for claim in claims if claim is not None]
    together = compose(made) if len(made) > 1 else None
    if made:
        tell(_table(models, ledgers, claims, together))
        relations = {str(claim.ledger.relation) for claim in made}
        if len(relations) == 1:
            tell(f"Neighbouring tables, which nobody can tell apart by more than that: {relations.pop()}.")
    for path, ledger, claim in zip(models, ledgers, claims, strict=True):
        if claim is None:
            tell(f"{path}: {ledger.sentence()}")
    if len(made) > 1 and together is None:
        tell("They protect different units, whose guarantees do not add up to one.")
    broken = [
        (path, claim) for path, claim in zip(models, claims, strict=True) if claim is not None and not claim.holds
    ]
    if broken:
        path, claim = broken[0]
        raise GateError(
            f"{path}: it claims ε = {claim.ledger.epsilon:g}, and its events give {_figure(claim.epsilon)}; "
            "do not rely on the claim."
        )
    if at_most is not None:
        _check_limit(models, made, together, at_most)


def _ledger(path: Path) -> Ledger:
    from masquerade import artifact
    from masquerade.cli.sealed import secret_of
    from masquerade.errors import ArtifactError, FileError
    from masquerade.privacy.ledger import Ledger

    if path.suffix == LEDGER:
        return Ledger.read(path)
    config = artifact.read(path, secret=secret_of(path)).config
    told = config.get("ledger")
    if not isinstance(told, dict) or not isinstance(told.get("guarantee"), str):
        raise ArtifactError(f"{path}: there is no ledger inside; save the model again.")
    try:
        return Ledger.from_dict(told)
    except FileError as error:
        raise ArtifactError(f"{path}: {error}") from error


def _checked(path: Path, ledger: Ledger) -> Claim | None:
    from masquerade.errors import ArtifactError
    from masquerade.privacy.claims import check_claim

    try:
        return check_claim(ledger)
    except ArtifactError as error:
        raise ArtifactError(f"{path}: {error}") from error


def _check_limit(models: list[Path], made: list[Claim], together: Composed | None, at_most: float) -> None:
    from masquerade.errors import GateError

    if len(made) < len(models):
        raise GateError("--at-most: there is a model without a guarantee, which no ε bounds.")
    if together is None and len(made) > 1:
        raise GateError("--at-most: the models protect different units; verify them one by one.")
    epsilon = made[0].epsilon if together is None else together.epsilon
    if epsilon > at_most:
        raise GateError(f"--at-most: ε is {_figure(epsilon)}, expected at most {at_most:g}.")


def _table(models: list[Path], ledgers: list[Ledger], claims: list[Claim | None], together: Composed | None) -> Table:
    """Facts down, models across, the last column all together."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from masquerade.privacy.events import STAGES

    made = [
        (path, ledger, claim) for path, ledger, claim in zip(models, ledgers, claims, strict=True) if claim is not None
    ]
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("", no_wrap=True)
    for path, _, _ in made:
        table.add_column(path.name, justify="right", overflow="fold")
    if together is not None:
        table.add_column("together", justify="right", style="bold")

    def row(name: str, values: list[str | Text], last: str = "") -> None:
        table.add_row(name, *values, *([last] if together is not None else []))

    row("model", [ledger.mechanism for _, ledger, _ in made])
    row("protects each", [ledger.unit for _, ledger, _ in made], made[0][1].unit)
    relations = [str(ledger.relation) for _, ledger, _ in made]
    if len(set(relations)) > 1:
        row("neighbours", list(relations))
    row("δ", [f"{ledger.delta:g}" for _, ledger, _ in made], "" if together is None else f"{together.delta:g}")
    row("ε claimed", [_figure(ledger.epsilon or 0.0) for _, ledger, _ in made])
    found = "" if together is None else _figure(together.epsilon)
    row("ε of what was done", [_figure(claim.epsilon) for _, _, claim in made], found)
    found = "" if together is None else _figure(together.epsilon_rdp)
    row("  by Rényi", [_figure(claim.epsilon_rdp) for _, _, claim in made], found)
    for stage in STAGES:
        if any(stage in claim.split for _, _, claim in made):
            alone = [_figure(claim.split[stage]) if stage in claim.split else "" for _, _, claim in made]
            row(f"  {stage} alone", list(alone))
    row("the claim", [Text("holds", "green") if claim.holds else Text("too low", "bold red") for _, _, claim in made])
    return table


def _figure(epsilon: float) -> str:
    """ε rounded up, so that nothing looks better than it is."""
    import math

    if not 0 < epsilon < 1e6:
        return f"{epsilon:g}"
    unit = 10.0 ** (math.floor(math.log10(epsilon)) - 3)
    return f"{math.ceil(epsilon / unit - 1e-6) * unit:.4g}"
