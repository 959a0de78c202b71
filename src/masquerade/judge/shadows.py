"""Shadow releases: the same generator refitted with and without some people, and who is told from what comes out.

Likelihood ratios as in LiRA (Carlini et al. 2022, arXiv 2112.03570), online and with one variance for all; the shadows come in
pairs, of which one has half of the people and the other one the other half, as in its appendix. A pair is attacked with what
all other pairs taught, so that a generator which knows nobody comes out at ½ on average.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from masquerade import seeds
from masquerade.judge.worst import Found
from masquerade.metrics.prediction import roc_auc

__all__ = ["auc_of_shadows", "design", "evidence", "named"]

Floats = NDArray[np.float64]
Bits = NDArray[np.bool_]

_LEAST_SPREAD = 1e-6


def design(people: int, shadows: int, seed: int) -> Bits:
    """Who is in which shadow, shape (shadows, people): shadow 2 j + 1 has those that shadow 2 j has not, half of them each.

    >>> inside = design(20, 8, 0)
    >>> inside.sum(axis=0).tolist() == [4] * 20, inside.sum(axis=1).tolist() == [10] * 8
    (True, True)
    """
    inside = np.zeros((shadows, people), dtype=bool)
    random = seeds.stream(seed, "shadows")
    for pair in range(0, shadows, 2):
        inside[pair, random.permutation(people)[: people // 2]] = True
        inside[pair + 1] = ~inside[pair]
    return inside


def evidence(scores: Floats, inside: Bits) -> Floats:
    """How much rather each person was in each shadow than not, as the log of a likelihood ratio, shape (shadows, people).

    Scores of a person with and without them are taken for two normal distributions of one variance, which all people share;
    their means are those in all pairs of shadows but the one that is asked about.

    Args:
        scores: of each shadow and person, higher where they rather were in; shape (shadows, people).
        inside: who was in, as from `design`.
    """
    spread = _spread(scores, inside)
    out = np.empty(scores.shape, np.float64)
    for pair in range(0, len(scores), 2):
        others = np.delete(np.arange(len(scores)), [pair, pair + 1])
        out[pair : pair + 2] = _ratio(scores[pair : pair + 2], scores[others], inside[others], spread)
    return out


def named(scores: Floats, inside: Bits, release: Floats) -> Floats:
    """The evidence that each person is in the release itself, from all shadows, shape (people,)."""
    return _ratio(release, scores, inside, _spread(scores, inside))


def _ratio(asked: Floats, scores: Floats, inside: Bits, spread: float) -> Floats:
    within, without = _means(scores, inside)
    return np.asarray((within - without) * (asked - (within + without) / 2) / spread**2, np.float64)


def _means(scores: Floats, inside: Bits) -> tuple[Floats, Floats]:
    within: Floats = np.average(scores, axis=0, weights=inside.astype(np.float64))
    without: Floats = np.average(scores, axis=0, weights=(~inside).astype(np.float64))
    return within, without


def _spread(scores: Floats, inside: Bits) -> float:
    within, without = _means(scores, inside)
    left = scores - np.where(inside, within, without)
    return float(max(np.sqrt(np.mean(left**2)), _LEAST_SPREAD * max(1.0, np.abs(scores).max())))


def auc_of_shadows(evidence: Floats, inside: Bits, level: float = 0.95) -> Found:
    """How often evidence is greater where the person was in than where one was not, with its interval.

    People are asked about again and again, and a pair of shadows about many people: the interval allows for both (two-way
    clusters, Cameron, Gelbach and Miller 2011), with as many degrees of freedom as there are pairs or people less one.
    """
    value, pull = roc_auc(inside.astype(np.int64).ravel(), evidence.ravel())
    if not math.isfinite(value):
        return value, (0.0, 1.0)
    pairs, people = len(evidence) // 2, evidence.shape[1]
    influence = pull.reshape(pairs, 2, people).sum(axis=1)  # a pair of shadows is one draw
    cells, rows, columns = (
        float((part**2).sum()) for part in (influence, influence.sum(axis=1), influence.sum(axis=0))
    )
    variance = max(rows + columns - cells, rows, columns, cells) / evidence.size**2
    freedom = max(min(pairs, people) - 1, 1)
    half = float(student.ppf((1 + level) / 2, freedom)) * math.sqrt(variance * min(pairs, people) / freedom)
    return value, (max(0.0, value - half), min(1.0, value + half))
