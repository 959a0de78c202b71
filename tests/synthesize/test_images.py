"""The contract of every GAN of pictures: shapes, classes, conditions, seeds, files."""

from __future__ import annotations

import random
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from masquerade import artifact
from masquerade.errors import ArtifactError, ConditionError, SettingError, TableError
from masquerade.loading import load
from masquerade.nets.weights import to_arrays
from masquerade.pictures import Pictures
from masquerade.progress import Progress
from masquerade.synthesize.dcgan import DCGAN
from masquerade.synthesize.image_base import ImageSynthesizer
from masquerade.synthesize.imagegan import ImageGAN

SMALL: dict[str, Any] = {"width": 4, "latent_width": 4, "batch_size": 16, "random_state": 3}


def bars(count: int = 60, channels: int = 1) -> Pictures:
    """Grey noise with a white bar: on top in class `top`, below in class `under`."""
    images = np.random.default_rng(0).integers(0, 60, (count, 8, 8, channels), dtype=np.uint8)
    classes = np.where(np.arange(count) % 3 == 0, "top", "under")
    images[classes == "top", :3] = 250
    images[classes == "under", 5:] = 250
    return Pictures(images, {"label": classes})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("watched")


@pytest.fixture(scope="module")
def gan(folder: Path) -> ImageGAN:
    return ImageGAN(epochs=2, watch=folder / "grids", keep_epochs=folder / "models", **SMALL).fit(bars())


@pytest.fixture(scope="module")
def dcgan() -> DCGAN:
    images = np.random.default_rng(0).integers(0, 255, (40, 12, 8, 3), dtype=np.uint8)
    return DCGAN(epochs=1, **SMALL).fit(images)


def test_shapes_and_classes_of_text(gan: ImageGAN) -> None:
    drawn = gan.sample(40)
    assert drawn.images.shape == (40, 8, 8, 1)
    assert drawn.images.dtype == np.uint8
    assert set(drawn.labels["label"]) == {"top", "under"}
    assert gan.classes_.tolist() == ["top", "under"]
    assert gan.shape_ == (8, 8, 1)
    counted = gan.sample(3_000, random_state=0).counts()
    assert abs(counted["top"] / 3_000 - 1 / 3) < 0.05


def test_colour_and_no_classes(dcgan: DCGAN) -> None:
    drawn = dcgan.sample(5)
    assert drawn.images.shape == (5, 12, 8, 3)
    assert not drawn.labels
    with pytest.raises(ConditionError, match="without labels"):
        dcgan.sample(2, given={"label": 1})


def test_none_one_and_more_than_a_block(gan: ImageGAN) -> None:
    assert gan.sample(0).images.shape == (0, 8, 8, 1)
    assert len(gan.sample(1)) == 1
    assert len(gan.sample(501, random_state=0)) == 501
    sizes = [len(part) for part in gan.sample_chunks(25, chunk_pictures=10)]
    assert sizes == [10, 10, 5]


def test_given_classes(gan: ImageGAN) -> None:
    assert gan.sample(4, given={"label": "top"}).labels["label"].tolist() == ["top"] * 4
    assert gan.sample(given={"label": ["under", "top"]}).labels["label"].tolist() == ["under", "top"]
    for given, n, match in (
        ({"label": "tip"}, 2, "did you mean 'top'"),
        ({"lable": "top"}, 2, "did you mean 'label'"),
        ({"label": ["top"]}, 2, "leave one of them out"),
        ({"label": "top"}, None, "how many pictures"),
        (None, None, "how many pictures"),
        (None, -1, "at least 0"),
    ):
        with pytest.raises((ConditionError, SettingError), match=match):
            gan.sample(n, given=given)


def test_seeds_decide_what_is_drawn(gan: ImageGAN) -> None:
    first, second, other = (gan.sample(9, random_state=seed).images for seed in (5, 5, 6))
    assert (first == second).all()
    assert (first != other).any()
    assert (gan.sample(9).images != gan.sample(9).images).any()


