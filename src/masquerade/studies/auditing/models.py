"""Whole fits audited from what leaves the house: the model file and rows drawn from it."""

from __future__ import annotations

import secrets
import time
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.base import clone

from masquerade import frames, spelling
from masquerade.errors import SettingError, TableError
from masquerade.interrupts import whole
from masquerade.privacy.ledger import Ledger
from masquerade.progress import Callback, Progress
from masquerade.schema import Schema
from masquerade.studies.auditing.canaries import random_rows, rare_row
from masquerade.studies.auditing.claim import Claim
from masquerade.studies.auditing.findings import Finding
from masquerade.studies.auditing.one_run import audit_one_run
from masquerade.studies.auditing.pairs import audit_pairs
from masquerade.synthesize.base import Synthesizer
from masquerade.synthesize.private_cells import read_declared

__all__ = ["ROWS", "audit_fits", "audit_one_fit", "evidence_of", "fitted_ledger"]

Floats = NDArray[np.float64]

ROWS = 1_000
"""Rows of the table that canaries are added to: an audit may choose any table, and a small one is quick to fit. One that is too
small may be refused, for its rows are counted with noise."""

REFUSED = (0.0, 0.0, -1e3)
"""What a fit that was refused tells."""

_DRAWN = 1_000


def audit_fits(
    model: Synthesizer,
    table: Any,
    schema: Schema,
    *,
    trials: int = 100,
    rows: int = ROWS,
    confidence: float = 0.95,
    name: str | None = None,
    callback: Callback | None = None,
) -> Finding:
    """Fit a model many times with and without a canary, and tell from each fitted model whether the canary was in.

    Args:
        model: with `privacy=`; it is cloned, and not fitted itself.
        table: some rows of it make the small table that is fitted.
        schema: declared.
        trials: fits of each side.
        rows: of the small table.
        confidence: of the bound.
        name: of the mechanism; None: the model's class.
        callback: told after every fit how far the audit is.

    Raises:
        SettingError: the model has no guarantee, or too few trials.
    """
    without = _small(model, table, schema, rows)
    canary = rare_row(without, schema)
    last: list[Synthesizer] = []

    def mechanism(some: pl.DataFrame) -> Floats:
        try:
            last[:] = [whole(_silent(model).fit(some, schema=schema))]
        except TableError:  # too few rows, counted with noise: an outcome like any other
            return np.array([REFUSED])
        return evidence_of(last[0], canary)

    def claim() -> Claim:
        if not last:
            raise TableError(f"table: {without.height} rows are too few for this guarantee; audit with more.")
        return Claim.of(last[0].ledger_)

    return audit_pairs(
        mechanism,
        without,
        pl.concat([without, canary]),
        claim=claim,
        trials=trials,
        name=name or type(model).__name__,
        confidence=confidence,
        callback=callback,
    )


def audit_one_fit(
    model: Synthesizer,
    table: Any,
    schema: Schema,
    *,
    canaries: int = 500,
    rows: int = ROWS,
    confidence: float = 0.95,
    name: str | None = None,
    callback: Callback | None = None,
) -> Finding:
    """Fit a model once with random canaries, each in with probability ½, and guess which of them were in.

    Args:
        model, table, schema, rows, confidence, name, callback: as in `audit_fits`.
        canaries: how many rows are made up, each cell drawn evenly from what is declared.
    """
    base = _small(model, table, schema, rows)
    planted = random_rows(base, schema, canaries)
    began = time.monotonic()
    fitted: list[Synthesizer] = []

    def mechanism(inside: NDArray[np.bool_]) -> Floats:
        fitted[:] = [whole(_silent(model).fit(pl.concat([base, planted.filter(pl.Series(inside))]), schema=schema))]
        found = evidence_of(fitted[0], planted)
        spread = found.std(axis=0)
        return np.asarray(((found - found.mean(axis=0)) / np.where(spread > 0, spread, 1.0)).sum(axis=1), np.float64)

    found = audit_one_run(
        mechanism,
        canaries,
        claim=lambda: Claim.of(fitted[0].ledger_),
        name=name or type(model).__name__,
        confidence=confidence,
    )
    if callback is not None:
        callback(Progress("audit", 1, 1, time.monotonic() - began, finished=True))
    return found


def fitted_ledger(model: Synthesizer, table: Any, schema: Schema, rows: int = ROWS) -> Ledger:
    """The ledger of one fit of the model to some rows of the table."""
    fitted: Synthesizer = whole(_silent(model).fit(_small(model, table, schema, rows), schema=schema))
    return fitted.ledger_


def evidence_of(model: Synthesizer, canaries: pl.DataFrame) -> Floats:
    """What a fitted model tells of each canary, higher where it rather was in, shape (canaries, 3).

    The shares of its codes among the noised counts that the model file holds, added over the columns; how many pairs of its
    values drawn rows agree with, on average; and its log-likelihood, 0 where the model tells none.
    """
    codes = model.codec_.encode(canaries, secrets.randbits(31)).codes
    layout = model.codec_.layout
    shares = sum(np.asarray(layout.frequencies[i])[codes[:, i]] for i in range(codes.shape[1]))
    drawn = spelling.parse(frames.to_polars(model.sample(_DRAWN))[0], model.schema_, strict=False)
    theirs = model.codec_.encode(drawn, secrets.randbits(31)).codes
    agree = sum((codes[:, [i]] == theirs[None, :, i]).astype(np.float64) for i in range(codes.shape[1]))
    likely = np.clip(model.log_prob(canaries), REFUSED[2], 0.0) if hasattr(model, "log_prob") else np.zeros(len(codes))
    found = [shares, (agree * (agree - 1) / 2).mean(axis=1), likely]
    return np.stack([np.asarray(part, np.float64) for part in found], axis=1)


def _small(model: Synthesizer, table: Any, schema: Schema, rows: int) -> pl.DataFrame:
    """Some typed rows of the table."""
    if getattr(model, "privacy", None) is None:
        raise SettingError(
            f"privacy: {type(model).__name__} has no guarantee to audit; give privacy=mq.Privacy(epsilon=1.0)."
        )
    typed = read_declared(table, schema)[0]
    if typed.height < 10:
        raise TableError(f"table: got {typed.height} rows, expected at least 10.")
    return typed.sample(min(rows, typed.height), shuffle=True, seed=0)


def _silent(model: Synthesizer) -> Any:
    return clone(model).set_params(callbacks=(), verbose=False)
