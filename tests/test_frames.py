"""Frames of pandas, Polars and PyArrow come back as they were."""

from __future__ import annotations

import datetime
import decimal
import json
import subprocess
import sys
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from polars.testing import assert_frame_equal

from masquerade.errors import MasqueradeWarning, TableError
from masquerade.frames import FrameKind, check_table, from_polars, to_polars
from masquerade.inference import infer
from masquerade.schema import Column, Schema
from masquerade.spelling import parse, spell

MOMENTS = [datetime.datetime(2019, 3, 1, 8, 30), datetime.datetime(2020, 12, 31, 23, 59, 59)]
DAYS = [datetime.date(2019, 3, 1), datetime.date(2020, 12, 31)]


def pandas_table() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "int64": np.array([1, 2, 3]),
            "int8": np.array([1, 2, 3], dtype="int8"),
            "uint16": np.array([1, 2, 3], dtype="uint16"),
            "Int64": pd.array([1, None, 3], dtype="Int64"),
            "Float64": pd.array([1.5, None, 3.25], dtype="Float64"),
            "float32": np.array([0.1, np.nan, 2.5], dtype="float32"),
            "float64": [0.1, np.nan, 2.5],
            "object": pd.Series(["a", None, "ü"], dtype=object),
            "str": pd.Series(["a", None, "ü"], dtype="str"),
            "string": pd.array(["a", None, "ü"], dtype="string"),
            "category": pd.Categorical(["x", None, "y"], categories=["y", "unused", "x"], ordered=True),
            "numbers": pd.Categorical([3, 1, None], categories=[3, 2, 1]),
            "bool": [True, False, True],
            "boolean": pd.array([True, None, False], dtype="boolean"),
            "ns": pd.Series([*MOMENTS, None]).astype("datetime64[ns]"),
            "us": pd.Series([*MOMENTS, None]).astype("datetime64[us]"),
            "s": pd.Series([*MOMENTS, None]).astype("datetime64[s]"),
            "zone": pd.Series([*MOMENTS, None]).astype("datetime64[us]").dt.tz_localize("Europe/Berlin"),
            "date": pd.Series([*DAYS, None], dtype=object),
            "time": pd.Series([datetime.time(8, 30), None, datetime.time(9)], dtype=object),
            "decimal": pd.Series([decimal.Decimal("1.50"), None, decimal.Decimal("2.25")], dtype=object),
            "integers": pd.Series([1, None, 3], dtype=object),
            "booleans": pd.Series([True, None, False], dtype=object),
            "elapsed": pd.to_timedelta([1, None, 90], unit="s"),
            "arrow": pd.array([1, None, 3], dtype="int64[pyarrow]"),
            "words": pd.array(["a", None, "b"], dtype=pd.ArrowDtype(pa.string())),
            "period": pd.PeriodIndex(["2019-01", "2019-02", None], freq="M"),
            "empty": pd.Series([None, None, None], dtype=object),
        }
    )


def polars_table() -> pl.DataFrame:
    return pl.DataFrame(
        {
            "int": [1, None, 3],
            "float": [0.5, None, float("nan")],
            "text": ["a", None, ""],
            "flag": [True, None, False],
            "date": [*DAYS, None],
            "moment": [*MOMENTS, None],
            "time": [datetime.time(8, 30), None, datetime.time(9)],
            "elapsed": [datetime.timedelta(seconds=1), None, datetime.timedelta(days=2)],
            "decimal": [decimal.Decimal("1.50"), None, decimal.Decimal("2.25")],
            "nothing": [None, None, None],
        }
    ).with_columns(
        small=pl.col("int").cast(pl.UInt8),
        single=pl.col("float").cast(pl.Float32),
        category=pl.col("text").cast(pl.Categorical),
        enum=pl.Series(["x", None, "y"], dtype=pl.Enum(["y", "unused", "x"])),
        nanoseconds=pl.col("moment").cast(pl.Datetime("ns")),
        milliseconds=pl.col("moment").dt.replace_time_zone("Asia/Tokyo").dt.cast_time_unit("ms"),
    )


