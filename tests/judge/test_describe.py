"""Facts: complete, protected, plain data."""

from __future__ import annotations

import datetime as dt
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from masquerade.errors import TableError
from masquerade.judge.describe import facts
from masquerade.schema import Column, Schema

KINDS = {
    "whole": "integer",
    "number": "continuous",
    "level": "categorical",
    "flag": "boolean",
    "moment": "datetime",
    "note": "text",
    "key": "id",
    "empty": "continuous",
    "nothing": "categorical",
    "constant": "integer",
    "größe 身高": "continuous",
}
SCHEMA = Schema(tuple(Column(name, kind) for name, kind in KINDS.items()))  # type: ignore[arg-type]


def table(rows: int = 300, seed: int = 0) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    start = dt.datetime(2020, 1, 1)
    frame = pl.DataFrame(
        {
            "whole": rng.integers(18, 90, rows),
            "number": np.exp(rng.normal(0, 2, rows)),
            "level": rng.choice(["a", "b", "c"], rows, p=[0.6, 0.3, 0.1]),
            "flag": rng.random(rows) < 0.3,
            "moment": [start + dt.timedelta(hours=int(h)) for h in rng.integers(0, 20_000, rows)],
            "note": ["x" * int(k) for k in rng.integers(1, 60, rows)],
            "key": [f"K{i:06d}" for i in range(rows)],
            "empty": pl.Series([None] * rows, dtype=pl.Float64),
            "nothing": pl.Series([None] * rows, dtype=pl.String),
            "constant": np.full(rows, 7),
            "größe 身高": rng.normal(170, 10, rows),
        }
    )
    gap = pl.int_range(rows) % 7 == 0
    return frame.with_columns(pl.when(gap).then(None).otherwise(pl.col("größe 身高")).alias("größe 身高"))


def real_counts(found: dict[str, Any]) -> list[int]:
    """Every count of the real side that the facts hold."""
    counts: list[int] = []
    for column in found["columns"].values():
        counts += (column.get("histogram") or {}).get("real", [])
        bars = column.get("bars")
        if bars:
            counts += [*bars["real"], bars["other"]["real"], bars["missing"]["real"]]
        counts.append(column["missing"]["real"] or 0)
    if found["cloud"]:
        counts += [n for row in found["cloud"]["real"] for n in row]
    return counts


def test_every_kind_of_column_is_described() -> None:
    found = facts(table(), table(200, 1), table(100, 2), SCHEMA, target="flag")
    assert next(iter(found["columns"])) == "flag"
    assert set(found["columns"]) == set(KINDS)
    assert found["rows"] == {"real": 300, "released": 200, "holdout": 100}
    shown = {name for name, column in found["columns"].items() if column.get("histogram")}
    assert shown == {"whole", "number", "moment", "note", "key", "constant", "größe 身高"}
    assert found["columns"]["nothing"]["bars"]["missing"] == {"real": 300, "released": 200}
    assert found["columns"]["empty"]["histogram"] is None
    assert sum(found["columns"]["whole"]["histogram"]["released"]) == 200
    assert set(found["association"]["mean_difference"]) == {"released", "holdout"}
    assert "key" not in found["association"]["columns"]
    json.dumps(found, allow_nan=False)


def test_describe_agrees_with_polars() -> None:
    told = facts(table(5000), table(5000, 1), None, SCHEMA)["columns"]["größe 身高"]["describe"]
    for side, seed in (("real", 0), ("released", 1)):
        values = table(5000, seed)["größe 身高"].drop_nulls()
        assert told[side]["mean"] == pytest.approx(values.mean(), abs=0.1)
        assert told[side]["std"] == pytest.approx(values.std(), rel=0.02)
        for name, share in (("25%", 0.25), ("50%", 0.5), ("75%", 0.75)):
            assert told[side][name] == pytest.approx(values.quantile(share), abs=0.2)


@pytest.mark.parametrize("protect", [0, 10, 25])
def test_no_real_count_stands_for_fewer_than_the_threshold(protect: int) -> None:
    found = facts(table(), table(300, 1), None, SCHEMA, protect=protect)
    least = max(protect, 10)
    counts = real_counts(found)
    assert max(counts) >= least
    assert all(count == 0 or count >= least for count in counts)


def test_units_are_counted_and_not_rows() -> None:
    person = np.concatenate([np.zeros(100, dtype=np.int64), np.arange(1, 201)])
    real = pl.DataFrame(
        {"who": person, "level": ["loud"] * 100 + ["quiet"] * 200, "n": [5000.5] * 100 + [1.0, 2.0] * 100}
    )
    schema = Schema((Column("who", "id"), Column("level", "categorical"), Column("n", "continuous")), unit="who")
    kept = facts(real, real, None, schema)["columns"]
    assert "loud" not in kept["level"]["bars"]["levels"]
    assert kept["n"]["describe"]["real"]["max"] <= 2.0
    rows = facts(real, real, None, Schema(schema.columns))["columns"]
    assert rows["level"]["bars"]["levels"] == ["quiet", "loud"]
    assert rows["n"]["describe"]["real"]["max"] == 5000.5


