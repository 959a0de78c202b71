"""The adversarial imputer: its gradients, what it may read, and that it learns what goes together."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from masquerade.codec.arrays import Layout
from masquerade.nets.gain import GAIN, GAINSettings
from masquerade.nets.loop import Schedule, train


@pytest.fixture(scope="module")
def codes() -> np.ndarray:
    random = np.random.default_rng(0)
    first = random.integers(0, 4, 1_000)
    return np.column_stack([first, first, random.integers(0, 2, 1_000)]).astype(np.int32)


@pytest.fixture(scope="module")
def net(codes: np.ndarray) -> GAIN:
    shares = tuple(np.bincount(codes[:, i]) / len(codes) for i in range(3))
    layout = Layout(("a", "b", "c"), (4, 4, 2), ((False,) * 4, (False,) * 4, (False,) * 2), (True,) * 3, shares)
    return GAIN(layout, GAINSettings(batch_size=64, hidden=(32,), noise=4, learning_rate=5e-3))


def test_it_learns_what_goes_together_and_leaves_the_rest_to_chance(net: GAIN, codes: np.ndarray) -> None:
    data, score = jnp.asarray(codes), jax.jit(net.score)
    outcome = train(
        net.step,
        net.begin(0),
        data,
        Schedule(epochs=30, steps_per_epoch=15),
        snapshot=lambda state: state.generator,
        validate=lambda weights: float(score(weights, data[:200])),
    )
    assert {"discriminator", "adversarial", "reconstruction"} <= outcome.trail.history[-1].keys()
    holes = codes.copy()
    holes[:, 1:] = -1
    drawn = np.asarray(net.draw(outcome.trail.best, jnp.asarray(holes), jax.random.key(1), jnp.int32(0)))
    assert (drawn[:, 0] == codes[:, 0]).all()
    assert (drawn[:, 1] == codes[:, 1]).mean() > 0.9
    assert abs((drawn[:, 2] == codes[:, 2]).mean() - 0.5) < 0.08
    again = np.asarray(net.draw(outcome.trail.best, jnp.asarray(holes), jax.random.key(2), jnp.int32(0)))
    assert (drawn[:, 2] != again[:, 2]).mean() > 0.3


def test_what_stands_in_a_hole_is_not_read(net: GAIN, codes: np.ndarray) -> None:
    state = net.begin(1)
    shown = jnp.asarray(np.random.default_rng(2).random(codes.shape) < 0.5)
    other = jnp.where(shown, codes, (codes + 1) % jnp.asarray([4, 4, 2]))
    noise = jnp.zeros((len(codes), 4))
    one, two = (net.logits(state.generator, rows, shown, noise) for rows in (jnp.asarray(codes), other))
    assert jnp.array_equal(one, two)


def test_both_nets_move_and_the_same_seed_gives_the_same(net: GAIN, codes: np.ndarray) -> None:
    data = jnp.asarray(codes)
    begin, step = net.begin(3), jax.jit(net.step)
    after, losses = step(begin, data)
    again, _ = step(net.begin(3), data)
    assert all(np.isfinite(float(loss)) for loss in losses.values())
    for before, moved, same in (
        (begin.generator, after.generator, again.generator),
        (begin.discriminator, after.discriminator, again.discriminator),
    ):
        leaves = zip(jax.tree.leaves(before), jax.tree.leaves(moved), jax.tree.leaves(same), strict=True)
        assert any(not jnp.array_equal(x, y) for x, y, _ in leaves)
        assert jax.tree.all(jax.tree.map(jnp.array_equal, moved, same))
