"""What a column is, from its values alone."""

from __future__ import annotations

import datetime
import uuid
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from masquerade.errors import MasqueradeWarning, SchemaError
from masquerade.files import read_table
from masquerade.inference import MOST_LEVELS, infer
from masquerade.schema import Column


def column_of(cells: list[Any], name: str = "a", **settings: Any) -> Column:
    return infer(pl.DataFrame({name: cells}), **settings)[name]


def kind_of(cells: list[Any], name: str = "a") -> str:
    return column_of(cells, name).kind


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (["1", "2", "-3"] * 10, "integer"),
        (["0", "1"] * 10, "integer"),
        (["63.0", "64.0"] * 10, "integer"),
        (["1e5", "+3"] * 10, "continuous"),
        ([".5", "1.25"] * 10, "continuous"),
        (["007", "123"] * 10, "categorical"),
        (["00123", "45678"] * 10, "categorical"),
        (["409000611074'", "1196428'"] * 10, "categorical"),
        (["1,234", "12"] * 10, "integer"),
        (["yes", "no"] * 10, "boolean"),
        (["Y", "N"] * 10, "boolean"),
        (["TRUE", "FALSE"] * 10, "boolean"),
        (["是", "否"] * 10, "boolean"),
        (["yes", "no", "unknown"] * 10, "categorical"),
        (["Male", "Female"] * 10, "categorical"),
        (["no"] * 20, "categorical"),
        (["x"] * 20, "categorical"),
        ([""] * 20, "categorical"),
        (["01-Oct-18", "02-Nov-19"] * 10, "datetime"),
        (["2019-01-01 10:00", "2020-12-31 23:59"] * 10, "datetime"),
        (["20190131", "20191231"] * 10, "datetime"),
        (["20190131", "20191331"] * 10, "integer"),
        (["99990131", "99991231"] * 10, "integer"),
        (["2019年1月31日", "2019年12月1日"] * 10, "datetime"),
        (["14:05", "09:30"] * 10, "datetime"),
        (["2019-02-30", "2019-02-28"] * 10, "categorical"),
        (["123456789012345678901234", "123456789012345678901235"] * 10, "categorical"),
        (["1", "two"] * 10, "categorical"),
    ],
)
def test_kinds_of_text(cells: list[str], kind: str) -> None:
    assert kind_of(cells) == kind


def test_six_digits_are_dates_only_with_enough_evidence() -> None:
    days = [datetime.date(1993, 1, 1) + datetime.timedelta(days=17 * i) for i in range(40)]
    cells = [day.strftime("%y%m%d") for day in days]
    assert column_of(cells).format == "%y%m%d"
    assert kind_of(cells[:5] * 10) == "integer"
    assert kind_of([*cells, "931399"]) == "integer"


def test_ids() -> None:
    rows = range(200)
    assert kind_of([f"MRN{i:04}" for i in rows]) == "id"
    assert kind_of([str(uuid.UUID(int=i * 7919)) for i in rows]) == "id"
    assert kind_of([str(i + 1) for i in rows]) == "id", "consecutive from 1"
    assert kind_of([str(i * 37 + 5) for i in rows]) == "integer"
    assert kind_of([str(i * 37 + 5) for i in rows], "client_id") == "id"
    assert kind_of([str(i % 150 * 37 + 5) for i in rows], "client_id") == "id", "a foreign key with many values"
    assert kind_of([str(i % 8) for i in rows], "admission_type_id") == "integer", "a short list of codes"
    assert kind_of([str(4_000_000_000_000_000 + i * 7919) for i in rows]) == "id", "sixteen digits each"
    assert kind_of([str(10_000 + i % 60 * 11) for i in rows], "zip_code") == "categorical"
    assert kind_of([i * 37 + 5 for i in rows], "clientId") == "id"
    assert kind_of([float(i * 37 + 5) for i in rows], "client_id") == "id", "pandas makes floats of integers with gaps"
    assert kind_of([2**63 + i for i in rows]) == "id", "beyond 64 bits"


