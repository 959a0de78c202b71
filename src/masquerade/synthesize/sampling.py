"""Drawing from a net in compiled blocks, judging a snapshot in training, and calibrating the best one."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

import jax
import numpy as np
from numpy.typing import NDArray

from masquerade import seeds
from masquerade.codec.arrays import Encoded, Layout
from masquerade.codec.calibration import ScalarMap, frequency_bias, scalar_bins
from masquerade.metrics.codes import all_or_some, subset_accuracies
from masquerade.nets.layers import Spans
from masquerade.nets.loop import Compilation
from masquerade.synthesize.given import Condition

__all__ = ["Drawable", "Referee", "Sampler", "shape"]

BLOCK_ROWS = 4_096
"""Rows drawn in one compiled call: few enough to stay in the processor's cache."""

BLOCKS_AHEAD = 2
"""Blocks handed to XLA before the oldest is waited for; each takes memory while it is computed."""

REFEREE_ROWS = 16_384
"""Rows on each side when a snapshot is judged."""


LEAST_ROWS = 64
"""Least rows drawn in one call under a condition, however rare its code."""


def shape(sizes: tuple[int, ...], dtype: Any = np.float32) -> Any:
    """An argument's shape, for compiling."""
    return jax.ShapeDtypeStruct(sizes, dtype)  # type: ignore[no-untyped-call]


class Drawable(Protocol):
    """A net that can be drawn from in blocks: `TabularGAN`, `TabularVAE`.

    Attributes:
        layout: shape of the encoded table.
        spans: its softmax spans.
        scalar_columns: which columns have a scalar.
        direct_conditions: whether the net is told a condition; else it finds rows that meet it among a block's, so that a
            rare code asks for more blocks.
    """

    layout: Layout
    spans: Spans
    scalar_columns: NDArray[np.intp]
    direct_conditions: bool

    def skeleton(self) -> Any:
        """The shapes of the arrays that drawing needs."""

    def draw(self, params: Any, key: Any, block: Any, bias: Any, column: Any, code: Any) -> tuple[Any, Any]:
        """Codes (batch, columns) and scalars (batch, columns with a scalar); `column` is -1 or numbered among the discrete."""


class Sampler:
    """Draws from a net in blocks of one compiled shape, whatever is asked for.

    Args:
        net: the pure functions.
        waiting: told the seconds spent compiling, about five times a second.
    """

    def __init__(self, net: Drawable, waiting: Callable[[float], None] = lambda seconds: None):
        self.net = net
        key, integers = jax.eval_shape(jax.random.key, 0), shape((BLOCK_ROWS,), np.int32)
        block, bias = shape((), np.int32), shape((net.spans.width,))
        self._drawing = Compilation(net.draw, net.skeleton(), key, block, bias, integers, integers).result(waiting)

    def draw(
        self, params: Any, rows: int, seed: int, bias: NDArray[np.float32], condition: Condition | None = None
    ) -> Encoded:
        """Encoded rows, under a condition if given."""
        layout = self.net.layout
        codes = np.empty((rows, len(layout.sizes)), np.int32)
        scalars = np.zeros((rows, len(layout.sizes)), np.float32)
        given_column = np.full(BLOCK_ROWS, -1, np.int32)
        given_code = np.zeros(BLOCK_ROWS, np.int32)
        length = BLOCK_ROWS
        if condition is not None and rows:
            given_column[:] = int(np.flatnonzero(np.flatnonzero(layout.discrete) == condition.column)[0])
            if not self.net.direct_conditions:
                rarest = layout.frequencies[condition.column][np.unique(condition.codes)].min()
                length = int(min(max(BLOCK_ROWS * rarest, LEAST_ROWS), BLOCK_ROWS))
        key, pending = jax.random.key(seed), deque[tuple[slice, Any]]()

        def collect() -> None:
            rows, (block_codes, block_scalars) = pending.popleft()
            count = rows.stop - rows.start
            codes[rows] = np.asarray(block_codes)[:count]
            scalars[rows, self.net.scalar_columns] = np.asarray(block_scalars)[:count]

        for block, start in enumerate(range(0, rows, length)):
            count = min(length, rows - start)
            if condition is not None:
                given_code = np.zeros(BLOCK_ROWS, np.int32)
                given_code[:count] = condition.codes[start : start + count]
            drawn = self._drawing(params, key, np.int32(block), bias, given_column, given_code)
            pending.append((slice(start, start + count), drawn))
            if len(pending) > BLOCKS_AHEAD:
                collect()
        while pending:
            collect()
        return Encoded(codes, scalars)


class Referee:
    """Judges snapshots of one training run on codes alone, and calibrates the winner.

    The score is the mean accuracy (1 − total variation) of single columns, pairs and triples of a calibrated draw against
    a sample of the training rows; what calibration mends anyway does not count against a snapshot.

    Args:
        sampler: draws from a snapshot.
        encoded: the training table.
        layout: its shape.
        protect: least rows behind each knot of the calibration.
        seed: of the sample, the subsets of columns and the draws.
    """

    def __init__(self, sampler: Sampler, encoded: Encoded, layout: Layout, *, protect: int, seed: int):
        self._sampler, self._encoded, self._layout, self._protect, self._seed = sampler, encoded, layout, protect, seed
        chosen = seeds.stream(seed, "rows").permutation(len(encoded))[:REFEREE_ROWS]
        self._real = scalar_bins(encoded.rows(chosen), layout)
        self._sizes = [
            size * 4 if scalar else size for size, scalar in zip(layout.sizes, layout.continuous, strict=True)
        ]
        self._subsets = [s for width in (1, 2, 3) for s in all_or_some(len(layout.sizes), width, 120, seed)]
        self._bias: NDArray[np.float32] | None = None

    def score(self, params: Any) -> float:
        """How like the real table this snapshot draws, in [0, 1]; `params` as they draw."""
        self._bias = self._frequency_bias(params, rounds=2 if self._bias is not None else 4, blocks=1)
        drawn = self._sampler.draw(params, REFEREE_ROWS, seeds.integer(self._seed, "score"), self._bias)
        drawn = scalar_bins(drawn, self._layout)
        return float(subset_accuracies(self._real.codes, drawn.codes, self._sizes, self._subsets).mean())

    def calibration(self, params: Any, *, quick: bool = False) -> tuple[NDArray[np.float32], ScalarMap]:
        """The bias on the logits and the map of the scalars that bring single columns to the training table's.

        Args:
            params: the arrays that draw.
            quick: a coarser calibration within half a second, for a user who has pressed Ctrl-C.
        """
        blocks = 1 if quick else 4
        bias = self._frequency_bias(params, rounds=3 if quick else 8, blocks=blocks)
        drawn = self._sampler.draw(params, blocks * REFEREE_ROWS, seeds.integer(self._seed, "map"), bias)
        return bias, ScalarMap.fit(self._encoded, drawn, self._layout, protect=self._protect)

    def _frequency_bias(self, params: Any, *, rounds: int, blocks: int) -> NDArray[np.float32]:
        draws = iter(range(rounds))

        def draw(bias: NDArray[np.float32]) -> NDArray[np.int32]:
            seed = seeds.integer(self._seed, "calibrate", next(draws))
            return self._sampler.draw(params, blocks * REFEREE_ROWS, seed, bias).codes

        return frequency_bias(draw, self._layout, rounds=rounds, start=self._bias)
