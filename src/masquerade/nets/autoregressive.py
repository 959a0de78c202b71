"""An autoregressive net for tables: every column from any set of the others, in one pass.

Reference: the idea of TabularARGN (arXiv 2501.12012) on a masked one-pass network (MADE, arXiv 1502.03509), trained on the
natural order and on random ones alike (order-agnostic training, Uria et al. 2014, arXiv 1310.1757), which also keeps it
from over-fitting. Columns are spelled in digits (`masquerade.codec.digits`), so all heads are one dense array.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Int, PRNGKeyArray

from masquerade.nets.mixing import Dense, Mixing, Narrow
from masquerade.nets.randomness import index, subkey, uniforms
from masquerade.nets.slots import Slots

__all__ = ["AutoregressiveNet", "NetSettings", "State", "Weights"]


@dataclass(frozen=True)
class NetSettings:
    """What shapes the net and a training step.

    Args:
        embedding: width of what a slot tells the others.
        hidden: hidden units of a slot.
        narrow: shared units of a `Narrow` mixing; None: `Dense`.
        dropout: share of hidden units left out in training.
        any_order: share of each batch that is trained in a random order of columns, the rest in the natural one.
        batch_size: rows a step.
        learning_rate: the highest step size of AdamW; it rises over the first tenth of the steps and falls by a cosine.
        weight_decay: of AdamW.
        steps: planned steps, for the schedule.
        average: decay of the averaged weights.
    """

    embedding: int = 8
    hidden: int = 32
    narrow: int | None = None
    dropout: float = 0.2
    any_order: float = 0.5
    batch_size: int = 512
    learning_rate: float = 8e-3
    weight_decay: float = 1e-2
    steps: int = 1_000
    average: float = 0.995


class Weights(eqx.Module):
    """All that is learned: one block a slot of everything.

    Args:
        slots: what is known of the table.
        settings: widths.
        key: of the initial weights.
    """

    embed: Float[Array, "slots base embedding"]
    tell: Float[Array, "slots features embedding"]
    mixing: Mixing
    shift: Float[Array, "slots one hidden"]
    inner: Float[Array, "slots hidden hidden"]
    inner_shift: Float[Array, "slots one hidden"]
    outer: Float[Array, "slots hidden hidden"]
    head: Float[Array, "slots hidden base"]
    smooth: Float[Array, "slots hidden waves"]
    head_shift: Float[Array, "slots one base"]

    def __init__(self, slots: Slots, settings: NetSettings, *, key: PRNGKeyArray):
        count, base, width, hidden = slots.count, slots.base, settings.embedding, settings.hidden
        waves, features = slots.basis.shape[2], slots.features.shape[2]
        keys = iter(jax.random.split(key, 8))

        def normal(scale: float, *shape: int) -> Array:
            return scale * jax.random.normal(next(keys), shape)

        self.embed = normal(0.3, count, base, width)
        self.tell = normal(0.3, count, features, width)
        if settings.narrow is None:
            self.mixing = Dense(count, width, hidden, key=next(keys))
        else:
            self.mixing = Narrow(count, width, hidden, settings.narrow, key=next(keys))
        self.shift = jnp.zeros((count, 1, hidden))
        self.inner = normal(1 / math.sqrt(hidden), count, hidden, hidden)
        self.inner_shift = jnp.zeros((count, 1, hidden))
        self.outer = normal(0.3 / math.sqrt(hidden), count, hidden, hidden)
        self.head = normal(0.3 / math.sqrt(hidden), count, hidden, base)
        self.smooth = normal(0.3 / math.sqrt(hidden * waves), count, hidden, waves)
        self.head_shift = jnp.zeros((count, 1, base))

    def heads(self, slots: Slots) -> Float[Array, "slots hidden base"]:
        """The output weights: free ones, and cosines over the places of ordered digits, so that neighbours learn together."""
        return self.head + jnp.einsum("shw,sbw->shb", self.smooth, slots.basis)


class State(NamedTuple):
    """All that training changes."""

    weights: Weights
    average: Weights
    optimizer: Any
    key: Array
    steps: Array


class AutoregressiveNet:
    """The pure functions of the net for one table.

    Args:
        slots: what is known of the table.
        settings: what shapes net and step.
    """

    def __init__(self, slots: Slots, settings: NetSettings):
        self.slots, self.settings = slots, settings
        rate = optax.warmup_cosine_decay_schedule(
            0.0,
            settings.learning_rate,
            max(settings.steps // 10, 1),
            max(settings.steps, 2),
            settings.learning_rate / 50,
        )
        self.optimizer = optax.chain(
            optax.clip_by_global_norm(5.0), optax.adamw(rate, b2=0.99, weight_decay=settings.weight_decay)
        )

    def weights(self, seed: int) -> Weights:
        """Fresh weights."""
        # Drawn by the generator that compiles to one operation.
        return Weights(self.slots, self.settings, key=jax.random.key(seed, impl="unsafe_rbg"))

    def begin(self, weights: Weights, seed: int) -> State:
        """The state before the first step from these weights."""
        return State(weights, weights, self.optimizer.init(weights), jax.random.key(seed), jnp.zeros((), jnp.int32))

    # ── what is computed ───────────────────────────────────────────────────────────────────────────────────────

    def tell(
        self, weights: Weights, digit: Int[Array, "slots batch"], place: Int[Array, "slots batch"]
    ) -> Float[Array, "slots batch embedding"]:
        """What each slot tells the slots after it."""
        return jax.nn.one_hot(digit, self.slots.base) @ weights.embed + self.slots.told(place) @ weights.tell

    def log_probabilities(
        self,
        weights: Weights,
        log_share: Float[Array, "nodes base"],
        codes: Int[Array, "batch columns"],
        order: Int[Array, " slots"],
        dropped: tuple[Array, Array] | None = None,
    ) -> Float[Array, "slots batch"]:
        """Log probability of each digit given the slots before it in this order.

        Args:
            weights: learned.
            log_share: where the heads start; a row for each node.
            codes: the rows.
            order: rank of each slot; a column's digits must stand together, coarse before fine.
            dropped: dropout masks of the two hidden layers, each (slots, batch, hidden); None: no dropout.
        """
        digit, _, every = self._every_digit(weights, log_share, codes, order, dropped)
        return (every * jax.nn.one_hot(digit, self.slots.base)).sum(axis=-1)

    def expected_children(
        self,
        weights: Weights,
        log_share: Float[Array, "nodes base"],
        codes: Int[Array, "batch columns"],
        rows: Int[Array, ""],
    ) -> Float[Array, "nodes base"]:
        """How often each child of each node is to be expected in the first `rows` rows, each slot given those before it."""
        _, node, every = self._every_digit(weights, log_share, codes, self.slots.order, None)
        counted = (jnp.arange(len(codes)) < rows)[:, None]
        flat = (jnp.exp(every) * counted).reshape(-1, self.slots.base)
        return jax.ops.segment_sum(flat, node.reshape(-1), len(log_share))

    def _every_digit(
        self, weights: Weights, log_share: Array, codes: Array, order: Array, dropped: tuple[Array, Array] | None
    ) -> tuple[Array, Array, Float[Array, "slots batch base"]]:
        """Digits, nodes, and the log probability of every digit that could stand there."""
        digit, node, place = self.slots.spelled(codes)
        h = jax.nn.relu(weights.mixing(self.tell(weights, digit, place), order) + weights.shift)
        h = h if dropped is None else h * dropped[0]
        h = h + jax.nn.relu(h @ weights.inner + weights.inner_shift) @ weights.outer
        h = h if dropped is None else h * dropped[1]
        logits = h @ weights.heads(self.slots) + weights.head_shift + log_share[node]
        return digit, node, jax.nn.log_softmax(logits)

    def random_order(self, key: PRNGKeyArray) -> Int[Array, " slots"]:
        """A random order of the columns."""
        (u,) = uniforms(key, [(self.slots.columns,)])
        rank = jnp.argsort(jnp.argsort(u)).astype(jnp.int32)
        order: Array = rank[self.slots.column] * jnp.int32(self.slots.digits.digit.shape[0]) + self.slots.level
        return order

    # ── one step ───────────────────────────────────────────────────────────────────────────────────────────────

    def loss(self, weights: Weights, codes: Int[Array, "batch columns"], key: PRNGKeyArray) -> Array:
        """Mean negative log-likelihood of a row, part of the rows in the natural order and part in a random one."""
        share = self.settings.any_order if self.slots.columns > 1 else 0.0
        shuffled = round(len(codes) * share)
        parts = [
            (codes[:shuffled], self.random_order(subkey(key, 0)), subkey(key, 1)),
            (codes[shuffled:], self.slots.order, subkey(key, 2)),
        ]
        total = jnp.zeros(())
        for rows, order, dropout in parts:
            if len(rows):
                masks = self._masks(dropout, len(rows))
                total -= self.log_probabilities(weights, self.slots.log_share, rows, order, masks).sum()
        return total / len(codes)

    def _masks(self, key: PRNGKeyArray, batch: int) -> tuple[Array, Array] | None:
        rate = self.settings.dropout
        if rate == 0:
            return None
        first, second = uniforms(key, [(self.slots.count, batch, self.settings.hidden)] * 2)
        return (first > rate) / (1 - rate), (second > rate) / (1 - rate)

    def step(self, state: State, codes: Int[Array, "rows columns"]) -> tuple[State, dict[str, Array]]:
        """One update on a random batch of the training rows."""
        (u,) = uniforms(subkey(state.key, state.steps, 0), [(self.settings.batch_size,)])
        batch = codes[index(u, len(codes))]
        loss, gradient = jax.value_and_grad(self.loss)(state.weights, batch, subkey(state.key, state.steps, 1))
        update, optimizer = self.optimizer.update(gradient, state.optimizer, state.weights)
        weights = optax.apply_updates(state.weights, update)
        steps = state.steps + 1
        # A young average forgets quickly, so that it is useful from the first epoch on.
        decay = jnp.minimum(self.settings.average, (1 + steps) / (10 + steps))
        average = jax.tree.map(lambda a, b: decay * a + (1 - decay) * b, state.average, weights)
        return State(weights, average, optimizer, state.key, steps), {"loss": loss}

    def score(self, weights: Weights, codes: Int[Array, "rows columns"], key: PRNGKeyArray) -> Array:
        """Mean log-likelihood of held-back rows, of the natural order and a random one by halves."""
        shares = self.slots.log_share
        natural = self.log_probabilities(weights, shares, codes, self.slots.order).sum(axis=0).mean()
        shuffled = self.log_probabilities(weights, shares, codes, self.random_order(key)).sum(axis=0).mean()
        return 0.5 * natural + 0.5 * shuffled
