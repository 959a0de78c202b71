"""What a budget is spent on: events, as plain data that a ledger keeps and an accountant reads.

Each is a mapping with `kind`, `stage` (domains, marginals, selection or training), `what` (for people), `count` (how often it
was done), and the figures of its kind. A noise multiplier `sigma` is the noise's standard deviation over what one unit can
change: what one unit can change is settled where the event is made, and nowhere else.
"""

from __future__ import annotations

from typing import Any, Final

__all__ = ["STAGES", "Event", "discrete_gaussian", "exponential", "gaussian", "poisson_gaussian", "threshold"]

Event = dict[str, Any]

STAGES: Final = ("domains", "marginals", "selection", "training")
"""What the budget is split among."""


def gaussian(sigma: float, *, stage: str, what: str, count: int = 1) -> Event:
    """Gaussian noise of `sigma` times the L2 sensitivity."""
    return {"kind": "gaussian", "sigma": float(sigma), "count": int(count), "stage": stage, "what": what}


def discrete_gaussian(sigma: float, *, stage: str, what: str, count: int = 1, sensitivity: int = 1) -> Event:
    """Integer Gaussian noise (arXiv 2004.00010) of scale `sigma * sensitivity` on counts, of which one unit can change
    `sensitivity` by one."""
    return {
        "kind": "discrete_gaussian", "sigma": float(sigma), "sensitivity": int(sensitivity), "count": int(count),
        "stage": stage, "what": what,
    }  # fmt: skip


def poisson_gaussian(rate: float, sigma: float, steps: int, *, stage: str = "training", what: str) -> Event:
    """`steps` Gaussian mechanisms, each on a Poisson sample to which every unit belongs with probability `rate`."""
    return {
        "kind": "poisson_gaussian", "rate": float(rate), "sigma": float(sigma), "count": int(steps),
        "stage": stage, "what": what,
    }  # fmt: skip


def exponential(epsilon: float, *, stage: str = "selection", what: str, count: int = 1) -> Event:
    """The exponential mechanism (McSherry and Talwar 2007): ε-DP, and ε²/8-zCDP for it has bounded range (arXiv
    1905.06470, 2004.07223)."""
    return {"kind": "exponential", "epsilon": float(epsilon), "count": int(count), "stage": stage, "what": what}


def threshold(sigma: float, delta: float, *, stage: str = "domains", what: str) -> Event:
    """A set of levels found by noised counts above a threshold, which a level that only one unit has passes with
    probability at most `delta`."""
    return {"kind": "threshold", "sigma": float(sigma), "delta": float(delta), "count": 1, "stage": stage, "what": what}
