"""Private training of a conditional GAN of pictures: only the critic sees them, and its gradients are clipped and noised.

DP-SGD on the critic alone (Abadi et al. 2016, arXiv 1607.00133; Xie et al. 2018, arXiv 1802.06739): what the generator learns
from the critic costs nothing more. A noisy critic needs several steps for each of the generator's (Bie, Kamath, Zhang 2023,
arXiv 2302.02936), and a generator that begins where a noised mean embedding of the pictures puts it, and is held there
(arXiv 2002.11603), has less to learn from it.

The critic also says what class a picture looks like (AC-GAN, arXiv 1610.09585), in the same loss of a unit and so at no
further cost: under noise a class is learned long before what tells a made picture from a real one.

There is no gradient penalty: it keeps a critic from growing steep, which clipping and noise do already, and in each unit's
gradient it would be a second derivative, at twice the time. There are no statistics over a batch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Int, PRNGKeyArray, PyTree

from masquerade.nets.ghost_pictures import ghost_pair_sum, made_of_layers
from masquerade.nets.picture_gan import PictureGAN
from masquerade.nets.picture_merf import EmbeddingMatcher
from masquerade.nets.picture_nets import scaled
from masquerade.nets.private import ClippedSum, clipped_sum, fresh_key, private_gradient
from masquerade.nets.randomness import normal, uniforms
from masquerade.privacy.dpsgd import Plan

__all__ = [
    "Pairs",
    "PrivatePictureState",
    "PrivatePictureTraining",
    "PrivatePictures",
    "Recipe",
]

POOL = 1_000
"""Made pictures, as many of each class, from which each unit takes one of its class by its own chance."""

LEAST_OF_A_CLASS = 8
"""Made pictures of a class, however many classes there are."""


@dataclass(frozen=True)
class Recipe:
    """What shapes a private training, beside the plan.

    Args:
        generator_lr, critic_lr: step sizes of Adam; the generator's falls to 0 by a cosine, for the critic's noise never ends.
        critic_steps: updates of the critic for each of the generator.
        first: share of the steps before the generator's first.
        batch_size: pictures of an update of the generator, as many of each class.
        hold: how much the generator is held to the noised mean embeddings.
        fool: how much it is to be taken for real.
        name: how much it is to be taken for its class, where the critic says what it looks like.
        beta2: of Adam; momentum there is none.
        average: decay of the averaged generator weights.
    """

    generator_lr: float = 5e-4
    critic_lr: float = 1e-3
    critic_steps: int = 4
    first: float = 0.1
    batch_size: int = 200
    hold: float = 20.0
    fool: float = 0.1
    name: float = 1.0
    beta2: float = 0.99
    average: float = 0.99


class PrivatePictures(NamedTuple):
    """Pictures on the device, which are private, and what was told of them with noise.

    Args:
        images: uint8 (n, height, width, channels).
        classes: their numbers.
        means: noised mean embedding of each class, shape (classes, features).
        shares: noised share of each class.
    """

    images: Array
    classes: Int[Array, " n"]
    means: Float[Array, "classes features"]
    shares: Float[Array, " classes"]


class Pairs(NamedTuple):
    """What the critic sees of each unit: its picture, a made one of the same class, and the class."""

    real: Float[Array, "units height width channels"]
    made: Float[Array, "units height width channels"]
    hot: Float[Array, "units classes"]


class PrivatePictureState(NamedTuple):
    """All that training changes. Only the averaged generator is kept when it ends."""

    generator: PyTree
    critic: PyTree
    average: PyTree
    generator_optimizer: PyTree
    critic_optimizer: PyTree
    pool: Float[Array, "classes each height width channels"]
    key: PRNGKeyArray
    luck: PRNGKeyArray
    steps: Array


@dataclass(frozen=True)
class PrivatePictureTraining:
    """The pure functions of private training. One step is one update of the critic.

    Args:
        gan: the nets.
        matcher: what the generator is held by.
        plan: draws, clips, noise.
        recipe: what else shapes a step.
        microbatch: units worked off at a time.
    """

    gan: PictureGAN
    matcher: EmbeddingMatcher
    plan: Plan
    recipe: Recipe
    microbatch: int

    @property
    def kinds(self) -> int:
        """Classes, or 1 where there are none."""
        return max(self.gan.classes, 1)

    @property
    def first(self) -> int:
        """Steps before the generator's first."""
        return int(self.recipe.first * self.plan.steps)

    @property
    def generator_optimizer(self) -> optax.GradientTransformation:
        updates = max((self.plan.steps - self.first) // self.recipe.critic_steps, 1)
        rate = optax.cosine_decay_schedule(self.recipe.generator_lr, updates)
        return optax.adam(rate, b1=0.0, b2=self.recipe.beta2)

    @property
    def critic_optimizer(self) -> optax.GradientTransformation:
        return optax.adam(self.recipe.critic_lr, b1=0.0, b2=self.recipe.beta2)

    def begin(self, generator: PyTree, critic: PyTree) -> PrivatePictureState:
        """The state before the first step, from the arrays of these nets."""
        begin: PrivatePictureState = jax.jit(self._begin)(generator, critic, fresh_key(), fresh_key(), fresh_key())
        return begin

    def _begin(self, generator: PyTree, critic: PyTree, chance: Array, key: Array, luck: Array) -> PrivatePictureState:
        optimizers = self.generator_optimizer.init(generator), self.critic_optimizer.init(critic)
        pool = self.pool(generator, chance)
        return PrivatePictureState(generator, critic, generator, *optimizers, pool, key, luck, jnp.zeros((), jnp.int32))

    def refreshed(self, state: PrivatePictureState) -> PrivatePictureState:
        """The state with new randomness from the operating system."""
        return state._replace(key=fresh_key(), luck=fresh_key())

    def made(self, generator: PyTree, key: PRNGKeyArray, each: int) -> Float[Array, "batch height width channels"]:
        """Differentiable pictures, so many of each class, one class after the other."""
        (u,) = uniforms(key, [(self.kinds * each, self.gan.settings.latent_width)])
        pictures: Array = self.gan.generator(generator)(normal(u), self._hot(each))
        return pictures

    def _hot(self, each: int) -> Array:
        return self.gan.one_hot(jnp.repeat(jnp.arange(self.kinds), each))

    def pool(self, generator: PyTree, key: PRNGKeyArray) -> Float[Array, "classes each height width channels"]:
        """Made pictures for the critic to compare with."""
        each = max(POOL // self.kinds, LEAST_OF_A_CLASS)
        return self.made(generator, key, each).reshape(self.kinds, each, *self.gan.shape)

    # ── the critic ─────────────────────────────────────────────────────────────────────────────────────────────

    @staticmethod
    def judges_by_layers(gan: PictureGAN) -> bool:
        """Whether norms of the critic's gradients can be had without a derivative of the whole net for each unit."""
        two = jnp.zeros((2, *gan.shape)), jnp.zeros((2, gan.classes))
        return made_of_layers(gan.critic(gan.critic_skeleton()), *two)

    def clipped(self) -> ClippedSum:
        """The sum of the critic's gradients, one a unit: by its layers where it is made of those that are known, else written
        out by the library jax-privacy."""
        if not self.judges_by_layers(self.gan):
            return clipped_sum(self.unit_loss, self.plan.clip)
        return ghost_pair_sum(
            self.gan.critic,
            lambda pairs: (jnp.concatenate([pairs.real, pairs.made]), jnp.concatenate([pairs.hot, pairs.hot])),
            lambda real, made, pairs: _losses(real, made, pairs.hot),
            self.plan.clip,
        )

    def unit_loss(self, params: PyTree, pair: Pairs) -> Float[Array, ""]:
        """The critic's loss of one unit; all that it ever sees of pictures is in here."""
        judged = self.gan.critic(params)(jnp.stack([pair.real, pair.made]), jnp.stack([pair.hot, pair.hot]))
        return _losses(judged[:1], judged[1:], pair.hot[None])[0]

    def critic_gradient(self, state: PrivatePictureState, data: PrivatePictures) -> PyTree:
        """The critic's private gradient: the only look at pictures there is.

        A unit takes its made picture from the pool by a key of its own. Were it made for a place in the batch, one unit more
        would change what the others are compared with, and the bound would not hold.
        """

        def examples(index: Int[Array, " units"], keys: PRNGKeyArray) -> Pairs:
            words = jax.vmap(lambda key: jax.random.bits(key, (), jnp.uint32))(keys)
            kind = data.classes[index]
            made = state.pool[kind, words % state.pool.shape[1]]
            return Pairs(scaled(data.images[index]), made, self.gan.one_hot(kind))

        key = jax.random.fold_in(state.key, state.steps)
        return private_gradient(
            self.clipped(), self.plan, state.critic, examples, len(data.images), key, microbatch=self.microbatch
        )

    # ── steps ──────────────────────────────────────────────────────────────────────────────────────────────────

    def step(self, state: PrivatePictureState, data: PrivatePictures) -> tuple[PrivatePictureState, dict[str, Array]]:
        """One private update of the critic, and of the generator when it is its turn."""
        gradient = self.critic_gradient(state, data)
        update, optimizer = self.critic_optimizer.update(gradient, state.critic_optimizer, state.critic)
        steps = state.steps + 1
        critic = optax.apply_updates(state.critic, update)
        state = state._replace(critic=critic, critic_optimizer=optimizer, steps=steps)
        # Chance that protects nobody has a key of its own: the quick hash that it goes through could be undone.
        luck = jax.random.fold_in(state.luck, state.steps)
        turn = (steps > self.first) & ((steps - self.first) % self.recipe.critic_steps == 0)
        return jax.lax.cond(turn, lambda s: self._generator_step(s, data, luck), lambda s: s, state), {}

    def _generator_step(self, state: PrivatePictureState, data: PrivatePictures, key: PRNGKeyArray) -> Any:
        recipe, critic = self.recipe, self.gan.critic(state.critic)
        each = max(recipe.batch_size // self.kinds, 2)

        def loss(params: PyTree) -> Array:
            pictures = self.made(params, jax.random.fold_in(key, 0), each)
            hot = self._hot(each)
            judged = critic(pictures, hot)
            scores = _score(judged).reshape(self.kinds, each)
            # What the critic gives real pictures nobody was paid for: the mean over made ones stands in.
            unlike = jax.nn.softplus(jax.lax.stop_gradient(scores.mean(axis=1, keepdims=True)) - scores).mean()
            named = _unlike(judged, hot).mean()
            return (
                recipe.fool * unlike
                + recipe.name * named
                + recipe.hold * self.matcher.distance(pictures, data.means, data.shares)
            )

        update, optimizer = self.generator_optimizer.update(
            jax.grad(loss)(state.generator), state.generator_optimizer, state.generator
        )
        generator = optax.apply_updates(state.generator, update)
        updates = (state.steps - self.first) // recipe.critic_steps
        decay = jnp.minimum(recipe.average, (1 + updates) / (10 + updates))
        average = jax.tree.map(lambda a, b: decay * a + (1 - decay) * b, state.average, generator)
        pool = self.pool(generator, jax.random.fold_in(key, 1))
        return state._replace(generator=generator, average=average, generator_optimizer=optimizer, pool=pool)


def _score(judged: Array) -> Array:
    """The scores in what a critic says: all of it, or the first of its numbers, after which the logits of classes come."""
    return judged if judged.ndim == 1 else judged[:, 0]


def _unlike(judged: Array, hot: Array) -> Array:
    """How little each picture looks like its class; 0 from a critic that does not say."""
    if judged.ndim == 1:
        return jnp.zeros(len(judged))
    return -(jax.nn.log_softmax(judged[:, 1:]) * hot).sum(axis=1)


def _losses(real: Array, made: Array, hot: Array) -> Float[Array, " units"]:
    """Of each unit: its picture must outscore its made partner (R3GAN, arXiv 2501.05441), and be known for its class."""
    return jax.nn.softplus(_score(made) - _score(real)) + _unlike(real, hot)
