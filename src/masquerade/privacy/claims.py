"""Claims checked: what a ledger says that it guarantees, beside what its events give."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from masquerade.errors import ArtifactError
from masquerade.numbers_format import is_number
from masquerade.privacy.accounting import checked, epsilon_of, epsilon_of_fits
from masquerade.privacy.events import STAGES
from masquerade.privacy.ledger import Ledger

__all__ = ["Claim", "Composed", "check_claim", "compose"]

TOLERANCE = 1e-5
"""Share of ε by which versions of the libraries may differ in their last digits."""


@dataclass(frozen=True)
class Claim:
    """A claim and what comes out when its events are added up again.

    Args:
        ledger: what is claimed.
        epsilon: ε of its events at the claimed δ, by privacy loss distributions where they have one.
        epsilon_rdp: likewise by Rényi divergences.
        split: by stage: the ε that its events alone would give.
    """

    ledger: Ledger
    epsilon: float
    epsilon_rdp: float
    split: dict[str, float]

    @property
    def holds(self) -> bool:
        """Whether what was done costs no more than what is claimed."""
        return self.epsilon <= (self.ledger.epsilon or 0.0) * (1 + TOLERANCE)


@dataclass(frozen=True)
class Composed:
    """What several releases of one table guarantee together.

    Args:
        epsilon: ε of all their events.
        epsilon_rdp: likewise by Rényi divergences.
        delta: the sum of theirs.
    """

    epsilon: float
    epsilon_rdp: float
    delta: float


def check_claim(ledger: Ledger) -> Claim | None:
    """Recompute the guarantee of a ledger from its events; None where it claims none.

    Raises:
        ArtifactError: the ledger is damaged, or claims a guarantee without saying what for.
        SettingError: the extra `dp` is not installed.

    >>> from masquerade.privacy.events import discrete_gaussian
    >>> done = discrete_gaussian(10.0, stage="marginals", what="counts")
    >>> claim = check_claim(Ledger("differential privacy", 0.1, 1e-6, events=(done,)))
    >>> round(claim.epsilon, 2), claim.holds
    (0.4, False)
    """
    if ledger.guarantee == "none":
        return None
    claimed: Any = ledger.epsilon
    delta: Any = ledger.delta
    if any(not isinstance(text, str) for text in (ledger.guarantee, ledger.unit, ledger.mechanism)):
        raise ArtifactError("ledger: damaged, its guarantee, unit or mechanism is not text.")
    if not is_number(claimed) or not is_number(delta) or not 0 < delta < 1:
        raise ArtifactError(
            f"ledger: it claims {ledger.guarantee!r} with ε {claimed!r} and δ {delta!r}; expected numbers, δ between 0 and 1."
        )
    if not ledger.events:
        raise ArtifactError(f"ledger: it claims {ledger.guarantee!r} without an event; nothing supports it.")
    events = checked(ledger.events)
    unknown = sorted({str(event["stage"]) for event in events} - set(STAGES))
    if unknown:
        raise ArtifactError(f"ledger: an event is of the unknown stage {unknown[0]!r}, expected {', '.join(STAGES)}.")
    stages = {stage: [event for event in events if event["stage"] == stage] for stage in STAGES}
    return Claim(
        ledger,
        epsilon_of(events, delta),
        epsilon_of(events, delta, method="rdp"),
        {stage: epsilon_of(some, delta) for stage, some in stages.items() if some},
    )


def compose(claims: Sequence[Claim]) -> Composed | None:
    """What several claims on one table give together; None where they protect different units, whose ε do not add up."""
    if len({claim.ledger.unit for claim in claims}) != 1:
        return None
    delta = sum(claim.ledger.delta or 0.0 for claim in claims)
    fits = [claim.ledger.events for claim in claims]
    return Composed(epsilon_of_fits(fits, delta), epsilon_of_fits(fits, delta, method="rdp"), delta)
