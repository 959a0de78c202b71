"""A guarantee for people who are no statisticians: what ε means for one person, and beside each attack what ε leaves it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from masquerade.errors import MasqueradeError
from masquerade.judge import words_of_attacks
from masquerade.judge.ceilings import guaranteed_ceilings, highest_auc, highest_tpr
from masquerade.privacy.accounting import deltas_of
from masquerade.privacy.ledger import Ledger

__all__ = ["told"]

_STAGES = {
    "domains": ("finding out what values there are", "the bounds, levels and counts of single columns"),
    "marginals": ("counting", "how often values occur alone and together"),
    "selection": ("choosing what to count", "which columns belong together"),
    "training": ("training", "every step that looked at rows"),
}

_NEEDS = {
    "membership_auc": "the person's whole row, the release, and many other rows of the same population",
    "membership_tpr_at_1pct_fpr": "the same, and wants to be wrong about one in a hundred only",
    "membership_isolated_auc": "every other row of the table, and the means to make many such releases",
    "singling_out": "the release alone",
    "linkability": "half of the columns of a person from one source and half from another, and the release",
    "inference": "all columns of a person but one, and the release",
}
_CHANCE = {"membership_auc": 0.5, "membership_isolated_auc": 0.5, "membership_tpr_at_1pct_fpr": 0.01}
_ASKS = {
    "membership_auc": "Was this person in the table?",
    "membership_tpr_at_1pct_fpr": "Whom does it name who was in the table?",
    "membership_isolated_auc": "Was one of the most unusual people in the table?",
    "singling_out": "Does a description fit exactly one person?",
    "linkability": "Do two halves of a record belong together?",
    "inference": "What stands in the one column that is not known?",
}


def told(report: Mapping[str, Any], facts: Mapping[str, Any]) -> dict[str, Any]:
    """The privacy part of the page; empty where nothing is guaranteed and there is no what-if chart.

    Args:
        report: as from `Report.to_dict`.
        facts: of the report; `what_if` holds the panels of a sweep.
    """
    what_if = words_of_attacks.panels(facts.get("what_if") or [], "what-if")
    try:
        ledger = Ledger.from_dict(report.get("ledger") or {})
        allowed = guaranteed_ceilings(ledger)
    except MasqueradeError:  # an old report's ledger; what it says stands in the ledger part
        ledger, allowed = Ledger(), None
    if allowed is None:
        return {"pledge": {}, "tests": [], "what_if": what_if} if what_if else {}
    return {
        "pledge": _pledge(ledger, allowed),
        "tests": _tests(report, allowed),
        "what_if": what_if,
    }


def _pledge(ledger: Ledger, allowed: Mapping[str, float]) -> dict[str, Any]:
    epsilon, delta = allowed["epsilon"], allowed["delta"]
    one = "one row" if ledger.unit == "row" else f"all rows of one {ledger.unit}"
    whose = "the person behind one row" if ledger.unit == "row" else f"one {ledger.unit}"
    right = math.ceil(100 * _right(ledger, epsilon, delta) - 1e-9)
    named = math.ceil(1000 * allowed["tpr_at_1pct_fpr"] - 1e-9) / 10
    lines = [
        f"Whatever was released would have come out nearly as likely had {one} never been in the table: nothing becomes more "
        f"than {_times(epsilon)} times (e^ε) as likely by it"
        + (f", give or take a chance of {_odds(delta)} (δ)." if delta else "."),
        f"Whoever starts from a toss-up and guesses from the release whether {whose} was in the table is right at most "
        f"{right} % of the time, however clever, whatever else they know, now and later. A coin is right 50 % of the time.",
        f"Whoever may wrongly name 1 of 100 people who were not in the table names at most {named:g} of 100 who were.",
    ]
    count = len(ledger.events)
    small = [
        f"It protects {one}: tables are neighbours that differ by that much ({ledger.relation or 'relation not stated'}). "
        + ("A person with several rows is protected less." if ledger.unit == "row" else ""),
        "It bounds what is learnt from somebody's having been in the table. What holds of people in general, such as that "
        "smokers fall ill more often, can still be learnt, also about those who were never in it.",
        "Every further release of the same table adds to it; masquerade verify MODEL.mq MORE.mq adds several up.",
    ]
    if count:
        small.append(
            f"The ledger lists {count:,} kind{'s' * (count > 1)} of look at the data and the noise of each; masquerade verify "
            "MODEL.mq adds them up again from the file alone, without the data."
        )
    return {
        "epsilon": _rounded_up(epsilon),
        "delta": f"{delta:g}",
        "strength": _strength(epsilon),
        "lines": lines,
        "small": small,
        "split": _split(ledger.split),
    }


def _right(ledger: Ledger, epsilon: float, delta: float) -> float:
    """The highest share of right guesses at even odds: (1 + total variation) / 2, from (ε, δ) or, sharper, from the events."""
    factor = math.exp(-min(epsilon, 700.0))
    known = (1 + delta * factor) / (1 + factor)
    if not ledger.events:
        return known
    try:
        return min(known, (1 + deltas_of(ledger.events, [0.0])[0]) / 2)
    except MasqueradeError:  # without the extra `dp`
        return known


def _rounded_up(epsilon: float) -> str:
    """Three digits, none of which makes it look better than it is."""
    unit = 10.0 ** (math.floor(math.log10(max(epsilon, 1e-9))) - 2)
    return f"{math.ceil(epsilon / unit - 1e-6) * unit:.3g}"


def _strength(epsilon: float) -> str:
    """How strong an ε is, in a word of the field's usage (Wood et al. 2018; NIST SP 800-226, 2025)."""
    if epsilon <= 1:
        return "a strong guarantee"
    if epsilon <= 5:
        return "a fair guarantee"
    return "a weak guarantee" if epsilon <= 10 else "hardly a guarantee"


