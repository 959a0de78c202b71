"""Drawn rows made to meet the rules: `Enforcer`, learned at fit, saved with the model.

A synthesizer decodes a draw, lets `settle` compute what formulas define, draws the rows anew that `broken` names, and
has `repair` mend what is left.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from masquerade.errors import ConditionError, RuleError
from masquerade.rules.combinations import Combinations, tied_rules, warn_of_rare
from masquerade.rules.equations import Step, plan, solve
from masquerade.rules.formula import Formula, as_floats
from masquerade.rules.grid import Grid, grid_of
from masquerade.rules.groups import Group
from masquerade.rules.inequality import Inequality
from masquerade.rules.interval import Range
from masquerade.rules.numbers import matrix, mend_numbers, put_back
from masquerade.rules.one_hot import OneHot
from masquerade.rules.parse import RULE_KINDS
from masquerade.rules.rule import Rule
from masquerade.rules.sweep import System, intervals, systems

if TYPE_CHECKING:
    from masquerade.schema import Schema

__all__ = ["Enforcer"]

Floats = NDArray[np.float64]

_ATTEMPTS = 50
"""How often combinations and groups are chosen anew for rows whose numbers they leave no way."""


@dataclass(frozen=True)
class Enforcer:
    """The rules, and what must be known to mend rows by them; it holds no value that too few units share.

    Args:
        rules: as from `parse_rules`.
        grids: which values each numeric column of a rule can hold.
        combinations: one per set of columns that fixed combinations tie together.
        groups: one per one-hot rule.

    >>> from masquerade.schema import Column, Schema
    >>> schema = Schema((Column("low", "integer"), Column("high", "integer")), rules=("low <= high",))
    >>> enforcer = Enforcer.learn(schema.rules, pl.DataFrame({"low": [1] * 20, "high": [2] * 20}), schema)
    >>> drawn = pl.DataFrame({"low": [1, 9], "high": [3, 4]})
    >>> enforcer.broken(drawn).tolist()
    [False, True]
    >>> enforcer.repair(drawn, frozenset(), np.random.default_rng(0)).rows()
    [(1, 3), (4, 9)]
    """

    rules: tuple[Rule, ...]
    grids: Mapping[str, Grid]
    combinations: tuple[Combinations, ...]
    groups: tuple[Group, ...]

    @classmethod
    def learn(
        cls,
        rules: Sequence[Rule],
        typed: pl.DataFrame,
        schema: Schema,
        protect: int = 10,
        units: pl.Series | None = None,
    ) -> Self:
        """Learn from the real rows.

        Args:
            rules: as from `parse_rules`, checked by `check_rules`.
            typed: the real rows.
            schema: of the rows; a column's own `protect` goes before the other where it is greater.
            protect: how many units must share a combination for it to be drawn.
            units: unit of each row, as from `masquerade.privacy.protect.unit_series`; None: each row is its own.

        Raises:
            RuleError: no combination of fixed columns is shared by enough units.
        """

        def least(columns: Sequence[str]) -> int:
            own = [schema[name].protect for name in columns]
            return max(protect if threshold is None else threshold for threshold in own)

        numeric = {name for rule in rules if isinstance(rule, Inequality | Range | Formula) for name in rule.columns}
        grids = {name: grid_of(typed.get_column(name), schema[name]) for name in schema.names if name in numeric}
        combinations = []
        for tied in tied_rules(rules):
            columns = list(dict.fromkeys(name for rule in tied for name in rule.columns))
            found = Combinations.learn(typed, columns, least(columns), units)
            warn_of_rare(tied, found, typed.drop_nulls(columns).height, least(columns))
            combinations.append(found)
        groups = [Group.learn(r, typed, least(r.columns), units) for r in rules if isinstance(r, OneHot)]
        return cls(tuple(rules), grids, tuple(combinations), tuple(groups))

    # ── what drawn rows go through ─────────────────────────────────────────────────────────────────────────────

    def settle(self, typed: pl.DataFrame, keep: frozenset[str]) -> pl.DataFrame:
        """The rows with what formulas define computed and rounded to the column's decimals.

        Args:
            typed: drawn rows; a formula that lacks a value is left alone.
            keep: given columns: they do not change; a formula whose target is given computes one of its terms.
        """
        for step in self._plan(keep):
            typed = solve(step, typed, self.grids[step.output])
        return typed

    def broken(self, typed: pl.DataFrame) -> NDArray[np.bool_]:
        """Which rows break a rule; shape (rows,)."""
        return self._any_broken(typed, self.rules)

    def repair(self, typed: pl.DataFrame, keep: frozenset[str], rng: np.random.Generator) -> pl.DataFrame:
        """The rows with every rule met; only rows that break one are changed, and those as little as need be.

        Fixed combinations become the nearest known one, a one-hot group keeps one of its ones, numbers are swapped,
        where that is enough, or moved to the nearest values that meet inequalities, ranges and formulas together.
        Missing values stay missing.

        Args:
            typed: drawn rows.
            keep: given columns: they do not change.
            rng: of the draws.

        Raises:
            ConditionError: given values leave no way to meet a rule; the message names it.
            RuleError: the rules leave none, without any value given.
        """
        wrong = self.broken(typed)
        if not wrong.any():
            return typed
        drawn = typed.filter(wrong)
        rows = self._mend(drawn, keep, rng)
        still = self.broken(rows)
        for _ in range(_ATTEMPTS if self._linked else 0):
            if not still.any():
                break
            # What was chosen for combinations and groups left the numbers no way: choose anew.
            rows = put_back(rows, still, self._mend(drawn.filter(still), keep, rng, anew=True))
            still = self.broken(rows)
        if still.any():
            self._refuse(rows.filter(still), keep, typed.height)
        places = np.flatnonzero(wrong)
        names = dict.fromkeys(name for rule in self.rules for name in rule.columns)
        return typed.with_columns(typed.get_column(name).scatter(places, rows.get_column(name)) for name in names)

    # ── mending ────────────────────────────────────────────────────────────────────────────────────────────────

    def _mend(
        self, rows: pl.DataFrame, keep: frozenset[str], rng: np.random.Generator, *, anew: bool = False
    ) -> pl.DataFrame:
        frozen = keep
        for tied, known in zip(tied_rules(self.rules), self.combinations, strict=True):
            within = self._within(rows, frozen, known.table.columns)
            wrong = self._any_broken(rows, tied) | _outside(rows, within) | anew
            part = rows.filter(wrong)
            limits = {name: (low[wrong], high[wrong]) for name, (low, high) in within.items()}
            rows = put_back(rows, wrong, known.put(part, known.nearest(part, frozen, limits, rng, anew=anew)))
            frozen |= set(known.table.columns)
        for group in self.groups:
            wrong = ~group.rule.holds(rows).to_numpy() | anew
            rows = put_back(rows, wrong, group.repair(rows.filter(wrong), frozen, rng, anew=anew))
        frozen |= {name for group in self.groups for name in group.rule.columns}
        steps = self._plan(frozen)
        for system in self._systems:
            rows = mend_numbers(rows, system, frozen, steps)
        return rows

    def _within(
        self, rows: pl.DataFrame, frozen: frozenset[str], columns: Sequence[str]
    ) -> dict[str, tuple[Floats, Floats]]:
        """What the numeric rules and the frozen columns leave to numeric columns of fixed combinations."""
        found: dict[str, tuple[Floats, Floats]] = {}
        for system in self._reach:
            shared = [name for name in columns if name in system.names]
            if shared:
                fixed = np.array([name in frozen for name in system.names])
                low, high = intervals(system, matrix(rows, system.names), fixed)
                places = [system.names.index(name) for name in shared]
                found |= {name: (low[:, j], high[:, j]) for name, j in zip(shared, places, strict=True)}
        return found

    # ── helpers ────────────────────────────────────────────────────────────────────────────────────────────────

    @cached_property
    def _systems(self) -> tuple[System, ...]:
        return systems(self.rules, self.grids)

    @cached_property
    def _linked(self) -> bool:
        """Whether the choice of a combination or of a group's column touches other rules."""
        columns = [name for known in self.combinations for name in known.table.columns]
        columns += [name for group in self.groups for name in group.rule.columns]
        return len(set(columns)) < len(columns) or not set(columns).isdisjoint(self.grids)

    @cached_property
    def _reach(self) -> tuple[System, ...]:
        """The systems, with what the known combinations allow as ranges."""
        extents = [reach for known in self.combinations for reach in known.extents() if reach.column in self.grids]
        return systems([*self.rules, *extents], self.grids)

    @cached_property
    def _known(self) -> dict[Rule, pl.DataFrame]:
        """By fixed combination the table that has it."""
        groups = zip(tied_rules(self.rules), self.combinations, strict=True)
        return {rule: known.table for tied, known in groups for rule in tied}

    def _plan(self, keep: frozenset[str]) -> tuple[Step, ...]:
        formulas = [rule for rule in self.rules if isinstance(rule, Formula)]
        busy = {name for rule in self.rules if not isinstance(rule, Formula) for name in rule.columns}
        return plan(formulas, keep, self.grids, busy)

    def _any_broken(self, typed: pl.DataFrame, rules: Sequence[Rule]) -> NDArray[np.bool_]:
        wrong = np.zeros(typed.height, dtype=np.bool_)
        for rule in rules:
            wrong |= ~rule.holds(typed, self._known.get(rule)).to_numpy()
        return wrong

    def _refuse(self, rows: pl.DataFrame, keep: frozenset[str], total: int) -> None:
        """Raise for rows that could not be mended."""
        counts = {rule: int(self._any_broken(rows, [rule]).sum()) for rule in self.rules}
        rule = max(self.rules, key=lambda rule: counts[rule])
        related, before = set(rule.columns), set[str]()
        while related != before:
            before = set(related)
            related |= {name for r in self.rules if not related.isdisjoint(r.columns) for name in r.columns}
        given = [name for name in rows.columns if name in keep and name in related]
        if given:
            listed = ", ".join(map(repr, given))
            raise ConditionError(
                f"given: rule {rule.text!r} cannot be met in {rows.height:,} of {total:,} rows with the given values of "
                f"{listed}; give other values, or leave a column out."
            )
        raise RuleError(
            f"rule {rule.text!r}: {rows.height:,} of {total:,} drawn rows cannot meet it together with the other rules; "
            "drop one that shares its columns."
        )

    # ── state ──────────────────────────────────────────────────────────────────────────────────────────────────

    def to_state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """What it takes to rebuild it: JSON data, and arrays."""
        config: dict[str, Any] = {
            "rules": [rule.to_dict() for rule in self.rules],
            "grids": {name: [grid.decimals, grid.step] for name, grid in self.grids.items()},
        }
        arrays: dict[str, NDArray[Any]] = {}
        for word, parts in (("combinations", self.combinations), ("groups", self.groups)):
            states = [part.to_state() for part in parts]
            config[word] = [state for state, _ in states]
            arrays |= {f"{word}/{i}/{k}": v for i, (_, kept) in enumerate(states) for k, v in kept.items()}
        return config, arrays

    @classmethod
    def from_state(cls, config: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The reverse of `to_state`."""
        grids = {name: Grid(decimals, step) for name, (decimals, step) in config["grids"].items()}
        rules = [RULE_KINDS[fields["kind"]].from_dict(fields) for fields in config["rules"]]
        rules = [replace(r, decimals=grids[r.target].decimals) if isinstance(r, Formula) else r for r in rules]

        def kept(head: str) -> dict[str, NDArray[Any]]:
            return {name.removeprefix(head): value for name, value in arrays.items() if name.startswith(head)}

        combinations = [
            Combinations.from_state(part, kept(f"combinations/{i}/")) for i, part in enumerate(config["combinations"])
        ]
        one_hot = [rule for rule in rules if isinstance(rule, OneHot)]
        groups = [
            Group.from_state(rule, part, kept(f"groups/{i}/"))
            for i, (rule, part) in enumerate(zip(one_hot, config["groups"], strict=True))
        ]
        return cls(tuple(rules), grids, tuple(combinations), tuple(groups))


def _outside(rows: pl.DataFrame, within: Mapping[str, tuple[Floats, Floats]]) -> NDArray[np.bool_]:
    outside = np.zeros(rows.height, dtype=np.bool_)
    for name, (low, high) in within.items():
        values = as_floats(rows.get_column(name))
        outside |= (values < low) | (values > high)
    return outside
