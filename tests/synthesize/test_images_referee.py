"""The referee of a GAN of pictures: who copies is suspected, who does not is not."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_digits

from masquerade.synthesize.image_referee import SUSPECT, ImageReferee, turned

Digits = tuple[np.ndarray, np.ndarray]


@pytest.fixture(scope="module")
def digits() -> Digits:
    data = load_digits()
    return np.round(data.images * 255 / 16).astype(np.uint8)[..., None], data.target.astype(np.int32)


@pytest.fixture(scope="module")
def referee(digits: Digits) -> ImageReferee:
    images, classes = digits[0][:1_400], digits[1][:1_400]
    return ImageReferee(images, classes, 10, 0, lambda progress: None)


def test_what_is_held_out_does_not_train(referee: ImageReferee) -> None:
    assert len(referee.held) == 140
    assert sorted([*referee.held, *referee.training]) == list(range(1_400))


def test_a_copy_is_suspected_and_an_independent_sample_is_not(referee: ImageReferee, digits: Digits) -> None:
    unseen = referee.judge(digits[0][1_400:])
    assert unseen["score"] == -unseen["frechet_distance"]
    assert 0.35 < unseen["memorisation"] < 0.65
    every = digits[0][referee.training]
    for copied in (
        every,
        every ^ 1,
        np.concatenate([digits[0][1_400:], every[:20]]),
    ):  # to the bit, a hair beside, a few
        assert referee.judge(copied)["score"] == SUSPECT


def test_worse_pictures_have_a_lower_score(referee: ImageReferee, digits: Digits) -> None:
    real = digits[0][1_400:]
    noise = np.random.default_rng(0).integers(0, 256, real.shape, dtype=np.uint8)
    assert referee.judge(noise)["score"] < 3 * referee.judge(real)["score"]


def test_pictures_on_their_heads(digits: Digits) -> None:
    result, flipped, kinds = turned(digits[0][:50], 0)
    assert kinds == 2
    assert 10 < flipped.sum() < 40
    assert (result[flipped == 1] == digits[0][:50][flipped == 1][:, ::-1, ::-1]).all()
    assert (result[flipped == 0] == digits[0][:50][flipped == 0]).all()
