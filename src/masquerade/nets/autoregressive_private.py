"""Private training of an autoregressive net: what a step does, and what it remembers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Bool, Int, PRNGKeyArray
from numpy.typing import NDArray

from masquerade.nets.autoregressive import AutoregressiveNet, Weights
from masquerade.nets.ghost import Examples, ghost_sum, unit_loss
from masquerade.nets.mixing import Dense
from masquerade.nets.private import clipped_sum, fresh_key, private_gradient
from masquerade.privacy.dpsgd import Plan

__all__ = ["PrivateState", "PrivateTraining", "Units", "grouped"]


class Units(NamedTuple):
    """Private rows by unit.

    Args:
        codes: all rows.
        rows: the rows of each unit, 0 where it has no more.
        there: which of them there are.
    """

    codes: Int[Array, "rows columns"]
    rows: Int[Array, "units most"]
    there: Bool[Array, "units most"]


def grouped(codes: NDArray[np.int32], units: NDArray[np.int64] | None) -> Units:
    """Rows by unit.

    Args:
        codes: int32, shape (rows, columns).
        units: number of the unit of each row, shape (rows,); None: each row is its own.

    >>> by = grouped(np.zeros((4, 2), np.int32), np.array([7, 3, 7, 5]))
    >>> by.rows.tolist(), by.there.tolist()
    ([[1, 0], [3, 0], [0, 2]], [[True, False], [True, False], [True, True]])
    """
    if not len(codes):  # nobody: one unit without a row, for a program needs some shape
        codes, rows, there = np.zeros((1, codes.shape[1]), np.int32), np.zeros((1, 1), int), np.zeros((1, 1), bool)
    elif units is None:
        rows, there = np.arange(len(codes))[:, None], np.ones((len(codes), 1), bool)
    else:
        order = np.argsort(units, kind="stable")
        _, starts, counts = np.unique(units[order], return_index=True, return_counts=True)
        place = np.arange(counts.max(initial=1))
        there = place < counts[:, None]
        rows = np.where(there, order[np.minimum(starts[:, None] + place, len(order) - 1)], 0)
    return Units(jnp.asarray(codes), jnp.asarray(rows, jnp.int32), jnp.asarray(there))


class PrivateState(NamedTuple):
    """All that training changes. Only the averaged weights are kept when it ends."""

    weights: Weights
    average: Weights
    optimizer: Any
    key: PRNGKeyArray
    steps: Array


@dataclass(frozen=True)
class PrivateTraining:
    """The pure functions of private training.

    Args:
        net: the net; of its settings the learning rate, weight decay, share of random orders and averaging count.
        plan: draws, clips, noise.
        microbatch: units worked off at a time.
    """

    net: AutoregressiveNet
    plan: Plan
    microbatch: int

    @property
    def optimizer(self) -> optax.GradientTransformation:
        settings, steps = self.net.settings, self.plan.steps
        rate = optax.warmup_cosine_decay_schedule(
            0.0, settings.learning_rate, max(steps // 20, 1), max(steps, 2), settings.learning_rate / 50
        )
        return optax.adamw(rate, b2=0.99, weight_decay=settings.weight_decay)

    def begin(self, weights: Weights) -> PrivateState:
        """The state before the first step from public weights."""
        return PrivateState(weights, weights, self.optimizer.init(weights), fresh_key(), jnp.zeros((), jnp.int32))

    def refreshed(self, state: PrivateState) -> PrivateState:
        """The state with new randomness from the operating system."""
        return state._replace(key=fresh_key())

    def step(self, state: PrivateState, data: Units) -> tuple[PrivateState, dict[str, Array]]:
        """One private update; it tells nothing of the rows but what the plan is charged for."""
        net, settings = self.net, self.net.settings
        step_key = jax.random.fold_in(state.key, state.steps)
        gradient_key, coin_key, order_key = (jax.random.fold_in(step_key, part) for part in range(3))
        order = net.slots.order
        if settings.any_order > 0 and net.slots.columns > 1:
            # One order for all units of a step: were it one a microbatch, a unit more would move others to another order.
            shuffled = jax.random.uniform(coin_key) < settings.any_order
            order = jnp.where(shuffled, net.random_order(order_key), order)

        def examples(index: Int[Array, " units"], keys: PRNGKeyArray) -> Examples:
            del keys  # the net has no randomness of its own
            return Examples(data.codes[data.rows[index]], data.there[index], jnp.tile(order, (len(index), 1)))

        clip = self.plan.clip
        dense = isinstance(state.weights.mixing, Dense)
        clipped = ghost_sum(net, clip) if dense else clipped_sum(lambda w, e: unit_loss(net, w, e), clip)
        gradient = private_gradient(
            clipped, self.plan, state.weights, examples, len(data.rows), gradient_key, microbatch=self.microbatch
        )
        update, optimizer = self.optimizer.update(gradient, state.optimizer, state.weights)
        weights = optax.apply_updates(state.weights, update)
        steps = state.steps + 1
        decay = jnp.minimum(settings.average, (1 + steps) / (10 + steps))
        average = jax.tree.map(lambda a, b: decay * a + (1 - decay) * b, state.average, weights)
        return PrivateState(weights, average, optimizer, state.key, steps), {}