def arrow_table() -> pa.Table:
    return pa.table(
        {
            "int32": pa.array([1, None, 3], pa.int32()),
            "double": pa.array([0.5, None, 2.0]),
            "string": pa.array(["a", None, ""]),
            "large": pa.array(["a", None, ""], pa.large_string()),
            "dictionary": pa.array(["a", None, "b"]).dictionary_encode(),
            "flag": pa.array([True, None, False]),
            "date": pa.array([*DAYS, None]),
            "moment": pa.array([*MOMENTS, None], pa.timestamp("ms")),
            "zone": pa.array([*MOMENTS, None], pa.timestamp("us", "Europe/Berlin")),
            "time": pa.array([datetime.time(8, 30), None, datetime.time(9)], pa.time64("us")),
            "elapsed": pa.array([datetime.timedelta(seconds=1), None, datetime.timedelta(2)], pa.duration("us")),
            "decimal": pa.array([decimal.Decimal("1.50"), None, decimal.Decimal("2.25")], pa.decimal128(10, 2)),
        }
    )


def assert_same(back: Any, native: Any) -> None:
    if isinstance(native, pd.DataFrame):
        pd.testing.assert_frame_equal(back, native)
    elif isinstance(native, pl.DataFrame):
        assert_frame_equal(back, native)
    else:
        assert back.schema.equals(native.schema)
        assert back.equals(native)


@pytest.mark.parametrize("make", [pandas_table, polars_table, arrow_table])
def test_a_frame_comes_back_as_it_was(make: Any) -> None:
    native, untouched = make(), make()
    frame, kind = to_polars(native)
    assert_same(from_polars(frame, kind), native)
    assert_same(native, untouched)
    assert FrameKind.from_dict(json.loads(json.dumps(kind.to_dict()))) == kind
    assert_same(from_polars(frame, FrameKind.from_dict(json.loads(json.dumps(kind.to_dict())))), native)


@pytest.mark.parametrize("make", [pandas_table, polars_table, arrow_table])
def test_a_frame_comes_back_through_its_typed_values(make: Any) -> None:
    native = make()
    raw, kind = to_polars(native)
    schema = infer(raw, protect=0)
    typed = parse(raw, schema)
    again, _ = to_polars(from_polars(spell(typed, schema, kind), kind))
    if isinstance(native, pl.DataFrame):
        raw = raw.with_columns(
            pl.col(pl.Float64, pl.Float32).fill_nan(None), pl.col("text", "category").replace("", None)
        )
    if isinstance(native, pa.Table):
        raw = raw.with_columns(pl.col("string", "large").replace("", None))
    assert_frame_equal(again, raw, categorical_as_str=True)


def test_narwhals_frames_are_taken_too() -> None:
    frame, kind = to_polars(nw.from_native(pd.DataFrame({"a": [1, 2]})))
    assert kind.library == "pandas"
    assert frame["a"].to_list() == [1, 2]


@pytest.mark.parametrize(
    "native", [np.zeros((3, 2)), [[1, 2]], {"a": [1]}, "table.csv", 3, None, pd.Series([1]), pl.Series([1])], ids=repr
)
def test_anything_else_is_refused(native: Any) -> None:
    with pytest.raises(TableError, match="expected a pandas or Polars DataFrame or a PyArrow Table"):
        to_polars(native)


def test_a_lazy_frame_is_refused_with_the_remedy() -> None:
    with pytest.raises(TableError, match="collect"):
        to_polars(pl.LazyFrame({"a": [1]}))


def test_names_are_text_and_unique() -> None:
    assert to_polars(pd.DataFrame([[1, 2]]))[0].columns == ["0", "1"]
    with pytest.raises(TableError, match="'a': there are 2 columns"):
        to_polars(pd.DataFrame([[1, 2]], columns=["a", "a"]))
    with pytest.raises(TableError, match="several levels"):
        to_polars(pd.DataFrame([[1]], columns=pd.MultiIndex.from_tuples([("a", "b")])))


