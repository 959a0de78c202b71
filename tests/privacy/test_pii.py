"""Finding what identifies people: what is found, what is not, and how often it is right."""

from __future__ import annotations

import importlib
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from masquerade.errors import SettingError
from masquerade.identifying import IDENTIFIERS
from masquerade.privacy.pii import LOOSE, STRICT, cells_of, find, find_in, kind_of, marked, matches
from masquerade.schema import Column, Schema

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def made() -> Any:
    """The benchmark's modules: the made table and its measure."""
    sys.path.insert(0, str(BENCHMARKS))
    try:
        yield importlib.import_module("identifiers_table"), importlib.import_module("identifiers")
    finally:
        sys.path.remove(str(BENCHMARKS))


def test_every_kind_of_the_made_file_is_found_and_its_decoys_are_not(made: Any) -> None:
    table, benchmark = made
    tallies = benchmark.measure(table.made_columns(300, seed=5))
    assert set(table.KINDS) <= set(tallies)
    assert len(table.KINDS) >= 20
    for kind, tally in tallies.items():
        assert not tally.missed, (kind, tally.missed)
        assert not tally.wrong, (kind, tally.wrong)
        assert tally.recall >= 0.98, (kind, tally.recall)
        assert tally.precision >= 0.95, (kind, tally.precision)


