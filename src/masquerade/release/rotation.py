"""Codes turned so that each of them stands for few inputs, as a factor analyst turns factors.

A bottleneck tells what is there, but in directions that mean nothing: any turn of the codes is as good to the decoder. A tree
cuts along single codes, and a person reads single codes, so the turn matters to both. Varimax (Kaiser, "The varimax criterion
for analytic rotation in factor analysis", Psychometrika 23, 1958) looks for the one in which each code is correlated strongly
with few inputs and hardly with the others. It needs no target.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

__all__ = ["simple_structure", "varimax"]

Floats = NDArray[np.float64]

_LEAST = 1e-9
"""Directions of the codes with less than this share of the greatest variance are noise, and are not blown up."""


def simple_structure(codes: Floats, inputs: NDArray[np.floating]) -> tuple[Floats, Floats]:
    """The turn that makes codes uncorrelated, standardised, and each of them correlated with few inputs.

    Codes come in falling order of what they tell of the inputs, each with the sign of its strongest input.

    Args:
        codes: shape (rows, codes).
        inputs: shape (rows, inputs).

    Returns:
        (matrix, shift): `codes @ matrix + shift` has mean 0 and standard deviation 1 in each column.

    >>> random = np.random.default_rng(0)
    >>> inputs = random.standard_normal((1000, 2))
    >>> codes = inputs @ np.array([[1.0, 1.0], [2.0, -1.0]])
    >>> matrix, shift = simple_structure(codes, inputs)
    >>> sorted(np.abs(np.corrcoef((codes @ matrix + shift).T, inputs.T)[:2, 2:]).round(1).ravel().tolist())
    [0.0, 0.0, 1.0, 1.0]
    """
    mean = codes.mean(axis=0)
    centred = codes - mean
    variances, directions = np.linalg.eigh(centred.T @ centred / len(codes))
    whiten = directions / np.sqrt(np.maximum(variances, max(float(variances[-1]), 1e-300) * _LEAST))
    middle = inputs.mean(axis=0, dtype=np.float64)
    deviation = inputs.std(axis=0, dtype=np.float64)
    cross = (inputs - middle).T.astype(np.float64) @ centred / len(codes)
    loadings = (cross / np.where(deviation > 0, deviation, 1.0)[:, None]) @ whiten
    matrix = whiten @ varimax(loadings)
    loadings = (cross / np.where(deviation > 0, deviation, 1.0)[:, None]) @ matrix
    strongest = loadings[np.abs(loadings).argmax(axis=0), np.arange(loadings.shape[1])]
    matrix = (matrix * np.where(strongest < 0, -1.0, 1.0))[
        :, np.argsort(-np.square(loadings).sum(axis=0), kind="stable")
    ]
    spread = np.sqrt(np.einsum("ij,ik,kj->j", matrix, centred.T @ centred / len(codes), matrix))
    matrix = matrix / np.where(spread > _LEAST, spread, 1.0)
    return matrix, -mean @ matrix


def varimax(loadings: Floats, *, rounds: int = 30, tolerance: float = 1e-5) -> Floats:
    """The orthogonal matrix that makes the squared loadings of each column as uneven as can be.

    Each pair of columns is turned by its best angle (Kaiser 1958, equation 21), round after round; no turn makes it worse.

    Args:
        loadings: shape (inputs, codes).
        rounds: at most so many.
        tolerance: a round without a greater angle, in radians, is the last one.

    Returns:
        Shape (codes, codes).

    >>> turn = varimax(np.array([[0.6, 0.8], [0.8, -0.6]]))
    >>> (np.abs(np.array([[0.6, 0.8], [0.8, -0.6]]) @ turn)).round(3).tolist()
    [[0.0, 1.0], [1.0, 0.0]]
    """
    rows, count = loadings.shape
    # Columns as rows of one array, so that a pair lies together: the loadings, and the matrix that turns them.
    both = np.concatenate([loadings.T, np.eye(count)], axis=1)
    for _ in range(rounds):
        widest = 0.0
        for i in range(count - 1):
            for j in range(i + 1, count):
                x, y = both[i, :rows], both[j, :rows]
                u, v = x * x - y * y, 2 * x * y
                a, b = float(u.sum()), float(v.sum())
                sine = 2 * float(u @ v) - 2 * a * b / rows
                cosine = float(u @ u) - float(v @ v) - (a * a - b * b) / rows
                angle = 0.25 * math.atan2(sine, cosine)
                if abs(angle) <= tolerance:
                    continue
                widest = max(widest, abs(angle))
                c, s = math.cos(angle), math.sin(angle)
                both[[i, j]] = c * both[i] + s * both[j], c * both[j] - s * both[i]
        if widest <= tolerance:
            break
    turn: Floats = both[:, rows:].T
    return turn
