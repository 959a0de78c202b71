"""Private training of a conditional tabular GAN: only the critic sees rows, and its gradients are clipped and noised.

DP-SGD on the critic alone (Abadi et al. 2016, arXiv 1607.00133; Xie et al. 2018, arXiv 1802.06739): all that the generator
learns, it learns from the critic and from noised shares, so it costs nothing more. How often each should step: Bie, Kamath and
Zhang 2023 (arXiv 2302.02936).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray, PyTree

from masquerade.codec.arrays import Layout
from masquerade.errors import SettingError
from masquerade.nets.autoregressive_private import Units
from masquerade.nets.gan import GANSettings, GANState, TabularGAN
from masquerade.nets.gan_nets import Critic, Generator, NetFactory
from masquerade.nets.ghost_critic import ghost_critic_sum
from masquerade.nets.private import ClippedSum, clipped_sum, fresh_key, private_gradient
from masquerade.nets.randomness import gumbel, normal, uniforms
from masquerade.nets.weights import is_array
from masquerade.privacy.dpsgd import Plan

__all__ = ["Pairs", "PrivateGAN", "PrivateGANState", "PrivateGANTraining"]

POOL = 512
"""Made rows of a step, from which each unit takes some by its own chance."""

LEAST_SHARE = 1e-6
"""A noised share below this counts as this."""


class Pairs(NamedTuple):
    """What the critic sees of each unit: its rows, and as many made ones.

    Args:
        real: the rows of each unit.
        made: as many rows from the pool.
        there: which rows there are; the others are room.
        share: uniform numbers, where a penalty looks between a real and a made row.
    """

    real: Float[Array, "units rows width"]
    made: Float[Array, "units rows width"]
    there: Bool[Array, "units rows"]
    share: Float[Array, "units rows"]


class PrivateGANState(NamedTuple):
    """All that training changes. Only the averaged generator is kept when it ends."""

    generator: PyTree
    critic: PyTree
    average: PyTree
    generator_optimizer: PyTree
    critic_optimizer: PyTree
    key: PRNGKeyArray
    luck: PRNGKeyArray
    steps: Array


class PrivateGAN(TabularGAN):
    """A tabular GAN whose critic judges rows alone, without their conditions.

    A made row has the condition that it was asked for, exactly; conditions are drawn by the layout's frequencies, which are to
    be noised. So made rows are like real ones where the generator is right, and no row is chosen by its condition.

    Args:
        layout: shape of the encoded table, of codes only; its frequencies noised.
        settings: what shapes a step; `batch_size` is that of the generator.
        generator: makes the generator net.
        critic: makes the critic net: a function of each row on its own.
    """

    def __init__(self, layout: Layout, settings: GANSettings, generator: NetFactory, critic: NetFactory):
        if any(layout.continuous):
            raise SettingError("layout: got columns with scalars, and a private GAN is made for codes only; fit again.")
        floored = [np.maximum(share, LEAST_SHARE) for share in layout.frequencies]
        self.shares = np.concatenate([share / share.sum() for share in floored]).astype(np.float32)
        super().__init__(layout, settings, generator, critic)

    def _nets(self, key: PRNGKeyArray) -> tuple[Any, Any]:
        generator_key, critic_key = jax.random.split(key)
        width = self.settings.embedding_dim + self.conditions.width
        generator = self._make_generator(width, self.width, key=generator_key)
        if isinstance(generator, Generator):
            # It begins at independent columns of the noised shares.
            generator = eqx.tree_at(lambda net: net.head.bias, generator, jnp.log(self.shares))
        return generator, self._make_critic(self.width, 1, key=critic_key)

    def conditioned(self, column: Array, code: Array) -> Bool[Array, "batch width"]:
        """Which places belong to the column that is asked for."""
        columns: Array = jnp.asarray(self.conditions.columns)[column]
        return jnp.asarray(self.spans.span_of_place) == columns[:, None]

    def made(self, params: PyTree, key: PRNGKeyArray, count: int) -> tuple[Array, Array]:
        """Differentiable rows in training mode, and the shares of codes that they were drawn by: both (count, width)."""
        u, u_noise, u_gumbel = uniforms(
            key, [(2, count), (count, self.settings.embedding_dim), (count, self.spans.width)]
        )
        noise = normal(u_noise)
        if self.conditions.width:
            column, code = self.conditions.choose(u[0], u[1], jnp.asarray(self.conditions.true_weights))
            noise = jnp.concatenate([noise, self.conditions.one_hot(column, code)], axis=1)
        logits = eqx.combine(params, self._generator_static)(noise)
        soft = self.spans.softmax((logits + gumbel(u_gumbel)) / self.settings.temperature)
        shares = self.spans.softmax(logits)
        if self.conditions.width:
            asked = jax.nn.one_hot(self.conditions.span_place(column, code), self.width)
            there = self.conditioned(column, code)
            soft, shares = jnp.where(there, asked, soft), jnp.where(there, asked, shares)
        return soft, shares

    def critic(self, params: PyTree) -> Any:
        """The critic of these arrays."""
        return eqx.combine(params, self._critic_static)

    def critic_skeleton(self) -> PyTree:
        """The shapes of the critic's arrays."""
        return eqx.filter(eqx.filter_eval_shape(self._nets, jax.random.key(0))[1], is_array)

    @property
    def ghostly(self) -> bool:
        """Whether norms of the critic's gradients can be had without writing them out."""
        return isinstance(self._critic_static, Critic) and self.settings.loss == "relativistic"

    def check_critic(self) -> None:
        """Refuse a critic whose score of a row depends on other rows, or on chance.

        Raises:
            SettingError: it does.
        """
        if self._critic_wants_key:
            raise SettingError(
                "discriminator: got a critic that wants a key, and under a guarantee noise does the work of dropout; bring one "
                "without."
            )
        if isinstance(self._critic_static, Critic):
            return

        def both() -> tuple[Array, Array]:
            critic, rows = self._nets(jax.random.key(0))[1], jax.random.uniform(jax.random.key(1), (6, self.width))
            return critic(rows), jax.vmap(lambda row: critic(row[None])[0])(rows)

        together, alone = jax.jit(both)()
        if together.shape != (6, 1) or not np.allclose(together, alone, rtol=1e-3, atol=1e-4):
            raise SettingError(
                "discriminator: got a critic whose score of a row depends on other rows (as batch normalisation makes it), and "
                "under a guarantee each row must be judged on its own; take layer normalisation or none."
            )


