"""The autoregressive synthesizer: any cells given, filled or predicted; shares, temperature, rules; wide and narrow tables."""

from __future__ import annotations

import datetime
import threading
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from polars.testing import assert_frame_equal

from masquerade.errors import (
    ConditionError,
    MasqueradeWarning,
    RuleError,
    SchemaError,
    SettingError,
    TableError,
)
from masquerade.loading import load
from masquerade.progress import Progress
from masquerade.synthesize import autoregressive
from masquerade.synthesize.autoregressive import Autoregressive

ROWS = 800
FIRST = datetime.date(2020, 1, 1)


def people(rows: int = ROWS, seed: int = 0) -> pl.DataFrame:
    """Age decides the job, age and job the pay; a city determines its country; some jobs and pays are missing."""
    random = np.random.default_rng(seed)
    age = random.integers(18, 80, rows)
    job = np.where(random.random(rows) < 0.9, np.where(age < 40, "clerk", "boss"), "other")
    city = random.choice(["Lyon", "Nice", "Bonn", "Kiel"], rows, p=[0.4, 0.3, 0.2, 0.1])
    pay = np.round(age * 40 + random.normal(0, 150, rows) + 900 * (job == "boss"), 2)
    days = [FIRST + datetime.timedelta(days=int(d)) for d in random.integers(0, 500, rows)]
    hole = [pl.Series(random.random(rows) < 0.1) for _ in range(2)]
    return pl.DataFrame(
        {
            "age": age,
            "job": job,
            "city": city,
            "country": np.where(np.isin(city, ["Lyon", "Nice"]), "France", "Germany"),
            "pay": pay,
            "day": days,
            "member": random.random(rows) < 0.4,
        }
    ).with_columns(
        pl.when(hole[0]).then(None).otherwise(pl.col("job")).alias("job"),
        pl.when(hole[1]).then(None).otherwise(pl.col("pay")).alias("pay"),
    )


def quick(**settings: Any) -> Autoregressive:
    return Autoregressive(**({"size": "small", "epochs": 2, "random_state": 0} | settings))


@pytest.fixture(scope="session")
def table() -> pl.DataFrame:
    return people()


@pytest.fixture(scope="session")
def model(table: pl.DataFrame) -> Autoregressive:
    """Fitted well enough for its dependences to be seen."""
    return quick(epochs=20, patience=None).fit(table)


@pytest.fixture(scope="session")
def holes(table: pl.DataFrame) -> pl.DataFrame:
    """Twenty rows of which every second cell, but no country, is missing."""
    random = np.random.default_rng(1)
    rows = people(20, seed=2)
    return rows.with_columns(
        pl.when(pl.Series(random.random(20) < 0.5)).then(None).otherwise(pl.col(name)).alias(name)
        for name in rows.columns
        if name != "country"
    )


# ── given cells ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "given",
    [
        {"age": 33},
        {"pay": 1234.56, "member": True},
        {"day": datetime.date(2020, 3, 1), "job": None},
        {"country": "France", "age": 70},
        {
            "age": 25,
            "job": "boss",
            "city": "Kiel",
            "country": "Germany",
            "pay": 900.5,
            "day": FIRST + datetime.timedelta(99),
            "member": False,
        },
    ],
    ids=lambda given: "+".join(given),
)
def test_any_columns_can_be_given(model: Autoregressive, table: pl.DataFrame, given: dict[str, Any]) -> None:
    drawn = model.sample(30, given=given, random_state=0)
    assert drawn.schema == table.schema
    assert drawn.select(*given).unique().rows() == [tuple(given.values())]


def test_the_others_follow_from_the_given(model: Autoregressive) -> None:
    young, old = (model.sample(400, given={"age": age}, random_state=0) for age in (22, 75))
    assert (young["job"] == "clerk").mean() > 0.6 > 0.3 > (old["job"] == "clerk").mean()  # type: ignore[operator]
    assert young["pay"].mean() + 1_500 < old["pay"].mean()  # type: ignore[operator]
    rich = model.sample(400, given={"pay": 3_700.0}, random_state=0)
    assert rich["age"].mean() > 55  # type: ignore[operator]


def test_given_row_by_row_in_any_kind_of_frame(model: Autoregressive) -> None:
    rows = pl.DataFrame({"pay": [900.0, None, 3_000.5], "country": ["France", "Germany", "France"]})
    for given in (rows, rows.to_pandas(), rows.to_arrow()):
        assert_frame_equal(model.sample(given=given, random_state=0).select("pay", "country"), rows)


