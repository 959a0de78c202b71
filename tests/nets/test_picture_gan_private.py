"""Private training of a GAN of pictures: what the critic learns of one picture is bounded, and noise is as planned."""

from __future__ import annotations

import functools
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jaxtyping import Array

from masquerade.errors import SettingError
from masquerade.nets.convolution import Dense, convolve, fold, patches, smooth
from masquerade.nets.ghost_pictures import made_of_layers
from masquerade.nets.picture_critic_private import PrivateCritic, check_critic
from masquerade.nets.picture_gan import PictureGAN, PictureSettings
from masquerade.nets.picture_gan_private import (
    Pairs,
    PrivatePictures,
    PrivatePictureState,
    PrivatePictureTraining,
    Recipe,
)
from masquerade.nets.picture_merf import EmbeddingMatcher, MatchingSettings, WindowFeatures
from masquerade.nets.picture_nets import PictureCritic, PictureGenerator
from masquerade.nets.private import clipped_sum
from masquerade.privacy.dpsgd import WORDS, Plan

pytest.importorskip("jax_privacy")

SHAPE, KINDS = (8, 8, 1), 3
SILENT = 1e-60
"""A noise multiplier that is nothing in single precision."""


def build(
    critic: Any = PrivateCritic, clip: float = 1.0, sigma: float = SILENT, rate: int = WORDS - 1, **recipe: Any
) -> PrivatePictureTraining:
    generator = functools.partial(PictureGenerator, width=8)
    gan = PictureGAN(SHAPE, KINDS, PictureSettings(latent_width=4), generator, functools.partial(critic, width=8))
    features = WindowFeatures(SHAPE, 60)
    matcher = EmbeddingMatcher(SHAPE, KINDS, features, MatchingSettings(latent_width=4), generator)
    given = Recipe(**{"critic_steps": 2, "batch_size": 12, "first": 0.0, **recipe})
    return PrivatePictureTraining(gan, matcher, Plan(rate, clip, sigma, 10, 1.0, "steps"), given, 16)


@functools.cache
def nets() -> tuple[Any, Any]:
    """The arrays of a fresh generator and of a fresh critic."""
    generator, critic = jax.jit(build().gan.fresh)(0)
    return generator, critic


def begun(training: PrivatePictureTraining) -> PrivatePictureState:
    state = training.begin(*nets())
    # A generator at its beginning paints grey; a critic learns nothing from the same picture over and over.
    pool = jax.random.uniform(jax.random.key(2), state.pool.shape, minval=-1.0)
    return state._replace(pool=pool)


def pictures(training: PrivatePictureTraining, count: int) -> PrivatePictures:
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (count, *SHAPE), dtype=np.uint8)
    means = jnp.zeros((KINDS, training.matcher.features.width))
    return PrivatePictures(
        jnp.asarray(images), jnp.arange(count, dtype=jnp.int32) % KINDS, means, jnp.ones(KINDS) / KINDS
    )


def pairs(count: int) -> Pairs:
    both = jax.random.uniform(jax.random.key(1), (2, count, *SHAPE), minval=-1.0)
    return Pairs(both[0], both[1], jax.nn.one_hot(jnp.arange(count) % KINDS, KINDS))


def norm(tree: Any) -> float:
    return float(np.sqrt(sum((np.asarray(leaf, np.float64) ** 2).sum() for leaf in jax.tree.leaves(tree))))


def close(left: Any, right: Any) -> None:
    for one, other in zip(jax.tree.leaves(left), jax.tree.leaves(right), strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-4, atol=2e-5)


def test_patches_are_what_a_convolution_sees() -> None:
    x = jax.random.normal(jax.random.key(0), (2, 8, 12, 3))
    for kernel, stride in ((4, 2), (2, 1)):
        weight = jax.random.normal(jax.random.key(1), (kernel, kernel, 3, 5))
        seen, wanted = jax.jit(lambda x, w: (patches(x, len(w), stride), convolve(x, w, stride)))(x, weight)  # noqa: B023
        found = np.asarray(seen) @ np.asarray(weight).reshape(-1, 5)
        np.testing.assert_allclose(found.reshape(wanted.shape), wanted, atol=1e-4)
    np.testing.assert_array_equal(jax.jit(lambda x: smooth(fold(x)))(x), x)


def test_gradients_from_layers_are_those_written_out() -> None:
    training = build(clip=0.3)
    weights = jax.tree.map(lambda leaf: 2 * leaf, nets()[1])
    present = jnp.arange(7) != 2
    quick, written = training.clipped(), clipped_sum(training.unit_loss, 0.3)
    close(*jax.jit(lambda *given: (quick(*given), written(*given)))(weights, pairs(7), present))
    assert quick.sensitivity() == pytest.approx(0.3)


def test_without_a_clip_it_is_the_plain_gradient() -> None:
    training, examples = build(clip=1e6), pairs(6)
    weights = nets()[1]

    def total(weights: Any) -> Array:
        critic = training.gan.critic(weights)
        made, real = critic(examples.made, examples.hot), critic(examples.real, examples.hot)
        logs = jax.nn.log_softmax(real[:, 1:])[jnp.arange(6), jnp.arange(6) % KINDS]
        return jnp.log1p(jnp.exp(made[:, 0] - real[:, 0])).sum() - logs.sum()

    there = jnp.ones(6, bool)
    close(*jax.jit(lambda weights: (training.clipped()(weights, examples, there), jax.grad(total)(weights)))(weights))


