"""A conditional GAN of pictures: losses and one training step. Arrays in, arrays out.

Reference: R3GAN (arXiv 2501.05441): relativistic pairing loss, zero-centred gradient penalties on real and made pictures
(here every `penalty_every` steps, Karras et al. 2020, arXiv 1912.04958, appendix B), averaged generator weights.
Below 5,000 pictures both sides are augmented alike before the critic sees them (DiffAugment, arXiv 2006.10738).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Int, PRNGKeyArray, PyTree

from masquerade.nets.picture_nets import PictureNetFactory, Shape, scaled
from masquerade.nets.randomness import index, normal, subkey, uniforms
from masquerade.nets.weights import is_array

__all__ = ["PictureData", "PictureGAN", "PictureSettings", "PictureState"]


SHARE_AUGMENTED = 0.5
"""Of small sets' pictures, how many the critic sees shifted, and how many partly covered."""

NORMALISE = 1_000
"""Pictures whose statistics fix the batch normalisation of a trained generator."""


@dataclass(frozen=True)
class PictureSettings:
    """What shapes a step.

    Args:
        batch_size: pictures a step.
        latent_width: numbers of noise.
        generator_lr, critic_lr: step sizes of Adam, which fall to a tenth by a cosine.
        loss: `"relativistic"`, or `"standard"` (Goodfellow et al. 2014, with the generator's non-saturating loss).
        penalty: weight γ of the zero-centred gradient penalties, which falls to a tenth by half of the steps (as in R3GAN: a
            strong one at the end levels the critic), but for augmented pictures, few enough to be learnt by heart; 0: none.
        penalty_every: steps from one penalty to the next.
        beta1, beta2: of Adam.
        average: decay of the averaged generator weights.
        augment: whether the critic sees shifted and partly covered pictures.
        steps: planned steps, for the schedule.
    """

    batch_size: int = 128
    latent_width: int = 64
    generator_lr: float = 1e-3
    critic_lr: float = 1e-3
    loss: Literal["relativistic", "standard"] = "relativistic"
    penalty: float = 2.0
    penalty_every: int = 4
    beta1: float = 0.0
    beta2: float = 0.99
    average: float = 0.999
    augment: bool = False
    steps: int = 10_000


class PictureData(NamedTuple):
    """Training pictures on the device."""

    images: Array  # uint8 (n, height, width, channels)
    classes: Int[Array, " n"]


class PictureState(NamedTuple):
    """All that training changes."""

    generator: PyTree
    critic: PyTree
    average: PyTree
    generator_optimizer: PyTree
    critic_optimizer: PyTree
    key: Array
    steps: Array


