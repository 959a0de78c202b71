"""The model of maximum entropy that agrees with counted tables as far as their noise lets one say.

Of all tables of shares p, the one that minimises

    KL(p || base) + Σ over measured cells of (share of p - measured share)² / (2 r),    r = slack σ² / total

is log-linear: base times e^θ for each measured cell (McKenna, Sheldon and Miklau, "Graphical-model based estimation and
inference for differential privacy", arXiv 1901.09136; Dudík, Phillips and Schapire, "Maximum entropy density estimation with
generalized regularization", JMLR 8, 2007). `slack` says how loosely a table is followed: 0 would be exactly.

It is found by iterative proportional fitting (Deming and Stephan 1940) on a junction tree (Jiroušek and Přeučil 1995): a walk
through the tree passes what has changed from clique to clique, and in each clique one table after another is fitted exactly
given all others. A walk costs as much as a gradient does, and five do what 300 steps of L-BFGS do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import wrightomega

from masquerade.nets.beliefs import Beliefs, Table, propagate, spread, summed
from masquerade.nets.junction import Clique, JunctionTree

__all__ = ["Measured", "Model", "fit", "grouped", "ungrouped"]

Groups = tuple[NDArray[np.intp], ...]

FAR = 5.0
"""A factor's logarithm moves at most so far at a time."""

CLOSE = 1e-6
"""Walks end when no cell's share moves by more."""


@dataclass(frozen=True)
class Measured:
    """Counts of a table of some columns, whose codes may be taken together in groups.

    Args:
        columns: rising.
        groups: by column, the group of each code.
        values: counts, of shape (groups of each column).
        sigma: standard deviation of the noise in each.
    """

    columns: Clique
    groups: Groups
    values: Table
    sigma: float


@dataclass(frozen=True)
class Model:
    """A fitted log-linear model.

    Args:
        tree: of cliques.
        factors: θ of each measurement, of its shape.
        potentials: by clique, the sum of base and factors over it.
        beliefs: the model's marginals.
    """

    tree: JunctionTree
    factors: tuple[Table, ...]
    potentials: tuple[Table, ...]
    beliefs: Beliefs


def grouped(table: Table, groups: Groups) -> Table:
    """A table with the cells of each group added up.

    >>> grouped(np.array([1.0, 2.0, 4.0]), (np.array([0, 1, 0]),)).tolist()
    [5.0, 2.0]
    """
    for axis, group in enumerate(groups):
        count = int(group.max()) + 1
        if count == group.size and (group == np.arange(count)).all():
            continue
        inside = np.zeros((count, group.size))
        inside[group, np.arange(group.size)] = 1.0
        table = np.moveaxis(np.tensordot(inside, table, axes=(1, axis)), 0, axis)
    return table


def ungrouped(table: Table, groups: Groups) -> Table:
    """A table of groups as one of codes, each with its group's value."""
    return table[np.ix_(*groups)]


def fit(
    tree: JunctionTree,
    base: Sequence[Table],
    measured: Sequence[Measured],
    total: float,
    *,
    start: Sequence[Table] = (),
    slack: float = 0.003,
    walks: int = 20,
) -> Model:
    """Fit the model.

    Args:
        tree: in which each measurement's columns lie in one clique.
        base: by column, shares that the model has where nothing else was measured; above 0.
        measured: counts, each table of this total.
        total: number of rows.
        start: θ of the first measurements, to begin with.
        slack: how loosely the counts are followed.
        walks: at most so many through the tree.
    """
    homes = [tree.home(m.columns) for m in measured]
    factors = [*(np.array(table) for table in start), *(np.zeros(m.values.shape) for m in measured[len(start) :])]
    ridges = [slack * m.sigma**2 / total for m in measured]
    beliefs = propagate(tree, _potentials(tree, base, measured, homes, factors))
    tables = list(beliefs.tables)
    shared = [summed(*pair) for pair in zip(tables, tree.cliques, tree.separators, strict=True)]
    path = _path(tree)
    for _ in range(walks):
        moved, seen = 0.0, set[int]()
        for came, place in path:
            if came >= 0:
                child = max(came, place)  # a parent comes before its children
                _pass(tree, tables, shared, came, place, child)
            if place in seen:
                continue
            seen.add(place)
            clique = tree.cliques[place]
            for i, m in enumerate(measured):
                if homes[i] != place:
                    continue
                share = grouped(summed(tables[place], clique, m.columns), m.groups)
                step = _step(share, m.values / total, factors[i], ridges[i])
                factors[i] = factors[i] + step
                tables[place] *= spread(ungrouped(np.exp(step), m.groups), m.columns, clique)
                tables[place] /= tables[place].sum()
                moved = max(moved, float(np.abs(share * np.expm1(step)).max()))
        if moved < CLOSE:
            break
    potentials = _potentials(tree, base, measured, homes, factors)
    return Model(tree, tuple(factors), tuple(potentials), propagate(tree, potentials))


def _potentials(
    tree: JunctionTree,
    base: Sequence[Table],
    measured: Sequence[Measured],
    homes: Sequence[int],
    factors: Sequence[Table],
) -> list[Table]:
    """By clique, the sum of the logarithms of its columns' bases and of the factors that are at home in it."""
    found = [np.zeros([tree.sizes[column] for column in clique]) for clique in tree.cliques]
    for column, shares in enumerate(base):
        home = tree.home((column,))
        found[home] += spread(np.log(shares), (column,), tree.cliques[home])
    for m, home, factor in zip(measured, homes, factors, strict=True):
        found[home] += spread(ungrouped(factor, m.groups), m.columns, tree.cliques[home])
    return found


def _path(tree: JunctionTree) -> list[tuple[int, int]]:
    """From where to where a walk goes: from each clique down to its children and back up; first (-1, 0)."""
    children: list[list[int]] = [[] for _ in tree.cliques]
    for place, parent in enumerate(tree.parents[1:], 1):
        children[parent].append(place)
    found, open_ = [(-1, 0)], [(0, iter(children[0]))]
    while open_:
        place, left = open_[-1]
        child = next(left, None)
        if child is not None:
            found.append((place, child))
            open_.append((child, iter(children[child])))
            continue
        open_.pop()
        if open_:
            found.append((place, open_[-1][0]))
    return found


def _pass(tree: JunctionTree, tables: list[Table], shared: list[Table], source: int, target: int, child: int) -> None:
    """Bring one clique up to what its neighbour knows of the columns they share."""
    separator = tree.separators[child]
    told = summed(tables[source], tree.cliques[source], separator)
    ratio = np.divide(told, shared[child], out=np.zeros_like(told), where=shared[child] > 0)
    tables[target] = tables[target] * spread(ratio, separator, tree.cliques[target])
    shared[child] = told


def _step(share: Table, wanted: Table, factor: Table, ridge: float) -> Table:
    """The step d of each cell's θ after which share e^d + ridge (θ + d) = wanted, by the Wright omega function."""
    bound = (wanted - ridge * factor) / ridge
    with np.errstate(divide="ignore"):
        step = bound - wrightomega(np.log(share / ridge) + bound)
    return np.asarray(np.clip(step, -FAR, FAR), np.float64)
