"""Single columns counted a second time, the larger ones with less noise, and joined with what preparation counted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from masquerade.privacy.events import Event, discrete_gaussian
from masquerade.privacy.noise import noised_counts
from masquerade.schema import Schema
from masquerade.synthesize.private import Prepared

__all__ = ["Singles", "count_singles"]


@dataclass(frozen=True)
class Singles:
    """Noised counts of single columns.

    Args:
        counts: by column, of its codes.
        sigmas: by column, the standard deviation of their noise.
        total: number of rows, estimated from all of them; at least 1.
    """

    counts: tuple[NDArray[np.float64], ...]
    sigmas: tuple[float, ...]
    total: float


def count_singles(prepared: Prepared, share: float | None, most_bins: int, sensitivity: int) -> Singles:
    """Count every column once more, and average with the first count.

    The sum of all errors is least where the noise of a column falls with the cube root of its codes. How many codes a column
    has may have been found with noise, and noise must not follow noised results: a number counts as having `most_bins`.

    Args:
        prepared: the rows, and their first count.
        share: of the budget; None: all that is left.
        most_bins: codes of a number at most.
        sensitivity: rows that one unit can have.
    """
    layout, accountant = prepared.codec.layout, prepared.accountant
    relative = np.array(_public_sizes(prepared.codec.schema, layout.names, most_bins)) ** (-1 / 3)

    def counting(multiplier: float, count: int = 1) -> Event:
        what = "counts of each column again"
        return discrete_gaussian(multiplier, stage="marginals", what=what, count=count, sensitivity=sensitivity)

    if share is None:
        unit = accountant.calibrate(lambda sigma: [counting(sigma * float(r)) for r in relative])
    else:
        unit = accountant.sigma(share) * math.sqrt(float((1 / relative**2).sum()))
    multipliers = [unit * float(r) for r in relative]
    for multiplier in sorted(set(multipliers)):
        accountant.spend(counting(multiplier, multipliers.count(multiplier)))
    counts, sigmas = [], []
    for place, (first, size, multiplier) in enumerate(zip(prepared.counts, layout.sizes, multipliers, strict=True)):
        scale = multiplier * sensitivity
        again = noised_counts(np.bincount(prepared.encoded.codes[:, place], minlength=size), scale)
        trust = prepared.scale**2 / (prepared.scale**2 + scale**2)
        counts.append(trust * again + (1 - trust) * first)
        sigmas.append(scale * math.sqrt(trust))
    weights = [1 / (len(c) * s**2) for c, s in zip(counts, sigmas, strict=True)]
    total = max(float(np.average([c.sum() for c in counts], weights=weights)), 1.0)
    return Singles(tuple(counts), tuple(sigmas), total)


def _public_sizes(schema: Schema, names: Sequence[str], most_bins: int) -> list[int]:
    """About how many codes each column has, as far as that is public."""
    found = []
    for name in names:
        column = schema[name]
        levels = 2 if column.kind == "boolean" else most_bins if column.levels is None else len(column.levels)
        found.append(max(levels, 2))
    return found