def test_text() -> None:
    rng = np.random.default_rng(0)
    words = ["card", "lost", "help", "transfer", "pending", "refund", "when", "why", "my", "the"]
    assert kind_of([" ".join(rng.choice(words, 6)) for _ in range(400)]) == "text"
    assert kind_of([" ".join(rng.choice(words[:2], 6)) for _ in range(4000)]) == "categorical", "few different ones"
    assert kind_of([f"{a}{b}son" for a in words for b in words]) == "text", "names: nearly all different, no digits"
    chinese = ["".join(rng.choice(list("我的银行卡丢了请问怎么办谢谢您好"), 20)) for _ in range(400)]
    assert kind_of(chinese) == "text"
    many = [f"level{i}" for i in rng.integers(0, 300, 1000)]
    assert kind_of(many) == "categorical"


def test_missing_words() -> None:
    assert column_of(["1", "?", "?", "NA"] * 5).missing == "?", "the most frequent one"
    assert column_of(["1", "unknown"] * 5).missing == "unknown"
    assert column_of(["01-Oct-18", "-"] * 5).missing == "-"
    assert column_of(["x", "y", "", ""] * 5).missing == ""
    assert column_of(["x", "unknown"] * 10).missing is None, "in a category it is a level"
    column = column_of(["x"] * 10 + ["?"] * 20 + ["NA"] * 10)
    assert (column.missing, column.levels) == ("?", ("NA", "x")), "at most one; the other stays a level"
    assert column_of(["yes", "no", ""] * 5).kind == "boolean"
    assert column_of(["x", None] * 10).missing is None, "a true null"
    assert column_of(["1", "2", "3"] * 5).missing is None


def test_levels_are_protected() -> None:
    cells = ["a"] * 30 + ["b"] * 10 + ["c"] * 9
    assert column_of(cells).levels == ("a", "b")
    assert column_of(cells, protect=0).levels == ("a", "b", "c")
    table = pl.DataFrame({"x": cells, "owner": [f"p{i % 6}" for i in range(40)] + [f"q{i}" for i in range(9)]})
    by_owner = infer(table, protect=9, unit="owner")
    assert by_owner["owner"].kind == "id"
    assert by_owner["x"].levels == ("c",), "thirty rows of six owners are six"
    many = [f"level{i % 1200}" for i in range(12_000)]
    assert len(column_of(many).levels or ()) == MOST_LEVELS


def test_bounds_are_protected() -> None:
    numbers = [str(n) for n in np.random.default_rng(0).permutation(100) * 3]
    column = column_of(numbers)
    assert (column.minimum, column.maximum) == (27, 270)
    column = column_of(numbers, protect=0)
    assert (column.minimum, column.maximum) == (0, 297)
    column = column_of([f"{i * 3 / 4:.2f}" for i in range(100)])
    assert (column.minimum, column.maximum) == (6.75, 67.5)
    days = [datetime.date(2019, 1, 1) + datetime.timedelta(days=i) for i in range(100)]
    for cells in (days, [day.strftime("%d.%m.%Y") for day in days]):
        column = column_of(cells)
        assert (column.minimum, column.maximum) == ("2019-01-10", "2019-04-01")
    table = pl.DataFrame({"n": [1] * 50 + list(range(2, 102)), "owner": [7] * 50 + list(range(100, 200))})
    assert infer(table, unit="owner")["n"].minimum == 10, "fifty rows of one owner are one"


def test_decimals_are_counted() -> None:
    column = column_of(["1.50", "2.25", "3.10"] * 5)
    assert (column.decimals, column.least_decimals) == (2, None)
    column = column_of(["1.5", "2.25", "3"] * 5)
    assert (column.decimals, column.least_decimals) == (2, 0)
    column = column_of(["1.5", "2.25", "3.0"] * 5)
    assert (column.decimals, column.least_decimals) == (2, 1)
    column = column_of(["63.0", "1.0"] * 5)
    assert (column.kind, column.decimals) == ("integer", 1)
    assert column_of([0.1, 0.25] * 5).decimals == 2
    assert column_of([1 / 3, 0.25] * 5).decimals is None
    assert infer(pl.DataFrame({"a": pl.Series([0.1, 2.5] * 5, dtype=pl.Float32)}))["a"].decimals == 1
    assert kind_of([1.0, 2.0, None] * 5) == "integer"