def test_few_missing_values_are_not_counted() -> None:
    real = table().with_columns(pl.when(pl.int_range(300) < 4).then(None).otherwise(pl.col("level")).alias("level"))
    column = facts(real, real, None, SCHEMA)["columns"]["level"]
    assert column["missing"]["real"] is None
    assert column["bars"]["missing"]["real"] == 0
    assert sum(column["bars"]["real"]) + column["bars"]["other"]["real"] == 300  # the sum does not tell them either
    few = table().with_columns(pl.when(pl.int_range(300) < 4).then(None).otherwise(pl.col("number")).alias("number"))
    number = facts(few, few, None, SCHEMA)["columns"]["number"]
    assert number["missing"]["real"] is None
    assert sum(number["histogram"]["real"]) == 300


def test_few_values_that_are_there_are_not_counted() -> None:
    real = table().with_columns(pl.when(pl.int_range(300) < 4).then(pl.col("number")).alias("number"))
    assert facts(real, real, None, SCHEMA)["columns"]["number"]["missing"] == {"real": 300, "released": 296}


def test_missing_values_are_counted_by_units() -> None:
    schema = Schema((Column("who", "id"), Column("n", "continuous")), unit="who")
    numbers = pl.Series([None] * 50 + [float(i % 7) for i in range(250)])
    one = pl.DataFrame({"who": ["loud"] * 50 + [f"p{i}" for i in range(250)], "n": numbers})
    many = one.with_columns(pl.Series("who", [f"p{i % 25}" for i in range(300)]))
    assert facts(one, one, None, schema)["columns"]["n"]["missing"]["real"] is None
    assert facts(many, many, None, schema)["columns"]["n"]["missing"]["real"] == 50


def test_numbers_at_the_ends_of_the_scale_are_described_without_overflow() -> None:
    rng = np.random.default_rng(0)
    real = pl.DataFrame(
        {"huge": rng.choice([-1.0, 1.0], 400) * rng.uniform(1e300, 1.7e308, 400), "tiny": rng.normal(size=400) * 1e-300}
    )
    schema = Schema((Column("huge", "continuous"), Column("tiny", "continuous")))
    found = facts(real, real, None, schema)
    told = found["columns"]["huge"]["describe"]["real"]
    assert told["std"] == pytest.approx(float(np.std(real["huge"].to_numpy() / 1e308)) * 1e308, rel=0.05)
    assert found["association"]["mean_difference"] == {"released": 0.0}
    json.dumps(found, allow_nan=False)


def test_a_small_rest_joins_the_least_level() -> None:
    levels = ["a"] * 100 + ["b"] * 50 + ["c"] * 12 + ["d"] * 3
    real = pl.DataFrame({"x": levels})
    bars = facts(real, real, None, Schema((Column("x", "categorical"),)))["columns"]["x"]["bars"]
    assert bars["levels"] == ["a", "b"]
    assert bars["other"] == {"real": 15, "released": 15}


def test_one_huge_value_cannot_be_worked_out() -> None:
    ordinary = np.random.default_rng(0).normal(100, 10, 1000)
    wild = ordinary.copy()
    wild[0] = 9.876e12
    schema = Schema((Column("x", "continuous"),))
    told = facts(pl.DataFrame({"x": wild}), pl.DataFrame({"x": wild}), None, schema)["columns"]["x"]["describe"]
    for side in ("real", "released"):
        assert told[side]["mean"] < 110
        assert told[side]["max"] < 140


def test_many_columns_fold_and_stay_small() -> None:
    rng = np.random.default_rng(0)
    real = pl.DataFrame({f"c{i}": rng.normal(size=500) for i in range(60)})
    found = facts(real, real, None, Schema(tuple(Column(name, "continuous") for name in real.columns)))
    assert sum(column["folded"] for column in found["columns"].values()) == 20
    assert len(found["association"]["columns"]) == 40
    assert len(json.dumps(found)) < 300_000


def test_small_and_narrow_tables() -> None:
    schema = Schema((Column("x", "continuous"),))
    few = pl.DataFrame({"x": np.arange(12.0)})
    found = facts(few, few, None, schema)
    assert found["columns"]["x"]["histogram"] is None
    assert found["association"] is None
    assert found["cloud"] is None
    none = facts(
        pl.DataFrame({"x": np.arange(50.0)}), pl.DataFrame({"x": pl.Series([], dtype=pl.Float64)}), None, schema
    )
    assert sum(none["columns"]["x"]["histogram"]["released"]) == 0
    assert none["columns"]["x"]["describe"]["released"] is None


def test_a_missing_column_is_refused() -> None:
    with pytest.raises(TableError, match="released table has no column 'level'"):
        facts(table(), table().drop("level"), None, SCHEMA)


def test_input_is_not_changed() -> None:
    real, released = table(), table(300, 1)
    before = real.clone(), released.clone()
    facts(real, released, None, SCHEMA)
    assert real.equals(before[0])
    assert released.equals(before[1])


@pytest.mark.data
def test_adult_is_described_within_two_seconds(shared_data: Path) -> None:
    whole = pl.read_csv(shared_data / "adult" / "adult.csv.gz", null_values=["?"])
    kinds = {name: "integer" if kind == pl.Int64 else "categorical" for name, kind in whole.schema.items()}
    train = whole.filter(pl.col("split") == "train").drop("split")
    schema = Schema(tuple(Column(name, kinds[name]) for name in train.columns))  # type: ignore[arg-type]
    start = time.perf_counter()
    found = facts(train, train.sample(fraction=1.0, with_replacement=True, seed=0), None, schema, target="income")
    assert time.perf_counter() - start < 2.0
    assert all(count == 0 or count >= 10 for count in real_counts(found))
    assert found["columns"]["capital-gain"]["describe"]["real"]["max"] == 99999
    assert "1484705" not in json.dumps(found)