class PictureGAN:
    """The pure functions for pictures of one shape.

    Args:
        shape: height, width, channels.
        classes: how many; 0 for none.
        settings: what shapes a step.
        generator, critic: make the nets.
    """

    def __init__(
        self,
        shape: Shape,
        classes: int,
        settings: PictureSettings,
        generator: PictureNetFactory,
        critic: PictureNetFactory,
    ):
        self.shape, self.classes, self.settings = shape, classes, settings
        self._make_generator, self._make_critic = generator, critic
        self.generator_optimizer = self._adam(settings.generator_lr)
        self.critic_optimizer = self._adam(settings.critic_lr)
        last = 1.0 if settings.augment else 0.1
        self._penalty = optax.cosine_decay_schedule(settings.penalty, max(settings.steps // 2, 1), last)
        generator_net, critic_net = eqx.filter_eval_shape(self._nets, jax.random.key(0))
        self._generator_static = eqx.partition(generator_net, is_array)[1]
        self._critic_static = eqx.partition(critic_net, is_array)[1]

    def _adam(self, rate: float) -> optax.GradientTransformation:
        settings = self.settings
        falling = optax.cosine_decay_schedule(rate, max(settings.steps, 1), 0.1)
        return optax.adam(falling, b1=settings.beta1, b2=settings.beta2)

    def _nets(self, key: PRNGKeyArray) -> tuple[Any, Any]:
        keys = jax.random.split(key)
        arguments = (self.shape, self.settings.latent_width, self.classes)
        return self._make_generator(*arguments, key=keys[0]), self._make_critic(*arguments, key=keys[1])

    def init(self, seed: int) -> PictureState:
        """Fresh nets and optimisers."""
        return self.begin(*self.fresh(seed), seed)

    def fresh(self, seed: int | Array) -> tuple[PyTree, PyTree]:
        """The arrays of a fresh generator and of a fresh critic."""
        generator, critic = (eqx.filter(net, is_array) for net in self._nets(jax.random.key(seed, impl="unsafe_rbg")))
        return generator, critic

    def begin(self, generator: PyTree, critic: PyTree, seed: int) -> PictureState:
        """The state before the first step from these nets."""
        optimizers = self.generator_optimizer.init(generator), self.critic_optimizer.init(critic)
        return PictureState(generator, critic, generator, *optimizers, jax.random.key(seed), jnp.zeros((), jnp.int32))

    def skeleton(self) -> PyTree:
        """The shapes of the generator's arrays."""
        return eqx.filter(eqx.filter_eval_shape(self._nets, jax.random.key(0))[0], is_array)

    def critic_skeleton(self) -> PyTree:
        """The shapes of the critic's arrays."""
        return eqx.filter(eqx.filter_eval_shape(self._nets, jax.random.key(0))[1], is_array)

    def generator(self, params: PyTree) -> Any:
        """The generator of these arrays."""
        return eqx.combine(params, self._generator_static)

    def critic(self, params: PyTree) -> Any:
        """The critic of these arrays."""
        return eqx.combine(params, self._critic_static)

    def nets(self, key: PRNGKeyArray) -> tuple[Any, Any]:
        """A fresh generator and a fresh critic."""
        return self._nets(key)

    def one_hot(self, classes: Int[Array, " batch"]) -> Float[Array, "batch classes"]:
        """Classes as the nets see them."""
        return jax.nn.one_hot(classes, self.classes)

    def draw(self, params: PyTree, key: PRNGKeyArray, block: Array, classes: Int[Array, " batch"]) -> Array:
        """Pictures of these classes, uint8 (batch, height, width, channels); `block` numbers the blocks of a key."""
        (u,) = uniforms(key, [(len(classes), self.settings.latent_width)], block)
        generator = eqx.nn.inference_mode(eqx.combine(params, self._generator_static))
        made = generator(normal(u), self.one_hot(classes))
        return jnp.clip(jnp.round((made + 1) * 127.5), 0, 255).astype(jnp.uint8)

    def normalised(self, params: PyTree, key: PRNGKeyArray) -> PyTree:
        """The generator's arrays with batch normalisation fixed to the statistics of `NORMALISE` pictures, classes alike.

        A net that has no method `calibrated` is left as it is.
        """
        generator = eqx.combine(params, self._generator_static)
        if not hasattr(generator, "calibrated"):
            return params
        (u,) = uniforms(key, [(NORMALISE, self.settings.latent_width)])
        hot = self.one_hot(jnp.arange(NORMALISE) % max(self.classes, 1))
        return eqx.filter(generator.calibrated(normal(u), hot), is_array)

    # ── one step ───────────────────────────────────────────────────────────────────────────────────────────────

    def _critic_loss(self, params: Any, real: Array, fake: Array, hot: Array, seen: Any, steps: Array) -> Array:
        critic = eqx.combine(params, self._critic_static)

        def scores(pictures: Array) -> Array:
            result: Array = critic(seen(pictures), jnp.concatenate([hot, hot]))
            return result

        both = jnp.concatenate([real, fake])
        result = scores(both)
        loss = self._loss(result[: len(real)], result[len(real) :])
        if self.settings.penalty == 0:
            return loss

        def penalty() -> Array:
            slopes = jax.grad(lambda pictures: scores(pictures).sum())(both)
            return jnp.square(slopes).sum(axis=(1, 2, 3)).mean()

        weight = self._penalty(steps) * self.settings.penalty_every
        slope = jax.lax.cond(steps % self.settings.penalty_every == 0, penalty, lambda: jnp.zeros(()))
        whole: Array = loss + weight * slope
        return whole

    def _loss(self, better: Array, worse: Array) -> Array:
        if self.settings.loss == "relativistic":
            parts = jax.nn.softplus(worse - better)
        else:
            parts = jax.nn.softplus(-better) + jax.nn.softplus(worse)
        return jnp.mean(parts)

    def _generator_loss(
        self, params: Any, critic_params: Any, noise: Array, real: Array, hot: Array, seen: Any
    ) -> Array:
        critic = eqx.combine(critic_params, self._critic_static)
        fake = eqx.combine(params, self._generator_static)(noise, hot)
        if self.settings.loss == "standard":
            return jnp.mean(jax.nn.softplus(-critic(seen(fake), hot)))
        scores = critic(seen(jnp.concatenate([fake, real])), jnp.concatenate([hot, hot]))
        return self._loss(scores[: len(fake)], scores[len(fake) :])

    def step(self, state: PictureState, data: PictureData) -> tuple[PictureState, dict[str, Array]]:
        """One update of the critic, one of the generator, one of the averaged weights."""
        count = self.settings.batch_size
        u_rows, u_noise = uniforms(state.key, [(count,), (2, count, self.settings.latent_width)], state.steps)
        rows = index(u_rows, len(data.images))
        real = scaled(data.images[rows])
        hot = self.one_hot(data.classes[rows])
        noise = normal(u_noise)
        seen = self._seen(state)
        fake = eqx.combine(state.generator, self._generator_static)(noise[0], hot)
        critic_loss, gradient = jax.value_and_grad(self._critic_loss)(state.critic, real, fake, hot, seen, state.steps)
        update, critic_optimizer = self.critic_optimizer.update(gradient, state.critic_optimizer, state.critic)
        critic = optax.apply_updates(state.critic, update)
        generator_loss, gradient = jax.value_and_grad(self._generator_loss)(
            state.generator, critic, noise[1], real, hot, seen
        )
        update, generator_optimizer = self.generator_optimizer.update(
            gradient, state.generator_optimizer, state.generator
        )
        generator = optax.apply_updates(state.generator, update)
        steps = state.steps + 1
        decay = jnp.minimum(self.settings.average, (1 + steps) / (10 + steps))
        average = jax.tree.map(lambda a, b: decay * a + (1 - decay) * b, state.average, generator)
        state = PictureState(generator, critic, average, generator_optimizer, critic_optimizer, state.key, steps)
        return state, {"generator": generator_loss, "critic": critic_loss}

    def _seen(self, state: PictureState) -> Any:
        """What the critic sees of pictures: all, or each shifted by up to an eighth and with a covered square."""
        if not self.settings.augment:
            return lambda pictures: pictures

        def seen(pictures: Array) -> Array:
            return augmented(pictures, subkey(state.key, state.steps, 7))

        return seen


def augmented(pictures: Float[Array, "batch height width channels"], key: PRNGKeyArray) -> Array:
    """Half of the pictures shifted by up to an eighth, half with a square of a quarter of their sides covered, differentiably.

    A generator whose critic never saw a whole picture would paint shifted and covered ones (Karras et al. 2020, arXiv
    2006.06676, section 2.2).
    """
    batch, height, across, _ = pictures.shape
    shift, place, chance = uniforms(key, [(2, batch), (2, batch), (2, batch)])
    rows, columns = jnp.arange(height), jnp.arange(across)

    def moved(picture: Array, by: Array, where: Array, chosen: Array) -> Array:
        by = jnp.where(chosen[0], jnp.round((2 * by - 1) * jnp.array([height, across]) / 8), 0).astype(jnp.int32)
        y, x = rows - by[0], columns - by[1]
        inside = ((y >= 0) & (y < height))[:, None] & ((x >= 0) & (x < across))[None, :]
        picture = jnp.where(inside[..., None], picture[jnp.clip(y, 0, height - 1)][:, jnp.clip(x, 0, across - 1)], -1.0)
        top, left = where[0] * height, where[1] * across
        covered = (jnp.abs(rows - top) < height / 8)[:, None] & (jnp.abs(columns - left) < across / 8)[None, :]
        return jnp.where(covered[..., None] & chosen[1], -1.0, picture)

    result: Array = jax.vmap(moved)(pictures, shift.T, place.T, chance.T < SHARE_AUGMENTED)
    return result
