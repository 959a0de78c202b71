"""The likeliest log-linear model of noised counts: maximum entropy within the noise.

Of all tables of shares p, the one that minimises

    KL(p || base) + Σ over measurements of (shares of p - noised shares)² / (2 r),    r = slack σ² / total

is log-linear: base times one factor for each measured cell (McKenna, Sheldon and Miklau, "Graphical-model based estimation and
inference for differential privacy", arXiv 1901.09136). Its logarithms θ maximise the dual Σ θ y - log Z(θ) - r θ² / 2 (Dudík,
Phillips and Schapire, "Maximum entropy density estimation with generalized regularization", JMLR 8, 2007), which is smooth,
concave, and has the marginals themselves as its gradient: L-BFGS finds it in some dozen passes over the junction tree. `slack`
says how far the noise may be followed: 0 would be least squares, which follows all of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from masquerade.nets.beliefs import Beliefs, Table, propagate, spread, summed
from masquerade.nets.junction import Clique, JunctionTree

__all__ = ["Measured", "Model", "fit", "grouped", "ungrouped"]

Groups = tuple[NDArray[np.intp], ...]


@dataclass(frozen=True)
class Measured:
    """Noised counts of a table of some columns, whose codes may be taken together in groups.

    Args:
        columns: rising.
        groups: by column, the group of each code.
        values: noised counts, of shape (groups of each column).
        sigma: standard deviation of the noise.
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
    return table[np.ix_(*groups)] if groups else table


def fit(
    tree: JunctionTree,
    base: Sequence[Table],
    measured: Sequence[Measured],
    total: float,
    *,
    start: Sequence[Table] = (),
    slack: float = 0.01,
    passes: int = 100,
) -> Model:
    """Fit the model.

    Args:
        tree: in which each measurement's columns lie in one clique.
        base: by column, shares that the model has where nothing else was measured; above 0.
        measured: what is known.
        total: number of rows, about.
        start: θ of the first measurements, to begin with.
        slack: how far below the noise's own weight it is followed.
        passes: at most so many over the tree.
    """
    homes = [tree.home(m.columns) for m in measured]
    below = [np.zeros([tree.sizes[c] for c in clique]) for clique in tree.cliques]
    for column, shares in enumerate(base):
        home = tree.home((column,))
        below[home] = below[home] + spread(np.log(shares), (column,), tree.cliques[home])
    shapes = [m.values.shape for m in measured]
    ends = np.cumsum([0, *(m.values.size for m in measured)])
    wanted = np.concatenate([m.values.ravel() / total for m in measured])
    ridge = np.repeat([slack * m.sigma**2 / total for m in measured], np.diff(ends))

    def factors_of(theta: NDArray[np.float64]) -> list[Table]:
        return [theta[a:b].reshape(s) for a, b, s in zip(ends, ends[1:], shapes, strict=False)]

    def potentials_of(theta: NDArray[np.float64]) -> list[Table]:
        tables = [table.copy() for table in below]
        for m, home, factor in zip(measured, homes, factors_of(theta), strict=True):
            tables[home] += spread(ungrouped(factor, m.groups), m.columns, tree.cliques[home])
        return tables

    def objective(theta: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        beliefs = propagate(tree, potentials_of(theta))
        found = np.concatenate(
            [
                grouped(summed(beliefs.tables[home], tree.cliques[home], m.columns), m.groups).ravel()
                for m, home in zip(measured, homes, strict=True)
            ]
        )
        value = beliefs.log_total - theta @ wanted + 0.5 * ridge @ theta**2
        return value, found - wanted + ridge * theta

    theta = np.zeros(ends[-1])
    for factor, a, b in zip(start, ends, ends[1:], strict=False):
        theta[a:b] = factor.ravel()
    done = minimize(
        objective, theta, jac=True, method="L-BFGS-B",
        options={"maxfun": passes, "maxiter": passes, "maxcor": 20, "ftol": 0.0, "gtol": 1e-7},
    )  # fmt: skip
    potentials = potentials_of(done.x)
    return Model(tree, tuple(factors_of(done.x)), tuple(potentials), propagate(tree, potentials))
