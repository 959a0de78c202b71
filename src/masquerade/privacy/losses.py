"""Privacy loss distributions of events, composed by Google's dp-accounting, each computed once.

A distribution here is an upper bound: every rounding of a loss to the grid is the one of Doroshenko et al. (*Connect the Dots*,
arXiv 2207.04380), which never understates, and what is cut off counts as an infinite loss.
"""

from __future__ import annotations

import functools
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from masquerade.privacy.bounded_range import adaptive_curve

__all__ = ["composed", "needs_rdp", "profile"]

LARGEST = 1e5
"""Above this scale integer noise is charged as what its zCDP makes of it, to spare the memory."""

TAIL = 1e-20
"""Mass that is cut off from integer noise, and counts as an infinite loss."""

MOST_SHARED = 12
"""A unit that changes more counts than this is charged by Rényi divergences: there are too many ways to spread it."""


MOST_CHOICES = 1_000
"""More choices than this are charged by Rényi divergences, which are as good for so many."""

MOST_DIFFERENT = 200
"""More different mechanisms than this are charged by Rényi divergences, to spare the time."""


class _Key(NamedTuple):
    """What the loss of an event depends on."""

    kind: str
    sigma: float
    rate: float
    sensitivity: int


def needs_rdp(events: Sequence[Mapping[str, Any]]) -> bool:
    """Whether there is no privacy loss distribution of these events here, so that all are charged by Rényi divergences."""
    if any(event.get("adaptive") or event.get("sensitivity", 1) > MOST_SHARED for event in events):
        return True
    others = {_key(event) for event in events if event["kind"] != "exponential"}
    choices = sum(int(event["count"]) for event in events if event["kind"] == "exponential")
    return len(others) > MOST_DIFFERENT or choices > MOST_CHOICES


def composed(events: Sequence[Mapping[str, Any]], grid: float) -> Any:
    """The privacy loss distribution of all of these events: a `PrivacyLossDistribution`.

    Args:
        events: in order of time, each checked before.
        grid: losses are multiples of it.
    """
    counts: Counter[_Key] = Counter()
    ranges: list[float] = []
    for event in events:
        if event["kind"] == "exponential":
            ranges += [event["epsilon"]] * event["count"]
        else:
            counts[_key(event)] += event["count"]
    return _joined(tuple(counts.items()), tuple(ranges), grid)


def _key(event: Mapping[str, Any]) -> _Key:
    kind = "discrete_gaussian" if event["kind"] == "threshold" else event["kind"]
    return _Key(kind, float(event["sigma"]), float(event.get("rate", 1.0)), event.get("sensitivity", 1))


@functools.lru_cache(maxsize=16)
def _joined(counts: tuple[tuple[_Key, int], ...], ranges: tuple[float, ...], grid: float) -> Any:
    """The last part is what a search varies: what stands before it is composed once."""
    if ranges:
        return _joined(counts, (), grid).compose(_choices(ranges, grid)) if counts else _choices(ranges, grid)
    (key, count), before = counts[-1], counts[:-1]
    last = _repeated(key, count, grid)
    return _joined(before, (), grid).compose(last) if before else last


@functools.lru_cache(maxsize=64)
def _repeated(key: _Key, count: int, grid: float) -> Any:
    from dp_accounting.pld import privacy_loss_distribution as losses

    if key.kind == "gaussian":  # as many of one scale are one of a smaller
        return losses.from_gaussian_mechanism(key.sigma / math.sqrt(count), value_discretization_interval=grid)
    if key.kind == "discrete_gaussian" and key.sigma * key.sensitivity > LARGEST:
        return _huge(key.sigma / math.sqrt(count), grid)
    if key.kind == "poisson_gaussian":
        single = losses.from_gaussian_mechanism(key.sigma, sampling_prob=key.rate, value_discretization_interval=grid)
    else:
        single = _counts(key.sigma, key.sensitivity, grid)
    return single.self_compose(count) if count > 1 else single


@functools.lru_cache(maxsize=64)
def _counts(sigma: float, sensitivity: int, grid: float) -> Any:
    """Integer noise of scale `sigma * sensitivity` on counts that one unit raises by `sensitivity` in all."""
    from dp_accounting.pld import privacy_loss_distribution as losses

    scale = sigma * sensitivity
    if sensitivity == 1:
        return losses.PrivacyLossDistribution(_shifted(scale, 1, grid))
    # How a unit spreads its rows over the counts is not known: the worst spread at each ε bounds them all. To raise a count by
    # less is never worse, for the noise is log-concave: then the best tests are thresholds, and a larger shift passes more.
    spreads = [_spread(parts, scale, grid) for parts in _partitions(sensitivity)]
    last = max(max(pmf._lower_loss + pmf.size, -pmf._lower_loss) for pmf in spreads)
    deltas = np.max([_profile(pmf, last) for pmf in spreads], axis=0)
    return losses.PrivacyLossDistribution(_curve(grid, 1, np.minimum.accumulate(deltas)))


