"""`masquerade evaluate` on picture sets: what it finds, writes and refuses."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits

from masquerade.cli import run
from masquerade.judge import picture_learning
from masquerade.picture_files import write_pictures
from masquerade.pictures import Pictures
from masquerade.privacy.ledger import Ledger, ledger_path


@pytest.fixture(autouse=True)
def sets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of real digits, a release, digits held back; nets that train for a moment."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setattr(picture_learning, "_FEWEST", 1_500)
    monkeypatch.setattr(picture_learning, "_PASSES", 1)
    data = load_digits()
    order = np.random.default_rng(0).permutation(1_000)
    digits = Pictures((data.images * 255 / 16).round().astype(np.uint8)[order], {"label": data.target[order]})
    write_pictures("real", digits[:300])
    write_pictures("released.npz", digits[300:600])
    write_pictures("kept.npz", digits[600:])


def test_a_picture_set_is_judged_as_one(capsys: pytest.CaptureFixture[str]) -> None:
    ledger = Ledger(guarantee="differential privacy", epsilon=1.0, delta=1e-5, unit="picture")
    ledger_path(Path("released.npz")).write_text(json.dumps(ledger.to_dict()))
    Path("gate.toml").write_text("memorisation = { max = 0.7 }\ntstr = { min = 1.1 }\nepsilon = { max = 2 }\n")
    command = "evaluate real released.npz --holdout kept.npz -o r.html -o r.json --show-neighbours --seed 0 --policy gate.toml"
    assert run(command.split()) == 3
    shown = capsys.readouterr()
    assert "memorisation" in shown.out
    assert "warning: the report's page shows REAL pictures" in shown.err
    assert "policy gate.toml: not met. tstr" in shown.err
    told = json.loads(Path("r.json").read_text())
    assert told["rows"] == {"real": 300, "released": 300, "holdout": 400}
    assert told["attacks"]["membership"]["guaranteed"]["epsilon"] == 1.0
    assert "ε = 1 allows 0.7" in told["scores"]["membership_auc"]["meaning"]
    assert [gate["met"] for gate in told["policy"]["gates"]] == [True, False, True]
    page = Path("r.html").read_text()
    assert "Which pictures trained" in page
    assert "REAL, trained" in page


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ("real released.npz --target label", "--target: is for tables, and real is a picture set"),
        ("real released.npz --schema s.toml", "--schema: is for tables"),
        ("real released.npz --attacks thorough --model ctgan", "'thorough' refits generators of rows"),
        ("real released.npz --size 8", "--size: got '8', expected height and width in pixels, such as 28x28"),
        ("real released.npz --kind rows --size 8x8", "--size: is for pictures"),
        ("real released.npz --kind rows --skip-bad", "--skip-bad: is for pictures"),
        ("real small.npz", "released: pictures of 6x6 pixels (height x width) beside real ones of 8x8"),
        ("real small.npz", "--size 8x8"),
        ("real few.npz", "released: 9 pictures, expected at least 10"),
        ("real cats.npz", "released: labels that do not match the real ones: 'cat', expected among 0, 1, 2"),
        ("real broken.npz", "broken.npz"),
        ("real table.csv", "table.csv: not a picture set"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_written(
    options: str, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    images = np.zeros((20, 8, 8), np.uint8)
    np.savez("small.npz", images=images[:, :6, :6], labels=np.arange(20) % 2)
    np.savez("few.npz", images=images[:9], labels=np.arange(9) % 2)
    np.savez("cats.npz", images=images, labels=np.array(["cat"] * 20))
    Path("broken.npz").write_bytes(Path("released.npz").read_bytes()[:5_000])
    Path("table.csv").write_text("a\n1\n")
    Path("s.toml").write_text("")
    assert run(["evaluate", *options.split(), "-o", "r.json"]) == 2
    assert says in " ".join(capsys.readouterr().err.split())
    assert not Path("r.json").exists()


def test_damaged_pictures_are_left_out_where_that_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    damaged = sorted(Path("real").rglob("*.png"))[5]
    damaged.write_bytes(damaged.read_bytes()[:40])
    command = ["evaluate", "real", "released.npz", "-o", "r.json", "--seed", "0"]
    assert run(command) == 2
    assert damaged.name in capsys.readouterr().err
    assert run([*command, "--skip-bad"]) == 0
    assert damaged.name in capsys.readouterr().err
    assert json.loads(Path("r.json").read_text())["rows"]["real"] == 299
