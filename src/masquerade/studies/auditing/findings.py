"""What an audit found, as one frozen value with its sentence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["Finding"]


@dataclass(frozen=True)
class Finding:
    """A lower bound on the ε of a mechanism, beside what is claimed.

    Args:
        mechanism: its name.
        epsilon: ε that is claimed.
        delta: δ that is claimed; the bound is at the same δ.
        bound: with this confidence the mechanism's ε is at least so much, if its noise is of the kind that the ledger tells, of
            whatever scale; without such a ledger the same as `plain`.
        plain: with this confidence the ε of any mechanism that behaved so is at least so much.
        confidence: such as 0.95.
        how: `"pairs"`: many runs with and without one canary; `"one run"`: one run, many canaries.
        trials: runs of each side, or canaries.
        judged: of those, runs of each side (or guesses) that the bound is from; the others chose the attacker's threshold.
        fpr: how often the attacker took a run without the canary for one with it (or a guess of a canary was wrong).
        fnr: how often it took a run with the canary for one without it; NaN for one run.
        seconds: how long it took.
    """

    mechanism: str
    epsilon: float
    delta: float
    bound: float
    plain: float
    confidence: float
    how: str
    trials: int
    judged: int
    fpr: float
    fnr: float
    seconds: float

    @property
    def disproved(self) -> bool:
        """Whether the claim does not hold."""
        return self.bound > self.epsilon

    def sentence(self) -> str:
        """The finding in plain words.

        >>> found = Finding("noise", 1.0, 1e-6, 0.93, 0.41, 0.95, "pairs", 100, 50, 0.4, 0.5, 1.0)
        >>> print(found.sentence())
        noise: ε is at least 0.930 with 95 % confidence, and 1 is claimed (δ = 1e-06): the audit does not contradict the claim.
        """
        verdict = "THE CLAIM DOES NOT HOLD" if self.disproved else "the audit does not contradict the claim"
        return (
            f"{self.mechanism}: ε is at least {self.bound:.3f} with {100 * self.confidence:.10g} % confidence, and "
            f"{self.epsilon:.4g} is claimed (δ = {self.delta:g}): {verdict}."
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "mechanism": self.mechanism,
            "claimed": {"epsilon": self.epsilon, "delta": self.delta},
            "bound": self.bound,
            "plain": self.plain,
            "confidence": self.confidence,
            "disproved": self.disproved,
            "how": self.how,
            "trials": self.trials,
            "judged": self.judged,
            "fpr": self.fpr,
            "fnr": None if self.fnr != self.fnr else self.fnr,
            "seconds": self.seconds,
            "sentence": self.sentence(),
        }