def _huge(sigma: float, grid: float) -> Any:
    """What is 1 / (2 sigma²)-zCDP, as a mechanism that is (ε, δ)-private with a δ that does not count."""
    from dp_accounting.pld import common
    from dp_accounting.pld import privacy_loss_distribution as losses

    rho = 1 / (2 * sigma**2)
    epsilon = rho + 2 * math.sqrt(-rho * math.log(TAIL))
    parameters = common.DifferentialPrivacyParameters(epsilon, TAIL)
    return losses.from_privacy_parameters(parameters, value_discretization_interval=grid)


def profile(distribution: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The hockey-stick divergence of a distribution, the worse of adding and removing, at every ε of its grid.

    Returns:
        ε and δ, both of shape (2 n + 1,), from the least loss to the greatest on both sides of 0.
    """
    pmfs = [pmf.to_dense_pmf() for pmf in (distribution._pmf_remove, distribution._pmf_add)]
    last = max(max(pmf._lower_loss + pmf.size, -pmf._lower_loss) for pmf in pmfs)
    deltas = np.max([_profile(pmf, last) for pmf in pmfs], axis=0)
    return np.arange(-last, last + 1) * pmfs[0]._discretization, deltas


def _profile(pmf: Any, last: int) -> NDArray[np.float64]:
    """δ at -last, ..., last steps of the grid, of which no loss lies outside."""
    masses = np.zeros(2 * last + 1)
    masses[pmf._lower_loss + last :][: pmf.size] = pmf._probs
    epsilons = np.arange(-last, last + 1) * pmf._discretization
    above = np.cumsum(masses[::-1])[::-1]
    other = np.cumsum((masses * np.exp(np.minimum(-epsilons, 700.0)))[::-1])[::-1]
    deltas = above - np.exp(np.minimum(epsilons + np.log(np.maximum(other, 1e-300)), 0.0)) + pmf._infinity_mass
    return np.asarray(np.clip(deltas, 0.0, 1.0))


@functools.lru_cache(maxsize=256)
def _spread(parts: tuple[int, ...], scale: float, grid: float) -> Any:
    last = _shifted(scale, parts[-1], grid)
    return _spread(parts[:-1], scale, grid).compose(last) if parts[1:] else last


@functools.lru_cache(maxsize=64)
def _shifted(scale: float, shift: int, grid: float) -> Any:
    """Integer noise of this scale against itself shifted, with exact masses; each loss is split between two grid points so
    that the masses of both distributions stay as they are."""
    from dp_accounting.pld import pld_pmf

    reach = math.ceil(scale * math.sqrt(-2 * math.log(TAIL))) + shift + 2
    places = np.arange(-reach, reach + 1)
    masses = np.exp(-(places.astype(float) ** 2) / (2 * scale**2))
    masses /= masses.sum()
    losses = (shift**2 - 2.0 * shift * places) / (2 * scale**2)
    below = np.floor(losses / grid).astype(np.int64)
    over = losses - below * grid
    upper = masses * np.expm1(-over) / math.expm1(-grid)
    lowest = int(below.min())
    probabilities = np.bincount(below - lowest, masses - upper, minlength=int(below.max()) - lowest + 2)
    probabilities += np.bincount(below - lowest + 1, upper, minlength=probabilities.size)
    return pld_pmf.DensePLDPmf(grid, lowest, np.maximum(probabilities, 0.0), TAIL, True)


def _partitions(total: int, most: int | None = None) -> list[tuple[int, ...]]:
    """All ways to write a whole number as a sum, ordered within each.

    >>> _partitions(3)
    [(3,), (2, 1), (1, 1, 1)]
    """
    if total == 0:
        return [()]
    first = range(min(total, total if most is None else most), 0, -1)
    return [(part, *rest) for part in first for rest in _partitions(total - part, part)]


def _choices(ranges: tuple[float, ...], grid: float) -> Any:
    from dp_accounting.pld import privacy_loss_distribution as losses

    return losses.PrivacyLossDistribution(_curve(grid, *adaptive_curve(ranges, grid)))


def _curve(grid: float, step: int, deltas: NDArray[np.float64]) -> Any:
    """The distribution of a hockey-stick divergence given at whole steps on both sides of 0."""
    from dp_accounting.pld import pld_pmf

    half = deltas.size // 2
    return pld_pmf.create_pmf_pessimistic_connect_dots(
        grid, np.arange(-half, half + 1) * step, np.clip(deltas, 0.0, 1.0)
    )
