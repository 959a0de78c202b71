"""Was this person in the table? Membership inference against a release of fresh rows."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from masquerade import seeds
from masquerade.judge.figures import Outcome
from masquerade.judge.membership_attacks import Attackers, Floats
from masquerade.judge.scores import Score
from masquerade.judge.tables import Side, Tables, sample_side
from masquerade.judge.workers import side_by_side
from masquerade.judge.worst import Found, auc, crossed, sidak, tpr
from masquerade.metrics.intervals import Z95

__all__ = ["LEAST", "PEOPLE", "RATES", "membership", "told_of"]

RATES = {"tpr_at_1pct_fpr": 0.01, "tpr_at_10pct_fpr": 0.1}
"""False positive rates at which the true positive rate is told."""

PEOPLE = 2_000
"""Members that are asked about, and as many non-members."""

LEAST = 100
"""With fewer, nobody is asked about."""

_REFERENCES = 10_000


def membership(tables: Tables, seed: int, ceilings: Mapping[str, float] | None = None) -> Outcome:
    """How well the best of four attackers tells rows that trained from rows that did not.

    Members are random training rows, non-members as many rows of the holdout; what the attackers know of the population is
    the rest of the holdout, which nobody is asked about. The attackers (`masquerade.judge.membership_attacks`) are DOMIAS,
    Gen-LRA, a classifier and the nearest distance. The worst is told without flattery: each half of the people is judged by
    the attack that did best on the other half, so that a release which knows nobody comes out at ½ on average; intervals are
    at Šidák's level for four attacks.

    The holdout has to be a random part of the same people: attackers tell any other difference too.

    Args:
        tables: the coded tables; released row i was not made from real row i.
        seed: of the choice of people and of the classifier.
        ceilings: what the release's guarantee allows, as from `masquerade.judge.ceilings.guaranteed_ceilings`, or None.

    Returns:
        The scores `membership_auc` and `membership_tpr_at_1pct_fpr`, and the attack `membership`; nothing without 100 training
        rows, 100 released ones and a holdout of 200.
    """
    holdout = tables.holdout
    people = min(PEOPLE, len(tables.real), len(holdout) // 2 if holdout is not None else 0)
    if holdout is None or people < LEAST or len(tables.released) < LEAST or not tables.names:
        return Outcome()
    random = seeds.stream(seed, "membership")
    order = random.permutation(len(holdout))
    members = tables.real.rows(random.permutation(len(tables.real))[:people])
    others = holdout.rows(order[:people])
    reference = sample_side(holdout.rows(np.sort(order[people:])), _REFERENCES, seed, "membership reference")
    attackers = Attackers(tables, tables.released, reference, _stacked(members, others), seed)
    scores = _attacked(attackers)
    split = {name: (told[:people], told[people:]) for name, told in scores.items()}
    return told_of(split, references=len(reference), ceilings=ceilings)


def told_of(
    split: Mapping[str, tuple[Floats, Floats]],
    *,
    references: int,
    ceilings: Mapping[str, float] | None = None,
    things: str = "rows",
) -> Outcome:
    """The scores of attackers, and the worst of them, as scores of a report.

    Args:
        split: by attacker, what it thinks of as many members and non-members; higher means that it takes one for a member.
        references: how many others the attackers knew.
        ceilings: what a guarantee allows, or None.
        things: what is asked about.
    """
    found: dict[str, Any] = {name: _told(*sides) for name, sides in split.items()}
    z = sidak(len(split))
    worst = max(found, key=lambda name: float(found[name]["auc"]))
    people = len(next(iter(split.values()))[0])
    told = found | {"worst": worst, "people": people, "references": references}
    for key, value in _crossed(split, z).items():
        told[key], told[f"{key}_interval"] = value[0], list(value[1])
    if ceilings is not None:
        told["guaranteed"] = dict(ceilings)
    if things != "rows":
        told["things"] = things
    return Outcome(scores=_scores(told, len(split), things), attacks={"membership": told})


def _stacked(first: Side, second: Side) -> Side:
    return Side(np.concatenate([first.numbers, second.numbers]), np.concatenate([first.codes, second.codes]))


def _attacked(attackers: Attackers) -> dict[str, Floats]:
    """The scores of every attacker, members first."""

    def alone(name: str) -> dict[str, Floats]:
        if name == "densities":
            return dict(zip(("domias", "gen_lra"), attackers.densities(), strict=True))
        return {name: attackers.classifier() if name == "classifier" else attackers.nearest_distance()}

    done = side_by_side([partial(alone, name) for name in ("nearest_distance", "densities", "classifier")])
    merged = {name: scores for part in done for name, scores in part.items()}
    return {name: merged[name] for name in ("domias", "gen_lra", "classifier", "nearest_distance")}


def _told(members: Floats, others: Floats) -> dict[str, Any]:
    """One attack on all people, with plain 95 % intervals."""
    value, ends = auc(members, others, Z95)
    told: dict[str, Any] = {"auc": value, "interval": list(ends)}
    for name, rate in RATES.items():
        told[name], ends = tpr(members, others, rate, Z95)
        told[f"{name}_interval"] = list(ends)
    return told


def _crossed(split: Mapping[str, tuple[Floats, Floats]], z: float) -> dict[str, Found]:
    """The figures of the attacks that were chosen on other people."""
    halves: dict[str, list[tuple[Floats, Floats]]] = {}
    for name, (members, others) in split.items():
        middle = len(members) // 2
        halves[name] = [(members[:middle], others[:middle]), (members[middle:], others[middle:])]
    told = {"auc": crossed({name: [auc(*half, z) for half in parts] for name, parts in halves.items()})}
    for key, rate in RATES.items():
        told[key] = crossed({name: [tpr(*half, rate, z) for half in parts] for name, parts in halves.items()})
    return told


def _scores(told: Mapping[str, Any], attackers: int, things: str) -> dict[str, Score]:
    people = f"{told['people']:,} training {things} and as many unseen ones"
    best = (
        "the best of {} attackers".format({3: "three", 4: "four"}.get(attackers, attackers))
        if attackers > 1
        else "an attacker"
    )
    halves = (
        f" Each half of the {things} is judged by the attack that did best on the other half." if attackers > 1 else ""
    )
    allowed = told.get("guaranteed")
    scores = {}
    for name, key, ceiling, words in (
        ("membership_auc", "auc", 0.5, f"How well {best} tells {people} apart, as AUC"),
        (
            "membership_tpr_at_1pct_fpr",
            "tpr_at_1pct_fpr",
            0.01,
            f"How many of the training {things} {best} names, among {people}, while wrong about 1 % of those",
        ),
    ):
        beside = "" if allowed is None else f"; ε = {allowed['epsilon']:g} allows {allowed[key]:.3f} at most"
        low, high = told[f"{key}_interval"]
        scores[name] = Score(
            name,
            told[key],
            "lower",
            interval=(max(0.0, low), min(1.0, high)),
            ceiling=ceiling,
            meaning=f"{words}; the ceiling is guessing at random{beside}.{halves}",
        )
    return scores
