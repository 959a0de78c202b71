"""How many codes each group of columns gets, and what they are called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from masquerade.errors import SettingError, TableError
from masquerade.release.features import Features

__all__ = ["WHOLE", "blocks", "named_codes", "shared_out"]

WHOLE = "code"
"""Of the codes where there are no groups."""


def blocks(
    features: Features, groups: Mapping[str, Sequence[str]] | None, width: float
) -> tuple[NDArray[np.int64], dict[str, int]]:
    """The block of each input, shape (inputs,), from 0; and how many codes each group gets, by name.

    Args:
        features: the inputs.
        groups: columns by group name; None: one group of all.
        width: as for `shared_out`.

    Raises:
        TableError: there is no input.
        SettingError: a group has none, or the width does not fit.
    """
    places = features.places
    if features.width == 0:
        raise TableError("table: no column has values that vary, so there is nothing to encode.")
    groups = {WHOLE: list(places)} if groups is None else groups
    block = np.zeros(features.width, np.int64)
    for place, (group, columns) in enumerate(groups.items()):
        there = [name for name in columns if name in places]
        if not there:
            raise SettingError(f"groups: no column of {group!r} has values that vary and may be encoded.")
        for name in there:
            block[places[name]] = place
    counts = np.bincount(block, minlength=len(groups))
    return block, dict(zip(groups, shared_out(width, counts), strict=True))


def named_codes(widths: Mapping[str, int], target: str | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The group and the name of each code, in order.

    Args:
        widths: how many codes each group has.
        target: a column that stands beside the codes; None: there is none.

    Raises:
        SettingError: two codes have one name, or a code has the target's.

    >>> named_codes({"who": 2, "money": 1}, None)
    (('who', 'who', 'money'), ('who_0', 'who_1', 'money_0'))
    """
    names = tuple(f"{group}_{i}" for group, count in widths.items() for i in range(count))
    if target in names:
        raise SettingError(f"target: {target!r} is also the name of a code; rename the column or the group.")
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise SettingError(f"groups: two groups have a code named {twice!r}; rename one of them.")
    return tuple(group for group, count in widths.items() for _ in range(count)), names


def shared_out(width: float, counts: NDArray[np.int64]) -> list[int]:
    """How many codes each block of so many inputs gets, at least one and at most its inputs.

    Args:
        width: a float is a share of each block's inputs, an integer the codes of all blocks.
        counts: inputs of each block.

    >>> shared_out(0.5, np.array([25, 9])), shared_out(8, np.array([25, 9]))
    ([12, 4], [6, 2])
    """
    if isinstance(width, float):
        return [max(int(width * count), 1) for count in counts]
    if not len(counts) <= width <= counts.sum():
        raise SettingError(f"width: got {width} codes, expected {len(counts)} to {counts.sum()}, the number of inputs.")
    shares = width * counts / counts.sum()
    found = np.clip(np.floor(shares).astype(int), 1, counts)
    while found.sum() != width:
        step = 1 if found.sum() < width else -1
        free = (found < counts) if step > 0 else (found > 1)
        found[np.argmax(np.where(free, step * (shares - found), -np.inf))] += step
    return [int(count) for count in found]
