"""Values are written back as they were spelled, and cells that do not fit are refused with their place."""

from __future__ import annotations

import datetime
import warnings
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from masquerade.errors import MasqueradeWarning, SchemaError, TableError
from masquerade.files import read_table
from masquerade.frames import FrameKind, from_polars, to_polars
from masquerade.inference import infer
from masquerade.numbers_format import STYLES, NumberStyle, detect_style, parse_numbers, spell_numbers
from masquerade.schema import Column, Schema
from masquerade.spelling import TYPED, parse, spell

FEW = settings(max_examples=50, deadline=None)


def there_and_back(cells: list[str | None], column: Column) -> list[Any]:
    raw = pl.DataFrame({column.name: pl.Series(cells, dtype=pl.String)})
    schema = Schema((column,))
    typed = parse(raw, schema)
    assert typed.schema == {column.name: TYPED[column.kind]}
    assert_frame_equal(spell(typed, schema), raw)
    return typed[column.name].to_list()


def test_integers() -> None:
    assert there_and_back(["17", "?", "-3", "0"], Column("a", "integer", missing="?")) == [17, None, -3, 0]
    assert there_and_back(["63.0", "1.0"], Column("a", "integer", decimals=1)) == [63, 1]
    biggest = 9_223_372_036_854_775_807
    assert there_and_back([str(biggest), str(-biggest)], Column("a", "integer")) == [biggest, -biggest]


def test_decimals() -> None:
    assert there_and_back(["1.50", "-0.25", ""], Column("a", "continuous", decimals=2, missing="")) == [
        1.5,
        -0.25,
        None,
    ]
    assert there_and_back(["1.5", "2", "-7.25"], Column("a", "continuous", decimals=2, least_decimals=0)) == [
        1.5,
        2,
        -7.25,
    ]
    assert there_and_back(["1.0", "2.125"], Column("a", "continuous", decimals=3, least_decimals=1)) == [1.0, 2.125]
    assert there_and_back(["22.690939482158665", "24.0"], Column("a", "continuous")) == [22.690939482158665, 24.0]
    assert there_and_back(["1180591620717411303424.00"], Column("a", "continuous", decimals=2)) == [2.0**70]


@pytest.mark.parametrize(
    ("cells", "column"),
    [
        (["1,234,567.89", "-12.00"], Column("a", "continuous", decimals=2, thousands=",")),
        (
            ["5,00,000.00", "12,34,567.89", "999.10"],
            Column("a", "continuous", decimals=2, thousands=",", grouping="indian"),
        ),
        (["1.234,5", "-0,5"], Column("a", "continuous", decimals=1, thousands=".", decimal_mark=",")),
        (["1 234", "12"], Column("a", "integer", thousands=" ")),
        (["1'234.5", "1.0"], Column("a", "continuous", decimals=1, thousands="'")),
        (["3,14"], Column("a", "continuous", decimals=2, decimal_mark=",")),
    ],
)
def test_separators(cells: list[str], column: Column) -> None:
    there_and_back(list(cells), column)


def test_what_is_no_number_in_the_style_is_refused() -> None:
    column = Column("a", "integer", thousands=",")
    for cell in ["1,2,3", "12,34", "1,234,5", "0,123"]:
        with pytest.raises(SchemaError):
            there_and_back([cell], column)


@FEW
@given(st.lists(st.integers(-(10**15), 10**15), min_size=1), st.sampled_from(STYLES))
def test_whole_numbers_come_back_in_any_style(numbers: list[int], style: NumberStyle) -> None:
    values = pl.Series(numbers, dtype=pl.Int64)
    text = spell_numbers(values, style, decimals=None, least=None)
    assert parse_numbers(text, style, integer=True).to_list() == numbers
    assert text.str.contains(style.pattern).all()


