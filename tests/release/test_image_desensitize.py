"""`ImageDesensitizer`: the secret is hidden, what is kept stays, and what cannot be done is refused."""

from __future__ import annotations

from pathlib import Path

import equinox as eqx
import jax
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.svm import SVC

import masquerade as mq
from masquerade.errors import MasqueradeWarning, SchemaError, SettingError, TableError
from masquerade.nets.convolution import Dense
from masquerade.nets.picture_nets import PictureCritic, PictureGenerator
from masquerade.release.image_attackers import attack, guessing, machines, placed
from masquerade.release.image_audit import warn_of
from masquerade.release.image_painter import mixed
from masquerade.release.image_secrets import Groups
from masquerade.release.image_share import of_chances
from masquerade.release.image_transport import Transport
from masquerade.release.image_veil import veil_of

DATA = load_digits()
IMAGES = (DATA.images * 255 / 16).round().astype(np.uint8)
PARITY, BIG = DATA.target % 2, (DATA.target >= 5).astype(int)
DIGITS = mq.Pictures(IMAGES, {"label": DATA.target, "parity": PARITY, "big": BIG})
TRAIN, TEST = DIGITS[:1300], DIGITS[1300:]
ALIKE = 1137
"""Pictures that without an audit leave as many for training as TRAIN does with one, so that programs are compiled once."""


@pytest.fixture(scope="module")
def release() -> mq.ImageDesensitizer:
    return mq.ImageDesensitizer(hide="parity", keep="big", generator="vae", epochs=25, random_state=0).fit(TRAIN)


def accuracy(learned: mq.Pictures, labels: np.ndarray, tried: mq.Pictures, truth: np.ndarray) -> float:
    """A support vector machine's, on pictures."""
    flat = (pictures.images.reshape(len(pictures), -1) / 16.0 for pictures in (learned, tried))
    attacker = SVC(C=10, gamma=0.002).fit(next(flat), labels)
    return float((attacker.predict(next(flat)) == truth).mean())


def test_a_fresh_attacker_gains_nothing_and_what_is_kept_is_read(release: mq.ImageDesensitizer) -> None:
    learned, tried = release.transform(TRAIN, random_state=1), release.transform(TEST, random_state=2)
    guess = guessing(TEST.labels["parity"], TEST.labels["big"])
    assert accuracy(TRAIN, TRAIN.labels["parity"], TEST, TEST.labels["parity"]) > 0.95
    assert accuracy(learned, TRAIN.labels["parity"], tried, TEST.labels["parity"]) < guess + 0.03
    assert accuracy(learned, TRAIN.labels["big"], tried, TEST.labels["big"]) > 0.95
    assert accuracy(TRAIN, TRAIN.labels["big"], tried, TEST.labels["big"]) > 0.95


def test_what_was_measured(release: mq.ImageDesensitizer) -> None:
    audit = release.audit_
    assert audit["secret_before"] > 0.9
    assert audit["secret_gain_lower"] < 0.01
    assert audit["secret_even_after"] < audit["secret_even_guess"] + 0.12  # of 130 pictures
    assert audit["secret_gain_lower"] < audit["secret_after"] - audit["secret_guess"] < audit["secret_gain_upper"]
    assert min(audit["keep_after"], audit["keep_by_real"]) > 0.9
    assert 0.5 <= audit["keep_guess"] < 0.65
    assert 0.1 <= release.code_share_ == audit["code_share"] <= 1
    assert release.history_[-1]["error"] < release.history_[0]["error"]


def test_without_a_share_of_the_code_only_what_is_kept_counts(release: mq.ImageDesensitizer) -> None:
    groups = release.groups_.numbers(TEST, "parity", "big", None)
    pairs = release.groups_.pairs
    other = np.array([np.flatnonzero((pairs == (kept, 1 - secret)).all(axis=1))[0] for kept, secret in pairs])
    one = release._painter.redrawn(TEST.images, groups, 0.0, 1.0, 3)
    two = release._painter.redrawn(TEST.images[::-1], other[groups], 0.0, 1.0, 3)
    assert (one == two).all()
    some = release._painter.redrawn(TEST.images, groups, 1.0, 1.0, 3)
    assert (one != some).any(axis=(1, 2, 3)).mean() > 0.95


def test_labels_that_may_tell_the_secret_are_left_out(release: mq.ImageDesensitizer) -> None:
    before = TEST.images.copy()
    released = release.transform(TEST)
    assert set(released.labels) == {"big"}
    assert (released.labels["big"] == TEST.labels["big"]).all()
    assert (TEST.images == before).all()
    assert set(release.ledger_.dropped) == {"label", "parity"}
    assert release.ledger_.aligned


def test_pictures_without_labels_are_told_by_the_classifier(release: mq.ImageDesensitizer) -> None:
    bare = release.transform(TEST.images, random_state=1)
    known = release.transform(TEST, random_state=1)
    assert not bare.labels
    assert (bare.images == known.images).all(axis=(1, 2, 3)).mean() > 0.7
    half = release.transform(TEST.images, {"big": TEST.labels["big"]}, random_state=1)
    assert set(half.labels) == {"big"}


