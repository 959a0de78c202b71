"""Rows of a graphical model, with less chance in them than independent draws have.

Column by column, down the junction tree: each code is drawn given the columns that it shares a clique with and that are drawn
already, by inverting its distribution at a place in [0, 1). Places of rows that agree in what is given are spread evenly
(multiples of the golden ratio, turned by a random angle: Niederreiter 1992, chapter 3), so that all tables of a clique come
out nearly as the model has them, while each row by itself is an exact draw. Within such rows, those that agree in a few other
columns stand together too, which makes tables across cliques steadier.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from masquerade.nets.beliefs import Beliefs, Table, summed

__all__ = ["draw_rows"]

GOLDEN = (5**0.5 - 1) / 2

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
    done: list[int] = []
    for table, clique in zip(beliefs.tables, tree.cliques, strict=True):
        for column in sorted(set(clique) - set(done), key=lambda c: tree.sizes[c]):
            given = tuple(c for c in clique if c in done)
            joint = summed(table, clique, (*given, column))
            joint = np.moveaxis(joint, sorted((*given, column)).index(column), -1).reshape(-1, tree.sizes[column])
            key = np.zeros(rows, np.int64)
            for c in given:
                key = key * tree.sizes[c] + codes[:, c]
            others = [codes[:, c] for c in random.permutation([c for c in done if c not in given])[:ALIKE]]
            order = np.lexsort((random.random(rows), *others, key))
            places = np.empty(rows)
            places[order] = (random.random() + GOLDEN * np.arange(rows)) % 1.0
            codes[:, column] = _inverted(joint, key, places)
            done.append(column)
    return random.permutation(codes, axis=0)


def _inverted(joint: Table, key: NDArray[np.int64], places: NDArray[np.float64]) -> NDArray[np.int64]:
    """For each row, the code at its place in the distribution that belongs to its key; `joint` has a row for each key."""
    used, key = np.unique(key, return_inverse=True)
    joint = joint[used] + 1e-300
    size = joint.shape[1]
    edges = np.cumsum(joint, axis=1)
    edges /= edges[:, -1:]
    ladder = (edges + np.arange(len(used))[:, None]).ravel()
    return np.clip(np.searchsorted(ladder, key + places, side="right") - key * size, 0, size - 1)