def test_number_styles() -> None:
    column = column_of(["5,00,000.00", "2,040.00", ""] * 5)
    assert (column.thousands, column.grouping, column.decimals, column.missing) == (",", "indian", 2, "")
    column = column_of(["1.234,56", "0,50"] * 5)
    assert (column.thousands, column.decimal_mark, column.decimals) == (".", ",", 2)
    assert column_of(["1,234", "5"] * 5).thousands == ","
    assert column_of(["0,123", "1,234"] * 5).decimal_mark == ","


def test_day_and_month_are_told_apart_by_the_whole_column() -> None:
    days = ["01/02/2019"] * 50
    assert column_of([*days, "31/12/2019"]).format == "%d/%m/%Y"
    assert column_of([*days, "12/31/2019"]).format == "%m/%d/%Y"
    with pytest.warns(MasqueradeWarning, match="column 'a'.*day first or month first"):
        assert column_of([*days, "03/04/2019"]).format == "%d/%m/%Y"


def test_times_with_offsets() -> None:
    assert column_of(["2019-01-05T12:00:01+02:00"] * 20).format == "%Y-%m-%dT%H:%M:%S+02:00"
    column = column_of([f"2019-0{month}-05T12:00:00+0{1 + (month > 3)}:00" for month in range(1, 9)] * 10, protect=0)
    assert (column.format, column.minimum) == ("%Y-%m-%dT%H:%M:%S%:z", "2019-01-05T11:00:00"), "read as UTC"


def test_open_ends_are_dates() -> None:
    assert kind_of(["2019-01-31", "9999-12-31"] * 10) == "datetime"


def test_native_types() -> None:
    table = pl.DataFrame(
        {
            "flag": [True, None] * 10,
            "day": [datetime.date(2019, 1, 1)] * 20,
            "time": [datetime.time(8)] * 20,
            "elapsed": [datetime.timedelta(seconds=3)] * 20,
            "nothing": [None] * 20,
            "category": pl.Series(["1", "2"] * 10, dtype=pl.Categorical),
            "empty": pl.Series([None] * 20, dtype=pl.Float64),
        }
    )
    kinds = {column.name: column.kind for column in infer(table)}
    assert kinds == {
        "flag": "boolean",
        "day": "datetime",
        "time": "datetime",
        "elapsed": "integer",
        "nothing": "categorical",
        "category": "categorical",
        "empty": "continuous",
    }


def test_an_unknown_unit_is_refused() -> None:
    with pytest.raises(SchemaError, match=r"no column 'ownr' .did you mean 'owner'"):
        infer(pl.DataFrame({"owner": ["x"] * 10}), unit="ownr")


@pytest.mark.parametrize(
    ("name", "values", "kind"),
    [
        ("AccountNo", ["409000611074'", "1196711'"], "id"),
        ("AccountNo", ["409000611074", "409000493201"], "id"),
        ("AccountNo", ["409000611074", "1196711"], "id"),
        ("IBAN", ["DE89370400440532013000", "GB29NWBK60161331926819"], "id"),
        ("card_number", ["4111-1111-1111-1111", "5500-0000-0000-0004"], "id"),
        ("patient_nbr", [8222157, 55629189], "id"),
        ("客户编号", ["C00012", "C00345"], "id"),
        ("account_type", ["T10001", "T10002"], "categorical"),
        ("card", ["gold", "classic"], "categorical"),
        ("patient", ["in patient 12345", "out patient 12345"], "categorical"),
        ("admission_type_id", [1, 2], "integer"),
        ("customer_id", [3, 17], "integer"),
        ("account", ["12345.50", "99.25"], "continuous"),
    ],
)
def test_a_few_accounts_or_people_are_ids_by_name_and_long_numbers(name: str, values: list[object], kind: str) -> None:
    assert infer(pl.DataFrame({name: values * 30}))[name].kind == kind