def test_a_determined_column_draws_what_determines_it(model: Autoregressive) -> None:
    drawn = model.sample(200, given={"country": "France"}, random_state=0)
    assert set(drawn["city"]) == {"Lyon", "Nice"}
    assert "country" in model.codec_.dependencies


def test_a_number_beyond_what_was_learned_is_kept_and_said(model: Autoregressive) -> None:
    with pytest.warns(MasqueradeWarning, match=r"'age': 130 lies outside what the model learned from \(1\d to 7\d\)"):
        drawn = model.sample(50, given={"age": 130}, random_state=0)
    assert set(drawn["age"]) == {130}
    assert (drawn["job"] == "boss").mean() > 0.5  # type: ignore[operator]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"job": "clark"}, r"no level 'clark' .*did you mean 'clerk'"),
        ({"aeg": 3}, "did you mean 'age'"),
        ({"age": None}, "'age' is never missing"),
        ({"age": 33.5}, "got 33.5 for column 'age', which is integer"),
        ({"age": "old"}, "got 'old' for column 'age'"),
        ({"country": "France", "city": "Bonn"}, "'France', which never goes with 'city' 'Bonn'"),
    ],
)
def test_what_cannot_be_given_is_refused(model: Autoregressive, given: dict[str, Any], message: str) -> None:
    with pytest.raises(ConditionError, match=message):
        model.sample(3, given=given)


# ── holes ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_only_holes_are_filled(model: Autoregressive, holes: pl.DataFrame) -> None:
    filled = model.impute(holes, random_state=0)
    assert filled.schema == holes.schema
    for name in holes.columns:
        assert filled[name].null_count() == 0
        there = holes[name].is_not_null()
        assert filled[name].filter(there).equals(holes[name].filter(there))
    assert (filled["city"].is_in(["Lyon", "Nice"]) == (filled["country"] == "France")).all()


def test_filling_keeps_the_kind_of_frame(model: Autoregressive, holes: pl.DataFrame) -> None:
    pandas, arrow = holes.to_pandas(), holes.to_arrow()
    filled = model.impute(pandas, random_state=0)
    assert isinstance(filled, pd.DataFrame)
    assert filled.notna().all().all()
    assert filled["age"].dtype == pandas["age"].dtype
    filled = model.impute(arrow, random_state=0)
    assert isinstance(filled, pa.Table)
    assert filled.schema == arrow.schema
    assert filled.column("pay").null_count == 0


def test_draws_differ_where_there_were_holes_and_only_there(model: Autoregressive, holes: pl.DataFrame) -> None:
    draws = model.impute(holes, draws=3, random_state=0)
    assert len(draws) == 3
    assert not draws[0].equals(draws[1])
    assert draws[0].equals(model.impute(holes, draws=3, random_state=0)[0])
    assert all(draw["country"].equals(holes["country"]) for draw in draws)


def test_fillings_follow_from_the_rest_of_the_row(model: Autoregressive) -> None:
    rows = pl.DataFrame({"age": [22] * 150 + [75] * 150, "pay": pl.Series([None] * 300, dtype=pl.Float64)})
    pay = model.impute(rows, random_state=0)["pay"]
    assert pay[:150].mean() + 1_500 < pay[150:].mean()  # type: ignore[operator]


def test_an_unknown_level_stays_and_a_column_may_be_left_out(model: Autoregressive) -> None:
    filled = model.impute(pl.DataFrame({"job": ["pirate", None], "age": [30, None]}), random_state=0)
    assert filled.columns == list(model.schema_.names)
    assert filled["job"][0] == "pirate"
    assert filled["age"][0] == 30
    with pytest.raises(SchemaError, match="did you mean 'age'"):
        model.impute(pl.DataFrame({"aeg": [1]}))
    with pytest.raises(SettingError, match="draws: got 0"):
        model.impute(rows := pl.DataFrame({"age": [1]}), draws=0)
    assert rows.height == 1