@FEW
@given(
    st.lists(st.integers(-(10**13), 10**13), min_size=1), st.integers(0, 4), st.integers(0, 4), st.sampled_from(STYLES)
)
def test_decimal_numbers_come_back_in_any_style(
    scaled: list[int], decimals: int, least: int, style: NumberStyle
) -> None:
    values = pl.Series([number / 10**decimals for number in scaled], dtype=pl.Float64)
    text = spell_numbers(values, style, decimals=decimals, least=least)
    assert parse_numbers(text, style, integer=False).to_list() == values.to_list()
    if style == NumberStyle() and least >= decimals:
        assert text.to_list() == [f"{0.0 if value == 0 else value:.{decimals}f}" for value in values]


@FEW
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1))
def test_the_shortest_form_is_exact(numbers: list[float]) -> None:
    text = spell_numbers(pl.Series(numbers), NumberStyle(), decimals=None, least=None)
    assert parse_numbers(text, NumberStyle(), integer=False).to_list() == numbers


@FEW
@given(st.lists(st.integers(100_000, 10**12), min_size=1, unique=True))
def test_indian_grouping_is_told_from_western(numbers: list[int]) -> None:
    for style in (NumberStyle(","), NumberStyle(",", "indian")):
        text = spell_numbers(pl.Series(numbers), style, decimals=None, least=None)
        assert detect_style(text) == style


def test_booleans() -> None:
    assert there_and_back(["Y", "N", "?"], Column("a", "boolean", levels=("N", "Y"), missing="?")) == [
        True,
        False,
        None,
    ]
    assert there_and_back(["是", "否"], Column("a", "boolean", levels=("否", "是"))) == [True, False]
    declared = parse(pl.DataFrame({"a": ["YES", "no", "t", ""]}), Schema((Column("a", "boolean"),)))
    assert declared["a"].to_list() == [True, False, True, None]


@pytest.mark.parametrize(
    ("cell", "format_"),
    [
        ("01-Oct-18", "%d-%b-%y"),
        ("01-OCT-2018", "%d-%^b-%Y"),
        ("31/12/2019", "%d/%m/%Y"),
        ("1/2/2019 2:05 PM", "%-m/%-d/%Y %-I:%M %p"),
        ("2019-01-05T12:00:01.250Z", "%Y-%m-%dT%H:%M:%S.%3fZ"),
        ("2019-01-05 12:00:01.000001", "%Y-%m-%d %H:%M:%S.%f"),
        ("20190131", "%Y%m%d"),
        ("2019年1月31日", "%Y年%-m月%-d日"),
        ("January 5, 2019", "%B %-d, %Y"),
        ("2019-02", "%Y-%m"),
        ("14:05", "%H:%M"),
    ],
)
def test_moments(cell: str, format_: str) -> None:
    there_and_back([cell, "?"], Column("a", "datetime", format=format_, missing="?"))


@FEW
@given(
    st.lists(st.datetimes(datetime.datetime(1970, 1, 1), datetime.datetime(2068, 12, 31)), min_size=1),
    st.sampled_from(["%Y-%m-%d %H:%M:%S", "%d.%m.%y %H:%M:%S", "%-d %B %Y %-I:%M:%S %p", "%^b/%d/%Y %H:%M:%S"]),
)
def test_any_moment_comes_back(moments: list[datetime.datetime], format_: str) -> None:
    typed = pl.DataFrame({"a": pl.Series(moments, dtype=pl.Datetime("us")).dt.truncate("1s")})
    schema = Schema((Column("a", "datetime", format=format_),))
    assert_frame_equal(parse(spell(typed, schema), schema), typed)


def test_categories_texts_and_ids() -> None:
    for kind in ("categorical", "text", "id"):
        column = Column("a", kind, missing="?")  # type: ignore[arg-type]
        assert there_and_back(["x", "?", "NA", "", " "], column) == ["x", None, "NA", "", " "]
    assert there_and_back(["x", None], Column("a", "text")) == ["x", None]
    assert parse(pl.DataFrame({"a": [7, None]}), Schema((Column("a", "id"),)))["a"].to_list() == ["7", None]
    assert parse(pl.DataFrame({"a": [7.0, None]}), Schema((Column("a", "categorical"),)))["a"].to_list() == ["7", None]


