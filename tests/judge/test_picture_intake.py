"""Pictures that come into a judgement: what is taken, what is refused, and samples in bounded memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from masquerade.errors import FileError, MasqueradeWarning, SettingError, TableError
from masquerade.judge import picture_intake
from masquerade.judge.picture_intake import picture_sets
from masquerade.picture_files import write_pictures
from masquerade.pictures import Pictures


def noise(count: int = 20, shape: tuple[int, ...] = (8, 8), seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, *shape), dtype=np.uint8)


def labels(count: int = 20, classes: int = 2) -> np.ndarray:
    return np.arange(count) % classes


def test_arrays_pairs_pictures_and_paths_are_the_same(tmp_path: Path) -> None:
    images, classes = noise(), labels()
    write_pictures(tmp_path / "set", Pictures(images, {"label": classes}))
    write_pictures(tmp_path / "set.npz", Pictures(images, {"label": classes}))
    pair = picture_sets((images, classes), tmp_path / "set.npz", Pictures(images, {"label": classes}))
    assert pair.names == (0, 1)
    assert pair.shape == (8, 8, 1)
    for side in (pair.real, pair.released, pair.holdout):
        assert side is not None
        assert (side.images[..., 0] == images).all()
        assert side.classes is not None
        assert side.classes.tolist() == classes.tolist()
    folder = picture_sets(str(tmp_path / "set"), (images, classes), None)
    assert folder.holdout is None
    assert sorted(map(bytes, folder.real.images)) == sorted(map(bytes, images[..., None]))


def test_texts_that_are_numbers_are_the_same_classes() -> None:
    sets = picture_sets((noise(), labels()), (noise(), labels().astype(str)), None)
    assert sets.released.classes is not None
    assert sets.released.classes.tolist() == labels().tolist()


@pytest.mark.parametrize(
    ("real", "released", "error", "message"),
    [
        (noise(9), noise(), TableError, "real: 9 pictures, expected at least 10"),
        (noise(), noise(0), TableError, "released: 0 pictures"),
        (noise(), noise(20, (10, 8)), TableError, r"released: pictures of 10x8 .* beside real ones of 8x8.*--size 8x8"),
        (noise(), noise() / 255.0, TableError, "released: images: got numbers of type float64"),
        (noise(), [1, 2], SettingError, "released: got a list, expected Pictures"),
        (noise(), (noise(), labels(19)), TableError, "released: label 'label'.*for 20 pictures"),
        (
            (noise(), labels()),
            (noise(), labels(20, 4)),
            TableError,
            "released: labels that do not match.* 2, 3, expected among 0, 1",
        ),
        (noise(), "nowhere.npz", FileError, "nowhere.npz: there is no such file"),
    ],
)
def test_what_cannot_be_judged_is_refused(real: Any, released: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        picture_sets(real, released, None)


def test_a_damaged_picture_is_named(tmp_path: Path) -> None:
    write_pictures(tmp_path / "set", Pictures(noise(), {"label": labels()}))
    (tmp_path / "set" / "1" / "000001.png").write_bytes(b"no picture")
    with pytest.raises(FileError, match=r"000001\.png"):
        picture_sets(tmp_path / "set", noise(), None)


@pytest.mark.parametrize("size", ["8x8", (8,), (8, 0), (8, 2.5), (True, 8)])
def test_sizes_that_cannot_be(size: Any) -> None:
    with pytest.raises(SettingError, match="size: got"):
        picture_sets(noise(), noise(), None, size=size)


def test_sizes_and_modes_are_brought_together() -> None:
    sets = picture_sets(noise(), noise(20, (16, 12)), None, size=(10, 6))
    assert sets.real.images.shape == sets.released.images.shape == (20, 10, 6, 1)
    with pytest.warns(MasqueradeWarning, match="real: grey pictures beside coloured ones"):
        sets = picture_sets(noise(), noise(20, (8, 8, 3)), None)
    assert sets.shape == (8, 8, 3)
    assert (sets.real.images[..., 0] == sets.real.images[..., 2]).all()
    with pytest.warns(MasqueradeWarning, match="100x50 pixels are judged at 64x32"):
        assert picture_sets(noise(20, (100, 50)), noise(20, (100, 50)), None).shape == (64, 32, 1)


def test_labels_that_are_missing_or_no_classes_are_told() -> None:
    with pytest.warns(MasqueradeWarning, match="real: the pictures have no labels"):
        assert picture_sets(noise(), (noise(), labels()), None).released.classes is None
    with pytest.warns(MasqueradeWarning, match="released: the pictures have no labels"):
        sets = picture_sets((noise(), labels()), noise(), None)
    assert sets.real.classes is not None
    assert sets.released.shares is None
    with pytest.warns(MasqueradeWarning, match="20 classes among 20 real pictures"):
        assert picture_sets((noise(), np.arange(20)), (noise(), np.arange(20)), None).names == ()
    with pytest.warns(MasqueradeWarning, match="released: there is no picture of the class 1"):
        sets = picture_sets((noise(), labels()), (noise(), 0 * labels()), None)
    assert sets.released.shares is not None
    assert sets.released.shares.tolist() == [1.0, 0.0]


@pytest.mark.parametrize("stored", [False, True])
def test_large_sets_are_sampled_evenly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, stored: bool) -> None:
    monkeypatch.setattr(picture_intake, "MOST_PICTURES", 100)
    monkeypatch.setattr(picture_intake, "_BATCH_BYTES", 64 * 3 * 16)
    images, classes = (
        np.repeat(np.arange(250, dtype=np.uint8), 4)[:, None, None] * np.ones((1, 8, 8), np.uint8),
        labels(1000, 5),
    )
    write_pictures(tmp_path / "many.npz", Pictures(images, {"label": classes}))
    given = tmp_path / "many.npz" if stored else Pictures(images, {"label": classes})
    released = noise(), labels(20, 5)
    with pytest.warns(MasqueradeWarning, match=r"real \(1,000\): large sets are judged on 100 random pictures"):
        sets = picture_sets(given, released, None)
    assert len(sets.real) == 100
    assert sets.real.count == 1000
    assert sets.real.shares is not None
    assert sets.real.shares.tolist() == [0.2] * 5
    places = sets.real.images[:, 0, 0, 0]
    assert (places < 125).sum() in range(25, 76)  # from all over the set
    assert sets.real.classes is not None
    assert set(sets.real.classes.tolist()) == set(range(5))
    with pytest.warns(MasqueradeWarning):
        again = picture_sets(given, released, None)
    assert (again.real.images == sets.real.images).all()
