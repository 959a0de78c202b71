"""CTGAN's conditional vector: one discrete column fixed to one of its codes, and the training rows that have it.

Reference: Xu et al. 2019 (arXiv 1907.00503), section 4.3: conditional vector and training-by-sampling.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int
from numpy.typing import NDArray

from masquerade.codec.arrays import Encoded, Layout
from masquerade.nets.layers import Spans
from masquerade.nets.randomness import index

__all__ = ["Conditions", "RowIndex"]


class RowIndex(NamedTuple):
    """Training rows by the code of each discrete column, on the device."""

    by_code: Int[Array, "discrete rows"]
    first: Int[Array, " condition_width"]
    counts: Int[Array, " condition_width"]
    log_weights: Float[Array, "discrete most_codes"]


class Conditions:
    """The conditions of one table layout: a discrete column (numbered among the discrete ones) and a code of it.

    Args:
        layout: shape of the encoded table.
        spans: its softmax spans.

    Attributes:
        columns: which columns of the layout are discrete.
        width: codes of all discrete columns together, the width of the one-hot condition; 0 without discrete columns.
        true_weights: float32, shape (discrete, most codes): running shares of each column's codes in the training table.
    """

    def __init__(self, layout: Layout, spans: Spans):
        self.columns = np.flatnonzero(layout.discrete)
        self.sizes = [layout.sizes[column] for column in self.columns]
        self._most = max(self.sizes, default=1)
        self._starts = np.concatenate([[0], np.cumsum(self.sizes)]).astype(np.int32)
        self._span_starts = spans.starts[self.columns]
        self.width = int(self._starts[-1])
        frequencies = np.zeros((len(self.columns), self._most))
        for place, column in enumerate(self.columns):
            frequencies[place, : self.sizes[place]] = layout.frequencies[column]
        self.true_weights = _running_shares(frequencies)

    def index_rows(self, encoded: Encoded) -> RowIndex:
        """Training rows by code, and the log-frequency weights of training-by-sampling."""
        by_code = np.zeros((len(self.columns), len(encoded)), np.int32)
        count, first = np.zeros(self.width, np.int32), np.zeros(self.width, np.int32)
        logs = np.zeros((len(self.columns), self._most))
        for place, (column, size) in enumerate(zip(self.columns, self.sizes, strict=True)):
            codes = encoded.codes[:, column]
            by_code[place] = np.argsort(codes, kind="stable")
            rows = np.bincount(codes, minlength=size)
            span = slice(self._starts[place], self._starts[place] + size)
            count[span], first[span] = rows, np.concatenate([[0], np.cumsum(rows)[:-1]])
            logs[place, :size] = np.log1p(rows)
        parts = (by_code, first, count, _running_shares(logs))
        return RowIndex(*(jnp.asarray(part) for part in parts))

    def choose(self, u_column: Array, u_code: Array, weights: Array) -> tuple[Array, Array]:
        """A discrete column (each as likely) and one of its codes (by running shares), from two uniform numbers a row."""
        column = index(u_column, len(self.columns))
        return column, (u_code[:, None] >= weights[column]).sum(axis=1).astype(jnp.int32)

    def one_hot(self, column: Array, code: Array) -> Float[Array, "batch condition_width"]:
        """The conditional vector."""
        return jax.nn.one_hot(jnp.asarray(self._starts)[column] + code, self.width)

    def span_place(self, column: Array, code: Array) -> Int[Array, " batch"]:
        """Where the spans hold the same code of the same column."""
        return jnp.asarray(self._span_starts)[column] + code

    def matching_row(self, u: Array, rows: RowIndex, column: Array, code: Array) -> Int[Array, " batch"]:
        """A random training row that has the code, each as likely."""
        place = jnp.asarray(self._starts)[column] + code
        return rows.by_code[column, rows.first[place] + index(u, rows.counts[place])]


def _running_shares(weights: NDArray[np.float64]) -> NDArray[np.float32]:
    """Running shares along the last axis, for drawing by inversion."""
    total = np.cumsum(weights, axis=1)
    share = total / np.maximum(total[:, -1:], 1e-300)
    # The last code with any weight ends at 1 exactly, and codes after it are never drawn.
    share[share >= 1 - 1e-12] = 1.0
    rounded: NDArray[np.float32] = share.astype(np.float32)
    return rounded