def test_other_words_for_missing_become_the_columns_own() -> None:
    schema = Schema((Column("a", "integer", missing="?"),))
    typed = parse(pl.DataFrame({"a": ["1", "?", "NA", "", "unknown", " "]}), schema)
    assert typed["a"].to_list() == [1, None, None, None, None, None]
    assert spell(typed, schema)["a"].to_list() == ["1", *["?"] * 5]


SCHEMA = Schema(
    (Column("age", "integer", minimum=17, maximum=90), Column("sex", "categorical", levels=("Female", "Male")))
)


def test_columns_are_put_in_the_schemas_order() -> None:
    assert parse(pl.DataFrame({"sex": ["Male"], "age": ["30"]}), SCHEMA).columns == ["age", "sex"]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"age": ["30"]}, "column 'sex' is in the schema but not in the table"),
        ({"age": ["30"], "sexx": ["Male"]}, "column 'sex' is in the schema .*did you mean 'sexx'"),
        ({"age": ["30"], "sex": ["Male"], "job": ["x"]}, "column 'job' is in the table but not in the schema"),
        ({"age": ["30", "old"], "sex": ["Male", "Male"]}, "column 'age', row 2: .* expected a whole number"),
        ({"age": ["30", "1.5"], "sex": ["Male", "Male"]}, "column 'age', row 2: .* expected a whole number"),
        ({"age": [30.5], "sex": ["Male"]}, "column 'age', row 1: .* expected a whole number"),
    ],
)
def test_a_table_that_does_not_match_is_refused(data: dict[str, list[Any]], message: str) -> None:
    with pytest.raises(SchemaError, match=message) as caught:
        parse(pl.DataFrame(data), SCHEMA)
    assert "old" not in str(caught.value), "a cell's content stays out of the message"


def test_a_date_in_another_format_is_refused() -> None:
    schema = Schema((Column("when", "datetime", format="%Y-%m-%d"),))
    with pytest.raises(SchemaError, match=r"row 2: .*a date or time written as %Y-%m-%d"):
        parse(pl.DataFrame({"when": ["2019-01-31", "31.01.2019"]}), schema)


def test_a_declared_schema_is_held_to() -> None:
    declared = Schema(SCHEMA.columns, declared=True)
    parse(pl.DataFrame({"age": ["17", "", "90"], "sex": ["Male", "", "Female"]}), declared)
    with pytest.raises(SchemaError, match=r"'age', row 2: .*declared maximum 90"):
        parse(pl.DataFrame({"age": ["17", "91"], "sex": ["Male", "Male"]}), declared)
    with pytest.raises(SchemaError, match=r"'sex', row 2: .*not among the 2 declared levels"):
        parse(pl.DataFrame({"age": ["17", "18"], "sex": ["Male", "male"]}), declared)
    when = Schema((Column("when", "datetime", minimum="2019-01-01", format="%d.%m.%Y"),), declared=True)
    with pytest.raises(SchemaError, match=r"'when', row 1: .*declared minimum 2019-01-01"):
        parse(pl.DataFrame({"when": ["31.12.2018"]}), when)
    broken = Schema((Column("when", "datetime", minimum="soon"),), declared=True)
    with pytest.raises(SchemaError, match="'soon' is no moment"):
        parse(pl.DataFrame({"when": ["2019-01-01"]}), broken)
    parse(pl.DataFrame({"age": ["17", "99"], "sex": ["Male", "other"]}), declared, strict=False)
    parse(pl.DataFrame({"age": ["17", "99"], "sex": ["Male", "other"]}), SCHEMA)


