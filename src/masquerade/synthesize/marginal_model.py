"""What a private fit leaves: a graphical model of coarse columns, conditioned and drawn from exactly."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from masquerade.nets.beliefs import Beliefs, Table, propagate
from masquerade.nets.junction import Clique, JunctionTree
from masquerade.nets.tree_draw import draw_rows

__all__ = ["MarginalModel"]

Codes = NDArray[np.int32]


@dataclass(frozen=True)
class MarginalModel:
    """A log-linear model on a junction tree, and how its columns' codes split into those of the layout.

    Args:
        tree: of the model's columns.
        potentials: by clique, the logarithm of its factor.
        groups: by column, the model's code of each code of the layout.
        weights: by column, how codes of one group share it; above 0.
    """

    tree: JunctionTree
    potentials: tuple[Table, ...]
    groups: tuple[NDArray[np.intp], ...]
    weights: tuple[NDArray[np.float64], ...]

    @classmethod
    def checked(
        cls,
        sizes: Sequence[int],
        cliques: tuple[Clique, ...],
        parents: tuple[int, ...],
        potentials: tuple[Table, ...],
        groups: tuple[NDArray[np.intp], ...],
        weights: tuple[NDArray[np.float64], ...],
    ) -> Self:
        """A model from what a file holds.

        Args:
            sizes: codes of each column of the layout.
            cliques, parents: of the junction tree.
            potentials, groups, weights: as of the class.

        Raises:
            ValueError: these do not make a model of such columns.
        """
        for size, group, mass in zip(sizes, groups, weights, strict=True):
            if (
                group.shape != (size,)
                or mass.shape != (size,)
                or not 0 <= group.min(initial=size) <= group.max(initial=0) < size
                or set(group.tolist()) != set(range(int(group.max()) + 1))
            ):
                raise ValueError("a column's codes are not those of the layout")
            if not np.isfinite(mass).all() or (mass <= 0).any():
                raise ValueError("a code's weight is not above 0")
        tree = JunctionTree(tuple(int(group.max()) + 1 for group in groups), cliques, parents)
        tree.check()
        for clique, table in zip(cliques, potentials, strict=True):
            if table.shape != tuple(tree.sizes[column] for column in clique) or not np.isfinite(table).all():
                raise ValueError("a table is not of its columns' shape, or not finite")
        return cls(tree, potentials, groups, weights)

    @cached_property
    def _free(self) -> Beliefs:
        return propagate(self.tree, self.potentials)

    def draw(
        self, rows: int, random: np.random.Generator, given: Codes | None = None, temperature: float = 1.0
    ) -> Codes:
        """Codes of the layout for new rows, int32 of shape (rows, columns).

        Args:
            rows: how many.
            random: of every draw.
            given: codes that are known, -1 elsewhere, shape (rows, columns); None: nothing is.
            temperature: below 1 the likely is drawn more often; the model's logarithms are divided by it.
        """
        columns = len(self.groups)
        coarse = np.empty((rows, columns), np.int32)
        if given is None:
            coarse = draw_rows(self._given((), temperature), rows, random)
        else:
            for pattern, where in self._patterns(given):
                coarse[where] = draw_rows(self._given(pattern, temperature), len(where), random)
                for column, code in pattern:
                    coarse[where, column] = code
        codes = np.empty((rows, columns), np.int32)
        for column, (group, weights) in enumerate(zip(self.groups, self.weights, strict=True)):
            codes[:, column] = _split(coarse[:, column], group, weights ** (1 / temperature), random)
        return codes if given is None else np.where(given >= 0, given, codes)

    def distribution(self, given: Codes, column: int) -> NDArray[np.float32]:
        """The probability of each code of a column given other cells, float32 of shape (rows, size).

        Args:
            given: codes that are known, -1 elsewhere; what stands in the column itself is not read.
            column: which column.
        """
        given = given.copy()
        given[:, column] = -1
        group, weights = self.groups[column], self.weights[column]
        inside = weights / np.bincount(group, weights=weights)[group]
        found = np.empty((len(given), group.size), np.float32)
        for pattern, where in self._patterns(given):
            found[where] = self._given(pattern, 1.0).marginal((column,))[group] * inside
        return found

    def _patterns(self, given: Codes) -> Iterator[tuple[tuple[tuple[int, int], ...], NDArray[np.intp]]]:
        """What is known (column and the model's code), and the rows of which it is, for every pattern that there is."""
        coarse = np.full(given.shape, -1, np.int64)
        for column, group in enumerate(self.groups):
            known = given[:, column] >= 0
            coarse[known, column] = group[given[known, column]]
        patterns, which = np.unique(coarse, axis=0, return_inverse=True)
        order = np.argsort(which.ravel(), kind="stable")
        ends = np.cumsum(np.bincount(which.ravel(), minlength=len(patterns)))
        for pattern, where in zip(patterns, np.split(order, ends[:-1]), strict=True):
            yield tuple((int(c), int(pattern[c])) for c in np.flatnonzero(pattern >= 0)), where

    def _given(self, known: Sequence[tuple[int, int]], temperature: float) -> Beliefs:
        """The beliefs once columns are known: each of these has one code left, in place of its own."""
        if not known and temperature == 1:
            return self._free
        left = dict(known)
        potentials = []
        for clique, table in zip(self.tree.cliques, self.potentials, strict=True):
            at = tuple(slice(left[c], left[c] + 1) if c in left else slice(None) for c in clique)
            potentials.append(table[at] / temperature)
        sizes = tuple(1 if c in left else size for c, size in enumerate(self.tree.sizes))
        return propagate(JunctionTree(sizes, self.tree.cliques, self.tree.parents), potentials)


def _split(
    coarse: Codes, group: NDArray[np.intp], weights: NDArray[np.float64], random: np.random.Generator
) -> NDArray[np.int64]:
    """The layout's code of each of the model's: one of its group, by weight and nearly in proportion."""
    order = np.argsort(group, kind="stable")
    mass = weights[order]
    ends = np.cumsum(mass)
    of_group = np.bincount(group, weights=weights)
    starts = np.concatenate([[0.0], np.cumsum(of_group)[:-1]])
    rank = np.empty(coarse.size)
    shuffled = random.permutation(coarse.size)
    by_group = shuffled[np.argsort(coarse[shuffled], kind="stable")]
    count = np.bincount(coarse, minlength=of_group.size)
    rank[by_group] = np.arange(coarse.size) - np.repeat(np.cumsum(count) - count, count)
    place = (rank + random.random(of_group.size)[coarse]) / np.maximum(count, 1)[coarse]
    first = np.concatenate([[0], np.cumsum(np.bincount(group, minlength=of_group.size))[:-1]])
    last = np.cumsum(np.bincount(group, minlength=of_group.size)) - 1
    at = np.searchsorted(ends, starts[coarse] + place * of_group[coarse], side="right")
    return order[np.clip(at, first[coarse], last[coarse])]
