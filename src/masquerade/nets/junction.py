"""Junction trees: cliques of columns arranged so that a model of many columns is computed a clique at a time.

Lauritzen and Spiegelhalter, "Local computations with probabilities on graphical structures", JRSS B 50 (1988). A tree of
cliques has the running intersection property: what two cliques share is in every clique between them, so that messages over the
shared columns tell each clique all that it must know of the others.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

__all__ = ["Clique", "JunctionTree", "Way", "cells_needed", "cells_of"]

Clique = tuple[int, ...]
"""Columns, rising."""


def cells_of(clique: Iterable[int], sizes: Sequence[int]) -> int:
    """How many cells the table of these columns has.

    >>> cells_of((0, 2), (3, 9, 4))
    12
    """
    return math.prod(sizes[column] for column in clique)


@dataclass(frozen=True)
class Way:
    """Cliques of a tree that a column is to be added to.

    Args:
        places: of the cliques.
        cells: how many cells that adds.
    """

    places: tuple[int, ...]
    cells: int


@dataclass(frozen=True)
class JunctionTree:
    """A tree of cliques, parents before their children.

    Args:
        sizes: codes of each column.
        cliques: columns of each clique, rising; together they hold every column.
        parents: place of each clique's parent, which comes before it; -1 for the first.

    >>> tree = JunctionTree.of((2, 3, 4), [(0, 1), (1, 2)])
    >>> tree.cliques, tree.parents, tree.separators, tree.cells
    (((1, 2), (0, 1)), (-1, 0), ((), (1,)), 18)
    """

    sizes: tuple[int, ...]
    cliques: tuple[Clique, ...]
    parents: tuple[int, ...]

    @classmethod
    def of(cls, sizes: Sequence[int], wanted: Iterable[Clique]) -> JunctionTree:
        """A tree in which each wanted clique lies in one of the tree's.

        Columns are eliminated greedily, the one whose clique has the fewest cells first (Koller and Friedman 2009, section
        9.4.3); the cliques that are left are joined by a spanning tree of the largest intersections.
        """
        found = _eliminated(sizes, wanted)
        return cls._joined(tuple(sizes), _sorted(found, sizes))

    @classmethod
    def _joined(cls, sizes: tuple[int, ...], cliques: Sequence[frozenset[int]]) -> JunctionTree:
        """The cliques in a tree of the largest intersections (Prim 1957), from the first clique on."""
        order, parents = [0], [-1]
        nearest = [(len(clique & cliques[0]), 0) for clique in cliques]
        left = set(range(1, len(cliques)))
        while left:
            new = max(left, key=lambda place: (nearest[place][0], -place))
            left.remove(new)
            parents.append(order.index(nearest[new][1]))
            order.append(new)
            for place in left:
                shared = len(cliques[place] & cliques[new])
                if shared > nearest[place][0]:
                    nearest[place] = (shared, new)
        return cls(sizes, tuple(tuple(sorted(cliques[place])) for place in order), tuple(parents))

    @cached_property
    def separators(self) -> tuple[Clique, ...]:
        """What each clique shares with its parent; nothing for the first."""
        return tuple(
            () if parent < 0 else tuple(sorted(set(clique) & set(self.cliques[parent])))
            for clique, parent in zip(self.cliques, self.parents, strict=True)
        )

    @cached_property
    def cells(self) -> int:
        """Of all cliques together: what the model takes in memory and time."""
        return sum(cells_of(clique, self.sizes) for clique in self.cliques)

    def check(self) -> None:
        """Raise `ValueError` unless this is a junction tree of all columns."""
        columns = range(len(self.sizes))
        if not self.cliques or len(self.cliques) != len(self.parents) or self.parents[0] != -1:
            raise ValueError("there is no tree of cliques")
        if any(not 0 <= parent < place for place, parent in enumerate(self.parents) if place):
            raise ValueError("a clique's parent does not come before it")
        for clique in self.cliques:
            if list(clique) != sorted(set(clique)) or any(column not in columns for column in clique):
                raise ValueError("a clique's columns are not rising columns of the table")
        for column in columns:
            # Cliques with a column hang together if all but the first of them have a parent with it.
            tops = [
                place
                for place, clique in enumerate(self.cliques)
                if column in clique and (place == 0 or column not in self.cliques[self.parents[place]])
            ]
            if len(tops) != 1:
                raise ValueError("a column's cliques do not hang together")

    def ways_from(self, column: int) -> dict[int, Way]:
        """By other column, how the tree could be grown so that both share a clique: the way from the one to the other."""
        neighbours: list[list[int]] = [[] for _ in self.cliques]
        for place, parent in enumerate(self.parents[1:], 1):
            neighbours[place].append(parent)
            neighbours[parent].append(place)
        ways = {place: Way((), 0) for place, clique in enumerate(self.cliques) if column in clique}
        found = {other: ways[place] for place in ways for other in self.cliques[place]}
        open_ = list(ways)
        while open_:
            place = open_.pop()
            for next_ in neighbours[place]:
                if next_ in ways:
                    continue
                added = cells_of(self.cliques[next_], self.sizes) * (self.sizes[column] - 1)
                ways[next_] = Way((*ways[place].places, next_), ways[place].cells + added)
                for other in self.cliques[next_]:
                    if other not in found or ways[next_].cells < found[other].cells:
                        found[other] = ways[next_]
                open_.append(next_)
        return found

    def grown(self, column: int, way: Way) -> JunctionTree:
        """The tree with a column added to every clique on a way of `ways_from`."""
        cliques = {
            frozenset((*clique, column)) if place in way.places else frozenset(clique)
            for place, clique in enumerate(self.cliques)
        }
        largest = [clique for clique in cliques if not any(clique < other for other in cliques)]
        return self._joined(self.sizes, _sorted(largest, self.sizes))

    def home(self, clique: Iterable[int]) -> int:
        """The place of the smallest clique that holds these columns; -1 where none does."""
        wanted = set(clique)
        homes = [place for place, held in enumerate(self.cliques) if wanted <= set(held)]
        return min(homes, key=lambda place: cells_of(self.cliques[place], self.sizes), default=-1)


def _sorted(cliques: Iterable[frozenset[int]], sizes: Sequence[int]) -> list[frozenset[int]]:
    """The largest first."""
    return sorted(cliques, key=lambda clique: (-cells_of(clique, sizes), sorted(clique)))


def cells_needed(sizes: Sequence[int], wanted: Iterable[Clique]) -> int:
    """How many cells the cliques of `JunctionTree.of` would have together."""
    return sum(cells_of(clique, sizes) for clique in _eliminated(sizes, wanted))


def _eliminated(sizes: Sequence[int], wanted: Iterable[Clique]) -> list[frozenset[int]]:
    """The largest cliques of the graph that eliminating its columns leaves."""
    neighbours: list[set[int]] = [set() for _ in sizes]
    for clique in wanted:
        for a, b in itertools.permutations(clique, 2):
            neighbours[a].add(b)
    found: list[frozenset[int]] = []
    open_ = set(range(len(sizes)))
    cost = {column: cells_of((column, *neighbours[column]), sizes) for column in open_}
    while open_:
        column = min(open_, key=lambda c: (cost[c], c))
        around = neighbours[column]
        clique_ = frozenset((column, *around))
        if not any(clique_ <= other for other in found):
            found.append(clique_)
        open_.remove(column)
        for a in around:
            neighbours[a] |= around
            neighbours[a] -= {a, column}
        for a in around:
            cost[a] = cells_of((a, *neighbours[a]), sizes)
    return found