def test_the_measure_itself_sees_a_scan_that_marks_everything(made: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    table, benchmark = made
    monkeypatch.setattr(benchmark, "cells_of", lambda values, found: pl.Series([True] * values.len()))
    tallies = benchmark.measure(table.made_columns(100, seed=5))
    assert max(tally.precision for tally in tallies.values()) < 0.95


def test_every_kind_can_be_recognised() -> None:
    assert set(IDENTIFIERS) == set(STRICT) | set(LOOSE)


@pytest.mark.parametrize(
    ("name", "values", "kind"),
    [
        ("sex", ["Male", "Female"], "sex"),
        ("性别", ["男", "女"], "sex"),
        ("x", ["m", "f"], "sex"),
        ("age", list(range(18, 80)), "age"),
        ("出生日期", ["1980-02-03", "1999-12-31"], "birth_date"),
        ("birth_year", [1980, 1999], "birth_date"),
        ("lat", [39.90421, 31.23041], "coordinates"),
        ("marital-status", ["Never-married", "Divorced"], "marital_status"),
        ("学历", ["本科", "硕士"], "education"),
        ("职业", ["教师", "医生"], "occupation"),
        ("diag_1", ["250", "401"], "health"),
        ("ethnicity", ["White", "Black"], "race"),
        ("native_country", ["France", "Peru"], "nationality"),
        ("wechat", ["wx_123", "abc_d"], "username"),
        ("phone", [4155552671, 2125550123], "phone"),
        ("mobile", ["13800138000.0"], None),
        ("order_date", ["2024-01-02", "2024-02-03"], None),
        ("file_name", ["a.txt", "b.txt"], None),
        ("product_name", ["Green Tea", "Oak Desk"], None),
        ("stage", [1, 2, 3], None),
        ("message", ["hello there", "all fine"], None),
        ("empty", [None, None], None),
        ("words", ["", "?"], None),
    ],
)
def test_a_column_is_what_its_name_and_values_say(name: str, values: list[Any], kind: str | None) -> None:
    assert kind_of(name, pl.Series(values)) == kind


def test_a_name_decides_nothing_that_the_values_speak_against() -> None:
    assert find_in(pl.Series("phone", ["red", "green", "blue"])) is None
    assert find_in(pl.Series("email", ["yes", "no"])) is None
    assert find_in(pl.Series("age", [1200, 3400])) is None
    assert find_in(pl.Series("name", ["Samsung Galaxy", "Apple iPhone"])) is None


def test_a_finding_says_what_decided() -> None:
    numbers = ["13800138000", "13911112222"]
    assert find_in(pl.Series("phone", numbers)).by == "both"  # type: ignore[union-attr]
    assert find_in(pl.Series("x7", numbers)).by == "values"  # type: ignore[union-attr]
    assert find_in(pl.Series("age", [30, 40])).by == "name"  # type: ignore[union-attr]


def test_shares_count_distinct_values() -> None:
    column = pl.Series("email", ["a@example.com"] * 90 + [f"nobody {i}" for i in range(3)])
    found = find_in(column)
    assert found is not None
    assert found.share == pytest.approx(1 / 4)
    assert cells_of(column, found).sum() == 90


@pytest.mark.parametrize(
    ("kind", "right", "wrong"),
    [
        ("chinese_id", "11010519491231002X", "110105194912310021"),
        ("chinese_id", "11010519491231002x", "110105194913310028"),
        ("card", "5555 5555 5555 4444", "5555 5555 5555 4445"),
        ("iban", "GB82 WEST 1234 5698 7654 32", "GB82 WEST 1234 5698 7654 33"),
        ("us_ssn", "536-90-4399", "666-90-4399"),
        ("uk_nhs", "943 476 5919", "943 476 5918"),
        ("german_tax_id", "36574261809", "36574261890"),
        ("french_nir", "2 95 10 99 126 111 93", "2 95 10 99 126 111 94"),
        ("spanish_id", "54362315K", "54362315Z"),
        ("brazilian_cpf", "390.533.447-05", "390.533.447-06"),
        ("indian_aadhaar", "2341 2341 2346", "2341 2341 2347"),
        ("indian_pan", "ACUPA7085R", "ACUXA7085R"),
        ("vin", "1M8GDM9AXKP042788", "1M8GDM9A1KP042788"),
        ("phone", "+44 20 7946 0958", "+44 1"),
        ("phone", "010-62771234", "62771"),
        ("email", "user.name+tag@example.co.uk", "user name@example"),
        ("email", "张三@例子.中国", "张三 例子"),
        ("ip", "2001:db8::8a2e:370:7334", "12:30:45"),
        ("ip", "10.0.0.1", "10.0.0.256"),
        ("mac", "00-1A-2B-3C-4D-5E", "00-1A-2B-3C-4D"),
        ("url", "https://example.com/u/1", "example page"),
        ("coordinates", "39.9042, 116.4074", "239.9042, 316.4074"),
        ("plate", "粤B·12345", "粤1·12345"),
        ("address", "北京市海淀区中关村大街27号1101室", "北京市"),
        ("address", "221B Baker Street, London NW1 6XE", "Baker and sons"),
        ("name", "欧阳娜娜", "白色"),
        ("name", "Nguyen, Mary", "Green Tea"),
        ("postcode", "SW1A 1AA", "SW1A"),
    ],
)
def test_checksums_and_shapes_decide(kind: str, right: str, wrong: str) -> None:
    assert matches(pl.Series([right, wrong, None]), kind).to_list() == [True, False, False]


def test_numbers_and_dates_are_read_as_text() -> None:
    assert matches(pl.Series([13800138000.0, 1.5, None]), "phone").to_list() == [True, False, False]
    assert matches(pl.Series(["1980-01-01"]).str.to_date(), "birth_date", named=True).to_list() == [True]
    assert matches(pl.Series([True, False]), "phone").to_list() == [False, False]


def test_an_unknown_kind_is_refused_with_the_nearest() -> None:
    with pytest.raises(SettingError, match="did you mean 'phone'"):
        matches(pl.Series(["1"]), "fone")


def test_marks_go_into_the_schema_and_a_persons_own_marks_stay() -> None:
    table = pl.DataFrame({"phone": ["13800138000"], "sex": ["f"], "race": ["White"], "amount": [1.5]})
    schema = Schema((Column("phone", "id"), Column("sex", "categorical", pii="name"), Column("race", "categorical"),
                     Column("amount", "continuous")))  # fmt: skip
    done = marked(schema, find(table))
    assert [(c.pii, c.sensitive, c.quasi) for c in done] == [
        ("phone", True, False),
        ("name", False, False),
        ("race", True, False),
        (None, False, False),
    ]
    assert Schema.from_dict(done.to_dict()) == done


def test_a_long_table_takes_little_longer_than_its_sample() -> None:
    random = np.random.default_rng(0)
    numbers = [f"62{number:014d}" for number in random.integers(0, 10**14, 400_000)]
    began = time.perf_counter()
    assert find_in(pl.Series("serial", numbers)) is None
    assert time.perf_counter() - began < 3


@pytest.mark.data
def test_the_open_tables_hold_traits_and_no_identifiers(shared_data: Path) -> None:
    from masquerade.files import read_table

    found = {f.column: f.kind for f in find(read_table(shared_data / "adult" / "adult.csv.gz"))}
    assert found.pop("workclass") == "occupation"
    assert found == {
        "age": "age",
        "education": "education",
        "education-num": "education",
        "marital-status": "marital_status",
        "occupation": "occupation",
        "race": "race",
        "sex": "sex",
        "native-country": "nationality",
    }
