"""Pictures under a guarantee: what is refused, what is spent, what comes out, and what the file holds."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from masquerade.errors import MasqueradeWarning, SettingError, TableError
from masquerade.loading import load
from masquerade.nets.picture_merf import WindowFeatures
from masquerade.pictures import Pictures
from masquerade.privacy.accounting import epsilon_of
from masquerade.privacy.budget import Privacy
from masquerade.privacy.sums import GRID, longest
from masquerade.synthesize.image_guarantee import class_numbers, class_sums
from masquerade.synthesize.merf import DPMERF

pytest.importorskip("dp_accounting")

PRIVACY = Privacy(epsilon=8.0, delta=1e-5)
SMALL: dict[str, Any] = {"privacy": PRIVACY, "features": 3_000, "width": 8, "latent_width": 8, "batch_size": 40}


def bars(count: int = 900) -> Pictures:
    """Noise with a white bar: on top in class 3, below in class 7, which is twice as frequent; a few of class 9."""
    images = np.random.default_rng(0).integers(0, 60, (count, 8, 8, 1), dtype=np.uint8)
    classes = np.where(np.arange(count) % 3 == 0, 3, 7)
    images[classes == 3, :3] = 250
    images[classes == 7, 5:] = 250
    classes[-5:] = 9
    return Pictures(images, {"label": classes})


@pytest.fixture(scope="module")
def model() -> DPMERF:
    return DPMERF(classes=[3, 7], steps=450, **SMALL).fit(bars())


def test_it_learns_what_is_on_each_class(model: DPMERF) -> None:
    drawn = model.sample(600, random_state=0)
    tops, unders = (drawn.images[drawn.labels["label"] == kind].astype(float) for kind in (3, 7))
    assert tops[:, :3].mean() - tops[:, 5:].mean() > 80
    assert unders[:, 5:].mean() - unders[:, :3].mean() > 80
    assert abs(len(tops) / 600 - 1 / 3) < 0.12
    assert abs(model.noised_rows_ - 895) < 60  # the five of class 9 are left out
    assert (model.sample(given={"label": [7, 3]}).labels["label"] == [7, 3]).all()


def test_the_ledger_says_what_was_done(model: DPMERF) -> None:
    ledger = model.ledger_
    assert ledger.guarantee == "differential privacy"
    assert (ledger.unit, ledger.mechanism, ledger.delta) == ("picture", "DPMERF", 1e-5)
    assert [event["kind"] for event in ledger.events] == ["discrete_gaussian", "gaussian"]
    assert ledger.epsilon is not None
    assert epsilon_of(ledger.events, 1e-5) <= ledger.epsilon <= 8.0
    assert ledger.epsilon > 7.9
    assert model.history_ == [{"step": 440.0, "epsilon": ledger.epsilon}]  # 450 in 20 equal parts


def test_save_and_load(model: DPMERF, tmp_path: Path) -> None:
    model.save(tmp_path / "model.mq")
    back = load(tmp_path / "model.mq")
    assert (back.sample(7, random_state=2).images == model.sample(7, random_state=2).images).all()
    assert back.ledger_ == model.ledger_
    assert back.noised_rows_ == model.noised_rows_
    assert back.get_params()["privacy"] == PRIVACY
    assert list(back.get_params()["classes"]) == [3, 7]
    with zipfile.ZipFile(tmp_path / "model.mq") as archive:
        content = b"".join(archive.read(name) for name in archive.namelist())
    for picture in bars().images[:100]:
        assert picture[3:5].tobytes() not in content
    # Nothing of the pictures but noised sums: the object keeps no array of their number.
    assert not any(isinstance(value, np.ndarray) and len(value) > 100 for value in vars(model).values())


def test_neighbours_differ_by_the_bound_before_noise() -> None:
    pictures, features = bars(60), WindowFeatures((8, 8, 1), 1_000)
    numbers = class_numbers(pictures, np.array([3, 7]))
    assert (numbers[-5:] == -1).all()
    numbers[-5:] = 0
    both = class_sums(features, pictures.images, numbers, 2)
    for left_out in (0, 13, 59):
        kept = np.arange(60) != left_out
        difference = both - class_sums(features, pictures.images[kept], numbers[kept], 2)
        length = float(np.square(difference.astype(float)).sum()) ** 0.5
        assert 0.99 * GRID < length <= longest(features.width)
        assert (difference.any(axis=1) == (np.arange(2) == numbers[left_out])).all()


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"random_state": 1}, "random_state"),
        ({"classes": None}, "must be public"),
        ({"classes": [3, 3]}, "twice"),
        ({"classes": [3, "7"]}, "list of integers or of texts"),
        ({"classes": "37"}, "list of integers or of texts"),
        ({"classes": []}, "list of integers or of texts"),
        ({"privacy": 8.0}, "privacy"),
        ({"privacy": Privacy(epsilon=1.0, unit="who")}, "each picture is its own"),
        ({"privacy": Privacy(epsilon=1.0, delta=0.1)}, "delta"),
        ({"steps": 0}, "steps"),
        ({"features": 0}, "features"),
    ],
)
def test_what_is_refused(settings: dict[str, Any], match: str) -> None:
    with pytest.raises(SettingError, match=match):
        DPMERF(**{**SMALL, "classes": [3, 7], **settings}).fit(bars(150))


def test_pictures_that_cannot_be_modelled() -> None:
    with pytest.raises(TableError, match="multiples of 4"):
        DPMERF(**SMALL).fit(np.zeros((20, 9, 9), np.uint8))
    with pytest.raises(TableError, match="have none"):
        DPMERF(classes=[0, 1], **SMALL).fit(np.zeros((20, 8, 8), np.uint8))
    with pytest.warns(MasqueradeWarning, match="weak"):
        loud = Privacy(epsilon=20.0, delta=0.01)  # noise of 10 pictures has a chance below 1e-8 there
    with pytest.raises(TableError, match="counted with noise"):
        DPMERF(**{**SMALL, "privacy": loud}).fit(np.zeros((0, 8, 8), np.uint8))
