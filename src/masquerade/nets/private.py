"""Private gradients in a compiled loop: Poisson batches, clipped sums over units, noise.

DP-SGD (Abadi et al. 2016, arXiv 1607.00133), without its usual slips: every unit is drawn on its own, a batch of any size is
worked off in microbatches so that none is cut, the noise comes from the bound of the clipped sum itself, and the divisor is
the plan's constant. How much noise and what it costs is the `masquerade.privacy.dpsgd.Plan`'s to say.
"""

from __future__ import annotations

import secrets
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from masquerade.errors import SettingError
from masquerade.privacy.dpsgd import Plan

__all__ = ["HAIR", "ClippedSum", "clipped_sum", "drawn", "fresh_key", "noised", "private_gradient"]

NOISE_TERMS = 4
"""Each noise number is the scaled sum of so many: single precision has gaps and no far tails (Mironov 2012; Holohan and
Braghin 2021, arXiv 2107.10138), a sum of several has far fewer gaps and much longer tails."""


HAIR = 1e-5
"""Gradients are clipped by this share below the bound, so that rounding does not lift them above it."""


def fresh_key() -> PRNGKeyArray:
    """A key from the operating system's randomness, for JAX's cryptographic generator whatever its default is.

    >>> fresh_key().dtype, bool((jax.random.key_data(fresh_key()) == jax.random.key_data(fresh_key())).all())
    (key<fry>, False)
    """
    words = np.frombuffer(secrets.token_bytes(8), np.uint32)
    key: Array = jax.random.wrap_key_data(jnp.asarray(words), impl="threefry2x32")
    return key


def drawn(key: PRNGKeyArray, threshold: int, units: int, microbatch: int) -> tuple[Int[Array, " room"], Array]:
    """A Poisson sample: each unit on its own, with probability `threshold` / 2**32 exactly.

    Args:
        key: of this step's draw.
        threshold: of the plan.
        units: how many there are.
        microbatch: the room is a multiple of it.

    Returns:
        The numbers of those drawn, in order, in a room for all units, 0 after the last; and how many they are.
    """
    chosen = jax.random.bits(key, (units,), jnp.uint32) < jnp.uint32(threshold)
    room = max(-(-units // microbatch), 1) * microbatch
    return jnp.nonzero(chosen, size=room, fill_value=0)[0].astype(jnp.int32), chosen.sum(dtype=jnp.int32)


def noised(key: PRNGKeyArray, sums: Any, deviation: float | Array) -> Any:
    """Sums with independent Gaussian noise in every coordinate: one draw for all leaves, each taking its own part of it.

    Args:
        key: of this step's noise.
        sums: a pytree of arrays.
        deviation: standard deviation of the noise.
    """
    leaves, shape = jax.tree.flatten(sums)
    ends = np.cumsum([leaf.size for leaf in leaves])
    noise = jax.random.normal(key, (NOISE_TERMS, ends[-1]), jnp.float32).sum(axis=0) * (deviation / NOISE_TERMS**0.5)
    parts = jnp.split(noise, ends[:-1])
    return jax.tree.unflatten(
        shape, [leaf + part.reshape(leaf.shape) for leaf, part in zip(leaves, parts, strict=True)]
    )


@dataclass(frozen=True)
class ClippedSum:
    """A sum over units, of which each adds a vector of bounded length.

    Args:
        function: `(weights, examples, present) -> sums`: examples have the units in their first axis, and `present`, bool of
            shape (units,), says which of them are there; the others add nothing.
        bound: largest L2 norm of what one unit adds.
    """

    function: Callable[[Any, Any, Any], Any]
    bound: float

    def __call__(self, weights: Any, examples: Any, present: Bool[Array, " units"]) -> Any:
        return self.function(weights, examples, present)

    def sensitivity(self) -> float:
        """By how much adding or removing one unit can change the sum, in L2 norm."""
        return self.bound


def clipped_sum(loss: Callable[[Any, Any], Float[Array, ""]], clip: float) -> ClippedSum:
    """The sum of gradients of any loss of one unit, each clipped; by the library jax-privacy.

    Each unit's gradient is written out, so it takes memory of units times weights: keep microbatches small.

    Args:
        loss: of the weights and one unit's example, a pytree without the units' axis.
        clip: bound of a unit's gradient. Where one is not finite, those coordinates count as 0.

    Raises:
        SettingError: the extra `dp` is not installed.
    """
    try:
        from dp_accounting import NeighboringRelation
        from jax_privacy.clipping import clipped_grad
    except ImportError as error:
        raise SettingError(
            "privacy: private training needs the extra 'dp', which is not installed; "
            "install it with: pip install 'masquerade[dp]'."
        ) from error
    # Whatever the weights' precision, norms and sums are taken in single precision.
    gradient = clipped_grad(
        loss, l2_clip_norm=clip * (1 - HAIR), keep_batch_dim=False, nan_safe=True, dtype=jnp.float32
    )

    def function(weights: Any, examples: Any, present: Any) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # the library calls what Optax has renamed
            return gradient(weights, examples, is_padding_example=~present)

    return ClippedSum(function, float(gradient.sensitivity(NeighboringRelation.ADD_OR_REMOVE_ONE)) / (1 - HAIR))


def private_gradient(
    clipped: ClippedSum,
    plan: Plan,
    weights: Any,
    examples: Callable[[Int[Array, " microbatch"], PRNGKeyArray], Any],
    units: int,
    key: PRNGKeyArray,
    *,
    microbatch: int,
) -> Any:
    """One private step's gradient: draw units, add up their clipped gradients, add noise, divide by the plan's constant.

    Args:
        clipped: the sum; its bound must be the plan's.
        plan: draws and noise.
        weights: a pytree.
        examples: `(units, keys) -> examples`, both of length `microbatch`: the rows of these units, and whatever random goes
            with them, made from their own keys only. A key belongs to unit and step, not to a place in the batch: else one
            unit more would change what the others get, and the bound would not hold.
        units: how many there are.
        key: of this step, used for nothing else.
        microbatch: units worked off at a time.

    Formal guarantee:
        Adding or removing one unit changes the noiseless sum by at most `clipped.sensitivity()` in L2 norm, and the noise is
        `plan.sigma` times that: one step is what `plan.event(1)` says.
    """
    if clipped.sensitivity() > plan.clip * (1 + 1e-6):
        raise SettingError(f"clip: the sum is bounded by {clipped.sensitivity():g}, and the plan is for {plan.clip:g}.")
    draw_key, noise_key, example_key = (jax.random.fold_in(key, part) for part in range(3))
    index, count = drawn(draw_key, plan.threshold, units, microbatch)
    keys_of: Callable[[Array], PRNGKeyArray] = jax.vmap(lambda unit: jax.random.fold_in(example_key, unit))

    def body(turn: Array, sums: Any) -> Any:
        here = jax.lax.dynamic_slice(index, (turn * microbatch,), (microbatch,))
        present = turn * microbatch + jnp.arange(microbatch) < count
        return jax.tree.map(jnp.add, sums, clipped(weights, examples(here, keys_of(here)), present))

    zeros = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, jnp.float32), weights)
    sums = jax.lax.fori_loop(0, (count + microbatch - 1) // microbatch, body, zeros)
    return jax.tree.map(lambda leaf: leaf / plan.divisor, noised(noise_key, sums, plan.sigma * clipped.sensitivity()))
