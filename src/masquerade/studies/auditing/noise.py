"""The private primitives, audited with all that an attacker could see: counts, choices, levels, and training steps.

Each runs the mechanism itself many times on two neighbouring tables that are as bad as can be: a canary alone in its cell, a
choice between two candidates of which the canary prefers one, a level that only the canary has, a gradient that points where no
other does. So the bound comes near the claim where the claim is tight, and above it where a mechanism is broken.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from masquerade.privacy.dpsgd import Plan
from masquerade.privacy.events import discrete_gaussian, exponential
from masquerade.privacy.noise import noised_counts
from masquerade.privacy.selection import choose
from masquerade.studies.auditing.claim import Claim
from masquerade.studies.auditing.findings import Finding
from masquerade.studies.auditing.pairs import audit_pairs

__all__ = ["audit_choices", "audit_counts", "audit_steps", "seen_steps"]

Floats = NDArray[np.float64]

_BATCH = 20_000  # counts noised at once
_CELLS = 100_000  # numbers that training steps at once may show


def audit_counts(
    sigma: float,
    *,
    delta: float,
    trials: int,
    confidence: float = 0.95,
    sensitivity: int = 1,
    name: str = "noised counts",
) -> Finding:
    """Noised counts: a canary that is alone in its cell.

    Args:
        sigma: noise multiplier.
        delta: at which ε is told.
        trials: runs of each side.
        confidence: of the bound.
        sensitivity: rows that one unit can have.
        name: of the mechanism.

    >>> audit_counts(4.0, delta=1e-6, trials=2000).disproved
    False
    """
    event = discrete_gaussian(sigma, stage="marginals", what="counts", sensitivity=sensitivity)

    def mechanism(rows: int) -> Any:
        return noised_counts(np.full(min(_BATCH, trials), rows), sigma * sensitivity)

    claim = Claim.of_events((event,), delta)
    return audit_pairs(mechanism, 0, sensitivity, claim=claim, trials=trials, name=name, confidence=confidence)


def audit_choices(
    epsilon: float, *, delta: float, trials: int, confidence: float = 0.95, name: str = "exponential choice"
) -> Finding:
    """The choice of the better of two candidates, of which the canary raises one and lowers the other.

    Args:
        epsilon: of one choice.
        delta: at which ε is told.
        trials: choices on each side.
        confidence: of the bound.
        name: of the mechanism.
    """

    def mechanism(scores: tuple[float, float]) -> int:
        return choose(scores, epsilon, 1.0)

    claim = Claim.of_events((exponential(epsilon, what="one choice"),), delta)
    return audit_pairs(mechanism, (0.0, 0.0), (-1.0, 1.0), claim=claim, trials=trials, name=name, confidence=confidence)


def audit_steps(
    plan: Plan,
    *,
    delta: float,
    trials: int,
    confidence: float = 0.95,
    length: float = 10.0,
    score: Callable[[Floats, Plan], Floats] | None = None,
    name: str = "training steps",
) -> Finding:
    """All steps of a private training, white box: every noisy gradient is seen (Nasr et al. 2021, arXiv 2101.04535).

    Args:
        plan: how units are drawn, clipped and noised; all of its steps are done.
        delta: at which ε is told.
        trials: trainings of each side.
        confidence: of the bound.
        length: of the canary's gradient before it is clipped, in units of the plan's clip.
        score: what the attacker makes of the gradients, shape (trainings, steps, 2), and the plan; None: the log-likelihood
            ratio of the canary's coordinate, which no attacker beats.
        name: of the mechanism.
    """
    told = _likelihood if score is None else score

    def mechanism(canary: float) -> Floats:
        return told(seen_steps(plan, canary * plan.clip, min(max(_CELLS // plan.steps, 1), trials)), plan)

    claim = Claim.of_events((plan.event(plan.steps),), delta)
    return audit_pairs(mechanism, 0.0, length, claim=claim, trials=trials, name=name, confidence=confidence)


def seen_steps(plan: Plan, length: float, runs: int) -> Floats:
    """The noisy sums of the gradients of so many trainings, in units of the plan's clip, shape (runs, steps, 2).

    The canary's gradient points along the first coordinate, for `length`; there are other units, whose gradients are 0.

    Args:
        plan: what is done.
        length: of the canary's gradient; 0: the canary is not there, and there is one unit less.
        runs: how many trainings.
    """
    from masquerade.nets.private_trial import noisy_sums  # loads JAX

    return np.asarray(noisy_sums(plan, length, runs), np.float64) / plan.clip


def _likelihood(seen: Floats, plan: Plan) -> Floats:
    """Σ log(1 − q + q exp((2 y − 1) / (2 σ²))): with the canary against without it."""
    exponent = (2 * seen[:, :, 0] - 1) / (2 * plan.sigma**2)
    return np.asarray(np.logaddexp(np.log1p(-plan.rate), np.log(plan.rate) + exponent).sum(axis=1), np.float64)