EXPECTED: dict[str, dict[str, str]] = {
    "adult/adult.csv.gz": {"age": "integer", "workclass": "categorical", "fnlwgt": "integer", "income": "categorical"},
    "bank_marketing/bank-additional-full.csv.gz": {
        "age": "integer",
        "default": "categorical",
        "pdays": "integer",
        "euribor3m": "continuous",
        "y": "boolean",
    },
    "bank_transactions/bank_transactions.csv.gz": {
        "AccountNo": "id",
        "TransactionDetails": "text",
        "ValueDate": "datetime",
        "WithdrawalAmt": "continuous",
        "DepositAmt": "continuous",
    },
    "berka/account.asc.gz": {
        "account_id": "id",
        "district_id": "integer",
        "frequency": "categorical",
        "date": "datetime",
    },
    "berka/card.asc.gz": {"card_id": "id", "disp_id": "id", "type": "categorical", "issued": "datetime"},
    "berka/client.asc.gz": {"client_id": "id", "birth_number": "integer"},
    "berka/loan.asc.gz": {
        "loan_id": "id",
        "date": "datetime",
        "amount": "integer",
        "payments": "integer",
        "status": "categorical",
    },
    "berka/order.asc.gz": {"bank_to": "categorical", "account_to": "id", "amount": "continuous"},
    "berka/trans_19930101_19940331.asc.gz": {
        "trans_id": "id",
        "date": "datetime",
        "amount": "continuous",
        "bank": "categorical",
        "account": "id",
    },
    "cdnow/purchases.csv.gz": {"users_id": "id", "date": "datetime", "cds": "integer", "amt": "continuous"},
    "diabetes_130us/diabetic_data.csv.gz": {
        "encounter_id": "id",
        "patient_nbr": "id",
        "weight": "categorical",
        "admission_type_id": "integer",
        "diag_1": "categorical",
        "examide": "categorical",
        "diabetesMed": "boolean",
        "readmitted": "categorical",
    },
    "heart_cleveland/heart_cleveland.csv.gz": {
        "age": "integer",
        "sex": "integer",
        "ca": "integer",
        "oldpeak": "continuous",
    },
    "pima_diabetes/pima_diabetes.csv.gz": {"BMI": "continuous", "Insulin": "integer", "Outcome": "integer"},
    "nafld/nafld1.csv.gz": {
        "id": "id",
        "case.id": "id",
        "weight": "continuous",
        "bmi": "continuous",
        "futime": "integer",
    },
    "dialogue/banking77_train.csv.gz": {"text": "text", "category": "categorical"},
}


@pytest.mark.data
@pytest.mark.parametrize("name", EXPECTED)
def test_kinds_of_real_tables(shared_data: Path, name: str) -> None:
    raw = read_table(shared_data / name)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        schema = infer(raw)
    assert {column: schema[column].kind for column in EXPECTED[name]} == EXPECTED[name]


@pytest.mark.data
def test_details_of_real_tables(shared_data: Path) -> None:
    adult = infer(read_table(shared_data / "adult/adult.csv.gz"))
    assert adult["workclass"].missing == "?"
    assert "Never-worked" in (adult["workclass"].levels or ()), "ten rows have it"
    assert "Holand-Netherlands" not in (adult["native-country"].levels or ()), "a single person"
    bank = infer(read_table(shared_data / "bank_transactions/bank_transactions.csv.gz"))
    assert (bank["ValueDate"].format, bank["ValueDate"].maximum) == ("%d-%b-%y", "2019-03-05")
    assert (bank["WithdrawalAmt"].grouping, bank["WithdrawalAmt"].decimals) == ("indian", 2)
    diabetes = infer(read_table(shared_data / "diabetes_130us/diabetic_data.csv.gz"))
    assert diabetes["weight"].missing == "?"
    assert "None" in (diabetes["A1Cresult"].levels or ())
    assert "Unknown/Invalid" not in (diabetes["gender"].levels or ()), "three rows"
