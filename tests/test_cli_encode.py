"""`masquerade encode`: what it writes, new rows by a saved encoder, and one clear line and no file for whatever is wrong."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from masquerade.cli import run

GROUPS = '[groups]\nwho = ["age", "sex"]\nmoney = ["amount", "loan"]\n'


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    random = np.random.default_rng(0)
    age = random.integers(18, 80, 300)
    table = pl.DataFrame(
        {
            "age": age,
            "sex": random.choice(["f", "m"], 300),
            "amount": np.round(random.normal(1000, 200, 300) + 10 * age, 2),
            "loan": random.choice(["yes", "no", "unknown"], 300),
            "y": np.where(random.random(300) < age / 90, "buys", "no"),
        }
    )
    table.write_csv(tmp_path / "bank.csv")
    table.drop("y")[:40].write_csv(tmp_path / "new.csv")
    (tmp_path / "g.toml").write_text(GROUPS)
    return folder


def test_codes_ledger_and_a_saved_encoder_for_new_rows(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["encode", "../bank.csv", "-o", "codes.csv", "--groups", "../g.toml", "--target", "y", "--epochs", "2"]
    assert run([*arguments, "--seed", "1", "--save", "e.mq"]) == 0
    assert sorted(path.name for path in here.iterdir()) == ["codes.csv", "codes.csv.ledger.json", "e.mq"]
    codes = pl.read_csv("codes.csv")
    assert codes.columns == ["who_0", "money_0", "money_1", "y"]
    assert codes["y"].equals(pl.read_csv("../bank.csv")["y"])
    ledger = json.loads(Path("codes.csv.ledger.json").read_text())
    assert ledger["guarantee"] == "none"
    assert ledger["aligned"]
    assert "not anonymous" in ledger["protections"]["pseudonymous"]
    shown = capsys.readouterr().out
    assert "Guaranteed: none" in shown
    assert "not anonymous" in shown
    assert run(["encode", "../new.csv", "-o", "new.parquet", "--using", "e.mq"]) == 0
    assert np.allclose(pl.read_parquet("new.parquet").to_numpy(), codes.drop("y")[:40].to_numpy(), atol=1e-6)


def test_mitigations_are_in_the_ledger(here: Path) -> None:
    options = ["--group-means", "5", "--group-by", "sex,loan", "--noise", "0.5", "--width", "2", "--epochs", "1"]
    assert run(["encode", "../bank.csv", "-o", "codes.csv", "--hide", "y", "--quiet", *options]) == 0
    kept = json.loads(Path("codes.csv.ledger.json").read_text())["protections"]
    assert (kept["group_means"], kept["group_by"], kept["noise"]) == (5, ["sex", "loan"], 0.5)
    assert kept["hide"]["columns"] == ["y"]
    assert pl.read_csv("codes.csv").columns == ["code_0", "code_1"]


def test_the_report_attacks_the_codes(here: Path) -> None:
    arguments = ["encode", "../bank.csv", "-o", "codes.csv", "--epochs", "2", "--quiet"]
    assert run([*arguments, "--report", "r.json", "--report", "r.html"]) == 0
    report = json.loads(Path("r.json").read_text())
    assert {"reconstruction_r2", "linkage_top1"} == set(report["scores"])
    assert report["scores"]["reconstruction_r2"]["value"] > 0.3
    ledger = json.loads(Path("codes.csv.ledger.json").read_text())
    assert "known pairs" in ledger["protections"]["pseudonymous"]
    assert "not anonymous" in Path("r.html").read_text()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--groups", "../g.toml"], "the column 'y' is in no group"),
        (["--groups", "none.toml"], "none.toml: cannot be read"),
        (["--groups", "bank", "--target", "y"], "names a column 'job' that is not there"),
        (["--target", "z"], "--target: there is no column 'z'"),
        (["--hide", "sexx"], "(did you mean 'sex'?)"),
        (["--target", "y", "--hide", "y"], "'y' is also the target"),
        (["--width", "half"], "--width: got 'half'"),
        (["--width", "0"], "width"),
        (["--noise", "-1"], "noise"),
        (["--adversary", "2"], "give --hide COL too"),
        (["--group-means", "301"], "has only 300 rows"),
        (["--target", "amount", "--report", "r.html"], "'amount' is continuous"),
        (["--sensitive", "sex"], "add --report"),
        (["--sensitive", "sxe", "--report", "r.html"], "(did you mean 'sex'?)"),
        (["--report", "r.txt"], "r.txt"),
        (["--using", "../bank.csv"], "not a"),
        (["--using", "e.mq", "--width", "3"], "--width: is settled in e.mq"),
    ],
)
def test_bad_input_is_one_line_and_no_file(
    here: Path, options: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["encode", "../bank.csv", "-o", "codes.csv", *options]) == 2
    said = capsys.readouterr().err.strip().splitlines()
    assert len(said) == 1
    assert message in said[0]
    assert list(here.iterdir()) == []


def test_a_wrong_group_file_names_what_is_wrong(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for text, message in (
        ('[groups]\na = ["age", "sex"]\nb = ["age", "amount", "loan", "y"]', "'age' is named in 'a' and in 'b'"),
        ('[groups]\na = ["age", "sexe", "amount", "loan", "y"]', "did you mean 'sex'"),
        ('a = ["age"]', "expected one table [groups]"),
    ):
        (here.parent / "g.toml").write_text(text)
        assert run(["encode", "../bank.csv", "-o", "codes.csv", "--groups", "../g.toml"]) == 2
        assert message in capsys.readouterr().err
        assert list(here.iterdir()) == []
