"""The latent correlation of cut normal numbers. NumPy and SciPy only.

Cutting weakens correlation; by how much follows from the scores' Hermite series (Lancaster 1957, "Some properties of the
bivariate normal distribution considered in the form of a contingency table"), so the latent correlation can be found from that
of the scores: for two cut columns this is a polychoric correlation by moments.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from masquerade.codec.arrays import Encoded
from masquerade.synthesize.latent import TERMS, Boxes

__all__ = ["Factors", "fit_factors"]

Floats = NDArray[np.float64]

DENSE_COLUMNS = 1_000
"""Above so many columns the correlation is low-rank plus noise."""

MOST_FACTORS = 200
LARGEST = 0.995
"""Largest latent correlation looked for."""


@dataclass(frozen=True)
class Factors:
    """A correlation matrix as common factors and noise: `loadings @ loadings.T + diag(noise)`, with ones on its diagonal.

    Args:
        loadings: float64, shape (columns, factors).
        noise: float64, shape (columns,), not below 0.
    """

    loadings: Floats
    noise: Floats

    def draw(self, rows: int, random: np.random.Generator) -> Floats:
        """Correlated standard normal numbers, shape (rows, columns)."""
        common = random.standard_normal((rows, self.loadings.shape[1])) @ self.loadings.T
        return common + np.sqrt(self.noise) * random.standard_normal((rows, len(self.noise)))

    def given(self, latent: Floats, column: int, values: Floats) -> Floats:
        """The same draws moved so that one column has these values: draws under that condition (Matheron's rule)."""
        pull = self.loadings @ self.loadings[column]
        pull[column] = 1.0
        return latent + np.outer(values - latent[:, column], pull)


def fit_factors(boxes: Boxes, encoded: Encoded, shares: Floats, there: NDArray[np.bool_] | None = None) -> Factors:
    """The latent correlation of training rows.

    Args:
        boxes: intervals of the columns.
        encoded: training rows.
        shares: how far through its code's interval each value lies.
        there: where there is a value, shape (rows, columns); None: everywhere. A pair's correlation is that of the rows that
            have both.
    """
    columns, dtype = range(len(boxes.orders)), np.float64 if len(boxes.orders) <= DENSE_COLUMNS else np.float32
    scores = np.empty(encoded.codes.shape, dtype)
    for column in columns:
        scores[:, column] = boxes.scores(column, encoded.codes[:, column], shares[:, column])
    series = np.stack([boxes.series(column) for column in columns])
    whole = there is None or bool(there.all())
    known: Floats = np.ones((1, len(series))) if whole or there is None else there.astype(dtype)
    scores -= (scores * known).sum(axis=0) / np.maximum(known.sum(axis=0) * (len(scores) / len(known)), 1)
    scores *= known
    return (
        _dense(scores, series, known) if len(series) <= DENSE_COLUMNS else _low_rank(scores, series, known.mean(axis=0))
    )


def _dense(scores: Floats, series: Floats, known: Floats) -> Factors:
    """Every pair's correlation by its Hermite series, shrunk towards none (Schäfer and Strimmer 2005) and made a
    correlation matrix by lifting its negative eigenvalues."""
    width = scores.shape[1]
    rows = np.maximum(known.T @ known * (len(scores) / len(known)), 1.0)
    covariance = scores.T @ scores / rows
    correlation = _invert(covariance, series)
    spread = np.maximum(np.sqrt(np.diag(covariance)), 1e-12)
    scaled = scores / spread
    observed = covariance / np.outer(spread, spread)
    squares = np.square(scaled)
    wavering = (squares.T @ squares / rows - observed**2) / rows
    off = ~np.eye(width, dtype=bool)
    shrink = min(1.0, float(wavering[off].sum()) / max(float((observed[off] ** 2).sum()), 1e-12)) if width > 1 else 0.0
    correlation[off] *= 1 - shrink
    values, vectors = np.linalg.eigh(correlation)
    loadings = vectors * np.sqrt(np.maximum(values, 0.0))
    loadings /= np.maximum(np.sqrt(np.square(loadings).sum(axis=1, keepdims=True)), 1e-12)
    return Factors(loadings, np.zeros(width))


def _invert(covariance: Floats, series: Floats) -> Floats:
    """The latent correlations ρ with Σ aₖ bₖ ρᵏ equal to the scores' covariance, by bisection: the sum rises with ρ."""
    low, high = np.full(covariance.shape, -LARGEST), np.full(covariance.shape, LARGEST)
    for _ in range(20):
        middle = (low + high) / 2
        total = np.zeros_like(middle)
        for k in range(TERMS - 1, -1, -1):  # Horner's rule
            total = (total + np.outer(series[:, k], series[:, k])) * middle
        below = total < covariance
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    found: Floats = (low + high) / 2
    np.fill_diagonal(found, 1.0)
    return found


def _low_rank(scores: Floats, series: Floats, known: Floats) -> Factors:
    """Common factors: what of the spectrum stands out of noise (Donoho, Gavish and Johnstone 2018, arXiv 1311.0851).

    Cut columns are scaled by the first term of their series, which is what cutting leaves of a weak correlation, and those with
    missing values by their share of known ones.
    """
    rows, width = scores.shape
    spread = np.maximum(scores.std(axis=0), 1e-6)
    scaled = scores / spread
    ratio = width / rows
    small = scaled @ scaled.T if rows < width else scaled.T @ scaled
    values, vectors = np.linalg.eigh(small.astype(np.float64) / rows)
    kept = np.argsort(-values)[:MOST_FACTORS]
    kept = kept[values[kept] > (1 + np.sqrt(ratio)) ** 2]
    found = values[kept]
    middle = found + 1 - ratio
    true = (middle + np.sqrt(np.maximum(middle**2 - 4 * found, 0))) / 2
    axes = vectors[:, kept]
    if rows < width:
        axes = scaled.T @ axes
        axes /= np.maximum(np.linalg.norm(axes, axis=0), 1e-12)
    loadings = axes * np.sqrt(np.maximum(true - 1, 0))
    # From the scores' correlation to the latent one.
    loadings *= np.minimum(spread / np.maximum(series[:, 0] * known, 1e-6), 3.0)[:, None]
    length = np.sqrt(np.square(loadings).sum(axis=1))
    loadings *= np.minimum(1.0, LARGEST / np.maximum(length, 1e-12))[:, None]
    return Factors(loadings, 1 - np.square(loadings).sum(axis=1))
