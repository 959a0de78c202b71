"""One seed, many independent streams."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from masquerade.errors import SettingError
from masquerade.seeds import check_seed, integer, stream


def test_the_same_names_give_the_same_numbers() -> None:
    assert np.array_equal(stream(7, "codec", "age").random(5), stream(7, "codec", "age").random(5))
    assert integer(7, "forest") == integer(7, "forest")


def test_other_names_and_seeds_give_other_numbers() -> None:
    draws = [
        stream(*names).random(4).tolist() for names in [(7, "a"), (7, "b"), (8, "a"), (7, "a", "b"), (7, "ab"), (7,)]
    ]
    assert len({tuple(draw) for draw in draws}) == len(draws)
    assert len({integer(seed, "x", part) for seed in range(30) for part in range(30)}) == 900


def test_streams_are_uncorrelated() -> None:
    table = np.stack([stream(0, "column", i).standard_normal(4000) for i in range(20)])
    correlations = np.corrcoef(table)[np.triu_indices(20, 1)]
    assert np.abs(correlations).max() < 0.07
    assert 0.010 < correlations.std() < 0.023, "1/sqrt(4000) is 0.0158"


def test_the_global_state_is_left_alone() -> None:
    np.random.seed(3)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # type: ignore[index,union-attr]  # noqa: NPY002
    stream(0, "a").random(10)
    integer(0, "b")
    check_seed(None)
    assert np.array_equal(np.random.get_state()[1], before)  # type: ignore[index]  # noqa: NPY002


def test_integers_fit_other_libraries() -> None:
    drawn = [integer(seed, "x") for seed in range(2000)]
    assert min(drawn) >= 0
    assert max(drawn) < 2**31
    assert np.mean(drawn) == pytest.approx(2**30, rel=0.06)


def test_check_seed() -> None:
    assert check_seed(5) == 5
    assert check_seed(0) == 0
    taken = check_seed(np.int64(9))  # type: ignore[arg-type]
    assert taken == 9
    assert type(taken) is int
    assert check_seed(None) != check_seed(None)


@pytest.mark.parametrize("wrong", [-1, 1.5, "0", True, np.float64(3)])
def test_other_seeds_are_refused(wrong: Any) -> None:
    with pytest.raises(SettingError, match="random_state"):
        check_seed(wrong)
