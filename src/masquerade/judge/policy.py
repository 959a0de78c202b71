"""The policy gate: bounds on scores, judged on the bad end of each interval.

A policy is a TOML file of bounds by score name (the standard names of the report), or one of the ready-made ones:

```toml
detection_auc = { max = 0.6 }
tstr = { min = 0.85 }
epsilon = { max = 3 }            # from the ledger; a release without a guarantee has none, and does not meet it
```

>>> from masquerade.judge.report import Report
>>> from masquerade.judge.scores import Score
>>> report = Report(scores={"tstr": Score("tstr", 0.9, "higher", interval=(0.87, 0.93))})
>>> Policy("mine", {"tstr": Bound(low=0.88)}).judged(report)["met"]
False
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from masquerade import toml_text
from masquerade.errors import ArtifactError, FileError, SettingError, nearest
from masquerade.judge.reading import NAMES
from masquerade.judge.report import Report
from masquerade.privacy.accounting import epsilon_of
from masquerade.privacy.claims import TOLERANCE

__all__ = ["READY", "Bound", "Policy", "with_policy"]

LEDGER = ("epsilon", "delta")
"""What is read from the ledger, not from the scores."""

_KEYS = {"min": "low", "max": "high"}


@dataclass(frozen=True)
class Bound:
    """What a score may be.

    Args:
        low: at least; None: as low as it likes.
        high: at most; None: as high as it likes.
    """

    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Policy:
    """Bounds by score.

    Args:
        name: of the policy: its file, or one of `READY`.
        bounds: by standard name, or `epsilon` or `delta`; at least one.
    """

    name: str
    bounds: Mapping[str, Bound]

    @classmethod
    def of(cls, policy: str | Path) -> Self:
        """A ready-made policy by its name, or one from a file.

        Raises:
            FileError: there is no such file, or it is no TOML.
            SettingError: an unknown score (the nearest is named), or a bound that is none.
        """
        if str(policy) in READY:
            return cls(str(policy), READY[str(policy)])
        path = Path(policy)
        if not path.suffix:
            raise SettingError(
                f"policy: got {str(policy)!r}, expected a .toml file or one of {', '.join(READY)}{nearest(str(policy), READY)}."
            )
        try:
            data = toml_text.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise FileError(f"{path}: cannot be read as a policy ({error}).") from error
        if not data:
            raise SettingError(f"{path}: it has no bound, expected some, such as tstr = {{ min = 0.88 }}.")
        return cls(path.name, {name: _bound(path.name, name, value) for name, value in data.items()})

    def judged(self, report: Report) -> dict[str, Any]:
        """Whether a report meets the policy: what goes into the report as `policy`.

        Returns:
            `name`; `met`; and `gates`: for each bound its `score`, `min` and `max`, the `value`, the end of its interval that
            was `judged`, whether it is `met`, and in words what `failed`, None if nothing did.
        """
        gates = [_gate(name, bound, report) for name, bound in self.bounds.items()]
        return {"name": self.name, "met": all(gate["met"] for gate in gates), "gates": gates}


def with_policy(report: Report, policy: Policy) -> Report:
    """The same report with its policy judged."""
    return dataclasses.replace(report, policy=policy.judged(report))


def _bound(where: str, name: str, value: Any) -> Bound:
    if name not in NAMES and name not in LEDGER:
        raise SettingError(f"{where}: there is no score {name!r}{nearest(name, (*NAMES, *LEDGER))}.")
    if not isinstance(value, dict) or not value:
        raise SettingError(
            f"{where}: {name}: got {value!r}, expected bounds, such as {{ min = 0.88 }} or {{ max = 0.6 }}."
        )
    ends: dict[str, float] = {}
    for key, end in value.items():
        if key not in _KEYS:
            raise SettingError(f"{where}: {name}: got {key!r}, expected min or max{nearest(key, _KEYS)}.")
        if isinstance(end, bool) or not isinstance(end, int | float) or not math.isfinite(end):
            raise SettingError(f"{where}: {name}: {key} is {end!r}, expected a number.")
        ends[_KEYS[key]] = float(end)
    bound = Bound(**ends)
    if bound.low is not None and bound.high is not None and bound.low > bound.high:
        raise SettingError(f"{where}: {name}: min {bound.low:g} is above max {bound.high:g}, so nothing can meet it.")
    return bound


def _gate(name: str, bound: Bound, report: Report) -> dict[str, Any]:
    value, low, high, lacking = _measured(name, report)
    gate: dict[str, Any] = {"score": name, "min": bound.low, "max": bound.high, "value": value}
    if value is None:
        return gate | {"judged": None, "met": False, "failed": f"{name}: {lacking}"}
    failed, judged = None, value
    for limit, end, sign, words in ((bound.low, low, 1, "at least"), (bound.high, high, -1, "at most")):
        if limit is None or failed is not None:
            continue
        judged = end
        if sign * (end - limit) < 0:
            spread = "" if end == value else f" ({value:.4g}, and its interval reaches {end:.4g})"
            failed = f"{name}: {end:.4g}{spread}, expected {words} {limit:g}"
    return gate | {"judged": judged, "met": failed is None, "failed": failed}


def _measured(name: str, report: Report) -> tuple[float | None, float, float, str]:
    """Value, both ends of its interval, and why there is none; of ε the upper end is what its events give."""
    if name in LEDGER:
        return _guaranteed(name, report.ledger)
    score = report.scores.get(name)
    if score is None or not math.isfinite(score.value):
        return None, math.nan, math.nan, "it was not measured (a holdout, a target or a secret may be missing)"
    low, high = score.interval if score.interval is not None else (score.value, score.value)
    return score.value, low, high, ""


def _guaranteed(name: str, ledger: Mapping[str, Any]) -> tuple[float | None, float, float, str]:
    """ε or δ as claimed; judged is, where it is worse, the ε that comes out when what was done is added up again."""
    claimed = ledger.get(name)
    if ledger.get("guarantee", "none") == "none" or claimed is None:
        return None, math.nan, math.nan, "the ledger guarantees none"
    worst = float(claimed)
    if name == "epsilon" and ledger.get("events"):
        try:
            worst = max(worst, epsilon_of(ledger["events"], float(ledger.get("delta") or 0.0)))
        except ArtifactError as error:
            return None, math.nan, math.nan, f"it cannot be recomputed ({error})"
        except SettingError:  # the extra `dp` is not installed: what is claimed counts
            pass
    return float(claimed), float(claimed), worst if worst > claimed * (1 + TOLERANCE) else float(claimed), ""


READY: dict[str, Mapping[str, Bound]] = {
    "strict": {
        "epsilon": Bound(high=1.0),
        "delta": Bound(high=1e-6),
        "membership_auc": Bound(high=0.55),
        "exact_copies": Bound(high=0.01),
        "dcr_share": Bound(high=0.53),
        "linkability": Bound(high=0.05),
        "detection_auc": Bound(high=0.75),
    },
    "balanced": {
        "exact_copies": Bound(high=0.02),
        "dcr_share": Bound(high=0.55),
        "linkability": Bound(high=0.1),
        "detection_auc": Bound(high=0.7),
        "quality": Bound(low=0.9),
    },
    "research": {
        "exact_copies": Bound(high=0.05),
        "dcr_share": Bound(high=0.6),
        "quality": Bound(low=0.8),
    },
}
"""Policies by name: what may leave for anybody, for partners under contract, and for a closed circle of researchers."""