def test_a_seed_makes_the_same_model_and_leaves_the_world_alone(gan: ImageGAN) -> None:
    pictures = bars()
    before = pictures.images.copy()
    python_state, numpy_state = random.getstate(), np.random.get_state()[1].copy()  # noqa: NPY002
    told: list[Progress] = []
    again = ImageGAN(epochs=2, callbacks=(told.append,), **SMALL).fit(pictures)
    assert (again.sample(20, random_state=1).images == gan.sample(20, random_state=1).images).all()
    assert (pictures.images == before).all()
    assert random.getstate() == python_state
    assert (np.random.get_state()[1] == numpy_state).all()  # noqa: NPY002
    assert {fact.stage for fact in told} == {"compile", "train"}
    assert [entry["epoch"] for entry in again.history_] == [1, 2]
    assert {"critic", "generator", "score", "frechet_distance", "memorisation"} <= again.history_[-1].keys()
    assert not again.interrupted_
    assert again.ledger_.guarantee == "none"


@pytest.mark.parametrize("name", ["gan", "dcgan"])
def test_save_and_load_give_the_same_pictures(name: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    model: ImageSynthesizer = request.getfixturevalue(name)
    model.save(tmp_path / "model.mq")
    back = load(tmp_path / "model.mq")
    assert type(back) is type(model)
    assert (back.sample(7, random_state=2).images == model.sample(7, random_state=2).images).all()
    assert back.ledger_ == model.ledger_
    assert back.history_ == model.history_
    assert back.classes_.tolist() == model.classes_.tolist()


def test_what_a_forged_model_leads_to_is_the_files_fault(gan: ImageGAN, tmp_path: Path) -> None:
    """Numbers that only fail when pictures are drawn still end in one clear line; a fitted model's own mistake does not."""
    gan.save(tmp_path / "model.mq")
    back = load(tmp_path / "model.mq")
    back._shares = np.array([0.5, 0.7])
    with pytest.raises(ArtifactError, match=r"model\.mq: does not work \(ValueError: .*damaged or altered"):
        back.sample(5)
    back.classes_ = back.classes_[:1]
    with pytest.raises(ArtifactError, match=r"model\.mq: does not work"):
        next(back._chunks(np.array([1], np.int32), 0, 5))
    back._file = None
    with pytest.raises(ValueError, match="sum to 1"):
        back.sample(5)


@pytest.mark.parametrize("shape", [(8_000_000, 8, 1), (8, 10, 1), (8, 8, 2), (0, 8, 1)])
def test_a_shape_that_no_net_has_is_refused_before_any_is_made(
    shape: tuple[int, ...], gan: ImageGAN, tmp_path: Path
) -> None:
    gan.save(tmp_path / "model.mq")
    part = artifact.read(tmp_path / "model.mq")
    artifact.write(tmp_path / "forged.mq", part.kind, {**part.config, "shape": list(shape)}, part.arrays)
    with pytest.raises(ArtifactError, match=f"pictures of {shape[0]} x {shape[1]}"):
        load(tmp_path / "forged.mq")


def test_no_training_picture_is_in_the_file(gan: ImageGAN, tmp_path: Path) -> None:
    gan.save(tmp_path / "model.mq")
    with zipfile.ZipFile(tmp_path / "model.mq") as archive:
        content = b"".join(archive.read(name) for name in archive.namelist())
    assert b"under" in content  # a class is there, so the search can find something
    for picture in bars().images:
        assert picture.tobytes() not in content
        assert picture[3:5].tobytes() not in content
        assert (picture / np.float32(127.5) - 1).astype(np.float32).tobytes() not in content


def test_grids_and_models_of_epochs(gan: ImageGAN, folder: Path) -> None:
    assert sorted(path.name for path in (folder / "grids").iterdir()) == ["epoch-001.png", "epoch-002.png"]
    models = sorted((folder / "models").iterdir())
    assert [path.name for path in models] == ["epoch-001.mq", "epoch-002.mq"]
    first, second = (load(path).sample(5, random_state=0).images for path in models)
    assert (first != second).any()


def test_going_on_from_a_public_model(gan: ImageGAN, dcgan: DCGAN, tmp_path: Path) -> None:
    gan.save(tmp_path / "public.mq")
    tiny = {**SMALL, "epochs": 1, "learning_rate": 1e-12, "patience": None}
    on = ImageGAN(**tiny).fit(bars(), start_from=tmp_path / "public.mq")
    asked = {"given": {"label": ["top", "under"] * 4}, "random_state": 0}
    assert np.abs(on.sample(**asked).images.astype(int) - gan.sample(**asked).images).max() <= 1  # type: ignore[arg-type]
    for start, pictures, match in (
        (dcgan, bars(), "got a DCGAN"),
        (gan, Pictures(np.zeros((20, 16, 16), np.uint8)), "start_from"),
    ):
        with pytest.raises(SettingError, match=match):
            ImageGAN(**{**tiny, "width": 8 if start is gan else 4}).fit(pictures, start_from=start)


def test_layers_that_stay_as_in_the_public_model(gan: ImageGAN) -> None:
    settings = {**SMALL, "epochs": 2, "patience": None, "random_state": 8}
    on = ImageGAN(**settings).fit(bars(), start_from=gan, freeze=["up", "first.inner"])
    before, after = to_arrays(gan._params), to_arrays(on._params)
    same = {name for name, array in before.items() if (array == after[name]).all()}
    frozen = {".up.weight", ".up.bias", ".first.inner.weight", ".first.inner.bias"}
    assert frozen <= same
    assert not {".start.weight", ".first.outer.weight", ".paint.weight", ".tell.weight"} & same


@pytest.mark.parametrize(
    ("freeze", "classes", "match"),
    [
        (["upp"], 2, "did you mean 'up'"),
        (["quarter"], 2, "expected layers of the generator: tell, start, first"),
        ("first.outher", 2, "freeze: got 'first.outher'"),
        (["tell"], 3, "'tell' starts afresh"),
        (["tell", "start", "first", "up", "second", "last", "paint"], 2, "some that are left to train"),
    ],
)
def test_layers_that_cannot_stay(gan: ImageGAN, freeze: list[str], classes: int, match: str) -> None:
    pictures = Pictures(bars().images, {"label": np.arange(60) % classes})
    with pytest.raises(SettingError, match=match):
        ImageGAN(**SMALL, epochs=1).fit(pictures, start_from=gan, freeze=freeze)
    with pytest.raises(SettingError, match="without start_from"):
        ImageGAN(**SMALL, epochs=1).fit(pictures, freeze=freeze)


def test_interrupted_training_keeps_what_there_is() -> None:
    def stop(progress: Progress) -> None:
        # The referee's net trains first, without losses of two sides.
        if progress.stage == "train" and "critic" in progress.losses and progress.done >= 1:
            raise KeyboardInterrupt

    model = ImageGAN(**{**SMALL, "epochs": 50, "callbacks": (stop,)}).fit(bars())
    assert model.interrupted_
    assert len(model.sample(3)) == 3


@pytest.mark.parametrize(
    ("images", "labels", "match"),
    [
        (np.zeros((9, 8, 8), np.uint8), None, "at least 10"),
        (np.zeros((20, 9, 8), np.uint8), None, "multiples of 4"),
        (np.zeros((20, 68, 68), np.uint8), None, "multiples of 4"),
        (np.zeros((20, 8, 8), np.float32), None, "uint8"),
        (np.zeros((20, 8, 8, 2), np.uint8), None, "height, width"),
        (np.zeros((20, 8, 8), np.uint8), np.zeros(19, int), "19"),
        (np.zeros((20, 8, 8), np.uint8), np.arange(20) // 19, "class 1 has 1 picture"),
    ],
)
def test_pictures_that_cannot_be_modelled(images: np.ndarray, labels: Any, match: str) -> None:
    with pytest.raises(TableError, match=match):
        ImageGAN(**SMALL).fit(images, labels)


@pytest.mark.parametrize(
    "settings",
    [{"epochs": 0}, {"width": 3}, {"batch_size": 0}, {"learning_rate": 0}, {"penalty": -1}, {"max_minutes": 0}],
)
def test_settings_out_of_range(settings: dict[str, Any]) -> None:
    with pytest.raises(SettingError, match=next(iter(settings))):
        ImageGAN(**settings).fit(bars())
