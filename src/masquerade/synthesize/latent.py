"""Columns as cut normal numbers. NumPy and SciPy only.

Each code of a column is an interval of a standard normal number, as wide as the code is frequent. A score is the mean of that
number over the interval, or the number itself where the code has a scalar. Whether a number is missing has no place in the
order of its values and is a yes-or-no column of its own.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from masquerade import seeds
from masquerade.codec.arrays import Encoded, Layout

__all__ = ["Boxes", "Gaps", "code_orders"]

Floats = NDArray[np.float64]

TERMS = 16
"""Of the Hermite series of a column's scores."""

ORDER_ROWS = 10_000
ORDER_ROUNDS = 20
INNER_SPREAD = 0.25
"""Standard deviation of the scalars of a mixture component."""


def code_orders(
    encoded: Encoded, layout: Layout, by_value: Sequence[NDArray[np.int64] | None], seed: int
) -> list[NDArray[np.int64]]:
    """The order of each column's codes along its latent number.

    Numbers keep the order of their values. Levels are ordered by homogeneity analysis (Gifi 1990, "Nonlinear Multivariate
    Analysis"): each row gets a score, each level the mean score of its rows, and those that agree best over all columns are
    found by turns.

    Args:
        encoded: training rows.
        layout: their shape.
        by_value: for each column its codes in the order of their values; None where they have none.
        seed: of the rows looked at and of the first scores.
    """
    if all(order is not None for order in by_value):
        return [order for order in by_value if order is not None]
    random = seeds.stream(seed, "homogeneity")
    codes = np.asfortranarray(encoded.codes[random.permutation(len(encoded))[:ORDER_ROWS]])
    counts = [np.maximum(np.bincount(codes[:, i], minlength=size), 1) for i, size in enumerate(layout.sizes)]
    rows = random.standard_normal(len(codes))

    def levels(i: int) -> Floats:
        mean: Floats = np.bincount(codes[:, i], weights=rows, minlength=layout.sizes[i]) / counts[i]
        return mean

    for _ in range(ORDER_ROUNDS):
        total = np.zeros(len(codes))
        for i in range(len(layout.sizes)):
            total += levels(i)[codes[:, i]]
        total -= total.mean()
        rows = total / max(float(total.std()), 1e-12)
    return [np.argsort(levels(i), kind="stable") if order is None else order for i, order in enumerate(by_value)]


class Gaps:
    """Columns of numbers whose missing values become a column of their own, after all others.

    Args:
        layout: shape of the encoded table.
        missing: for each column the code that means missing, -1 where there is none or it stays where it is.
    """

    def __init__(self, layout: Layout, missing: Sequence[int]):
        self._columns = np.flatnonzero(np.asarray(missing) >= 0)
        self._missing = np.asarray(missing, np.int32)[self._columns]
        frequencies = list(layout.frequencies)
        shares = []
        for column, code in zip(self._columns, self._missing, strict=True):
            share = float(frequencies[column][code])
            rest = np.where(np.arange(layout.sizes[column]) == code, 0.0, frequencies[column])
            frequencies[column] = rest / max(rest.sum(), 1e-300)
            shares.append(np.array([1 - share, share]))
        count = len(self._columns)
        self.layout = Layout(
            layout.names + tuple(f"{layout.names[column]} missing" for column in self._columns),
            layout.sizes + (2,) * count,
            layout.has_scalar + ((False, False),) * count,
            layout.discrete + (False,) * count,
            (*frequencies, *shares),
        )

    def split(self, encoded: Encoded) -> tuple[Encoded, NDArray[np.bool_]]:
        """Encoded rows with the columns of missing values, and where there is a value at all; shape (rows, all columns)."""
        gaps = encoded.codes[:, self._columns] == self._missing
        there = np.ones((len(encoded), len(self.layout.sizes)), bool)
        there[:, self._columns] = ~gaps
        scalars = np.concatenate([encoded.scalars, np.zeros(gaps.shape, np.float32)], axis=1)
        return Encoded(np.concatenate([encoded.codes, gaps.astype(np.int32)], axis=1), scalars), there

    def join(self, encoded: Encoded) -> Encoded:
        """The reverse of `split`."""
        width = len(self.layout.sizes) - len(self._columns)
        codes, scalars, gaps = encoded.codes[:, :width], encoded.scalars[:, :width], encoded.codes[:, width:] == 1
        codes[:, self._columns] = np.where(gaps, self._missing, codes[:, self._columns])
        scalars[:, self._columns] = np.where(gaps, np.float32(0), scalars[:, self._columns])
        return Encoded(codes, scalars)


