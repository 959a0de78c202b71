"""Drawn rows brought to meet business rules: computed where a formula says how, drawn anew, mended last."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl
from numpy.typing import NDArray

from masquerade import seeds
from masquerade.rules.enforce import Enforcer

__all__ = ["enforced"]

ROUNDS = 20
"""How often rows that break a rule are drawn anew before they are mended."""


def enforced(
    enforcer: Enforcer,
    typed: pl.DataFrame,
    again: Callable[[NDArray[np.intp], int], pl.DataFrame],
    *,
    given: frozenset[str],
    redrawn: list[str],
    seed: int,
) -> pl.DataFrame:
    """The rows with every rule met in every row.

    Args:
        enforcer: the rules.
        typed: drawn rows.
        again: (which rows, round) to as many other draws of them.
        given: columns that must stay as they are.
        redrawn: the columns that a new draw replaces; the others (fresh ids) stay.
        seed: of the mending.
    """
    typed = enforcer.settle(typed, given)
    before = typed.height + 1
    for turn in range(ROUNDS):
        wrong = np.flatnonzero(enforcer.broken(typed))
        # Where nine in ten redraws fail again, the rest is better mended than drawn for ever.
        if not wrong.size or wrong.size > 0.9 * before:
            break
        before = wrong.size
        fresh = enforcer.settle(again(wrong, turn), given)
        typed = typed.with_columns(typed.get_column(name).scatter(wrong, fresh.get_column(name)) for name in redrawn)
    return enforcer.repair(typed, given, seeds.stream(seed, "mend"))
