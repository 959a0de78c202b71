"""Rows of a graphical model, with less chance in them than independent draws have.

Column by column, down the junction tree: each code is drawn given the columns that it shares a clique with and that are drawn
already, by inverting its distribution at a place in [0, 1). Places of rows that agree in what is given are spread evenly
(multiples of the golden ratio, turned by a random angle: Niederreiter 1992, chapter 3), so that all tables of a clique come
out nearly as the model has them. Within such rows, those that agree in a few other columns stand together too, which makes
tables across cliques steadier; at last some rows in a hundred are changed so that single columns come out as expected.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from masquerade.nets.beliefs import Beliefs, Table, summed

__all__ = ["draw_rows"]

GOLDEN = (5**0.5 - 1) / 2

TURNS = 4
"""At most so often rows are looked for that could have a code that came too seldom."""

FEW_ROWS = 1_000
"""Fewer rows than that are drawn one by one: what steadies many rows would bend few."""

ALIKE = 2
"""So many columns besides are sorted by."""


def draw_rows(beliefs: Beliefs, rows: int, random: np.random.Generator) -> NDArray[np.int32]:
    """Codes of new rows, int32 of shape (rows, columns), in random order.

    Args:
        beliefs: the model's marginals.
        rows: how many.
        random: of every draw.
    """
    tree = beliefs.tree
    codes = np.zeros((rows, len(tree.sizes)), np.int32)
    if rows == 0:
        return codes
    done: list[int] = []
    for table, clique in zip(beliefs.tables, tree.cliques, strict=True):
        for column in sorted(set(clique) - set(done), key=lambda c: tree.sizes[c]):
            given = tuple(c for c in clique if c in done)
            joint = summed(table, clique, (*given, column))
            joint = np.moveaxis(joint, sorted((*given, column)).index(column), -1).reshape(-1, tree.sizes[column])
            key = np.zeros(rows, np.int64)
            for c in given:
                key = key * tree.sizes[c] + codes[:, c]
            used, key = np.unique(key, return_inverse=True)
            shares = joint[used] + 1e-300
            shares /= shares.sum(axis=1, keepdims=True)
            done.append(column)
            if rows < FEW_ROWS:
                codes[:, column] = _inverted(shares, key, random.random(rows))
                continue
            shares, rank = _smoothed(shares, np.bincount(key, minlength=used.size))
            others = [codes[:, c] for c in random.permutation([c for c in done[:-1] if c not in given])[:ALIKE]]
            keys: list[NDArray[Any]] = [random.random(rows), *others, rank.groups[key]]
            order = np.lexsort(keys)
            places = np.empty(rows)
            places[order] = (random.random() + GOLDEN * np.arange(rows)) % 1.0
            drawn = _inverted(shares, key, places)
            codes[:, column] = rank.codes[_settled(drawn, shares, key, random)]
    return random.permutation(codes, axis=0)


@dataclass(frozen=True)
class _Ranks:
    """Groups of rows by place in an order in which neighbours are alike, and the codes in the order they are inverted in."""

    groups: NDArray[np.intp]
    codes: NDArray[np.intp]


def _smoothed(shares: Table, rows: NDArray[np.intp]) -> tuple[Table, _Ranks]:
    """Groups (rows of the table) and codes (columns) in the order of their scores on a first axis (correspondence analysis).

    So the distributions of neighbouring groups are alike, and places that are even over several small groups are even in each.
    Returns the table with its columns in that order.
    """
    mean = np.average(shares, axis=0, weights=rows)
    apart = (shares - mean) / np.sqrt(mean + 1e-12)
    axis = np.linalg.eigh((apart * rows[:, None]).T @ apart)[1][:, -1]
    codes = np.argsort(axis / np.sqrt(mean + 1e-12), kind="stable")
    groups = np.argsort(np.argsort(apart @ axis, kind="stable"))
    return shares[:, codes], _Ranks(groups, codes)


def _inverted(shares: Table, group: NDArray[np.intp], places: NDArray[np.float64]) -> NDArray[np.intp]:
    """For each row, the column at its place in the distribution of its group, a row of the table."""
    size = shares.shape[1]
    edges = np.cumsum(shares, axis=1)
    edges /= edges[:, -1:]
    ladder = (edges + np.arange(len(edges))[:, None]).ravel()
    found = np.searchsorted(ladder, group + places, side="right") - group * size
    return np.asarray(np.clip(found, 0, size - 1), np.intp)


def _settled(
    drawn: NDArray[np.intp], shares: Table, group: NDArray[np.intp], random: np.random.Generator
) -> NDArray[np.intp]:
    """The drawn codes with a few of them changed, so that each comes out as often as expected, but for rounding.

    Rows of codes that came too often go over to codes that came too seldom, those rows first to which these are likelier.
    """
    drawn = drawn.copy()
    size = shares.shape[1]
    wanted = np.bincount(group, minlength=len(shares)) @ shares
    ends = np.concatenate([[0.0], np.cumsum(wanted)[:-1], [len(drawn)]])
    whole = np.diff(np.floor(ends + random.random())).astype(np.int64)
    excess = np.bincount(drawn, minlength=size) - whole
    for code in np.flatnonzero(excess < 0):
        for _ in range(TURNS):
            if excess[code] == 0:
                break
            able = np.flatnonzero(excess[drawn] > 0)
            likelier = np.log(shares[group[able], code]) - np.log(shares[group[able], drawn[able]])
            first = able[np.argsort(random.gumbel(size=able.size) + likelier)[::-1][: -excess[code]]]
            rank = np.empty(first.size, np.int64)  # among the chosen rows of its code
            order = np.argsort(drawn[first], kind="stable")
            times = np.bincount(drawn[first], minlength=size)
            rank[order] = np.arange(first.size) - np.repeat(np.cumsum(times) - times, times)
            moved = first[rank < excess[drawn[first]]]
            excess -= np.bincount(drawn[moved], minlength=size)
            excess[code] += moved.size
            drawn[moved] = code
    return drawn
