"""`ImageMasker`: what is hidden, what stays, what fills are drawn from, and what is refused."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits

import masquerade as mq
from masquerade.errors import SchemaError, SettingError, TableError
from masquerade.progress import Progress
from masquerade.release.image_regions import halves

BOX = (2, 2, 4, 4)
HIDDEN = np.zeros((8, 8), bool)
HIDDEN[2:6, 2:6] = True
DATA = load_digits()
DIGITS = mq.Pictures((DATA.images * 255 / 16).round().astype(np.uint8), {"label": DATA.target})


@pytest.fixture(scope="module")
def told() -> list[Progress]:
    return []


@pytest.fixture(scope="module")
def masker(told: list[Progress]) -> mq.ImageMasker:
    """Fitted once for all tests here; the command line's test trains the same program, which is compiled once."""
    return mq.ImageMasker(box=BOX, epochs=40, random_state=0, callbacks=(told.append,)).fit(DIGITS[:600])


def test_visible_pixels_stay_to_the_bit_and_hidden_ones_are_drawn(masker: mq.ImageMasker) -> None:
    before = DIGITS.images.copy()
    made = masker.transform(DIGITS[:300])
    assert (made.images[:, ~HIDDEN] == DIGITS.images[:300][:, ~HIDDEN]).all()
    assert (made.images[:, HIDDEN] != DIGITS.images[:300][:, HIDDEN]).mean() > 0.5
    assert (made.labels["label"] == DATA.target[:300]).all()
    assert (DIGITS.images == before).all()
    assert masker.ledger_.aligned
    assert masker.ledger_.guarantee == "none"


def test_fills_look_like_what_is_hidden_and_vary(masker: mq.ImageMasker) -> None:
    real = DIGITS[1000:1400]
    one, two = (masker.transform(real, random_state=seed).images[:, HIDDEN].astype(float) for seed in (1, 2))
    truth = real.images[:, HIDDEN].astype(float)
    by_mean = np.abs(truth - DIGITS.images[:600][:, HIDDEN].mean(axis=0)).mean()
    assert np.abs(truth - (one + two) / 2).mean() < 0.85 * by_mean
    assert np.abs(one - two).mean() > 0.15 * by_mean
    assert 0.9 < one.std() / truth.std() * (1 + 0.1) < 1.5


def test_a_fill_depends_on_what_is_visible_and_the_half_alone(masker: mq.ImageMasker) -> None:
    twins = np.repeat(DIGITS.images[:1], 40, axis=0)
    twins[:, 3, 3, 0] = np.arange(40)  # a hidden pixel, so only the halves differ
    made = masker.transform(twins, mask=HIDDEN, random_state=0).images
    second = halves(twins, masker._salt)
    assert 0 < second.sum() < 40
    again = twins.copy()
    again[:, HIDDEN] = DIGITS.images[5][HIDDEN]
    other = masker.transform(again, mask=HIDDEN, random_state=0).images
    same = second == halves(again, masker._salt)
    assert same.any()
    assert (made[same] == other[same]).all()
    crossed = masker._fill(mq.Pictures(twins), np.broadcast_to(HIDDEN, (40, 8, 8)), 0, seen=True)
    plain = masker._fill(mq.Pictures(twins), np.broadcast_to(HIDDEN, (40, 8, 8)), 0)
    assert (crossed != plain).any(axis=(1, 2, 3)).all()


def test_seeds(masker: mq.ImageMasker) -> None:
    some = DIGITS[:50]
    assert (masker.transform(some).images == masker.transform(some).images).all()
    assert (masker.transform(some, random_state=3).images != masker.transform(some, random_state=4).images).any()
    fresh = clone(masker).set_params(random_state=None)
    assert fresh.get_params()["box"] == BOX
    assert fresh.random_state is None
    with pytest.raises(SettingError, match="random_state"):
        masker.transform(some, random_state=-1)


def test_masks_of_each_picture_and_of_none(masker: mq.ImageMasker) -> None:
    masks = np.zeros((30, 8, 8), bool)
    masks[np.arange(30), np.arange(30) % 8] = True
    masks[0] = False
    made = masker.transform(DIGITS[:30], mask=masks)
    assert (made.images[..., 0][~masks] == DIGITS.images[:30, ..., 0][~masks]).all()
    assert (made.images[0] == DIGITS.images[0]).all()


def test_saved_and_loaded_it_fills_alike(masker: mq.ImageMasker, tmp_path: Path) -> None:
    masker.save(tmp_path / "m.mq")
    loaded = mq.load(tmp_path / "m.mq")
    assert isinstance(loaded, mq.ImageMasker)
    assert (loaded.transform(DIGITS[:40]).images == masker.transform(DIGITS[:40]).images).all()
    assert loaded.audit_ == masker.audit_
    assert loaded.ledger_ == masker.ledger_


def test_facts_of_training(masker: mq.ImageMasker, told: list[Progress]) -> None:
    assert len(masker.history_) == 40
    assert not masker.interrupted_
    assert masker.history_[-1]["error"] < masker.history_[0]["error"]
    assert set(masker.audit_) == {"error", "error_if_seen", "spread"}
    assert masker.audit_["spread"] > 0
    assert masker.audit_["error_if_seen"] < 1.2 * masker.audit_["error"]
    assert {p.stage for p in told} >= {"compile", "train"}
    assert "8 x 8" in masker._repr_html_()


