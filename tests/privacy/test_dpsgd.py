import pytest

from masquerade.errors import SettingError
from masquerade.privacy.accountant import Accountant
from masquerade.privacy.accounting import epsilon_of
from masquerade.privacy.budget import Privacy
from masquerade.privacy.dpsgd import WORDS, Plan
from masquerade.privacy.events import discrete_gaussian

pytest.importorskip("dp_accounting")


@pytest.fixture
def accountant():
    accountant = Accountant(Privacy(1.0, 1e-5))
    accountant.spend(discrete_gaussian(15.0, stage="marginals", what="counts"))
    return accountant


def planned(accountant, **settings):
    return Plan.calibrated(accountant, 1_000.0, **({"batch": 100, "clip": 0.5, "steps": 50} | settings))


def test_the_whole_plan_fits_the_budget_and_a_little_less_noise_does_not(accountant):
    plan = planned(accountant)
    accountant.spend(plan.event(plan.steps))
    assert 0.98 < accountant.spent() <= 1.0
    louder = Plan(plan.threshold, plan.clip, plan.sigma * 0.98, plan.steps, plan.divisor, plan.what)
    assert epsilon_of([*accountant.events[:1], louder.event(50)], 1e-5) > 1.0


def test_the_event_is_of_the_very_rate_that_the_sampler_has(accountant):
    plan = planned(accountant, batch=33.3)
    event = plan.event(7)
    assert event["rate"] * WORDS == plan.threshold
    assert abs(plan.rate - 0.0333) < 1e-9
    assert (event["sigma"], event["count"], event["stage"]) == (plan.sigma, 7, "training")
    assert plan.deviation == plan.sigma * 0.5
    assert plan.divisor == 33.3


def test_a_batch_larger_than_the_table_draws_nearly_everyone(accountant):
    assert planned(accountant, batch=5_000).threshold == WORDS - 1


def test_fewer_steps_or_smaller_batches_need_less_noise(accountant):
    sigma = planned(accountant).sigma
    assert planned(accountant, steps=25).sigma < sigma
    assert planned(accountant, batch=50).sigma < sigma


def test_only_the_steps_begun_are_charged(accountant):
    plan, found = planned(accountant), []

    def interrupted():
        with plan.charged(accountant) as meter:
            assert accountant.events[-1]["count"] == 50  # reserved before the first
            for steps in (10, 5):
                meter.begin(steps)
                found.append(meter.epsilon())
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert [event["count"] for event in accountant.events] == [1, 15]
    assert accountant.spent() == found[1]
    assert found[0] < found[1] < 1.0


def test_a_training_without_a_step_costs_nothing(accountant):
    before = accountant.spent()
    with planned(accountant).charged(accountant) as meter:
        assert meter.epsilon() == before
    assert accountant.spent() == before


def test_a_step_beyond_the_plan_is_refused_before_it_is_taken(accountant):
    with planned(accountant).charged(accountant) as meter:
        meter.begin(50)
        with pytest.raises(SettingError, match="steps: got 1 after 50"):
            meter.begin(1)
    assert accountant.events[-1]["count"] == 50


def test_a_plan_does_not_fit_twice(accountant):
    plan = planned(accountant)
    with plan.charged(accountant) as meter:
        meter.begin(50)
    with pytest.raises(SettingError, match="epsilon"), plan.charged(accountant):
        raise AssertionError("not to be reached")
    assert len(accountant.events) == 2


@pytest.mark.parametrize("wrong", [{"clip": 0.0}, {"clip": float("inf")}, {"steps": 0}, {"batch": float("nan")}])
def test_figures_out_of_range_are_refused(accountant, wrong):
    with pytest.raises(SettingError):
        planned(accountant, **wrong)
