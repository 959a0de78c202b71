"""The turn to simple structure: it keeps what codes tell, and finds the axes where there are some."""

from __future__ import annotations

import numpy as np
from scipy.stats import ortho_group

from masquerade.release.rotation import simple_structure, varimax


def test_mixed_inputs_are_found_again() -> None:
    random = np.random.default_rng(0)
    inputs = random.standard_normal((5000, 6))
    codes = inputs @ random.normal(size=(6, 6)) + 5
    matrix, shift = simple_structure(codes, inputs)
    turned = codes @ matrix + shift
    found = np.abs(np.corrcoef(turned.T, inputs.T)[:6, 6:])
    assert (found.max(axis=0) > 0.99).all()
    assert (found.max(axis=1) > 0.99).all()


def test_codes_are_standardised_and_uncorrelated() -> None:
    random = np.random.default_rng(1)
    inputs = random.standard_normal((2000, 8))
    codes = inputs @ random.normal(size=(8, 3))
    matrix, shift = simple_structure(codes, inputs)
    turned = codes @ matrix + shift
    assert np.allclose(turned.mean(axis=0), 0, atol=1e-9)
    assert np.allclose(np.cov(turned.T, bias=True), np.eye(3), atol=1e-9)


def test_the_strongest_input_has_a_positive_sign() -> None:
    random = np.random.default_rng(2)
    inputs = random.standard_normal((2000, 4))
    matrix, shift = simple_structure(-inputs, inputs)
    found = np.corrcoef((-inputs @ matrix + shift).T, inputs.T)[:4, 4:]
    assert (found[np.arange(4), np.abs(found).argmax(axis=1)] > 0.99).all()


def test_a_code_without_variance_is_not_blown_up() -> None:
    inputs = np.random.default_rng(3).standard_normal((500, 2))
    codes = np.stack([inputs[:, 0], np.zeros(500)], axis=1)
    matrix, shift = simple_structure(codes, inputs)
    assert np.abs(codes @ matrix + shift).max() < 10


def test_varimax_is_a_rotation_that_cannot_be_bettered_by_chance() -> None:
    random = np.random.default_rng(4)
    loadings = random.normal(size=(20, 5)) ** 3

    def uneven(turned: np.ndarray) -> float:
        return float((turned**2).var(axis=0).sum())

    turn = varimax(loadings)
    assert np.allclose(turn.T @ turn, np.eye(5), atol=1e-9)
    best = uneven(loadings @ turn)
    others = [uneven(loadings @ ortho_group.rvs(5, random_state=seed)) for seed in range(200)]
    assert best > max(others)
    assert best > uneven(loadings)