def test_strength(release: mq.ImageDesensitizer) -> None:
    unchanged = clone(release)
    assert unchanged.get_params()["strength"] == 1.0
    try:
        release.strength = 0.0
        assert (release.transform(TEST).images == TEST.images).all()
        release.strength = 0.3
        some = release.transform(TEST)
    finally:
        release.strength = 1.0
    by_real = accuracy(TRAIN, TRAIN.labels["parity"], some, TEST.labels["parity"])
    assert by_real > accuracy(TRAIN, TRAIN.labels["parity"], release.transform(TEST), TEST.labels["parity"]) + 0.1


def test_seeds_and_files(release: mq.ImageDesensitizer, tmp_path: Path) -> None:
    some = TEST[:60]
    one = release.transform(some).images
    assert (one == release.transform(some).images).all()
    assert (one != release.transform(some, random_state=5).images).any()
    release.save(tmp_path / "d.mq")
    loaded = mq.load(tmp_path / "d.mq")
    assert (loaded.transform(some).images == one).all()
    assert (loaded.transform(some.images).images == release.transform(some.images).images).all()
    assert loaded.audit_ == release.audit_
    assert loaded.code_share_ == release.code_share_


def test_codes_of_every_group_become_alike_and_come_back() -> None:
    random = np.random.default_rng(0)
    groups = np.arange(4000) % 2
    codes = random.normal(size=(4000, 3)) * (1 + groups[:, None]) + 3 * groups[:, None]
    codes[groups == 1, 0] = random.choice([-4, 4], 2000) + random.normal(size=2000)  # two heaps
    transport = Transport.fit(codes, groups, 2, seed=0)
    even = transport.normal(codes, groups)
    assert np.abs(even.mean(axis=0)).max() < 0.1
    assert np.abs(even.std(axis=0) - 1).max() < 0.1
    assert np.allclose(transport.back(even, groups), codes, atol=1e-5)
    moved = transport.back(even[groups == 0], np.ones(2000, np.int64))
    assert 0.3 < (moved[:, 0] > 0).mean() < 0.7
    assert (np.abs(moved[:, 0]) > 2).mean() > 0.8  # in one heap or the other


def test_mixing_keeps_numbers_normal() -> None:
    random = np.random.default_rng(0)
    numbers = random.normal(size=(20_000, 2))
    for share in (0.0, 0.3, 1.0):
        made = mixed(numbers, share, random)
        assert abs(made.std() - 1) < 0.02
        assert abs((made * numbers).mean() - share) < 0.02


def test_a_planted_secret_is_found_and_no_other() -> None:
    random = np.random.default_rng(0)
    secret, kept = (random.random((2, 1200)) < 0.5).astype(int)
    images = random.integers(0, 100, (1200, 8, 8, 1)).astype(np.uint8)
    known, guessed, even = np.arange(1200) < 800, secret == 0, np.ones(800)
    plain, evenly = machines(images[known], kept[known], secret[known], even, 0)
    for told in (*plain, evenly):
        blind = attack((told(images[~known], kept[~known]) == secret[~known])[None], guessed[~known])
        assert blind.lower < 0.05
        assert abs(blind.right - blind.guess - blind.gain) < 1e-9
    images[:, 2:5, 2:5, 0] += (60 * (secret ^ kept))[:, None, None].astype(np.uint8)  # told only beside what is kept
    plain, evenly = machines(images[known], kept[known], secret[known], even, 0)
    for told in (*plain, evenly):
        found = attack((told(images[~known], kept[~known]) == secret[~known])[None], guessed[~known])
        assert found.right > 0.95
        assert 0.3 < found.lower < found.gain < found.upper


def test_what_is_told_of_a_rare_secret_shows_at_even_odds() -> None:
    random = np.random.default_rng(0)
    secret = (random.random(2000) < 0.1).astype(int)
    groups, numbers = Groups.fit(mq.Pictures(np.zeros((2000, 8, 8), np.uint8), {"s": secret}), "s", None)
    chances = np.clip(0.1 + 0.15 * secret + 0.1 * random.normal(size=2000), 0.01, 0.45)
    plain, even = of_chances(groups, np.stack([1 - chances, chances], axis=1), numbers)
    assert plain.gain == 0.0
    assert plain.guess > 0.88
    assert even.guess == pytest.approx(0.5, abs=0.02)
    assert even.lower > 0.15


def test_attackers_that_gain_are_warned_of() -> None:
    facts = {"secret_gain_lower": 0.02, "secret_after": 0.7, "secret_guess": 0.6}
    with pytest.warns(MasqueradeWarning, match=r"parity: fresh attackers tell it of 70\.0% .* guessing of 60\.0%"):
        warn_of(facts, "parity")
    warn_of(facts | {"secret_gain_lower": 0.009}, "parity")


def test_more_draws_of_a_picture_are_not_more_pictures() -> None:
    right = np.random.default_rng(0).random((1, 500)) < 0.6
    one, many = (attack(np.repeat(right, draws, axis=0), np.zeros(500, bool)) for draws in (1, 10))
    assert one == many


