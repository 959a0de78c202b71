"""`Accountant`: holds a budget, refuses what would exceed it, and writes the ledger."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from masquerade.errors import SettingError
from masquerade.privacy.accounting import calibrate, checked, epsilon_of, gaussian_multiplier, need_dp
from masquerade.privacy.budget import Privacy
from masquerade.privacy.events import STAGES, Event, merged
from masquerade.privacy.ledger import Ledger

__all__ = ["RELATION", "Accountant"]

RELATION = "add or remove one unit; the row count is noised"

FOLLOWING = 5e-3
"""Share of ε that a calibrated step leaves. How often a training draws a row, and how loud its noise is, follow from the noised
number of rows: whoever could choose that number after the fact would gain up to 0.4 % of ε (see the tests)."""


class Accountant:
    """Keeps the account of one fit. Every use of private rows is spent here *before* it is done.

    The budget is split in terms of μ² = 1 / σ², which adds up for Gaussian mechanisms (arXiv 1905.02383, corollary 3.3); the
    last step is calibrated by what is truly left, so nothing is wasted and ε is never exceeded.

    Args:
        privacy: the budget.
        unit: whose rows are protected: a column, or `"row"`.
        events: what has been spent already, where a fit goes on from its checkpoint: the `events` of its accountant.

    >>> from masquerade.privacy.events import discrete_gaussian
    >>> accountant = Accountant(Privacy(epsilon=1.0))
    >>> accountant.spend(discrete_gaussian(accountant.sigma(0.5), stage="marginals", what="counts"))
    >>> 0.6 < accountant.spent() < 0.8
    True
    """

    def __init__(self, privacy: Privacy, unit: str = "row", events: Iterable[Mapping[str, Any]] = ()):
        need_dp()
        self.privacy, self.unit = privacy, unit
        self.events: list[Event] = [dict(event) for event in checked(events)]
        self._multiplier = gaussian_multiplier(privacy.epsilon, privacy.delta)
        if self.spent() > privacy.epsilon:
            raise SettingError(
                f"epsilon: {self.spent():.4g} was spent before, beyond the {privacy.epsilon:g} asked for; take the same one."
            )

    def sigma(self, share: float, count: int = 1) -> float:
        """The noise multiplier of each of `count` Gaussian mechanisms that together use a share in (0, 1] of the budget."""
        return self._multiplier * math.sqrt(count / share)

    def selection_epsilon(self, share: float, count: int = 1) -> float:
        """ε of each of `count` choices by the exponential mechanism that together use a share in (0, 1] of the budget: many
        small ones tell as much as Gaussian mechanisms with μ² = ε² / 4 each (the variance of a loss of range ε)."""
        return 2 / self.sigma(share, count)

    def calibrate(self, events: Callable[[float], list[Event]]) -> float:
        """The least sigma with which these further events stay within the budget, but for `FOLLOWING`."""
        target = self.privacy.epsilon * (1 - FOLLOWING)
        return calibrate(lambda sigma: [*self.events, *events(sigma)], target, self.privacy.delta)

    def spend(self, event: Event) -> None:
        """Note an event that is about to happen.

        Raises:
            SettingError: it would exceed the budget; nothing is noted then.
        """
        further = [*self.events, event]
        if epsilon_of(further, self.privacy.delta, method="rdp") > self.privacy.epsilon:  # quick, and never too low
            spent = epsilon_of(further, self.privacy.delta)
            if spent > self.privacy.epsilon:
                raise SettingError(
                    f"epsilon: {event['what']} would bring it to {spent:.6g}, beyond the {self.privacy.epsilon:g} asked for; "
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

    def check_delta(self, total: float) -> None:
        """Refuse a δ above 1 / rows, with which publishing a few rows as they are would be allowed.

        Args:
            total: number of units, noised or declared.

        Raises:
            SettingError: δ is too large for so few.
        """
        most = 1 / max(total, 1.0)
        units = f"{self.unit}s" if self.unit in ("row", "picture") else f"different {self.unit}"
        if self.privacy.delta > most:
            raise SettingError(
                f"delta: got {self.privacy.delta:g}, expected at most 1 / {total:,.0f}, one over the (noised) number of "
                f"{units}; take {_rounded_down(most):g} or less."
            )

    def spent(self) -> float:
        """ε so far."""
        return epsilon_of(self.events, self.privacy.delta)

    def split(self) -> dict[str, float]:
        """ε that each stage alone would guarantee at the same δ; they add up to more than the whole."""
        stages = {stage: [e for e in self.events if e["stage"] == stage] for stage in STAGES}
        return {stage: epsilon_of(events, self.privacy.delta) for stage, events in stages.items() if events}

    def ledger(self, mechanism: str, protections: Mapping[str, Any] | None = None) -> Ledger:
        """The ledger of what was done.

        The claim is above the sum by the share `FOLLOWING`, and never above the budget. Where events depended on noised
        results, it is the whole budget: how much of it was left is itself a result.
        """
        adaptive = any(event.get("adaptive") for event in self.events)
        claimed = self.privacy.epsilon if adaptive else min(self.spent() * (1 + FOLLOWING), self.privacy.epsilon)
        return Ledger(
            guarantee="differential privacy",
            epsilon=claimed,
            delta=self.privacy.delta,
            unit=self.unit,
            relation=RELATION,
            mechanism=mechanism,
            events=tuple(merged(self.events)),
            protections=dict(protections or {}),
            split=self.split(),
            epsilon_rdp=epsilon_of(self.events, self.privacy.delta, method="rdp"),
        )


def _rounded_down(delta: float) -> float:
    """A power of ten that is no greater.

    >>> _rounded_down(3e-5)
    1e-05
    """
    return float(f"1e{math.floor(math.log10(delta) + 1e-12)}")
