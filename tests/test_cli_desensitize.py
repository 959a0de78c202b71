"""`masquerade desensitize`: what it writes, new rows by a saved release, and one clear line and no file for what is wrong."""

from __future__ import annotations

import io
import json
import signal
import subprocess
import sys
import time
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from masquerade.cli import run


def make(rows: int, seed: int = 0) -> pl.DataFrame:
    random = np.random.default_rng(seed)
    sex = random.choice(["f", "m"], rows)
    return pl.DataFrame(
        {
            "sex": sex,
            "title": np.where(sex == "f", "Ms", "Mr"),
            "age": random.integers(18, 80, rows),
            "key": [f"P-{i:06d}" for i in random.permutation(rows)],
            "one": ["k"] * rows,
            "income": random.choice(["low", "high"], rows),
        }
    )


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Each test stands in an empty folder, beside a folder with its inputs."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    make(300).write_csv(tmp_path / "t.csv")
    return folder


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A folder with all that the command can write, and what it said."""
    folder = tmp_path_factory.mktemp("made")
    make(300).write_csv(folder.with_name("input.csv"))
    arguments = [
        "desensitize",
        str(folder.with_name("input.csv")),
        "--hide",
        "sex",
        "--keep",
        "income",
        "--epochs",
        "8",
    ]
    files = ["-o", str(folder / "o.csv"), "--save", str(folder / "d.mq"), "--report", str(folder / "r.json")]
    files += ["--report", str(folder / "r.html")]
    with redirect_stdout(io.StringIO()) as out, redirect_stderr(io.StringIO()) as err:
        code = run([*arguments, *files, "--seed", "1"])
    assert code == 0, err.getvalue()
    return folder, out.getvalue() + err.getvalue()


def test_a_release_its_ledger_a_report_and_a_saved_model(made: tuple[Path, str]) -> None:
    folder, said = made
    assert sorted(path.name for path in folder.iterdir()) == ["d.mq", "o.csv", "o.csv.ledger.json", "r.html", "r.json"]
    real, released = pl.read_csv(folder.with_name("input.csv")), pl.read_csv(folder / "o.csv")
    assert released.columns == real.columns
    assert released["income"].equals(real["income"])
    assert 0.2 < (released["title"] != real["title"]).mean() < 0.8  # type: ignore[operator]
    assert not set(released["key"]) & set(real["key"])
    ledger = json.loads((folder / "o.csv.ledger.json").read_text())
    assert (ledger["guarantee"], ledger["aligned"], ledger["mechanism"]) == ("none", True, "Desensitizer")
    assert ledger["protections"]["hide"] == ["sex"]
    assert "Guaranteed: none" in said
    assert "Hidden: sex (drawn anew)." in said


def test_the_share_of_changed_cells_leaves_out_what_is_made_afresh(made: tuple[Path, str]) -> None:
    folder, said = made
    real, released = pl.read_csv(folder.with_name("input.csv")), pl.read_csv(folder / "o.csv")
    share = np.mean([(real[name] != released[name]).mean() for name in ("title", "age", "one")])
    assert f"{share:.1%} of the other cells changed" in said


def test_the_report_draws_the_curve(made: tuple[Path, str]) -> None:
    report = json.loads((made[0] / "r.json").read_text())
    assert report["scores"]["attribute_auc"]["value"] < 0.65
    page = (made[0] / "r.html").read_text()
    for words in ("What hiding sex costs", "drop its proxies", "How much the records changed"):
        assert words in page


def test_new_rows_by_a_saved_release(made: tuple[Path, str], here: Path) -> None:
    new = make(40, seed=7)
    new.write_csv("../new.csv")
    assert run(["desensitize", "../new.csv", "-o", "new.csv", "--using", str(made[0] / "d.mq"), "--quiet"]) == 0
    out = pl.read_csv("new.csv")
    assert out["income"].equals(new["income"])
    assert out.columns == new.columns
    run(["desensitize", "../new.csv", "-o", "soft.csv", "--using", str(made[0] / "d.mq"), "--strength", "0", "-q"])
    soft = pl.read_csv("soft.csv")
    assert soft["title"].equals(new["title"])
    assert json.loads(Path("soft.csv.ledger.json").read_text())["protections"]["strength"] == 0


def test_secrets_are_dropped_on_request(here: Path) -> None:
    arguments = ["desensitize", "../t.csv", "-o", "o.parquet", "--hide", "sex,age", "--replace", "drop"]
    assert run([*arguments, "--epochs", "1", "--quiet"]) == 0
    assert pl.read_parquet("o.parquet").columns == ["title", "key", "one", "income"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "--hide: no column is named"),
        (["--hide", "sexx"], "(did you mean 'sex'?)"),
        (["--hide", "sex", "--keep", "incom"], "(did you mean 'income'?)"),
        (["--hide", "sex", "--keep", "sex"], "'sex' is also to be hidden"),
        (["--hide", "one"], "'one' has one value only"),
        (["--hide", "key"], "'key' is an id"),
        (["--hide", "sex", "--keep", "title,age,key,one,income"], "nothing may change"),
        (["--hide", "sex", "--strength", "2"], "strength: got 2.0, expected a number from 0 to 1"),
        (["--hide", "sex", "--replace", "drp"], "(did you mean 'drop'?)"),
        (["--hide", "sex", "--target", "income"], "add --report"),
        (["--hide", "sex", "--report", "r.json", "--target", "key"], "'key' is an id"),
        (["--hide", "sex", "--report", "r.txt"], "r.txt"),
        (["--hide", "sex", "--epochs", "0"], "--epochs"),
        (["--hide", "sex", "--unit", "keey"], "(did you mean 'key'?)"),
        (["--using", "../none.mq"], "none.mq"),
        (["--using", "../t.csv"], "t.csv"),
    ],
)
def test_bad_input_is_one_line_and_no_file(
    here: Path, options: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["desensitize", "../t.csv", "-o", "o.csv", *options]) == 2
    said = capsys.readouterr().err.strip().splitlines()
    assert len(said) == 1
    assert message in said[0]
    assert list(here.iterdir()) == []


def test_what_a_saved_release_has_settled_is_refused(
    made: tuple[Path, str], here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    using = ["desensitize", "../t.csv", "-o", "o.csv", "--using", str(made[0] / "d.mq")]
    for options, message in (
        (["--hide", "sex"], "--hide: is settled in"),
        (["--keep", "age"], "--keep: is settled in"),
        (["--epochs", "3"], "--epochs: is settled in"),
        (["--save", "x.mq"], "--save: is settled in"),
        (["--strength", "-1"], "strength: got -1"),
    ):
        assert run([*using, *options]) == 2
        said = capsys.readouterr().err.strip().splitlines()
        assert len(said) == 1
        assert message in said[0]
    make(30).drop("age").write_csv("../less.csv")
    assert run(["desensitize", "../less.csv", "-o", "o.csv", "--using", str(made[0] / "d.mq")]) == 2
    assert "'age'" in capsys.readouterr().err
    assert list(here.iterdir()) == []


def test_a_file_of_another_command_is_refused(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["encode", "../t.csv", "-o", "../codes.csv", "--save", "../e.mq", "--epochs", "1", "-q"]) == 0
    capsys.readouterr()
    assert run(["desensitize", "../t.csv", "-o", "o.csv", "--using", "../e.mq"]) == 2
    assert "holds a Encoder, expected what `masquerade desensitize --save` kept" in capsys.readouterr().err
    assert list(here.iterdir()) == []


def test_ctrl_c_while_training_leaves_nothing(here: Path) -> None:
    """A net half trained would not hide the secret, so it is not kept either."""
    code = "from masquerade.cli import main; main()"
    options = ["--hide", "sex", "--epochs", "5000", "--save", "d.mq"]
    command = [sys.executable, "-u", "-c", code, "desensitize", "../t.csv", "-o", "o.csv", *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    assert any(line.startswith("train: epoch") for line in process.stderr)
    begin = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "interrupted" in said
    assert "Traceback" not in said
    assert time.monotonic() - begin < 5
    assert list(here.iterdir()) == []
