"""Business rules under a guarantee: those that the declaration completes are enforced, the others refused."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from masquerade.codec.public_grid import step_of
from masquerade.codec.table import TableCodec
from masquerade.errors import RuleError
from masquerade.rules.enforce import Enforcer
from masquerade.rules.fixed import FixedCombinations
from masquerade.rules.formula import Formula
from masquerade.rules.grid import Grid
from masquerade.rules.groups import Group
from masquerade.rules.inequality import Inequality
from masquerade.rules.interval import Range
from masquerade.rules.one_hot import YES_WORDS, OneHot, is_on
from masquerade.rules.rule import Rule
from masquerade.schema import Column, Schema

__all__ = ["check_rules_declared", "declared_enforcer"]


def check_rules_declared(rules: Sequence[Rule]) -> None:
    """Refuse a rule that says "as in the rows": which combinations there are would have to be learned from them.

    Raises:
        RuleError: there is such a rule.
    """
    for rule in rules:
        if isinstance(rule, FixedCombinations):
            raise RuleError(
                f"rule {rule.text!r}: which combinations there are is known from the rows alone, and would tell of them; drop "
                "the rule, or join the columns into one whose levels are declared."
            )


def declared_enforcer(schema: Schema, codec: TableCodec) -> Enforcer | None:
    """What makes drawn rows meet the rules, from declared facts and noised shares; None without a rule.

    Whether the real rows meet them is not looked at.
    """
    if not schema.rules:
        return None
    numeric = {name for rule in schema.rules if isinstance(rule, Inequality | Range | Formula) for name in rule.columns}
    grids = {name: _grid(schema[name]) for name in schema.names if name in numeric}
    groups = tuple(_group(rule, schema, codec) for rule in schema.rules if isinstance(rule, OneHot))
    return Enforcer(tuple(schema.rules), grids, (), groups)


def _grid(column: Column) -> Grid:
    if column.kind == "datetime":
        return Grid(0, step_of(column))
    return Grid(0 if column.kind == "integer" else column.decimals)


def _group(rule: OneHot, schema: Schema, codec: TableCodec) -> Group:
    """Each column's weight is the noised share of its codes that mean yes."""
    weights, yes, no = [], [], []
    for name in rule.columns:
        codes = np.arange(codec.codecs[name].size, dtype=np.int32)
        scalars = np.zeros(codes.size, np.float32)
        on = is_on(codec.codecs[name].decode(codes, scalars, np.random.default_rng(0))).to_numpy()
        place = codec.layout.names.index(name) if name in codec.layout.names else None
        shares = np.ones(codes.size) if place is None else codec.layout.frequencies[place]
        weights.append(float(shares[on].sum()))
        words = schema[name].levels if schema[name].kind == "categorical" else None
        yes.append(None if words is None else next((w for w in words if _means_yes(w)), "yes"))
        no.append(None if words is None else next((w for w in words if not _means_yes(w)), "no"))
    return Group(rule, np.array(weights), tuple(yes), tuple(no))


def _means_yes(word: str) -> bool:
    return word.strip().lower() in YES_WORDS
