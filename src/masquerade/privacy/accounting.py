"""From events to ε: privacy loss distributions for the headline, Rényi divergences as the cross-check.

Google's dp-accounting does the sums (extra `dp`); `masquerade.privacy.losses` says what the loss of each event is.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from masquerade.errors import ArtifactError, SettingError
from masquerade.privacy.events import Event
from masquerade.privacy.losses import composed, needs_rdp, profile
from masquerade.privacy.renyi import epsilon_of_orders, need_dp, orders, orders_of

__all__ = [
    "GRID",
    "calibrate",
    "checked",
    "deltas_of",
    "epsilon_of",
    "epsilon_of_fits",
    "gaussian_multiplier",
    "need_dp",
    "profile_of",
]

GRID = 1e-4
"""Step of the grid of losses, for an ε from about 0.1 to 10."""

HOPELESS = 1e3
"""Where Rényi divergences give an ε above this, it is not worth the memory to look closer."""

SLACK = 5e-4
"""Share of ε that a calibration may leave unused."""

ROUNDING = 1e-6
"""Share of ε by which the order of sums may change a result, at the very most."""

MOST_EVENTS = 10_000
MOST_TRAININGS = 100
MOST_TIMES = 10**6
LARGEST = 1e12

_FIGURES = {
    "gaussian": ("sigma",), "discrete_gaussian": ("sigma",), "threshold": ("sigma",),
    "poisson_gaussian": ("sigma", "rate"), "exponential": ("epsilon",),
}  # fmt: skip


def checked(events: Iterable[Any]) -> list[Mapping[str, Any]]:
    """Events, once each has the figures of its kind and all are in their range.

    Raises:
        ArtifactError: an event is damaged or unknown, or there are more than any fit makes.
    """
    listed = list(events)
    if len(listed) > MOST_EVENTS:
        raise ArtifactError(f"ledger: {len(listed)} events, at most {MOST_EVENTS} are expected.")
    for event in listed:
        kind = event.get("kind") if isinstance(event, Mapping) else None
        if not isinstance(kind, str) or kind not in _FIGURES:
            raise ArtifactError(f"ledger: unknown event {kind!r}; it was written by a newer version, install that.")
        for name in _FIGURES[kind]:
            if not _is_number(event.get(name)) or not 0 < event[name] <= LARGEST:
                raise ArtifactError(f"ledger: an event is damaged ({kind}: {name} is not in (0, {LARGEST:g}]).")
        if not _is_number(event.get("rate", 1)) or event.get("rate", 1) > 1:
            raise ArtifactError(f"ledger: an event is damaged ({kind}: rate is above 1).")
        for name in ("count", "sensitivity"):
            times = event.get(name, 1 if name == "sensitivity" else 0)
            if not isinstance(times, int) or isinstance(times, bool) or not 1 <= times <= MOST_TIMES:
                raise ArtifactError(f"ledger: an event is damaged ({kind}: {name} is not a whole number from 1 up).")
        delta = event.get("delta", 0.0)
        if not _is_number(delta) or not 0 <= delta < 1:
            raise ArtifactError(f"ledger: an event is damaged ({kind}: delta is not in [0, 1)).")
        if not isinstance(event.get("stage"), str):
            raise ArtifactError(f"ledger: an event is damaged ({kind}: it has no stage).")
    trainings = len({(event["rate"], event["sigma"]) for event in listed if event["kind"] == "poisson_gaussian"})
    if trainings > MOST_TRAININGS:
        raise ArtifactError(f"ledger: {trainings} different trainings, at most {MOST_TRAININGS} are expected.")
    return listed


def epsilon_of(
    events: Iterable[Mapping[str, Any]],
    delta: float,
    *,
    method: Literal["pld", "rdp", "best"] = "best",
    grid: float | None = None,
    coarser: float = 1.0,
) -> float:
    """The ε that events guarantee at this δ, for adding or removing one unit.

    Args:
        events: what was done, in order of time, see `masquerade.privacy.events`.
        delta: δ of the whole; what the events themselves use of it is subtracted.
        method: `"pld"` (tight), `"rdp"` (looser), or `"best"`: the lesser of both. Where an event has no privacy loss
            distribution, `"pld"` is infinite.
        grid: step of the privacy loss distribution; None: `GRID`, finer for an ε below 0.1, coarser above 10.
        coarser: a factor to that step: quicker, and no lower.

    Raises:
        ArtifactError: an event is damaged or unknown.

    >>> from masquerade.privacy.events import poisson_gaussian
    >>> steps = poisson_gaussian(0.01, 4.0, 10_000, what="steps")
    >>> round(epsilon_of([steps], 1e-5, method="rdp"), 4), round(epsilon_of([steps], 1e-5), 4)
    (1.0355, 0.947)
    """
    return epsilon_of_fits([list(events)], delta, method=method, grid=grid, coarser=coarser)


def epsilon_of_fits(
    fits: Sequence[Sequence[Mapping[str, Any]]],
    delta: float,
    *,
    method: Literal["pld", "rdp", "best"] = "best",
    grid: float | None = None,
    coarser: float = 1.0,
) -> float:
    """The ε that several fits of one table guarantee together, whichever came first; arguments as in `epsilon_of`."""
    need_dp()
    each = [found for found in map(checked, fits) if found]
    listed = [event for events in each for event in events]
    left = delta - sum(event.get("delta", 0.0) * event["count"] for event in listed)
    if left <= 0:
        return math.inf
    if not listed:
        return 0.0
    coarse = epsilon_of_orders(orders_of(listed), left)
    if method == "rdp":
        return coarse
    if coarse > HOPELESS or needs_rdp(listed):
        return coarse if method == "best" else math.inf
    step = coarser * (_grid_for(coarse) if grid is None else grid)
    whole, *others = [composed(events, step) for events in each]
    for other in others:
        whole = whole.compose(other)
    found = float(whole.get_epsilon_for_delta(left))
    return min(found, coarse) if method == "best" else found


def deltas_of(
    events: Iterable[Mapping[str, Any]], epsilons: Sequence[float], *, grid: float | None = None
) -> list[float]:
    """The δ that events guarantee at each of these ε: their whole privacy profile.

    Args:
        events: what was done, in order of time.
        epsilons: where to read the profile.
        grid: step of the privacy loss distribution; None: as in `epsilon_of`.

    Raises:
        ArtifactError: an event is damaged or unknown.

    >>> from masquerade.privacy.events import gaussian
    >>> [round(delta, 4) for delta in deltas_of([gaussian(1.0, stage="marginals", what="one")], [0.0, 1.0])]
    [0.3829, 0.1269]
    """
    at, deltas = profile_of(events, grid=grid)
    # Between two points of the grid δ is convex in e^ε, so the chord is an upper bound; beyond the last it does not grow.
    wanted = np.asarray(epsilons, float)
    found = np.interp(np.exp(np.minimum(wanted, 700.0)), np.exp(np.minimum(at, 700.0)), deltas, left=1.0)
    return [float(delta) for delta in found]


def profile_of(
    events: Iterable[Mapping[str, Any]], *, grid: float | None = None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The privacy profile of events where it was computed.

    Returns:
        ε, rising, on both sides of 0, and the δ that is guaranteed at each.
    """
    need_dp()
    listed = checked(events)
    lost = sum(event.get("delta", 0.0) * event["count"] for event in listed)
    rdp = orders_of(listed)
    coarse = epsilon_of_orders(rdp, 1e-6)
    if not listed or coarse > HOPELESS or needs_rdp(listed):
        right = np.linspace(0.0, min(2 * coarse, HOPELESS), 2_000)
        alphas = orders()[:, None]
        bound = np.exp(np.clip(((alphas - 1) * (rdp[:, None] - right)), -700, 0)).min(axis=0) if listed else 0 * right
        at, deltas = np.concatenate([-right[:0:-1], right]), np.concatenate([np.ones(right.size - 1), bound])
    else:
        at, deltas = profile(composed(listed, _grid_for(coarse) if grid is None else grid))
    return at, np.minimum(deltas + lost, 1.0)


