"""The tables that the benchmarks run on: published ones beside the repository, numeric-heavy ones made from them, small ones.

Nothing is copied into the repository: what is published is read from `shared/data` beside it (its README tells the sources),
two small tables come with scikit-learn, and `grown` draws one of any size.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl

import masquerade as mq
from masquerade.holdout import hold_out

__all__ = ["NAMES", "NUMERIC", "PUBLISHED", "SHARED", "SMALL", "Table", "grown", "load"]

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
Task = Literal["classification", "regression"]

PUBLISHED = ("adult", "bank", "diabetes")
NUMERIC = (
    "berka_amounts",
    "nafld_numeric",
    "nafld_labs",
    "bank_full_numeric",
    "bank_economy",
    "cdnow_amounts",
    "mnist_coordinates",
)
SMALL = ("heart", "pima", "berka_loans", "progression", "breast_cancer")
NAMES = PUBLISHED + NUMERIC + SMALL


@dataclass(frozen=True)
class Table:
    """Rows to learn from, rows kept apart, and what an analyst would predict.

    Args:
        name: one of `NAMES`, or what a generator calls it.
        train: shape (rows, columns), as a user would have it: text from a CSV, numbers where they were computed.
        holdout: the same columns.
        target: the column to predict.
        task: a number is judged by R², two classes by ROC AUC, more by macro F1.
    """

    name: str
    train: pl.DataFrame
    holdout: pl.DataFrame
    target: str
    task: Task


def load(name: str, seed: int = 0) -> Table:
    """A table by its name.

    Args:
        name: one of `NAMES`.
        seed: decides which fifth is held out, where the publisher has not decided it (Adult, MNIST).

    Raises:
        KeyError: there is no table of this name.
        masquerade.errors.FileError: its file is not beside the repository.
    """
    return _MAKERS[name](seed)


def _read(*path: str) -> pl.DataFrame:
    return mq.read_table(SHARED.joinpath(*path))


def _numbers(frame: pl.DataFrame, *names: str) -> pl.DataFrame:
    """These columns as numbers, empty cells as null; whole numbers as integers."""
    found = []
    for name in names:
        column = frame[name].cast(pl.Float64, strict=False)
        whole = bool(((column == column.round(0)) | column.is_null()).all())
        found.append(column.cast(pl.Int64) if whole else column)
    return pl.DataFrame(found)


def _split(name: str, frame: pl.DataFrame, target: str, task: Task, seed: int, unit: str | None = None) -> Table:
    train, holdout = hold_out(frame, 0.2, seed=seed, unit=unit)
    return Table(name, train, holdout, target, task)


def _adult(seed: int) -> Table:
    """Census income with the publisher's own split: 32,561 and 16,281 rows, 15 columns."""
    table = _read("adult", "adult.csv.gz")
    train, holdout = (table.filter(pl.col("split") == side).drop("split") for side in ("train", "test"))
    return Table("adult", train, holdout, "income", "classification")


def _bank(seed: int) -> Table:
    """Bank marketing, 41,188 rows, 21 columns: 11 of words, 10 of numbers."""
    return _split("bank", _read("bank_marketing", "bank-additional-full.csv.gz"), "y", "classification", seed)


def _diabetes(seed: int) -> Table:
    """Hospital stays, 101,766 rows. No patient is on both sides; then both ids are dropped: 48 columns, three classes."""
    stays = _read("diabetes_130us", "diabetic_data.csv.gz").drop("encounter_id")
    train, holdout = (side.drop("patient_nbr") for side in hold_out(stays, 0.2, seed=seed, unit="patient_nbr"))
    return Table("diabetes", train, holdout, "readmitted", "classification")


def _heart(seed: int) -> Table:
    """303 × 14. Grades 1 to 4 of disease are one class, as in nearly all uses of this table."""
    table = _read("heart_cleveland", "heart_cleveland.csv.gz")
    table = table.with_columns(num=pl.when(pl.col("num") == "0").then(pl.lit("0")).otherwise(pl.lit("1")))
    return _split("heart", table, "num", "classification", seed)


def _pima(seed: int) -> Table:
    """768 × 9."""
    return _split("pima", _read("pima_diabetes", "pima_diabetes.csv.gz"), "Outcome", "classification", seed)


