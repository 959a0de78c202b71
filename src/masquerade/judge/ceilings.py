"""What a guarantee allows an attacker at most: the membership attack's figures that (ε, δ) implies."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from masquerade.privacy.ledger import Ledger

__all__ = ["guaranteed_ceilings", "highest_auc", "highest_tpr"]


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


def guaranteed_ceilings(ledger: Ledger | Mapping[str, Any]) -> dict[str, float] | None:
    """What the ledger's guarantee leaves to a membership attack; None where nothing is guaranteed.

    Returns:
        `epsilon`, `delta`, and the highest `auc`, `tpr_at_1pct_fpr` and `tpr_at_10pct_fpr`.
    """
    known = ledger if isinstance(ledger, Ledger) else Ledger.from_dict(ledger)
    if known.guarantee == "none" or known.epsilon is None:
        return None
    epsilon, delta = float(known.epsilon), float(known.delta or 0.0)
    return {
        "epsilon": epsilon,
        "delta": delta,
        "auc": highest_auc(epsilon, delta),
        "tpr_at_1pct_fpr": highest_tpr(0.01, epsilon, delta),
        "tpr_at_10pct_fpr": highest_tpr(0.1, epsilon, delta),
    }