def _grid_for(epsilon: float) -> float:
    """`GRID` for an ε from 0.1 to 10, and so in proportion."""
    if 0.1 <= epsilon < 10:
        return GRID
    return float(10.0 ** max(math.floor(math.log10(max(epsilon, 1e-9))) - (3 if epsilon < 0.1 else 4), -12))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def gaussian_multiplier(epsilon: float, delta: float) -> float:
    """The least noise multiplier of one Gaussian mechanism that is (ε, δ)-private (Balle and Wang 2018, arXiv 1805.06530).

    >>> round(gaussian_multiplier(0.3407, 1e-5), 2)
    10.0
    """
    need_dp()
    from dp_accounting import gaussian_mechanism

    return float(gaussian_mechanism.get_sigma_gaussian(epsilon, delta))


def calibrate(
    events: Callable[[float], Sequence[Event]], epsilon: float, delta: float, *, low: float = 0.05, high: float = 1e6
) -> float:
    """The least sigma with which events stay within (ε, δ), so that ε is used to a two-thousandth; it never overshoots.

    Rényi divergences, which are quick, narrow down where a coarse distribution is looked at, and that where the fine one is.

    Args:
        events: everything that is done, at a given sigma.
        epsilon: not to be exceeded.
        delta: of the whole.
        low, high: where to look.

    Raises:
        SettingError: even `high` is not enough.
    """

    def spent(sigma: float, fineness: float) -> float:
        return epsilon_of(events(sigma), delta, method="best" if fineness else "rdp", coarser=fineness or 1.0)

    top = high
    if spent(high, 0.0) <= epsilon:
        bottom = low
        while top > bottom * 1.02:
            middle = math.sqrt(bottom * top)
            bottom, top = (bottom, middle) if spent(middle, 0.0) <= epsilon else (middle, top)
    elif spent(high, 1.0) > epsilon:
        raise SettingError(
            f"epsilon: {epsilon:g} is used up before this step; take a larger one, fewer steps, or declare more."
        )
    for fineness in (10.0, 1.0):  # what fits on a coarse grid fits on a fine one
        top = _narrowed(functools.partial(spent, fineness=fineness), epsilon * (1 - ROUNDING), low, top)
    while spent(top, 1.0) > epsilon:
        top *= 1 + SLACK
    return top


def _narrowed(spent: Callable[[float], float], epsilon: float, low: float, top: float) -> float:
    """The least sigma from `low` to `top`, which is enough; log ε is nearly a straight line in log sigma."""
    if (found := spent(top)) > epsilon:  # a coarse grid may say so of what is enough
        return top
    bottom, slope = low, -1.0
    for _ in range(40):
        if found <= 0 or epsilon * (1 - SLACK) <= found <= epsilon or top <= bottom * (1 + SLACK / 10):
            break
        guess = top * (epsilon * (1 - SLACK / 2) / found) ** (1 / slope)
        if not bottom < guess < top:
            guess = math.sqrt(bottom * top)
        reached = spent(guess)
        if reached > epsilon:
            bottom = guess
        if reached > 0 and abs(math.log(top / guess)) > 1e-9:
            slope = min(math.log(found / reached) / math.log(top / guess), -0.1)
        if reached <= epsilon:
            top, found = guess, reached
    return top
