"""Augmenting picture sets: real ones first, labels kept, classes levelled by a model, and classifiers that gain by it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.svm import SVC

import masquerade as mq
from masquerade.errors import ConditionError, MasqueradeWarning, SettingError, TableError
from masquerade.pictures import Pictures


class Ellipsoid:
    """A model of pictures: the mean of each value of a label and the deviation of each pixel, with normal noise."""

    def fit(self, pictures: Pictures, label: str = "label") -> Ellipsoid:
        flat = pictures.images.astype(float)
        self.label = label
        self.shapes = {
            level: (flat[pictures.labels[label] == level].mean(0), flat[pictures.labels[label] == level].std(0))
            for level in pictures.counts(label)
        }
        return self

    def sample(self, n: int, given: Mapping[str, Any] | None = None, random_state: int | None = None) -> Pictures:
        ((label, level),) = (given or {}).items()
        if label != self.label or level not in self.shapes:
            raise ConditionError(f"given: {label}={level!r} is not known.")
        mean, deviation = self.shapes[level]
        noise = np.random.default_rng(random_state).normal(size=(n, *mean.shape))
        images = np.clip(mean + deviation * noise, 0, 255).round().astype(np.uint8)
        return Pictures(images, {label: np.full(n, level)})


@pytest.fixture(scope="module")
def digits() -> Pictures:
    data = load_digits()
    return Pictures((data.images * 255 / 16).round().astype(np.uint8), {"label": data.target})


@pytest.fixture(scope="module")
def uneven(digits: Pictures) -> Pictures:
    """Ones, twos and threes; few twos, and a single three."""
    found = [np.flatnonzero(digits.labels["label"] == level)[:count] for level, count in ((1, 40), (2, 12), (3, 1))]
    return digits[np.concatenate(found)]


def accuracy(train: Pictures, test: Pictures) -> float:
    model = SVC(C=10).fit(train.images.reshape(len(train), -1) / 255, train.labels["label"])
    return float(model.score(test.images.reshape(len(test), -1) / 255, test.labels["label"]))


def test_real_ones_come_first_and_copies_keep_their_labels(digits: Pictures) -> None:
    some = digits[:30]
    more = mq.augment(some, copies=2, flag=True, random_state=0)
    assert np.array_equal(more.images[:30], some.images)
    assert np.array_equal(more.labels["label"], np.tile(some.labels["label"], 3))
    assert more.labels["altered"].tolist() == [0] * 30 + [1] * 60
    changed = [(a != b).any() for a, b in zip(more.images[30:], np.tile(some.images, (2, 1, 1, 1)), strict=True)]
    assert all(changed)
    assert not np.array_equal(more.images[30:60], more.images[60:])
    assert np.array_equal(some.images, digits.images[:30])


def test_seeds(digits: Pictures) -> None:
    one, same, other = (mq.augment(digits[:9], random_state=seed).images for seed in (0, 0, 1))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)
    assert not np.array_equal(mq.augment(digits[:9]).images, mq.augment(digits[:9]).images)


def test_arrays_in_arrays_out(digits: Pictures) -> None:
    images, labels = mq.augment((digits.images[:7, ..., 0], digits.labels["label"][:7]), preset="none", flip=False)
    assert images.shape == (14, 8, 8)
    assert labels.tolist() == digits.labels["label"][:7].tolist() * 2
    assert np.array_equal(images[7:], images[:7])  # "none" changes nothing
    assert mq.augment(digits.images[:7], rotate=5).images.shape == (14, 8, 8, 1)


def test_a_classifier_gains_by_what_keeps_the_labels_and_loses_by_what_does_not(digits: Pictures) -> None:
    order = np.random.default_rng(1).permutation(len(digits))
    train, test = digits[order[:200]], digits[order[200:]]
    plain = accuracy(train, test)
    assert accuracy(mq.augment(train, copies=3, random_state=0), test) > plain + 0.005
    assert accuracy(mq.augment(train, copies=3, rotate=180, random_state=0), test) < plain  # sixes and nines


def test_classes_are_levelled_by_a_model(uneven: Pictures, digits: Pictures) -> None:
    model = Ellipsoid().fit(digits)
    level = mq.augment(uneven, model, balance=True, flag=True, random_state=0)
    assert level.counts() == {1: 40, 2: 40, 3: 40}
    assert np.array_equal(level.images[:53], uneven.images)
    assert level.labels["synthetic"].tolist() == [0] * 53 + [1] * 67
    drawn = level[level.labels["synthetic"] == 1]
    assert accuracy(digits, drawn) > 0.95
    assert np.array_equal(level.images, mq.augment(uneven, model, random_state=0).images)
    assert not np.array_equal(level.images, mq.augment(uneven, model, random_state=1).images)
    even = mq.augment(uneven[:40], model)
    assert len(even) == 40


def test_another_label_than_the_class(uneven: Pictures, digits: Pictures) -> None:
    texts = Pictures(
        uneven.images, {"label": uneven.labels["label"], "odd": np.where(uneven.labels["label"] == 2, "no", "yes")}
    )
    with pytest.warns(MasqueradeWarning, match="left out label"):
        level = mq.augment(texts, Ellipsoid().fit(texts, "odd"), "odd", random_state=0)
    assert level.counts("odd") == {"no": 41, "yes": 41}


def test_bad_input_is_refused(uneven: Pictures, digits: Pictures) -> None:
    model = Ellipsoid().fit(digits[digits.labels["label"] < 2])
    for settings, message in (
        ({"copies": 0}, "copies"),
        ({"preset": "cats"}, "preset"),
        ({"balance": True}, "give the model"),
        ({"model": model, "rotate": 3}, "rotate: a model draws pictures"),
        ({"model": model, "balance": False}, "balance: got False"),
    ):
        with pytest.raises(SettingError, match=message):
            mq.augment(uneven, **settings)
    with pytest.raises(ConditionError, match="label=2"):
        mq.augment(uneven, model)
    with pytest.raises(TableError, match="no such label"):
        mq.augment(Pictures(uneven.images), model)
    with pytest.raises(TableError, match=r"\(8, 8, 1\)"):
        mq.augment(Pictures(uneven.images[:, :5], uneven.labels), Ellipsoid().fit(digits))
    for name, settings in (("altered", {}), ("synthetic", {"model": model})):
        flagged = Pictures(uneven.images, {"label": uneven.labels["label"], name: np.arange(53)})
        with pytest.raises(SettingError, match=f"already have a label '{name}'"):
            mq.augment(flagged, flag=True, **settings)


def test_tables_take_no_settings_of_pictures() -> None:
    with pytest.raises(SettingError, match="rotate: it alters pictures, and this is a table"):
        mq.augment({"x": [1]}, rotate=3)
    with pytest.raises(SettingError, match="give a fitted model"):
        mq.augment({"x": [1]})
