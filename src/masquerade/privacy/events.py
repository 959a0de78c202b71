"""What a budget is spent on: events, as plain data that a ledger keeps and an accountant reads.

Each is a mapping with `kind`, `stage` (domains, marginals, selection or training), `what` (for people), `count` (how often it
was done), and the figures of its kind. A noise multiplier `sigma` is the noise's standard deviation over what one unit can
change: what one unit can change is settled where the event is made, and nowhere else.

Figures are fixed before any row is looked at. An event whose `sigma`, `epsilon` or very existence was decided by noised results
of earlier ones is to be marked `adaptive`: then Rényi divergences alone do the sums, for which a budget that is spent step by
step as one pleases still holds (Feldman and Zrnic, arXiv 2008.11193). To choose *what* is measured needs no mark.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

__all__ = ["STAGES", "Event", "discrete_gaussian", "exponential", "gaussian", "merged", "poisson_gaussian", "threshold"]

Event = dict[str, Any]

STAGES: Final = ("domains", "marginals", "selection", "training")
"""What the budget is split among."""


def gaussian(sigma: float, *, stage: str, what: str, count: int = 1, adaptive: bool = False) -> Event:
    """Gaussian noise of `sigma` times the L2 sensitivity."""
    event = {"kind": "gaussian", "sigma": float(sigma), "count": int(count), "stage": stage, "what": what}
    return _marked(event, adaptive)


def discrete_gaussian(
    sigma: float, *, stage: str, what: str, count: int = 1, sensitivity: int = 1, adaptive: bool = False
) -> Event:
    """Integer Gaussian noise (arXiv 2004.00010) of scale `sigma * sensitivity` on counts that one unit raises by
    `sensitivity` in all: one count by as much, or several by less."""
    event = {
        "kind": "discrete_gaussian", "sigma": float(sigma), "sensitivity": int(sensitivity), "count": int(count),
        "stage": stage, "what": what,
    }  # fmt: skip
    return _marked(event, adaptive)


def poisson_gaussian(rate: float, sigma: float, steps: int, *, stage: str = "training", what: str) -> Event:
    """`steps` Gaussian mechanisms, each on a Poisson sample to which every unit belongs with probability `rate`."""
    return {
        "kind": "poisson_gaussian", "rate": float(rate), "sigma": float(sigma), "count": int(steps),
        "stage": stage, "what": what,
    }  # fmt: skip


def exponential(
    epsilon: float, *, stage: str = "selection", what: str, count: int = 1, adaptive: bool = False
) -> Event:
    """The exponential mechanism (McSherry and Talwar 2007), as `masquerade.privacy.selection.choose` does it: ε-DP, and
    ε²/8-zCDP for it has bounded range (arXiv 1905.04273, 2004.07223)."""
    event = {"kind": "exponential", "epsilon": float(epsilon), "count": int(count), "stage": stage, "what": what}
    return _marked(event, adaptive)


def threshold(sigma: float, delta: float, *, stage: str = "domains", what: str, sensitivity: int = 1) -> Event:
    """A set of levels found by noised counts above a threshold, of which those that only one unit has pass with probability
    at most `delta` in all; noise as in `discrete_gaussian`."""
    return {
        "kind": "threshold", "sigma": float(sigma), "delta": float(delta), "sensitivity": int(sensitivity), "count": 1,
        "stage": stage, "what": what,
    }  # fmt: skip


def _marked(event: Event, adaptive: bool) -> Event:
    return event | {"adaptive": True} if adaptive else event


def merged(events: Iterable[Event]) -> list[Event]:
    """The same events, with neighbours that differ by nothing but `count` in one.

    >>> step = exponential(0.1, what="pair")
    >>> [event["count"] for event in merged([step, step, step])]
    [3]
    """
    found: list[Event] = []
    for event in events:
        if found and {**found[-1], "count": 0} == {**event, "count": 0}:
            found[-1] = {**event, "count": found[-1]["count"] + event["count"]}
        else:
            found.append(event)
    return found