# ── probabilities ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_predictions_add_up_to_one_and_beat_chance(model: Autoregressive) -> None:
    fresh = people(500, seed=9).drop_nulls()
    shares = model.predict_proba(fresh, "job")
    assert set(shares.columns) == {"clerk", "boss", "other", "missing"}
    assert shares.sum_horizontal().to_numpy() == pytest.approx(1)
    best = shares.columns[0:]
    guess = np.array(best)[shares.to_numpy().argmax(axis=1)]
    assert (guess == fresh["job"].to_numpy()).mean() > 0.8
    assert (fresh["job"] == "boss").mean() < 0.65  # type: ignore[operator]


def test_a_number_is_predicted_by_its_bins(model: Autoregressive) -> None:
    shares = model.predict_proba(people(50, seed=9), "pay")
    assert shares.width == model.codec_.codecs["pay"].size
    assert shares.sum_horizontal().to_numpy() == pytest.approx(1)
    assert isinstance(model.predict_proba(people(5).to_pandas(), "pay"), pd.DataFrame)


def test_determined_columns_and_those_that_determine_them_tell_each_other(model: Autoregressive) -> None:
    rows = people(40, seed=3)
    country = model.predict_proba(rows, "country")
    assert country["France"].to_list() == pytest.approx((rows["country"] == "France").cast(float).to_list())
    city = model.predict_proba(rows.drop("city"), "city")
    french = city["Lyon"] + city["Nice"]
    assert french.to_list() == pytest.approx((rows["country"] == "France").cast(float).to_list(), abs=1e-6)
    open_ = model.predict_proba(rows.drop("city", "country"), "city")
    assert 0.3 < (open_["Lyon"] + open_["Nice"]).mean() < 0.95  # type: ignore[operator]
    age = model.predict_proba(rows.select("country"), "age")
    assert age.sum_horizontal().to_numpy() == pytest.approx(1)


def test_real_rows_are_likelier_than_shuffled_ones(model: Autoregressive) -> None:
    fresh = people(500, seed=9)
    shuffled = fresh.with_columns(pl.col(name).shuffle(seed=i) for i, name in enumerate(fresh.columns))
    real, mixed = model.log_prob(fresh), model.log_prob(shuffled)
    assert real.shape == (500,)
    assert (real < 0).all()
    assert real.mean() > mixed.mean() + 0.3
    some = model.log_prob(fresh.select("job", "pay"))
    assert (some > real).all()
    assert model.log_prob(pl.DataFrame({"job": ["pirate"]})).tolist() == [-np.inf]
    alone = {job: np.exp(model.log_prob(pl.DataFrame({"job": [job]}))[0]) for job in ("clerk", "boss", "other", None)}
    assert sum(alone.values()) == pytest.approx(1, abs=1e-3)


# ── control ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_levels_are_rebalanced_one_or_two_columns_at_once(model: Autoregressive) -> None:
    one = model.sample(2_000, rebalance={"job": {"other": 0.5}}, random_state=0)
    assert (one["job"] == "other").sum() / 2_000 == pytest.approx(0.5, abs=0.04)
    rest = one.filter(pl.col("job").ne_missing("other"))["job"].value_counts(normalize=True).sort("proportion")
    assert rest["job"][-1] == "boss"  # the others share the rest as they do in the data
    two = model.sample(
        2_000, rebalance={"member": {True: 0.9}, "country": {"Germany": 0.8}}, given={"age": 50}, random_state=0
    )
    assert two["member"].mean() == pytest.approx(0.9, abs=0.03)
    assert (two["country"] == "Germany").mean() == pytest.approx(0.8, abs=0.04)
    assert set(two["age"]) == {50}
    assert (two["city"].is_in(["Bonn", "Kiel"]) == (two["country"] == "Germany")).all()
    missing = model.sample(1_000, rebalance={"job": {None: 0.6}}, random_state=0)
    assert missing["job"].null_count() / 1_000 == pytest.approx(0.6, abs=0.05)


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ({}, "expected shares such as"),
        (5, "expected shares such as"),
        ({"job": 0.5}, "expected a mapping"),
        ({"job": {"boss": "much"}}, "expected a share from 0 to 1"),
        ({"job": {"boss": 1.5}}, "expected a share from 0 to 1"),
        ({"job": {"boss": 0.7, "clerk": 0.6}}, "add up to 1.3"),
        ({"member": {True: 0.5, False: 0.2}}, "no other level"),
        ({"jab": {"boss": 0.5}}, "did you mean 'job'"),
        ({"job": {"bos": 0.5}}, "did you mean 'boss'"),
        ({"pay": {900.0: 0.5}}, "numeric"),
    ],
)
def test_shares_that_cannot_be_are_refused(model: Autoregressive, wanted: Any, message: str) -> None:
    with pytest.raises((SettingError, ConditionError), match=f"rebalance.*{message}"):
        model.sample(5, rebalance=wanted)


