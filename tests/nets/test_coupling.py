"""Two histories drawn together: what may not change does not, what is drawn follows q, and no digit changes needlessly."""

from __future__ import annotations

import functools
import itertools
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import chisquare

from masquerade.codec.arrays import Layout
from masquerade.nets.autoregressive import NetSettings, Weights
from masquerade.nets.autoregressive_draw import Drawing
from masquerade.nets.coupling import Coupling, SecretNet
from masquerade.nets.slots import Slots

KEPT, SECRET, LEVELS, NUMBERS = 0, 1, 2, 3
SIZES = (3, 2, 3, 9)
"""A kept column, a secret, levels of one digit and numbers of two."""
BASE = 4
ROWS = 20_000

Codes = NDArray[np.int32]


@pytest.fixture(scope="module")
def net() -> SecretNet:
    random = np.random.default_rng(0)
    numbers = np.column_stack([np.linspace(0.1, 0.9, 9), np.linspace(-1, 1, 9)]).astype(np.float32)
    frequencies = tuple(random.dirichlet(np.full(size, 3.0)) for size in SIZES)
    flags = tuple((False,) * size for size in SIZES)
    places = (None, None, None, numbers)
    layout = Layout(("kept", "secret", "level", "number"), SIZES, flags, (True, True, True, False), frequencies, places)
    settings = NetSettings(embedding=5, hidden=8, narrow=None, dropout=0.0, batch_size=32, steps=10)
    return SecretNet(Slots(layout, BASE), settings, (SECRET,))


@pytest.fixture(scope="module")
def weights(net: SecretNet) -> Weights:
    """Weights large enough for the columns to depend on each other visibly."""
    made: Weights = jax.tree.map(lambda w: 2.0 * w, net.weights(0))
    return made


@functools.cache
def program(net: SecretNet) -> Any:
    return jax.jit(Coupling(net, (KEPT,)).rows)


def released(net: SecretNet, weights: Weights, codes: Codes, strength: float, seed: int = 0) -> Codes:
    """The rows changed."""
    share, ready = net.slots.log_share, Drawing(net).ready(weights)
    block = jnp.int32(0)
    changed = program(net)(ready, share, share, jnp.float32(strength), jax.random.key(seed), block, jnp.asarray(codes))
    return np.asarray(changed)


def q_of(net: SecretNet, weights: Weights, kept: int) -> NDArray[np.float64]:
    """The probability of each pair of level and number given what is kept, without the secret, shape (3, 9)."""
    rows = np.array([[kept, 0, i, j] for i, j in itertools.product(range(3), range(9))], np.int32)
    order = net.random_order(jax.random.key(0))
    each = np.asarray(net.log_probabilities(weights, net.slots.log_share, rows, order), np.float64)
    ours = np.isin(net.slots.digits.column, (LEVELS, NUMBERS))
    return np.exp(each[ours].sum(axis=0)).reshape(3, 9)


def p_of(net: SecretNet, weights: Weights, kept: int, secret: int) -> NDArray[np.float64]:
    """The same given the secret too."""
    rows = np.array([[kept, secret, i, j] for i, j in itertools.product(range(3), range(9))], np.int32)
    each = np.asarray(net.log_probabilities(weights, net.slots.log_share, rows, net.slots.order), np.float64)
    ours = np.isin(net.slots.digits.column, (LEVELS, NUMBERS))
    return np.exp(each[ours].sum(axis=0)).reshape(3, 9)


