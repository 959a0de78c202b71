"""`masquerade desensitize` on picture sets."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits

from masquerade.cli import run
from masquerade.cli.picture_desensitizing import told_of
from masquerade.picture_files import read_pictures, write_pictures
from masquerade.pictures import Pictures
from masquerade.release.image_desensitize import ImageDesensitizer


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    return tmp_path


@pytest.fixture
def digits(here: Path) -> Pictures:
    data = load_digits()
    images = (data.images[:400] * 255 / 16).round().astype(np.uint8)
    odd, big = data.target[:400] % 2, (data.target[:400] >= 5).astype(int)
    pictures = Pictures(images, {"label": data.target[:400], "odd": odd, "big": big})
    write_pictures("set.npz", pictures)
    return pictures


def test_a_kept_release_is_used_on_pictures_without_labels(
    digits: Pictures, capsys: pytest.CaptureFixture[str]
) -> None:
    release = ImageDesensitizer(hide="odd", keep="big", generator="vae", epochs=3, random_state=0).fit(digits)
    release.save("d.mq")
    assert run(["desensitize", "set.npz", "-o", "out.npz", "--using", "d.mq", "--seed", "0"]) == 0
    shown = capsys.readouterr()
    said = " ".join((shown.out + shown.err).split())
    assert "odd: read from" in said
    assert "by a fresh attacker" in said
    made = read_pictures("out.npz")
    assert set(made.labels) == {"big"}
    assert (made.images == release.transform(digits).images).all()
    ledger = json.loads(Path("out.npz.ledger.json").read_text())
    assert ledger["aligned"] is True
    assert ledger["dropped"] == ["label", "odd"]
    write_pictures("bare.npz", Pictures(digits.images[:30]))
    assert run(["desensitize", "bare.npz", "-o", "two.npz", "--using", "d.mq", "--strength", "0.5", "--quiet"]) == 0
    assert len(read_pictures("two.npz")) == 30
    capsys.readouterr()
    assert run(["desensitize", "set.npz", "-o", "no.npz", "--using", "d.mq", "--hide", "big"]) == 2
    assert "--hide" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], "--hide: no label is named"),
        (["--hide", "odd,big"], "expected one label"),
        (["--hide", "odd", "--keep", "odd"], "also to be hidden"),
        (["--hide", "odd", "--keep", "label"], "cannot be kept"),
        (["--hide", "even"], "have no label 'even'"),
        (["--hide", "odd", "--replace", "drop"], "--replace: is for tables"),
        (["--hide", "odd", "--strength", "2"], "strength"),
    ],
)
def test_refused(digits: Pictures, options: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["desensitize", "set.npz", "-o", "out", *options]) == 2
    assert words in " ".join(capsys.readouterr().err.split())
    assert not Path("out").exists()
    assert not Path("out.ledger.json").exists()


def test_what_had_to_be_given_up_is_said() -> None:
    facts = {"secret_before": 0.99, "secret_after": 0.6, "secret_guess": 0.6, "code_share": 0.0}
    assert "nothing was kept" in told_of(facts, "odd", None)[-1]
    assert len(told_of(facts | {"code_share": 0.5}, "odd", None)) == 1
