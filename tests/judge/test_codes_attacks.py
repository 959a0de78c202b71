"""Attacks on codes: what is in them is found, what is not is not, and more knowledge finds more."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from masquerade.errors import SettingError, TableError
from masquerade.judge.codes_attacks import attack_codes

Floats = NDArray[np.float64]


def people(rows: int, seed: int = 0) -> Floats:
    """Twelve inputs made of four causes, and three levels."""
    random = np.random.default_rng(seed)
    causes = random.gamma(2.0, size=(rows, 4)) * [3.0, 2.0, 1.5, 1.0]
    numbers = causes @ random.normal(size=(4, 12)) + 0.3 * random.normal(size=(rows, 12))
    return np.concatenate([numbers, np.eye(3)[random.integers(0, 3, rows)]], axis=1)


def projection(width: int, seed: int = 7) -> Floats:
    return np.random.default_rng(seed).normal(size=(15, width))


def test_codes_that_say_nothing_are_neither_rebuilt_nor_linked() -> None:
    found = attack_codes(
        people(1200), np.random.default_rng(1).normal(size=(1200, 6)), known=[0, 100, 400], candidates=300
    )
    for name in ("0", "100", "400"):
        value, interval = found.reconstruction_r2[name]
        assert value < 0.03, name
        assert interval is not None
        assert interval[0] <= value <= interval[1]
        hit, around = found.linkage_top1[name]
        assert hit < 0.025, name
        assert around is not None
        assert around[0] <= 1 / 300 <= around[1], name  # chance


def test_codes_that_say_all_are_rebuilt_and_linked_by_one_with_pairs() -> None:
    rows = people(1200)
    found = attack_codes(rows, rows @ projection(15), known=[100, 400], candidates=300)
    assert found.reconstruction_r2["400"][0] > 0.99
    assert found.linkage_top1["400"][0] > 0.99
    assert found.candidates == 300
    assert found.rows == 600


def test_more_knowledge_finds_more_and_a_turn_of_the_codes_changes_nothing() -> None:
    rows = people(1600)
    random = np.random.default_rng(2)
    codes = np.tanh((rows - rows.mean(0)) / rows.std(0) @ projection(4) / 6) + 0.05 * random.normal(size=(1600, 4))
    found = attack_codes(rows, codes, known=[50, 700], candidates=400)
    assert found.reconstruction_r2["50"][0] + 0.03 < found.reconstruction_r2["700"][0] < 0.9
    assert found.linkage_top1["50"][0] < found.linkage_top1["700"][0]
    turn, _ = np.linalg.qr(random.normal(size=(4, 4)))
    turned = attack_codes(rows, codes @ turn, known=[700], candidates=400)
    assert turned.reconstruction_r2["700"][0] == pytest.approx(found.reconstruction_r2["700"][0], abs=0.03)


def test_the_encoder_links_everyone_until_noise_hides_them() -> None:
    rows = people(1200)
    scale = (rows @ projection(4)).std(axis=0)

    def encoder(features: Floats) -> Floats:
        return features @ projection(4)

    hits, rebuilt = [], []
    for noise in (0.0, 1.0, 8.0):
        codes = encoder(rows) + noise * scale * np.random.default_rng(3).normal(size=(1200, 4))
        found = attack_codes(rows, codes, known=[], encoder=encoder, candidates=300)
        hits.append(found.linkage_top1["encoder"][0])
        rebuilt.append(found.reconstruction_r2["encoder"][0])
        assert list(found.linkage_top1) == ["encoder"]
    assert hits[0] == 1.0
    assert hits[0] > hits[1] + 0.3
    assert hits[2] < 0.05
    assert rebuilt[0] > rebuilt[1] > rebuilt[2] > -0.1


def test_one_code_for_several_people_links_fewer_of_them() -> None:
    rows = people(1200)
    grouped = np.repeat((rows @ projection(6)).reshape(240, 5, 6).mean(axis=1), 5, axis=0)

    def encoder(features: Floats) -> Floats:
        return features @ projection(6)

    alone = attack_codes(rows, rows @ projection(6), known=[400], encoder=encoder, candidates=300)
    found = attack_codes(rows, grouped, known=[400], encoder=encoder, candidates=300)
    for name in ("400", "encoder"):
        assert found.reconstruction_r2[name][0] < alone.reconstruction_r2[name][0] - 0.2, name
        assert found.reconstruction_r2[name][0] > -0.05, name
        assert found.linkage_top1[name][0] < 0.5 * alone.linkage_top1[name][0], name


def test_a_cloud_that_is_only_turned_is_read_without_a_single_pair() -> None:
    random = np.random.default_rng(4)
    rows = random.gamma(1.5, size=(2000, 3)) * [4.0, 2.0, 1.0]
    rows = (rows - rows.mean(axis=0)) / [4.0, 4.0, 4.0]
    turn, _ = np.linalg.qr(random.normal(size=(3, 3)))
    features = rows.copy()
    features[:, 0] += 0.2 * features[:, 1]
    found = attack_codes(features, features / features.std(axis=0) @ turn, known=[0], candidates=300)
    assert found.reconstruction_r2["0"][0] > 0.2
    interval = found.linkage_top1["0"][1]
    assert interval is not None
    assert interval[0] > 1 / 300  # more than chance


def test_people_who_are_alike_cannot_be_told_apart() -> None:
    rows = np.repeat(np.eye(4), 100, axis=0)
    found = attack_codes(rows, rows @ np.random.default_rng(0).normal(size=(4, 3)), known=[100], candidates=200)
    assert found.reconstruction_r2["100"][0] > 0.99
    assert found.linkage_top1["100"][0] == pytest.approx(4 / 200)


def test_numbers_of_pairs_that_leave_nobody_unseen_are_left_out_and_seeds_hold() -> None:
    rows = people(300)
    first, again = (attack_codes(rows, rows @ projection(3), seed=5) for _ in range(2))
    assert list(first.linkage_top1) == ["0", "100"]
    assert first == again
    assert first.to_dict()["reconstruction_r2"]["100"]["value"] == first.reconstruction_r2["100"][0]


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        ({"codes": np.zeros((300, 2))}, TableError, "codes: no column varies"),
        ({"features": np.ones((300, 2))}, TableError, "features: no column varies"),
        ({"codes": np.full((300, 2), np.nan)}, TableError, "codes: expected a table of finite numbers"),
        ({"codes": np.random.default_rng(0).normal(size=(200, 2))}, TableError, "got 200 rows, expected 300"),
        ({"known": [5]}, SettingError, "known: got 5"),
        ({"candidates": 1}, SettingError, "candidates: got 1"),
        ({"encoder": lambda features: features[:, :1]}, TableError, "encoder: got codes of shape"),
    ],
)
def test_what_cannot_be_attacked_is_refused(change: dict[str, Any], error: type[Exception], says: str) -> None:
    rows = people(300)
    settings: dict[str, Any] = {"features": rows, "codes": rows @ projection(3), "known": [100]} | change
    with pytest.raises(error, match=says):
        attack_codes(settings.pop("features"), settings.pop("codes"), **settings)
