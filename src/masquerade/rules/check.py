"""Rules that cannot hold are refused before any training: against one another first, then against the rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import polars as pl

from masquerade.errors import RuleError
from masquerade.rules.formula import Formula
from masquerade.rules.inequality import Inequality
from masquerade.rules.interval import Range
from masquerade.rules.one_hot import OneHot
from masquerade.rules.rule import Rule

__all__ = ["check_rules"]


def check_rules(rules: Sequence[Rule], typed: pl.DataFrame) -> None:
    """Refuse rules that contradict one another or the rows.

    Args:
        rules: as from `parse_rules`.
        typed: the table to learn from, as from `masquerade.spelling.parse`.

    Raises:
        RuleError: the message names both rules, or the rule and how many rows break it.

    >>> check_rules([Inequality("a", "b"), Inequality("b", "a", strict=True)], pl.DataFrame({"a": [1], "b": [2]}))
    Traceback (most recent call last):
        ...
    masquerade.errors.RuleError: rules 'a <= b' and 'b < a' contradict each other; drop one of them.
    """
    _check_targets([rule for rule in rules if isinstance(rule, Formula)])
    _check_groups([rule for rule in rules if isinstance(rule, OneHot)])
    inequalities = [rule for rule in rules if isinstance(rule, Inequality)]
    ranges = [rule for rule in rules if isinstance(rule, Range)]
    _check_circles(inequalities)
    _check_ranges(inequalities, ranges)
    for rule in rules:
        broken = typed.height - int(rule.holds(typed, typed).sum())
        if broken:
            raise RuleError(
                f"rule {rule.text!r}: {broken:,} of {typed.height:,} rows break it; mend those rows or drop the rule."
            )


def _contradict(*rules: Rule) -> RuleError:
    *first, last = (repr(rule.text) for rule in dict.fromkeys(rules))
    other = "each other" if len(first) == 1 else "one another"
    return RuleError(f"rules {', '.join(first)} and {last} contradict {other}; drop one of them.")


def _check_targets(formulas: Sequence[Formula]) -> None:
    of: dict[str, Formula] = {}
    for rule in formulas:
        if rule.target in of:
            raise RuleError(
                f"rules {of[rule.target].text!r} and {rule.text!r} are two formulas for {rule.target!r}; drop one of them."
            )
        of[rule.target] = rule
    for start in formulas:
        path: list[Formula] = []
        if _returns(start, start.target, of, path):
            *first, last = (repr(rule.text) for rule in path)
            raise RuleError(f"rules {', '.join(first)} and {last} define each other in a circle; drop one of them.")


def _returns(rule: Formula, goal: str, of: dict[str, Formula], path: list[Formula]) -> bool:
    """Whether the operands of a formula follow from its goal in the end; `path` is then the way there."""
    path.append(rule)
    for _, name in rule.terms:
        if name == goal or (name in of and of[name] not in path and _returns(of[name], goal, of, path)):
            return True
    path.pop()
    return False


def _check_groups(groups: Sequence[OneHot]) -> None:
    of: dict[str, OneHot] = {}
    for rule in groups:
        for name in rule.columns:
            if name in of:
                raise RuleError(
                    f"rules {of[name].text!r} and {rule.text!r} share the column {name!r}, expected it in one group only; "
                    "drop one of them."
                )
            of[name] = rule


def _paths(start: str, inequalities: Sequence[Inequality]) -> Iterator[tuple[str, tuple[Inequality, ...]]]:
    """Every column that must not lie below `start`, with the shortest chain of rules that says so; strict ones first."""
    seen: set[tuple[str, bool]] = set()
    queue: list[tuple[str, tuple[Inequality, ...]]] = [(start, ())]
    while queue:
        column, chain = queue.pop(0)
        for rule in inequalities:
            longer = (*chain, rule)
            state = (rule.high, any(link.strict for link in longer))
            if rule.low == column and state not in seen:
                seen.add(state)
                queue.append((rule.high, longer))
                yield rule.high, longer


def _check_circles(inequalities: Sequence[Inequality]) -> None:
    for rule in inequalities:
        for column, chain in _paths(rule.high, inequalities):
            if column == rule.low and (rule.strict or any(link.strict for link in chain)):
                raise _contradict(rule, *chain)


def _check_ranges(inequalities: Sequence[Inequality], ranges: Sequence[Range]) -> None:
    for lower in ranges:
        low = lower.bounds[0]
        for upper in (rule for rule in ranges if rule.column == lower.column and low > rule.bounds[1]):
            raise _contradict(lower, upper)
        for column, chain in _paths(lower.column, inequalities):
            strict = any(link.strict for link in chain)
            for upper in (rule for rule in ranges if rule.column == column):
                high = upper.bounds[1]
                if low > high or (strict and low == high):
                    raise _contradict(lower, *chain, upper)
