"""The audit of a private model as a whole: what its ledger lists, piece by piece, and then the fitted model itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from masquerade.errors import SettingError
from masquerade.privacy.dpsgd import WORDS, Plan
from masquerade.privacy.ledger import Ledger
from masquerade.progress import Callback
from masquerade.schema import Schema
from masquerade.studies.auditing.findings import Finding
from masquerade.studies.auditing.models import ROWS, audit_fits, audit_one_fit, fitted_ledger
from masquerade.studies.auditing.noise import audit_choices, audit_counts, audit_steps
from masquerade.studies.auditing.pairs import check_confidence
from masquerade.synthesize.base import Synthesizer

__all__ = ["Audit", "audit_model"]

DRAWS = 200_000
"""Runs of each side of a count."""

CHOICES = 10_000
NUMBERS = 1_000_000
"""Noisy numbers that the steps of all trainings show."""

MOST_STEPS = 100
"""Of a longer training so many steps are audited, for what these alone guarantee."""


@dataclass(frozen=True)
class Audit:
    """All findings about a private model.

    Args:
        model: its name.
        confidence: with which all bounds hold at once.
        findings: of its pieces, then of whole fits.
        ledger: of one fit.
    """

    model: str
    confidence: float
    findings: tuple[Finding, ...]
    ledger: Ledger

    @property
    def disproved(self) -> bool:
        """Whether any claim does not hold."""
        return any(finding.disproved for finding in self.findings)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "model": self.model,
            "confidence": self.confidence,
            "disproved": self.disproved,
            "findings": [finding.to_dict() for finding in self.findings],
            "ledger": self.ledger.to_dict(),
        }


def audit_model(
    model: Synthesizer,
    table: Any,
    schema: Schema,
    *,
    trials: int = 100,
    canaries: int = 0,
    rows: int = ROWS,
    confidence: float = 0.95,
    callback: Callback | None = None,
) -> Audit:
    """Audit a private model: each kind of mechanism in its ledger with all that could be seen, and whole fits as they go out.

    Every bound is made surer, so that all of them hold at once with the confidence that was asked for.

    Args:
        model: with `privacy=`; it is cloned, and not fitted itself.
        table: some rows of it make the small table that is fitted.
        schema: declared.
        trials: fits with and without the canary, of each side.
        canaries: with more than 0, one further fit with so many random canaries.
        rows: of the small table.
        confidence: of all bounds together.
        callback: told how far the audit of whole fits is.

    Raises:
        SettingError: the model has no guarantee, or a figure out of its range.
    """
    check_confidence(confidence)
    if canaries < 0:
        raise SettingError(f"canaries: got {canaries}, expected 0 or more.")
    ledger = fitted_ledger(model, table, schema, rows)
    pieces = _pieces(ledger)
    each = 1.0 - (1.0 - confidence) / (len(pieces) + 1 + (canaries > 0))
    name = type(model).__name__
    found = [_audit_piece(event, ledger, each) for event in pieces]
    found.append(
        audit_fits(
            model, table, schema, trials=trials, rows=rows, confidence=each,
            name=f"{name}, {trials:,} fits with and without a canary", callback=callback,
        )
    )  # fmt: skip
    if canaries:
        label = f"{name}, one fit with {canaries:,} canaries"
        found.append(audit_one_fit(model, table, schema, canaries=canaries, rows=rows, confidence=each, name=label))
    return Audit(name, confidence, tuple(found), ledger)


def _pieces(ledger: Ledger) -> list[dict[str, Any]]:
    """One event of each kind: that with the least noise."""
    found: dict[str, dict[str, Any]] = {}
    for event in ledger.events:
        kind = "discrete_gaussian" if event["kind"] == "threshold" else str(event["kind"])
        loudest = found.get(kind)
        if loudest is None or _telling(event) > _telling(loudest):
            found[kind] = dict(event)
    return list(found.values())


def _telling(event: Any) -> float:
    return float(event["epsilon"] if event["kind"] == "exponential" else 1 / event["sigma"])


def _audit_piece(event: dict[str, Any], ledger: Ledger, confidence: float) -> Finding:
    delta, what = float(ledger.delta or 0.0), event["what"]
    if event["kind"] == "exponential":
        return audit_choices(
            event["epsilon"], delta=delta, trials=CHOICES, confidence=confidence, name=f"one choice ({what})"
        )
    if event["kind"] == "poisson_gaussian":
        steps = min(event["count"], MOST_STEPS)
        plan = Plan(min(max(round(event["rate"] * WORDS), 1), WORDS - 1), 1.0, event["sigma"], steps, 1.0, what)
        name = f"{steps} of {event['count']:,} {what}"
        return audit_steps(plan, delta=delta, trials=NUMBERS // steps, confidence=confidence, name=name)
    return audit_counts(
        event["sigma"],
        delta=delta,
        trials=DRAWS,
        confidence=confidence,
        sensitivity=event.get("sensitivity", 1),
        name=f"one table of counts ({what})",
    )
