"""Rules that contradict one another or the rows are refused by name; those that agree pass."""

from __future__ import annotations

from datetime import datetime

import polars as pl
import pytest

from masquerade.errors import RuleError
from masquerade.rules.check import check_rules
from masquerade.rules.parse import parse_rules
from masquerade.schema import Column, Schema

SCHEMA = Schema(
    (
        *(Column(name, "integer") for name in "abcde"),
        Column("start", "datetime"),
        Column("end", "datetime"),
    )
)
TABLE = pl.DataFrame(
    {
        "a": [1, 2, 3],
        "b": [1, 3, 5],
        "c": [2, 5, 8],
        "d": [1, 0, 0],
        "e": [0, 1, 1],
        "start": [datetime(2020, 1, 1)] * 3,
        "end": [datetime(2020, 1, 1), datetime(2020, 1, 2), None],
    }
)
GROUP = {"kind": "one_hot", "columns": ["d", "e"]}


def check(*items: object) -> None:
    check_rules(parse_rules(items, SCHEMA), TABLE)  # type: ignore[arg-type]


def test_rules_that_hold_pass() -> None:
    check(
        "a <= b <= c", "c >= a", "c = a + b", "0 <= a <= 9", "a <= 5", GROUP, "start <= end", "start >= 2020-01-01",
        {"kind": "fixed_combinations", "columns": ["a", "d"]},
    )  # fmt: skip
    check("d <= 1", "d >= 0", "1 >= d")
    check()


@pytest.mark.parametrize(
    ("items", "message"),
    [
        (["a <= b", "b < a"], "rules 'a <= b' and 'b < a' contradict each other; drop one"),
        (["a <= b", "b <= c", "c < a"], "rules 'a <= b', 'b <= c' and 'c < a' contradict one another"),
        (["a >= 5", "a <= 3"], "rules 'a >= 5' and 'a <= 3' contradict each other"),
        (["a >= 5", "a <= b", "b <= 4"], "rules 'a >= 5', 'a <= b' and 'b <= 4' contradict one another"),
        (["a >= 5", "a < b", "b <= 5"], "rules 'a >= 5', 'a < b' and 'b <= 5' contradict one another"),
        (["start >= 2020-01-02", "start <= end", "end <= 2020-01-01"], "contradict one another"),
        (["c = a + b", "c = a"], "rules 'c = a \\+ b' and 'c = a' are two formulas for 'c'"),
        (["c = a + b", "b = c - a"], "rules 'c = a \\+ b' and 'b = c - a' define each other"),
        ([GROUP, {"kind": "one_hot", "columns": ["e", "a"]}], "share the column 'e', expected it in one group only"),
        (["a < b"], "rule 'a < b': 1 of 3 rows break it; mend those rows or drop the rule"),
        (["a <= 2"], "rule 'a <= 2': 1 of 3 rows"),
        (["c = a"], "rule 'c = a': 3 of 3 rows"),
        ([{"kind": "one_hot", "columns": ["a", "d"]}], "exactly one of a, d': 3 of 3 rows"),
        (["start < end"], "rule 'start < end': 1 of 3 rows"),
    ],
)
def test_contradictions_are_refused(items: list[object], message: str) -> None:
    with pytest.raises(RuleError, match=message):
        check(*items)


def test_a_circle_that_means_equality_passes() -> None:
    table = TABLE.with_columns(b=pl.col("a"))
    check_rules(parse_rules(["a <= b", "b <= a"], SCHEMA), table)