def drawn_from_p(net: SecretNet, weights: Weights, kept: int, secret: int, seed: int, rows: int = ROWS) -> Codes:
    """Rows as the net thinks they are where the secret is this."""
    p = p_of(net, weights, kept, secret)
    cells = np.random.default_rng(seed).choice(27, rows, p=p.ravel() / p.sum())
    return np.column_stack([np.full(rows, kept), np.full(rows, secret), cells // 9, cells % 9]).astype(np.int32)


def counts(codes: Codes) -> NDArray[np.int64]:
    return np.bincount(codes[:, LEVELS] * 9 + codes[:, NUMBERS], minlength=27)


def any_rows(rows: int = 4_000) -> Codes:
    random = np.random.default_rng(1)
    return np.column_stack([random.integers(0, size, rows) for size in SIZES]).astype(np.int32)


def test_the_secrets_stand_last_in_the_other_order(net: SecretNet) -> None:
    order = np.asarray(net.random_order(jax.random.key(0)))
    secret = np.asarray(net.is_secret)
    assert (secret == (net.slots.digits.column == SECRET)).all()
    assert order[secret].min() > order[~secret].max()
    assert (np.diff(order[~secret]) > 0).all()


def test_p_and_q_are_distributions_and_differ(net: SecretNet, weights: Weights) -> None:
    q = q_of(net, weights, 0)
    assert q.sum() == pytest.approx(1, abs=1e-4)
    for secret in (0, 1):
        p = p_of(net, weights, 0, secret)
        assert p.sum() == pytest.approx(1, abs=1e-4)
        assert np.abs(p - q).sum() > 0.1


def test_strength_0_changes_nothing(net: SecretNet, weights: Weights) -> None:
    codes = any_rows()
    assert (released(net, weights, codes, 0.0) == codes).all()


@pytest.mark.parametrize("strength", [0.5, 1.0])
def test_kept_and_secret_columns_stay_and_every_code_is_one(net: SecretNet, weights: Weights, strength: float) -> None:
    codes = any_rows()
    changed = released(net, weights, codes, strength)
    assert (changed[:, [KEPT, SECRET]] == codes[:, [KEPT, SECRET]]).all()
    assert (changed[:, [LEVELS, NUMBERS]] != codes[:, [LEVELS, NUMBERS]]).any(axis=0).all()
    assert ((changed >= 0) & (changed < SIZES)).all()


def test_nothing_to_hide_changes_nothing(net: SecretNet, weights: Weights) -> None:
    """Where the secret tells the net nothing, p is q, and every digit stays."""
    silent = (jnp.zeros_like(weights.embed), jnp.zeros_like(weights.tell))
    mute = eqx.tree_at(lambda w: (w.embed, w.tell), weights, silent)
    codes = any_rows()
    assert (released(net, mute, codes, 1.0) == codes).all()


@pytest.mark.parametrize("secret", [0, 1])
def test_released_rows_follow_q_whatever_the_secret(net: SecretNet, weights: Weights, secret: int) -> None:
    codes = drawn_from_p(net, weights, 0, secret, seed=secret)
    q = q_of(net, weights, 0).ravel()
    expected = q / q.sum() * ROWS
    there = expected > 5
    before, after = counts(codes)[there], counts(released(net, weights, codes, 1.0, seed=secret))[there]
    scale = expected[there] / expected[there].sum()
    assert chisquare(before, scale * before.sum()).pvalue < 1e-6  # so the test can fail
    assert chisquare(after, scale * after.sum()).pvalue > 1e-3


def test_half_the_strength_lies_between(net: SecretNet, weights: Weights) -> None:
    codes, q = drawn_from_p(net, weights, 0, 0, seed=2), q_of(net, weights, 0).ravel()
    apart = [
        float(np.abs(counts(released(net, weights, codes, strength)) / ROWS - q).sum()) for strength in (0, 0.5, 1)
    ]
    assert apart[0] > apart[1] + 0.02 > apart[2] + 0.04


def test_a_digit_stays_with_the_chance_that_a_maximal_coupling_gives_it(net: SecretNet, weights: Weights) -> None:
    codes = drawn_from_p(net, weights, 0, 0, seed=3)
    changed = released(net, weights, codes, 1.0)
    p, q = p_of(net, weights, 0, 0).sum(axis=1), q_of(net, weights, 0).sum(axis=1)
    for code in range(3):
        mine = codes[:, LEVELS] == code
        stays = float((changed[mine, LEVELS] == code).mean())
        chance = min(1.0, float(q[code] / p[code]))
        assert stays == pytest.approx(chance, abs=4 * np.sqrt(chance * (1 - chance) / mine.sum()) + 1e-9)


def test_a_seed_gives_the_same_rows_and_another_one_others(net: SecretNet, weights: Weights) -> None:
    codes = any_rows()
    assert (released(net, weights, codes, 1.0, 5) == released(net, weights, codes, 1.0, 5)).all()
    assert (released(net, weights, codes, 1.0, 5) != released(net, weights, codes, 1.0, 6)).any()
