"""Private training of a GAN: what the critic learns of one unit is bounded, and it learns from rows alone."""

from __future__ import annotations

import functools
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jaxtyping import Array

from masquerade.codec.arrays import Layout
from masquerade.errors import SettingError
from masquerade.nets.autoregressive_private import Units, grouped
from masquerade.nets.gan import GANSettings
from masquerade.nets.gan_nets import Critic, Generator
from masquerade.nets.gan_private import Pairs, PrivateGAN, PrivateGANState, PrivateGANTraining
from masquerade.nets.layers import BatchNorm, linear
from masquerade.nets.private import clipped_sum
from masquerade.privacy.dpsgd import WORDS, Plan

pytest.importorskip("jax_privacy")

SIZES = (3, 4, 2)
SILENT = 1e-60
"""A noise multiplier that is nothing in single precision."""


def build(critic: Any = None, clip: float = 1.0, **settings: Any) -> PrivateGANTraining:
    random = np.random.default_rng(0)
    shares = tuple(random.dirichlet(np.full(size, 3.0)) for size in SIZES)
    layout = Layout(
        ("a", "b", "c"), SIZES, tuple((False,) * s for s in SIZES), (True, False, True), shares, (None,) * 3
    )
    given: dict[str, Any] = {"pac": 1, "loss": "relativistic", "embedding_dim": 4, "batch_size": 64} | settings
    chosen = GANSettings(**given)
    critic = critic or functools.partial(Critic, widths=(6, 5), dropout=0.0)
    gan = PrivateGAN(layout, chosen, functools.partial(Generator, widths=(8,)), critic)
    return PrivateGANTraining(gan, Plan(WORDS - 1, clip, SILENT, 10, 1.0, "steps"), 16)


def begun(training: PrivateGANTraining) -> PrivateGANState:
    return training.begin(jax.jit(training.gan.init)(0))


def units(count: int, most: int = 1) -> Units:
    random = np.random.default_rng(1)
    codes = np.column_stack([random.integers(0, size, count * most) for size in SIZES]).astype(np.int32)
    owners = None if most == 1 else np.sort(random.integers(0, count, count * most))[: count * most]
    if owners is None:
        return grouped(codes, None)
    kept = np.concatenate([np.flatnonzero(owners == owner)[:most] for owner in np.unique(owners)])
    return grouped(codes[kept], owners[kept])


def pairs(data: Units, made: Array) -> Pairs:
    one_hots = [jax.nn.one_hot(data.codes[data.rows][..., i], size) for i, size in enumerate(SIZES)]
    share = jnp.full(data.there.shape, 0.3)
    return Pairs(jnp.concatenate(one_hots, axis=-1), made, data.there, share)


def some_pairs(training: PrivateGANTraining, count: int, most: int) -> Pairs:
    data = units(count, most)
    made = jax.jit(training.gan.made, static_argnums=2)
    pool, _ = made(begun(training).generator, jax.random.key(0), data.there.size)
    return pairs(data, pool.reshape(*data.there.shape, -1))


def norm(tree: Any) -> float:
    return float(np.sqrt(sum((np.asarray(leaf, np.float64) ** 2).sum() for leaf in jax.tree.leaves(tree))))


def close(left: Any, right: Any, rtol: float = 2e-4) -> None:
    for one, other in zip(jax.tree.leaves(left), jax.tree.leaves(right), strict=True):
        np.testing.assert_allclose(one, other, rtol=rtol, atol=1e-5)


@pytest.mark.parametrize(("most", "clip"), [(1, 0.2), (3, 0.2)])
def test_norms_from_layers_are_those_of_gradients_written_out(most: int, clip: float) -> None:
    training = build(clip=clip)
    examples = some_pairs(training, 9, most)
    weights = jax.tree.map(lambda leaf: 3 * leaf, begun(training).critic)
    present = jnp.arange(len(examples.there)) != 2
    quick = training.clipped()
    written = clipped_sum(training.unit_loss, clip)
    both = jax.jit(lambda *given: (quick(*given), written(*given)))(weights, examples, present)
    close(*both)
    assert quick.sensitivity() == pytest.approx(clip)


