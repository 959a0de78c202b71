"""Numbers into bins whose edges come from the real data, and are shared by every table that is set beside it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Bins", "equal_width", "quantiles"]


@dataclass(frozen=True)
class Bins:
    """A rule that gives every number a code.

    Code 0 is a missing value; then one code for each heavy value; then the bins between the edges, the outer two open.

    Args:
        edges: inner edges, rising, shape (bins − 1,); a number equal to an edge lies above it.
        heavy: values that have a code of their own, rising.
    """

    edges: NDArray[np.float64]
    heavy: NDArray[np.float64]

    @property
    def size(self) -> int:
        """How many codes there are, the one for missing values included."""
        return len(self.edges) + len(self.heavy) + 2

    def codes(self, values: NDArray[np.float64]) -> NDArray[np.int64]:
        """The code of each number (NaN is missing), shape (rows,).

        >>> Bins(np.array([2.0]), np.array([0.0])).codes(np.array([np.nan, 0.0, 1.0, 2.0, 99.0])).tolist()
        [0, 1, 2, 3, 3]
        """
        codes = np.searchsorted(self.edges, values, side="right") + 1 + len(self.heavy)
        if len(self.heavy):
            place = np.minimum(np.searchsorted(self.heavy, values), len(self.heavy) - 1)
            codes = np.where(self.heavy[place] == values, place + 1, codes)
        return np.where(np.isnan(values), 0, codes)


def equal_width(real: NDArray[np.float64], bins: int = 10) -> Bins:
    """Bins of equal width over the real range, the outer two opened to ±∞; one bin where the range has no width.

    >>> equal_width(np.array([0.0, 10.0]), bins=5).edges.tolist()
    [2.0, 4.0, 6.0, 8.0]
    """
    values = real[~np.isnan(real)]
    none = np.empty(0)
    if not len(values) or not values.max() > values.min():
        return Bins(none, none)
    return Bins(np.unique(np.linspace(values.min(), values.max(), bins + 1)[1:-1]), none)


def quantiles(real: NDArray[np.float64], bins: int = 10, heavy_share: float = 0.05) -> Bins:
    """Bins that hold equally many real values, with every value that more than `heavy_share` of them share kept apart.

    >>> found = quantiles(np.array([0.0] * 50 + list(range(1, 51))), bins=5)
    >>> found.heavy.tolist(), found.edges.tolist()
    ([0.0], [11.0, 21.0, 31.0, 41.0])
    """
    values = np.sort(real[~np.isnan(real)])
    if not len(values):
        return Bins(np.empty(0), np.empty(0))
    distinct, counts = np.unique(values, return_counts=True)
    heavy = distinct[counts > heavy_share * len(values)]
    rest = values[~np.isin(values, heavy)]
    if not len(rest):
        return Bins(np.empty(0), heavy)
    places = (np.arange(1, bins) * len(rest)) // bins
    edges = np.unique(rest[places])
    return Bins(edges[edges > rest[0]], heavy)