def test_what_is_given_is_not_rebalanced_too(model: Autoregressive) -> None:
    with pytest.raises(SettingError, match="'job' is given already"):
        model.sample(5, given={"job": "boss"}, rebalance={"job": {"boss": 0.5}})
    with pytest.raises(SettingError, match="a frame of given values"):
        model.sample(given=pl.DataFrame({"age": [30]}), rebalance={"job": {"boss": 0.5}})


def test_temperature_makes_the_likely_likelier_or_less_so(model: Autoregressive) -> None:
    shares = [(model.sample(1_000, temperature=t, random_state=0)["city"] == "Lyon").mean() for t in (0.2, 1.0, 5.0)]
    assert shares[0] > shares[1] + 0.1 > shares[2] + 0.1  # type: ignore[operator]
    cold = model.sample(300, temperature=0.2, given={"country": "Germany"}, random_state=0)
    assert set(cold["country"]) == {"Germany"}
    for bad in (0, -1, "hot", None, float("nan")):
        with pytest.raises(SettingError, match="temperature: got"):
            model.sample(3, temperature=bad)  # type: ignore[arg-type]


def test_filled_cells_meet_the_rules() -> None:
    random = np.random.default_rng(3)
    parts = random.integers(0, 50, (600, 2))
    whole = pl.DataFrame({"a": parts[:, 0], "b": parts[:, 1], "total": parts.sum(axis=1)})
    model = quick(epochs=2, rules=["total = a + b"]).fit(whole)
    place = pl.int_range(pl.len())
    holed = whole[:60].with_columns(
        total=pl.when(place % 2 == 0).then(None).otherwise(pl.col("total")),
        a=pl.when(place % 3 == 0).then(None).otherwise(pl.col("a")),
    )
    filled = model.impute(holed)
    assert (filled["total"] == filled["a"] + filled["b"]).all()
    known = holed["a"].is_not_null()
    assert filled["a"].filter(known).equals(holed["a"].filter(known))


def test_rules_hold_in_every_row_and_few_rows_pay_for_it() -> None:
    random = np.random.default_rng(0)
    start = random.integers(0, 50, 600)
    ruled = pl.DataFrame(
        {"start": start, "end": start + random.integers(0, 30, 600), "kind": random.choice(["a", "b"], 600)}
    )
    rules = ["start <= end"]
    free, bound = (quick(epochs=8, rules=r).fit(ruled) for r in ((), rules))
    loose, drawn = free.sample(600, random_state=1), bound.sample(600, random_state=1)
    broken = loose.filter(pl.col("start") > pl.col("end")).height
    assert broken > 0
    assert drawn.filter(pl.col("start") > pl.col("end")).is_empty()
    # Nothing but the rows that broke the rule was drawn anew.
    kept = loose["start"] <= loose["end"]
    assert drawn.filter(kept).equals(loose.filter(kept))
    assert (drawn["end"] - drawn["start"]).mean() == pytest.approx((ruled["end"] - ruled["start"]).mean(), abs=6)
    given = bound.sample(50, given={"start": 45}, random_state=0)
    assert set(given["start"]) == {45}
    assert given["end"].min() >= 45  # type: ignore[operator]
    with pytest.raises(RuleError, match="did you mean 'end'"):
        quick(rules=["start <= ende"]).fit(ruled)


# ── going on, saving, stopping ───────────────────────────────────────────────────────────────────────────────────────


def test_a_model_goes_on_from_another_one(model: Autoregressive) -> None:
    few, fresh = people(200, seed=5), people(500, seed=9).drop_nulls()

    def credit(fitted: Autoregressive) -> float:
        """Mean probability of the true job, of young and old alike, from age alone."""
        shares = fitted.predict_proba(fresh.select("age"), "job")
        return float(np.mean([row[job] for row, job in zip(shares.iter_rows(named=True), fresh["job"], strict=True)]))

    alone = quick(epochs=1).fit(few)
    started = quick(epochs=1).fit(few, start_from=model)
    assert credit(started) > credit(alone) + 0.1
    with pytest.raises(SettingError, match="start_from: got a DataFrame"):
        quick().fit(few, start_from=few)  # type: ignore[arg-type]


