"""The losses of R3GAN (arXiv 2501.05441) for nets of pictures that are more than a generator from noise: pure functions.

A critic scores real and made pictures in pairs (relativistic pairing loss), and its slopes are kept small around both
(zero-centred gradient penalties), here every few steps with a weight to match (arXiv 1912.04958, appendix B).
"""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

__all__ = ["PENALTY_EVERY", "critic_loss", "pairing_loss"]

PENALTY_EVERY = 4
"""Steps from one gradient penalty to the next."""

Critic = Callable[[Array, Array], Array]


def pairing_loss(better: Float[Array, " batch"], worse: Float[Array, " batch"]) -> Float[Array, ""]:
    """How far scores are from what a critic wants; a generator wants them the other way round."""
    return jnp.mean(jax.nn.softplus(worse - better))


def critic_loss(
    critic: Critic,
    real: Float[Array, "batch height width channels"],
    made: Float[Array, "batch height width channels"],
    hot: Float[Array, "batch classes"],
    penalised: Array,
    penalty: float,
) -> Float[Array, ""]:
    """What a critic lessens.

    Args:
        critic: from pictures and one-hot classes to scores.
        real, made: pictures of the same classes.
        hot: their classes; all zero where they are not told.
        penalised: whether it is a step with penalties.
        penalty: their weight γ; 0: none.
    """
    both, twice = jnp.concatenate([real, made]), jnp.concatenate([hot, hot])
    scores = critic(both, twice)
    loss = pairing_loss(scores[: len(real)], scores[len(real) :])
    if penalty == 0:
        return loss

    def slopes() -> Array:
        gradient = jax.grad(lambda pictures: critic(pictures, twice).sum())(both)
        return jnp.square(gradient).sum(axis=(1, 2, 3)).mean()

    found: Array = jax.lax.cond(penalised, slopes, lambda: jnp.zeros(()))
    return loss + penalty * PENALTY_EVERY * found
