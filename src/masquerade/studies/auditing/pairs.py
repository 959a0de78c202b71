"""Many runs with and without one canary: the classic audit, of any mechanism that can be run often enough."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from masquerade.errors import SettingError
from masquerade.progress import Callback, Progress
from masquerade.studies.auditing.bounds import at_most, epsilon_from_rates
from masquerade.studies.auditing.claim import Claim
from masquerade.studies.auditing.findings import Finding

__all__ = ["LEAST_TRIALS", "audit_pairs", "check_confidence", "finding_of_scores"]

Rows = TypeVar("Rows")
Floats = NDArray[np.float64]

LEAST_TRIALS = 20
"""With fewer runs of each side nothing could be told."""

_CHOOSING = 5  # one run in so many chooses the threshold
_THRESHOLDS = 64


def audit_pairs(
    mechanism: Callable[[Rows], Any],
    without: Rows,
    inside: Rows,
    *,
    claim: Claim | Callable[[], Claim],
    trials: int,
    name: str = "mechanism",
    confidence: float = 0.95,
    callback: Callback | None = None,
) -> Finding:
    """A lower bound on the ε of a mechanism from many runs on two neighbouring tables.

    A fifth of the runs choose what the attacker does: the direction that separates them best, where an outcome is several
    numbers, then a threshold, and which side of it says "the canary was in". The other runs are counted, so that nothing is
    chosen on what is counted and the confidence holds as it is (`masquerade.studies.auditing.bounds`).

    Args:
        mechanism: runs on such a table with fresh randomness and returns what an attacker sees of the outcome: a number; an
            array of shape (runs,) of as many independent runs, where many can be done at once; or of shape (runs, numbers).
        without: a table.
        inside: the same table with the canary; the two must be neighbours in the sense of the claim.
        claim: what is to be disproved; a function is asked after the last run.
        trials: runs on each of the two.
        name: of the mechanism.
        confidence: of the bound, such as 0.95.
        callback: told after every run how far the audit is.

    Raises:
        SettingError: fewer than 20 trials, or a confidence that is not between ½ and 1.

    >>> random = np.random.default_rng(0)
    >>> def noisy_sum(rows: list[float]) -> float:
    ...     return sum(rows) + random.normal(0, 4.0)
    >>> found = audit_pairs(noisy_sum, [], [1.0], claim=Claim.of_noise(4.0, delta=1e-5), trials=2000)
    >>> 0 <= found.bound <= found.epsilon
    True
    """
    _check_trials(trials)
    check_confidence(confidence)
    began = time.monotonic()
    scores: tuple[list[Floats], list[Floats]] = ([], [])
    done = [0, 0]
    while min(done) < trials:  # by turns, so that what drifts over time drifts on both sides
        side = int(done[1] < done[0])
        more = np.atleast_1d(np.asarray(mechanism(inside if side else without), np.float64))[: trials - done[side]]
        scores[side].append(more)
        done[side] += len(more)
        if callback is not None:
            seconds = time.monotonic() - began
            callback(Progress("audit", sum(done), 2 * trials, seconds, finished=sum(done) == 2 * trials))
    outside, within = (np.concatenate(side) for side in scores)
    seconds = time.monotonic() - began
    claim = claim if isinstance(claim, Claim) else claim()
    return finding_of_scores(outside, within, claim=claim, name=name, confidence=confidence, seconds=seconds)


def finding_of_scores(
    without: Floats,
    inside: Floats,
    *,
    claim: Claim,
    name: str = "mechanism",
    confidence: float = 0.95,
    seconds: float = 0.0,
) -> Finding:
    """The finding of `audit_pairs` from outcomes of runs that were done elsewhere, in the order of the runs.

    A number that is not finite counts as a very great or small one, none at all as a very small one: what an attacker makes of
    an outcome is free.

    Args:
        without: outcomes without the canary, shape (runs,) or (runs, numbers).
        inside: with it.
        claim, name, confidence: as in `audit_pairs`.
        seconds: how long the runs took.
    """
    trials = min(len(without), len(inside))
    _check_trials(trials)
    check_confidence(confidence)
    first = max(trials // _CHOOSING, LEAST_TRIALS // 2)
    outside, within = (np.nan_to_num(side[:trials], nan=-1e9, neginf=-1e9, posinf=1e9) for side in (without, inside))
    if outside.ndim == 2:
        direction = _direction(outside[:first], within[:first])
        outside, within = outside @ direction, within @ direction
    sign, threshold = _threshold(outside[:first], within[:first], claim, confidence)
    judged = trials - first
    wrong = int((sign * outside[first:] > threshold).sum()), int((sign * within[first:] <= threshold).sum())
    fpr, fnr = (float(at_most(count, judged, _each(confidence))) for count in wrong)
    return Finding(
        mechanism=name,
        epsilon=claim.epsilon,
        delta=claim.delta,
        bound=claim.bound(fpr, fnr),
        plain=float(epsilon_from_rates(fpr, fnr, claim.delta)),
        confidence=confidence,
        how="pairs",
        trials=trials,
        judged=judged,
        fpr=wrong[0] / judged,
        fnr=wrong[1] / judged,
        seconds=seconds,
    )


def _check_trials(trials: int) -> None:
    if trials < LEAST_TRIALS:
        raise SettingError(f"trials: got {trials}, expected at least {LEAST_TRIALS} runs of each side.")


def check_confidence(confidence: float) -> None:
    """Refuse a confidence that is not between ½ and 1."""
    if not 0.5 < confidence < 1:
        raise SettingError(f"confidence: got {confidence!r}, expected a number between 0.5 and 1, such as 0.95.")


def _each(confidence: float) -> float:
    """How sure each of two bounds has to be for both to hold at once."""
    return 1.0 - (1.0 - confidence) / 2.0


def _direction(without: Floats, inside: Floats) -> Floats:
    """Fisher's linear discriminant (1936), its covariance drawn a tenth towards its diagonal."""
    centred = np.concatenate([without - without.mean(axis=0), inside - inside.mean(axis=0)])
    spread = centred.std(axis=0)
    spread[spread == 0] = 1.0
    scaled = centred / spread
    covariance = 0.9 * (scaled.T @ scaled) / len(scaled) + 0.1 * np.eye(scaled.shape[1])
    apart = (inside.mean(axis=0) - without.mean(axis=0)) / spread
    return np.asarray(np.linalg.solve(covariance, apart) / spread, np.float64)


