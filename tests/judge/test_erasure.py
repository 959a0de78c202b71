"""The plain ways: proxies in the right order, and features from which no line tells the secret."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.linear_model import LinearRegression, LogisticRegression

from masquerade.judge.erasure import linearly_erased, strongest
from masquerade.judge.tables import Side

ROWS = 1_500


@pytest.fixture(scope="module")
def secret() -> NDArray[np.float64]:
    return np.random.default_rng(0).integers(0, 3, ROWS).astype(float)


def features_of(secret: NDArray[np.float64]) -> NDArray[np.float64]:
    """Two features that tell it, one that tells it in part, one that does not, and a copy of the first."""
    random = np.random.default_rng(1)
    parts = [secret == 1, secret == 2, secret, np.zeros(ROWS)]
    features = np.column_stack([3 * np.asarray(part, float) + random.normal(size=ROWS) for part in parts])
    return np.column_stack([features, features[:, 0]])


def test_the_most_telling_column_comes_first_among_numbers_and_codes(secret: NDArray[np.float64]) -> None:
    random = np.random.default_rng(2)
    wrong = random.random(ROWS) < 0.3
    noise, near = random.normal(size=ROWS), secret + random.normal(scale=0.05, size=ROWS)
    half = np.where(wrong, random.integers(0, 3, ROWS), secret).astype(int)
    side = Side(np.column_stack([noise, near]), np.column_stack([half, np.zeros(ROWS, int)]))
    assert strongest(side, secret, 3) == [1, 2, 0, 3]
    assert strongest(side, secret + random.normal(scale=1e-3, size=ROWS), 0)[:2] == [1, 2]


def test_missing_numbers_tell_too_and_rows_without_a_secret_do_not_count(secret: NDArray[np.float64]) -> None:
    random = np.random.default_rng(3)
    holes = np.where(secret == 0, np.nan, random.normal(size=ROWS))
    side = Side(np.column_stack([random.normal(size=ROWS), holes]), np.empty((ROWS, 0), int))
    assert strongest(side, secret, 3) == [1, 0]
    unknown = np.arange(ROWS) % 2 == 1
    lies = np.where(unknown, 5.0 * np.sign(random.normal(size=ROWS)), random.normal(size=ROWS))
    side = Side(np.column_stack([lies, holes]), np.empty((ROWS, 0), int))
    assert strongest(side, np.where(unknown, -1, secret), 3) == [1, 0]


def test_no_line_tells_a_class_afterwards(secret: NDArray[np.float64]) -> None:
    features = features_of(secret)
    erased = linearly_erased(features, secret, 3)
    assert erased.shape == features.shape
    means = np.stack([erased[secret == k].mean(axis=0) for k in range(3)])
    assert np.abs(means - means[0]).max() < 1e-9
    before, after = (LogisticRegression(max_iter=500).fit(x, secret).score(x, secret) for x in (features, erased))
    assert before > 0.85
    assert after < np.bincount(secret.astype(int)).max() / ROWS + 0.01


def test_no_line_tells_a_number_afterwards(secret: NDArray[np.float64]) -> None:
    number = secret + np.random.default_rng(4).normal(size=ROWS)
    features = features_of(secret)
    erased = linearly_erased(features, number, 0)
    assert LinearRegression().fit(features, number).score(features, number) > 0.3
    assert LinearRegression().fit(erased, number).score(erased, number) < 1e-9


def test_nothing_moves_further_than_it_must(secret: NDArray[np.float64]) -> None:
    features = features_of(secret)
    once = linearly_erased(features, secret, 3)
    assert np.allclose(once.mean(axis=0), features.mean(axis=0))
    moved = np.square(once - features).mean(axis=0)
    assert (moved < features.var(axis=0)).all()
    assert moved[3] < 0.05  # it tells nothing
    assert moved[0] > 1  # it tells much


def test_rows_without_a_secret_are_erased_alike_and_decide_nothing(secret: NDArray[np.float64]) -> None:
    features = features_of(secret)
    known = np.arange(ROWS) < 1_000
    some = linearly_erased(features, np.where(known, secret, -1), 3)
    alone = linearly_erased(features[known], secret[known], 3)
    assert np.allclose(some[known], alone)
    assert not np.allclose(some[~known], features[~known], atol=1e-3)


def test_constant_features_and_constant_secrets_are_harmless(secret: NDArray[np.float64]) -> None:
    flat = np.ones((ROWS, 2))
    assert np.allclose(linearly_erased(flat, secret, 3), flat)
    features = features_of(secret)
    assert np.allclose(linearly_erased(features, np.zeros(ROWS), 1), features, atol=1e-9)
