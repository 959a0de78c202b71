"""Conditional tabular GAN: nets, losses and one training step. Arrays in, arrays out.

Reference: Xu, Skoularidou, Cuesta-Infante, Veeramachaneni, "Modeling Tabular Data using Conditional GAN", NeurIPS 2019
(arXiv 1907.00503); PacGAN: arXiv 1712.04086; WGAN-GP: arXiv 1704.00028; relativistic loss with two penalties: R3GAN,
arXiv 2501.05441.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, Int, PRNGKeyArray, PyTree

from masquerade.codec.arrays import Encoded, Layout
from masquerade.nets.conditions import Conditions, RowIndex
from masquerade.nets.gan_nets import NetFactory
from masquerade.nets.layers import Spans
from masquerade.nets.randomness import gumbel, index, normal, subkey, uniforms
from masquerade.nets.weights import is_array

__all__ = ["Data", "GANSettings", "GANState", "TabularGAN"]

NORMALISE_ROWS = 4_096
"""Rows whose statistics fix the batch normalisation of a trained generator."""


@dataclass(frozen=True)
class GANSettings:
    """What shapes a step. Names and defaults follow the reference where it has them."""

    batch_size: int = 500
    embedding_dim: int = 128
    pac: int = 10
    loss: Literal["wgan-gp", "relativistic"] = "wgan-gp"
    generator_lr: float = 2e-4
    discriminator_lr: float = 2e-4
    generator_decay: float = 1e-6
    discriminator_decay: float = 1e-6
    discriminator_steps: int = 1
    penalty: float = 10.0
    temperature: float = 0.2
    average: float = 0.999
    beta1: float = 0.5
    beta2: float = 0.9
    condition_weight: float = 1.0


class Data(NamedTuple):
    """The training table on the device."""

    codes: Int[Array, "rows columns"]
    scalars: Float[Array, "rows columns"]
    rows: RowIndex


class Batch(NamedTuple):
    """Conditions and a real row for each."""

    column: Int[Array, " batch"]
    code: Int[Array, " batch"]
    condition: Float[Array, "batch condition_width"]
    real: Float[Array, "batch width"]


class GANState(NamedTuple):
    """All that training changes: arrays only."""

    generator: PyTree
    critic: PyTree
    average: PyTree
    generator_optimizer: PyTree
    critic_optimizer: PyTree
    key: Array
    steps: Array


class TabularGAN:
    """The pure functions of a conditional tabular GAN for one table layout.

    The generator's output has one place per column with a scalar (tanh), then one softmax span per column. The condition is
    one hot place over the codes of all discrete columns.

    Args:
        layout: shape of the encoded table.
        settings: what shapes a step.
        generator: makes the generator net; default `Generator`.
        critic: makes the critic net; default `Critic`.
    """

    direct_conditions = True

    def __init__(self, layout: Layout, settings: GANSettings, generator: NetFactory, critic: NetFactory):
        self.layout, self.settings = layout, settings
        self.spans = Spans(layout.sizes)
        self.scalar_columns = np.flatnonzero(layout.continuous)
        self.conditions = Conditions(layout, self.spans)
        self.scalar_count = len(self.scalar_columns)
        self.width = self.scalar_count + self.spans.width
        # Which places of the spans stand for a code with a scalar, per column that has one: (span places, scalars).
        self.scalar_gate = np.zeros((self.spans.width, self.scalar_count), np.float32)
        for place, column in enumerate(self.scalar_columns):
            start = self.spans.starts[column]
            flags = np.asarray(layout.has_scalar[column], np.float32)
            self.scalar_gate[start : start + len(flags), place] = flags
        self._make_generator, self._make_critic = generator, critic
        self.generator_optimizer = self._optimizer(settings.generator_lr, settings.generator_decay)
        self.critic_optimizer = self._optimizer(settings.discriminator_lr, settings.discriminator_decay)
        generator_net, critic_net = eqx.filter_eval_shape(self._nets, jax.random.key(0))
        self._generator_static = eqx.partition(generator_net, is_array)[1]
        self._critic_static = eqx.partition(critic_net, is_array)[1]
        self._critic_wants_key = _wants_key(critic_net)

    def _optimizer(self, rate: float, decay: float) -> optax.GradientTransformation:
        weight_decay = optax.add_decayed_weights(decay) if decay > 0 else optax.identity()
        return optax.chain(weight_decay, optax.adam(rate, b1=self.settings.beta1, b2=self.settings.beta2))

    def _nets(self, key: PRNGKeyArray) -> tuple[Any, Any]:
        generator_key, critic_key = jax.random.split(key)
        generator = self._make_generator(
            self.settings.embedding_dim + self.conditions.width, self.width, key=generator_key
        )
        pack_width = self.settings.pac * (self.width + self.conditions.width)
        return generator, self._make_critic(pack_width, 1, key=critic_key)

    # ── the table on the device ────────────────────────────────────────────────────────────────────────────────

    def data(self, encoded: Encoded) -> Data:
        """The encoded table with an index of its rows by the code of each discrete column."""
        return Data(
            codes=jnp.asarray(encoded.codes),
            scalars=jnp.asarray(encoded.scalars[:, self.scalar_columns]),
            rows=self.conditions.index_rows(encoded),
        )

    def expand(self, codes: Array, scalars: Array) -> Float[Array, "batch width"]:
        """Codes and scalars as the critic sees them."""
        return jnp.concatenate([scalars, self.spans.one_hot(codes)], axis=1)

    # ── one step ───────────────────────────────────────────────────────────────────────────────────────────────

    def init(self, seed: int) -> GANState:
        """Fresh nets and optimisers."""
        # Weights are drawn by the generator that compiles to one operation; threefry took 100 MB for a dozen layers.
        generator, critic = (eqx.filter(net, is_array) for net in self._nets(jax.random.key(seed, impl="unsafe_rbg")))
        return GANState(
            generator,
            critic,
            generator,
            self.generator_optimizer.init(generator),
            self.critic_optimizer.init(critic),
            jax.random.key(seed),
            jnp.zeros((), jnp.int32),
        )

    def fake(self, generator: Any, u_noise: Array, u_gumbel: Array, condition: Array) -> tuple[Array, Array]:
        """Differentiable rows under a condition, and the raw logits of their spans."""
        raw = generator(jnp.concatenate([normal(u_noise), condition], axis=1))
        scalars, logits = jnp.tanh(raw[:, : self.scalar_count]), raw[:, self.scalar_count :]
        soft = self.spans.softmax((logits + gumbel(u_gumbel)) / self.settings.temperature)
        return jnp.concatenate([scalars * (soft @ self.scalar_gate), soft], axis=1), logits

    def _packs(self, rows: Array, condition: Array) -> Float[Array, "packs pack_width"]:
        """`pac` rows with their conditions side by side; a pack is wholly real or wholly made."""
        return jnp.concatenate([rows, condition], axis=1).reshape(len(rows) // self.settings.pac, -1)

    def _critic_loss(
        self,
        critic_params: Any,
        real: Array,
        fake: Array,
        condition: Array,
        u_share: Array,
        key: PRNGKeyArray | None,
    ) -> Array:
        critic = eqx.combine(critic_params, self._critic_static)
        real_packs, fake_packs = self._packs(real, condition), self._packs(fake, condition)
        count = len(real_packs)

        def scored_slopes(packs: Array, key: PRNGKeyArray | None) -> tuple[Array, Array]:
            """The critic's scores and their slopes by what it saw, from one pass."""

            def total(packs: Array) -> tuple[Array, Array]:
                scores = _call(critic, packs, key)
                return scores.sum(), scores

            slopes, scores = jax.grad(total, has_aux=True)(packs)
            return scores, slopes

        both = jnp.concatenate([real_packs, fake_packs])
        if self.settings.loss == "wgan-gp":
            mixed = u_share * real_packs + (1 - u_share) * fake_packs
            _, slopes = scored_slopes(mixed, None if key is None else subkey(key, 0))
            norm = jnp.sqrt(jnp.square(slopes).sum(axis=1) + 1e-12)
            scores = _call(critic, both, None if key is None else subkey(key, 1))
            penalty = self.settings.penalty * jnp.square(norm - 1).mean()
            return scores[count:].mean() - scores[:count].mean() + penalty
        # Relativistic pairing: a real pack must outscore its fake partner; zero-centred penalties on both sides.
        scores, slopes = scored_slopes(both, key)
        penalty = self.settings.penalty * jnp.square(slopes).sum(axis=1).mean()
        return jax.nn.softplus(scores[count:] - scores[:count]).mean() + penalty

    def _generator_loss(
        self,
        generator_params: Any,
        critic_params: Any,
        batch: Batch,
        u_noise: Array,
        u_gumbel: Array,
        key: PRNGKeyArray | None,
    ) -> Array:
        generator = eqx.combine(generator_params, self._generator_static)
        critic = eqx.combine(critic_params, self._critic_static)
        fake, logits = self.fake(generator, u_noise, u_gumbel, batch.condition)
        score = _call(critic, self._packs(fake, batch.condition), key)
        if self.settings.loss == "wgan-gp":
            loss = -score.mean()
        else:
            loss = jax.nn.softplus(_call(critic, self._packs(batch.real, batch.condition), key) - score).mean()
        if self.conditions.width == 0:
            return loss
        # The conditioned column must come out as asked (cross-entropy on the raw logits, as in the paper).
        place = self.conditions.span_place(batch.column, batch.code)
        log_probability = jnp.take_along_axis(self.spans.log_softmax(logits), place[:, None], axis=1)
        return loss - self.settings.condition_weight * log_probability.mean()

    def batch(self, u: Float[Array, "3 batch"], data: Data) -> Batch:
        """Conditions by log frequency, and a real row for each that meets it, from three uniform numbers a row."""
        u_column, u_code, u_row = u
        if self.conditions.width == 0:
            rows = index(u_row, len(data.codes))
            column = code = jnp.zeros_like(rows)
            condition = jnp.zeros((len(rows), 0))
        else:
            column, code = self.conditions.choose(u_column, u_code, data.rows.log_weights)
            rows = self.conditions.matching_row(u_row, data.rows, column, code)
            condition = self.conditions.one_hot(column, code)
        return Batch(column, code, condition, self.expand(data.codes[rows], data.scalars[rows]))

    def _net_key(self, state: GANState, turn: int) -> PRNGKeyArray | None:
        """A key for critics that want one (dropout); none is made for others, which saves compiling it."""
        if not self._critic_wants_key:
            return None
        return subkey(state.key, state.steps, turn)

    def step(self, state: GANState, data: Data) -> tuple[GANState, dict[str, Array]]:
        """`discriminator_steps` critic updates, one generator update, one step of the weight average."""
        count, rounds = self.settings.batch_size, self.settings.discriminator_steps + 1
        u_conditions, u_noise, u_gumbel, u_share = uniforms(
            state.key,
            [
                (rounds, 3, count),
                (rounds, count, self.settings.embedding_dim),
                (rounds, count, self.spans.width),
                (rounds, count // self.settings.pac, 1),
            ],
            state.steps,
        )
        critic, critic_optimizer = state.critic, state.critic_optimizer
        generator = eqx.combine(state.generator, self._generator_static)
        for turn in range(rounds - 1):
            batch = self.batch(u_conditions[turn], data)
            fake, _ = self.fake(generator, u_noise[turn], u_gumbel[turn], batch.condition)
            critic_loss, gradient = jax.value_and_grad(self._critic_loss)(
                critic, batch.real, fake, batch.condition, u_share[turn], self._net_key(state, turn)
            )
            update, critic_optimizer = self.critic_optimizer.update(gradient, critic_optimizer, critic)
            critic = optax.apply_updates(critic, update)
        batch = self.batch(u_conditions[-1], data)
        generator_loss, gradient = jax.value_and_grad(self._generator_loss)(
            state.generator, critic, batch, u_noise[-1], u_gumbel[-1], self._net_key(state, rounds)
        )
        update, generator_optimizer = self.generator_optimizer.update(
            gradient, state.generator_optimizer, state.generator
        )
        generator_params = optax.apply_updates(state.generator, update)
        steps = state.steps + 1
        # A young average forgets quickly, so that it is useful from the first epoch on.
        decay = jnp.minimum(self.settings.average, (1 + steps) / (10 + steps))
        average = jax.tree.map(lambda a, b: decay * a + (1 - decay) * b, state.average, generator_params)
        state = GANState(generator_params, critic, average, generator_optimizer, critic_optimizer, state.key, steps)
        return state, {"generator": generator_loss, "critic": critic_loss}

    # ── sampling ───────────────────────────────────────────────────────────────────────────────────────────────

    def skeleton(self) -> PyTree:
        """The shapes of the generator's arrays."""
        return eqx.filter(eqx.filter_eval_shape(self._nets, jax.random.key(0))[0], is_array)

    def normalised(self, params: PyTree, key: PRNGKeyArray, weights: Array) -> PyTree:
        """The generator's arrays with batch normalisation fixed to the statistics of `NORMALISE_ROWS` rows.

        A net that has no method `calibrated` is left as it is.
        """
        generator = eqx.combine(params, self._generator_static)
        if not hasattr(generator, "calibrated"):
            return params
        u, u_noise = uniforms(key, [(2, NORMALISE_ROWS), (NORMALISE_ROWS, self.settings.embedding_dim)])
        condition = jnp.zeros((NORMALISE_ROWS, 0))
        if self.conditions.width:
            condition = self.conditions.one_hot(*self.conditions.choose(u[0], u[1], weights))
        return eqx.filter(generator.calibrated(jnp.concatenate([normal(u_noise), condition], axis=1)), is_array)

    def draw(
        self,
        params: PyTree,
        key: PRNGKeyArray,
        block: Int[Array, ""],
        bias: Float[Array, " span_width"],
        column: Int[Array, " batch"],
        code: Int[Array, " batch"],
    ) -> tuple[Int[Array, "batch columns"], Float[Array, "batch scalars"]]:
        """Rows in evaluation mode: codes by Gumbel-max on the logits plus `bias`; the conditioned code is met exactly.

        Args:
            params: the generator's arrays, normalised.
            key: of all random numbers.
            block: which of the key's blocks this is.
            bias: added to the logits of every span.
            column: which discrete column is given, per row; -1 where a condition is to be drawn by frequency.
            code: its code, per row.
        """
        count = len(column)
        u, u_noise, u_gumbel = uniforms(
            key, [(2, count), (count, self.settings.embedding_dim), (count, self.spans.width)], block
        )
        condition = jnp.zeros((count, 0))
        if self.conditions.width:
            true_weights = jnp.asarray(self.conditions.true_weights)
            drawn_column, drawn_code = self.conditions.choose(u[0], u[1], true_weights)
            code = jnp.where(column < 0, drawn_code, code)
            column = jnp.where(column < 0, drawn_column, column)
            condition = self.conditions.one_hot(column, code)
        generator = eqx.nn.inference_mode(eqx.combine(params, self._generator_static))
        raw = generator(jnp.concatenate([normal(u_noise), condition], axis=1))
        scalars, logits = jnp.tanh(raw[:, : self.scalar_count]), raw[:, self.scalar_count :] + bias
        codes = self.spans.argmax(logits + gumbel(u_gumbel))
        if self.conditions.width:
            codes = codes.at[jnp.arange(count), jnp.asarray(self.conditions.columns)[column]].set(code)
        # A scalar only where its code has one.
        places = jnp.asarray(self.spans.starts[self.scalar_columns]) + codes[:, self.scalar_columns]
        gate = jnp.asarray(self.scalar_gate.max(axis=1, initial=0.0))
        return codes, scalars * gate[places]


def _call(net: Any, x: Array, key: PRNGKeyArray | None) -> Array:
    """A critic's scores; the key goes to nets that want one."""
    scores: Array = net(x) if key is None else net(x, key=key)
    return scores[:, 0]


def _wants_key(net: Any) -> bool:
    """Whether a net is random in training: it takes `key`, and does not say (as `Critic` does) that it has no dropout."""
    return "key" in inspect.signature(type(net).__call__).parameters and getattr(net, "dropout", 1.0) != 0
