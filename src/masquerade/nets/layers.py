"""Layers that Equinox does not have, and one operation over all softmax spans at once."""

from __future__ import annotations

from collections.abc import Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray

__all__ = ["BatchNorm", "Residual", "Spans", "linear"]


def linear(layer: eqx.nn.Linear, x: Float[Array, "batch in_width"]) -> Float[Array, "batch out_width"]:
    """A linear layer applied to a batch."""
    y = x @ layer.weight.T
    return y if layer.bias is None else y + layer.bias


class BatchNorm(eqx.Module):
    """Batch normalisation (Ioffe and Szegedy 2015, arXiv 1502.03167) without hidden state.

    In training it normalises with the batch's own statistics. For sampling, `calibrated` stores those of one large batch
    and `equinox.nn.inference_mode` switches to them, so that a row does not depend on its neighbours.
    """

    scale: Float[Array, " width"]
    shift: Float[Array, " width"]
    mean: Float[Array, " width"]
    variance: Float[Array, " width"]
    inference: bool

    def __init__(self, width: int):
        self.scale, self.variance = jnp.ones(width), jnp.ones(width)
        self.shift, self.mean = jnp.zeros(width), jnp.zeros(width)
        self.inference = False

    def __call__(self, x: Float[Array, "batch width"]) -> Float[Array, "batch width"]:
        if self.inference:
            mean, variance = self.mean, self.variance
        else:
            mean, variance = x.mean(axis=0), x.var(axis=0)
        return (x - mean) * (jax.lax.rsqrt(variance + 1e-5) * self.scale) + self.shift

    def calibrated(self, x: Float[Array, "batch width"]) -> BatchNorm:
        """The same layer with the statistics of `x` stored."""
        statistics = x.mean(axis=0), x.var(axis=0)
        layer: BatchNorm = eqx.tree_at(lambda layer: (layer.mean, layer.variance), self, statistics)
        return layer


class Residual(eqx.Module):
    """CTGAN's generator block: linear, batch norm, ReLU, concatenated with its input (Xu et al. 2019, section 4.4)."""

    linear: eqx.nn.Linear
    norm: BatchNorm

    def __init__(self, in_width: int, out_width: int, *, key: PRNGKeyArray):
        self.linear = eqx.nn.Linear(in_width, out_width, key=key)
        self.norm = BatchNorm(out_width)

    def __call__(self, x: Float[Array, "batch in_width"]) -> Float[Array, "batch sum_width"]:
        return jnp.concatenate([jax.nn.relu(self.norm(linear(self.linear, x))), x], axis=1)

    def calibrated(self, x: Float[Array, "batch in_width"]) -> Residual:
        """The same block with its normalisation fixed to the statistics that `x` gives."""
        block: Residual = eqx.tree_at(lambda block: block.norm, self, self.norm.calibrated(linear(self.linear, x)))
        return block


class Spans:
    """Consecutive softmax spans of given sizes, all handled in one segmented operation.

    Args:
        sizes: places per span, in order.

    >>> Spans([2, 3]).softmax(jnp.zeros((1, 5))).tolist()
    [[0.5, 0.5, 0.3333333432674408, 0.3333333432674408, 0.3333333432674408]]
    """

    def __init__(self, sizes: Sequence[int]):
        self.sizes = tuple(int(size) for size in sizes)
        self.count = len(self.sizes)
        self.starts = np.concatenate([[0], np.cumsum(self.sizes)]).astype(np.int32)
        self.width = int(self.starts[-1])
        self.span_of_place = np.repeat(np.arange(self.count, dtype=np.int32), self.sizes)
        self.code_of_place = (np.arange(self.width) - self.starts[self.span_of_place]).astype(np.int32)

    def _max(self, x: Float[Array, "width batch"]) -> Float[Array, "width batch"]:
        top = jax.ops.segment_max(x, self.span_of_place, self.count, indices_are_sorted=True)
        return top[self.span_of_place]

    def _sum(self, x: Float[Array, "width batch"]) -> Float[Array, "count batch"]:
        return jax.ops.segment_sum(x, self.span_of_place, self.count, indices_are_sorted=True)

    def log_softmax(self, logits: Float[Array, "batch width"]) -> Float[Array, "batch width"]:
        """Log-probabilities within each span."""
        x = logits.T
        x = x - jax.lax.stop_gradient(self._max(x))
        return (x - jnp.log(self._sum(jnp.exp(x)))[self.span_of_place]).T

    def softmax(self, logits: Float[Array, "batch width"]) -> Float[Array, "batch width"]:
        """Probabilities within each span."""
        x = logits.T
        e = jnp.exp(x - jax.lax.stop_gradient(self._max(x)))
        return (e / self._sum(e)[self.span_of_place]).T

    def argmax(self, logits: Float[Array, "batch width"]) -> Int[Array, "batch count"]:
        """The winning code of each span (the first of equals)."""
        x = logits.T
        places = jnp.where(x == self._max(x), self.code_of_place[:, None], self.width)
        return jax.ops.segment_min(places, self.span_of_place, self.count, indices_are_sorted=True).T

    def one_hot(self, codes: Int[Array, "batch count"]) -> Float[Array, "batch width"]:
        """One hot place per span."""
        return (codes[:, self.span_of_place] == self.code_of_place).astype(jnp.float32)
