"""An autoregressive net in compiled blocks: rows, distributions of single cells, likelihoods."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

from masquerade import seeds
from masquerade.nets.autoregressive import AutoregressiveNet, Weights
from masquerade.nets.autoregressive_draw import Drawing
from masquerade.nets.loop import Compilation

__all__ = ["Drawer"]

BLOCKS_AHEAD = 2
"""Blocks handed to XLA before the oldest is waited for; each takes memory while it is computed."""

MOST_NUMBERS = 4_000_000
"""A block has at most so many hidden units at a time, so that wide tables stay small in memory."""

CALIBRATION_ROWS = 16_384
CALIBRATION_DIGITS = 2_000_000
"""At most so many rows, and digits in all, are drawn in one round of calibration (but one block at least)."""

CALIBRATION_ROUNDS = 3
SLACK = 3.0
"""Rows put to both sides when frequencies are compared."""

Codes = NDArray[np.int32]


def _shape(sizes: tuple[int, ...], dtype: Any = np.float32) -> Any:
    return jax.ShapeDtypeStruct(sizes, dtype)  # type: ignore[no-untyped-call]


class Drawer:
    """Calls a trained net in blocks of one compiled shape; each program is compiled when first asked for.

    Args:
        net: the pure functions.
        weights: learned.
        log_share: where the heads start: float32, shape (nodes, base).
        waiting: told the seconds spent compiling.
    """

    def __init__(
        self,
        net: AutoregressiveNet,
        weights: Weights,
        log_share: NDArray[np.float32],
        waiting: Callable[[float], None] = lambda seconds: None,
    ):
        self.net, self.weights, self.log_share = net, weights, log_share
        self._drawing, self._waiting = Drawing(net), waiting
        width = net.slots.count * net.settings.embedding + net.slots.base
        self.block_rows = max(64, min(4_096, 1 << int(np.log2(MOST_NUMBERS / width))))
        self.ready = jax.jit(self._drawing.ready)(weights)
        self._programs: dict[str, Callable[..., Any]] = {}

    def rows(
        self,
        count: int,
        seed: int,
        *,
        given: Codes | None = None,
        temperature: float = 1.0,
        log_share: NDArray[np.float32] | None = None,
    ) -> Codes:
        """Codes of new rows, int32 of shape (count, columns).

        Args:
            count: how many.
            seed: of every draw.
            given: codes that are known, -1 elsewhere, shape (count, columns); None: nothing is.
            temperature: below 1 the likely is drawn more often, above 1 less often.
            log_share: where the heads start, if not as learned.
        """
        columns, size = self.net.slots.columns, self.block_rows
        free = given is None
        program = self._program("free" if free else "given")
        shares = self.log_share if log_share is None else log_share
        codes = np.empty((count, columns), np.int32)
        nothing = np.full((size, columns), -1, np.int32)
        key, pending = jax.random.key(seed), deque[tuple[slice, Any]]()

        def collect() -> None:
            rows, drawn = pending.popleft()
            codes[rows] = np.asarray(drawn)[: rows.stop - rows.start]

        for block, start in enumerate(range(0, count, size)):
            rows = slice(start, min(start + size, count))
            known = nothing if given is None else _padded(given[rows], size)
            drawn = program(self.ready, shares, np.float32(temperature), key, np.int32(block), known)
            pending.append((rows, drawn))
            if len(pending) > BLOCKS_AHEAD:
                collect()
        while pending:
            collect()
        return codes

    def calibrate(
        self, seed: int, *, frequencies: Sequence[NDArray[np.float64]] | None = None, rounds: int = CALIBRATION_ROUNDS
    ) -> None:
        """Move where the heads start so that single columns come out as often as in the training table.

        Iterative scaling (Deming and Stephan 1940) of what follows each node. What is to be expected is computed from the
        probabilities at each cell of drawn rows, which chance moves far less than it moves the drawn cells.
        """
        digits = self.net.slots.digits
        wanted = digits.child_weights(self.net.slots.layout.frequencies if frequencies is None else frequencies)
        wanted /= np.maximum(wanted.sum(axis=1, keepdims=True), 1e-12)
        rows = min(CALIBRATION_ROWS, CALIBRATION_DIGITS // digits.slots)
        rows = max(rows // self.block_rows, 1) * self.block_rows
        for turn in range(rounds):
            codes = self.rows(rows, seeds.integer(seed, turn))
            expected = self.expected(codes, self.log_share)
            total = expected.sum(axis=1, keepdims=True)
            # A node that few rows came by is left nearly as it is.
            step = np.log((wanted * total + SLACK) / (expected + SLACK)) * (self.log_share > -1e8)
            self.log_share = (self.log_share + np.clip(step, -1, 1)).astype(np.float32)

    def expected(self, codes: Codes, log_share: NDArray[np.float32]) -> NDArray[np.float64]:
        """How often each child of each node is to be expected in these rows: float64, shape (nodes, base).

        Args:
            codes: whole rows, shape (rows, columns).
            log_share: where the heads start.
        """
        program, size = self._program("expected"), self.block_rows
        total = np.zeros(log_share.shape)
        for start in range(0, len(codes), size):
            block = codes[start : start + size]
            total += np.asarray(
                program(self.weights, log_share, np.maximum(_padded(block, size), 0), np.int32(len(block)))
            )
        return total

    def without(self, places: NDArray[np.intp]) -> NDArray[np.float32]:
        """Where the heads start if some codes, named by their places, are never to be drawn."""
        digits, shares = self.net.slots.digits, self.log_share.copy()
        ruled_out = np.zeros(digits.digit.shape[1])
        ruled_out[places] = 1.0
        left = digits.child_weights(np.split(1 - ruled_out, digits.starts[1:]))
        shares[(left == 0) & (shares > -1e8)] = -1e9
        return shares

    def distribution(self, given: Codes, column: int) -> NDArray[np.float32]:
        """The probability of each code of one column given other cells; float32, shape (rows, size).

        Args:
            given: codes that are known, -1 elsewhere; what stands in the column itself is not read.
            column: which column.
        """
        digits, size = self.net.slots.digits, self.block_rows
        program = self._program("children")
        slots = np.flatnonzero(digits.column == column)
        here = slice(digits.starts[column], digits.starts[column] + digits.sizes[column])
        result = np.zeros((len(given), here.stop - here.start), np.float32)
        for start in range(0, len(given), size):
            rows = slice(start, min(start + size, len(given)))
            known = _padded(given[rows], size)
            total = np.zeros((size, here.stop - here.start), np.float32)
            for level, slot in enumerate(slots):
                node = digits.node[level, here]
                for place in np.unique(node, return_index=True)[1]:
                    behind = np.int32(here.start + place)
                    children = np.asarray(
                        program(self.ready, self.log_share, known, np.int32(slot), behind, np.int32(node[place]))
                    )
                    mine = np.flatnonzero(node == node[place])
                    total[:, mine] += children[:, digits.digit[level, here][mine]]
            result[rows] = np.exp(total)[: rows.stop - rows.start]
        return np.asarray(result / result.sum(axis=1, keepdims=True), np.float32)

    def log_probability(self, codes: Codes, columns: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Log probability of some columns of each row, the others left open; float64, shape (rows,).

        Args:
            codes: the rows; what stands in columns left open is not read.
            columns: which columns count, shape (columns,).
        """
        slots, size = self.net.slots, self.block_rows
        program = self._program("likelihood")
        counted = columns[slots.digits.column]
        order = np.where(counted, 0, 1) * np.int32(1 << 24) + np.asarray(slots.order)
        result = np.zeros(len(codes))
        for start in range(0, len(codes), size):
            rows = slice(start, min(start + size, len(codes)))
            each = program(
                self.weights, self.log_share, np.maximum(_padded(codes[rows], size), 0), order.astype(np.int32)
            )
            result[rows] = np.asarray(each, np.float64)[counted].sum(axis=0)[: rows.stop - rows.start]
        return result

    def _program(self, name: str) -> Callable[..., Any]:
        if name not in self._programs:
            columns, size = self.net.slots.columns, self.block_rows
            shares, number, codes = (
                _shape(self.log_share.shape),
                _shape((), np.int32),
                _shape((size, columns), np.int32),
            )
            if name == "children":
                arguments: tuple[Any, ...] = (self.ready, shares, codes, number, number, number)
                function: Callable[..., Any] = self._drawing.child_log_probabilities
            elif name == "expected":
                arguments, function = (self.weights, shares, codes, number), self.net.expected_children
            elif name == "likelihood":
                arguments = (self.weights, shares, codes, _shape((self.net.slots.count,), np.int32))
                function = self.net.log_probabilities
            else:
                key = jax.eval_shape(jax.random.key, 0)
                arguments = (self.ready, shares, _shape(()), key, number, codes)
                function = self._drawing.free_rows if name == "free" else self._drawing.rows
            self._programs[name] = Compilation(function, *arguments).result(self._waiting)
        return self._programs[name]


def _padded(codes: Codes, size: int) -> Codes:
    """The rows, and rows of nothing up to the size of a block."""
    if len(codes) == size:
        return codes
    padded = np.full((size, codes.shape[1]), -1, np.int32)
    padded[: len(codes)] = codes
    return padded