class Boxes:
    """The intervals of all columns.

    Args:
        layout: shape of the encoded table.
        orders: each column's codes in the order of their intervals.
    """

    def __init__(self, layout: Layout, orders: Sequence[NDArray[np.int64]]):
        self.layout, self.orders = layout, list(orders)
        self._ends = []
        self._flags = [np.asarray(flags, bool) for flags in layout.has_scalar]
        for order, shares in zip(orders, layout.frequencies, strict=True):
            ends = np.cumsum(np.asarray(shares, np.float64)[order])
            ends /= ends[-1]
            ends[ends > 1 - 1e-12] = 1.0
            self._ends.append(np.r_[0.0, ends])

    def _interval(self, column: int) -> tuple[Floats, Floats]:
        """Where each code's interval begins, as a share of all rows, and how wide it is."""
        ends, order = self._ends[column], self.orders[column]
        begin, width = np.empty(len(order)), np.empty(len(order))
        begin[order], width[order] = ends[:-1], np.diff(ends)
        return begin, width

    def latent(self, column: int, codes: NDArray[np.int32], shares: Floats) -> Floats:
        """The latent numbers at a share of the way through their codes' intervals."""
        begin, width = self._interval(column)
        return _normal(begin[codes] + shares * width[codes])

    def scores(self, column: int, codes: NDArray[np.int32], shares: Floats) -> Floats:
        """The mean of the latent number over each code's interval, or itself where the code has a scalar."""
        scores = self._means(column)[codes]
        inner = self._flags[column][codes]
        scores[inner] = self.latent(column, codes[inner], shares[inner])
        return scores

    def _means(self, column: int) -> Floats:
        begin, width = self._interval(column)
        low, high = ndtri(begin), ndtri(np.minimum(begin + width, 1.0))
        means: Floats = (_density(low) - _density(high)) / np.maximum(width, 1e-300)
        clipped: Floats = np.clip(means, -8.0, 8.0)
        return clipped

    def series(self, column: int) -> Floats:
        """The Hermite coefficients (terms 1 to `TERMS`, orthonormal) of the score as a function of the latent number."""
        shares, grid, terms = _grid()
        place = np.minimum(np.searchsorted(self._ends[column], shares, side="right") - 1, len(self.orders[column]) - 1)
        codes = self.orders[column][place]
        scores = np.where(self._flags[column][codes], grid, self._means(column)[codes])
        coefficients: Floats = terms @ scores / len(grid)
        return coefficients

    def codes(self, latent: Floats) -> tuple[NDArray[np.int32], Floats]:
        """The codes of latent numbers (rows, columns), and how far through its code's interval each lies."""
        place = ndtr(latent)
        codes, shares = np.empty(latent.shape, np.int32), np.zeros(latent.shape)
        for column, (ends, order) in enumerate(zip(self._ends, self.orders, strict=True)):
            which = np.clip(np.searchsorted(ends, place[:, column], side="right") - 1, 0, len(order) - 1)
            codes[:, column] = order[which]
            if self._flags[column].any():
                width = np.maximum(ends[which + 1] - ends[which], 1e-300)
                shares[:, column] = np.clip((place[:, column] - ends[which]) / width, 0, 1)
        return codes, shares

    def shares_in_codes(self, encoded: Encoded) -> Floats:
        """How far through its code's interval each training scalar lies: its rank among its code's; ½ without a scalar."""
        shares = np.full(encoded.codes.shape, 0.5)
        for column in np.flatnonzero(self.layout.continuous):
            codes = encoded.codes[:, column]
            by_code = np.lexsort((encoded.scalars[:, column], codes))
            counts = np.bincount(codes, minlength=self.layout.sizes[column])
            first = np.cumsum(counts) - counts
            ordered = codes[by_code]
            ranks = (np.arange(len(codes)) - first[ordered] + 0.5) / counts[ordered]
            shares[by_code, column] = np.where(self._flags[column][ordered], ranks, 0.5)
        return shares

    def scalars_of(self, codes: NDArray[np.int32], shares: Floats) -> NDArray[np.float32]:
        """Scalars spread as in a mixture component, before each code's own distribution is restored; 0 without one."""
        scalars = np.zeros(codes.shape, np.float32)
        for column in np.flatnonzero(self.layout.continuous):
            inner = self._flags[column][codes[:, column]]
            scalars[inner, column] = np.clip(INNER_SPREAD * _normal(shares[inner, column]), -1, 1)
        return scalars


def _normal(shares: Floats) -> Floats:
    """Normal quantiles, never infinite."""
    quantiles: Floats = ndtri(np.clip(shares, 1e-12, 1 - 1e-12))
    return quantiles


def _density(x: Floats) -> Floats:
    density: Floats = np.exp(-0.5 * np.square(x)) / np.sqrt(2 * np.pi)
    return density


@functools.cache
def _grid() -> tuple[Floats, Floats, Floats]:
    """Evenly spread shares, their normal quantiles, and there the orthonormal Hermite polynomials of degrees 1 to `TERMS`."""
    shares = (np.arange(4_000) + 0.5) / 4_000
    grid = ndtri(shares)
    terms = [np.ones_like(grid), grid]
    for k in range(1, TERMS):
        terms.append((grid * terms[-1] - np.sqrt(k) * terms[-2]) / np.sqrt(k + 1))
    return shares, grid, np.stack(terms[1:])
