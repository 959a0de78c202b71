"""Cheap random numbers: their distributions, and that neither positions nor keys hang together."""

from __future__ import annotations

import jax
import numpy as np
import pytest
from scipy import stats

from masquerade.nets.randomness import gumbel, index, normal, uniforms

COUNT = 200_000


@pytest.fixture(scope="module")
def numbers() -> np.ndarray:
    return np.asarray(uniforms(jax.random.key(0), [(COUNT,)])[0], np.float64)


def test_they_are_uniform_and_never_0_or_1(numbers: np.ndarray) -> None:
    assert 0 < numbers.min() < 1e-4
    assert 1 - 1e-4 < numbers.max() < 1
    assert stats.kstest(numbers, "uniform").pvalue > 0.001
    assert stats.kstest(numbers**1.02, "uniform").pvalue < 0.001  # the test can tell


@pytest.mark.parametrize("lag", [1, 2, 3, 128, 1024])
def test_neighbours_are_uncorrelated(numbers: np.ndarray, lag: int) -> None:
    assert abs(np.corrcoef(numbers[:-lag], numbers[lag:])[0, 1]) < 4 / np.sqrt(COUNT)


def test_pairs_fill_the_square_evenly(numbers: np.ndarray) -> None:
    cells = np.bincount((numbers[::2] * 32).astype(int) * 32 + (numbers[1::2] * 32).astype(int), minlength=1024)
    assert stats.chisquare(cells).pvalue > 0.001


def test_keys_give_streams_that_do_not_repeat_or_shift() -> None:
    keys = jax.random.split(jax.random.key(1), 6)
    streams = [np.asarray(uniforms(key, [(20_000,)])[0]) for key in keys]
    for i, one in enumerate(streams):
        for other in streams[:i]:
            assert abs(np.corrcoef(one, other)[0, 1]) < 4 / np.sqrt(20_000)
            assert np.intersect1d(one, other).size < 400  # chance alone: about 50


def test_shapes_are_parts_of_one_stream(numbers: np.ndarray) -> None:
    first, second = uniforms(jax.random.key(0), [(10, 20), (COUNT - 200,)])
    np.testing.assert_array_equal(np.concatenate([np.ravel(first), second]), numbers.astype(np.float32))


def test_transforms(numbers: np.ndarray) -> None:
    u = jax.numpy.asarray(numbers, dtype=jax.numpy.float32)
    assert stats.kstest(np.asarray(normal(u)), "norm").pvalue > 0.001
    assert stats.kstest(np.asarray(gumbel(u)), "gumbel_r").pvalue > 0.001
    whole = np.asarray(index(u, 7))
    assert (whole.min(), whole.max()) == (0, 6)
    assert stats.chisquare(np.bincount(whole)).pvalue > 0.001
