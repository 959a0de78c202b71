"""Drawn rows end up meeting every rule wherever the given values allow it; nothing rare is stored."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, assume, given, reject, settings
from hypothesis import strategies as st

from masquerade.errors import ConditionError, MasqueradeWarning, RuleError
from masquerade.rules.check import check_rules
from masquerade.rules.enforce import Enforcer
from masquerade.rules.parse import parse_rules
from masquerade.schema import Column, Schema

SCHEMA = Schema(
    (
        *(Column(name, "integer") for name in ("a", "b", "c")),
        Column("m", "continuous", decimals=2),
        Column("free", "continuous"),
        Column("start", "datetime"),
        Column("end", "datetime"),
        Column("x", "integer"),
        Column("y", "boolean"),
        Column("z", "categorical", levels=("no", "yes")),
        Column("city", "categorical"),
        Column("country", "categorical"),
    )
)
DAY = datetime(2020, 1, 1)


def anything(rows: int, seed: int, missing: float = 0.0) -> pl.DataFrame:
    """Rows that know of no rule; numbers are small, so that rules hold in some of them by chance."""
    random = np.random.default_rng(seed)
    numbers = {name: random.integers(-1, 6, rows) for name in ("a", "b", "c")}
    table = pl.DataFrame(
        numbers
        | {
            "m": np.round(random.choice([0.0, 0.5, 1.0, 2.25, 3.0, 4.5], rows), 2),
            "free": random.choice([0.0, 1.0, 2.5, 4.0], rows),
            "start": [DAY + timedelta(days=int(k)) for k in random.integers(0, 4, rows)],
            "end": [DAY + timedelta(days=int(k)) for k in random.integers(0, 4, rows)],
            "x": random.integers(0, 2, rows),
            "y": random.random(rows) < 0.4,
            "z": random.choice(["no", "yes"], rows),
            "city": random.choice(["Rome", "Lyon", "Bonn"], rows),
            "country": random.choice(["IT", "FR", "DE"], rows),
        }
    )
    return table.with_columns(
        column.to_frame().select(pl.when(pl.Series(random.random(rows) >= missing)).then(pl.first())).to_series()
        for column in table.get_columns()
    ).cast({"start": pl.Datetime("us"), "end": pl.Datetime("us")})


POOL = [
    "a <= b", "b <= c", "a < c", "a <= m", "m <= free", "free < c", "start <= end", "start < end", "start >= 2020-01-02",
    "0 <= a <= 4", "b >= 1", "c <= 4", "0 <= m <= 3", "free >= 1", "c = a + b", "m = a - b", "c = 2 * a - b + 1",
    "free = a + m",     "b = 0.5 * a", "m = free", "a = c - free", "x <= 1", "b <= x",
    {"kind": "one_hot", "columns": ["x", "y", "z"]},
    {"kind": "fixed_combinations", "columns": ["city", "country"]},
    {"kind": "fixed_combinations", "columns": ["city", "a"]},
    {"kind": "fixed_combinations", "columns": ["b", "c", "start"]},
]  # fmt: skip


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(st.sampled_from(POOL), min_size=1, max_size=5, unique_by=str),
    st.sets(st.sampled_from(SCHEMA.names), max_size=4),
    st.integers(0, 10**6),
    st.sampled_from([0.0, 0.1]),
)
def test_every_rule_is_met_wherever_given_values_allow_it(
    items: list[Any], keep: set[str], seed: int, missing: float
) -> None:
    rules = parse_rules(items, SCHEMA)
    real = anything(4_000, seed, missing)
    for rule in rules:
        real = real.filter(rule.holds(real))
    assume(real.height >= 10)
    try:
        check_rules(rules, real)
    except RuleError:
        reject()
    enforcer = Enforcer.learn(rules, real, SCHEMA, protect=1)
    # Given values and missing ones come from rows that meet the rules, so that there is a way.
    witnesses = real.sample(25, with_replacement=True, seed=seed)
    drawn = anything(25, seed + 1).select(
        pl.when(witnesses[name].is_not_null()).then(witnesses[name] if name in keep else pl.col(name)).alias(name)
        for name in SCHEMA.names
    )
    settled = enforcer.settle(drawn, frozenset(keep))
    assert settled.select(sorted(keep)).equals(drawn.select(sorted(keep)))
    repaired = enforcer.repair(settled, frozenset(keep), np.random.default_rng(seed))
    assert not enforcer.broken(repaired).any()
    assert repaired.select(sorted(keep)).equals(drawn.select(sorted(keep)))
    assert repaired.schema == drawn.schema
    fine = ~enforcer.broken(settled)
    assert repaired.filter(fine).equals(settled.filter(fine))


def learnt(
    *items: Any, protect: int = 10, units: pl.Series | None = None, real: pl.DataFrame | None = None
) -> Enforcer:
    rules = parse_rules(items, SCHEMA)
    real = anything(2_000, 0) if real is None else real
    for rule in rules:
        real = real.filter(rule.holds(real))
    return Enforcer.learn(rules, real, SCHEMA, protect, units)


NONE: frozenset[str] = frozenset()


def mended(enforcer: Enforcer, drawn: pl.DataFrame, *keep: str) -> pl.DataFrame:
    return enforcer.repair(drawn, frozenset(keep), np.random.default_rng(0))


def test_settling_computes_targets_and_rounds_them() -> None:
    enforcer = learnt("m = 0.333 * a + b")
    drawn = anything(100, 1, missing=0.2)
    settled = enforcer.settle(drawn, NONE)
    assert not enforcer.broken(settled).any()
    expected = (0.333 * drawn["a"] + drawn["b"]).round(2)
    both = drawn.select(pl.all_horizontal(pl.col("a", "b", "m").is_not_null())).to_series()
    assert settled["m"].filter(both).to_list() == pytest.approx(expected.filter(both).to_list())
    assert settled["m"].filter(~both).equals(drawn["m"].filter(~both))
    assert settled.drop("m").equals(drawn.drop("m"))


@pytest.mark.parametrize(("keep", "changed"), [("c", "b"), ("cb", "a"), ("a", "c"), ("ab", "c"), ("abc", None)])
def test_a_given_target_is_met_by_a_term(keep: str, changed: str | None) -> None:
    enforcer = learnt("c = a + b")
    drawn = anything(50, 2)
    settled = enforcer.settle(drawn, frozenset(keep))
    different = [name for name in drawn.columns if not settled[name].equals(drawn[name])]
    assert different == ([] if changed is None else [changed])
    assert enforcer.broken(settled).any() == (changed is None)


def test_formulas_of_formulas_are_settled_in_order() -> None:
    enforcer = learnt("free = m + c", "m = a - b")
    drawn = anything(50, 3).with_columns(pl.col("m", "free").round())
    for keep in (NONE, frozenset("m"), frozenset(("free",)), frozenset(("free", "a", "c"))):
        settled = enforcer.settle(drawn, keep)
        assert not enforcer.broken(settled).any(), keep
        assert settled.select(sorted(keep)).equals(drawn.select(sorted(keep)))


def test_swapping_keeps_the_drawn_values() -> None:
    enforcer = learnt("a <= b", "b <= c")
    drawn = anything(200, 4)
    repaired = mended(enforcer, drawn)
    assert repaired.select(pl.concat_list("a", "b", "c").list.sort()).equals(
        drawn.select(pl.concat_list("a", "b", "c").list.sort())
    )


def test_moments_stay_on_whole_days() -> None:
    enforcer = learnt("start < end")
    repaired = mended(enforcer, anything(200, 5), "start")
    assert (repaired["end"] > repaired["start"]).all()
    assert (repaired["end"].dt.truncate("1d") == repaired["end"]).all()


def test_impossible_given_values_are_refused_by_rule_and_column() -> None:
    drawn = anything(40, 6).with_columns(a=pl.lit(5), b=pl.Series([3, 5] * 20))
    with pytest.raises(
        ConditionError, match="rule 'a <= b' cannot be met in 20 of 40 rows with the given values of 'a', 'b'"
    ):
        mended(learnt("a <= b"), drawn, "a", "b")
    with pytest.raises(ConditionError, match="rule 'exactly one of x, y, z' cannot be met"):
        mended(
            learnt({"kind": "one_hot", "columns": ["x", "y", "z"]}),
            drawn.with_columns(x=pl.lit(1), y=pl.lit(True)),
            "x",
            "y",
        )
    real = anything(500, 0).with_columns(country=pl.lit("IT"))
    known = learnt({"kind": "fixed_combinations", "columns": ["city", "country"]}, real=real)
    with pytest.raises(ConditionError, match="city, country only in known combinations"):
        mended(known, drawn.with_columns(country=pl.lit("FR")), "country")


def test_rules_without_a_common_solution_are_refused() -> None:
    rules = parse_rules(["c = a + b", "a >= 3", "b >= 3", "c <= 5"], SCHEMA)
    enforcer = Enforcer.learn(rules, anything(50, 0), SCHEMA)
    with pytest.raises(RuleError, match="drawn rows cannot meet it together with the other rules; drop one"):
        mended(enforcer, anything(10, 1))


def test_one_of_the_ones_stays_and_where_there_is_none_the_frequent_one_is_drawn() -> None:
    real = (
        anything(3_000, 0)
        .with_columns(x=pl.lit(0), y=pl.Series([True, False, False] * 1_000))
        .with_columns(z=pl.when("y").then(pl.lit("no")).otherwise(pl.lit("yes")))
    )
    enforcer = learnt({"kind": "one_hot", "columns": ["x", "y", "z"]}, real=real)
    none = anything(3_000, 1).with_columns(x=pl.lit(0), y=pl.lit(False), z=pl.lit("no"))
    repaired = mended(enforcer, none)
    assert (repaired["x"] == 0).all()  # never on in the real rows
    assert (repaired["z"] == "yes").mean() == pytest.approx(2 / 3, abs=0.03)
    three = none.with_columns(x=pl.lit(1), z=pl.lit("yes"))
    assert (mended(enforcer, three)["x"] == 1).mean() == pytest.approx(1 / 2, abs=0.03)
    assert (mended(enforcer, three, "y", "z")["x"] == 0).all()


def test_the_nearest_combination_is_taken_by_frequency_among_equals() -> None:
    real = pl.concat([anything(1_000, 0).with_columns(city=pl.lit("Rome"), country=pl.lit("IT"), z=pl.lit("no"))] * 2
        + [anything(1_000, 0).with_columns(city=pl.lit("Rome"), country=pl.lit("IT"), z=pl.lit("yes")),
           anything(1_000, 0).with_columns(city=pl.lit("Lyon"), country=pl.lit("FR"), z=pl.lit("yes"))])  # fmt: skip
    enforcer = learnt({"kind": "fixed_combinations", "columns": ["city", "country", "z"]}, real=real)
    drawn = anything(3_000, 1).with_columns(city=pl.lit("Rome"), country=pl.lit("IT"), z=pl.lit("maybe"))
    repaired = mended(enforcer, drawn)
    assert (repaired["city"] == "Rome").all()
    assert (repaired["z"] == "no").mean() == pytest.approx(2 / 3, abs=0.03)
    lyon = mended(enforcer, drawn.with_columns(city=pl.lit("Lyon")), "city")
    assert set(lyon["country"].to_list()) == {"FR"}
    lacking = drawn.with_columns(city=pl.lit(None, dtype=pl.String))
    assert mended(enforcer, lacking).equals(lacking)  # a missing value breaks no rule


@pytest.mark.parametrize("with_unit", [False, True])
def test_a_combination_that_few_share_is_not_stored(with_unit: bool) -> None:
    real = anything(900, 0).with_columns(country=pl.col("city"))
    rare = pl.DataFrame({"city": ["Canary"] * 9, "country": ["Secret"] * 9})
    if with_unit:  # one person's thousand rows are one
        rare = pl.concat([rare] * 100)
    real = pl.concat([real, anything(rare.height, 1).with_columns(rare.get_columns())])
    units = pl.Series([*range(900), *[0] * rare.height]) if with_unit else None
    rule = {"kind": "fixed_combinations", "columns": ["city", "country"]}
    if with_unit:
        with pytest.warns(
            MasqueradeWarning, match="900 of 1,800 rows have a combination that fewer than 10 units share"
        ):
            enforcer = learnt(rule, real=real, units=units)
    else:
        enforcer = learnt(rule, real=real)
    assert "Canary" not in json.dumps(enforcer.to_state()[0])
    assert enforcer.broken(real).sum() == rare.height
    assert not mended(enforcer, real)["city"].is_in(["Canary"]).any()
    assert "Canary" in json.dumps(learnt(rule, real=real, protect=0).to_state()[0])


def test_combinations_that_nobody_shares_are_refused() -> None:
    real = anything(9, 0).with_columns(country=pl.col("city"))
    with pytest.raises(RuleError, match="no combination is shared by 10 units"):
        learnt({"kind": "fixed_combinations", "columns": ["city", "country"]}, real=real)


def test_a_saved_enforcer_does_the_same() -> None:
    enforcer = learnt(
        "a <= b", "start < end", "m = a + b", "free >= 1",
        {"kind": "one_hot", "columns": ["x", "y", "z"]},
        {"kind": "fixed_combinations", "columns": ["city", "country", "start", "c"]},
        {"kind": "fixed_combinations", "columns": ["city", "m"]},
        protect=1,
    )  # fmt: skip
    config, arrays = enforcer.to_state()
    again = Enforcer.from_state(json.loads(json.dumps(config)), arrays)
    assert again.rules == enforcer.rules
    drawn = enforcer.settle(anything(300, 7, missing=0.1), NONE)
    assert again.settle(anything(300, 7, missing=0.1), NONE).equals(drawn)
    assert again.broken(drawn).tolist() == enforcer.broken(drawn).tolist()
    assert mended(again, drawn).equals(mended(enforcer, drawn))


def test_rows_that_meet_the_rules_and_no_rows_at_all_pass_through() -> None:
    enforcer = learnt("a <= b", {"kind": "fixed_combinations", "columns": ["city", "country"]})
    fine = anything(100, 8)
    fine = fine.filter(~enforcer.broken(fine))
    assert mended(enforcer, fine) is fine
    assert mended(enforcer, fine[:0]).height == 0
    assert enforcer.settle(fine[:0], NONE).height == 0