def _berka_amounts(seed: int) -> Table:
    """Bank transactions, 49,102 × 6: amounts and balances with heavy single values, the day as a number."""
    rows = _read("berka", "trans_19930101_19940331.asc.gz")
    day = ("19" + rows["date"]).str.to_date("%Y%m%d")
    table = rows.select("type", "operation", "k_symbol").with_columns(
        day=(day - pl.date(1993, 1, 1)).dt.total_days(), **_numbers(rows, "amount", "balance").to_dict()
    )
    return _split("berka_amounts", table, "balance", "regression", seed)


def _berka_loans(seed: int) -> Table:
    """682 loans × 11, nearly all numbers, with their account's district; amount = payments × duration."""
    account = _read("berka", "account.asc.gz").select("account_id", "district_id", opened="date")
    rows = _read("berka", "loan.asc.gz").join(account, on="account_id", maintain_order="left")
    rows = rows.join(
        _read("berka", "district.asc.gz"), left_on="district_id", right_on="A1", maintain_order="left"
    ).with_columns(
        loan_age=(
            ("19" + pl.col("date")).str.to_date("%Y%m%d") - ("19" + pl.col("opened")).str.to_date("%Y%m%d")
        ).dt.total_days()
    )
    names = {"A4": "inhabitants", "A10": "urban_share", "A11": "salary", "A13": "unemployment", "A14": "entrepreneurs"}
    table = _numbers(rows, "amount", "duration", "payments", "loan_age", *names).rename(names)
    table = table.with_columns(status=rows["status"], region=rows["A3"])
    return _split("berka_loans", table, "payments", "regression", seed)


def _nafld_numeric(seed: int) -> Table:
    """17,549 × 5 numbers, a fifth of weight, height and body mass index missing; the last follows from the two."""
    table = _numbers(_read("nafld", "nafld1.csv.gz"), "age", "weight", "height", "bmi", "futime")
    return _split("nafld_numeric", table, "bmi", "regression", seed)


def _nafld_labs(seed: int) -> Table:
    """15,205 persons × 9, the first value of each test beside age, sex and build; many holes. `dbp` repeats `sbp`: left out."""
    tests = _read("nafld", "nafld2.csv.gz").with_columns(pl.col("days", "value").cast(pl.Float64, strict=False))
    first = tests.drop_nulls().sort("id", "days", maintain_order=True).unique(["id", "test"], keep="first")
    wide = first.pivot("test", index="id", values="value", sort_columns=True)
    rows = _read("nafld", "nafld1.csv.gz").join(wide, on="id", maintain_order="left")
    table = _numbers(rows, "age", "male", "weight", "height", "chol", "hdl", "fib4", "smoke", "sbp")
    return _split("nafld_labs", table.filter(pl.col("hdl").is_not_null()), "hdl", "regression", seed)


def _bank_full_numeric(seed: int) -> Table:
    """The seven numeric columns of the older bank table and its target, 45,211 × 8."""
    rows = _read("bank_marketing", "bank-full.csv.gz")
    table = _numbers(rows, "age", "balance", "day", "duration", "campaign", "pdays", "previous")
    return _split("bank_full_numeric", table.with_columns(rows["y"]), "y", "classification", seed)


def _bank_economy(seed: int) -> Table:
    """The five economic columns, 41,188 rows of few different ones: nearly a lookup table."""
    rows = _read("bank_marketing", "bank-additional-full.csv.gz")
    table = _numbers(rows, "emp.var.rate", "cons.price.idx", "cons.conf.idx", "euribor3m", "nr.employed")
    return _split("bank_economy", table, "euribor3m", "regression", seed)


def _cdnow_amounts(seed: int) -> Table:
    """Purchases, 69,659 × 7: amount, number of discs, and what the customer did before."""
    day = (pl.col("date").str.to_date() - pl.date(1997, 1, 1)).dt.total_days()
    rows = _read("cdnow", "purchases.csv.gz").select(
        "users_id", day=day, cds=pl.col("cds").cast(pl.Int64), amount=pl.col("amt").cast(pl.Float64)
    )
    rows = rows.sort("users_id", "day", maintain_order=True)
    mine = "users_id"
    table = rows.select(
        "day",
        "cds",
        "amount",
        nth=pl.int_range(1, pl.len() + 1).over(mine),
        days_since=pl.col("day").diff().over(mine),
        last_amount=pl.col("amount").shift().over(mine),
        spent=(pl.col("amount").cum_sum().over(mine) - pl.col("amount")).round(2),
    )
    return _split("cdnow_amounts", table, "amount", "regression", seed)


