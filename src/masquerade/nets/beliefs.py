"""Exact marginals of a log-linear model by messages on a junction tree, in float64.

Lauritzen and Spiegelhalter, "Local computations with probabilities on graphical structures", JRSS B 50 (1988); the divisions
are those of Jensen, Lauritzen and Olesen, "Bayesian updating in causal probabilistic networks by local computations" (1990).

Plain NumPy: a private fit meets a new tree in each of its rounds, and compiling a program for each takes many times longer
than running it; float64 because shares of 1e-8 beside shares of 1 stall in float32.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from masquerade.nets.junction import Clique, JunctionTree

__all__ = ["Beliefs", "Table", "propagate", "spread", "summed"]

Table = NDArray[np.float64]


def summed(table: Table, columns: Clique, kept: Iterable[int]) -> Table:
    """A table of some columns, summed over all but the kept ones.

    >>> summed(np.ones((2, 3)), (4, 7), (7,)).tolist()
    [2.0, 2.0, 2.0]
    """
    wanted = set(kept)
    axes = tuple(axis for axis, column in enumerate(columns) if column not in wanted)
    return np.asarray(table.sum(axis=axes), np.float64) if axes else table


def spread(table: Table, columns: Clique, over: Clique) -> Table:
    """A table of some columns, shaped so that it broadcasts over a clique that holds them."""
    sizes = iter(table.shape)
    return table.reshape([next(sizes) if column in columns else 1 for column in over])


@dataclass(frozen=True)
class Beliefs:
    """A model's marginals on the cliques of its tree.

    Args:
        tree: the cliques.
        tables: by clique, the share of each cell; each sums to 1, and they agree on what they share.
        log_total: the logarithm of the sum of all that was multiplied.
    """

    tree: JunctionTree
    tables: tuple[Table, ...]
    log_total: float

    def marginal(self, columns: Clique) -> Table:
        """The marginal of columns that lie in one clique."""
        home = self.tree.home(columns)
        return summed(self.tables[home], self.tree.cliques[home], columns)


def propagate(tree: JunctionTree, potentials: Sequence[Table]) -> Beliefs:
    """The marginals of the model whose log-shares are, but for a constant, the sum of its cliques' potentials.

    Args:
        tree: the cliques.
        potentials: float64, by clique; -inf for what is ruled out. Not everything may be.
    """
    log_total = 0.0
    tables: list[Table] = []
    for potential in potentials:
        top = float(potential.max())
        tables.append(np.exp(potential - top))
        log_total += top
    messages: list[Table] = [np.ones(())] * len(tables)
    for place in range(len(tables) - 1, 0, -1):
        parent, separator = tree.parents[place], tree.separators[place]
        message = summed(tables[place], tree.cliques[place], separator)
        top = float(message.max())
        messages[place] = message
        tables[parent] *= spread(message / top, separator, tree.cliques[parent])
        log_total += np.log(top)
    total = float(tables[0].sum())
    tables[0] /= total
    for place in range(1, len(tables)):
        parent, separator = tree.parents[place], tree.separators[place]
        share = summed(tables[parent], tree.cliques[parent], separator)
        message = messages[place]
        ratio = np.divide(share, message, out=np.zeros_like(share), where=message > 0)
        tables[place] *= spread(ratio, separator, tree.cliques[place])
    return Beliefs(tree, tuple(tables), log_total + float(np.log(total)))
