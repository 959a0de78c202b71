"""`masquerade mask`: what it writes, and one clear line, exit code 2 and no file for whatever is wrong."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from masquerade.cli import run

KEY = "a key of more than sixteen bytes"
RULES = """
[columns.name]
how = "replace"
kind = "name"
[columns.phone]
how = "redact"
keep_first = 3
keep_last = 4
[columns.balance]
how = "noise"
scale = 10
[columns.opened]
how = "generalize"
to = "month"
"""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Each test stands in an empty folder, beside a folder with its inputs."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("MASQUERADE_KEY", raising=False)
    return folder


@pytest.fixture
def bank(tmp_path: Path) -> Path:
    random = np.random.default_rng(0)
    rows = 300
    table = pl.DataFrame(
        {
            "name": random.choice(["Ann Lee", "张三", "Bo Li"], rows),
            "phone": [f"138{n:08d}" for n in random.integers(0, 10**8, rows)],
            "balance": [f"{x:.2f}" for x in random.normal(500, 90, rows)],
            "opened": [f"2020-{m:02d}-11" for m in random.integers(1, 13, rows)],
            "y": random.choice(["yes", "no"], rows),
        }
    )
    path = tmp_path / "bank.csv"
    table.write_csv(path)
    (tmp_path / "mask.toml").write_text(RULES)
    (tmp_path / "key").write_text(KEY + "\n")
    return path


def called(*arguments: object) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = run([str(argument) for argument in arguments])
    return code, out.getvalue(), err.getvalue()


def text(path: Path | str) -> pl.DataFrame:
    return pl.read_csv(path, infer_schema=False)


def test_rules_key_ledger_and_a_second_file(bank: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rules = ("--rules", tmp_path / "mask.toml")
    code, out, _ = called("mask", bank, "-o", "out.csv", *rules, "--key-file", tmp_path / "key", "--save", "m.mq")
    assert code == 0
    real, masked = text(bank), text("out.csv")
    assert masked["y"].equals(real["y"])
    assert masked["phone"].str.contains(r"^138\*{4}\d{4}$").all()
    assert masked["opened"].str.contains(r"^2020-\d\d$").all()
    assert (masked["balance"] != real["balance"]).mean() > 0.9  # type: ignore[operator]
    assert masked.select(pl.struct("name").n_unique()).item() == 3
    ledger = json.loads(Path("out.csv.ledger.json").read_text())
    assert ledger["guarantee"] == "none"
    assert ledger["aligned"] is True
    assert ledger["protections"]["masked"]["name"]["reversible"] == "no, but who has the key can try out a value"
    assert "name: replace" in out
    for path in (tmp_path / "here").iterdir():
        assert KEY.encode() not in path.read_bytes()
    text(bank).reverse().head(20).write_csv(tmp_path / "more.csv")
    monkeypatch.setenv("MASQUERADE_KEY", KEY)
    assert called("mask", tmp_path / "more.csv", "-o", "more.csv", "--using", "m.mq")[0] == 0
    assert text("more.csv")["name"].equals(masked["name"].reverse().head(20))


def test_generating_with_a_report(bank: Path, tmp_path: Path) -> None:
    real = text(bank)
    real[:200].write_csv(tmp_path / "part.csv")
    real[200:].write_csv(tmp_path / "held.csv")
    code, _, err = called(
        *("mask", tmp_path / "part.csv", "-o", "out.csv", "--columns", "balance,y", "--rate", "0.3", "--seed", 1, "-q"),
        *("--report", "r.html", "--report", "r.json", "--holdout", tmp_path / "held.csv", "--target", "y"),
    )
    assert (code, err) == (0, "")
    masked = text("out.csv")
    assert masked.drop("balance", "y").equals(real[:200].drop("balance", "y"))
    assert 0.15 < (masked["balance"] != real[:200]["balance"]).mean() < 0.45  # type: ignore[operator]
    assert "tstr" in json.loads(Path("r.json").read_text())["scores"]
    assert Path("r.html").stat().st_size > 10_000


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("--columns", "phon", "--how", "redact"), "did you mean 'phone'"),
        (("--columns", "phone", "--how", "redcat"), "did you mean 'redact'"),
        (("--columns", "phone", "--rate", "1.5"), "rate: got 1.5"),
        (("--columns", "phone", "--rate", "0"), "rate: got 0"),
        ((), "every cell would be masked"),
        (("--columns", "phone", "--how", "replace", "--key-file", "SHORT"), "at least 16"),
        (("--columns", "phone", "--how", "replace", "--key-file", "nowhere"), "cannot be read"),
        (("--columns", "phone", "--how", "noise"), "scale"),
        (("--rules", "RULES", "--columns", "phone", "--how", "suppress"), "one place"),
        (("--rules", "RULES", "--rate", "0.5"), "have their own"),
        (("--rules", "BAD"), "did you mean 'keep_first'"),
        (("--rules", "nowhere.toml"), "cannot be read"),
        (("--columns", "y", "--engine", "gna"), "did you mean 'gan'"),
        (("--columns", "y", "--target", "y"), "add --report"),
        (("--columns", "y", "--report", "r.html", "--target", "y"), "--holdout"),
        (("--columns", "y", "--using", "m.mq"), "settled"),
        (("--columns", "y", "--unit", "nmae"), "did you mean 'name'"),
        (("--using", "DATA"), "not"),
    ],
)
def test_bad_input_is_told_in_one_line_and_nothing_is_written(
    arguments: tuple[str, ...], word: str, bank: Path, tmp_path: Path
) -> None:
    (tmp_path / "short").write_text("too short")
    (tmp_path / "bad.toml").write_text('[columns.phone]\nhow = "redact"\nkeep_frist = 3\n')
    files = {"SHORT": "short", "RULES": "mask.toml", "BAD": "bad.toml", "DATA": "bank.csv"}
    given = [str(tmp_path / files[a]) if a in files else a for a in arguments]
    code, out, err = called("mask", bank, "-o", "out.csv", *given)
    assert code == 2
    assert word in err
    assert len(err.strip().splitlines()) == 1
    assert "too short" not in err
    assert out == ""
    assert list(Path().iterdir()) == []


def test_a_fault_in_a_later_row_leaves_nothing(bank: Path, tmp_path: Path) -> None:
    lines = bank.read_text().splitlines()
    (tmp_path / "odd.csv").write_text("\n".join([*lines, "Ann Lee,1,many,2020-01-01,yes"]) + "\n")
    (tmp_path / "schema.toml").write_text(
        '[columns.name]\nkind = "text"\n[columns.phone]\nkind = "id"\n[columns.balance]\nkind = "continuous"\n'
        '[columns.opened]\nkind = "datetime"\n[columns.y]\nkind = "categorical"\n'
    )
    code, _, err = called(
        *("mask", tmp_path / "odd.csv", "-o", "out.csv", "--rules", tmp_path / "mask.toml"),
        *("--key-file", tmp_path / "key", "--schema", tmp_path / "schema.toml"),
    )
    assert code == 2
    assert "balance" in err
    assert list(Path().iterdir()) == []
