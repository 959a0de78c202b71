"""`masquerade mask` on picture sets."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits

from masquerade.cli import run
from masquerade.cli.picture_panels import fills_panel, readers_panel
from masquerade.judge import picture_learning
from masquerade.picture_files import read_pictures, write_pictures
from masquerade.pictures import Pictures


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    return tmp_path


@pytest.fixture
def digits(here: Path) -> Pictures:
    data = load_digits()
    pictures = Pictures((data.images[:600] * 255 / 16).round().astype(np.uint8), {"label": data.target[:600]})
    write_pictures("set.npz", pictures)
    return pictures


def test_fill_save_and_use_again(digits: Pictures, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["mask", "set.npz", "-o", "out.npz", "--box", "2,2,4,4", "--epochs", "40", "--save", "m.mq", "--seed", "0"]
    assert run([*asked, "--quiet"]) == 0
    made = read_pictures("out.npz")
    hidden = np.zeros((8, 8), bool)
    hidden[2:6, 2:6] = True
    assert (made.images[:, ~hidden] == digits.images[:, ~hidden]).all()
    assert (made.images[:, hidden] != digits.images[:, hidden]).any()
    assert (made.labels["label"] == digits.labels["label"]).all()
    assert json.loads(Path("out.npz.ledger.json").read_text())["aligned"] is True
    assert run(["mask", "set.npz", "-o", "again.npz", "--using", "m.mq", "--seed", "0", "--quiet"]) == 0
    assert (read_pictures("again.npz").images == made.images).all()
    capsys.readouterr()
    assert run(["mask", "set.npz", "-o", "b.npz", "--using", "m.mq", "--box", "0,0,1,1"]) == 2
    assert "--box" in capsys.readouterr().err


def test_classic_ways_to_a_folder(digits: Pictures) -> None:
    assert run(["mask", "set.npz", "-o", "out", "--box", "0,0,8,4", "--how", "blackout", "--quiet"]) == 0
    made = read_pictures("out")
    assert (made.images[:, :, :4] == 0).all()
    assert sorted(made.images[:, :, 4:].sum(axis=(1, 2, 3))) == sorted(digits.images[:, :, 4:].sum(axis=(1, 2, 3)))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], "--box"),
        (["--box", "1,2,3"], "TOP,LEFT,HEIGHT,WIDTH"),
        (["--box", "5,5,9,9", "--how", "blur"], "does not lie within"),
        (["--box", "2,2,4,4", "--columns", "age"], "--columns: is for tables"),
        (["--box", "2,2,4,4", "--rate", "0"], "--rate: is for tables"),
        (["--box", "2,2,4,4", "--how", "redact"], "expected one of"),
        (["--box", "2,2,4,4", "--how", "blur", "--epochs", "3"], "learns nothing"),
        (["--box", "2,2,4,4", "--rules", "r.toml"], "--rules: is for tables"),
    ],
)
def test_refused(digits: Pictures, options: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["mask", "set.npz", "-o", "out", *options]) == 2
    assert words in " ".join(capsys.readouterr().err.split())
    assert not Path("out").exists()
    assert not Path("out.ledger.json").exists()


def test_picture_options_are_refused_for_tables(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("t.csv").write_text("a,b\n1,2\n")
    assert run(["mask", "t.csv", "-o", "out.csv", "--columns", "a", "--how", "redact", "--box", "0,0,1,1"]) == 2
    assert "--box: is for picture sets" in " ".join(capsys.readouterr().err.split())
    assert not Path("out.csv").exists()


def test_the_input_is_never_overwritten(digits: Pictures, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["mask", "set.npz", "-o", "set.npz", "--box", "2,2,4,4", "--how", "blur"]) == 2
    assert "also the input" in capsys.readouterr().err
    assert (read_pictures("set.npz").images == digits.images).all()


def test_a_report_speaks_of_pictures_and_compares_with_a_holdout(
    digits: Pictures, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(picture_learning, "_FEWEST", 1_500)
    monkeypatch.setattr(picture_learning, "_PASSES", 1)
    write_pictures("set.npz", digits[:300])
    write_pictures("kept.npz", digits[300:])
    asked = ["mask", "set.npz", "-o", "out.npz", "--box", "2,2,4,4", "--how", "pixelate", "--seed", "0", "--quiet"]
    assert run([*asked, "--holdout", "kept.npz"]) == 2
    assert "--holdout: is for the report" in " ".join(capsys.readouterr().err.split())
    assert run([*asked, "--holdout", "kept.npz", "--report", "r.json", "--report", "r.html"]) == 0
    judged = json.loads(Path("r.json").read_text())
    assert judged["rows"] == {"real": 300, "released": 300, "holdout": 300}
    assert {"tstr", "memorisation"} <= judged["scores"].keys()
    assert "membership_auc" not in judged["scores"]  # of pictures that were kept everybody knows whose they are
    page = Path("r.html").read_text()
    assert "How much the released set of pictures looks like the real one." in page
    assert "How near released pictures lie to real ones" in page


def test_what_was_measured_when_fitting_is_a_part_of_the_page() -> None:
    panel = fills_panel({"error": 48.5, "error_if_seen": 49.0, "spread": 39.6})
    assert panel is not None
    assert panel.table is not None
    assert [row[1] for row in panel.table.rows] == ["48.5", "49.0", "39.6"]
    audit = {f"{name}_{when}": 0.5 for name in ("secret", "keep") for when in ("before", "after", "guess")}
    both = readers_panel(audit, "parity", "label")
    assert both is not None
    assert both.table is not None
    assert [row[0] for row in both.table.rows] == ["parity (hidden)", "label (kept)"]
    assert fills_panel({}) is None
    assert readers_panel({}, "parity", None) is None
