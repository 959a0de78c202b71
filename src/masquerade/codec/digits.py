"""Columns of any size as short digits: a code is spelled coarse to fine, so that every softmax has the same few places.

An ordered column (numbers, moments) is cut into neighbouring groups of about equal weight, each of those again, until at most
`base` codes are left in a group: the first digit says about where, the next where exactly. In an unordered column the most
frequent codes are told by the first digit alone, and the others share a few digits that ask for another one. So a column with
30,000 levels costs three small softmaxes, one with two levels costs one, and all of them are one dense array.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from masquerade.codec.arrays import Layout

__all__ = ["BASE", "Digits", "spell"]

BASE = 32
"""Places of a digit."""


@dataclass(frozen=True)
class Digits:
    """How every code of a table is spelled.

    A *slot* is one digit of one column; slots stand in the order of the columns, coarse before fine. A *node* is what was
    spelled of a column so far; the digits that may follow are its children. *Places* count all codes of all columns.

    Args:
        base: places of a digit.
        column: int32, shape (slots,): column of each slot.
        level: int32, shape (slots,): 0 for a column's first digit, and so on.
        starts: int32, shape (columns,): first place of each column.
        digit: int32, shape (levels, places): the digit of each code on each level.
        node: int32, shape (levels, places): the node at which that digit is asked for.
        log_share: float32, shape (nodes, base): log share of training rows of each child of a node, -1e9 where there is none.
        next_node: int32, shape (nodes, base): the node of the next level; 0 after the last.
        place: int32, shape (nodes, base): a place behind this child; after the last level, the place itself.
    """

    base: int
    column: NDArray[np.int32]
    level: NDArray[np.int32]
    starts: NDArray[np.int32]
    digit: NDArray[np.int32]
    node: NDArray[np.int32]
    log_share: NDArray[np.float32]
    next_node: NDArray[np.int32]
    place: NDArray[np.int32]

    @property
    def slots(self) -> int:
        return len(self.column)

    @property
    def columns(self) -> int:
        return len(self.starts)

    @property
    def first_slot(self) -> NDArray[np.intp]:
        """The first slot of each column, shape (columns,)."""
        return np.flatnonzero(self.level == 0)

    def child_weights(self, frequencies: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
        """The weight of each child of each node under these frequencies of codes; float64, shape (nodes, base)."""
        weights = np.zeros(self.next_node.shape)
        joined = np.concatenate(frequencies)
        depth = np.repeat(np.bincount(self.column, minlength=self.columns), self.sizes)
        for level, (node, digit) in enumerate(zip(self.node, self.digit, strict=True)):
            there = depth > level
            np.add.at(weights, (node[there], digit[there]), joined[there])
        return weights

    @property
    def sizes(self) -> NDArray[np.int32]:
        """Codes per column, shape (columns,)."""
        return np.diff(self.starts, append=self.digit.shape[1]).astype(np.int32)

    @classmethod
    def of(cls, layout: Layout, base: int = BASE) -> Digits:
        """The spelling of a table's codes.

        >>> layout = Layout(("a",), (40,), ((False,) * 40,), (True,), (np.full(40, 1 / 40),), (None,))
        >>> digits = Digits.of(layout)
        >>> digits.slots, digits.digit[:, :3].tolist(), digits.digit[:, -1].tolist()
        (2, [[0, 1, 2], [0, 0, 0]], [31, 8])
        """
        spellings = [
            spell(
                frequency, ordered=places is not None, base=base, apart=places is not None and np.isnan(places[-1, 0])
            )
            for frequency, places in zip(layout.frequencies, layout.places, strict=True)
        ]
        starts = np.concatenate([[0], np.cumsum(layout.sizes)]).astype(np.int32)
        levels = max(len(spelling) for spelling in spellings)
        digit = np.zeros((levels, starts[-1]), np.int32)
        node, next_node, place, nodes = np.zeros_like(digit), [], [], 0
        for start, size, spelling in zip(starts, layout.sizes, spellings, strict=False):
            prefix = np.zeros(size, np.int64)
            here = slice(start, start + size)
            for level, digits in enumerate(spelling):
                distinct, inner = np.unique(prefix, return_inverse=True)
                digit[level, here], node[level, here] = digits, nodes + inner
                behind = np.zeros((len(distinct), base), np.int32)
                behind[inner, digits] = np.arange(start, start + size)
                place.append(behind)
                prefix = prefix * base + digits
                following = np.zeros((len(distinct), base), np.int32)
                if level + 1 < len(spelling):
                    following[inner, digits] = nodes + len(distinct) + np.unique(prefix, return_inverse=True)[1]
                next_node.append(following)
                nodes += len(distinct)
        depth = [len(spelling) for spelling in spellings]
        digits_ = cls(
            base,
            np.repeat(np.arange(len(depth), dtype=np.int32), depth),
            np.concatenate([np.arange(d, dtype=np.int32) for d in depth]),
            starts[:-1],
            digit,
            node,
            np.empty((0, base), np.float32),
            np.concatenate(next_node),
            np.concatenate(place),
        )
        weights = digits_.child_weights([frequency + 1e-7 for frequency in layout.frequencies])
        share = weights / weights.sum(axis=1, keepdims=True)
        log_share = np.where(share > 0, np.log(np.maximum(share, 1e-12)), -1e9).astype(np.float32)
        return replace(digits_, log_share=log_share)


def spell(weights: NDArray[np.float64], *, ordered: bool, base: int = BASE, apart: bool = False) -> NDArray[np.int32]:
    """Digits of the codes of one column, int32 of shape (levels, codes), the coarse one first.

    Args:
        weights: share of rows of each code.
        ordered: whether neighbouring codes are alike.
        base: places of a digit.
        apart: whether the last code is no neighbour (missing among numbers): it gets a first digit of its own.
    """
    levels = 1
    while base**levels < len(weights) + (0 if levels == 1 or not apart else base ** (levels - 1)):
        levels += 1
    digits = np.zeros((levels, len(weights)), np.int32)
    codes = np.arange(len(weights))
    if apart and levels > 1:
        digits[0, -1] = base - 1
        _spell(digits, codes[:-1], weights, 0, ordered, base, base - 1)
    else:
        _spell(digits, codes if ordered else np.argsort(-weights, kind="stable"), weights, 0, ordered, base, base)
    if levels == 1:
        digits[0] = codes
    return digits


def _spell(
    digits: NDArray[np.int32],
    codes: NDArray[np.intp],
    weights: NDArray[np.float64],
    level: int,
    ordered: bool,
    base: int,
    room: int,
) -> None:
    """Fill the digits of some codes from this level on, using digits below `room` on it."""
    if len(codes) <= room:
        digits[level, codes] = np.arange(len(codes))
        return
    capacity = base ** (len(digits) - level - 1)
    if ordered:
        groups = _neighbours(weights[codes], room, capacity)
    else:
        asking = -(-(len(codes) - room) // (capacity - 1))
        rest = np.arange(len(codes) - (room - asking)) // capacity
        groups = np.concatenate([np.arange(room - asking), room - asking + rest])
    digits[level, codes] = groups
    for group in np.flatnonzero(np.bincount(groups) > 1):
        _spell(digits, codes[groups == group], weights, level + 1, ordered, base, base)


def _neighbours(weights: NDArray[np.float64], groups: int, capacity: int) -> NDArray[np.intp]:
    """Group of each code: at most so many groups of neighbours, of about equal weight, none above the capacity."""
    group = np.zeros(len(weights), np.intp)
    left, current, inside, count = float(weights.sum()), 0, 0.0, 0
    for i, weight in enumerate(weights.tolist()):
        fair = left / (groups - current)
        may = count > 0 and current < groups - 1 and (groups - current - 1) * capacity >= len(weights) - i
        if may and (count == capacity or inside + weight / 2 >= fair):
            left, current, inside, count = left - inside, current + 1, 0.0, 0
        group[i], inside, count = current, inside + weight, count + 1
    return group