def test_lenient_parsing_counts_odd_cells() -> None:
    raw = pl.DataFrame({"age": ["30", "old", "older"], "sex": ["Male"] * 3, "flag": ["x"] * 3})
    with pytest.warns(MasqueradeWarning) as caught:
        typed = parse(raw, SCHEMA, strict=False)
    assert typed["age"].to_list() == [30, None, None]
    texts = [str(warning.message) for warning in caught]
    assert any("'age': 2 of 3 cells" in text and "row 2" in text for text in texts)
    assert any("'flag' is not in the schema" in text for text in texts)


def test_infinite_numbers_are_refused_with_their_place() -> None:
    schema = Schema((Column("a", "continuous"),))
    for cells in (["1", "inf"], [1.0, float("-inf")]):
        with pytest.raises(TableError, match="column 'a', row 2: the number is infinite"):
            parse(pl.DataFrame({"a": cells}), schema)


def test_columns_beside_the_schema_pass_through() -> None:
    typed = pl.DataFrame({"age": [30], "sex": ["Male"], "synthetic": [True]})
    assert spell(typed, SCHEMA).to_dict(as_series=False) == {"age": ["30"], "sex": ["Male"], "synthetic": [True]}


def test_numbers_that_are_ids_stay_numbers() -> None:
    native = pd.DataFrame(
        {"client_id": [900 + 7 * i for i in range(20)], "owner_id": [*map(float, range(5, 100, 5)), None]}
    )
    raw, kind = to_polars(native)
    schema = infer(raw)
    assert {column.kind for column in schema} == {"id"}
    pd.testing.assert_frame_equal(from_polars(spell(parse(raw, schema), schema, kind), kind), native)


def test_dates_held_as_integers_stay_integers() -> None:
    raw, kind = to_polars(pl.DataFrame({"day": [20190131, 20190228, None] * 5}))
    schema = infer(raw)
    assert (schema["day"].kind, schema["day"].format) == ("datetime", "%Y%m%d")
    assert_frame_equal(spell(parse(raw, schema), schema, kind), raw)


REAL = {
    "adult/adult.csv.gz": 0,
    "bank_marketing/bank-additional-full.csv.gz": 0,
    "bank_marketing/bank-full.csv.gz": 0,
    "bank_transactions/bank_transactions.csv.gz": 1264,  # the source writes both 120 and 120.00, 502.8 and 502.80
    "berka/account.asc.gz": 0,
    "berka/card.asc.gz": 0,
    "berka/client.asc.gz": 0,
    "berka/disp.asc.gz": 0,
    "berka/district.asc.gz": 0,
    "berka/loan.asc.gz": 0,
    "berka/order.asc.gz": 0,
    "berka/trans_19930101_19940331.asc.gz": 0,
    "cdnow/users.csv.gz": 0,
    "cdnow/purchases.csv.gz": 0,
    "diabetes_130us/diabetic_data.csv.gz": 0,
    "heart_cleveland/heart_cleveland.csv.gz": 0,
    "pima_diabetes/pima_diabetes.csv.gz": 0,
    "nafld/nafld1.csv.gz": 0,
    "nafld/nafld2.csv.gz": 0,
    "nafld/nafld3.csv.gz": 0,
    "dialogue/banking77_train.csv.gz": 0,
    "dialogue/banking77_test.csv.gz": 0,
    "dialogue/bitext_customer_service_en.csv.gz": 0,
}


@pytest.mark.data
@pytest.mark.parametrize("name", REAL)
def test_real_tables_come_back_cell_for_cell(shared_data: Path, name: str) -> None:
    raw = read_table(shared_data / name)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        schema = infer(raw)
        typed = parse(raw, schema)
    assert dict(typed.schema) == {column.name: TYPED[column.kind] for column in schema}
    kind = FrameKind.from_dict(to_polars(raw)[1].to_dict())
    back = spell(typed, schema, kind)
    assert back.schema == raw.schema
    changed = {column: int((back[column] != raw[column]).sum()) for column in raw.columns}
    assert sum(changed.values()) == REAL[name], changed
