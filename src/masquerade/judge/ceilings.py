"""What a guarantee allows an attacker at most: the membership attack's figures that the ledger implies."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from masquerade.privacy.accounting import profile_of
from masquerade.privacy.ledger import Ledger

__all__ = ["TradeOff", "guaranteed_ceilings", "highest_auc", "highest_tpr"]

_LINES = 4_000
_RATES = 1_000


def highest_tpr(rate: float, epsilon: float, delta: float) -> float:
    """The greatest true positive rate at a false positive rate that (ε, δ)-differential privacy leaves to any attacker.

    It is 1 − f(rate), with the trade-off function f(α) = max(0, 1 − δ − e^ε α, e^−ε (1 − δ − α)) of Wasserman and Zhou (2010)
    and Dong, Roth and Su (2022, arXiv 1905.02383).

    >>> highest_tpr(0.01, 0.0, 0.0)
    0.01
    >>> round(highest_tpr(0.01, 1.0, 1e-5), 4)
    0.0272
    """
    first = delta + rate * math.exp(min(epsilon, 700.0))
    second = 1.0 - math.exp(-epsilon) * max(0.0, 1.0 - delta - rate)
    return min(1.0, first, second)


def highest_auc(epsilon: float, delta: float) -> float:
    """The greatest area under the ROC curve that (ε, δ)-differential privacy leaves to any attacker.

    The integral of `highest_tpr` over all rates: 1 less the area under f, which falls in two straight lines, from 1 − δ at
    rate 0 to a at a = (1 − δ) / (1 + e^ε), and on to 0 at 1 − δ.

    >>> highest_auc(0.0, 0.0)
    0.5
    >>> round(highest_auc(1.0, 1e-5), 4)
    0.7311
    """
    meet = (1.0 - delta) / (1.0 + math.exp(min(epsilon, 700.0)))
    under = meet * (1.0 - delta + meet) / 2 + (1.0 - delta - meet) * meet / 2
    return 1.0 - under


@dataclass(frozen=True)
class TradeOff:
    """The highest true positive rate at every false positive rate that a privacy profile leaves to any attacker.

    An attacker with false positive rate α has a true positive rate of at most δ(ε) + e^ε α, whatever ε (arXiv 1905.02383):
    the least of these straight lines is the curve.

    Args:
        epsilons: where the profile is known, of any sign.
        deltas: δ at each.
    """

    epsilons: NDArray[np.float64]
    deltas: NDArray[np.float64]

    @classmethod
    def of(cls, events: Iterable[Mapping[str, Any]]) -> Self:
        """From what was done; a few thousand lines of the profile are enough, and leave an upper bound."""
        epsilons, deltas = profile_of(events)
        every = max(1, epsilons.size // _LINES)
        return cls(np.clip(epsilons[::every], -700, 700), deltas[::every])

    def tpr(self, rate: float) -> float:
        """The highest true positive rate at a false positive rate."""
        return float(min(1.0, np.min(self.deltas + np.exp(self.epsilons) * rate)))

    def auc(self) -> float:
        """The highest area under the ROC curve."""
        rates = np.unique(np.concatenate([[0.0], np.geomspace(1e-12, 1, _RATES), np.linspace(0, 1, _RATES)]))
        return float(np.trapezoid([self.tpr(rate) for rate in rates], rates))


def guaranteed_ceilings(ledger: Ledger | Mapping[str, Any]) -> dict[str, float] | None:
    """What the ledger's guarantee leaves to a membership attack; None where nothing is guaranteed.

    Where the ledger has events, the figures are those of their privacy loss distribution, which are sharper than what ε and δ
    alone imply; those are told where it has none, or where the extra `dp` is not installed.

    Returns:
        `epsilon`, `delta`, and the highest `auc`, `tpr_at_1pct_fpr` and `tpr_at_10pct_fpr`.

    Raises:
        ArtifactError: an event of the ledger is damaged.
    """
    known = ledger if isinstance(ledger, Ledger) else Ledger.from_dict(ledger)
    if known.guarantee == "none" or known.epsilon is None:
        return None
    epsilon, delta = float(known.epsilon), float(known.delta or 0.0)
    told = {"epsilon": epsilon, "delta": delta}
    if known.events and _has_dp():
        curve = TradeOff.of(known.events)
        return told | {"auc": curve.auc(), "tpr_at_1pct_fpr": curve.tpr(0.01), "tpr_at_10pct_fpr": curve.tpr(0.1)}
    return told | {
        "auc": highest_auc(epsilon, delta),
        "tpr_at_1pct_fpr": highest_tpr(0.01, epsilon, delta),
        "tpr_at_10pct_fpr": highest_tpr(0.1, epsilon, delta),
    }


def _has_dp() -> bool:
    return importlib.util.find_spec("dp_accounting") is not None
