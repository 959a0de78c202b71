"""Variational autoencoder for tables: nets, evidence bound and one training step. Arrays in, arrays out.

Reference: Xu, Skoularidou, Cuesta-Infante, Veeramachaneni, "Modeling Tabular Data using Conditional GAN", NeurIPS 2019
(arXiv 1907.00503), section 4.5 (TVAE); Kingma and Welling 2014 (arXiv 1312.6114). Three things differ: the mean and spread of
a scalar are given per code, not per column, so a number lies where its own mixture component wants it; the prior is a learned
mixture of Gaussians (one component: the standard Gaussian of the paper); the divergence from it comes in by and by.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, Int, PRNGKeyArray, PyTree

from masquerade.codec.arrays import Encoded, Layout
from masquerade.nets.layers import Spans
from masquerade.nets.randomness import gumbel, index, normal, uniforms
from masquerade.nets.vae_nets import Decoder, Layers

__all__ = ["TabularVAE", "VAEData", "VAESettings", "VAEState"]

LEAST_SPREAD = 0.01
"""Least standard deviation of a scalar, as in the reference."""


@dataclass(frozen=True)
class VAESettings:
    """What shapes a step. Names follow the reference where it has them."""

    batch_size: int = 500
    embedding_dim: int = 32
    compress_dims: tuple[int, ...] = (256, 256)
    decompress_dims: tuple[int, ...] = (256, 256)
    lr: float = 2e-3
    l2scale: float = 1e-5
    loss_factor: float = 2.0
    prior_components: int = 64
    average: float = 0.999


HELD_OUT_DRAWS = 4_096
"""Latent points drawn, at least, when held-out rows are judged."""

WARM_STEPS = 1_000
"""Steps over which the divergence comes to its full weight; without them a net may leave its latent points unused."""


class VAEData(NamedTuple):
    """The training table on the device."""

    codes: Int[Array, "rows columns"]
    scalars: Float[Array, "rows scalars"]


class VAEState(NamedTuple):
    """All that training changes: arrays only."""

    params: PyTree
    average: PyTree
    optimizer: PyTree
    key: Array
    steps: Array


class TabularVAE:
    """The pure functions of a variational autoencoder for one table layout.

    The encoder sees one place per column with a scalar, then one hot place per column. The decoder gives one softmax span per
    column and, for every code with a scalar, a mean (tanh) and a learned spread.

    Args:
        layout: shape of the encoded table.
        settings: what shapes a step.
    """

    direct_conditions = False

    def __init__(self, layout: Layout, settings: VAESettings):
        self.layout, self.settings = layout, settings
        self.spans = Spans(layout.sizes)
        self.scalar_columns = np.flatnonzero(layout.continuous)
        self._discrete = np.flatnonzero(layout.discrete).astype(np.int32)
        flags = np.concatenate([np.asarray(flags, bool) for flags in layout.has_scalar])
        places = np.flatnonzero(flags)
        self.scalar_count, self.scalar_places = len(self.scalar_columns), len(places)
        # Where a place of the spans has its scalar's mean and spread; places without one point past the end.
        self._scalar_of_place = np.full(self.spans.width, self.scalar_places, np.int32)
        self._scalar_of_place[places] = np.arange(self.scalar_places)
        self.width = self.scalar_count + self.spans.width
        self.optimizer = optax.chain(optax.add_decayed_weights(settings.l2scale), optax.adam(settings.lr))
        self._static = eqx.partition(
            eqx.filter_eval_shape(self._nets, jax.random.key(0)), lambda leaf: hasattr(leaf, "shape")
        )[1]

    def _nets(self, key: PRNGKeyArray) -> tuple[Layers, Decoder]:
        encoder_key, decoder_key = jax.random.split(key)
        latent = self.settings.embedding_dim
        encoder = Layers([self.width, *self.settings.compress_dims, 2 * latent], key=encoder_key)
        out = self.spans.width + self.scalar_places
        sizes = [latent, *self.settings.decompress_dims, out]
        decoder = Decoder(sizes, self.scalar_places, self.settings.prior_components, key=decoder_key)
        return encoder, decoder

    def data(self, encoded: Encoded) -> VAEData:
        """The encoded table on the device."""
        return VAEData(jnp.asarray(encoded.codes), jnp.asarray(encoded.scalars[:, self.scalar_columns]))

    # ── one step ───────────────────────────────────────────────────────────────────────────────────────────────

    def init(self, seed: int) -> VAEState:
        """Fresh nets and an optimiser; the logits start at the log frequencies of the codes."""
        encoder, decoder = self._nets(jax.random.key(seed, impl="unsafe_rbg"))
        shares = np.concatenate([np.asarray(share) for share in self.layout.frequencies])
        bias = jnp.concatenate([jnp.log(jnp.asarray(shares + 1e-4, jnp.float32)), jnp.zeros(self.scalar_places)])
        decoder = eqx.tree_at(lambda net: net.net.layers[-1].bias, decoder, bias)
        params = eqx.filter((encoder, decoder), eqx.is_inexact_array)
        return VAEState(params, params, self.optimizer.init(params), jax.random.key(seed), jnp.zeros((), jnp.int32))

    def decode(self, decoder: Decoder, z: Array) -> tuple[Float[Array, "batch width"], Float[Array, "batch places"]]:
        """Logits of every code, and the mean of every code's scalar."""
        raw = decoder.net(z)
        return raw[:, : self.spans.width], jnp.tanh(raw[:, self.spans.width :])

    def _at_codes(self, codes: Array, means: Array, log_spread: Array) -> tuple[Array, Array, Array]:
        """Mean and log spread of each column's scalar at these codes, and whether there is one."""
        place = jnp.asarray(self.spans.starts[self.scalar_columns]) + codes[:, self.scalar_columns]
        which = jnp.asarray(self._scalar_of_place)[place]
        there = which < self.scalar_places
        which = jnp.minimum(which, self.scalar_places - 1)
        return jnp.take_along_axis(means, which, axis=1), log_spread[which], there

    def loss(self, params: PyTree, codes: Array, scalars: Array, u_latent: Array) -> tuple[Array, Array]:
        """The mean reconstruction error and the mean divergence from the prior, both in nats a row."""
        encoder, decoder = eqx.combine(params, self._static)
        hot = self.spans.one_hot(codes)
        mean, log_variance = jnp.split(encoder(jnp.concatenate([scalars, hot], axis=1)), 2, axis=1)
        noise = normal(u_latent)
        z = mean + jnp.exp(0.5 * log_variance) * noise
        logits, means = self.decode(decoder, z)
        error = -(self.spans.log_softmax(logits) * hot).sum(axis=1)
        if self.scalar_count:
            centre, log_spread, there = self._at_codes(codes, means, decoder.log_spread)
            log_spread = jnp.maximum(log_spread, np.log(LEAST_SPREAD))
            misses = 0.5 * jnp.square((scalars - centre) * jnp.exp(-log_spread)) + log_spread
            error = error + jnp.where(there, misses, 0.0).sum(axis=1)
        if decoder.clouds is not None:
            encoded = -0.5 * (jnp.square(noise) + log_variance).sum(axis=1)
            return error.mean(), (encoded - decoder.clouds.log_density(z)).mean()
        divergence = 0.5 * (jnp.square(mean) + jnp.exp(log_variance) - 1 - log_variance).sum(axis=1)
        return error.mean(), divergence.mean()

    def held_out(self, params: PyTree, data: VAEData) -> Array:
        """What a step would minimise, on rows that did not train; with the same noise whenever it is called.

        Few rows are taken several times, each time with other noise.
        """
        rows = jnp.arange(max(HELD_OUT_DRAWS, len(data.codes))) % len(data.codes)
        (u_latent,) = uniforms(jax.random.key(0), [(len(rows), self.settings.embedding_dim)])
        error, divergence = self.loss(params, data.codes[rows], data.scalars[rows], u_latent)
        return self.settings.loss_factor * error + divergence

    def step(self, state: VAEState, data: VAEData) -> tuple[VAEState, dict[str, Array]]:
        """One update on a random batch, and one step of the weight average."""
        count = self.settings.batch_size
        u_row, u_latent = uniforms(state.key, [(count,), (count, self.settings.embedding_dim)], state.steps)
        rows = index(u_row, len(data.codes))

        warmth = jnp.minimum((state.steps + 1) / WARM_STEPS, 1.0)

        def total(params: PyTree) -> tuple[Array, tuple[Array, Array]]:
            error, divergence = self.loss(params, data.codes[rows], data.scalars[rows], u_latent)
            return self.settings.loss_factor * error + warmth * divergence, (error, divergence)

        gradient, (error, divergence) = jax.grad(total, has_aux=True)(state.params)
        update, optimizer = self.optimizer.update(gradient, state.optimizer, state.params)
        params = optax.apply_updates(state.params, update)
        steps = state.steps + 1
        # A young average forgets quickly, so that it is useful from the first epoch on.
        decay = jnp.minimum(self.settings.average, (1 + steps) / (10 + steps))
        average = jax.tree.map(lambda a, b: decay * a + (1 - decay) * b, state.average, params)
        return VAEState(params, average, optimizer, state.key, steps), {"error": error, "divergence": divergence}

    # ── sampling ───────────────────────────────────────────────────────────────────────────────────────────────

    def skeleton(self) -> PyTree:
        """The shapes of the decoder's arrays: all that sampling needs."""
        return eqx.filter(
            eqx.filter_eval_shape(self._nets, jax.random.key(0))[1], lambda leaf: isinstance(leaf, jax.ShapeDtypeStruct)
        )

    def draw(
        self,
        params: PyTree,
        key: PRNGKeyArray,
        block: Int[Array, ""],
        bias: Float[Array, " span_width"],
        column: Int[Array, " batch"],
        code: Int[Array, " batch"],
    ) -> tuple[Int[Array, "batch columns"], Float[Array, "batch scalars"]]:
        """Rows by latent points of the prior: codes by Gumbel-max on the logits plus `bias`, scalars with their spread.

        Under a condition each row takes one of the block's latent points with the probability that the decoder gives the
        wanted code there (sampling-importance-resampling, Rubin 1988): a draw of the latent given the code.

        Args:
            params: the decoder's arrays.
            key: of all random numbers.
            block: which of the key's blocks this is.
            bias: added to the logits of every span.
            column: which discrete column is given, per row, numbered among the discrete ones; -1 (in all rows) for none.
            code: its code, per row.
        """
        count = len(column)
        shapes = [
            (count, self.settings.embedding_dim),
            (count, self.spans.width),
            (count, self.scalar_count),
            (2, count),
        ]
        u_latent, u_gumbel, u_scalar, (u_choice, u_cloud) = uniforms(key, shapes, block)
        decoder = eqx.combine(params, self._static[1])
        z = normal(u_latent)
        if decoder.clouds is not None:
            z = decoder.clouds.draw(u_cloud, z)
        logits, means = self.decode(decoder, z)
        logits = logits + bias
        if len(self._discrete):
            given = jnp.asarray(self._discrete)[jnp.maximum(column, 0)]
            place = jnp.asarray(self.spans.starts)[given] + code

            def resampled() -> Int[Array, " batch"]:
                running = jnp.cumsum(self.spans.softmax(logits), axis=0)
                wanted = u_choice * running[-1, place]

                def halve(_: Any, bounds: tuple[Array, Array]) -> tuple[Array, Array]:
                    low, high = bounds
                    middle = (low + high) // 2
                    below = running[middle, place] < wanted
                    return jnp.where(below, middle + 1, low), jnp.where(below, high, middle)

                bounds = jnp.zeros(count, jnp.int32), jnp.full(count, count - 1, jnp.int32)
                low: Array = jax.lax.fori_loop(0, count.bit_length(), halve, bounds)[0]
                return jnp.minimum(low, count - 1)

            chosen = jax.lax.cond(column[0] < 0, lambda: jnp.arange(count, dtype=jnp.int32), resampled)
            logits, means = logits[chosen], means[chosen]
        codes = self.spans.argmax(logits + gumbel(u_gumbel))
        if len(self._discrete):
            rows = jnp.arange(count)
            codes = codes.at[rows, given].set(jnp.where(column < 0, codes[rows, given], code))
        if not self.scalar_count:
            return codes, jnp.zeros((count, 0))
        centre, log_spread, there = self._at_codes(codes, means, decoder.log_spread)
        spread = jnp.maximum(jnp.exp(log_spread), LEAST_SPREAD)
        return codes, jnp.where(there, jnp.clip(centre + spread * normal(u_scalar), -1, 1), 0.0)
