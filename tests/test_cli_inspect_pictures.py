"""`masquerade inspect` on picture sets: what it shows and writes, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from masquerade.cli import run
from masquerade.picture_files import write_pictures
from masquerade.pictures import Pictures


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    return tmp_path


@pytest.fixture
def digits(here: Path) -> Path:
    """A folder of 60 digits with a further label, one picture twice, two damaged."""
    data = load_digits()
    images = (data.images[:60] * 255 / 16).round().astype(np.uint8)
    images[59] = images[0]  # a zero under another class
    rare = np.where(np.arange(60) < 57, "right", "left")
    write_pictures("set", Pictures(images, {"label": data.target[:60], "hand": rare}))
    for name in ("1/000001.png", "2/000002.png"):
        (here / "set" / name).write_bytes(b"no picture")
    return here / "set"


def test_photographs_are_shown_small(here: Path) -> None:
    for name, side in (("a", 900), ("b", 900), ("c", 300)):
        Image.fromarray(np.full((side, 450), 90, np.uint8)).save(here / f"{name}.png")
    assert run(["inspect", ".", "-o", "sheet.png"]) == 0
    with Image.open(here / "sheet.png") as sheet:
        assert sheet.height < 300
        assert sheet.width < 3 * 140


def test_what_is_shown(digits: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["inspect", "set", "--protect", "5"]) == 0
    shown = capsys.readouterr().out
    assert "58 pictures, 8x8 (height x width), grey" in shown
    assert "Equal to an earlier picture: 1, 1 of them under another class" in shown
    assert "Cannot be read: 2, first 1/000001.png (not a PNG" in shown
    assert "2 values: right (55), 1 more" in shown  # left is rarer than 5
    assert run(["inspect", "set", "--protect", "0"]) == 0
    assert "2 values: left (3), right (55)" in capsys.readouterr().out


def test_facts_as_json(digits: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["inspect", "set", "-o", "facts.json", "--quiet"]) == 0
    assert capsys.readouterr().out == ""
    facts = json.loads(Path("facts.json").read_text())
    assert facts["pictures"] == 58
    assert facts["sizes"] == [{"height": 8, "width": 8, "pictures": 58}]
    assert facts["modes"] == {"grey": 58}
    assert sum(facts["labels"]["label"].values()) == 58
    assert facts["duplicates"] == {"pictures": 1, "of_another_class": 1}
    assert facts["bad"]["pictures"] == 2
    assert facts["bad"]["first"][0]["picture"] == "1/000001.png"


def test_a_contact_sheet(digits: Path) -> None:
    assert run(["inspect", "set", "-o", "sheet.png"]) == 0
    with Image.open("sheet.png") as sheet:
        assert sheet.size[0] == 10 * (8 * 7 + 1) + 1


def test_mixed_sets_are_shown_not_refused(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "set").mkdir()
    for i, (mode, size) in enumerate([("L", (4, 6)), ("RGB", (4, 6)), ("RGB", (9, 9))]):
        Image.new(mode, size).save(here / "set" / f"{i}.png")
    assert run(["inspect", "set", "-o", "sheet.png"]) == 0
    shown = capsys.readouterr().out
    assert "3 pictures, of 2 sizes (height x width), mostly 6x4, mixed modes: RGB (2), grey (1)" in shown
    with Image.open("sheet.png") as sheet:
        assert sheet.mode == "RGB"


def test_arrays(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    np.savez("a.npz", images=np.zeros((3, 5, 6, 4), np.uint8), labels=["x", "y", "x"])
    assert run(["inspect", "a.npz"]) == 0
    shown = capsys.readouterr().out
    assert "3 pictures, 5x6 (height x width), RGBA" in shown
    assert "Equal to an earlier picture: 2" in shown


def test_what_is_refused(digits: Path, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "bad").mkdir()
    (here / "bad" / "a.png").write_bytes(b"x")
    (here / "empty").mkdir()
    (here / "key").write_text("a long enough password\n")
    for arguments, message in (
        (["set", "--schema", "s.toml"], "--schema: is for tables"),
        (["set", "--unit", "hand"], "--unit: is for tables"),
        (["set", "-o", "schema.toml"], "expected one of .png, .json"),
        (["set", "-o", "set.json", "--password-file", "key"], "nothing that is read is sealed"),
        (["bad", "-o", "sheet.png"], "none of 1 pictures can be read, first a.png"),
        (["empty"], "there is no picture in it"),
        (["gone.npz"], "no such file"),
    ):
        assert run(["inspect", *arguments]) == 2
        error = capsys.readouterr().err
        assert error.count("\n") == 1
        assert message in error
    assert sorted(path.name for path in here.iterdir()) == ["bad", "empty", "key", "set"]
