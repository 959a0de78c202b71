"""The examples run as they are written, and what they promise holds."""

from __future__ import annotations

import datetime
import json
import re
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import masquerade as mq
from masquerade.datasets import bank_path

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
COLUMNS = ["AccountNo", "ValueDate", "WithdrawalAmt"]


def example(name: str) -> Callable[..., Any]:
    main: Callable[..., Any] = runpy.run_path(str(EXAMPLES / name))["main"]
    return main


def kaggle_table(rows: int = 240) -> pl.DataFrame:
    """A made table with the columns, and the types, of the Kaggle workbook: every third row is a deposit."""
    random = np.random.default_rng(0)
    index = np.arange(rows)
    amount = np.round(random.lognormal(8, 2, rows), 2)
    accounts = [f"4090006110{account}'" for account in range(71, 76)]
    return pl.DataFrame(
        {
            "Account No": [accounts[i % 5] for i in index],
            "DATE": [datetime.date(2018, 10, 1) + datetime.timedelta(days=int(i) % 90) for i in index],
            "TRANSACTION DETAILS": [f"TRF {i}" for i in index],
            "CHQ.NO.": [None] * rows,
            "VALUE DATE": [datetime.date(2018, 10, 2) + datetime.timedelta(days=int(i) % 90) for i in index],
            "WITHDRAWAL AMT": [None if i % 3 == 0 else float(amount[i]) for i in index],
            "DEPOSIT AMT": [float(amount[i]) if i % 3 == 0 else None for i in index],
            "BALANCE AMT": np.round(amount * 3, 2),
            ".": ["."] * rows,
        },
        schema_overrides={"CHQ.NO.": pl.Float64},
    )


def check_withdrawals(folder: Path, shown: str, accounts: set[str], rows: int) -> None:
    fake, merged = (
        pl.read_csv(folder / f"{name}.csv", infer_schema=False) for name in ("synthetic", "merged-with-real-rows")
    )
    assert (fake.columns, fake.height) == (COLUMNS, rows)
    assert not accounts & set(fake["AccountNo"]), "a real account number came out"
    assert merged.columns == [*COLUMNS, "source"]
    assert merged["source"].value_counts().sort("source").rows() == [("real", rows), ("synthetic", rows)]
    assert set(merged.filter(pl.col("source") == "real")["AccountNo"]) <= accounts
    assert merged.filter(pl.col("source") == "synthetic").drop("source").equals(fake)
    ledger = json.loads((folder / "synthetic.csv.ledger.json").read_text())
    assert ledger["mechanism"] == "CTGAN"
    assert "WithdrawalAmt" in (folder / "report.html").read_text(encoding="utf-8")
    assert "WithdrawalAmt (synthetic)" in shown
    assert "do not release it" in shown


@pytest.mark.data
@pytest.mark.filterwarnings("ignore:.*identifiers are never shown")
def test_withdrawals_of_the_real_extract(shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = shared_data / "bank_transactions" / "bank_transactions.csv.gz"
    example("bank_withdrawals.py")([str(path), "--epochs", "1", "--rows", "1500", "--out", str(tmp_path / "out")])
    accounts = set(mq.read_table(path)["AccountNo"])
    check_withdrawals(tmp_path / "out", capsys.readouterr().out, accounts, rows=1500)


@pytest.mark.filterwarnings("ignore:.*identifiers are never shown")
@pytest.mark.filterwarnings("ignore:holdout. 16 rows are too few:masquerade.errors.MasqueradeWarning")
def test_withdrawals_in_the_workbooks_spelling(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = kaggle_table()
    mq.write_table(table, tmp_path / "bank.xlsx")
    example("bank_withdrawals.py")([str(tmp_path / "bank.xlsx"), "--epochs", "1", "--out", str(tmp_path / "out")])
    check_withdrawals(tmp_path / "out", capsys.readouterr().out, set(table["Account No"]), rows=160)


def test_withdrawals_names_the_column_that_is_not_there(tmp_path: Path) -> None:
    mq.write_table(kaggle_table().drop("VALUE DATE"), tmp_path / "bank.csv")
    with pytest.raises(SystemExit, match="no column 'ValueDate'"):
        example("bank_withdrawals.py")([str(tmp_path / "bank.csv"), "--out", str(tmp_path / "out")])
    assert not (tmp_path / "out").exists()


def test_the_quickstart(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small = mq.read_table(bank_path()).sample(2500, seed=1)
    mq.write_table(small, tmp_path / "bank.csv")
    example("quickstart.py")([str(tmp_path / "bank.csv"), "--minutes", "0.02", "--out", str(tmp_path)])
    assert "column_shapes 0." in capsys.readouterr().out
    assert "<html" in (tmp_path / "report.html").read_text(encoding="utf-8")
    more = mq.load(tmp_path / "bank.mq").sample(20, given={"y": "yes"})
    assert more.columns == small.columns
    assert set(more["y"]) == {"yes"}


def test_the_readmes_example_is_the_quickstart() -> None:
    """Whoever copies from either copies the same calls."""
    readme = (EXAMPLES.parent / "README.md").read_text(encoding="utf-8")
    written = readme.split("```python\n")[1].split("```")[0]
    quickstart = (EXAMPLES / "quickstart.py").read_text(encoding="utf-8")
    for call in (
        "mq.read_table(",
        "mq.Autoregressive(max_minutes=",
        ".fit(",
        "model.sample(10_000)",
        "model.save(",
        "report.save(",
    ):
        assert call in written
        assert call in quickstart


def check_risk(shown: str, what: str) -> None:
    """Two AUCs with an interval around each, both scores of nearness, and the ledger's sentence."""
    found = re.findall(rf"trained on (real|synthetic) {what}\s+(\S+)  \((\S+) to (\S+)\)", shown)
    assert [side for side, *_ in found] == ["real", "synthetic"]
    for _, *figures in found:
        auc, low, high = map(float, figures)
        assert 0.3 < low < auc < high < 0.95
    assert re.search(r"^dcr_share +0\.[3-6]", shown, re.M)
    assert re.search(r"^exact_copies +-?0\.0", shown, re.M)
    assert "Guaranteed: none." in shown


@pytest.mark.filterwarnings("ignore::masquerade.errors.MasqueradeWarning")
def test_a_credit_risk_model(capsys: pytest.CaptureFixture[str]) -> None:
    example("credit_risk.py")(["--quick"])
    check_risk(capsys.readouterr().out, "rows")


@pytest.mark.data
@pytest.mark.filterwarnings("ignore::masquerade.errors.MasqueradeWarning")
def test_a_readmission_model(shared_data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = shared_data / "diabetes_130us" / "diabetic_data.csv.gz"
    example("readmission.py")([str(path), "--quick"])
    shown = capsys.readouterr().out
    check_risk(shown, "stays")
    assert "10 different patient_nbr share it" in shown


def test_readmission_says_which_file_to_get(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"give the path of UCI's diabetic_data\.csv"):
        example("readmission.py")([str(tmp_path / "none.csv")])


@pytest.mark.filterwarnings("ignore::masquerade.errors.MasqueradeWarning")
def test_the_articles_on_digits(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("dp_accounting")
    example("mnist.py")(["--quick", "--out", str(tmp_path)])
    shown = capsys.readouterr().out
    assert "80 digits became 240 by altering" in shown
    assert "Guaranteed: differential privacy" in shown
    assert len(mq.read_pictures(tmp_path / "drawn.npz")) == 1618
    masked = mq.read_pictures(tmp_path / "masked.npz")
    assert masked.images.shape == (1618, 8, 8, 1)
    assert len(list((tmp_path / "watch").iterdir())) == 3
