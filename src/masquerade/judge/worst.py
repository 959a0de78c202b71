"""The worst of several attacks, not the luckiest: each half of the people is judged by what was chosen on the other half."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta, binom, norm

from masquerade.metrics.intervals import wilson
from masquerade.metrics.prediction import roc_auc

__all__ = ["Found", "auc", "averaged", "crossed", "sidak", "tpr"]

Floats = NDArray[np.float64]
Found = tuple[float, tuple[float, float]]
"""A value and its interval."""


def sidak(count: int) -> float:
    """How many standard deviations wide each of so many 95 % intervals must be for all to hold at once (Šidák 1967).

    >>> round(sidak(1), 2), round(sidak(4), 2)
    (1.96, 2.49)
    """
    return float(norm.isf((1.0 - 0.95 ** (1.0 / count)) / 2.0))


def auc(members: Floats, others: Floats, z: float) -> Found:
    """How often a member scores above a non-member, ties counting half, ± z standard deviations (DeLong et al. 1988)."""
    labels = np.repeat([1, 0], [len(members), len(others)])
    value, pull = roc_auc(labels, np.concatenate([members, others]))
    half = z * math.sqrt(float(pull.var()) / len(pull))
    return value, (max(0.0, value - half), min(1.0, value + half))


def tpr(members: Floats, others: Floats, rate: float, z: float) -> Found:
    """The share of members above a threshold that a share `rate` of non-members passes, at least one of them.

    The threshold lies between the non-members' scores around rank rate · (n + 1) from above, so that for scores that say
    nothing the share is `rate` on average. The interval carries the members' chance (Wilson 1927) and that of the threshold
    (order statistics), by their distances. Where non-members are too few to tell how rare passing the threshold is, its lower
    end takes the threshold for as loose as it may be: at a fraction of that rate an attacker who sometimes refrains reaches
    the same fraction of the share.

    >>> tpr(np.arange(100.0) + 1000, np.arange(100.0), 0.1, 1.96)[0]
    1.0
    """
    ordered = np.sort(others)[::-1]
    count = len(others)

    def above(rank: float) -> float:
        rank = min(max(rank, 1.0), float(count))
        low = int(rank)
        first, second = ((members > ordered[min(place, count - 1)]).mean() for place in (low - 1, low))
        return float(first + (rank - low) * (second - first))

    value = above(rate * (count + 1))
    tail = float(norm.sf(z))
    fewest, most = (float(binom.ppf(p, count, rate)) for p in (tail, 1.0 - tail))
    low, high = wilson(value * len(members), len(members), z)
    loosest = float(beta.ppf(1.0 - tail, 1, count))  # how many may pass what only one of the seen ones reaches
    strict = above(fewest) if fewest >= 1 else value * min(1.0, rate / loosest)
    down = math.hypot(value - low, value - min(value, strict))
    up = math.hypot(high - value, max(value, above(most + 1)) - value)
    return value, (max(0.0, value - down), min(1.0, value + up))


def averaged(parts: Sequence[Found]) -> Found:
    """The mean of figures about different people, with the interval of the mean."""
    value = sum(part[0] for part in parts) / len(parts)
    down = math.hypot(*(part[0] - part[1][0] for part in parts)) / len(parts)
    up = math.hypot(*(part[1][1] - part[0] for part in parts)) / len(parts)
    return value, (value - down, value + up)


def crossed(halves: Mapping[str, Sequence[Found]]) -> Found:
    """The worst of several attacks: on each half of the people the one that surely did best on the other; their mean.

    Surest is whose interval has the greatest lower end: a figure that hardly anything is known of is not the worst.

    No attack is chosen on the people it is counted on, so where none of them works the mean is what chance gives, not the
    luckiest of several. What is chosen still ties the halves to each other a little; with intervals at the level of `sidak`
    for so many attacks this is allowed for.

    Args:
        halves: by attack, the findings on the first half of the people and on the second.

    >>> crossed({"a": [(0.9, (0.8, 1.0)), (0.5, (0.4, 0.6))], "b": [(0.6, (0.5, 0.7)), (0.7, (0.6, 0.8))]})[0]
    0.55
    """

    def surely(name: str, half: int) -> tuple[float, float]:
        value, (low, _) = halves[name][half]
        return low, value

    best = [max(halves, key=partial(surely, half=half)) for half in (0, 1)]
    return averaged([halves[best[1]][0], halves[best[0]][1]])
