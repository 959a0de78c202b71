"""Going on from another model: what is taken over, what starts afresh, and that few rows are enough where much is known."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

import masquerade as mq
from masquerade.errors import MasqueradeWarning
from masquerade.synthesize.transplant import inherited, strengths_of


def people(rows: int, seed: int = 0) -> pl.DataFrame:
    """y follows a number and a word; `grade` determines `passed`; the amounts have more bins than a digit has places."""
    random = np.random.default_rng(seed)
    amount = random.normal(50, 15, rows).round(1)
    town = random.choice(["Aachen", "Bonn", "Celle"], rows)
    grade = random.choice(["1", "2", "3", "4"], rows)
    likely = 1 / (1 + np.exp(-(amount - 50) / 5 - 2.0 * (town == "Bonn") + 2.0 * (town == "Celle")))
    return pl.DataFrame(
        {
            "amount": amount,
            "town": town,
            "grade": [f"grade {each}" for each in grade],
            "passed": np.where(grade < "3", "passed", "failed"),
            "y": np.where(random.random(rows) < likely, "yes", "no"),
        }
    )


@pytest.fixture(scope="module")
def public() -> mq.Autoregressive:
    return mq.Autoregressive(size="small", epochs=12, random_state=0).fit(people(4_000))


def loss(model: mq.Autoregressive, rows: pl.DataFrame) -> float:
    """Mean −log of the probability of the true y."""
    found = model.predict_proba(rows, "y")
    given = np.where(rows["y"].to_numpy() == "yes", found["yes"].to_numpy(), found["no"].to_numpy())
    return float(-np.log(given).mean())


@pytest.mark.filterwarnings("ignore::masquerade.errors.MasqueradeWarning")
def test_with_a_start_sixty_rows_predict_better_than_six_hundred_without(public: mq.Autoregressive) -> None:
    judged = people(2_000, seed=9)
    started = mq.Autoregressive(random_state=0).fit(people(60, seed=1), start_from=public)
    scratch = mq.Autoregressive(random_state=0).fit(people(600, seed=1))
    assert loss(started, judged) < loss(scratch, judged) - 0.01
    assert loss(started, judged) < loss(public, judged) + 0.01


def test_a_start_is_not_believed_against_the_rows(public: mq.Autoregressive) -> None:
    """The private rows say the contrary of the public ones, in a column of theirs and in how y follows."""
    turned = people(3_000, seed=2).with_columns(
        y=pl.when(pl.col("y") == "yes").then(pl.lit("no")).otherwise(pl.lit("yes")),
        town=pl.when(pl.int_range(pl.len()) % 10 > 0).then(pl.lit("Celle")).otherwise("town"),
    )
    model = mq.Autoregressive(random_state=0).fit(turned[:2_500], start_from=public)
    assert loss(model, turned[2_500:]) < loss(public, turned[2_500:]) - 0.5
    share = (model.sample(4_000)["town"] == "Celle").mean()
    assert share == pytest.approx((turned["town"] == "Celle").mean(), abs=0.03)


@pytest.mark.filterwarnings("ignore::masquerade.errors.MasqueradeWarning")
def test_codes_spelling_and_dependencies_are_taken_over(public: mq.Autoregressive) -> None:
    few = people(60, seed=3)
    model = mq.Autoregressive(random_state=0).fit(few, start_from=public)
    assert model.codec_.codecs["amount"] is public.codec_.codecs["amount"]
    assert public.codec_.dependencies["passed"].on == "grade"
    assert model.codec_.dependencies["passed"].on == "grade", "sixty rows alone would not prove it"
    assert "passed" not in mq.Autoregressive(epochs=1, random_state=0).fit(few).codec_.dependencies
    assert np.array_equal(model._drawer.net.slots.digits.digit, public._drawer.net.slots.digits.digit)
    assert model.codec_.layout.sizes[0] > 32, "or the spelling could not differ"


@pytest.mark.filterwarnings("ignore::masquerade.errors.MasqueradeWarning")
def test_a_dependency_that_a_row_contradicts_is_given_up(public: mq.Autoregressive) -> None:
    few = people(200, seed=3)
    few[0, "passed"] = "failed" if few[0, "passed"] == "passed" else "passed"
    model = mq.Autoregressive(epochs=1, random_state=0).fit(few, start_from=public)
    assert "passed" not in model.codec_.dependencies


def at_once(table: pl.DataFrame, start: mq.Autoregressive, **settings: Any) -> mq.Autoregressive:
    """A model whose training is too slow to change anything: as good as its start."""
    return mq.Autoregressive(epochs=1, learning_rate=1e-9, random_state=0, **settings).fit(table, start_from=start)


def test_a_new_column_does_not_disturb_the_old_ones(public: mq.Autoregressive) -> None:
    wider = people(1_000, seed=4)
    wider = wider.insert_column(1, pl.Series("added", np.random.default_rng(0).choice(["x", "y"], 1_000)))
    model = at_once(wider, public)
    assert np.abs(loss(model, wider) - loss(public, wider.drop("added"))) < 0.02


def test_another_size_takes_no_weights(public: mq.Autoregressive) -> None:
    rows = people(1_000, seed=4)
    known = at_once(rows, public)
    with pytest.warns(MasqueradeWarning, match="no weights; leave size at 'auto'"):
        strange = at_once(rows, public, size="medium")
    assert loss(known, rows) == pytest.approx(loss(public, rows), abs=0.02)
    assert loss(strange, rows) > loss(public, rows) + 0.1


def test_what_is_inherited_adds_up(public: mq.Autoregressive) -> None:
    layout, wanted = inherited(public.codec_, public.codec_, 100)
    for share, before, asked in zip(public.codec_.layout.frequencies, layout.frequencies, wanted, strict=True):
        assert np.array_equal(share, before)
        assert asked == pytest.approx(share)


def test_old_shares_count_as_far_as_they_agree() -> None:
    random = np.random.default_rng(0)
    olds = [random.dirichlet(np.ones(size)) for size in (2, 5, 30)]
    same = [(random.multinomial(200, old) / 200, old) for old in olds]
    others = [(random.dirichlet(np.ones(len(old))), old) for old in olds]
    assert min(strengths_of(same, 200)) > 300
    assert max(strengths_of(others, 5_000)) < 100
    assert strengths_of([], 100) == []
