"""`masquerade run`: what a pipeline does, says and refuses; nothing is written before every step is checked."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from masquerade.cli import run

PIPELINE = """
input = "people.csv"
seed = 1

[[step]]
do = "clean"
drop_empty_columns = false

[[step]]
do = "synthesize"
model = "copula"
rows = 60
output = "new.csv"
name = "new"

[[step]]
do = "evaluate"
target = "ill"
output = ["report.json", "report.html"]
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a table and a pipeline; the program stands in another one."""
    rows = 120
    table = pl.DataFrame(
        {"age": [20 + i % 50 for i in range(rows)], "job": [f" {'abc'[i % 3]}" for i in range(rows)],
         "ill": ["yes" if i % 4 else "no" for i in range(rows)]}
    )  # fmt: skip
    place = tmp_path / "work"
    place.mkdir()
    pl.concat([table, table[:5]]).write_csv(place / "people.csv")
    (place / "p.toml").write_text(PIPELINE)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    monkeypatch.setenv("COLUMNS", "200")
    return place


def test_a_dry_run_says_what_would_be_done_in_order_and_does_nothing(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["run", str(folder / "p.toml"), "--dry-run"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(" ")[0] for line in lines[:3]] == ["1.", "2.", "3."]
    assert "Tidy the table" in lines[0]
    assert "people.csv" in lines[0]
    assert "p-1-clean.csv" in lines[0]
    assert "drop empty columns no" in lines[0]
    assert "model copula" in lines[1]
    assert "rows 60" in lines[1]
    assert "p-1-clean.csv and " in lines[2]
    assert "new.csv -> " in lines[2]
    assert "Nothing was done" in lines[3]
    assert sorted(path.name for path in folder.iterdir()) == ["p.toml", "people.csv"]


def test_the_steps_hand_the_table_on(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["run", str(folder / "p.toml")]) == 0
    cleaned = pl.read_csv(folder / "p-1-clean.csv")
    assert cleaned["job"].unique().sort().to_list() == ["a", "b", "c"]
    assert cleaned.height == 120 - (120 - pl.read_csv(folder / "people.csv").n_unique())
    new = pl.read_csv(folder / "new.csv")
    assert new.shape == (60, 3)
    assert (folder / "new.csv.ledger.json").is_file()
    report = json.loads((folder / "report.json").read_text())
    assert report["rows"]["real"] == cleaned.height
    assert report["rows"]["released"] == 60
    out = capsys.readouterr().out
    assert "Trimmed" in out
    assert "Wrote" in out


def test_the_command_lines_seed_goes_before_the_files(folder: Path) -> None:
    def drawn(*more: str) -> bytes:
        assert run(["run", str(folder / "p.toml"), "--quiet", *more]) == 0
        return (folder / "new.csv").read_bytes()

    (folder / "p.toml").write_text(PIPELINE.rpartition("[[step]]")[0])
    first = drawn()
    assert drawn("--seed", "1") == first
    assert drawn("--seed", "2") != first


def test_a_failing_step_says_which_and_what_stays(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "s.toml").write_text('[columns.age]\nkind = "integer"\n')
    (folder / "p.toml").write_text(PIPELINE.replace('model = "copula"', 'model = "copula"\nschema = "s.toml"'))
    assert run(["run", str(folder / "p.toml")]) == 2
    error = capsys.readouterr().err
    assert "step 2 (synthesize): " in error
    assert "p-1-clean.csv)" in error
    assert not (folder / "new.csv").exists()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("rows = 60", "row = 60", "step 2 (synthesize): unknown option 'row'"),
        ("rows = 60", "row = 60", "did you mean 'rows'?"),
        ("rows = 60", 'rows = "many"', "step 2 (synthesize): Invalid value for '--rows'"),
        ("rows = 60", "rows = true", "step 2 (synthesize): rows is True"),
        ("rows = 60", "flag = 1", "step 2 (synthesize): flag is 1, expected true or false"),
        ("rows = 60", "rows = 60\nquiet = true", "unknown option 'quiet'"),
        ('"copula"', '"copla"', "did you mean 'copula'?"),
        ('"synthesize"', '"sinthesize"', "step 2: do is 'sinthesize'"),
        ('do = "synthesize"', "x = 1", "step 2: do is None"),
        ("drop_empty_columns", "drop_columns", "step 1 (clean): unknown option 'drop_columns'"),
        ("drop_empty_columns = false", "drop_empty_columns = 1", "expected true or false"),
        ('target = "ill"', 'target = "il"', "step 3 (evaluate): target: there is no column 'il' (did you mean 'ill'?)"),
        ('"people.csv"', '"peple.csv"', "step 1 (clean): "),
        ('input = "people.csv"', "", "step 1 (clean): there is nothing to read"),
        ('"new.csv"', '"new.doc"', "'.doc' is unknown"),
        ('"new.csv"', '"people.csv"', "is read by an earlier step"),
        ('"new.csv"', '"no/../p-1-clean.csv"', "is also the input"),
        ("seed = 1", "sede = 1", "unknown key 'sede'"),
        ("seed = 1", 'seed = "x"', "Invalid value for '--seed'"),
        ('target = "ill"', 'holdout = "kept.csv"', "no such file, and no earlier step makes it"),
        ('"report.json"', '"report.pdf"', "'.pdf'"),
        ("[[step]]", "[[step]", "not a TOML file"),
        ('target = "ill"', 'kind = "code"', "step 3 (evaluate): --kind: got 'code'"),
        ('do = "synthesize"', 'do = "mask"\nhow = "shufle"', "step 2 (mask): unknown option 'model'"),
        ('model = "copula"\nrows = 60', 'do = "x"', "not a TOML file"),
    ],
)
def test_what_is_wrong_is_said_before_any_work(
    folder: Path, old: str, new: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "p.toml").write_text(PIPELINE.replace(old, new, 1))
    for extra in ([], ["--dry-run"]):
        assert run(["run", str(folder / "p.toml"), *extra]) == 2
        captured = capsys.readouterr()
        assert message in captured.err
        assert len(captured.err.splitlines()) == 1
        assert captured.out == ""
    assert sorted(path.name for path in folder.iterdir()) == ["p.toml", "people.csv"]


def test_a_steps_own_settings_are_checked_before_any_work(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for options, message in [
        ('do = "mask"\nhow = "shufle"', "step 1 (mask): how: got 'shufle'"),
        ('do = "mask"\ncolumns = ["ag"]', "step 1 (mask): columns: there is no column 'ag' (did you mean 'age'?)"),
        ('do = "desensitize"\nhide = ["ill"]\nkeep = ["ill"]', "step 1 (desensitize): keep: column 'ill'"),
        ('do = "fuse"\nsensitive = ["ill"]\nmodel = "copla"', "step 1 (fuse): --model: got 'copla'"),
    ]:
        (folder / "p.toml").write_text(f'input = "people.csv"\n[[step]]\n{options}\n')
        assert run(["run", str(folder / "p.toml")]) == 2
        assert message in capsys.readouterr().err
    assert sorted(path.name for path in folder.iterdir()) == ["p.toml", "people.csv"]


def test_no_step_at_all_and_no_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "p.toml").write_text('input = "people.csv"\n')
    assert run(["run", str(folder / "p.toml")]) == 2
    assert run(["run", str(folder / "q.toml")]) == 2
    first, second = capsys.readouterr().err.splitlines()
    assert "no step given" in first
    assert "cannot be read" in second


def test_steps_can_be_named_and_read_by_name(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = PIPELINE.replace('do = "evaluate"', 'do = "evaluate"\nreal = "people.csv"\nreleased = "new"')
    (folder / "p.toml").write_text(text)
    assert run(["run", str(folder / "p.toml"), "--dry-run"]) == 0
    assert "people.csv and " in capsys.readouterr().out.splitlines()[2]


def test_the_documents_example_is_one(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (Path(__file__).resolve().parents[1] / "docs" / "pipeline.md").read_text(encoding="utf-8")
    (folder / "pipeline.toml").write_text(text.split("```toml")[1].split("```")[0])
    pl.DataFrame({"age": [1, 2], "income": [3, 4], "diagnosis": ["a", "b"]}).write_csv(folder / "people.csv")
    assert run(["run", str(folder / "pipeline.toml"), "--dry-run"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "pipeline-1-clean.csv" in lines[0]
    assert "sensitive income, diagnosis" in lines[1]
    assert "pipeline-1-clean.csv and " in lines[2]
