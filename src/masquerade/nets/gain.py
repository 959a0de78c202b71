"""Generative adversarial imputation: nets, losses and one training step. Arrays in, arrays out.

Reference: Yoon, Jordon and van der Schaar, "GAIN: Missing Data Imputation using Generative Adversarial Nets", ICML 2018
(arXiv 1806.02920). A generator completes rows with holes; a discriminator says of each cell whether it was there or made,
helped by a hint that tells it most of the answer. Two things differ. Cells are codes, so a made cell is a softmax span drawn by
Gumbel-softmax, and the reconstruction loss is a cross entropy. And the training table has no holes but those made at random
for each batch, so the generator is also told the truth of the cells that it made.
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
from masquerade.nets.layers import Spans
from masquerade.nets.randomness import gumbel, index, uniforms
from masquerade.nets.vae_nets import Layers

__all__ = ["GAIN", "GAINSettings", "GAINState"]

HELD_OUT_HIDDEN = 0.3
"""Share of cells hidden when held-out rows are judged."""


@dataclass(frozen=True)
class GAINSettings:
    """What shapes a step.

    Args:
        batch_size: rows of a step.
        hidden: widths of the hidden layers of both nets.
        noise: numbers of noise that the generator gets for each row.
        learning_rate: of both nets.
        reconstruction: weight of the cross entropy (α of the paper) beside the adversarial loss.
        hint: share of cells of which the discriminator is told the answer.
        temperature: of the Gumbel-softmax.
    """

    batch_size: int = 256
    hidden: tuple[int, ...] = (256, 256)
    noise: int = 32
    learning_rate: float = 1e-3
    reconstruction: float = 2.0
    hint: float = 0.9
    temperature: float = 0.3


class GAINState(NamedTuple):
    """All that training changes: arrays only."""

    generator: PyTree
    discriminator: PyTree
    generator_optimizer: PyTree
    discriminator_optimizer: PyTree
    key: Array
    steps: Array


class GAIN:
    """The pure functions of an imputer for one table layout without scalars.

    Args:
        layout: shape of the encoded table.
        settings: what shapes a step.
    """

    def __init__(self, layout: Layout, settings: GAINSettings):
        self.settings, self.spans = settings, Spans(layout.sizes)
        self.columns = self.spans.count
        self.optimizer = optax.adam(settings.learning_rate, b1=0.5)
        first = [np.log(np.maximum(shares, 1e-6)).astype(np.float32) for shares in layout.frequencies]
        self._log_shares = np.concatenate(first) if first else np.zeros(self.spans.width, np.float32)
        nets = eqx.filter_eval_shape(self._nets, jax.random.key(0))
        self._static = eqx.partition(nets, lambda leaf: hasattr(leaf, "shape"))[1]

    def _nets(self, key: PRNGKeyArray) -> tuple[Layers, Layers]:
        one, two = jax.random.split(key)
        width, hidden = self.spans.width, self.settings.hidden
        generator = Layers([width + self.columns + self.settings.noise, *hidden, width], key=one)
        return generator, Layers([width + self.columns, *hidden, self.columns], key=two)

    def begin(self, seed: int) -> GAINState:
        """Fresh nets and optimisers."""
        generator, discriminator = eqx.filter(self._nets(jax.random.key(seed, impl="unsafe_rbg")), eqx.is_array)
        return GAINState(
            generator,
            discriminator,
            self.optimizer.init(generator),
            self.optimizer.init(discriminator),
            jax.random.key(seed),
            jnp.int32(0),
        )

    def skeleton(self) -> PyTree:
        """The shapes of the generator's arrays: all that drawing needs."""
        nets = eqx.filter_eval_shape(self._nets, jax.random.key(0))
        return eqx.filter(nets[0], lambda leaf: isinstance(leaf, jax.ShapeDtypeStruct))

    def logits(
        self,
        generator: PyTree,
        codes: Int[Array, "batch columns"],
        shown: Bool[Array, "batch columns"],
        noise: Float[Array, "batch noise"],
    ) -> Float[Array, "batch width"]:
        """What the generator makes of rows with holes; what stands in a hole is not read."""
        net: Any = eqx.combine(generator, self._static[0])
        hot = self.spans.one_hot(jnp.where(shown, codes, -1))
        made: Array = net(jnp.concatenate([hot, shown.astype(jnp.float32), noise - 0.5], axis=1))
        return made + self._log_shares

    def step(self, state: GAINState, data: Int[Array, "rows columns"]) -> tuple[GAINState, dict[str, Array]]:
        """One update of the discriminator, one of the generator, on a random batch with random holes."""
        count, settings, columns = self.settings.batch_size, self.settings, self.columns
        shapes = [
            (count,),
            (count, 1),
            (count, columns),
            (count, columns),
            (count, settings.noise),
            (count, self.spans.width),
        ]
        u_row, u_share, u_hide, u_hint, noise, u_gumbel = uniforms(state.key, shapes, state.steps)
        codes = data[index(u_row, len(data))]
        shown = u_hide > u_share  # each row has a share of holes of its own
        told = u_hint < settings.hint
        hint = jnp.where(told, shown.astype(jnp.float32), 0.5)
        hot = self.spans.one_hot(codes)
        there = shown[:, self.spans.span_of_place]

        def completed(logits: Array) -> Array:
            soft = self.spans.softmax((logits + gumbel(u_gumbel)) / settings.temperature)
            return jnp.where(there, hot, soft)

        def judged(discriminator: PyTree, rows: Array) -> Array:
            net: Any = eqx.combine(discriminator, self._static[1])
            found: Array = net(jnp.concatenate([rows, hint], axis=1))
            return found

        open_ = (~told).astype(jnp.float32)
        many = jnp.maximum(open_.sum(), 1.0)

        def discriminator_loss(discriminator: PyTree) -> Array:
            rows = completed(self.logits(state.generator, codes, shown, noise))
            found = judged(discriminator, jax.lax.stop_gradient(rows))
            cells = optax.sigmoid_binary_cross_entropy(found, shown.astype(jnp.float32))
            loss: Array = (open_ * cells).sum() / many
            return loss

        loss_d, gradient = jax.value_and_grad(discriminator_loss)(state.discriminator)
        update, optimizer_d = self.optimizer.update(gradient, state.discriminator_optimizer)
        discriminator = optax.apply_updates(state.discriminator, update)

        def generator_loss(generator: PyTree) -> tuple[Array, tuple[Array, Array]]:
            logits = self.logits(generator, codes, shown, noise)
            found = judged(discriminator, completed(logits))
            fooled = (open_ * ~shown * optax.sigmoid_binary_cross_entropy(found, jnp.ones_like(found))).sum() / many
            error = -(self.spans.log_softmax(logits) * hot).sum() / (count * columns)
            return fooled + settings.reconstruction * error, (fooled, error)

        gradient, (fooled, error) = jax.grad(generator_loss, has_aux=True)(state.generator)
        update, optimizer_g = self.optimizer.update(gradient, state.generator_optimizer)
        generator = optax.apply_updates(state.generator, update)
        new = GAINState(generator, discriminator, optimizer_g, optimizer_d, state.key, state.steps + 1)
        return new, {"discriminator": loss_d, "adversarial": fooled, "reconstruction": error}

    def score(self, generator: PyTree, codes: Int[Array, "rows columns"]) -> Array:
        """Mean log-likelihood of hidden cells of rows that did not train, in nats; always of the same cells."""
        rows = len(codes)
        u_hide, noise = uniforms(jax.random.key(0), [(rows, self.columns), (rows, self.settings.noise)])
        shown = u_hide > HELD_OUT_HIDDEN
        log = self.spans.log_softmax(self.logits(generator, codes, shown, noise)) * self.spans.one_hot(codes)
        hidden = ~shown[:, self.spans.span_of_place]
        return (log * hidden).sum() / jnp.maximum((~shown).sum(), 1)

    def draw(
        self,
        generator: PyTree,
        codes: Int[Array, "batch columns"],
        key: PRNGKeyArray,
        block: Int[Array, ""],
    ) -> Int[Array, "batch columns"]:
        """Rows completed: codes that are -1 are drawn, the others stay.

        Args:
            generator: its arrays.
            codes: with -1 for holes.
            key: of all random numbers.
            block: which of the key's blocks this is.
        """
        shapes = [(len(codes), self.settings.noise), (len(codes), self.spans.width)]
        noise, u_gumbel = uniforms(key, shapes, block)
        logits = self.logits(generator, codes, codes >= 0, noise)
        return jnp.where(codes >= 0, codes, self.spans.argmax(logits + gumbel(u_gumbel)))