def test_chances_of_groups_are_those_of_labels() -> None:
    chances = placed(np.array([[0.1, 0.2, 0.3, 0.4]]), np.array([0, 1, 0, 1]))
    assert np.allclose(chances, [[0.4, 0.6]])


def test_a_redrawn_secret_comes_as_often_as_with_what_is_kept() -> None:
    groups, numbers = Groups.fit(DIGITS, "parity", "big")
    drawn = groups.redrawn(np.repeat(numbers, 20), 1.0, np.random.default_rng(0))
    assert (groups.pairs[drawn, 0] == np.repeat(BIG, 20)).all()
    secret = groups.pairs[drawn, 1]
    for value in (0, 1):
        assert abs(secret[np.repeat(BIG, 20) == value].mean() - PARITY[value == BIG].mean()) < 0.02
    assert (groups.redrawn(numbers, 0.0, np.random.default_rng(0)) == numbers).all()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "hide: got ''"),
        ({"hide": "parity", "keep": "parity"}, "also to be hidden"),
        ({"hide": "parrity"}, "did you mean"),
        ({"hide": "parity", "keep": "label"}, "cannot be kept"),
        ({"hide": ["parity"]}, "one label"),
        ({"hide": "parity", "strength": 1.5}, "strength"),
        ({"hide": "parity", "generator": "vea"}, "did you mean"),
        ({"hide": "parity", "generator": "vae", "discriminator": print}, "has none"),
        ({"hide": "parity", "latent_width": 1}, "latent_width"),
    ],
)
def test_refused_settings(settings: dict[str, object], words: str) -> None:
    with pytest.raises(SettingError, match=words):
        mq.ImageDesensitizer(**settings).fit(DIGITS)  # type: ignore[arg-type]


def test_refused_pictures(release: mq.ImageDesensitizer) -> None:
    with pytest.raises(TableError, match="at least 80"):
        mq.ImageDesensitizer(hide="parity").fit(DIGITS[:50])
    one = mq.Pictures(IMAGES, {"parity": np.zeros(len(IMAGES), int)})
    with pytest.raises(SettingError, match="one value only"):
        mq.ImageDesensitizer(hide="parity").fit(one)
    rare = mq.Pictures(IMAGES, {"odd": (np.arange(len(IMAGES)) < 5).astype(int)})
    with pytest.raises(TableError, match="5 pictures have odd = 1"):
        mq.ImageDesensitizer(hide="odd").fit(rare)
    with pytest.raises(SchemaError, match="as fitted"):
        release.transform(np.zeros((3, 12, 12), np.uint8))
    with pytest.raises(SettingError, match="none of the values"):
        release.transform(TEST.images, {"big": np.full(len(TEST), 7)})
    with pytest.raises(Exception, match="not fitted"):
        mq.ImageDesensitizer(hide="parity").transform(TEST)


class Dot(eqx.Module):
    """A critic of one layer."""

    see: Dense

    def __call__(self, x: jax.Array, classes: jax.Array) -> jax.Array:
        return self.see(jax.numpy.concatenate([x.reshape(len(x), -1), classes], axis=1))[:, 0]


class Splash(eqx.Module):
    """A decoder of one layer."""

    paint: Dense

    def __call__(self, noise: jax.Array, classes: jax.Array) -> jax.Array:
        made = self.paint(jax.numpy.concatenate([noise, classes], axis=1))
        return jax.numpy.tanh(made).reshape(-1, 8, 8, 1)


def test_nets_of_ones_own(tmp_path: Path) -> None:
    def dot(shape: tuple[int, int, int], latent_width: int, classes: int, *, key: jax.Array) -> Dot:
        return Dot(Dense(64 + classes, 1, key=key))

    def splash(shape: tuple[int, int, int], latent_width: int, classes: int, *, key: jax.Array) -> Splash:
        return Splash(Dense(latent_width + classes, 64, key=key))

    release = mq.ImageDesensitizer(
        hide="parity", keep="big", generator=splash, discriminator=dot, epochs=4, audit=False, random_state=0, width=8
    )
    made = release.fit_transform(DIGITS[:ALIKE])
    assert made.images.shape == (ALIKE, 8, 8, 1)
    history = release.history_
    assert history[0]["critic"] == 0.0  # it joins later
    assert history[-1]["critic"] > 0
    assert history[-1]["error"] < history[0]["error"]
    assert release.audit_ == {}
    release.save(tmp_path / "own.mq")
    loaded = mq.load(tmp_path / "own.mq", generator=splash, discriminator=dot)
    assert (
        loaded.transform(DIGITS[:20], random_state=1).images == release.transform(DIGITS[:20], random_state=1).images
    ).all()


def test_the_nets_of_its_own_are_the_default() -> None:
    release = mq.ImageDesensitizer(hide="parity", keep="big", width=8)
    state = jax.eval_shape(veil_of(release, (8, 8, 1), 4, 10).init, 0)
    assert isinstance(state.nets[1], PictureGenerator)
    assert isinstance(state.critic, PictureCritic)
    release.generator = "vae"
    assert jax.eval_shape(veil_of(release, (8, 8, 1), 4, 10).init, 0).critic is None
