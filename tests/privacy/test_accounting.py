"""What events cost: the golden figures, limits that are known otherwise, and bounds that never undershoot."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from masquerade.errors import ArtifactError, SettingError
from masquerade.privacy.accounting import calibrate, deltas_of, epsilon_of, gaussian_multiplier
from masquerade.privacy.bounded_range import adaptive_curve
from masquerade.privacy.events import Event, discrete_gaussian, exponential, gaussian, poisson_gaussian, threshold

pytest.importorskip("dp_accounting")


def counts(sigma: float, count: int = 1, sensitivity: int = 1, **more: Any) -> Event:
    return discrete_gaussian(sigma, stage="marginals", what="counts", count=count, sensitivity=sensitivity, **more)


def steps(rate: float, sigma: float, count: int) -> Event:
    return poisson_gaussian(rate, sigma, count, what="steps")


def chosen(epsilon: float, count: int = 1, **more: Any) -> Event:
    return exponential(epsilon, what="pair", count=count, **more)


GOLDEN = [
    (256 / 60_000, 1.1, 14_062, 2.5966, 2.3817),
    (0.01, 4.0, 10_000, 1.0355, 0.9470),
    (0.01, 1.0, 1_000, 2.1014, 1.8282),
    (500 / 32_561, 1.0, 3_907, 6.5314, 5.9940),
    (500 / 32_561, 2.0, 1_300, 1.2552, 1.1440),
    (1.0, 10.0, 1, 0.3753, 0.3407),
]


@pytest.mark.parametrize(("rate", "sigma", "count", "rdp", "pld"), GOLDEN)
def test_golden_figures(rate: float, sigma: float, count: int, rdp: float, pld: float) -> None:
    event = steps(rate, sigma, count)
    assert epsilon_of([event], 1e-5, method="rdp") == pytest.approx(rdp, abs=1e-3)
    assert epsilon_of([event], 1e-5, method="pld") == pytest.approx(pld, abs=1e-3)
    assert epsilon_of([event], 1e-5) == epsilon_of([event], 1e-5, method="pld")


@pytest.mark.parametrize(
    ("kind", "stronger"),
    [
        (lambda x: [steps(0.01 * x, 1.0, 200)], [0.5, 1.0, 1.1, 3.0]),
        (lambda x: [steps(0.01, 1.0, int(100 * x))], [0.5, 1.0, 1.1, 3.0]),
        (lambda x: [steps(0.01, 1 / x, 200)], [0.5, 1.0, 1.02, 1.5]),
        (lambda x: [counts(10 / x, 20)], [0.01, 0.1, 0.11, 1.0, 1.01, 5.0]),
        (lambda x: [chosen(0.1 * x, 10), counts(10.0, 5)], [0.1, 1.0, 1.1, 3.0, 20.0]),
        (lambda x: [chosen(0.1, int(10 * x)), counts(10.0, 5)], [0.5, 1.0, 1.1, 3.0]),
    ],
    ids=["rate", "steps", "noise", "counts", "choice", "choices"],
)
@pytest.mark.parametrize("method", ["pld", "rdp"])
def test_more_is_never_cheaper(kind: Any, stronger: list[float], method: Any) -> None:
    found = [epsilon_of(kind(x), 1e-6, method=method, grid=1e-3) for x in stronger]
    assert all(less < more for less, more in itertools.pairwise(found))


def test_rows_of_one_unit_cost_what_their_spread_can_tell() -> None:
    """Noise is scaled to the worst spread; several rows of a unit are charged as one count that is raised by all of them."""
    for sensitivity in (2, 5):
        several = epsilon_of([counts(8.0, 12, sensitivity)], 1e-6)
        assert several == pytest.approx(
            epsilon_of([gaussian(8.0, stage="marginals", what="x", count=12)], 1e-6), rel=1e-3
        )
    many = [counts(8.0, 12, 40)]  # too many spreads to look at each: charged by its zCDP
    assert epsilon_of(many, 1e-6, method="pld") == math.inf
    assert epsilon_of(many, 1e-6) == epsilon_of(many, 1e-6, method="rdp")


@pytest.mark.parametrize("sigma", [0.8, 3.0])
def test_the_profile_of_integer_noise_is_exact(sigma: float) -> None:
    """Beside the sum over all integers."""
    places = np.arange(-80, 81)
    here, there = (np.exp(-((places - shift) ** 2) / (2 * sigma**2)) for shift in (0, 1))
    total = here.sum()
    epsilons = [-1.0, 0.0, 0.3, 1.0, 2.0]
    exact = [float(np.maximum(here - math.exp(e) * there, 0).sum() / total) for e in epsilons]
    found = deltas_of([counts(sigma)], epsilons)
    np.testing.assert_allclose(found, exact, rtol=1e-3)
    assert all(f >= e - 1e-12 for f, e in zip(found, exact, strict=True))


def test_the_profile_of_gaussian_noise_is_the_known_one() -> None:
    epsilons, sigma = np.array([0.0, 0.5, 1.5]), 1.3
    exact = stats.norm.cdf(0.5 / sigma - epsilons * sigma) - np.exp(epsilons) * stats.norm.cdf(
        -0.5 / sigma - epsilons * sigma
    )
    np.testing.assert_allclose(
        deltas_of([gaussian(sigma, stage="marginals", what="x")], epsilons.tolist()), exact, rtol=1e-3
    )


def test_one_choice_has_the_known_profile_and_many_lie_between_their_bounds() -> None:
    """The single one: the worst coin of all; many: more than the coin that stays the same, less than their zCDP."""
    epsilon = 0.5
    (half,) = deltas_of([chosen(epsilon)], [0.2])
    assert half == pytest.approx((1 - math.exp((0.2 - epsilon) / 2)) ** 2 / (1 - math.exp(-epsilon)), rel=0.04)
    for size, count in ((0.1, 40), (1.0, 8)):
        mine = epsilon_of([chosen(size, count)], 1e-6, method="pld")
        zcdp = epsilon_of([chosen(size, count)], 1e-6, method="rdp")
        p = math.exp(size / 2) / (1 + math.exp(size / 2))
        heads = np.arange(count + 1)
        loss = (2 * heads - count) * size / 2
        fixed = np.sum(stats.binom(count, p).pmf(heads) * np.maximum(1 - np.exp(mine - loss), 0))
        assert fixed <= 1e-6 * (1 + 1e-9)
        assert mine < 0.97 * zcdp
        assert mine <= count * size * 1.02


def test_every_play_against_the_choices_stays_below_their_curve() -> None:
    """Adversaries that pick each coin at random after what came before."""
    random, epsilon, count = np.random.default_rng(0), 0.8, 3
    step, deltas = adaptive_curve((epsilon,) * count, 1e-3)
    at = (np.arange(deltas.size) - deltas.size // 2) * step * 1e-3
    for _ in range(200):
        losses, chances = np.zeros(1), np.ones(1)
        for _ in range(count):
            t = random.uniform(0, epsilon, losses.size) if random.random() < 0.7 else np.full(losses.size, epsilon / 2)
            p = -np.expm1(t - epsilon) / -math.expm1(-epsilon)
            losses = np.concatenate([losses + t, losses + t - epsilon])
            chances = np.concatenate([chances * p, chances * (1 - p)])
        for at_epsilon in (0.0, 0.3, 1.0, 2.0):
            told = np.sum(chances * np.maximum(1 - np.exp(at_epsilon - losses), 0))
            assert told <= np.interp(at_epsilon, at, deltas) + 1e-12


def test_what_depends_on_results_is_charged_by_renyi_alone() -> None:
    fixed, adaptive = [counts(10.0, 5), chosen(0.1, 5)], [counts(10.0, 5), chosen(0.1, 5, adaptive=True)]
    assert epsilon_of(adaptive, 1e-6) == epsilon_of(fixed, 1e-6, method="rdp") > epsilon_of(fixed, 1e-6)


def test_delta_that_events_use_is_not_used_twice() -> None:
    levels = threshold(10.0, 4e-7, what="levels")
    assert epsilon_of([levels], 1e-6) == pytest.approx(epsilon_of([counts(10.0)], 6e-7), rel=1e-6)
    assert epsilon_of([levels], 4e-7) == math.inf
    assert deltas_of([levels], [5.0]) == [pytest.approx(4e-7, rel=1e-3)]


def test_more_choices_than_are_looked_at_are_charged_by_renyi() -> None:
    many = [chosen(1e-3, 2_000)]
    assert epsilon_of(many, 1e-6, method="pld") == math.inf
    assert epsilon_of(many, 1e-6) == epsilon_of(many, 1e-6, method="rdp")


def test_nothing_costs_nothing_and_next_to_no_noise_costs_everything() -> None:
    assert epsilon_of([], 1e-6) == 0.0
    assert epsilon_of([counts(1e-4, 10**5)], 1e-6) > 1e9
    assert epsilon_of([counts(1e9, 100)], 1e-6) < 1e-3


@given(
    epsilon=st.floats(0.05, 5.0),
    delta=st.sampled_from([1e-9, 1e-6, 1e-3]),
    before=st.sampled_from([[], [counts(80.0, 4)], [chosen(0.004, 10), counts(200.0, 5, 3)]]),
    kind=st.sampled_from(["counts", "steps", "gaussian"]),
)
@settings(max_examples=6, deadline=None)
def test_a_calibrated_sigma_never_overshoots_and_wastes_little(
    epsilon: float, delta: float, before: list[Event], kind: str
) -> None:
    def events(sigma: float) -> list[Event]:
        last = {
            "counts": lambda: counts(sigma, 9),
            "steps": lambda: steps(0.02, sigma, 30),
            "gaussian": lambda: gaussian(sigma, stage="training", what="sum"),
        }
        return [*before, last[kind]()]

    if epsilon_of(before, delta) > 0.9 * epsilon:
        return
    sigma = calibrate(events, epsilon, delta)
    assert epsilon_of(events(sigma), delta) <= epsilon
    assert epsilon_of(events(sigma / 1.02), delta) > epsilon * 0.995


def test_one_gaussian_is_calibrated_as_the_formula_says() -> None:
    sigma = calibrate(lambda s: [gaussian(s, stage="training", what="sum")], 1.0, 1e-5)
    assert sigma == pytest.approx(gaussian_multiplier(1.0, 1e-5), rel=1e-3)


def test_a_budget_that_is_used_up_is_refused() -> None:
    with pytest.raises(SettingError, match=r"epsilon: 0\.5 is used up before this step"):
        calibrate(lambda sigma: [counts(1.0), counts(sigma)], 0.5, 1e-6)


@pytest.mark.parametrize(
    "event",
    [
        {},
        [],
        None,
        counts(1.0) | {"kind": "laplace"},
        counts(1.0) | {"kind": ["gaussian"]},
        counts(1.0) | {"sigma": 0.0},
        counts(1.0) | {"sigma": "1"},
        counts(1.0) | {"sigma": math.nan},
        counts(1.0) | {"sigma": math.inf},
        counts(1.0) | {"sigma": 10**400},
        counts(1.0) | {"count": 0},
        counts(1.0) | {"count": 1.5},
        counts(1.0) | {"count": 10**9},
        counts(1.0) | {"sensitivity": -1},
        counts(1.0) | {"stage": 3},
        steps(0.1, 1.0, 5) | {"rate": 1.5},
        threshold(1.0, 0.1, what="x") | {"delta": -0.1},
        {key: value for key, value in counts(1.0).items() if key != "sigma"},
    ],
)
def test_damaged_events_are_refused(event: Any) -> None:
    with pytest.raises(ArtifactError, match="ledger: "):
        epsilon_of([event], 1e-6)
