"""The example on encoding Bank Marketing by groups runs as it is written, and what it promises holds."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import polars as pl
import pytest

import masquerade as mq
from masquerade.datasets import bank_path

EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "bank_encoding.py"


def test_the_codes_the_encoder_and_the_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_path(str(EXAMPLE))["main"](["--quick", "--out", str(tmp_path / "out")])
    codes = pl.read_csv(tmp_path / "out" / "codes.csv")
    groups = [name.split("_")[0] for name in codes.columns[:-1]]
    assert [groups.count(name) for name in ("pers", "fina", "camp", "econ")] == [12, 4, 12, 2]
    assert codes.columns[-1] == "y"
    new = mq.read_table(bank_path()).drop("y")[:5]
    assert mq.load(tmp_path / "out" / "bank.mq").transform(new).columns == codes.columns[:-1]
    shown = capsys.readouterr().out
    found = dict(re.findall(r"^roc_auc (\w+) +(0\.\d+)", shown, re.M))
    assert {"raw", "whole", "groups"} == set(found)
    assert all(0.75 < float(value) < 0.97 for value in found.values())
    assert "not anonymous" in shown
    assert "<html" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
