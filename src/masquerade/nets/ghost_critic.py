"""Clipped gradients of a fully connected critic without writing out a gradient per row.

In a linear layer the gradient of one row is the outer product of what comes in and of the slope of what goes out. A unit sees
real and made rows, and the square of its gradient's norm is the sum, over all pairs of them, of the inner product of what
comes in times that of the slopes (Goodfellow 2015, arXiv 1510.01799). Slopes are taken once, and the clipped sum is one matrix
product a layer (Bu et al. 2022, arXiv 2210.00038).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool

from masquerade.nets.gan_nets import Critic
from masquerade.nets.layers import linear
from masquerade.nets.private import ClippedSum

__all__ = ["ghost_critic_sum"]

HAIR = 1e-5
"""Gradients are clipped this much below the bound, so that rounding does not lift them above it."""


def ghost_critic_sum(
    net: Callable[[Any], Critic], seen: Callable[[Any], Array], loss: Callable[[Array, Any], Array], clip: float
) -> ClippedSum:
    """The sum of units' clipped gradients of a `Critic`; a unit whose gradient is not finite adds nothing.

    Args:
        net: `(weights) -> critic`.
        seen: `(examples) -> rows`: what the critic sees of each unit, shape (units, rows, width).
        loss: `(scores, examples) -> losses`: of the scores, shape (units, rows), each unit's loss, shape (units,).
        clip: bound of a unit's gradient.
    """

    def function(weights: Any, examples: Any, present: Bool[Array, " units"]) -> Any:
        critic = net(weights)
        layers = [*critic.layers, critic.head]
        rows = seen(examples)
        units, each, _ = rows.shape

        def forward(taps: list[Array]) -> tuple[Array, list[Array]]:
            """The loss, and what comes into each layer; `taps` are zeros added where a layer ends."""
            x, told = rows.reshape(units * each, -1), []
            for index, (layer, tap) in enumerate(zip(layers, taps, strict=True)):
                told.append(x)
                x = linear(layer, x) + tap
                if index < len(layers) - 1:
                    x = jax.nn.leaky_relu(x, 0.2)
            losses = loss(x[:, 0].reshape(units, each), examples)
            return jnp.where(present, losses, 0.0).sum(), told

        zeros = [jnp.zeros((units * each, layer.weight.shape[0])) for layer in layers]
        slopes, told = jax.grad(forward, has_aux=True)(zeros)

        def gram(x: Array) -> Array:
            """Inner products of each unit's rows, shape (units, rows, rows)."""
            x = x.reshape(units, each, -1)
            return jnp.einsum("urw,utw->urt", x, x)

        squares = sum((gram(s) * (gram(t) + 1.0)).sum(axis=(1, 2)) for s, t in zip(slopes, told, strict=True))
        sound = jnp.isfinite(squares) & present
        factor = jnp.where(sound, jnp.minimum(1.0, clip * (1 - HAIR) / jnp.sqrt(jnp.maximum(squares, 1e-30))), 0.0)
        factor, kept = (jnp.repeat(x, each)[:, None] for x in (factor, sound))
        slopes = [jnp.where(kept, factor * x, 0.0) for x in slopes]
        told = [jnp.where(kept, x, 0.0) for x in told]
        return eqx.tree_at(
            lambda critic: [leaf for layer in (*critic.layers, critic.head) for leaf in (layer.weight, layer.bias)],
            weights,
            [leaf for s, t in zip(slopes, told, strict=True) for leaf in (s.T @ t, s.sum(axis=0))],
        )

    return ClippedSum(function, clip)
