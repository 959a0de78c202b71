"""From how often an attacker is wrong to the least ε that this is possible with.

An attacker says of an outcome whether the canary was in. Under (ε, δ)-differential privacy false positive and false negative
rates obey α e^ε + β ≥ 1 − δ and α + β e^ε ≥ 1 − δ (Kairouz, Oh and Viswanath 2015, arXiv 1311.0776); under μ-Gaussian
differential privacy Φ⁻¹(1 − α) − Φ⁻¹(β) ≤ μ (Dong, Roth and Su, arXiv 1905.02383). Upper bounds on both rates that hold at
once (Clopper and Pearson 1934) turn that round into a lower bound on ε or μ (Jagielski, Ullman and Oprea 2020, arXiv
2006.07709; Nasr et al. 2023, arXiv 2302.07956).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import log_ndtr
from scipy.stats import beta, norm

__all__ = ["at_most", "epsilon_from_mu", "epsilon_from_rates", "mu_from_rates"]

_MOST = 1e3  # no ε above this is told apart


def at_most(wrong: Any, trials: int, confidence: float) -> NDArray[np.float64]:
    """The Clopper-Pearson upper bound of a rate, one-sided.

    Args:
        wrong: how often it happened, any shape.
        trials: of how many.
        confidence: how sure the bound is, such as 0.975.

    >>> float(at_most(0, 100, 0.95).round(4))
    0.0295
    """
    count = np.asarray(wrong, np.float64)
    bound = beta.ppf(confidence, count + 1.0, np.maximum(trials - count, 1e-9))
    return np.asarray(np.where(count >= trials, 1.0, bound), np.float64)


def epsilon_from_rates(fpr: Any, fnr: Any, delta: float) -> NDArray[np.float64]:
    """The least ε with which both rates are possible at this δ, whatever the mechanism; 0 where any ε allows them.

    >>> float(epsilon_from_rates(0.1, 0.1, 0.0).round(4))  # log 9
    2.1972
    """
    first, second = np.asarray(fpr, np.float64), np.asarray(fnr, np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = [
            np.where(right > 0, np.log(np.maximum(right, 0.0)) - np.log(wrong), 0.0)
            for right, wrong in ((1.0 - delta - second, first), (1.0 - delta - first, second))
        ]
    return np.asarray(np.clip(np.nan_to_num(np.maximum(*found), posinf=_MOST), 0.0, _MOST), np.float64)


def mu_from_rates(fpr: Any, fnr: Any) -> NDArray[np.float64]:
    """The least μ of a Gaussian mechanism with which both rates are possible; 0 where any μ allows them.

    >>> float(mu_from_rates(0.1, 0.1).round(4))
    2.5631
    """
    return np.maximum(norm.isf(np.asarray(fpr, np.float64)) - norm.ppf(np.asarray(fnr, np.float64)), 0.0)


def epsilon_from_mu(mu: float, delta: float) -> float:
    """ε at this δ of μ-Gaussian differential privacy, that is of one Gaussian mechanism with σ = 1 / μ (Balle and Wang 2018).

    >>> round(epsilon_from_mu(1 / 10, 1e-5), 4)
    0.3407
    """

    def over(epsilon: float) -> float:
        first, second = log_ndtr(mu / 2 - epsilon / mu), epsilon + log_ndtr(-mu / 2 - epsilon / mu)
        return float(first + math.log(-math.expm1(min(second - first, -1e-300)))) - math.log(delta)

    if mu <= 0 or delta >= 1 or over(0.0) <= 0:
        return 0.0
    return _MOST if over(_MOST) > 0 else float(brentq(over, 0.0, _MOST, xtol=1e-9))
