"""From events to ε: privacy loss distributions for the headline, Rényi divergences as the cross-check.

Google's dp-accounting does the sums (extra `dp`); this module says which of its events each of ours is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal

from masquerade.errors import ArtifactError, SettingError
from masquerade.privacy.events import Event

__all__ = ["GRID", "calibrate", "deltas_of", "epsilon_of", "gaussian_multiplier", "need_dp"]

GRID = 1e-4
"""Interval of the privacy loss distribution's grid; losses are rounded up to it, so the result is an upper bound."""


def need_dp() -> Any:
    """The library `dp_accounting`.

    Raises:
        SettingError: the extra `dp` is not installed.
    """
    try:
        import dp_accounting
        from dp_accounting import pld, rdp  # noqa: F401 - loaded as attributes
    except ImportError as error:
        raise SettingError(
            "privacy: differential privacy needs the extra 'dp', which is not installed; "
            "install it with: pip install 'masquerade[dp]'."
        ) from error
    return dp_accounting


def _dp_event(event: Mapping[str, Any]) -> Any:
    dp = need_dp()
    try:
        kind, count = event["kind"], int(event["count"])
        if kind in ("gaussian", "discrete_gaussian", "threshold"):
            # Integer noise keeps the zCDP of continuous noise of its scale (arXiv 2004.00010, theorem 4).
            single = dp.GaussianDpEvent(event["sigma"])
        elif kind == "poisson_gaussian":
            single = dp.PoissonSampledDpEvent(event["rate"], dp.GaussianDpEvent(event["sigma"]))
        elif kind == "exponential":
            single = dp.ZCDpEvent(event["epsilon"] ** 2 / 8)
        else:
            raise ArtifactError(f"ledger: unknown event {kind!r}; it was written by a newer version, install that.")
    except (KeyError, TypeError, ValueError) as error:
        raise ArtifactError(f"ledger: an event is damaged ({type(error).__name__}: {error}).") from error
    return dp.SelfComposedDpEvent(single, count) if count != 1 else single


def epsilon_of(
    events: Iterable[Mapping[str, Any]],
    delta: float,
    *,
    method: Literal["pld", "rdp", "best"] = "best",
    grid: float = GRID,
) -> float:
    """The ε that events guarantee at this δ, for adding or removing one unit.

    Args:
        events: what was done, see `masquerade.privacy.events`.
        delta: δ of the whole.
        method: `"pld"` (tight; not every event has a distribution), `"rdp"` (looser), or `"best"`: the lesser of what there is.
        grid: of the privacy loss distribution.

    >>> from masquerade.privacy.events import poisson_gaussian
    >>> steps = poisson_gaussian(0.01, 4.0, 10_000, what="steps")
    >>> round(epsilon_of([steps], 1e-5, method="rdp"), 4)
    1.0355
    """
    dp = need_dp()
    listed = list(events)
    left = delta - sum(float(event.get("delta", 0.0)) for event in listed)
    if left <= 0:
        return math.inf
    found = []
    if method in ("rdp", "best"):
        accountant = dp.rdp.RdpAccountant()
        for event in listed:
            accountant.compose(_dp_event(event))
        found.append(float(accountant.get_epsilon(left)))
    if method in ("pld", "best") and all(event["kind"] != "exponential" for event in listed):
        accountant = dp.pld.PLDAccountant(value_discretization_interval=grid)
        for event in listed:
            accountant.compose(_dp_event(event))
        found.append(float(accountant.get_epsilon(left)))
    return min(found, default=math.inf)


def deltas_of(
    events: Iterable[Mapping[str, Any]], epsilons: Sequence[float], *, grid: float = GRID
) -> list[float]:
    """The δ that events guarantee at each of these ε: their whole privacy profile, from privacy loss distributions.

    Args:
        events: Gaussian ones, on all rows or on Poisson samples.
        epsilons: where to read the profile.
        grid: of the privacy loss distribution.

    >>> from masquerade.privacy.events import gaussian
    >>> [round(delta, 4) for delta in deltas_of([gaussian(1.0, stage="marginals", what="one")], [0.0, 1.0])]
    [0.3829, 0.1269]
    """
    accountant = need_dp().pld.PLDAccountant(value_discretization_interval=grid)
    for event in events:
        accountant.compose(_dp_event(event))
    return [float(delta) for delta in accountant.get_delta(list(epsilons))]


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
    """The least sigma, to a thousandth, with which events stay within (ε, δ); it never overshoots.

    Args:
        events: everything that is done, at a given sigma.
        epsilon: not to be exceeded.
        delta: of the whole.
        low, high: where to look.

    Raises:
        SettingError: even `high` is not enough.
    """
    if epsilon_of(events(high), delta) > epsilon:
        raise SettingError(
            f"epsilon: {epsilon:g} is used up before this step; take a larger one, fewer steps, or declare more."
        )
    bottom, top = low, high
    while top > bottom * 1.001:
        middle = math.sqrt(bottom * top)
        if epsilon_of(events(middle), delta) <= epsilon:
            top = middle
        else:
            bottom = middle
    return top
