"""`Accountant`: holds a budget, refuses what would exceed it, and writes the ledger."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from masquerade.errors import SettingError
from masquerade.privacy.accounting import calibrate, epsilon_of, gaussian_multiplier, need_dp
from masquerade.privacy.budget import Privacy
from masquerade.privacy.events import STAGES, Event
from masquerade.privacy.ledger import Ledger

__all__ = ["RELATION", "Accountant"]

RELATION = "add or remove one unit; the row count is noised"


class Accountant:
    """Keeps the account of one fit. Every use of private rows is spent here *before* it is done.

    The budget is split in terms of μ² = 1 / σ², which adds up for Gaussian mechanisms (arXiv 1905.02383, corollary 3.3); the
    last step is calibrated by what is truly left, so nothing is wasted and ε is never exceeded.

    Args:
        privacy: the budget.
        unit: whose rows are protected: a column, or `"row"`.
    """

    def __init__(self, privacy: Privacy, unit: str = "row"):
        need_dp()
        self.privacy, self.unit = privacy, unit
        self.events: list[Event] = []
        self._multiplier = gaussian_multiplier(privacy.epsilon, privacy.delta)

    def sigma(self, share: float, count: int = 1) -> float:
        """The noise multiplier of each of `count` Gaussian mechanisms that together use a share in (0, 1] of the budget."""
        return self._multiplier * math.sqrt(count / share)

    def calibrate(self, events: Callable[[float], list[Event]]) -> float:
        """The least sigma with which these further events stay within the budget."""
        return calibrate(lambda sigma: [*self.events, *events(sigma)], self.privacy.epsilon, self.privacy.delta)

    def spend(self, event: Event) -> None:
        """Note an event that is about to happen.

        Raises:
            SettingError: it would exceed the budget; nothing is noted then.
        """
        spent = epsilon_of([*self.events, event], self.privacy.delta)
        if spent > self.privacy.epsilon * (1 + 1e-9):
            raise SettingError(
                f"epsilon: {event['what']} would bring it to {spent:.4g}, beyond the {self.privacy.epsilon:g} asked for; "
                "take a larger one, or fewer steps."
            )
        self.events.append(event)

    def settle(self, event: Event, count: int) -> None:
        """Say that an event which was noted in advance was done only `count` times.

        Raises:
            SettingError: it was not noted, or less often than that.
        """
        place = next((i for i, noted in enumerate(self.events) if noted is event), None)
        if place is None or not 0 <= count <= event["count"]:
            raise SettingError(f"count: got {count}, expected at most the {event['count']} times that were noted.")
        self.events[place : place + 1] = [{**event, "count": int(count)}] if count else []

    def spent(self) -> float:
        """ε so far."""
        return epsilon_of(self.events, self.privacy.delta) if self.events else 0.0

    def split(self) -> dict[str, float]:
        """ε that each stage alone would guarantee at the same δ; they add up to more than the whole."""
        stages = {stage: [e for e in self.events if e["stage"] == stage] for stage in STAGES}
        return {stage: epsilon_of(events, self.privacy.delta) for stage, events in stages.items() if events}

    def ledger(self, mechanism: str, protections: Mapping[str, Any] | None = None) -> Ledger:
        """The ledger of what was done."""
        return Ledger(
            guarantee="differential privacy",
            epsilon=self.spent(),
            delta=self.privacy.delta,
            unit=self.unit,
            relation=RELATION,
            mechanism=mechanism,
            events=tuple(self.events),
            protections=dict(protections or {}),
            split=self.split(),
        )
