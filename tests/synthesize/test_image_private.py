"""`ImageGAN` under a guarantee: what is refused, what is spent, what comes out, and what the file holds."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

from masquerade import artifact
from masquerade.errors import SettingError, TableError
from masquerade.loading import load
from masquerade.pictures import Pictures
from masquerade.privacy.accounting import epsilon_of
from masquerade.privacy.budget import Privacy
from masquerade.synthesize import image_private
from masquerade.synthesize.imagegan import ImageGAN

pytest.importorskip("dp_accounting")

PRIVACY = Privacy(epsilon=8.0, delta=1e-5)
SMALL: dict[str, Any] = {"privacy": PRIVACY, "classes": [3, 7], "width": 8, "latent_width": 8}


@pytest.fixture(scope="module", autouse=True)
def quick() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(image_private, "MATCHING_STEPS", 600)  # with 200, one fit in twenty is not there yet
        patch.setattr(image_private, "FEATURES", 1_500)
        yield


def bars(count: int = 900) -> Pictures:
    """Noise with a white bar: on top in class 3, below in class 7, which is twice as frequent; a few of class 9."""
    images = np.random.default_rng(0).integers(0, 60, (count, 8, 8, 1), dtype=np.uint8)
    classes = np.where(np.arange(count) % 3 == 0, 3, 7)
    images[classes == 3, :3] = 250
    images[classes == 7, 5:] = 250
    classes[-5:] = 9
    return Pictures(images, {"label": classes})


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> ImageGAN:
    return ImageGAN(epochs=3, batch_size=64, watch=tmp_path_factory.mktemp("watch"), **SMALL).fit(bars())


def test_it_learns_what_is_on_each_class(model: ImageGAN) -> None:
    drawn = model.sample(600, random_state=0)
    tops, unders = (drawn.images[drawn.labels["label"] == kind].astype(float) for kind in (3, 7))
    assert tops[:, :3].mean() - tops[:, 5:].mean() > 40
    assert unders[:, 5:].mean() - unders[:, :3].mean() > 40
    assert abs(len(tops) / 600 - 1 / 3) < 0.12
    assert abs(model.noised_rows_ - 895) < 60  # the five of class 9 are left out
    assert (model.sample(given={"label": [7, 3]}).labels["label"] == [7, 3]).all()
    assert len(list(Path(str(model.watch)).glob("epoch-*.png"))) == image_private.PARTS + 3


def test_the_ledger_says_what_was_done(model: ImageGAN) -> None:
    ledger = model.ledger_
    assert ledger.guarantee == "differential privacy"
    assert (ledger.unit, ledger.mechanism, ledger.delta) == ("picture", "ImageGAN", 1e-5)
    assert [event["kind"] for event in ledger.events] == ["discrete_gaussian", "gaussian", "poisson_gaussian"]
    steps = ledger.events[2]
    assert steps["count"] == 3 * round(model.noised_rows_ / 64)
    assert steps["rate"] == pytest.approx(64 / model.noised_rows_, rel=0.01)
    assert ledger.epsilon is not None
    assert epsilon_of(ledger.events, 1e-5) <= ledger.epsilon <= 8.0
    assert ledger.epsilon > 7.8
    assert model.history_[-1] == {"step": float(steps["count"]), "epsilon": pytest.approx(ledger.epsilon, rel=0.01)}
    assert all(set(entry) == {"step", "epsilon"} for entry in model.history_)


def test_save_and_load(model: ImageGAN, tmp_path: Path) -> None:
    model.save(tmp_path / "model.mq")
    back = load(tmp_path / "model.mq")
    assert (back.sample(7, random_state=2).images == model.sample(7, random_state=2).images).all()
    assert (back.ledger_, back.noised_rows_) == (model.ledger_, model.noised_rows_)
    assert (back.get_params()["privacy"], list(back.get_params()["classes"])) == (PRIVACY, [3, 7])
    with zipfile.ZipFile(tmp_path / "model.mq") as archive:
        content = b"".join(archive.read(name) for name in archive.namelist())
    for picture in bars().images[:100]:
        assert picture[3:5].tobytes() not in content
    # The generator and the noised shares of two classes are all the numbers that there are.
    numbers = sum(array.size for array in artifact.read(tmp_path / "model.mq").arrays.values())
    assert numbers == sum(leaf.size for leaf in jax.tree.leaves(model._net.skeleton())) + 2
    # Nothing is kept whose size is that of the pictures, and no net but the generator.
    assert not any(isinstance(value, np.ndarray) and len(value) > 100 for value in vars(model).values())


def test_in_a_short_time_without_classes_from_a_public_model(model: ImageGAN) -> None:
    images = np.random.default_rng(1).integers(0, 99, (200, 8, 8, 1), dtype=np.uint8)
    public = ImageGAN(epochs=1, width=8, latent_width=8, random_state=0).fit(images[:40])
    settings = {**SMALL, "classes": None}
    found = ImageGAN(epochs=400, batch_size=64, max_minutes=0.03, **settings).fit(images, start_from=public)
    assert found.sample(3).labels == {}
    assert (
        1 <= found.ledger_.events[2]["count"] < 4_000 * 2
    )  # planned beforehand, and no more than was planned is charged
    assert found.ledger_.epsilon is not None
    assert 7.8 < found.ledger_.epsilon <= 8.0
    with pytest.raises(SettingError, match="a guarantee of its own"):
        ImageGAN(**SMALL).fit(bars(), start_from=model)
    with pytest.raises(SettingError, match="freeze"):
        ImageGAN(**settings).fit(images, start_from=public, freeze=("up",))


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"random_state": 1}, "random_state"),
        ({"classes": None}, "must be public"),
        ({"classes": [3, 3]}, "twice"),
        ({"privacy": 8.0}, "privacy"),
        ({"privacy": None}, "without privacy"),
        ({"privacy": Privacy(epsilon=1.0, unit="who")}, "each picture is its own"),
        ({"privacy": Privacy(epsilon=1.0, delta=0.1)}, "delta"),
        ({"penalty": 1.0}, "penalty"),
        ({"patience": 3}, "patience"),
        ({"keep_epochs": "folder"}, "keep_epochs"),
        ({"batch_size": 0}, "batch_size"),
    ],
)
def test_what_is_refused(settings: dict[str, Any], match: str) -> None:
    with pytest.raises(SettingError, match=match):
        ImageGAN(**{**SMALL, **settings}).fit(bars(150))


def test_pictures_that_cannot_be_modelled() -> None:
    with pytest.raises(TableError, match="multiples of 4"):
        ImageGAN(**{**SMALL, "classes": None}).fit(np.zeros((20, 9, 9), np.uint8))
    with pytest.raises(TableError, match="have none"):
        ImageGAN(**SMALL).fit(np.zeros((20, 8, 8), np.uint8))