def test_untold_classes_are_the_likeliest_by_what_is_visible(masker: mq.ImageMasker, tmp_path: Path) -> None:
    real = DIGITS[1000:1400]
    bare = masker.transform(real.images)
    assert not bare.labels
    second, hidden = halves(real.images, masker._salt), np.broadcast_to(HIDDEN, (400, 8, 8))
    likeliest = np.empty(400, np.int64)
    for half in (False, True):
        own = second == half
        likeliest[own] = masker.classes_[masker._beliefs.likeliest(real.images[own], hidden[own], 1 - half)]
    right = (likeliest == real.labels["label"]).mean()
    assert right > 0.6  # by chance: a tenth
    assert (masker.transform(real.images, y=likeliest).images == bare.images).all()
    masker.save(tmp_path / "m.mq")
    assert (mq.load(tmp_path / "m.mq").transform(real.images[:40]).images == bare.images[:40]).all()


def test_classes_it_was_not_told_of_are_filled_without_one(masker: mq.ImageMasker) -> None:
    odd = mq.Pictures(DIGITS.images[:20], {"label": np.full(20, 77)})
    told = DIGITS[:20]
    made = masker.transform(odd)
    assert (made.labels["label"] == 77).all()
    assert (made.images[:, ~HIDDEN] == told.images[:, ~HIDDEN]).all()
    assert (made.images != masker.transform(told).images).any()
    texts = mq.Pictures(DIGITS.images[:20], {"label": np.full(20, "7")})
    with pytest.raises(SettingError, match="of texts when fitted"):
        masker.transform(texts)


def test_the_classic_ways() -> None:
    some = DIGITS[:60]
    black = mq.ImageMasker(box=BOX, how="blackout").fit_transform(some)
    assert (black.images[:, HIDDEN] == 0).all()
    coarse = mq.ImageMasker(box=BOX, how="pixelate", grain=4).fit_transform(some).images[..., 0]
    assert len(np.unique(coarse[0, 2:4, 2:4])) == 1
    assert coarse[0, 2, 2] == round(float(some.images[0, :4, :4, 0].mean()))
    soft = mq.ImageMasker(mask=HIDDEN, how="blur").fit_transform(some)
    assert soft.images[:, HIDDEN].std() < some.images[:, HIDDEN].std()
    for made in (black.images, coarse[..., None], soft.images):
        assert (made[:, ~HIDDEN] == some.images[:, ~HIDDEN]).all()


def test_classic_ways_take_any_size_and_colour(tmp_path: Path) -> None:
    pictures = np.random.default_rng(0).integers(1, 255, (3, 37, 90, 3), dtype=np.uint8)
    masker = mq.ImageMasker(box=(0, 80, 37, 10), how="pixelate", grain=7).fit(pictures)
    made = masker.transform(pictures).images
    assert (made[:, :, :80] == pictures[:, :, :80]).all()
    assert (made[:, :, 80:] != pictures[:, :, 80:]).any()
    masker.save(tmp_path / "m.mq")
    assert (mq.load(tmp_path / "m.mq").transform(pictures).images == made).all()


def test_a_mask_of_each_picture_is_not_saved(tmp_path: Path) -> None:
    masks = np.repeat(HIDDEN[None], 5, axis=0)
    masker = mq.ImageMasker(mask=masks, how="blackout").fit(DIGITS[:5])
    masker.save(tmp_path / "m.mq")
    with pytest.raises(SettingError, match="one for each picture"):
        mq.load(tmp_path / "m.mq").transform(DIGITS[:5])
    one = mq.ImageMasker(mask=HIDDEN, how="blackout").fit(DIGITS[:5])
    one.save(tmp_path / "one.mq")
    assert (mq.load(tmp_path / "one.mq").transform(DIGITS[:5]).images[:, HIDDEN] == 0).all()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "expected one of them"),
        ({"box": BOX, "mask": HIDDEN}, "expected one of them"),
        ({"box": (0, 0, 4)}, "expected \\(top, left"),
        ({"box": (0, 0, 0, 4)}, "at least 0"),
        ({"box": (6, 0, 4, 4)}, "does not lie within"),
        ({"box": BOX, "how": "blurr"}, "did you mean"),
        ({"box": BOX, "how": "blackout", "grain": 3}, "does nothing"),
        ({"box": BOX, "how": "blur", "grain": 1}, "at least 2"),
        ({"box": BOX, "epochs": 0}, "epochs"),
        ({"box": BOX, "penalty": -1}, "penalty"),
        ({"mask": HIDDEN.astype(int)}, "booleans"),
        ({"mask": HIDDEN[:3]}, "shape"),
        ({"mask": ~(HIDDEN | ~HIDDEN)}, "nothing is hidden"),
    ],
)
def test_refused_settings(settings: dict[str, object], words: str) -> None:
    with pytest.raises(SettingError, match=words):
        mq.ImageMasker(**settings).fit(DIGITS[:40])  # type: ignore[arg-type]


def test_refused_pictures(masker: mq.ImageMasker) -> None:
    with pytest.raises(TableError, match="at least 20"):
        mq.ImageMasker(box=BOX).fit(DIGITS[:12])
    with pytest.raises(TableError, match="multiples of 4"):
        mq.ImageMasker(box=BOX).fit(np.zeros((30, 9, 9), np.uint8))
    with pytest.raises(SchemaError, match="as fitted"):
        masker.transform(np.zeros((3, 12, 12), np.uint8))
    with pytest.raises(Exception, match="not fitted"):
        mq.ImageMasker(box=BOX).transform(DIGITS[:3])


def test_ledger_says_how(masker: mq.ImageMasker) -> None:
    facts = dataclasses.asdict(masker.ledger_)
    assert facts["protections"] == {"how": "generate", "hidden pixels": 16}
