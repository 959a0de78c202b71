"""The model's tables of any two columns, also of those that share no clique."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from masquerade.nets.beliefs import Beliefs, Table, summed
from masquerade.nets.junction import Clique

__all__ = ["pair_marginals"]


def pair_marginals(beliefs: Beliefs) -> Iterator[tuple[tuple[int, int], Table]]:
    """Every pair of columns (a, b), a < b, with the shares of its cells, shape (size of a, size of b).

    From each column its joint table with a separator is carried outward through the tree: given what two cliques share, the one
    side tells nothing more of the other, so each step is one product of matrices.
    """
    tree = beliefs.tree
    children: list[list[int]] = [[] for _ in tree.cliques]
    for place, parent in enumerate(tree.parents[1:], 1):
        children[parent].append(place)
    conditionals: dict[tuple[int, Clique, Clique], Table] = {}

    def carried(joint: Table, place: int, given: Clique, wanted: Clique) -> Table:
        """From P(column, given) to P(column, wanted), both in one clique; shapes (size of column, *sizes of the others)."""
        kept = tuple(c for c in wanted if c in given)
        lost, new = tuple(c for c in given if c not in kept), tuple(c for c in wanted if c not in kept)
        blocks = [math.prod(tree.sizes[c] for c in part) for part in (kept, lost, new)]
        key = (place, given, wanted)
        if key not in conditionals:
            union = tuple(sorted({*given, *new}))
            whole = summed(beliefs.tables[place], tree.cliques[place], union)
            whole = whole.transpose([union.index(c) for c in (*kept, *lost, *new)]).reshape(blocks)
            below = whole.sum(axis=2, keepdims=True)
            conditionals[key] = np.divide(whole, below, out=np.zeros_like(whole), where=below > 0)
        size = joint.shape[0]
        front = joint.transpose([0, *(1 + given.index(c) for c in (*kept, *lost))]).reshape(size, *blocks[:2])
        told = np.matmul(front.transpose(1, 0, 2), conditionals[key]).transpose(1, 0, 2)
        shape = [tree.sizes[c] for c in (*kept, *new)]
        order = [0, *(1 + (*kept, *new).index(c) for c in wanted)]
        return np.asarray(told.reshape(size, *shape).transpose(order), np.float64)

    for column in range(len(tree.sizes)):
        home = tree.home((column,))
        clique, table, seen = tree.cliques[home], beliefs.tables[home], {column}
        for other in clique:
            if other > column:
                yield (column, other), summed(table, clique, (column, other))
            seen.add(other)
        open_ = [(next_, home, _beside(table, clique, column, tree.separators[next_])) for next_ in children[home]]
        if home:
            open_.append((tree.parents[home], home, _beside(table, clique, column, tree.separators[home])))
        while open_:
            place, came, joint = open_.pop()
            upward = tree.parents[came] == place
            given = tree.separators[came if upward else place]
            for other in tree.cliques[place]:
                if other > column and other not in seen:
                    yield (column, other), carried(joint, place, given, (other,))
                seen.add(other)
            for next_ in children[place]:
                if next_ != came:
                    open_.append((next_, place, carried(joint, place, given, tree.separators[next_])))
            if upward and place:
                open_.append((tree.parents[place], place, carried(joint, place, given, tree.separators[place])))


def _beside(table: Table, clique: Clique, column: int, others: Clique) -> Table:
    """The joint table of a column, first, and others of its clique; where it is one of them, it stands on a diagonal."""
    if column not in others:
        union = tuple(sorted((column, *others)))
        return summed(table, clique, union).transpose([union.index(c) for c in (column, *others)])
    alone = summed(table, clique, others)
    place = others.index(column)
    whole = np.zeros((alone.shape[place], *alone.shape))
    codes = np.arange(alone.shape[place])
    np.moveaxis(whole, place + 1, 1)[codes, codes] = np.moveaxis(alone, place, 0)
    return whole
