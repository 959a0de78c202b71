"""One run with many canaries, each in with probability ½: an audit of what cannot be run often."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from masquerade.errors import SettingError
from masquerade.privacy.accounting import need_dp
from masquerade.studies.auditing.claim import Claim
from masquerade.studies.auditing.findings import Finding
from masquerade.studies.auditing.pairs import check_confidence

__all__ = ["LEAST_CANARIES", "audit_one_run"]

LEAST_CANARIES = 10
"""With fewer canaries nothing could be told."""

_SHARES = (2, 3, 6, 20)  # one in so many canaries is guessed to be in: the surest ones


def audit_one_run(
    mechanism: Callable[[NDArray[np.bool_]], NDArray[Any]],
    canaries: int,
    *,
    claim: Claim | Callable[[], Claim],
    name: str = "mechanism",
    confidence: float = 0.95,
) -> Finding:
    """A lower bound on the ε of a mechanism from one run (Steinke, Nasr and Jagielski 2023, arXiv 2305.08846).

    The canaries with the highest scores are guessed to have been in; who guesses more of them rightly than ε allows disproves
    it. Where all events of the claim are Gaussian noise on all rows, the bound is the sharper one of Mahloujifar, Melis and
    Chaudhuri (2024, arXiv 2410.22235). Four numbers of guesses are tried, and the confidence of each is raised to allow for it.

    Args:
        mechanism: runs once on the table with those canaries that are marked, and returns one score per canary, higher for
            those that it rather takes for being in.
        canaries: how many there are; each is independent of the others, and one row is the unit of the claim.
        claim: what is to be disproved; a function is asked after the run.
        name: of the mechanism.
        confidence: of the bound.

    Raises:
        SettingError: fewer than 10 canaries, as many scores are not returned, or a confidence out of range.

    >>> random = np.random.default_rng(0)
    >>> def counts(inside):
    ...     return inside + random.normal(0, 0.1, len(inside))  # far too little noise for the claim
    >>> audit_one_run(counts, 100, claim=Claim.of_noise(4.0, delta=1e-5)).disproved
    True
    """
    need_dp()
    from jax_privacy.auditing import CanaryScoreAuditor, Explicit

    if canaries < LEAST_CANARIES:
        raise SettingError(f"canaries: got {canaries}, expected at least {LEAST_CANARIES}.")
    check_confidence(confidence)
    began = time.monotonic()
    inside = np.unpackbits(np.frombuffer(secrets.token_bytes(canaries // 8 + 1), np.uint8))[:canaries].astype(bool)
    scores = np.asarray(mechanism(inside), np.float64)
    if scores.shape != (canaries,):
        raise SettingError(
            f"mechanism: got scores of shape {scores.shape}, expected one for each of {canaries} canaries."
        )
    claim = claim if isinstance(claim, Claim) else claim()
    # Ties are ordered by chance: the rank is then a score of its own, and so many guesses are exactly so many.
    ranks = np.lexsort((np.random.default_rng(secrets.randbits(63)).random(canaries), scores)).argsort().astype(float)
    if inside.all() or not inside.any():
        return _finding(name, claim, (0.0, 0.0), confidence, canaries, (0, 0), time.monotonic() - began)
    auditor = CanaryScoreAuditor(ranks[inside], ranks[~inside])
    best, plain, counted = -1.0, 0.0, (0, 0)
    for share in _SHARES:
        guesses = max(canaries // share, 1)
        how = (1 - confidence) / len(_SHARES), claim.delta
        top = Explicit(canaries - guesses)
        any_kind = float(auditor.epsilon_one_run(*how, threshold_strategy=top))
        found = any_kind
        if claim.mu is not None:
            found = max(found, float(auditor.epsilon_one_run_fdp(*how, threshold_strategy=top)))
        plain = max(plain, any_kind)
        if found > best:
            best, counted = found, (guesses, int((~inside[ranks >= canaries - guesses]).sum()))
    return _finding(name, claim, (best, plain), confidence, canaries, counted, time.monotonic() - began)


def _finding(
    name: str,
    claim: Claim,
    bounds: tuple[float, float],
    confidence: float,
    canaries: int,
    counted: tuple[int, int],
    seconds: float,
) -> Finding:
    guesses, wrong = counted
    return Finding(
        mechanism=name,
        epsilon=claim.epsilon,
        delta=claim.delta,
        bound=bounds[0],
        plain=bounds[1],
        confidence=confidence,
        how="one run",
        trials=canaries,
        judged=guesses,
        fpr=wrong / max(guesses, 1),
        fnr=float("nan"),
        seconds=seconds,
    )
