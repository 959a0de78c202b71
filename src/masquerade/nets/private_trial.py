"""A training of nothing: the noisy gradients of a private plan as they are, for those who audit it."""

from __future__ import annotations

import functools
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from masquerade.nets import private
from masquerade.privacy.dpsgd import Plan

__all__ = ["noisy_sums"]

OTHERS = 3
"""Units beside the one that is asked about, with gradients of 0."""


def noisy_sums(plan: Plan, length: float, runs: int) -> Float[Array, "runs steps 2"]:
    """The noisy sums, before they are divided, that all steps of so many trainings show; fresh keys from the operating system.

    The weights are two leaves of one number each: the first is what the unit's gradient points along.

    Args:
        plan: what is done; every step is.
        length: of the first unit's gradient, along the first coordinate; 0: that unit is not there.
        runs: how many trainings.
    """
    units = OTHERS + (length != 0)
    gradients = jnp.zeros((units, 2)).at[0, 0].set(length)
    sums: Array = _compiled(plan, units, runs)(gradients, private.fresh_key())
    return sums


@functools.lru_cache(maxsize=16)
def _compiled(plan: Plan, units: int, runs: int) -> Any:
    clipped = private.clipped_sum(lambda weights, example: weights[0] * example[0] + weights[1] * example[1], plan.clip)

    def step(gradients: Any, key: PRNGKeyArray) -> Any:
        def examples(index: Any, keys: Any) -> Any:
            return gradients[index]

        found = private.private_gradient(
            clipped, plan, (jnp.zeros(()), jnp.zeros(())), examples, units, key, microbatch=OTHERS + 1
        )
        return jnp.stack(found) * plan.divisor

    def run(gradients: Any, key: PRNGKeyArray) -> Any:
        return jax.lax.map(lambda number: step(gradients, jax.random.fold_in(key, number)), jnp.arange(plan.steps))

    return jax.jit(lambda gradients, key: jax.vmap(lambda one: run(gradients, one))(jax.random.split(key, runs)))