def _mnist_coordinates(seed: int) -> Table:
    """Handwritten digits as 12 coordinates: ten principal components and the mean place of the ink; 20,000 and 5,000."""
    with np.load(SHARED / "mnist" / "mnist.npz", allow_pickle=False) as file:
        images = [file[f"x_{side}"][:count].reshape(count, 784) / 255.0 for side, count in _MNIST_ROWS.items()]
        digits = [file[f"y_{side}"][:count] for side, count in _MNIST_ROWS.items()]
    middle = images[0].mean(axis=0)
    axes = np.linalg.eigh(np.cov(images[0] - middle, rowvar=False))[1][:, :-11:-1]
    axes *= np.sign(axes[np.abs(axes).argmax(axis=0), range(10)])
    places = np.stack(np.divmod(np.arange(784), 28), axis=1)

    def side(part: int) -> pl.DataFrame:
        ink = images[part] @ places / images[part].sum(axis=1, keepdims=True)
        values = np.hstack([(images[part] - middle) @ axes, ink]).round(4)
        names = [*(f"component_{i}" for i in range(10)), "ink_row", "ink_column"]
        return pl.DataFrame(values, names).with_columns(digit=pl.Series([f"digit {digit}" for digit in digits[part]]))

    return Table("mnist_coordinates", side(0), side(1), "digit", "classification")


_MNIST_ROWS = {"train": 20_000, "test": 5_000}


def _progression(seed: int) -> Table:
    """Progression of diabetes in 442 patients, 10 numbers each; comes with scikit-learn."""
    from sklearn.datasets import load_diabetes

    found = load_diabetes(scaled=False)
    table = pl.DataFrame(found.data, found.feature_names).with_columns(progression=pl.Series(found.target))
    return _split("progression", _numbers(table, *table.columns), "progression", "regression", seed)


def _breast_cancer(seed: int) -> Table:
    """Cell nuclei of 569 tumours, 30 numbers each, strongly tied; comes with scikit-learn."""
    from sklearn.datasets import load_breast_cancer

    found = load_breast_cancer()
    names = [str(name).replace(" ", "_") for name in found.feature_names]
    table = pl.DataFrame(found.data, names).with_columns(
        diagnosis=pl.Series([str(found.target_names[place]) for place in found.target])
    )
    return _split("breast_cancer", table, "diagnosis", "classification", seed)


_MAKERS: dict[str, Callable[[int], Table]] = {
    "adult": _adult,
    "bank": _bank,
    "diabetes": _diabetes,
    "berka_amounts": _berka_amounts,
    "nafld_numeric": _nafld_numeric,
    "nafld_labs": _nafld_labs,
    "bank_full_numeric": _bank_full_numeric,
    "bank_economy": _bank_economy,
    "cdnow_amounts": _cdnow_amounts,
    "mnist_coordinates": _mnist_coordinates,
    "heart": _heart,
    "pima": _pima,
    "berka_loans": _berka_loans,
    "progression": _progression,
    "breast_cancer": _breast_cancer,
}


def grown(rows: int, columns: int, seed: int = 0) -> Table:
    """A made table of any size: amounts, counts and levels that all hang on three hidden numbers of each row.

    Args:
        rows: training rows; a quarter as many are held out (at least 500).
        columns: at least 3; a third each of amounts (two decimals), counts, and levels (3 to 30 of them).
        seed: of everything drawn.
    """
    held = max(500, rows // 4)
    random = np.random.default_rng(seed)
    hidden = random.normal(size=(rows + held, 3))
    found: dict[str, pl.Series] = {}
    for place in range(columns):
        signal = hidden @ random.normal(size=3) / 2 + random.normal(size=len(hidden)) / 2
        match place % 3:
            case 0:
                found[f"amount_{place}"] = pl.Series(np.round(100 * np.exp(signal), 2))
            case 1:
                found[f"count_{place}"] = pl.Series(random.poisson(np.exp(np.clip(1 + signal, -3, 5))))
            case _:
                edges = np.sort(random.normal(size=random.integers(2, 30)))
                names = [f"level {i}" for i in range(len(edges) + 1)]
                found[f"level_{place}"] = pl.Series(names).gather(np.searchsorted(edges, signal))
    frame = pl.DataFrame(found)
    return Table(f"{rows:,} × {columns}", frame[:rows], frame[rows:], frame.columns[0], "regression")
