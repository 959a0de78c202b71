"""Columns one, two and three at a time on coarse bins: univariate, bivariate and trivariate accuracy."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from masquerade.judge.figures import Figure
from masquerade.judge.pairs import PAIR_LIMIT
from masquerade.judge.tables import Side, Tables
from masquerade.metrics.bins import quantiles
from masquerade.metrics.codes import all_or_some, subset_accuracies

__all__ = ["accuracy_figures"]

_TRIPLE_LIMIT = 10_000
_TRIPLE_ROWS = 150_000_000  # rows × triples that are counted at most: some ten seconds
_TOP_LEVELS = 10


def accuracy_figures(tables: Tables, real: Side, other: Side, seed: int) -> dict[str, Figure]:
    """`univariate_accuracy`, `bivariate_accuracy`, `trivariate_accuracy` of `other` beside `real`.

    Numbers lie in ten quantile bins of the real column, values that more than 5 % of its rows share in bins of their
    own; levels are the ten most frequent real ones, and one for all others; missing values have a bin. Triples are at
    most 10,000 random ones, fewer where there are many rows.
    """
    rules = [quantiles(real.numbers[:, j]) for j in range(len(tables.numeric))]
    sizes = [rule.size for rule in rules] + [min(size, _TOP_LEVELS + 2) for size in tables.sizes]

    def code(side: Side) -> NDArray[np.int64]:
        codes = np.empty((len(side), len(sizes)), dtype=np.int64, order="F")
        for j, rule in enumerate(rules):
            codes[:, j] = rule.codes(side.numbers[:, j])
        codes[:, len(rules) :] = np.minimum(side.codes, _TOP_LEVELS + 1)
        return codes

    first, second = code(real), code(other)
    triples = max(100, min(_TRIPLE_LIMIT, _TRIPLE_ROWS // (len(real) + len(other))))
    limits = {"univariate_accuracy": len(sizes), "bivariate_accuracy": PAIR_LIMIT, "trivariate_accuracy": triples}
    figures: dict[str, Figure] = {}
    for width, (name, limit) in enumerate(limits.items(), start=1):
        if len(sizes) < width:
            continue
        subsets = all_or_some(len(sizes), width, limit, seed)
        influences = np.zeros(len(real)), np.zeros(len(other))
        value = float(subset_accuracies(first, second, sizes, subsets, influences).mean())
        figures[name] = Figure(value, (influences[0] / len(subsets), influences[1] / len(subsets)))
    return {name: figure for name, figure in figures.items() if math.isfinite(figure.value)}