def test_all_questions_are_answered_alike_after_loading(
    model: Autoregressive, holes: pl.DataFrame, tmp_path: Path
) -> None:
    model.save(tmp_path / "model.mq")
    back = load(tmp_path / "model.mq")
    assert isinstance(back, Autoregressive)
    how: dict[str, Any] = {"given": {"age": 40}, "rebalance": {"job": {"boss": 0.3}}, "temperature": 0.7}
    assert back.sample(50, random_state=1, **how).equals(model.sample(50, random_state=1, **how))
    assert back.impute(holes, random_state=1).equals(model.impute(holes, random_state=1))
    assert back.predict_proba(holes, "job").equals(model.predict_proba(holes, "job"))
    assert (back.log_prob(people(9)) == model.log_prob(people(9))).all()


def test_the_clock_ends_training() -> None:
    began = time.monotonic()
    model = quick(epochs=100_000, max_minutes=0.02, patience=None).fit(people(300).select("age", "job"))
    assert time.monotonic() - began < 20
    assert not model.interrupted_
    assert model.history_[-1]["epoch"] < 100_000


@pytest.mark.parametrize("stage", ["train", "calibrate"])
def test_ctrl_c_keeps_the_best_model_so_far(stage: str) -> None:
    seen = threading.Event()

    def press(progress: Progress) -> None:
        if progress.stage == stage and not seen.is_set() and (stage != "train" or progress.done >= 1):
            seen.set()
            raise KeyboardInterrupt

    settings: dict[str, Any] = {"epochs": 50 if stage == "train" else 2, "patience": None, "callbacks": (press,)}
    model = quick(**settings).fit(people(300).select("age", "job"))
    assert model.interrupted_
    assert model.sample(20, given={"age": 30}, random_state=0).height == 20


# ── wide, narrow, constant ───────────────────────────────────────────────────────────────────────────────────────────


def test_a_wide_table_is_drawn_from_a_narrow_sum(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(autoregressive, "NARROW_FROM", 1)
    random = np.random.default_rng(0)
    base = random.integers(0, 3, 400)
    wide = pl.DataFrame(
        {f"c{i}": np.where(random.random(400) < 0.9, base, random.integers(0, 3, 400)) for i in range(12)}
    )
    model = quick(epochs=10, patience=None).fit(wide)
    assert model._drawer.net.settings.narrow is not None
    drawn = model.sample(400, random_state=0)
    assert (drawn["c0"] == drawn["c5"]).mean() > 0.6  # type: ignore[operator]
    given = model.sample(300, given={"c5": 2, "c3": 2}, random_state=0)
    assert (given["c0"] == 2).mean() > 0.6  # type: ignore[operator]
    model.save(tmp_path / "wide.mq")
    assert load(tmp_path / "wide.mq").sample(30, random_state=1).equals(model.sample(30, random_state=1))


def test_one_column_and_constant_ones() -> None:
    model = quick().fit(pl.DataFrame({"x": np.random.default_rng(0).normal(size=200).round(2)}))
    assert model.sample(50, given={"x": 0.5})["x"].to_list() == [0.5] * 50
    assert model.impute(pl.DataFrame({"x": [None, 1.0]}))["x"].null_count() == 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        same = quick().fit(pl.DataFrame({"y": ["a", "b"] * 30, "same": ["s"] * 60, "none": [None] * 60}))
        assert set(same.sample(30)["same"]) == {"s"}
        with pytest.raises(ConditionError, match="'same' is not modelled"):
            same.sample(3, given={"same": "s"})
        with pytest.raises(TableError, match="no column is left to model"):
            quick().fit(pl.DataFrame({"same": ["s"] * 60}))


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("size", "huge"),
        ("epochs", 0),
        ("batch_size", 2.5),
        ("learning_rate", 0),
        ("dropout", 1),
        ("any_order", 1.5),
        ("patience", 0),
        ("max_minutes", -1),
        ("max_levels", 1),
        ("protect", -1),
    ],
)
def test_settings_out_of_range_are_refused(setting: str, value: Any) -> None:
    with pytest.raises(SettingError, match=f"{setting}: got"):
        quick(**{setting: value}).fit(people(40))
