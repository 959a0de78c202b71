"""Altered pictures: how far, in which direction, with which background; and that they stay what they were."""

from __future__ import annotations

import time

import numpy as np
import pytest
from scipy import ndimage

from masquerade.errors import SettingError
from masquerade.pictures import Pictures
from masquerade.picturing.augmenting import PRESETS, Changes, alter, background, with_given

COUNT = 400


def spots() -> np.ndarray:
    """Pictures of one soft spot right of the middle, so that where it goes can be measured."""
    one = np.zeros((33, 33))
    one[16, 24] = 1.0
    one = ndimage.gaussian_filter(one, 1.5)
    return np.tile((255 * one / one.max()).round().astype(np.uint8), (COUNT, 1, 1))[..., None]


def places(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The spot's distance from the middle in pixels and its direction in degrees, for each picture."""
    weights = images[..., 0].astype(float)
    weights /= weights.sum(axis=(1, 2), keepdims=True)
    grid = np.arange(33) - 16
    x, y = (weights * grid).sum(axis=(1, 2)), (weights * grid[:, None]).sum(axis=(1, 2))
    return np.hypot(x, y), np.rad2deg(np.arctan2(y, x))


def altered(images: np.ndarray, **changes: float) -> np.ndarray:
    return alter(images, Changes(**changes), np.random.default_rng(0))


def test_turns_keep_the_distance_and_stay_within_the_angle() -> None:
    distance, angle = places(altered(spots(), rotate=20))
    assert np.abs(distance - 8).max() < 0.1
    assert 18 < np.abs(angle).max() < 20.6
    assert abs(angle.mean()) < 2  # to either side


def test_scales_keep_the_direction() -> None:
    distance, angle = places(altered(spots(), scale=0.25))
    assert np.abs(angle).max() < 0.5
    assert 5.8 < distance.min() < 6.3
    assert 9.7 < distance.max() < 10.2


def test_shifts_move_every_way_and_no_further() -> None:
    images = np.roll(spots(), -8, axis=2)  # the spot in the middle
    weights = altered(images, shift=0.1)[..., 0].astype(float)
    x = (weights * (np.arange(33) - 16)).sum(axis=(1, 2)) / weights.sum(axis=(1, 2))
    y = (weights * (np.arange(33) - 16)[:, None]).sum(axis=(1, 2)) / weights.sum(axis=(1, 2))
    for moved in (x, y):
        assert 3.0 < np.abs(moved).max() < 3.4
        assert abs(moved.mean()) < 0.4
    assert abs(np.corrcoef(x, y)[0, 1]) < 0.2


def test_crops_only_enlarge() -> None:
    one = np.zeros((COUNT, 33, 33, 1), np.uint8)
    one[:, 12:21, 12:21] = 200
    areas = (altered(one, crop=0.3)[..., 0] > 100).sum(axis=(1, 2))
    assert areas.min() >= 81 * 0.95
    assert 130 < areas.max() < 81 / 0.7**2 + 20


def test_half_of_the_pictures_are_mirrored_exactly() -> None:
    random = np.random.default_rng(1)
    images = random.integers(0, 256, (COUNT, 7, 6, 3)).astype(np.uint8)
    out = alter(images, Changes(flip=True), random)
    mirrored = (out == images[:, :, ::-1]).all(axis=(1, 2, 3))
    same = (out == images).all(axis=(1, 2, 3))
    assert (mirrored ^ same).all()
    assert 0.35 < mirrored.mean() < 0.65


def test_noise_has_the_deviation_that_was_asked_for() -> None:
    grey = np.full((COUNT, 16, 16, 1), 128, np.uint8)
    noise = altered(grey, noise=0.1).astype(float) - 128
    assert abs(noise.std() / 25.5 - 1) < 0.02
    assert abs(noise.mean()) < 0.5


@pytest.mark.parametrize("ground", [0, 255, None])
def test_a_square_is_covered_with_the_background(ground: int | None) -> None:
    random = np.random.default_rng(2)
    images = random.integers(60, 100, (COUNT, 20, 20, 1)).astype(np.uint8)
    if ground is not None:
        images[:, [0, -1]], images[:, :, [0, -1]] = ground, ground
    out = altered(images, cutout=0.3)
    for before, after in zip(images, out, strict=True):
        rows, columns, _ = np.nonzero(before != after)
        if len(rows):
            assert np.ptp(rows) < 6
            assert np.ptp(columns) < 6
            assert set(after[rows, columns, 0].tolist()) == {round(before.mean()) if ground is None else ground}
    changed = (images != out).any(axis=(1, 2, 3)).mean()
    assert changed > 0.97


@pytest.mark.parametrize("ground", [0, 255])
def test_what_comes_in_has_the_background(ground: int) -> None:
    images = np.full((50, 16, 16, 3), ground, np.uint8)
    images[:, 6:10, 6:10] = 90
    out = altered(images, rotate=90, shift=0.2, scale=0.3)
    assert (out[:, 0, 0] == ground).all()
    assert out.min() == min(ground, 90)
    assert out.max() == max(ground, 90)  # no colour beyond those that there were


def test_pictures_without_a_background_are_mirrored_at_their_borders() -> None:
    random = np.random.default_rng(3)
    smooth = ndimage.gaussian_filter(random.normal(size=(50, 32, 32)), (0, 4, 4))
    images = ((smooth - smooth.min()) / np.ptp(smooth) * 155 + 50).astype(np.uint8)[..., None]
    assert background(images) is None
    assert altered(images, rotate=90, shift=0.4, scale=0.5).min() >= 45  # nothing black came in


def test_digits_have_a_black_background(digits: Pictures) -> None:
    found = background(digits.images)
    assert found is not None
    assert found.tolist() == [0]


def test_settings(digits: Pictures) -> None:
    assert with_given("photos", {"flip": False, "noise": 0}).flip is False
    assert with_given("photos", {"rotate": None}) == PRESETS["photos"]
    assert not PRESETS["signs"].flip
    assert not PRESETS["scans"].flip
    for bad in ({"shift": 0.6}, {"rotate": -1}, {"noise": "a"}, {"cutout": float("nan")}, {"crop": True}, {"flip": 2}):
        with pytest.raises(SettingError, match=next(iter(bad))):
            with_given("none", bad)
    with pytest.raises(SettingError, match="preset: got 'xrays'"):
        with_given("xrays", {})


def test_ten_thousand_small_pictures_take_seconds(digits: Pictures) -> None:
    images = np.tile(digits.images.repeat(3, axis=1).repeat(3, axis=2), (6, 1, 1, 1))[:10_000]
    begin = time.process_time()
    out = alter(images, PRESETS["signs"], np.random.default_rng(0))
    assert time.process_time() - begin < 10  # measured: 1.5
    assert out.shape == images.shape