def test_without_a_clip_it_is_the_plain_gradient() -> None:
    training = build(clip=1e6)
    examples, weights = some_pairs(training, 8, 2), begun(training).critic

    def total(weights: Any) -> Array:
        critic = training.gan.critic(weights)
        width = examples.real.shape[-1]
        real, made = (critic(x.reshape(-1, width))[:, 0].reshape(examples.there.shape) for x in examples[:2])
        return jnp.where(examples.there, jnp.log1p(jnp.exp(made - real)), 0.0).sum()

    present = jnp.ones(len(examples.there), bool)
    close(*jax.jit(lambda weights: (training.clipped()(weights, examples, present), jax.grad(total)(weights)))(weights))


@pytest.mark.parametrize("loss", ["relativistic", "wgan-gp"])
def test_a_unit_adds_at_most_the_clip(loss: str) -> None:
    training = build(clip=0.5, loss=loss)
    examples, weights = some_pairs(training, 1, 1), begun(training).critic
    clipped = jax.jit(training.clipped().function)
    for value in (0.0, 1.0, 1e6, 1e30, np.inf, np.nan):
        found = norm(clipped(weights, examples._replace(real=examples.real * value), jnp.ones(1, bool)))
        assert np.isfinite(found)
        assert found <= 0.5 * (1 + 1e-6)


@pytest.mark.parametrize(("loss", "most"), [("relativistic", 2), ("wgan-gp", 1)])
def test_one_unit_more_changes_the_sum_by_at_most_the_clip(loss: str, most: int) -> None:
    """With everything else alike, made rows among it: they do not move to other units."""
    training = build(clip=0.1, loss=loss)
    state, data = begun(training), units(40, most)
    pool = jax.nn.softmax(5 * jax.random.normal(jax.random.key(0), (32, sum(SIZES))))
    without = Units(data.codes, data.rows[:-1], data.there[:-1])
    gradient = jax.jit(training.critic_gradient)
    both = gradient(state, pool, data), gradient(state, pool, without)
    difference = norm(jax.tree.map(jnp.subtract, *both))
    assert 0.05 < difference <= 0.1 * (1 + 1e-4)
    assert norm(both[0]) > 0.5


def test_made_rows_begin_at_noised_shares_and_have_what_was_asked_for() -> None:
    gan = build().gan
    rows, shares = jax.jit(gan.made, static_argnums=2)(jax.jit(gan.init)(0).generator, jax.random.key(1), 4_000)
    np.testing.assert_allclose(shares.mean(axis=0), gan.shares, atol=0.06)
    # One of two discrete columns is asked for in each row: there it is wholly one code.
    sure = np.stack([np.asarray(rows[:, :3]).max(axis=1), np.asarray(rows[:, 7:]).max(axis=1)]) == 1
    assert sure.any(axis=0).all()
    asked = np.asarray(shares[:, :3]).max(axis=1) == 1
    np.testing.assert_allclose(np.asarray(rows[asked, :3]).mean(axis=0), gan.shares[:3], atol=0.05)


def test_the_generator_follows_when_it_is_its_turn() -> None:
    training, data = build(discriminator_steps=2), units(40)
    step, state = jax.jit(training.step), begun(training)
    first, facts = step(state, data)
    second, _ = step(first, data)
    start = state.generator
    assert facts == {}
    assert norm(jax.tree.map(jnp.subtract, first.generator, start)) == 0
    assert norm(jax.tree.map(jnp.subtract, second.generator, start)) > 0
    assert norm(jax.tree.map(jnp.subtract, first.critic, state.critic)) > 0


class Normed(eqx.Module):
    """A critic that judges a row by its neighbours."""

    layer: eqx.nn.Linear
    norm: BatchNorm

    def __init__(self, in_width: int, out_width: int, *, key: Any):
        self.layer, self.norm = eqx.nn.Linear(in_width, out_width, key=key), BatchNorm(out_width)

    def __call__(self, x: Array) -> Array:
        return self.norm(linear(self.layer, x))


def test_a_critic_must_judge_each_row_on_its_own() -> None:
    build().gan.check_critic()
    with pytest.raises(SettingError, match="depends on other rows"):
        build(Normed).gan.check_critic()
    with pytest.raises(SettingError, match="wants a key"):
        build(functools.partial(Critic, widths=(4,), dropout=0.5)).gan.check_critic()
