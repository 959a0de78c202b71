"""Business rules: the share of rows that meet them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from masquerade.judge.figures import Outcome
from masquerade.judge.scores import Score
from masquerade.metrics.intervals import wilson
from masquerade.rules.rule import Rule

__all__ = ["rule_adherence"]


def rule_adherence(typed: Mapping[str, pl.DataFrame], rules: Sequence[Rule]) -> Outcome:
    """The share of released rows that meet every rule, and rule by rule; nothing without rules.

    A rule about fixed combinations takes those of the real rows.

    Args:
        typed: the tables `real`, `released` and perhaps `holdout`.
        rules: as a schema has them.

    Returns:
        The score `rule_adherence`, and the fact `rules`: a list of `{"rule", "released", "holdout"}` with the shares of
        rows that meet each one (None without a holdout).
    """
    if not rules:
        return Outcome()
    real, released, holdout = typed["real"], typed["released"], typed.get("holdout")
    ours = _met(released, real, rules)
    theirs = None if holdout is None else _met(holdout, real, rules)
    every = int(ours.all(axis=0).sum())
    shares: list[dict[str, Any]] = [
        {
            "rule": rule.text,
            "released": float(ours[place].mean()),
            "holdout": None if theirs is None else float(theirs[place].mean()),
        }
        for place, rule in enumerate(rules)
    ]
    worst = min(shares, key=lambda found: found["released"])
    meaning = f"The share of released rows that meet all business rules ({len(rules)})."
    if worst["released"] < 1:
        meaning += f" Broken most often: {worst['rule']} ({1 - worst['released']:.2%} of rows)."
    score = Score(
        "rule_adherence",
        every / released.height,
        "higher",
        interval=wilson(every, released.height),
        ceiling=None if theirs is None else float(theirs.all(axis=0).mean()),
        meaning=meaning,
    )
    return Outcome(scores={score.name: score}, facts={"rules": shares})


def _met(table: pl.DataFrame, real: pl.DataFrame, rules: Sequence[Rule]) -> NDArray[np.bool_]:
    """Which rules each row meets, shape (rules, rows)."""
    return np.stack([rule.holds(table, real).to_numpy() for rule in rules])