def _times(epsilon: float) -> str:
    factor = math.exp(min(epsilon, 700.0))
    return f"{factor:.3g}" if factor < 1_000 else f"{factor:,.0f}" if factor < 1e9 else "a billion"


def _odds(delta: float) -> str:
    return f"one in {1 / delta:,.0f}" if delta < 0.5 else f"{delta:.0%}"


def _split(split: Mapping[str, float]) -> list[dict[str, Any]]:
    """The parts of the budget as pieces of a bar of 100 %: the squares of each stage's ε, which nearly add up."""
    squares = {stage: float(epsilon) ** 2 for stage, epsilon in split.items() if epsilon > 0}
    whole = sum(squares.values())
    return [
        {
            "name": _STAGES.get(stage, (stage, ""))[0],
            "what": _STAGES.get(stage, (stage, ""))[1],
            "epsilon": f"{split[stage]:.2g}",
            "width": round(100 * square / whole, 1),
            "share": f"{square / whole:.0%}",
        }
        for stage, square in squares.items()
    ]


def _tests(report: Mapping[str, Any], allowed: Mapping[str, float]) -> list[dict[str, Any]]:
    """Attack by attack: what is asked, what it takes, what came out, and the most that the guarantee leaves."""
    scores, attacks = report.get("scores") or {}, report.get("attacks") or {}
    rows = []
    for name, asks in _ASKS.items():
        score = scores.get(name) or {}
        value = score.get("value")
        if value is None:
            continue
        interval = score.get("interval")
        low, high = interval if interval and None not in interval else (value, value)
        ceiling = _ceiling(name, attacks, allowed)
        percent = not name.endswith("auc")
        rows.append(
            {
                "asks": asks,
                "needs": _NEEDS[name],
                "name": name,
                "found": _said(value, percent),
                "interval": "" if low == high else _span(low, high, percent),
                "allowed": "–" if ceiling is None else f"at most {_said(ceiling, percent)}",
                "verdict": _verdict(low, ceiling, _CHANCE.get(name, 0.0)),
                "beyond": ceiling is not None and low > ceiling,
            }
        )
    return rows


def _ceiling(name: str, attacks: Mapping[str, Any], allowed: Mapping[str, float]) -> float | None:
    """The most that the guarantee leaves to an attack, None where it bounds it in no simple way."""
    if name in ("membership_auc", "membership_isolated_auc"):
        return min(float(allowed["auc"]), highest_auc(allowed["epsilon"], allowed["delta"]))
    if name == "membership_tpr_at_1pct_fpr":
        return float(allowed["tpr_at_1pct_fpr"])
    if name not in ("linkability", "inference"):
        return None
    # Success with a person in the table beside success without: a test of membership at the rate of the control group.
    found = attacks.get(name) or {}
    if name == "inference":
        found = (found.get("columns") or {}).get(found.get("worst")) or {}
    control = found.get("control")
    if not isinstance(control, int | float) or not 0 <= control < 1:
        return None
    most = highest_tpr(float(control), allowed["epsilon"], allowed["delta"])
    return max(0.0, (most - control) / (1 - control))


def _verdict(low: float, ceiling: float | None, chance: float) -> str:
    if ceiling is not None and low > ceiling:
        return "beyond the guarantee: the claim does not hold"
    if low > chance:
        return "better than chance" + (", within the guarantee" if ceiling is not None else "")
    return "no better than chance"


def _said(value: float, percent: bool) -> str:
    return f"{value:.1%}" if percent else f"{value:.3f}"


def _span(low: float, high: float, percent: bool) -> str:
    return f"{_said(low, percent)} to {_said(high, percent)}"
