"""`masquerade synthesize --stream`: the same files, from a table that is never held."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from masquerade.cli import run
from masquerade.surveying import passes

ROWS = 12_000


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    draw = np.random.default_rng(0)
    word = draw.choice(["a", "b", "c"], ROWS, p=[0.6, 0.395, 0.005])
    frame = pl.DataFrame({"word": word, "number": np.round(draw.normal(size=ROWS) + 2 * (word == "b"), 2)})
    frame.write_csv(tmp_path / "t.csv")
    monkeypatch.setattr(passes, "SAMPLE_ROWS", 2_000)
    return tmp_path / "t.csv"


def test_rows_ledger_and_report(table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, report = tmp_path / "out.csv", tmp_path / "r.json"
    arguments = ["--model", "copula", "--stream", "--seed", "0", "--report", str(report), "-o", str(out)]
    assert run(["synthesize", str(table), *arguments]) == 0
    said = capsys.readouterr().err
    assert "rows in a stream; training on a sample of " in said
    assert "read: 100%" in said
    made, real = pl.read_csv(out), pl.read_csv(table)
    assert made.height == pytest.approx(0.9 * ROWS, rel=0.02)
    assert (made["word"] == "c").mean() == pytest.approx((real["word"] == "c").mean(), abs=0.002)
    assert json.loads(report.read_text())
    assert (tmp_path / "out.csv.ledger.json").exists()


def test_a_large_file_is_streamed_unasked(
    table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("masquerade.cli.reading.fits_in_memory", lambda path: False)
    out = str(tmp_path / "out.parquet")
    assert run(["synthesize", str(table), "--model", "copula", "--rows", "50", "--seed", "0", "-o", out]) == 0
    assert f"read {ROWS:,} rows in a stream" in capsys.readouterr().err
    assert pl.read_parquet(out).height == 50


def test_balance_needs_the_table(table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["synthesize", str(table), "--stream", "--balance", "word", "-o", str(tmp_path / "o.csv")]) == 2
    assert "leave out --balance or --stream" in capsys.readouterr().err