def _threshold(without: Floats, inside: Floats, claim: Claim, confidence: float) -> tuple[float, float]:
    """The side and the threshold of the score with the greatest bound on these runs.

    Bounds hold for all thresholds at once here: else one far out, where a few runs decide, would be the luckiest.
    """
    sure = 1.0 - (1.0 - _each(confidence)) / (2 * _THRESHOLDS)
    best = (-np.inf, 1.0, 0.0)
    pooled = np.concatenate([without, inside])
    for sign in (1.0, -1.0):
        outside, within = (np.sort(sign * side) for side in (without, inside))
        places = np.unique(np.quantile(sign * pooled, np.linspace(0, 1, _THRESHOLDS), method="nearest"))
        wrong = len(outside) - np.searchsorted(outside, places, side="right"), np.searchsorted(within, places, "right")
        fpr, fnr = (at_most(count, len(outside), sure) for count in wrong)
        if claim.events:  # as in `mu_from_rates` and `epsilon_from_rates`, but what is below 0 is told apart too
            found = norm.isf(fpr) - norm.ppf(fnr)
        else:
            found = np.log(np.maximum(1.0 - claim.delta - fnr, 1e-300)) - np.log(fpr)
        found = np.nan_to_num(found, nan=-1e9, neginf=-1e9)
        place = int(found.argmax())
        best = max(best, (float(found[place]), sign, float(places[place])))
    return best[1:]
