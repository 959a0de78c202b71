"""What was promised: ε and δ, and where the ledger tells what was done, the whole trade-off of wrong guesses."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from masquerade.errors import SettingError
from masquerade.privacy.accounting import epsilon_of, profile_of
from masquerade.privacy.events import gaussian
from masquerade.privacy.ledger import Ledger
from masquerade.studies.auditing.bounds import epsilon_from_mu, epsilon_from_rates, mu_from_rates

__all__ = ["Claim"]

_NORMAL = ("gaussian", "discrete_gaussian")
_COARSE = 1e-3  # step of the grid of losses
_LOOSEST = 8.0  # times more or less noise is looked at
_CLOSE = 1.005


@dataclass(frozen=True)
class Claim:
    """A guarantee that an audit tries to disprove.

    Args:
        epsilon: ε.
        delta: δ.
        events: what was done, as in a ledger; empty: unknown, and then only ε and δ themselves can be tested.

    >>> round(Claim.of_noise(4.0, delta=1e-5).epsilon, 3)
    0.926
    """

    epsilon: float
    delta: float
    events: tuple[Mapping[str, Any], ...] = ()

    @classmethod
    def of(cls, ledger: Ledger) -> Claim:
        """What a ledger claims.

        Raises:
            SettingError: it claims nothing.
        """
        if ledger.epsilon is None:
            raise SettingError("ledger: it guarantees nothing, so there is no claim to audit; fit with privacy=.")
        return cls(float(ledger.epsilon), float(ledger.delta or 0.0), tuple(ledger.events))

    @classmethod
    def of_events(cls, events: tuple[Mapping[str, Any], ...], delta: float) -> Claim:
        """What these events guarantee at this δ."""
        return cls(epsilon_of(events, delta), delta, events)

    @classmethod
    def of_noise(cls, sigma: float, *, delta: float, count: int = 1) -> Claim:
        """What so many Gaussian mechanisms of this noise multiplier guarantee."""
        event = gaussian(sigma, stage="training", what="noise", count=count)
        return cls(epsilon_from_mu(math.sqrt(count) / sigma, delta), delta, (event,))

    @property
    def mu(self) -> float | None:
        """μ of all events together where each is Gaussian noise on all rows, fixed beforehand; None where one is not."""
        plain = all(event["kind"] in _NORMAL and not event.get("adaptive") for event in self.events)
        if (
            not self.events
            or not plain
            or any(event["sigma"] * event.get("sensitivity", 1) < 1 for event in self.events)
        ):
            return None
        return math.sqrt(sum(event["count"] / event["sigma"] ** 2 for event in self.events))

    def bound(self, fpr: float, fnr: float) -> float:
        """The least ε, at the claim's δ, that is consistent with upper bounds on both rates of wrong guesses.

        Where the events are known they are taken for what they say, but with more or less noise: the most noise whose
        trade-off (by Gaussian differential privacy, or by the privacy profile of the events, as Nasr et al. 2023, arXiv
        2302.07956) allows the rates. That is much sharper than ε and δ alone, which allow more than such noise does.
        """
        plain = float(epsilon_from_rates(fpr, fnr, self.delta))
        if not self.events:
            return plain
        if self.mu is not None:
            return max(plain, epsilon_from_mu(float(mu_from_rates(fpr, fnr)), self.delta))
        return max(plain, self._scaled(fpr, fnr))

    def _scaled(self, fpr: float, fnr: float) -> float:
        """ε of the events with the most noise that allows the rates."""
        if mu_from_rates(fpr, fnr) <= 0:
            return 0.0
        low, high = 1.0, 1.0
        if self._allows(1.0, fpr, fnr):
            while high < _LOOSEST and self._allows(high, fpr, fnr):
                low, high = high, 2 * high
        else:
            while low > 1 / _LOOSEST and not self._allows(low, fpr, fnr):
                low, high = low / 2, low
        if not self._allows(low, fpr, fnr):
            high = low  # even less noise would be too much; what this much guarantees is a bound all the same
        while high > low * _CLOSE:
            middle = math.sqrt(low * high)
            low, high = (middle, high) if self._allows(middle, fpr, fnr) else (low, middle)
        return epsilon_of(self._events(high), self.delta)

    def _events(self, scale: float) -> list[dict[str, Any]]:
        """The same events with so many times the noise."""
        return [
            {
                **event,
                **({"epsilon": event["epsilon"] / scale} if "epsilon" in event else {"sigma": event["sigma"] * scale}),
            }
            for event in self.events
        ]

    def _allows(self, scale: float, fpr: float, fnr: float) -> bool:
        at, deltas = profile_of(self._events(scale), grid=_COARSE)
        right = at >= 0
        growth = np.exp(np.minimum(at[right], 700.0))
        over = [1.0 - b - growth * a - deltas[right] for a, b in ((fpr, fnr), (fnr, fpr))]
        return float(np.max(over)) <= 0.0
