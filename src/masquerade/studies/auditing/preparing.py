"""Private preparation audited white box: the noised counts that a model learns from, and the domains that were found."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from masquerade.privacy.budget import Privacy
from masquerade.schema import Schema
from masquerade.studies.auditing.canaries import rare_row
from masquerade.studies.auditing.claim import Claim
from masquerade.studies.auditing.findings import Finding
from masquerade.studies.auditing.pairs import audit_pairs
from masquerade.synthesize import private
from masquerade.synthesize.private import Prepared, Spending

__all__ = ["SPENDING", "audit_domains", "audit_preparation"]

SPENDING = Spending(domains=0.1, marginals=0.85, most_bins=16)
"""Nearly all of the budget, on what is audited here."""


def audit_preparation(
    table: pl.DataFrame,
    schema: Schema,
    privacy: Privacy,
    *,
    trials: int,
    spending: Spending = SPENDING,
    confidence: float = 0.95,
    name: str = "private preparation, its counts",
) -> Finding:
    """The noised counts of every column at the canary's values, added up; of numbers none, for their bins move.

    Args:
        table: typed rows, few: an audit may choose any.
        schema: declared.
        privacy: the budget.
        trials: preparations of each side.
        spending: how the budget is split.
        confidence: of the bound.
        name: of the mechanism.
    """
    canary = rare_row(table, schema)

    def seen(prepared: Prepared) -> float:
        codes = prepared.codec.encode(canary, 0).codes[0]
        names = prepared.codec.layout.names
        return float(sum(prepared.counts[i][codes[i]] for i, name in enumerate(names) if not schema[name].is_numeric))

    return _audited(seen, table, canary, schema, privacy, spending, trials, confidence, name)


def audit_domains(
    table: pl.DataFrame,
    schema: Schema,
    privacy: Privacy,
    *,
    trials: int,
    spending: Spending = SPENDING,
    confidence: float = 0.95,
    name: str = "private preparation, its domains",
) -> Finding:
    """The levels and bounds that were found where none are declared: whether the canary's own level is among them, and how far
    the bounds reach.

    Args:
        table, schema, privacy, trials, spending, confidence, name: as in `audit_preparation`; some column declares no levels,
            or no bounds.
    """
    canary = rare_row(table, schema)

    def seen(prepared: Prepared) -> NDArray[np.float64]:
        found = []
        for column in schema:
            known = prepared.codec.schema[column.name]
            if column.kind == "categorical" and column.levels is None:
                found.append(float(canary[column.name][0] in (known.levels or ())))
            elif column.kind in ("integer", "continuous") and None in (column.minimum, column.maximum):
                found.append(
                    math.log1p(abs(float(known.maximum or 0.0))) + math.log1p(abs(float(known.minimum or 0.0)))
                )
        return np.array([found])

    return _audited(seen, table, canary, schema, privacy, spending, trials, confidence, name)


def _audited(
    seen: Any,
    table: pl.DataFrame,
    canary: pl.DataFrame,
    schema: Schema,
    privacy: Privacy,
    spending: Spending,
    trials: int,
    confidence: float,
    name: str,
) -> Finding:
    last: list[Prepared] = []

    def mechanism(rows: pl.DataFrame) -> Any:
        opened = private.open_private(rows, schema, privacy, seed=None, unit=None)
        last[:] = [private.prepare(opened, privacy, spending)]
        return seen(last[0])

    def claim() -> Claim:
        accountant = last[0].accountant
        return Claim(accountant.spent(), privacy.delta, tuple(accountant.events))

    return audit_pairs(
        mechanism, table, pl.concat([table, canary]), claim=claim, trials=trials, name=name, confidence=confidence
    )
