"""What each kind of rule says about rows, missing values included."""

from __future__ import annotations

from datetime import datetime

import polars as pl
import pytest

from masquerade.errors import RuleError
from masquerade.rules.fixed import FixedCombinations
from masquerade.rules.formula import Formula
from masquerade.rules.inequality import Inequality
from masquerade.rules.interval import Range
from masquerade.rules.one_hot import OneHot


def test_inequalities_of_moments() -> None:
    days = [datetime(2020, 1, 1), datetime(2020, 1, 2), None]
    table = pl.DataFrame({"start": days, "end": [days[0], days[0], days[1]]})
    assert Inequality("start", "end").holds(table).to_list() == [True, False, True]
    assert Inequality("start", "end", strict=True).holds(table).to_list() == [False, False, True]


def test_large_whole_numbers_are_compared_exactly() -> None:
    table = pl.DataFrame({"low": [2**60 + 1], "high": [2**60]})
    assert Inequality("low", "high").holds(table).to_list() == [False]


def test_ranges_hold_their_ends() -> None:
    table = pl.DataFrame({"x": [0.0, 0.5, 1.0, 1.5, None]})
    assert Range("x", 0.5, 1).holds(table).to_list() == [False, True, True, False, True]
    moments = pl.DataFrame({"t": [datetime(2020, 1, 1), datetime(2020, 1, 1, 5)]})
    assert Range("t", None, "2020-01-01").holds(moments).to_list() == [True, False]
    assert Range("t", "2020-01-01T06:00+01:00").holds(moments).to_list() == [False, True]


@pytest.mark.parametrize(
    ("decimals", "expected"), [(None, [True, True, False, False, True]), (1, [True, True, True, False, True])]
)
def test_a_formula_allows_rounding(decimals: int | None, expected: list[bool]) -> None:
    rule = Formula("net", ((1, "gross"), (-1, "tax")), 1.0, decimals=decimals)
    table = pl.DataFrame(
        {"gross": [10.0] * 5, "tax": [1.0, 1.0, 1.0, 1.0, None], "net": [10.0, 10.000001, 10.05, 10.06, 3.0]}
    )
    assert rule.holds(table).to_list() == expected


def test_floating_sums_do_not_break_a_formula() -> None:
    table = pl.DataFrame({"a": [0.1, 1e15], "b": [0.2, 1e-3], "t": [0.3, 1e15]})
    assert Formula("t", "a + b", decimals=2).holds(table).all()


def test_one_hot_reads_numbers_booleans_and_words() -> None:
    table = pl.DataFrame(
        {
            "a": [1, 0, 0, None],
            "b": [False, True, False, None],
            "c": ["No", "no", "YES", "yes"],
            "d": [0.0, 0.0, 1.0, None],
        }
    )
    assert OneHot(("a", "b", "c", "d")).holds(table).to_list() == [True, True, False, True]


def test_combinations_come_from_known_rows() -> None:
    known = pl.DataFrame({"city": ["Rome", "Lyon", None], "country": ["IT", "FR", "DE"]})
    drawn = pl.DataFrame({"city": ["Rome", "Lyon", "Lyon", None], "country": ["IT", "IT", None, "DE"]})
    rule = FixedCombinations(("city", "country"))
    assert rule.holds(drawn, known).to_list() == [True, False, True, True]
    assert rule.holds(drawn).all()


@pytest.mark.parametrize(
    ("terms", "constant", "message"),
    [
        (3, 0.0, "terms are 3, expected pairs"),
        ([("a", 1)], 0.0, "got the term"),
        ([(float("nan"), "a")], 0.0, "got the coefficient nan"),
        ([(True, "a")], 0.0, "got the coefficient True"),
        ([(1, "a")], "x", "constant is 'x'"),
        ("a * 2 + t", 0.0, "stands on both sides"),
    ],
)
def test_malformed_formulas_are_refused(terms: object, constant: object, message: str) -> None:
    with pytest.raises(RuleError, match=message):
        Formula("t", terms, constant)  # type: ignore[arg-type]
