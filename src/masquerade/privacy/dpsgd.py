"""The plan of a private training: one object says how units are drawn, clipped and noised, and what that costs.

DP-SGD (Abadi et al. 2016, arXiv 1607.00133): at each step every unit is drawn on its own with the same probability, the
gradients of those drawn are clipped and added up, noise is added, and the sum is divided by a constant. The sampler, the noise
and the event in the ledger all read the same `Plan`, so that what is done is what is charged.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from masquerade.errors import SettingError
from masquerade.privacy.accountant import Accountant
from masquerade.privacy.accounting import epsilon_of
from masquerade.privacy.events import Event, poisson_gaussian

__all__ = ["Meter", "Plan"]

WORDS = 2**32
"""A unit is drawn when 32 random bits, read as a number, lie below the plan's threshold."""


@dataclass(frozen=True)
class Plan:
    """How a private training treats its rows.

    Args:
        threshold: of `WORDS` equally likely words, those below it draw a unit: the sampling rate is exactly their share.
        clip: what one unit can change the sum of gradients by, in L2 norm.
        sigma: noise multiplier: the noise on the sum has the standard deviation `sigma * clip` in every coordinate.
        steps: at most so many.
        divisor: public constant that the noisy sum is divided by, whatever was drawn.
        what: is trained, for people.

    >>> plan = Plan(threshold=2**31, clip=0.5, sigma=4.0, steps=10, divisor=100.0, what="steps")
    >>> plan.rate, plan.deviation, plan.event(3)["rate"], plan.event(3)["count"]
    (0.5, 2.0, 0.5, 3)
    """

    threshold: int
    clip: float
    sigma: float
    steps: int
    divisor: float
    what: str

    def __post_init__(self) -> None:
        if not 0 < self.threshold < WORDS:
            raise SettingError(f"threshold: got {self.threshold}, expected a whole number in [1, {WORDS}).")
        for name in ("clip", "sigma", "divisor"):
            if not 0 < getattr(self, name) < math.inf:
                raise SettingError(f"{name}: got {getattr(self, name)!r}, expected a finite number above 0.")
        if self.steps < 1:
            raise SettingError(f"steps: got {self.steps}, expected at least 1.")

    @classmethod
    def calibrated(
        cls,
        accountant: Accountant,
        total: float,
        *,
        batch: float,
        clip: float,
        steps: int,
        what: str = "training steps",
    ) -> Plan:
        """The plan with the least noise that is left room for.

        Args:
            accountant: what was spent before; nothing is spent here, see `charged`.
            total: rows there are, as noised (`Prepared.total`) or declared: never their true number.
            batch: rows that a step draws on average, were the total exact.
            clip: bound of a unit's gradient.
            steps: how many.
            what: is trained, for people.

        Raises:
            SettingError: a figure out of its range, or nothing is left of the budget.
        """
        share = min(batch / max(total, 1.0), 1.0)
        threshold = min(max(round(share * WORDS), 1), WORDS - 1) if share > 0 else 0
        plan = cls(threshold, clip, 1.0, steps, float(batch), what)
        sigma = accountant.calibrate(lambda sigma: [replace(plan, sigma=sigma).event(steps)])
        return replace(plan, sigma=sigma)

    @property
    def rate(self) -> float:
        """Probability with which a step draws a unit."""
        return self.threshold / WORDS

    @property
    def deviation(self) -> float:
        """Standard deviation of the noise in each coordinate of the sum, before it is divided."""
        return self.sigma * self.clip

    def event(self, steps: int) -> Event:
        """What so many steps are charged as."""
        return poisson_gaussian(self.rate, self.sigma, steps, what=self.what)

    @contextmanager
    def charged(self, accountant: Accountant) -> Iterator[Meter]:
        """Train inside this: all steps are charged before the first, and those not begun are given back at the end.

        Args:
            accountant: who keeps the books.

        Raises:
            SettingError: the plan does not fit what is left of the budget; or, at `Meter.begin`, steps beyond the plan.
        """
        reserved = self.event(self.steps)
        accountant.spend(reserved)
        meter = Meter(self, accountant)
        try:
            yield meter
        finally:
            accountant.settle(reserved, meter.begun)


class Meter:
    """Counts the steps of a plan, each before it is taken.

    Args:
        plan: what is counted.
        accountant: whose earlier events count towards ε.

    Attributes:
        begun: steps so far.
    """

    def __init__(self, plan: Plan, accountant: Accountant):
        self.plan, self.begun = plan, 0
        self._before = list(accountant.events[:-1])
        self._delta = accountant.privacy.delta

    def begin(self, steps: int) -> None:
        """Say that so many steps are about to be taken.

        Raises:
            SettingError: they are more than were planned; none of them may be taken then.
        """
        if steps < 1 or self.begun + steps > self.plan.steps:
            raise SettingError(
                f"steps: got {steps} after {self.begun}, and the budget was planned for {self.plan.steps} in all."
            )
        self.begun += steps

    def epsilon(self, steps: int | None = None) -> float:
        """ε once so many of the steps begun were taken, with everything before; None: all of them."""
        count = self.begun if steps is None else min(steps, self.begun)
        return epsilon_of([*self._before, *([self.plan.event(count)] if count else [])], self._delta)
