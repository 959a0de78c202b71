"""What a study of codes found, as scores, panels and one honest sentence."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from masquerade.judge.attacks import AttributeFinding
from masquerade.judge.codes_attacks import CodesAttack
from masquerade.judge.coding import MEASURES, Forest
from masquerade.judge.panels import Grid, Panel, Rows
from masquerade.judge.scores import Score
from masquerade.release.encode import PSEUDONYMOUS, Encoder

__all__ = ["GROUPS", "RAW", "WHOLE", "attack_panel", "drivers_panel", "honest", "scores_of", "secrets_panel"]

RAW, WHOLE, GROUPS = "raw", "whole", "groups"
"""Kinds of features that are compared."""


def honest(attack: CodesAttack, codes: int) -> str:
    """The sentence that a release of codes owes its readers, with what an attacker did to this one."""
    known = [name for name in attack.reconstruction_r2 if name not in ("0", "encoder")]
    if not known:
        return PSEUDONYMOUS
    most = max(known, key=int)
    rebuilt, linked = attack.reconstruction_r2[most][0], attack.linkage_top1[most][0]
    return (
        f"Codes are pseudonymous, not anonymous: with {codes} numbers a record, an attacker with {int(most):,} known pairs of "
        f"record and code rebuilds {max(rebuilt, 0):.0%} of the variance of other records and finds {linked:.0%} of "
        f"{attack.candidates:,} people again; a secret rotation of the codes changes nothing."
    )


def attack_panel(attack: CodesAttack, sentence: str) -> Panel:
    def told(found: tuple[float, tuple[float, float] | None]) -> tuple[str, str]:
        value, interval = found
        return f"{value:.3f}", "" if interval is None else f"{interval[0]:.3f} – {interval[1]:.3f}"

    rows = []
    for known, found in attack.reconstruction_r2.items():
        who = "the encoder itself" if known == "encoder" else f"{int(known):,} known pairs"
        rows.append((who, *told(found), *told(attack.linkage_top1[known])))
    header = ("the attacker has", "reconstruction_r2", "95 % interval", "linkage_top1", "95 % interval ")
    note = (
        f"{sentence} Rebuilt: the share of the variance of {attack.rows:,} unseen records; found again: how often the record "
        f"nearest to what a code says is its own, among {attack.candidates:,}."
    )
    return Panel("What the codes tell an attacker", note, table=Rows(header, tuple(rows)))


def drivers_panel(encoder: Encoder, table: Any) -> Panel:
    moved = encoder.attributions(table)
    names = moved.columns[1:]
    grid = Grid(
        "mean |change of the code| for one standard deviation of the input",
        tuple(moved.get_column("column").to_list()),
        tuple(names),
        tuple(tuple(float(value) for value in row[1:]) for row in moved.iter_rows()),
    )
    note = (
        "How much each column moves each code, from the encoder's slopes. It tells how the encoder works, and so helps an "
        "attacker: for the owner's eyes only."
    )
    return Panel("Which inputs drive each code", note, chart=grid, owner_only=True)


def scores_of(
    forests: Mapping[str, Forest],
    attack: CodesAttack,
    secrets: Mapping[str, tuple[AttributeFinding, AttributeFinding]],
    released: str,
) -> dict[str, Score]:
    """The scores of a release of codes; `released` says which kind of features it is."""
    scores: dict[str, Score] = {}
    meaning = "A forest of shallow trees on {}, cross-validated; the ceiling is the raw features' figure."
    kinds = {RAW: "the raw features", WHOLE: "codes of the whole table", GROUPS: "codes by groups"}
    for measure in MEASURES if forests else ():
        ceiling = forests[RAW].test[measure].value
        own = forests[released].test[measure]
        scores[measure] = Score(measure, own.value, "higher", own.interval, ceiling, meaning.format(kinds[released]))
        for name, forest in forests.items():
            key, mean = f"{measure}_{name}", forest.test[measure]
            top = None if name == RAW else ceiling
            scores[key] = Score(key, mean.value, "higher", mean.interval, top, meaning.format(kinds[name]))
    known = [name for name in attack.reconstruction_r2 if name not in ("0", "encoder")]
    most = max(known, key=int) if known else next(iter(attack.reconstruction_r2), None)
    if most is not None:
        who = "with the encoder" if most == "encoder" else f"with {int(most):,} known pairs of record and code"
        value, interval = attack.reconstruction_r2[most]
        scores["reconstruction_r2"] = Score(
            "reconstruction_r2",
            value,
            "lower",
            interval,
            0.0,
            f"Variance of unseen records rebuilt by an attacker {who}.",
        )
        value, interval = attack.linkage_top1[most]
        chance = 1 / attack.candidates
        scores["linkage_top1"] = Score(
            "linkage_top1",
            value,
            "lower",
            interval,
            chance,
            f"How often an attacker {who} finds a person among {attack.candidates:,}; the ceiling is chance.",
        )
    if secrets:
        name, (worst, left_out) = max(secrets.items(), key=lambda item: item[1][0].value)
        scores["attribute_auc"] = Score(
            "attribute_auc",
            worst.value,
            "lower",
            worst.interval,
            0.0 if math.isnan(worst.auc) else 0.5,
            f"How well fresh attackers guess the secret {name!r} from the codes (by correlation where it is a number); "
            f"from the other columns as they are: {left_out.value:.3f}.",
        )
    return scores


def secrets_panel(found: Mapping[str, tuple[AttributeFinding, AttributeFinding]]) -> Panel:
    """How well fresh attackers guess secrets from the codes, and from the other columns as they are."""
    rows = []
    for name, (coded, left_out) in found.items():
        low, high = coded.interval or (coded.value, coded.value)
        what = "correlation" if math.isnan(coded.auc) else "AUC"
        rows.append((f"{name} ({what})", f"{coded.value:.3f}", f"{low:.3f} – {high:.3f}", f"{left_out.value:.3f}"))
    header = ("secret", "from the codes", "95 % interval", "from the other columns")
    note = (
        "Boosting, a small network and nearest neighbours, trained afresh on half of the people, guess the secret of the other "
        "half; beside it what they reach with the other columns as they are, as if the secret were only dropped."
    )
    return Panel("What the codes tell of secrets", note, table=Rows(header, tuple(rows)))
