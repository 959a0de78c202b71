"""The attribute attack on tables: kept records, fresh rows, numbers, several secrets, and what stands beside them."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from masquerade.errors import MasqueradeWarning
from masquerade.judge.attribute import attribute_attacks
from masquerade.judge.figures import Outcome
from masquerade.judge.tables import tabulate
from masquerade.schema import Column, Schema

SCHEMA = Schema(
    (
        Column("proxy", "continuous"),
        Column("kept", "categorical"),
        Column("noise", "continuous"),
        Column("secret", "categorical"),
        Column("age", "integer"),
        Column("key", "id"),
    )
)


def rows(count: int, seed: int) -> pl.DataFrame:
    random = np.random.default_rng(seed)
    secret = random.random(count) < 0.4
    return pl.DataFrame(
        {
            "proxy": 2.0 * secret + random.normal(size=count),
            "kept": np.where(random.random(count) < 0.3 + 0.4 * secret, "yes", "no"),
            "noise": random.normal(size=count),
            "secret": np.where(secret, "s", "t"),
            "age": random.integers(18, 80, count),
            "key": [f"k{i}" for i in range(count)],
        }
    )


def attack(
    real: pl.DataFrame, released: pl.DataFrame, *, secrets: tuple[str, ...] = ("secret",), keep: tuple[str, ...] = (),
    aligned: bool = True, holdout: pl.DataFrame | None = None,
) -> Outcome:  # fmt: skip
    left = Schema(tuple(SCHEMA[name] for name in released.columns))
    whole = tabulate(SCHEMA, real, real, holdout)
    part = None if holdout is None else holdout.select(left.names)
    tables = tabulate(left, real.select(left.names), released, part)
    return attribute_attacks(whole, tables, secrets, keep, aligned=aligned, seed=0, tick=lambda part: None)


def test_kept_records_without_the_proxy_tell_only_what_was_kept_on_purpose() -> None:
    real = rows(1200, 0)
    found = attack(real, real.drop("secret").with_columns(proxy=pl.lit(0.0)), keep=("kept",))
    told = found.attacks["attribute"]["secret"]
    assert told["interval"][0] <= 0.5 <= told["interval"][1]
    assert told["auc"] < told["with_kept"]["auc"] < told["drop_the_column"]["auc"]
    assert told["with_kept"]["auc"] == pytest.approx(told["floor"]["auc"], abs=0.06)
    assert told["floor"]["auc"] == pytest.approx(0.7, abs=0.05)
    assert told["untouched"]["auc"] == pytest.approx(0.92, abs=0.04)  # Φ(2 / √2)
    assert told["drop_the_column"]["auc"] >= told["untouched"]["auc"] - 0.01
    assert told["majority"] == pytest.approx(0.6, abs=0.06)
    score = found.scores["attribute_auc"]
    assert score.value == told["auc"]
    assert score.ceiling == 0.5
    assert "kept aside" in score.meaning


def test_rows_that_copy_the_people_they_come_from_are_told_from_fresh_ones() -> None:
    real, holdout = rows(800, 1), rows(800, 2)
    alone = real.with_columns(secret=pl.col("secret").shuffle(seed=1), noise=pl.int_range(800).cast(pl.Float64))
    other = holdout.with_columns(
        secret=pl.col("secret").shuffle(seed=1), noise=pl.int_range(800).cast(pl.Float64) + 0.5
    )
    copied = attack(alone, alone, aligned=False, holdout=other).attacks["attribute"]["secret"]
    assert copied["auc"] > copied["control"]["auc"] + 0.1  # nothing but the people themselves can be learnt
    assert not copied["aligned"]
    fresh = attack(real, rows(800, 3), aligned=False, holdout=holdout)
    told, score = fresh.attacks["attribute"]["secret"], fresh.scores["attribute_auc"]
    assert told["auc"] == pytest.approx(told["control"]["auc"], abs=0.05)
    assert score.ceiling == told["control"]["auc"]
    assert score.interval is not None
    assert score.ceiling is not None
    assert score.interval[0] <= score.ceiling


def test_a_number_and_several_secrets_are_judged_by_the_worst() -> None:
    real = rows(800, 4)
    found = attack(real, real.drop("secret"), secrets=("secret", "age", "kept"))
    told = found.attacks["attribute"]
    assert set(told) == {"secret", "age", "kept"}
    assert told["age"]["correlation"] > 0.99  # the release shows it
    assert told["age"]["r2"] > 0.98
    assert found.scores["attribute_r2"].value == told["age"]["r2"]
    assert found.scores["attribute_correlation"].ceiling == 0.0
    assert told["kept"]["auc"] > 0.99
    assert found.scores["attribute_auc"].value == max(told["kept"]["auc"], told["secret"]["auc"])
    assert "The worst of 2 secrets" in found.scores["attribute_auc"].meaning


def test_choosing_the_worst_of_several_widens_the_interval() -> None:
    real = rows(800, 5).with_columns(kept=pl.col("kept").shuffle(seed=1))
    alone = attack(real, real.select("proxy"))
    both = attack(real, real.select("proxy"), secrets=("secret", "kept"))
    widths = []
    for found in (alone, both):
        score = found.scores["attribute_auc"]
        assert score.interval is not None
        widths.append(score.value - score.interval[0])
    assert alone.scores["attribute_auc"].value == both.scores["attribute_auc"].value
    assert widths[1] == pytest.approx(widths[0] * 2.2365 / 1.96, rel=1e-3)  # Šidák, two secrets


@pytest.mark.parametrize(
    ("secrets", "released", "aligned", "says"),
    [
        (("key",), rows(400, 6), True, "'key' is an id, free text or the unit, which cannot be guessed"),
        (("secret",), rows(400, 6).drop("secret"), False, "'secret' is not among the released columns"),
        (("secret",), rows(400, 6).select("key"), True, "no released column is left"),
        (("secret",), rows(400, 6).with_columns(secret=pl.lit("s")), False, "all released rows have the same value"),
    ],
)
def test_what_cannot_be_attacked_is_said(
    secrets: tuple[str, ...], released: pl.DataFrame, aligned: bool, says: str
) -> None:
    with pytest.warns(MasqueradeWarning, match=says):
        assert not attack(rows(400, 6), released, secrets=secrets, aligned=aligned).scores


@pytest.mark.data
def test_adult_with_three_proxies_dropped(shared_data: Path) -> None:
    table = pl.read_csv(shared_data / "adult" / "adult.csv.gz").drop("split")
    schema = Schema(
        tuple(Column(name, "categorical" if table[name].dtype == pl.String else "integer") for name in table.columns)
    )
    dropped = ("sex", "relationship", "marital-status", "occupation")
    left = Schema(tuple(column for column in schema if column.name not in dropped))
    whole, tables = tabulate(schema, table, table, None), tabulate(left, *(table.select(left.names),) * 2, None)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = attribute_attacks(whole, tables, ["sex"], ["income"], aligned=True, seed=0, tick=lambda part: None)
    told = found.attacks["attribute"]["sex"]
    assert told["drop_the_column"]["accuracy"] == pytest.approx(0.847, abs=0.012)
    assert told["with_kept"]["accuracy"] == pytest.approx(0.711, abs=0.02)
    assert told["with_kept"]["auc"] == pytest.approx(0.740, abs=0.025)
    assert told["floor"]["auc"] == pytest.approx(0.598, abs=0.02)
    assert told["majority"] == pytest.approx(0.6685, abs=0.01)
