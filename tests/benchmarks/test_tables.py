"""The benchmarks' tables: whole, split as said, and of the kind said."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import polars as pl
import pytest

FOLDER = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def tables() -> dict[str, Any]:
    return runpy.run_path(str(FOLDER / "tables.py"), run_name="tables")


def check(table: Any) -> None:
    assert table.train.columns == table.holdout.columns
    assert table.train.schema == table.holdout.schema
    assert table.target in table.train.columns
    assert table.task == "regression" or table.train[table.target].n_unique() <= 10
    assert table.task == "classification" or table.train[table.target].dtype.is_numeric()


def test_every_name_is_listed_once(tables: dict[str, Any]) -> None:
    assert set(tables["_MAKERS"]) == set(tables["NAMES"])
    assert len(tables["NAMES"]) == len(set(tables["NAMES"])) == 15
    with pytest.raises(KeyError):
        tables["load"]("nothing")


@pytest.mark.parametrize(("name", "rows", "columns"), [("progression", 442, 11), ("breast_cancer", 569, 31)])
def test_bundled_ones(tables: dict[str, Any], name: str, rows: int, columns: int) -> None:
    table = tables["load"](name, seed=3)
    check(table)
    assert table.train.height + table.holdout.height == rows
    assert table.train.width == columns
    assert table.holdout.height == round(rows / 5)
    assert not table.train.equals(tables["load"](name, seed=4).train)


@pytest.mark.data
@pytest.mark.usefixtures("shared_data")
@pytest.mark.parametrize(
    ("name", "train", "holdout", "columns"),
    [
        ("adult", 32_561, 16_281, 15),
        ("heart", 242, 61, 14),
        ("berka_amounts", 39_282, 9_820, 6),
        ("nafld_labs", 12_164, 3_041, 9),
        ("cdnow_amounts", 55_727, 13_932, 7),
    ],
)
def test_published_ones(tables: dict[str, Any], name: str, train: int, holdout: int, columns: int) -> None:
    table = tables["load"](name)
    check(table)
    assert (table.train.height, table.holdout.height, table.train.width) == (train, holdout, columns)


@pytest.mark.data
@pytest.mark.usefixtures("shared_data")
def test_what_follows_from_other_columns_does(tables: dict[str, Any]) -> None:
    loans = tables["load"]("berka_loans").train
    assert (loans["amount"] == loans["payments"] * loans["duration"]).all()
    bought = tables["load"]("cdnow_amounts").train
    assert (bought["nth"] == 1).equals(bought["last_amount"].is_null())
    assert bought.filter(pl.col("nth") == 2).select((pl.col("spent") == pl.col("last_amount")).all()).item()


def test_grown_tables_have_the_size_asked_for_and_hang_together(tables: dict[str, Any]) -> None:
    table = tables["grown"](4_000, 9, seed=1)
    check(table)
    assert table.train.shape == (4_000, 9)
    assert table.holdout.height == 1_000
    numbers = table.train.select(pl.col("^amount.*|count.*$").rank())
    strongest = max(
        abs(numbers[:, a].to_frame().with_columns(b=numbers[:, b]).corr()[0, 1]) for a, b in [(0, 1), (0, 2)]
    )
    assert strongest > 0.1
    assert tables["grown"](100, 3).holdout.height == 500
