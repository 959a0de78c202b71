"""A declared table is read cell by cell, and its frame's types say nothing of its rows."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from masquerade import frames, spelling
from masquerade.errors import SchemaError, TableError
from masquerade.schema import Column, Schema
from masquerade.synthesize.private_cells import read_declared

SCHEMA = Schema(
    (
        Column("n", "integer", minimum=0, maximum=50),
        Column("x", "continuous", minimum=-1, maximum=1, decimals=2),
        Column("word", "categorical", levels=("1", "2")),
        Column("flag", "boolean"),
        Column("day", "datetime", minimum="2020-01-01", maximum="2020-12-31"),
    ),
    declared=True,
)
PLAIN = {
    "n": [1, 2],
    "x": [0.5, -0.25],
    "word": ["1", "2"],
    "flag": [True, False],
    "day": [datetime.datetime(2020, 1, 5), datetime.datetime(2020, 2, 6)],
}
ODD: dict[str, list[Any]] = {
    "n": [None, "many", 999, 1.5],
    "x": [None, float("inf"), -999.0, "x"],
    "word": [None, 7, "Ruritania", 1.5],
    "flag": [None, "perhaps", 3, "x"],
    "day": [None, "soon", datetime.datetime(1901, 1, 1, 3, 4, 5), 12],
}
"""Cells that no declared column expects; each is put below two plain ones."""


@pytest.mark.parametrize(("name", "odd"), [(name, odd) for name, cells in ODD.items() for odd in cells])
def test_no_cell_changes_how_others_are_read_or_what_frame_goes_out(name: str, odd: Any) -> None:
    plain = pd.DataFrame(PLAIN)
    cells = {key: [*values, odd if key == name else values[0]] for key, values in PLAIN.items()}
    typed, kind = read_declared(pd.DataFrame(cells), SCHEMA)
    alone, alike = read_declared(plain, SCHEMA)
    assert typed.head(2).equals(alone)
    assert kind == alike
    assert typed.schema == alone.schema


def test_numbers_are_clipped_and_rounded_and_what_does_not_fit_is_missing() -> None:
    table = pl.DataFrame(
        {
            "n": ["7", "-3", "400", "seven", ""],
            "x": ["0.126", "-inf", "9", "", "x"],
            "word": ["1", "9", "", "2", "1"],
            "flag": ["yes", "no", "maybe", "", "yes"],
            "day": ["2020-03-04", "1999-01-01", "2020-03-04T05:06:07", "soon", ""],
        }
    )
    typed, kind = read_declared(table, SCHEMA)
    assert typed["n"].to_list() == [7, 0, 50, None, None]
    assert typed["x"].to_list() == [0.13, -1, 1, None, None]
    assert typed["word"].to_list() == ["1", "9", None, "2", "1"]
    assert typed["flag"].to_list() == [True, False, None, None, True]
    days = [datetime.datetime(2020, 3, 4), datetime.datetime(2020, 1, 1), datetime.datetime(2020, 3, 4), None, None]
    assert typed["day"].to_list() == days
    assert {column.dtype for column in kind.columns.values()} == {"String"}


@pytest.mark.parametrize("nullable", [False, True])
def test_the_declaration_chooses_the_types(nullable: bool) -> None:
    schema = Schema(
        (
            *(Column(c.name, c.kind, c.minimum, c.maximum, c.levels, nullable=nullable) for c in SCHEMA),
            Column("id", "id"),
        ),
        declared=True,
    )
    plain = {**PLAIN, "id": [7, 8]}
    typed, kind = read_declared(pd.DataFrame(plain).astype({"n": "int8", "word": "category"}), schema)
    made = frames.from_polars(spelling.spell(typed, schema, kind), kind)
    assert made.dtypes.astype(str).to_dict() == {
        "n": "Int64" if nullable else "int64",
        "x": "float64",
        "word": "category",
        "flag": "boolean" if nullable else "bool",
        "day": "datetime64[us]",
        "id": "int64",
    }
    assert made["word"].cat.categories.to_list() == ["1", "2"]
    polars = pl.DataFrame(plain).with_columns(
        pl.col("n").cast(pl.UInt8), pl.col("day").dt.date(), pl.col("word").cast(pl.Int32)
    )
    typed, kind = read_declared(polars, schema)
    made = frames.from_polars(spelling.spell(typed, schema, kind), kind)
    assert made.dtypes == [pl.Int64, pl.Float64, pl.Int64, pl.Boolean, pl.Date, pl.Int64]
    typed, kind = read_declared(pa.table({**plain, "n": pa.array([1, 2], pa.int16())}), schema)
    made = frames.from_polars(spelling.spell(typed, schema, kind), kind)
    assert list(map(str, made.schema.types)) == ["int64", "double", "string", "bool", "timestamp[us]", "int64"]


@pytest.mark.parametrize(
    ("kind", "plain", "odd"),
    [
        ("boolean", [True, False], None),
        ("boolean", [1, 0], None),
        ("boolean", [1, 0], "x"),
        ("boolean", [True, False], "x"),
        ("integer", [True, False], None),
        ("integer", [1, 2], "x"),
        ("categorical", [True, False], None),
        ("categorical", [1, 2], 1.5),
        ("categorical", [1.0, 2.0], "x"),
        ("categorical", pd.Categorical([1, 2]), pd.Categorical([1.0, 2.0, 1.5])),
        ("datetime", pd.to_datetime(["2020-01-05", "2020-02-06"]), "x"),
        ("datetime", pd.to_datetime(["2020-01-05", "2020-02-06"], utc=True), "x"),
        ("continuous", [1.25, 2.0], "x"),
        ("id", [7.0, 8.0], "x"),
    ],
)
def test_pandas_reads_a_column_as_another_type_for_one_odd_cell_and_we_do_not(kind: Any, plain: Any, odd: Any) -> None:
    bounds = {"minimum": 0, "maximum": 9} if kind in ("integer", "continuous") else {}
    schema = Schema((Column("c", kind, **bounds),), declared=True)
    alone, _ = read_declared(pd.DataFrame({"c": plain}), schema)
    longer = odd if isinstance(odd, pd.Categorical) else [*plain, odd]
    typed, _ = read_declared(pd.DataFrame({"c": longer}), schema)
    assert not alone["c"].has_nulls()
    assert typed.head(2).equals(alone)


def test_numbers_that_the_declaration_spells_stay_text() -> None:
    schema = Schema(
        (Column("n", "integer", minimum=0, maximum=9_999, thousands=",", missing="?"), SCHEMA["x"]), declared=True
    )
    for cells in (["1,200", "?"], ["1,200", "3"]):
        typed, kind = read_declared(pl.DataFrame({"n": cells, "x": [0.5, 0.5]}), schema)
        assert frames.from_polars(spelling.spell(typed, schema, kind), kind)["n"].to_list() == cells


def test_a_frame_of_other_columns_is_refused_by_name() -> None:
    table = pl.DataFrame(PLAIN)
    with pytest.raises(SchemaError, match="'more' is in the table but not in the schema"):
        read_declared(table.with_columns(more=1), SCHEMA)
    with pytest.raises(SchemaError, match="'day' is in the schema but not in the table"):
        read_declared(table.drop("day"), SCHEMA)
    with pytest.raises(TableError):
        read_declared(np.zeros((2, 2)), SCHEMA)
