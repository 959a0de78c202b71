"""Reading codes without a single known pair: turn their cloud until it lies on the cloud of similar people."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["aligned", "squared_distances"]

Floats = NDArray[np.float64]

_ROUNDS = 10
_NEAREST = 50  # people whose mean is what a code is taken to say
_POINTS = 1_000  # of each cloud, for turning
_STARTS = 8


def aligned(codes: Floats, people: Floats, random: np.random.Generator) -> Floats:
    """What codes say about their people, by their distribution alone.

    Both clouds are laid along their principal axes, longest first, each pointing where the skewness is positive, and scaled to
    one; then the codes are turned again and again onto their nearest people (Procrustes' problem, Schönemann 1966). Other ways
    of laying them down are tried too, and the one after which the clouds fit best is kept. A code is taken to mean the mean of
    its fifty nearest people.

    Args:
        codes: shape (rows, codes).
        people: other people of the same kind, without codes, shape (others, inputs).
        random: for the other ways.

    Returns:
        Shape (rows, inputs).

    >>> random = np.random.default_rng(0)
    >>> everyone = random.gamma(2.0, size=(900, 2)) * [3.0, 1.0]
    >>> told = aligned(everyone[:300] @ [[0.0, 1.0], [-1.0, 0.0]], everyone[300:], random)  # codes that are only turned
    >>> bool(np.corrcoef(told[:, 0], everyone[:300, 0])[0, 1] > 0.9)
    True
    """
    width = min(codes.shape[1], people.shape[1])
    ours, theirs = _axes(codes, width), _axes(people, width)
    some, others = ours[:_POINTS], theirs[:_POINTS]
    starts = [np.eye(width)] + [np.linalg.qr(random.normal(size=(width, width)))[0] for _ in range(_STARTS)]
    turn = min((_turned(some, others, start) for start in starts), key=lambda found: found[0])[1]
    near = squared_distances(ours @ turn, theirs)
    count = min(_NEAREST, len(people))
    chosen = np.argpartition(near, count - 1, axis=1)[:, :count]
    return np.asarray(people[chosen].mean(axis=1))


def _turned(some: Floats, others: Floats, turn: Floats) -> tuple[float, Floats]:
    """How far the clouds lie apart after turning one onto the other, both ways, and the turn."""
    for _ in range(_ROUNDS):
        near = others[squared_distances(some @ turn, others).argmin(axis=1)]
        left, _, right = np.linalg.svd(some.T @ near)
        turn = left @ right
    apart = squared_distances(some @ turn, others)
    return float(apart.min(axis=0).mean() + apart.min(axis=1).mean()), turn


def _axes(values: Floats, width: int) -> Floats:
    """Places along the first principal axes, each with variance 1 and a positive third moment."""
    centred = values - values.mean(axis=0)
    left, size, _ = np.linalg.svd(centred, full_matrices=False)
    places: Floats = left[:, :width] * np.sqrt(len(values)) * (size[:width] > 1e-9 * size[0])
    sign = np.where((places**3).mean(axis=0) < 0, -1.0, 1.0)
    return places * sign


def squared_distances(first: Floats, second: Floats) -> Floats:
    """Squared distances of all pairs, shape (rows of the first, rows of the second)."""
    squares: Floats = (first**2).sum(axis=1)[:, None] - 2.0 * first @ second.T + (second**2).sum(axis=1)[None, :]
    return squares
