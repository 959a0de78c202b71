"""Drawn rows end up meeting every rule wherever the given values allow it; nothing rare is stored."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from masquerade.errors import ConditionError, MasqueradeWarning, RuleError
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
    "0 <= a <= 4", "b >= 1", "c <= 4", "0 <= m <= 3", "free >= 1", "c = a + b", "m = a - b", "c = 2 * a - b + 1", "free = a + m",
    "b = 0.5 * a", "m = free", "a = c - free", "x <= 1", "b <= x",
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
    targets = [rule.columns[0] for rule in rules if rule.kind == "formula"]
    assume(len(set(targets)) == len(targets))
    real = anything(4_000, seed, missing)
    for rule in rules:
        real = real.filter(rule.holds(real))
    assume(real.height >= 10)
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