def test_nested_columns_are_refused_by_name() -> None:
    with pytest.raises(TableError, match="column 'a': holds List"):
        to_polars(pl.DataFrame({"a": [[1, 2]]}))


def test_mixed_objects_become_text_with_a_warning() -> None:
    with pytest.warns(MasqueradeWarning, match="column 'a'.*mixed"):
        frame, _ = to_polars(pd.DataFrame({"a": pd.Series([1, "x", None], dtype=object)}))
    assert frame["a"].to_list() == ["1", "x", None]


def test_the_index_is_fresh() -> None:
    native = pd.DataFrame({"a": [1, 2, 3]}, index=[7, 8, 9])
    frame, kind = to_polars(native)
    assert from_polars(frame, kind).index.equals(pd.RangeIndex(3))


def test_a_type_that_cannot_hold_the_values_gives_way() -> None:
    _, kind = to_polars(pd.DataFrame({"i": [1, 2], "b": [True, False]}))
    back = from_polars(pl.DataFrame({"i": [1, None], "b": [True, None], "new": ["x", None]}), kind)
    assert str(back.dtypes["i"]) == "Int64"
    assert str(back.dtypes["b"]) == "boolean"
    assert back["new"].tolist() == ["x", None]
    _, kind = to_polars(pl.DataFrame({"i": [1]}, schema={"i": pl.Int8}))
    assert from_polars(pl.DataFrame({"i": [1000]}), kind)["i"].to_list() == [1000]


def test_no_rare_level_travels_in_a_type() -> None:
    _, kind = to_polars(pd.DataFrame({"c": pd.Categorical(["a", "b"])}))
    schema = Schema((Column("c", "categorical", levels=("a",)),))
    assert kind.protected(schema).columns["c"].categories == ("a",)
    assert "'b'" not in str(kind.protected(schema).to_dict())
    assert from_polars(pl.DataFrame({"c": ["a"]}), kind.protected(schema))["c"].cat.categories.tolist() == ["a"]


def test_check_table() -> None:
    with pytest.raises(TableError, match="no column"):
        check_table(pl.DataFrame())
    with pytest.raises(TableError, match="9 rows, expected at least 10"):
        check_table(pl.DataFrame({"a": range(9)}))
    check_table(pl.DataFrame({"a": range(10)}))
    with pytest.raises(TableError, match="column 'a', row 11"):
        check_table(pl.DataFrame({"a": [*map(float, range(10)), float("-inf")]}))


def test_pandas_does_not_need_pyarrow_nor_anyone_pandas() -> None:
    script = """
import sys
sys.modules["pyarrow"] = None
import pandas as pd, polars as pl
from masquerade.frames import to_polars, from_polars
days = pd.to_datetime(["2019-01-01", None])
native = pd.DataFrame({"a": [1, 2], "s": ["x", None], "c": pd.Categorical(["u", "v"]), "d": days})
frame, kind = to_polars(native)
pd.testing.assert_frame_equal(from_polars(frame, kind), native)
"""
    subprocess.run([sys.executable, "-W", "error", "-c", script], check=True)
    script = """
import sys
sys.modules["pyarrow"] = sys.modules["pandas"] = None
import polars as pl
from masquerade.errors import TableError
from masquerade.frames import FrameKind, to_polars, from_polars
frame, kind = to_polars(pl.DataFrame({"a": [1]}))
assert from_polars(frame, kind).equals(frame)
try:
    from_polars(frame, FrameKind("pandas"))
except TableError as error:
    assert "pip install pandas" in str(error)
else:
    raise SystemExit("pandas was not missed")
"""
    subprocess.run([sys.executable, "-W", "error", "-c", script], check=True)
