"""What `synthesize --epsilon` asks for, what cannot be had with it, and how its table is read."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from masquerade import spelling
from masquerade.cli.boundary import say, tell
from masquerade.cli.reading import HOLDOUT_SHARE, Reading
from masquerade.cli.refusing import refuse
from masquerade.cli.sealed import read_table
from masquerade.errors import SchemaError, SettingError
from masquerade.files import read_schema
from masquerade.holdout import hold_out
from masquerade.privacy.accounting import need_dp
from masquerade.privacy.budget import DELTA, Privacy
from masquerade.privacy.ledger import Ledger
from masquerade.schema import Schema

if TYPE_CHECKING:
    from masquerade.cli.job import Request

__all__ = [
    "DEFAULT",
    "PRIVATE_DEFAULT",
    "asked_privacy",
    "check_private",
    "check_private_model",
    "read_private",
    "tell_guarantee",
    "undeclared",
]

DEFAULT, PRIVATE_DEFAULT = "autoregressive", "marginals"
"""The model that is taken where none is named, without and with a guarantee."""


def asked_privacy(
    epsilon: float | None, delta: float | None, *, rows_per_unit: int | None, unit: str | None, i_know: bool
) -> Privacy | None:
    """The guarantee that was asked for; None without `--epsilon`.

    Raises:
        SettingError: an option that needs `--epsilon`, or a figure out of its range.
    """
    if epsilon is None:
        parts = {"--delta": delta, "--rows-per-unit": rows_per_unit, "--i-know": i_know}
        refuse(parts, "is part of a guarantee, add --epsilon E.")
        return None
    return Privacy(
        epsilon=epsilon,
        delta=DELTA if delta is None else delta,
        unit=unit,
        rows_per_unit=1 if rows_per_unit is None else rows_per_unit,
        i_know=i_know,
    )


def check_private(request: Request) -> None:
    """Refuse what a guarantee does not go with, before anything is read.

    Raises:
        SettingError: such an option, or the extra `dp` is not installed.
        SchemaError: no declared schema.
    """
    if request.privacy is None:
        if (request.model or "").lower() == PRIVATE_DEFAULT:
            raise SettingError(
                f"--model {PRIVATE_DEFAULT}: learns under a guarantee only, add --epsilon E and --schema S.toml."
            )
        return
    refused = {
        "--seed": (
            request.seed,
            "a published seed would undo the noise, leave it out; rows of a saved model (--save) can be drawn with a seed: "
            "masquerade sample --seed",
        ),
        "--protect": (request.protect, "is a measure without a guarantee, and --epsilon gives one; leave it out"),
        "--balance": (request.balance, "writes the real rows, and no guarantee covers them; leave it or --epsilon out"),
        "--stream": (request.stream or None, "a private fit reads the whole table; leave it out"),
    }
    for option, (value, why) in refused.items():
        if value is not None:
            raise SettingError(f"{option}: {why}.")
    if request.schema is None:
        raise SchemaError(
            "--schema: --epsilon needs one, for what is inferred from the rows would tell of them. "
            f"1. masquerade inspect {request.data} -o schema.toml; 2. check it, take out what is not public, set "
            "declared = true; "
            f"3. masquerade synthesize {request.data} -o {request.output} --schema schema.toml "
            f"--epsilon {request.privacy.epsilon:g}"
        )
    need_dp()


def check_private_model(name: str, model: Any) -> None:
    """Refuse a model that cannot keep a guarantee, naming those that can."""
    from masquerade.cli.models import private_models  # loads JAX, which refusals before this one need not wait for

    if model.spends is None:
        raise SettingError(
            f"--model {name}: cannot keep a guarantee; with --epsilon take {' or '.join(private_models())}."
        )


def read_private(request: Request, seed: int) -> Reading:
    """The table and its declared schema; how many rows there are is not told.

    Args:
        request: with a guarantee.
        seed: of the choice of rows for the report; never told.

    Raises:
        SchemaError: the schema is not declared, or, where a report is asked for, does not fit a cell.
    """
    assert request.schema is not None, "checked before"
    schema = read_schema(request.schema)
    if not schema.declared:
        raise SchemaError(
            f"--schema: {request.schema} says declared = false; check that everything in it may be public knowledge, take out "
            "bounds and levels that are not, and set declared = true."
        )
    if request.unit is not None:
        if schema.unit not in (None, request.unit):
            raise SettingError(
                f"--unit: got {request.unit!r}, but {request.schema} says {schema.unit!r}; give one of them."
            )
        schema = dataclasses.replace(schema, unit=request.unit)
    raw = read_table(request.data)
    if not request.reports:
        return Reading(train=raw, holdout=None, schema=schema, rows=0)
    spelling.parse(
        raw, undeclared(schema)
    )  # the report cannot judge cells that do not fit: say so before the budget is spent
    share = HOLDOUT_SHARE if request.holdout_share is None else request.holdout_share
    train, holdout = hold_out(raw, share, seed=seed, unit=schema.unit)
    tell(f"Held out {share:.0%} of the {'rows' if schema.unit is None else schema.unit + 's'} for the report.")
    return Reading(train=train, holdout=holdout, schema=schema, rows=0)


def undeclared(schema: Schema) -> Schema:
    """The same schema for judging real rows, some of which may lie beyond what is declared."""
    return dataclasses.replace(schema, declared=False)


def tell_guarantee(
    ledger: Ledger, *, reports: bool, public: str = "the schema, which you declared public", rows: str = "rows"
) -> None:
    """Say what is guaranteed, what the budget went to, and what the guarantee does not cover."""
    tell(ledger.sentence())
    parts = ", ".join(f"{stage} {epsilon:.2g}" for stage, epsilon in ledger.split.items())
    tell(f"What each stage alone would cost in ε: {parts}. Not covered: {public}.")
    if reports:
        say(
            "warning",
            f"the report was computed from real {rows}, and no guarantee covers it: keep it inside the house.",
        )