@dataclass(frozen=True)
class PrivateGANTraining:
    """The pure functions of private training. One step is one update of the critic.

    Args:
        gan: the nets and what shapes a step; of its settings `discriminator_steps` says how many steps there are for each
            update of the generator.
        plan: draws, clips, noise.
        microbatch: units worked off at a time.
        shares_weight: how much the generator is to keep to the noised shares of single columns.
    """

    gan: PrivateGAN
    plan: Plan
    microbatch: int
    shares_weight: float = 1.0

    @property
    def generator_optimizer(self) -> optax.GradientTransformation:
        """Adam, whose steps fall by a cosine: the critic's noise never ends, so the generator must come to rest by itself."""
        settings = self.gan.settings
        updates = max(self.plan.steps // settings.discriminator_steps, 1)
        rate = optax.cosine_decay_schedule(settings.generator_lr, updates)
        decay = optax.add_decayed_weights(settings.generator_decay)
        return optax.chain(decay, optax.adam(rate, b1=settings.beta1, b2=settings.beta2))

    def begin(self, fresh: GANState) -> PrivateGANState:
        """The state before the first step, from fresh nets that `PrivateGAN.init` made."""
        return PrivateGANState(
            fresh.generator,
            fresh.critic,
            fresh.generator,
            self.generator_optimizer.init(fresh.generator),
            fresh.critic_optimizer,
            fresh_key(),
            fresh_key(),
            jnp.zeros((), jnp.int32),
        )

    def refreshed(self, state: PrivateGANState) -> PrivateGANState:
        """The state with new randomness from the operating system."""
        return state._replace(key=fresh_key(), luck=fresh_key())

    def clipped(self) -> ClippedSum:
        """The sum of the critic's gradients, one a unit: norms from layers where the critic is `Critic`, else written out."""
        gan = self.gan
        if gan.ghostly:
            return ghost_critic_sum(
                gan.critic,
                lambda pairs: jnp.concatenate([pairs.real, pairs.made], axis=1),
                lambda scores, pairs: _relativistic(scores, pairs.there),
                self.plan.clip,
            )
        return clipped_sum(self.unit_loss, self.plan.clip)

    def unit_loss(self, params: PyTree, pair: Pairs) -> Float[Array, ""]:
        """The critic's loss of one unit; all that the critic ever sees of rows goes through here."""
        critic = self.gan.critic(params)

        def score(row: Array) -> Array:
            value: Array = critic(row[None])[0, 0]
            return value

        real, made = jax.vmap(score)(pair.real), jax.vmap(score)(pair.made)
        if self.gan.settings.loss == "relativistic":
            return _relativistic(jnp.concatenate([real, made]), pair.there)
        share = pair.share[:, None]
        slopes = jax.vmap(jax.grad(score))(share * pair.real + (1 - share) * pair.made)
        norm = jnp.sqrt(jnp.square(slopes).sum(axis=1) + 1e-12)
        penalty = self.gan.settings.penalty * jnp.square(norm - 1)
        return jnp.where(pair.there, made - real + penalty, 0.0).sum()

    def critic_gradient(self, state: PrivateGANState, pool: Float[Array, "pool width"], data: Units) -> PyTree:
        """The critic's private gradient: the only look at rows there is.

        A unit takes its made rows from the pool by a key of its own. Were they made for places in a batch, one unit more would
        change what the others are compared with, and the bound would not hold.
        """

        def examples(index: Int[Array, " units"], keys: PRNGKeyArray) -> Pairs:
            codes, there = data.codes[data.rows[index]], data.there[index]
            real = self.gan.spans.one_hot(codes.reshape(-1, codes.shape[-1])).reshape(*there.shape, -1)
            words = jax.vmap(lambda key: jax.random.bits(key, (2, there.shape[1]), jnp.uint32))(keys)
            share = (words[:, 1] >> 8).astype(jnp.float32) / 2**24
            return Pairs(real, pool[words[:, 0] % len(pool)], there, share)

        key = jax.random.fold_in(state.key, state.steps)
        return private_gradient(
            self.clipped(), self.plan, state.critic, examples, len(data.rows), key, microbatch=self.microbatch
        )

    def step(self, state: PrivateGANState, data: Units) -> tuple[PrivateGANState, dict[str, Array]]:
        """One private update of the critic, and of the generator when it is its turn."""
        gan, settings = self.gan, self.gan.settings
        # Chance that protects nobody has a key of its own: the quick hash that it goes through could be undone.
        luck = jax.random.fold_in(state.luck, state.steps)
        pool, _ = gan.made(state.generator, jax.random.fold_in(luck, 0), POOL)
        gradient = self.critic_gradient(state, jax.lax.stop_gradient(pool), data)
        update, critic_optimizer = gan.critic_optimizer.update(gradient, state.critic_optimizer, state.critic)
        state = state._replace(
            critic=optax.apply_updates(state.critic, update), critic_optimizer=critic_optimizer, steps=state.steps + 1
        )
        key = jax.random.fold_in(luck, 1)
        if settings.discriminator_steps == 1:
            return self._generator_step(state, key), {}
        turn = state.steps % settings.discriminator_steps == 0
        return jax.lax.cond(turn, lambda s: self._generator_step(s, key), lambda s: s, state), {}

    def _generator_step(self, state: PrivateGANState, key: PRNGKeyArray) -> PrivateGANState:
        gan, settings = self.gan, self.gan.settings
        critic = gan.critic(state.critic)

        def loss(params: PyTree) -> Array:
            rows, shares = gan.made(params, key, settings.batch_size)
            scores = critic(rows)[:, 0]
            # What the critic gives real rows nobody was paid for: the mean over made ones stands in.
            unlike = (
                -scores
                if settings.loss == "wgan-gp"
                else jax.nn.softplus(jax.lax.stop_gradient(scores.mean()) - scores)
            )
            drawn = jnp.maximum(shares.mean(axis=0), LEAST_SHARE)
            off = (gan.shares * jnp.log(gan.shares / drawn)).sum()
            total: Array = unlike.mean() + self.shares_weight * off
            return total

        update, optimizer = self.generator_optimizer.update(
            jax.grad(loss)(state.generator), state.generator_optimizer, state.generator
        )
        generator = optax.apply_updates(state.generator, update)
        updates = state.steps // settings.discriminator_steps
        decay = jnp.minimum(settings.average, (1 + updates) / (10 + updates))
        average = jax.tree.map(lambda a, b: decay * a + (1 - decay) * b, state.average, generator)
        return state._replace(generator=generator, average=average, generator_optimizer=optimizer)


def _relativistic(scores: Array, there: Array) -> Array:
    """A real row must outscore its made partner (R3GAN, arXiv 2501.05441); scores of both and the sum over rows along the
    last axis."""
    real, made = jnp.split(scores, 2, axis=-1)
    losses: Array = jnp.where(there, jax.nn.softplus(made - real), 0.0).sum(axis=-1)
    return losses
