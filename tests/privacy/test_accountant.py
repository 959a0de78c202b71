"""The account of a fit: nothing beyond the budget, nothing twice, and a claim as close to it as what was done."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from masquerade.errors import SettingError
from masquerade.privacy.accountant import Accountant
from masquerade.privacy.accounting import deltas_of, epsilon_of
from masquerade.privacy.budget import Privacy
from masquerade.privacy.events import Event, discrete_gaussian, exponential, poisson_gaussian
from masquerade.privacy.ledger import Ledger
from masquerade.privacy.losses import composed

pytest.importorskip("dp_accounting")

BUDGET = Privacy(1.0, 1e-6)


def counts(sigma: float, count: int = 1, stage: str = "marginals") -> Event:
    return discrete_gaussian(sigma, stage=stage, what="counts", count=count)


def rest(accountant: Accountant, count: int) -> Event:
    return counts(accountant.calibrate(lambda sigma: [counts(sigma, count)]), count)


def test_shares_that_add_up_to_one_use_the_budget_and_do_not_exceed_it() -> None:
    accountant = Accountant(BUDGET)
    accountant.spend(counts(accountant.sigma(0.1, 4), 4, "domains"))
    for _ in range(10):
        accountant.spend(exponential(accountant.selection_epsilon(0.2, 20), what="pair"))
        accountant.spend(exponential(accountant.selection_epsilon(0.2, 20), what="pair"))
    accountant.spend(rest(accountant, 15))
    assert 0.994 < accountant.spent() <= 0.995
    assert accountant.events[-1]["sigma"] == pytest.approx(accountant.sigma(0.7, 15), rel=0.02)
    ledger = accountant.ledger("Example")
    assert accountant.spent() < (ledger.epsilon or 0) <= BUDGET.epsilon
    assert ledger.epsilon_rdp is not None
    assert 1.0 < ledger.epsilon_rdp < 1.15
    assert [event["count"] for event in ledger.events] == [4, 20, 15]
    assert set(ledger.split) == {"domains", "selection", "marginals"}
    assert max(ledger.split.values()) < 1.0 < sum(ledger.split.values())
    assert epsilon_of(ledger.events, ledger.delta or 0.0) == pytest.approx(ledger.epsilon, rel=5.1e-3)


def test_it_stops_before_the_step_that_would_exceed() -> None:
    accountant, event = Accountant(BUDGET), counts(20.0)
    while epsilon_of([*accountant.events, event], 1e-6) <= 1.0:
        accountant.spend(event)
    steps = len(accountant.events)
    assert steps > 5
    with pytest.raises(SettingError, match=r"epsilon: counts would bring it to 1\.\d+, beyond the 1 asked for"):
        accountant.spend(event)
    assert len(accountant.events) == steps
    accountant.spend(counts(5_000.0))  # a smaller step still fits


def test_resuming_charges_nothing_twice() -> None:
    whole = Accountant(BUDGET)
    done = [counts(40.0, 3, "domains"), exponential(0.05, what="pair"), poisson_gaussian(0.01, 2.0, 100, what="steps")]
    for event in done:
        whole.spend(event)
    first = Accountant(BUDGET)
    for event in done[:2]:
        first.spend(event)
    saved = json.dumps({"privacy": BUDGET.to_dict(), "unit": first.unit, "events": first.events})
    read = json.loads(saved)
    resumed = Accountant(Privacy.from_dict(read["privacy"]), read["unit"], read["events"])
    assert resumed.spent() == first.spent()
    resumed.spend(done[2])
    assert resumed.events == whole.events
    assert resumed.spent() == whole.spent()
    assert resumed.ledger("Example") == whole.ledger("Example")
    assert rest(resumed, 5)["sigma"] == rest(whole, 5)["sigma"]
    with pytest.raises(SettingError, match=r"was spent before, beyond the 0\.1 asked for"):
        Accountant(Privacy(0.1, 1e-6), "row", read["events"])


def test_steps_that_were_not_done_are_given_back() -> None:
    accountant, event = Accountant(BUDGET), poisson_gaussian(0.01, 1.2, 100, what="steps")
    accountant.spend(event)
    before = accountant.spent()
    accountant.settle(event, 40)
    assert accountant.spent() < before
    assert accountant.events[0]["count"] == 40
    with pytest.raises(SettingError, match="count: got 5"):
        accountant.settle(event, 5)  # it has been settled
    accountant.settle(accountant.events[0], 0)
    assert accountant.events == []
    assert accountant.spent() == 0.0


def test_what_depends_on_results_claims_the_whole_budget() -> None:
    accountant = Accountant(BUDGET)
    accountant.spend(discrete_gaussian(20.0, stage="marginals", what="pair", adaptive=True))
    ledger = accountant.ledger("Example")
    assert accountant.spent() < 0.5
    assert ledger.epsilon == 1.0


@pytest.mark.parametrize(("total", "fits"), [(10.0, True), (1e6, True), (1.1e6, False), (-5.0, True)])
def test_delta_is_at_most_one_over_the_units(total: float, fits: bool) -> None:
    accountant = Accountant(BUDGET, "person")
    if fits:
        accountant.check_delta(total)
        return
    with pytest.raises(SettingError, match=r"delta: got 1e-06, expected at most 1 / 1,100,000.*person; take 1e-07 or"):
        accountant.check_delta(total)


@pytest.mark.parametrize(("unit", "said"), [("row", "rows"), ("picture", "pictures"), ("person", "different person")])
def test_a_delta_that_is_too_large_names_the_units(unit: str, said: str) -> None:
    with pytest.raises(SettingError, match=rf"the \(noised\) number of {said}; take"):
        Accountant(BUDGET, unit).check_delta(1.1e6)


def test_a_ledger_of_a_fit_survives_its_file() -> None:
    accountant = Accountant(BUDGET)
    accountant.spend(counts(30.0))
    ledger = accountant.ledger("Example", {"rounded": 1})
    assert Ledger.from_dict(json.loads(json.dumps(ledger.to_dict()))) == ledger
    assert "ε = 0.1" in ledger.sentence()
    assert math.isfinite(ledger.epsilon_rdp or math.inf)


@pytest.mark.parametrize(("total", "count"), [(1_000, 10), (5_000, 50)])
def test_plans_that_follow_from_the_noised_number_of_rows_gain_less_than_is_kept(total: int, count: int) -> None:
    """At each loss of the counts that the plan was made from, the worst of all plans that they could have led to."""
    accountant = Accountant(BUDGET)
    counted = discrete_gaussian(accountant.sigma(0.15, 10), stage="marginals", what="counts", count=10)
    accountant.spend(counted)
    at, plans, spent = np.arange(-3_000, 6_001) * 5e-4, [], []
    for off in (-3, 0, 3):  # standard deviations of the noised number, of about two bins in ten columns
        rate = 100 / (total + off * counted["sigma"] * 2)
        sigma = accountant.calibrate(lambda sigma, rate=rate: [poisson_gaussian(rate, sigma, count, what="steps")])
        steps = poisson_gaussian(rate, sigma, count, what="steps")
        plans.append(deltas_of([steps], at.tolist()))
        spent.append(epsilon_of([counted, steps], BUDGET.delta))
    pmf = composed([counted], 1e-4)._pmf_remove.to_dense_pmf()
    losses = (pmf._lower_loss + np.arange(pmf.size)) * 1e-4
    worst = np.max(plans, axis=0)
    assert np.sum(pmf._probs * np.interp(BUDGET.epsilon - losses, at, worst)) < BUDGET.delta
    assert np.sum(pmf._probs * np.interp(0.98 - losses, at, worst)) > BUDGET.delta
    assert max(spent) <= 0.995
