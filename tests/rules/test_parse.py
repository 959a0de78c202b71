"""Rules in words, mappings and objects: what is read, what is refused, and that every spelling is lossless."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import masquerade as mq
from masquerade.errors import RuleError
from masquerade.rules.fixed import FixedCombinations
from masquerade.rules.formula import Formula
from masquerade.rules.inequality import Inequality
from masquerade.rules.interval import Range
from masquerade.rules.one_hot import OneHot
from masquerade.rules.parse import RULE_KINDS, parse_rules
from masquerade.rules.rule import Rule
from masquerade.rules.text import Linear, linear, tokens
from masquerade.schema import Column, Schema

SCHEMA = Schema(
    (
        Column("a", "integer"),
        Column("b", "integer"),
        Column("c", "continuous", decimals=2),
        Column("free", "continuous"),
        Column("hours per week", "integer"),
        Column("education-num", "integer"),
        Column("start", "datetime"),
        Column("end", "datetime"),
        Column("city", "categorical"),
        Column("yes no", "categorical", levels=("no", "yes")),
        Column("flag", "boolean", levels=("n", "y")),
        Column("key", "id"),
        Column("3", "integer"),
        Column("it's `odd`", "integer"),
        Column("签证", "integer"),
    ),
    unit="key",
)


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        ("a <= b", [Inequality("a", "b")]),
        ("a < b", [Inequality("a", "b", strict=True)]),
        ("b>=a", [Inequality("a", "b")]),
        ("a ≤ b", [Inequality("a", "b")]),
        ("start < end", [Inequality("start", "end", strict=True)]),
        ("a <= b < c", [Inequality("a", "b"), Inequality("b", "c", strict=True)]),
        ("0 <= a <= 120", [Range("a", 0, 120)]),
        ("120 >= a >= 0", [Range("a", 0, 120)]),
        ("a >= 18", [Range("a", 18, None)]),
        ("a > 18", [Range("a", 19, None)]),
        ("a > 18.5", [Range("a", 19, None)]),
        ("a < 18", [Range("a", None, 17)]),
        ("c > 0", [Range("c", 0.01, None)]),
        ("c < 0.3", [Range("c", None, 0.29)]),
        ("-5 <= c", [Range("c", -5, None)]),
        ("c <= 1e3", [Range("c", None, 1000)]),
        ("0 <= a <= b <= 9", [Range("a", 0, None), Inequality("a", "b"), Range("b", None, 9)]),
        ("start >= 2020-01-31", [Range("start", "2020-01-31", None)]),
        ("'2020-01-31T10:00' <= start", [Range("start", "2020-01-31T10:00", None)]),
        ("start >= 08:30", [Range("start", "08:30", None)]),
        ("hours per week <= 99", [Range("hours per week", None, 99)]),
        ("`hours per week` <= education-num", [Inequality("hours per week", "education-num")]),
        ('"3" <= "it\'s `odd`"', [Inequality("3", "it's `odd`")]),
        ("'it''s `odd`' <= 签证", [Inequality("it's `odd`", "签证")]),
        ("c = a + b", [Formula("c", ((1, "a"), (1, "b")))]),
        ("a + b == c", [Formula("c", ((1, "a"), (1, "b")))]),
        ("c = 2 * a - b / 4 + 3 - 1", [Formula("c", ((2, "a"), (-0.25, "b")), 2.0)]),
        ("c = -a + a * 3", [Formula("c", ((2, "a"),))]),
        ("c = education-num - hours per week", [Formula("c", ((1, "education-num"), (-1, "hours per week")))]),
    ],
)
def test_text_is_read(text: str, rules: list[Rule]) -> None:
    assert list(parse_rules([text], SCHEMA)) == rules


@pytest.mark.parametrize(
    ("item", "message"),
    [
        ("start <= edn", "rule 'start <= edn': there is no column 'edn' .did you mean 'end'"),
        ("a <= start", "compares a number with a moment"),
        ("a <= city", "column 'city' is of kind categorical, expected a number or a moment"),
        ("start >= 2020", "column 'start' is of kind datetime, expected a number beside this bound"),
        ("a >= 2020-01-01", "column 'a' is of kind integer, expected a moment"),
        ("c = start + a", "column 'start' is of kind datetime, expected a number"),
        ("free > 0", "a bound belongs to the range it ends, expected free >= the last"),
        ("start < 2020-01-01", "a bound belongs to the range it ends"),
        ("a", "there is no <=, <, >=, > or = in it"),
        ("a + b <= c", "got the sum 'a \\+ b' in a comparison"),
        ("a <= b >= c", "it points both ways"),
        ("a = b = c", "expected one = with a single column"),
        ("2 * a = b + c", "expected one = with a single column"),
        ("c = 3", "no column is left on the right"),
        ("c = a - a", "no column is left on the right"),
        ("c = c + a", "'c' stands on both sides"),
        ("c = a * b", "columns are multiplied or divided by one another at 'b'"),
        ("c = 1 / a", "columns are multiplied or divided by one another at 'a'"),
        ("c = a / 0", "other than division by 0"),
        ("c = a b", "'b' follows without a sign"),
        ("c = a +", "got the end, expected a column or a number"),
        ("c = a ** 2", "got '\\*', expected a column or a number"),
        ("c = start", "column 'start' is of kind datetime"),
        ("c = 2020-01-01", "got a moment, expected a sum"),
        ("0 <= 3", "no column stands beside 0"),
        ("9 <= a <= 3", "the range is empty"),
        ("__import__('os') <= a", "'\\(' at place 11 has no meaning"),
        ("a <= a", "expected at least 2 different ones"),
        (
            {"kind": "inequalty", "low": "a", "high": "b"},
            "kind is 'inequalty', expected one of .*did you mean 'inequality'",
        ),
        ({"low": "a", "high": "b"}, "kind is None"),
        ({"kind": "inequality", "low": "a"}, "'inequality' got no 'high'"),
        ({"kind": "inequality", "low": "a", "hihg": "b"}, "no field 'hihg' .did you mean 'high'"),
        ({"kind": "inequality", "low": "a", "high": "b", "strict": 1}, "strict is 1, expected true or false"),
        ({"kind": "range", "column": "a"}, "got no bound"),
        ({"kind": "range", "column": "a", "minimum": True}, "minimum is True, expected a finite number"),
        (
            {"kind": "range", "column": "a", "minimum": "soon"},
            "minimum is 'soon', expected a finite number, or a moment",
        ),
        (
            {"kind": "range", "column": "a", "minimum": 1, "maximum": "2020-01-01"},
            "expected two numbers or two moments",
        ),
        ({"kind": "range", "column": "start", "minimum": "2021-01-01", "maximum": "2020-01-01"}, "the range is empty"),
        ({"kind": "formula", "target": "c", "formula": 3}, "formula is 3, expected text"),
        ({"kind": "one_hot", "columns": "flag"}, "columns are 'flag', expected a list of column names"),
        ({"kind": "one_hot", "columns": ["flag"]}, "expected at least 2 different ones"),
        ({"kind": "one_hot", "columns": ["flag", "start"]}, "column 'start' is of kind datetime"),
        (OneHot(("flag", "city")), None),
        ({"kind": "fixed_combinations", "columns": ["city", "key"]}, "column 'key' is of kind id"),
        (3, "got 3, expected a rule object"),
    ],
)
def test_what_makes_no_rule_is_refused(item: Any, message: str | None) -> None:
    if message is None:  # its levels are not known, so they may hold a yes
        assert parse_rules([item], SCHEMA) == (item,)
        return
    with pytest.raises(RuleError, match=message):
        parse_rules([item], SCHEMA)


@pytest.mark.parametrize("items", ["a <= b", {"kind": "range"}, 3])
def test_rules_come_as_a_list(items: Any) -> None:
    with pytest.raises(RuleError, match="expected a list of rules"):
        parse_rules(items, SCHEMA)


def test_a_group_needs_words_for_yes() -> None:
    schema = SCHEMA.replace("city", levels=("Lyon", "Rome"))
    with pytest.raises(RuleError, match="column 'city' has no level for yes"):
        parse_rules([OneHot(("city", "flag"))], schema)
    assert parse_rules([OneHot(("yes no", "flag"))], schema)


def test_the_unit_is_in_no_combination() -> None:
    schema = Schema((Column("key", "integer"), Column("city", "categorical")), unit="key")
    with pytest.raises(RuleError, match="column 'key' is the unit"):
        parse_rules([FixedCombinations(("key", "city"))], schema)


def test_the_same_rule_twice_is_one_rule() -> None:
    assert len(parse_rules(["a <= b", Inequality("a", "b"), "b >= a"], SCHEMA)) == 1


def test_a_formula_takes_its_decimals_from_the_schema() -> None:
    (rule,) = parse_rules([Formula("c", "a + b")], SCHEMA)
    table = pl.DataFrame({"a": [1, 1], "b": [1, 1], "c": [2.004, 2.006]})
    assert rule.holds(table).to_list() == [True, False]


names = st.sampled_from([name for name in SCHEMA.names if SCHEMA[name].kind in ("integer", "continuous")])
numbers = st.integers(-1000, 1000) | st.floats(-1e6, 1e6, allow_nan=False)
sums = st.lists(
    st.tuples(numbers.filter(bool).map(float), names), min_size=1, max_size=4, unique_by=lambda term: term[1]
)
moments = st.dates(date(1990, 1, 1), date(2030, 1, 1)).map(date.isoformat)
rules = st.one_of(
    st.lists(names, min_size=2, max_size=2, unique=True).flatmap(
        lambda pair: st.booleans().map(lambda strict: Inequality(pair[0], pair[1], strict))
    ),
    st.tuples(names, numbers).map(lambda t: Range(t[0], t[1], None)),
    st.tuples(names, numbers, numbers).map(lambda t: Range(t[0], min(t[1:]), max(t[1:]))),
    moments.map(lambda text: Range("start", None, text)),
    st.tuples(names, sums, numbers)
    .filter(lambda t: t[0] not in [name for _, name in t[1]])
    .map(lambda t: Formula(t[0], tuple(t[1]), t[2])),
    st.just(OneHot(("flag", "a"))),
    st.just(FixedCombinations(("city", "flag"))),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(rules, max_size=4, unique=True))
def test_rules_come_back_from_their_spellings(found: list[Rule]) -> None:
    schema = Schema(SCHEMA.columns, rules=tuple(found))
    assert schema.rules == tuple(found)
    assert Schema.from_dict(schema.to_dict()) == schema
    for rule in found:
        assert type(rule).from_dict(rule.to_dict()) == rule
        if not isinstance(rule, OneHot | FixedCombinations):
            assert parse_rules([rule.text], SCHEMA) == (rule,)


def test_the_schema_file_holds_rules(tmp_path: Any) -> None:
    path = tmp_path / "schema.toml"
    schema = Schema(SCHEMA.columns, rules=("start <= end", "c = a + b", "a >= 0"))
    mq.write_schema(schema, path)
    assert mq.read_schema(path) == schema
    head = '[columns.start]\nkind = "datetime"\n[columns.end]\nkind = "datetime"\n'
    path.write_text(head + '[[rules]]\nkind = "range"\ncolumn = "start"\nminimum = 2020-01-31\n')
    assert mq.read_schema(path).rules == (Range("start", "2020-01-31"),)
    path.write_text('rules = ["start < end"]\n' + head)
    assert mq.read_schema(path).rules == (Inequality("start", "end", strict=True),)
    path.write_text('rules = ["start < edn"]\n' + head)
    with pytest.raises(RuleError, match=r"schema\.toml: rule 'start < edn': there is no column 'edn'"):
        mq.read_schema(path)


def test_changing_a_column_checks_its_rules_again() -> None:
    schema = Schema(SCHEMA.columns, rules=("a <= b",))
    assert schema.replace("a", minimum=0).rules == schema.rules
    with pytest.raises(RuleError, match="column 'a' is of kind categorical"):
        schema.replace("a", kind="categorical")


def test_the_kinds_are_public() -> None:
    assert {mq.FixedCombinations, mq.Inequality, mq.Range, mq.Formula, mq.OneHot} == set(RULE_KINDS.values())


def test_sums_are_spelled_as_they_are_read() -> None:
    total = Linear(((1.0, "a"), (-0.5, "b c")), -3.0)
    assert linear(tokens(total.text), "") == total
