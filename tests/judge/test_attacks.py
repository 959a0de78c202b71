"""Attribute attacks: an independent secret is a toss-up, a copied one is read off, and what lies between is measured."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from masquerade.errors import SettingError, TableError
from masquerade.judge.attacks import attack_attribute

NONE = np.empty((600, 0), np.int64)


def test_an_independent_secret_is_a_toss_up_and_the_interval_says_so_honestly() -> None:
    inside, values = 0, []
    for seed in range(20):
        random = np.random.default_rng(seed)
        found = attack_attribute(
            random.normal(size=(600, 4)), random.integers(0, 5, (600, 2)), random.integers(0, 2, 600),
            classes=2, seeds=1, seed=seed,
        )  # fmt: skip
        assert found.interval is not None
        inside += found.interval[0] <= 0.5 <= found.interval[1]
        values.append(found.auc)
    assert inside >= 17  # of 20, each with 95 %: fewer happen once in six hundred times
    deviation = float(np.std(values)) / math.sqrt(20)
    assert abs(np.mean(values) - 0.5) < 3.5 * deviation  # the best of three is not flattered, nor turned down
    assert 0.005 < np.std(values) < 0.07  # a half of 300 rows gives ± 0.033


@pytest.mark.parametrize("classes", [2, 4])
def test_a_copied_secret_is_read_off(classes: int) -> None:
    random = np.random.default_rng(1)
    secret = random.integers(0, classes, 600)
    found = attack_attribute(random.normal(size=(600, 2)), secret[:, None] + 3, secret, classes=classes, seeds=2)
    assert found.auc >= 0.99
    assert found.accuracy >= 0.98
    assert found.majority < 0.6


def test_a_secret_half_hidden_is_guessed_as_well_as_it_can_be() -> None:
    random = np.random.default_rng(2)
    secret = random.integers(0, 2, 4000)
    release = (1.0 * secret + random.normal(size=4000))[:, None]
    found = attack_attribute(release, np.empty((4000, 0), np.int64), secret, classes=2, seeds=2)
    best = 0.7602  # Φ(1 / √2): nobody can do better
    assert found.interval is not None
    assert found.interval[0] < best < found.interval[1]
    assert found.auc == pytest.approx(best, abs=0.03)
    assert set(found.by_attacker) == {"boosting", "network", "neighbours"}
    assert found.by_attacker[found.attacker] == found.auc
    assert found.rows == 2000
    assert found.to_dict()["auc"] == found.auc


def test_a_secret_that_only_a_crooked_line_tells_is_found() -> None:
    random = np.random.default_rng(3)
    release = random.normal(size=(2000, 2))
    secret = (release[:, 0] * release[:, 1] > 0).astype(int)
    found = attack_attribute(release, np.empty((2000, 0), np.int64), secret, classes=2, seeds=1)
    assert found.auc > 0.9


def test_a_numeric_secret_is_judged_by_correlation_and_r2() -> None:
    random = np.random.default_rng(4)
    secret = random.normal(40, 10, 600)
    told = attack_attribute((secret + random.normal(0, 2, 600))[:, None], NONE, secret, classes=0, seeds=2)
    assert told.correlation > 0.9
    assert told.r2 > 0.85
    assert told.r2_interval is not None
    assert told.r2_interval[0] < told.r2 < told.r2_interval[1]
    assert math.isnan(told.auc)
    assert "auc" not in told.to_dict()
    assert told.value == told.correlation
    hidden = attack_attribute(random.normal(size=(600, 3)), NONE, secret, classes=0, seeds=2)
    assert hidden.interval is not None
    assert hidden.interval[0] <= 0 <= hidden.interval[1]
    assert hidden.r2 < 0.05


def test_rare_classes_empty_columns_unknown_secrets_and_missing_cells_are_taken() -> None:
    random = np.random.default_rng(5)
    secret = random.integers(0, 3, 600)
    secret[:4] = 7
    secret[4:50] = -1
    numbers = np.stack([np.full(600, np.nan), np.where(random.random(600) < 0.3, np.nan, secret)], axis=1)
    found = attack_attribute(numbers, random.integers(0, 400, (600, 1)), secret, classes=8, seeds=1)
    assert found.rows == (600 - 46) // 2
    assert 0.7 < found.auc < 0.95
    assert all(0 <= value <= 1 for value in found.by_attacker.values())


def test_the_same_seed_gives_the_same_finding_and_the_input_is_left_alone() -> None:
    random = np.random.default_rng(6)
    numbers, codes, secret = random.normal(size=(600, 2)), random.integers(0, 4, (600, 2)), random.integers(0, 2, 600)
    before = numbers.copy(), codes.copy(), secret.copy()
    first, again, other = (
        attack_attribute(numbers, codes, secret, classes=2, seeds=1, seed=seed) for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other
    for now, then in zip((numbers, codes, secret), before, strict=True):
        np.testing.assert_array_equal(now, then)


@pytest.mark.parametrize(
    ("secret", "settings", "error", "says"),
    [
        (np.zeros(600, int), {"classes": 2}, TableError, "all rows have the same"),
        (np.r_[np.zeros(50, int), np.full(550, -1)], {"classes": 2}, TableError, "50 rows have one"),
        (np.arange(600) % 3, {"classes": 2}, SettingError, "got class 2"),
        (np.arange(600) % 2, {"classes": 1}, SettingError, "classes: got 1"),
        (np.arange(600) % 2, {"classes": 2, "seeds": 0}, SettingError, "seeds: got 0"),
        (np.arange(600) % 2, {"classes": 2, "limit": 10}, SettingError, "limit: got 10"),
    ],
)
def test_what_cannot_be_attacked_is_refused(
    secret: NDArray[np.int64], settings: dict[str, int], error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        attack_attribute(np.zeros((600, 1)), NONE, secret, **settings)  # type: ignore[arg-type]


@pytest.mark.data
def test_sex_in_adult_is_guessed_as_well_as_was_measured(shared_data: Path) -> None:
    table = pl.read_csv(shared_data / "adult" / "adult.csv.gz").drop("split")
    secret = (table["sex"] == "Male").to_numpy().astype(np.int64)

    def attack(*dropped: str) -> tuple[float, float]:
        seen = table.drop("sex", *dropped)
        words = [name for name in seen.columns if seen[name].dtype == pl.String]
        codes = seen.select(pl.col(words).rank("dense").cast(pl.Int64)).to_numpy()
        found = attack_attribute(seen.drop(words).cast(pl.Float64).to_numpy(), codes, secret, classes=2, seeds=1)
        return found.auc, found.accuracy

    auc, accuracy = attack()
    assert accuracy == pytest.approx(0.847, abs=0.01)
    assert auc > 0.92
    auc, accuracy = attack("relationship", "marital-status", "occupation")
    assert accuracy == pytest.approx(0.711, abs=0.015)
    assert auc == pytest.approx(0.740, abs=0.015)


def test_a_very_wide_release_is_attacked_too() -> None:
    random = np.random.default_rng(7)
    codes = random.integers(0, 20, (600, 20))
    secret = (codes[:, :3] > 9).sum(axis=1) > 1
    found = attack_attribute(np.empty((600, 0)), codes, secret.astype(int), classes=2, seeds=1)
    assert found.auc > 0.75
    assert found.by_attacker["neighbours"] > 0.5