def test_a_picture_adds_at_most_the_clip() -> None:
    training, examples = build(clip=0.5), pairs(1)
    assert training.judges_by_layers(training.gan)
    assert not training.judges_by_layers(build(PictureCritic).gan)
    weights, clipped = nets()[1], jax.jit(training.clipped().function)
    for value in (0.0, 1.0, 1e6, 1e30, np.inf, np.nan):
        found = norm(clipped(weights, examples._replace(real=examples.real * value), jnp.ones(1, bool)))
        assert np.isfinite(found)
        assert found <= 0.5 * (1 + 1e-6)
    two = pairs(2)
    spoiled = two._replace(real=two.real.at[1].set(jnp.nan))
    one = clipped(weights, two, jnp.array([True, False]))
    close(clipped(weights, spoiled, jnp.ones(2, bool)), one)  # what is not finite adds nothing, and spoils nothing


def test_one_picture_more_changes_the_sum_by_at_most_the_clip() -> None:
    """With everything else alike, made pictures among it: they do not move to other units."""
    training = build(clip=0.1)
    state, data = begun(training), pictures(training, 40)
    gradient = jax.jit(training.critic_gradient)
    whole = gradient(state, data)
    for count in (39, 38):
        less = PrivatePictures(data.images[:count], data.classes[:count], *data[2:])
        difference = norm(jax.tree.map(jnp.subtract, whole, gradient(state, less)))
        assert 0.05 * (40 - count) < difference <= 0.1 * (40 - count) * (1 + 1e-4)
    assert norm(whole) > 0.3


def test_noise_is_as_loud_as_planned_and_new_in_every_step() -> None:
    training = build(clip=0.25, sigma=2.0, rate=1)  # nearly never is a picture drawn, and there is noise all the same
    data, gradient = pictures(training, 20), jax.jit(training.critic_gradient)
    state = begun(training)
    found = [
        np.concatenate([np.ravel(leaf) for leaf in jax.tree.leaves(gradient(state._replace(steps=jnp.int32(i)), data))])
        for i in range(3)
    ]
    count = found[0].size
    assert count > 1_000
    for noise in found:
        assert abs(noise.std() / 0.5 - 1) < 6 / np.sqrt(2 * count)
        assert abs(noise.mean()) < 6 * 0.5 / np.sqrt(count)
    assert abs(np.corrcoef(found)[np.triu_indices(3, 1)]).max() < 6 / np.sqrt(count)
    again = gradient(training.refreshed(state), data)
    assert norm(jax.tree.map(jnp.subtract, again, gradient(state, data))) > 0.5


def test_the_generator_follows_when_it_is_its_turn() -> None:
    training = build(first=0.2)  # of ten steps: two are the critic's alone
    data, step, states = pictures(training, 20), jax.jit(training.step), [begun(training)]
    for _ in range(4):
        state, facts = step(states[-1], data)
        assert facts == {}
        states.append(state)
    moved = [norm(jax.tree.map(jnp.subtract, s.generator, states[0].generator)) > 0 for s in states]
    assert moved == [False, False, False, False, True]
    assert norm(jax.tree.map(jnp.subtract, states[1].critic, states[0].critic)) > 0
    assert (states[3].pool == states[0].pool).all()
    assert not (states[4].pool == states[0].pool).all()


class Batched(eqx.Module):
    """A critic that judges a picture by its neighbours."""

    sum: Dense

    def __init__(self, shape: Any, latent_width: int, classes: int, *, width: int, key: Any):
        self.sum = Dense(shape[0] * shape[1] * shape[2], 1, key=key)

    def __call__(self, x: Array, classes: Array) -> Array:
        scores = self.sum(x.reshape(len(x), -1))[:, 0]
        return scores - scores.mean()


def test_a_critic_must_judge_each_picture_on_its_own() -> None:
    check_critic(build().gan)
    with pytest.raises(SettingError, match="depends on other pictures"):
        check_critic(build(Batched).gan)


class Twice(eqx.Module):
    """A net that uses a layer twice, and another that it looks into."""

    layer: Dense
    other: Dense
    look: bool = eqx.field(static=True)

    def __call__(self, x: Array) -> Array:
        return x @ self.other.weight if self.look else self.layer(self.layer(x))


class Once(eqx.Module):
    """A net that uses its layer once."""

    layer: Dense

    def __call__(self, x: Array) -> Array:
        return self.layer(x)


def test_only_nets_of_layers_called_once_are_known() -> None:
    layer = eqx.filter_eval_shape(lambda key: Dense(3, 3, key=key), jax.random.key(0))
    two = np.zeros((2, 3), np.float32)
    assert not made_of_layers(Twice(layer, layer, look=False), two)
    assert not made_of_layers(Twice(layer, layer, look=True), two)
    assert made_of_layers(Once(layer), two)
