"""One-hot groups: how often each column is on, what on and off look like, and rows put right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from masquerade.rules.one_hot import OneHot, is_on

__all__ = ["Group"]


@dataclass(frozen=True)
class Group:
    """What is known of a one-hot group.

    Args:
        rule: the rule.
        weights: rows in which each column was on, 0 where too few units had it on; shape (columns,).
        on: the word for yes of each column of words; None for numbers and booleans.
        off: the word for no, likewise.
    """

    rule: OneHot
    weights: NDArray[np.float64]
    on: tuple[str | None, ...]
    off: tuple[str | None, ...]

    @classmethod
    def learn(cls, rule: OneHot, typed: pl.DataFrame, protect: int, units: pl.Series | None) -> Self:
        """Count how often each column is on.

        Args:
            rule: the rule.
            typed: the real rows.
            protect: least number of different units that must have a column on for it to be drawn.
            units: unit of each row; None: each row is its own.
        """
        weights, words = [], []
        for name in rule.columns:
            values = typed.get_column(name)
            on = is_on(values)
            count = int(on.sum())
            holders = count if units is None else units.filter(on).n_unique()
            weights.append(float(count) if holders >= protect else 0.0)
            words.append((_word(values, on, "yes"), _word(values, ~on, "no")))
        return cls(rule, np.array(weights), tuple(yes for yes, _ in words), tuple(no for _, no in words))

    def repair(
        self, rows: pl.DataFrame, keep: frozenset[str], rng: np.random.Generator, *, anew: bool = False
    ) -> pl.DataFrame:
        """The rows with exactly one column on: a given one, else one of those that are on at random, else one by frequency.

        Rows that the given columns make impossible stay as they are.

        Args:
            rows: typed.
            keep: columns that must not change.
            rng: of the draws.
            anew: draw by frequency whatever is on, also in rows with one on.
        """
        columns = self.rule.columns
        on = np.stack([is_on(rows.get_column(name)).to_numpy() for name in columns], axis=1)
        missing = np.stack([rows.get_column(name).is_null().to_numpy() for name in columns], axis=1)
        free = np.array([name not in keep for name in columns])
        given = on & ~free
        weights = np.where(self.weights > 0, self.weights, 1e-9 * max(float(self.weights.sum()), 1.0))
        odds = np.where(free, weights, 0.0) * np.where(missing & ~on, 1e-9, 1.0)
        if not anew:
            odds = np.where((on & free).any(axis=1, keepdims=True), on & free, odds)
        odds = np.where(given.any(axis=1, keepdims=True), given, odds)
        with np.errstate(divide="ignore"):
            chosen = (np.log(odds) + rng.gumbel(size=odds.shape)).argmax(axis=1)
        wrong = (anew | (on.sum(axis=1) != 1)) & (given.sum(axis=1) <= 1) & (odds.sum(axis=1) > 0)
        changed = []
        for j, name in enumerate(columns):
            if not free[j]:
                continue
            values = rows.get_column(name)
            turn_on, turn_off = wrong & (chosen == j) & ~on[:, j], wrong & (chosen != j) & on[:, j]
            values = _put(values, turn_on, self.on[j], True)
            changed.append(_put(values, turn_off, self.off[j], False))
        return rows.with_columns(changed)

    def to_state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Words, and counts."""
        return {"on": list(self.on), "off": list(self.off)}, {"weights": self.weights}

    @classmethod
    def from_state(cls, rule: OneHot, config: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The reverse of `to_state`."""
        return cls(rule, arrays["weights"], tuple(config["on"]), tuple(config["off"]))


def _word(values: pl.Series, rows: pl.Series, otherwise: str) -> str | None:
    """The most frequent word in some rows of a column of words; None for numbers and booleans."""
    if values.dtype != pl.String:
        return None
    words: Sequence[str] = values.filter(rows).drop_nulls().mode().sort().to_list()
    return words[0] if words else otherwise


def _put(values: pl.Series, rows: NDArray[np.bool_], word: str | None, number: bool) -> pl.Series:
    places = np.flatnonzero(rows)
    if not places.size:
        return values
    return values.scatter(places, word if word is not None else pl.Series([number]).cast(values.dtype)[0])
