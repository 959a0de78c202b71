"""Rules as users give them (objects, text, mappings) to checked rules about a schema's columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from masquerade.errors import RuleError, nearest
from masquerade.rules.fixed import FixedCombinations
from masquerade.rules.formula import Formula
from masquerade.rules.inequality import Inequality
from masquerade.rules.interval import Range
from masquerade.rules.one_hot import YES_WORDS, OneHot
from masquerade.rules.rule import Rule
from masquerade.rules.text import RELATIONS, Linear, Token, linear, spell_name, tokens

if TYPE_CHECKING:
    from masquerade.schema import Column, Schema

__all__ = ["RULE_KINDS", "parse_rules"]

RULE_KINDS: dict[str, type[Rule]] = {
    kind.kind: kind for kind in (FixedCombinations, Inequality, Range, Formula, OneHot)
}
"""Every kind of rule by the word for it."""

_SHAPES = '"a <= b", "0 <= a <= 120" or "total = a + b"'
_NUMBERS = ("integer", "continuous")


def parse_rules(items: Iterable[Rule | str | Mapping[str, Any]], schema: Schema) -> tuple[Rule, ...]:
    """Checked rules about the columns of a schema, each once.

    Args:
        items: rule objects; texts such as `"start <= end"`, `"0 <= age <= 120"`, `"total = a + b"` (a name that is not
            a plain word may stand in backticks or quotes); or mappings as in `schema.toml`, such as
            `{"kind": "one_hot", "columns": ["car", "bus"]}`.
        schema: the columns, their kinds and their decimals.

    Returns:
        The rules in order. One text may hold several: `"0 <= a <= b"` is a range and an inequality. A strict bound
        becomes the next number that the column can hold: `age > 18` is `age >= 19`.

    Raises:
        RuleError: a rule cannot be read, names a column that is not there (the nearest is named), or one whose kind it
            cannot hold for.

    >>> from masquerade.schema import Column, Schema
    >>> schema = Schema((Column("age", "integer"), Column("first job", "integer")))
    >>> [rule.text for rule in parse_rules(["0 < first job <= age"], schema)]
    ['`first job` >= 1', '`first job` <= age']
    """
    if isinstance(items, str | Mapping) or not isinstance(items, Iterable):
        raise RuleError(f"rules: got {items!r}, expected a list of rules such as [{_SHAPES.split(',')[0]}].")
    rules: dict[Rule, None] = {}
    for item in items:
        for rule in _read(item, schema):
            rules[_checked(rule, schema)] = None
    return tuple(rules)


def _read(item: Any, schema: Schema) -> Sequence[Rule]:
    if isinstance(item, str):
        return _of_text(item, schema)
    if isinstance(item, tuple(RULE_KINDS.values())):
        return [cast(Rule, item)]
    if not isinstance(item, Mapping):
        raise RuleError(
            f"rules: got {item!r}, expected a rule object, text such as {_SHAPES}, or a mapping with a kind."
        )
    kind = item.get("kind")
    if not isinstance(kind, str) or kind not in RULE_KINDS:
        hint = nearest(str(kind), RULE_KINDS)
        raise RuleError(f"rules: kind is {kind!r}, expected one of {', '.join(RULE_KINDS)}{hint}.")
    fields = dict(item)
    if kind == Formula.kind and isinstance(fields.get("formula"), str):
        # Names that are bare in this schema are written in a way that stands on its own.
        fields["formula"] = linear(tokens(fields["formula"], schema.names), fields["formula"]).text
    return [RULE_KINDS[kind].from_dict(fields)]


def _of_text(text: str, schema: Schema) -> Sequence[Rule]:
    """The rules in one text: a formula, or a chain of comparisons."""
    operands: list[list[Token]] = [[]]
    signs: list[str] = []
    for piece in tokens(text, schema.names):
        if piece.kind == "sign" and piece.value in RELATIONS:
            signs.append(piece.value)
            operands.append([])
        else:
            operands[-1].append(piece)
    if not signs:
        raise RuleError(f"rule {text!r}: there is no <=, <, >=, > or = in it, expected something like {_SHAPES}.")
    sides = [linear(operand, text) for operand in operands]
    for _, name in (term for side in sides for term in side.terms):
        _known(name, text, schema)
    if "=" in signs:
        return [_equation(sides, text)]
    if len({sign[0] for sign in signs}) > 1:
        raise RuleError(f"rule {text!r}: it points both ways, expected only < and <= or only > and >= in one rule.")
    if signs[0][0] == ">":
        sides, signs = sides[::-1], signs[::-1]
    return _merged(
        [_comparison(a, b, len(s) == 1, text, schema) for a, b, s in zip(sides, sides[1:], signs, strict=False)]
    )


def _equation(sides: list[Linear], text: str) -> Formula:
    if len(sides) != 2 or all(side.column is None for side in sides):
        raise RuleError(
            f'rule {text!r}: expected one = with a single column on one of its sides, such as "total = a + b".'
        )
    target, right = sides if sides[0].column is not None else sides[::-1]
    if right.moment is not None:
        raise RuleError(f"rule {text!r}: got a moment, expected a sum of numeric columns on one side.")
    return Formula(str(target.column), right.terms, right.constant)


def _comparison(low: Linear, high: Linear, strict: bool, text: str, schema: Schema) -> Inequality | Range:
    """`low <= high` (or `<`) as a rule."""
    for side in (low, high):
        if side.terms and side.column is None:
            raise RuleError(
                f"rule {text!r}: got the sum {side.text!r} in a comparison, expected single columns, numbers or moments; "
                "make the sum a column of its own by a formula."
            )
    if low.column is not None and high.column is not None:
        return Inequality(low.column, high.column, strict)
    name = low.column if high.column is None else high.column
    if name is None:
        raise RuleError(
            f"rule {text!r}: no column stands beside {low.text if low.moment is None else low.moment}, expected one."
        )
    side = high if low.column is not None else low
    bound = side.moment if side.moment is not None else side.constant
    if strict:
        bound = _within(bound, schema[name], -1 if low.column is not None else 1, text)
    if isinstance(bound, float) and bound.is_integer():
        bound = int(bound)
    return Range(name, None, bound) if low.column is not None else Range(name, bound, None)


def _within(bound: float | str, column: Column, direction: int, text: str) -> float:
    """The next number of the column beyond a bound that is itself left out."""
    decimals = 0 if column.kind == "integer" else column.decimals
    if isinstance(bound, str) or column.kind not in _NUMBERS or decimals is None:
        sign = ">=" if direction > 0 else "<="
        raise RuleError(
            f"rule {text!r}: a bound belongs to the range it ends, expected {spell_name(column.name)} {sign} the last "
            "value that is allowed."
        )
    scaled = bound * 10.0**decimals
    step = _floor(scaled) + 1 if direction > 0 else -_floor(-scaled) - 1
    return round(step / 10.0**decimals, decimals)


def _floor(value: float) -> int:
    """The floor, where what floating products lose counts as nothing."""
    nearest_whole = round(value)
    return nearest_whole if abs(value - nearest_whole) < 1e-9 * max(1.0, abs(value)) else int(value // 1)


def _merged(rules: list[Inequality | Range]) -> list[Rule]:
    """Two bounds of the same column side by side (`0 <= a <= 9`) as one range."""
    merged: list[Rule] = []
    for rule in rules:
        last = merged[-1] if merged else None
        if isinstance(rule, Range) and isinstance(last, Range) and last.column == rule.column:
            merged[-1] = Range(rule.column, last.minimum, rule.maximum)
        else:
            merged.append(rule)
    return merged


def _known(name: str, text: str, schema: Schema) -> None:
    if name not in schema:
        raise RuleError(f"rule {text!r}: there is no column {name!r}{nearest(name, schema.names)}.")


def _checked(rule: Rule, schema: Schema) -> Rule:
    """The rule, if its columns are there and of a kind it can hold for."""
    for name in rule.columns:
        _known(name, rule.text, schema)
    columns = [schema[name] for name in rule.columns]
    if isinstance(rule, Range):
        allowed: tuple[str, ...] = ("datetime",) if rule.of_moments else _NUMBERS
        _expect(rule, columns, allowed, "a moment" if rule.of_moments else "a number", " beside this bound")
    elif isinstance(rule, Inequality):
        _expect(rule, columns, (*_NUMBERS, "datetime"), "a number or a moment")
        if len({column.kind == "datetime" for column in columns}) > 1:
            raise RuleError(
                f"rule {rule.text!r}: it compares a number with a moment, expected two columns of one sort."
            )
    elif isinstance(rule, Formula):
        _expect(rule, columns, _NUMBERS, "a number")
        return replace(rule, decimals=0 if columns[0].kind == "integer" else columns[0].decimals)
    elif isinstance(rule, OneHot):
        _expect(rule, columns, (*_NUMBERS, "boolean", "categorical"), "a number, a boolean or two words")
        for column in columns:
            words = (
                {level.strip().lower() for level in column.levels or ()} if column.kind == "categorical" else {"yes"}
            )
            if words and words.isdisjoint(YES_WORDS):
                raise RuleError(
                    f"rule {rule.text!r}: column {column.name!r} has no level for yes, expected one of {', '.join(YES_WORDS)}."
                )
    else:
        _expect(rule, columns, (*_NUMBERS, "datetime", "boolean", "categorical", "text"), "anything but an id")
        if schema.unit in rule.columns:
            raise RuleError(
                f"rule {rule.text!r}: column {schema.unit!r} is the unit, whose values are never released, expected others."
            )
    return rule


def _expect(rule: Rule, columns: Sequence[Column], kinds: Sequence[str], wanted: str, where: str = "") -> None:
    for column in columns:
        if column.kind not in kinds:
            raise RuleError(
                f"rule {rule.text!r}: column {column.name!r} is of kind {column.kind}, expected {wanted}{where}; change the "
                "rule, or the column's kind in the schema."
            )
