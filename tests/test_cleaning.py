"""Cleaning: each step alone, all of them together, and the table that nothing is left of."""

from __future__ import annotations

import polars as pl
import pytest

from masquerade.cleaning import clean
from masquerade.errors import TableError

TABLE = pl.DataFrame(
    {
        "a": ["x ", "x", "", "\ty", None],
        "b": [1, 1, None, 2, None],
        "c": ["", " ", "", "", None],
        "d": [None] * 5,
    },
    schema_overrides={"d": pl.String},
)


def test_all_of_it() -> None:
    done = clean(TABLE)
    assert done.table.rows() == [("x", 1), ("y", 2)]
    assert (done.trimmed, done.empty_rows, done.empty_columns, done.duplicates) == (3, 2, ("c", "d"), 1)
    assert "2 rows stay" in done.sentence()
    assert "(c, d)" in done.sentence()


@pytest.mark.parametrize(
    ("asked", "shape"),
    [
        ({}, (5, 4)),
        ({"trim_spaces": True}, (5, 4)),
        ({"drop_empty_rows": True}, (3, 4)),
        ({"drop_empty_columns": True}, (5, 2)),
        ({"drop_duplicates": True}, (5, 4)),
        ({"trim_spaces": True, "drop_duplicates": True}, (4, 4)),
        ({"trim_spaces": True, "drop_empty_columns": True, "drop_duplicates": True}, (4, 2)),
    ],
)
def test_each_step_alone(asked: dict[str, bool], shape: tuple[int, int]) -> None:
    nothing = dict.fromkeys(("trim_spaces", "drop_empty_rows", "drop_empty_columns", "drop_duplicates"), False)
    assert clean(TABLE, **(nothing | asked)).table.shape == shape


def test_the_order_stays_and_the_input_is_not_changed() -> None:
    table = pl.DataFrame({"a": ["b", "a", "b", "c"]})
    assert clean(table).table["a"].to_list() == ["b", "a", "c"]
    assert table.height == 4


def test_nothing_left_is_refused() -> None:
    with pytest.raises(TableError, match="every cell is empty"):
        clean(pl.DataFrame({"a": ["", " "]}))
