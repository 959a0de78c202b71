"""The exponential mechanism chooses with the probabilities it says, and between neighbours they change by e^ε at most."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from masquerade.errors import SettingError
from masquerade.privacy.selection import choose

pytest.importorskip("opendp")

DRAWS = 8_000


def frequencies(scores: list[float], epsilon: float, sensitivity: float = 1.0) -> np.ndarray:
    chosen = [choose(scores, epsilon, sensitivity) for _ in range(DRAWS)]
    return np.bincount(chosen, minlength=len(scores))


def test_candidates_are_chosen_as_often_as_the_mechanism_says() -> None:
    scores, epsilon, sensitivity = np.array([0.0, 1.0, 2.5, 4.0]), 1.2, 2.0
    found = frequencies(scores.tolist(), epsilon, sensitivity)
    for factor, fits in ((1.0, True), (1.5, False), (2 / 3, False)):
        weights = np.exp(factor * epsilon * scores / (2 * sensitivity))
        chance = stats.chisquare(found, DRAWS * weights / weights.sum()).pvalue
        assert (chance > 1e-7) == fits


def test_neighbours_change_chances_by_no_more_than_epsilon_and_their_ratio_by_just_that() -> None:
    epsilon = 1.0
    one, other = (
        frequencies([1.0, 0.0, 0.0], epsilon),
        frequencies([0.0, 1.0, 1.0], epsilon),
    )  # every score moves by one
    losses = np.log(one / other)
    errors = np.sqrt(1 / one + 1 / other)
    assert (np.abs(losses) < epsilon + 5.5 * errors).all()
    width = losses.max() - losses.min()  # bounded range: the losses lie within ε of one another
    assert abs(losses[0] - losses[1] - epsilon) < 5.5 * math.hypot(errors[0], errors[1])
    assert width < epsilon + 5.5 * errors.sum()


def test_huge_and_equal_scores() -> None:
    assert choose([-1e300, 1e300], 0.1, 1.0) == 1
    assert {choose(np.zeros(2), 0.1, 1.0) for _ in range(200)} == {0, 1}


@pytest.mark.parametrize(
    ("scores", "epsilon", "sensitivity", "words"),
    [
        ([], 1.0, 1.0, "scores: expected"),
        ([1.0, math.nan], 1.0, 1.0, "scores: expected"),
        ([[1.0]], 1.0, 1.0, "scores: expected"),
        ([1.0], 0.0, 1.0, "epsilon: got 0.0"),
        ([1.0], 1.0, -2.0, "sensitivity: got -2.0"),
        ([1.0], math.inf, 1.0, "epsilon: got inf"),
    ],
)
def test_what_cannot_be_chosen_from_is_refused(
    scores: list[float], epsilon: float, sensitivity: float, words: str
) -> None:
    with pytest.raises(SettingError, match=words):
        choose(scores, epsilon, sensitivity)
