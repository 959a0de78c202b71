"""Clipped gradients of an autoregressive net without writing out a gradient per row.

In a linear map the gradient of one row is the outer product of what comes in and of the slope of what goes out, so its norm is
the product of theirs (Goodfellow 2015, arXiv 1510.01799); where a unit has several rows, it follows from their inner products.
Slopes are taken once, norms computed from them, and the clipped sum is one matrix product a layer (Bu et al. 2022, arXiv
2210.00038): as quick as plain training.
"""

from __future__ import annotations

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from masquerade.nets.autoregressive import AutoregressiveNet, Weights
from masquerade.nets.mixing import Dense
from masquerade.nets.private import HAIR, ClippedSum

__all__ = ["Examples", "ghost_sum", "unit_loss"]


class Examples(NamedTuple):
    """Units' rows.

    Args:
        codes: of each unit's rows.
        there: which of them there are; the others are room.
        order: rank of each slot; the same for all units of a step.
    """

    codes: Int[Array, "units rows columns"]
    there: Bool[Array, "units rows"]
    order: Int[Array, "units slots"]


def unit_loss(net: AutoregressiveNet, weights: Weights, example: Examples) -> Float[Array, ""]:
    """Negative log-likelihood of one unit's rows together."""
    log = net.log_probabilities(weights, net.slots.log_share, example.codes, example.order)
    return -jnp.where(example.there, log.sum(axis=0), 0.0).sum()


class _Taps(NamedTuple):
    """Zeros added where a linear map ends; the slopes of the loss by them."""

    told: Float[Array, "slots batch embedding"]
    mixed: Float[Array, "slots batch hidden"]
    inner: Float[Array, "slots batch hidden"]
    outer: Float[Array, "slots batch hidden"]
    logits: Float[Array, "slots batch base"]


def ghost_sum(net: AutoregressiveNet, clip: float) -> ClippedSum:
    """The sum of units' clipped gradients of `unit_loss`; a unit whose gradient is not finite adds nothing.

    Args:
        net: with a `Dense` mixing.
        clip: bound of a unit's gradient.
    """

    def function(weights: Weights, examples: Examples, present: Bool[Array, " units"]) -> Weights:
        return _clipped(net, clip * (1 - HAIR), weights, examples, present)

    return ClippedSum(function, clip)


def _clipped(net: AutoregressiveNet, clip: float, weights: Weights, examples: Examples, present: Array) -> Weights:
    mixing = weights.mixing
    assert isinstance(mixing, Dense), "narrow mixings have no ghost norms here"
    slots, settings = net.slots, net.settings
    units, rows, _ = examples.codes.shape
    batch, order = units * rows, examples.order[0]
    digit, node, place = slots.spelled(examples.codes.reshape(batch, -1))
    one_hot, features = jax.nn.one_hot(digit, slots.base), slots.told(place)
    counted = (examples.there & present[:, None]).reshape(batch)

    def forward(taps: _Taps) -> tuple[Array, tuple[Array, Array, Array, Array]]:
        told = one_hot @ weights.embed + features @ weights.tell + taps.told
        first = jax.nn.relu(mixing(told, order) + weights.shift + taps.mixed)
        second = jax.nn.relu(first @ weights.inner + weights.inner_shift + taps.inner)
        last = first + second @ weights.outer + taps.outer
        logits = last @ weights.heads(slots) + weights.head_shift + slots.log_share[node] + taps.logits
        log = (jax.nn.log_softmax(logits) * one_hot).sum(axis=-1).sum(axis=0)
        return -jnp.where(counted, log, 0.0).sum(), (told, first, second, last)

    widths = (settings.embedding, settings.hidden, settings.hidden, settings.hidden, slots.base)
    zeros = _Taps(*(jnp.zeros((slots.count, batch, width)) for width in widths))
    slopes, (told, first, second, last) = jax.grad(forward, has_aux=True)(zeros)

    def gram(x: Array) -> Array:
        """Inner products of each unit's rows, of shape (slots, units, rows, rows)."""
        x = x.reshape(slots.count, units, rows, -1)
        return jnp.einsum("surw,sutw->surt", x, x) if rows > 1 else jnp.square(x).sum(axis=-1)[..., None]

    mixed, logits, waves = gram(slopes.mixed), gram(slopes.logits), gram(slopes.logits @ slots.basis)
    before = order[:, None] < order[None, :]
    seen = jnp.einsum("ij,iurt->jurt", before.astype(jnp.float32), gram(told))
    parts = (
        gram(slopes.told) * (gram(one_hot) + gram(features)),
        mixed * (seen + 1),
        gram(slopes.inner) * (gram(first) + 1),
        gram(slopes.outer) * gram(second),
        logits * (gram(last) + 1) + waves * gram(last),
    )
    squares = sum(part.sum(axis=(0, 2, 3)) for part in parts)
    sound = jnp.isfinite(squares) & present
    factor = jnp.where(sound, jnp.minimum(1.0, clip / jnp.sqrt(jnp.maximum(squares, 1e-30))), 0.0)
    factor, kept = (jnp.repeat(x, rows)[:, None] for x in (factor, sound))
    told, first, second, last = (jnp.where(kept, x, 0.0) for x in (told, first, second, last))
    slopes = jax.tree.map(lambda x: jnp.where(kept, factor * x, 0.0), slopes)

    def outer(left: Array, right: Array) -> Array:
        return jnp.einsum("sbi,sbj->sij", left, right)

    embedding, hidden = settings.embedding, settings.hidden
    blocks = told.transpose(0, 2, 1).reshape(-1, batch) @ slopes.mixed.transpose(1, 0, 2).reshape(batch, -1)
    blocks = blocks.reshape(slots.count, embedding, slots.count, hidden)
    head = outer(last, slopes.logits)
    gradient: Weights = eqx.tree_at(
        lambda w: (
            w.embed, w.tell, w.mixing.blocks, w.shift, w.inner, w.inner_shift, w.outer, w.head, w.smooth, w.head_shift
        ),
        weights,
        (
            outer(one_hot, slopes.told), outer(features, slopes.told), jnp.where(before[:, None, :, None], blocks, 0.0),
            slopes.mixed.sum(axis=1, keepdims=True), outer(first, slopes.inner),
            slopes.inner.sum(axis=1, keepdims=True), outer(second, slopes.outer), head,
            jnp.einsum("shb,sbw->shw", head, slots.basis), slopes.logits.sum(axis=1, keepdims=True),
        ),
    )  # fmt: skip
    return gradient
