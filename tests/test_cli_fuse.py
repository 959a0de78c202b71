"""`masquerade fuse` and what `inspect` marks: files, figures, and one clear line for whatever is wrong."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from masquerade import read_schema
from masquerade.cli import run

ROWS = 240


@pytest.fixture(autouse=True)
def people(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a small table of people; the program stands in it."""
    random = np.random.default_rng(0)
    job = random.choice(["nurse", "clerk", "pilot"], ROWS)
    table = pl.DataFrame(
        {
            "手机": [f"138{number:08d}" for number in random.integers(0, 10**8, ROWS)],
            "sex": random.choice(["f", "m"], ROWS),
            "job": job,
            "ill": np.where(random.random(ROWS) < np.where(job == "pilot", 0.8, 0.2), "yes", "no"),
            "note": [f" {i % 7} " for i in range(ROWS)],
        }
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    table.write_csv("people.csv")
    return tmp_path


def test_inspect_marks_what_identifies_people_and_fuse_draws_it_anew(
    people: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["inspect", "people.csv", "-o", "s.toml"]) == 0
    shown = capsys.readouterr().out
    assert "What identifies people" in shown
    assert "phone number" in shown
    schema = read_schema("s.toml")
    assert (schema["手机"].pii, schema["手机"].sensitive, schema["手机"].quasi) == ("phone", True, False)
    assert (schema["sex"].pii, schema["sex"].sensitive, schema["sex"].quasi) == ("sex", False, True)
    assert (schema["ill"].pii, schema["ill"].sensitive) == (None, False)
    text = Path("s.toml").read_text(encoding="utf-8").replace("[columns.ill]", "[columns.ill]\nsensitive = true")
    Path("s.toml").write_text(text, encoding="utf-8")

    arguments = ["fuse", "people.csv", "-o", "out.csv", "--schema", "s.toml", "--seed", "1", "--save", "f.mq"]
    assert run([*arguments, "--report", "r.json", "--report", "r.html", "--target", "ill"]) == 0
    said = capsys.readouterr().out
    assert "Not protected: the kept columns are the real ones" in said
    assert "Drawn anew: 手机, ill." in said
    real, fused = (pl.read_csv(name, infer_schema=False) for name in ("people.csv", "out.csv"))
    assert fused.select("sex", "job", "note").equals(real.select("sex", "job", "note"))
    assert not set(fused["手机"]) & set(real["手机"])
    assert not fused["ill"].equals(real["ill"])
    scores = json.loads(Path("r.json").read_text(encoding="utf-8"))["scores"]
    sizes = real.group_by("sex", "job").len()["len"]
    assert scores["k_anonymity"]["value"] == sizes.min()
    assert {"l_diversity", "t_closeness", "own_values"} <= set(scores)
    assert json.loads(Path("out.csv.ledger.json").read_text(encoding="utf-8"))["aligned"] is True
    assert "What this release does not protect" not in said

    assert run(["fuse", "people.csv", "-o", "again.csv", "--using", "f.mq", "--seed", "1", "--quiet"]) == 0
    assert Path("again.csv").read_bytes() == Path("out.csv").read_bytes()
    assert run(["sample", "f.mq", "-n", "3", "-o", "x.csv"]) == 2
    capsys.readouterr()
    for command in ("mask", "encode", "desensitize"):
        assert run([command, "people.csv", "-o", "x.csv", "--using", "f.mq"]) == 2
        assert f"f.mq: holds a Fusion, expected what `masquerade {command} --save` kept." in capsys.readouterr().err
    assert not Path("x.csv").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--sensitive", "il"], "--sensitive: there is no column 'il' (did you mean 'ill'?)"),
        ([], "--sensitive: no column is named"),
        (["--sensitive", "手机,sex,job,ill,note"], "--sensitive: all 5 columns are sensitive"),
        (["--sensitive", "ill", "--model", "ctgan"], "--model autoregressive can"),
        (["--sensitive", "ill", "--model", "copla"], "did you mean 'copula'?"),
        (["--sensitive", "ill", "--target", "ill"], "--target: is for the report"),
        (["--sensitive", "ill", "--report", "r.html", "--target", "il"], "--target: there is no column 'il'"),
        (["--sensitive", "ill", "--using", "people.csv"], "--sensitive: is for fitting"),
        (["--using", "people.csv"], "people.csv"),
        (["--sensitive", "ill", "--save", "out.csv"], "out.csv"),
        (["--sensitive", "ill", "--unit", "who"], "--unit: there is no column 'who'"),
    ],
)
def test_bad_input_is_refused_in_one_line_and_nothing_is_written(
    people: Path, options: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["fuse", "people.csv", "-o", "out.csv", *options]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert len(error.splitlines()) == 1
    assert sorted(path.name for path in people.iterdir()) == ["people.csv"]
