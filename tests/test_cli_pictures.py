"""`masquerade synthesize` on picture sets: what it writes, what it refuses, what it leaves behind."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits

from masquerade.cli import run
from masquerade.loading import load
from masquerade.picture_files import read_pictures, write_pictures
from masquerade.pictures import Pictures

QUICK = ["--epochs", "1", "--quiet"]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    data = load_digits()
    images = (data.images[:80] * 255 / 16).round().astype(np.uint8)
    np.savez("digits.npz", images=images, labels=data.target[:80])
    return tmp_path


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_folder_of_classes_in_and_out(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    digits = load_digits()
    images = (digits.images[:60] * 255 / 16).round().astype(np.uint8)
    write_pictures("set", Pictures(images, {"label": np.where(digits.target[:60] < 5, "few", "many")}))
    asked = ["synthesize", "set", "-o", "made", "--seed", "3", "--save", "model.mq", "--watch", "grids", *QUICK]
    assert run([*asked, "--tensorboard", "logs", "--epochs", "2", "--report", "report.html"]) == 0
    assert "What the model logged after each epoch." in Path("report.html").read_text()
    assert len(list((here / "logs").glob("events.out.tfevents.*"))) == 1
    made = read_pictures("made")
    assert len(made) == 60
    assert set(made.labels["label"]) <= {"few", "many"}
    assert json.loads(Path("made.ledger.json").read_text())["guarantee"] == "none"
    assert names(here / "grids") == {"epoch-001.png", "epoch-002.png"}
    model = load("model.mq")
    assert type(model).__name__ == "ImageGAN"
    again = model.sample(60, random_state=3)
    assert (np.sort(again.images.sum(axis=(1, 2, 3))) == np.sort(made.images.sum(axis=(1, 2, 3)))).all()
    assert (
        run(
            [
                "synthesize",
                "set",
                "-o",
                "one.npz",
                "--start-from",
                "model.mq",
                "--freeze",
                "up, paint",
                "--given",
                "label=few",
                "--rows",
                "4",
                *QUICK,
            ]
        )
        == 0
    )
    assert read_pictures("one.npz").labels["label"].tolist() == ["few"] * 4


def test_under_a_guarantee(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = [
        "synthesize",
        "digits.npz",
        "-o",
        "made.npz",
        "--epsilon",
        "10",
        "--delta",
        "1e-5",
        "--max-minutes",
        "0.05",
    ]
    assert run([*asked, "--classes", "0,1,2,3,4,5,6,7,8,9", "--save", "model.mq", "--quiet"]) == 0
    made = read_pictures("made.npz")
    assert set(made.labels["label"].tolist()) <= set(range(10))
    assert len(made) == load("model.mq").noised_rows_
    assert json.loads(Path("made.npz.ledger.json").read_text())["unit"] == "picture"
    capsys.readouterr()
    assert run(["verify", "model.mq", "--at-most", "10"]) == 0
    assert "holds" in capsys.readouterr().out
    more = ["sample", "model.mq", "-n", "5", "--seed", "1", "--quiet"]
    assert run([*more, "-o", "sevens", "--given", "label=7"]) == 0
    assert read_pictures("sevens").labels["label"].tolist() == [7] * 5
    assert json.loads(Path("sevens.ledger.json").read_text()) == json.loads(Path("made.npz.ledger.json").read_text())
    capsys.readouterr()
    for options, words in (
        (["-o", "s.csv"], "the ending '.csv' is unknown"),
        (["-o", "t", "--unit", "writer"], "--unit: is for tables, and model.mq holds a model of pictures"),
        (["-o", "t", "--given", "label=ten"], "expected label=CLASS"),
    ):
        assert run([*more, *options]) == 2
        assert words in " ".join(capsys.readouterr().err.split())
    assert not {"s.csv", "t", "t.ledger.json"} & names(here)


def test_a_gan_under_a_guarantee(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from masquerade.synthesize import image_private

    monkeypatch.setattr(image_private, "MATCHING_STEPS", 20)
    monkeypatch.setattr(image_private, "FEATURES", 300)
    asked = ["synthesize", "digits.npz", "-o", "made.npz", "--model", "imagegan", "--epsilon", "10", "--delta", "1e-5"]
    asked += ["--classes", ",".join(map(str, range(10))), "--epochs", "2", "--save", "model.mq", "--quiet"]
    assert run(asked) == 0
    assert len(read_pictures("made.npz")) == load("model.mq").noised_rows_
    assert run(["verify", "model.mq", "--at-most", "10"]) == 0
    assert "holds" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("given", "match"),
    [
        (["--epsilon", "1"], "name all that there may be"),
        (["--epsilon", "1", "--classes", "a,b"], "expected integers"),
        (["--epsilon", "1", "--classes", "0,1", "--seed", "1"], "--seed: a published seed"),
        (["--epsilon", "1", "--classes", "0,1", "--epochs", "3"], "--epochs"),
        (["--epsilon", "1", "--classes", "0,1", "--start-from", "digits.npz"], "--start-from"),
        (["--epsilon", "1", "--classes", "0,1", "--model", "imagegan", "--keep-epochs", "e"], "--keep-epochs"),
        (["--epsilon", "1", "--classes", "0,1", "--model", "imagegan", "--freeze", "up"], "--freeze"),
        (
            ["--epsilon", "1", "--classes", "0,1", "--model", "dcgan"],
            "cannot keep a guarantee; with --epsilon take imagegan or merf",
        ),
        (["--epsilon", "1", "--rows-per-unit", "2", "--classes", "0,1"], "--rows-per-unit: is for tables"),
        (["--classes", "0,1"], "--classes: is part of a guarantee"),
        (["--delta", "1e-5"], "--delta: is part of a guarantee"),
        (["--model", "merf"], "learns under a guarantee only"),
        (["--model", "imagegam"], "did you mean 'imagegan'"),
        (["--given", "label=12"], "label=CLASS with one of the classes 0, 1"),
        (["--given", "class=1"], "label=CLASS with one of the classes 0, 1"),
        (["--rebalance", "y:a=0.5"], "--rebalance: is for tables"),
        (["--schema", "digits.npz"], "--schema: is for tables"),
        (["--holdout-share", "0.2"], "--holdout-share"),
        (["--size", "9x9"], "multiples of 4"),
        (["--start-from", "missing.mq"], "missing.mq"),
        (["--freeze", "up"], "--freeze: there are no layers to keep"),
    ],
)
def test_what_is_refused_leaves_nothing(
    given: list[str], match: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = names(here)
    assert run(["synthesize", "digits.npz", "-o", "made", "--quiet", *given]) == 2
    error = " ".join(capsys.readouterr().err.split())
    assert match in error
    assert names(here) == before


def test_options_of_pictures_are_refused_for_tables(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("t.csv").write_text("a\n1\n2\n")
    for option in (
        ["--watch", "x"],
        ["--tensorboard", "x"],
        ["--wandb", "x"],
        ["--freeze", "up"],
        ["--size", "8x8"],
        ["--classes", "0,1"],
    ):
        assert run(["synthesize", "t.csv", "-o", "o.csv", *option]) == 2
        assert "is for picture sets" in " ".join(capsys.readouterr().err.split())
