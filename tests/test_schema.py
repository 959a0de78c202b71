"""Columns and schemas: what they refuse, and that their spellings are lossless."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from masquerade.errors import SchemaError
from masquerade.schema import KINDS, Column, Schema

columns = st.builds(
    Column,
    name=st.text(min_size=1, max_size=8),
    kind=st.sampled_from(["integer", "continuous"]),
    minimum=st.none() | st.integers(-100, 0),
    maximum=st.none() | st.integers(0, 100),
    decimals=st.none() | st.integers(0, 12),
    least_decimals=st.none() | st.integers(0, 12),
    missing=st.none() | st.sampled_from(["", "?"]),
    sensitive=st.booleans(),
    protect=st.none() | st.integers(0, 50),
    thousands=st.none() | st.sampled_from([" ", "'"]),
    grouping=st.sampled_from(["western", "indian"]),
    decimal_mark=st.sampled_from([".", ","]),
) | st.builds(
    Column,
    name=st.text(min_size=1, max_size=8),
    kind=st.sampled_from(["categorical", "text", "id"]),
    levels=st.none() | st.lists(st.text(max_size=5), max_size=4, unique=True).map(tuple),
)


@given(st.lists(columns, min_size=1, max_size=5, unique_by=lambda column: column.name), st.booleans())
def test_a_schema_comes_back_from_its_dictionary(parts: list[Column], declared: bool) -> None:
    schema = Schema(tuple(parts), unit=parts[0].name, declared=declared)
    assert Schema.from_dict(schema.to_dict()) == schema


def test_a_dictionary_holds_only_what_differs_from_the_defaults() -> None:
    assert Schema((Column("a", "integer", minimum=0),)).to_dict() == {
        "declared": False,
        "columns": {"a": {"kind": "integer", "minimum": 0}},
    }


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"kind": "intger"}, "kind is 'intger', expected one of integer, .*did you mean 'integer'"),
        ({"kind": "integer", "protect": -1}, "protect is -1, expected an integer of at least 0"),
        ({"kind": "integer", "protect": True}, "protect is True"),
        ({"kind": "continuous", "decimals": 2.5}, "decimals is 2.5"),
        ({"kind": "continuous", "least_decimals": "2"}, "least_decimals is '2'"),
        ({"kind": "integer", "minimum": "low"}, "minimum is 'low', expected a number"),
        ({"kind": "integer", "minimum": 5, "maximum": 3}, "minimum is 5, expected at most the maximum 3"),
        ({"kind": "datetime", "minimum": "2020-01-01", "maximum": "2019-01-01"}, "expected at most the maximum"),
        ({"kind": "datetime", "minimum": 2019}, "minimum is 2019, expected ISO 8601 text"),
        ({"kind": "boolean", "levels": ["yes"]}, "expected two different words"),
        ({"kind": "categorical", "levels": ["a", "b", "a"]}, "levels name 'a' more than once"),
        ({"kind": "categorical", "levels": "ab"}, "levels is 'ab', expected a list of texts"),
        ({"kind": "integer", "sensitive": "yes"}, "sensitive is 'yes', expected true or false"),
        ({"kind": "integer", "missing": 0}, "missing is 0, expected text"),
        ({"kind": "integer", "thousands": "."}, "thousands is '.', expected one character"),
        ({"kind": "integer", "thousands": ",,"}, "thousands is ',,'"),
        ({"kind": "integer", "grouping": "roman"}, "grouping is 'roman', expected 'western' or 'indian'"),
        ({"kind": "integer", "decimal_mark": ";"}, "decimal_mark is ';'"),
        ({"kind": "integer", "levles": ["a"]}, "unknown field 'levles' .did you mean 'levels'"),
        ({}, "no kind given, expected one of integer"),
    ],
)
def test_a_malformed_column_is_refused_with_its_field(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(SchemaError, match=f"column 'age': .*{message}|column 'age': {message}"):
        Schema.from_dict({"columns": {"age": fields}})


def test_names_are_unique() -> None:
    with pytest.raises(SchemaError, match="column 'a': it is there 2 times"):
        Schema((Column("a", "integer"), Column("a", "text")))


def test_looking_up() -> None:
    schema = Schema((Column("age", "integer"), Column("sex", "categorical")))
    assert schema["sex"].kind == "categorical"
    assert "age" in schema
    assert [column.name for column in schema] == list(schema.names) == ["age", "sex"]
    assert len(schema) == 2
    with pytest.raises(SchemaError, match=r"no column 'agee' .did you mean 'age'"):
        schema["agee"]
    assert schema.replace("age", minimum=3)["age"].minimum == 3
    assert schema["age"].minimum is None
    with pytest.raises(SchemaError):
        schema.replace("none", minimum=3)


def test_what_counts_as_a_number() -> None:
    assert {kind for kind in KINDS if Column("a", kind).is_numeric} == {"integer", "continuous", "datetime"}


def test_a_notebook_shows_every_column_and_escapes_what_they_hold() -> None:
    levels = tuple(f"level {i}" for i in range(9))
    schema = Schema(
        (
            Column("<b>age</b>", "integer", minimum=1, maximum=9, missing="?"),
            Column("job", "categorical", levels=levels),
        )
    )
    shown = schema._repr_html_()
    assert "<b>" not in shown
    assert "&lt;b&gt;age" in shown
    assert "1 to 9" in shown
    assert "level 5 and 3 more" in shown
    assert "level 6" not in shown
    assert shown.count("<tr>") == 3
