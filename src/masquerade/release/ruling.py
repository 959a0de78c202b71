"""Columns masked by rules: checked against the table, and their cells made."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Callable, Collection, Mapping

import polars as pl

from masquerade import seeds
from masquerade.errors import MasqueradeWarning, SettingError
from masquerade.frames import FrameKind
from masquerade.masking import Batch, Replace
from masquerade.masking.keys import Key
from masquerade.masking.mask_rules import Rule
from masquerade.release.hiding import Flags
from masquerade.schema import Schema

__all__ = ["check_streams", "random_key", "ruled", "settled", "suited"]


def suited(rules: Mapping[str, Rule], schema: Schema, masked: Collection[str]) -> dict[str, Rule]:
    """The rules that an explicit mask needs: codes and free text are learned only where they are masked.

    Args:
        rules: by column.
        schema: what the columns are.
        masked: columns with masked cells.
    """
    return {
        name: rule
        for name, rule in rules.items()
        if name in masked or rule.way is not None or schema[name].kind not in ("text", "id")
    }


def check_streams(rules: Mapping[str, Rule]) -> None:
    """Refuse what cannot be done piece by piece.

    Raises:
        SettingError: a way needs all rows.
    """
    for name, rule in rules.items():
        if rule.way is not None and rule.way.whole:
            raise SettingError(
                f"column {name!r}: how = {rule.how!r} needs all rows at once; take transform, or another way."
            )


def random_key(rules: Mapping[str, Rule]) -> Key:
    """A key for this run alone; a warning says so where surrogates come from it."""
    if any(isinstance(rule.way, Replace) for rule in rules.values()):
        warnings.warn(
            "key: none was given, so surrogates come from a random one that is kept nowhere; the same value gets the same "
            "surrogate in this run only.",
            MasqueradeWarning,
            stacklevel=4,
        )
    return Key.random()


def settled(
    rules: Mapping[str, Rule], schema: Schema, raw: pl.DataFrame, *, checked: Collection[str]
) -> dict[str, Rule]:
    """The rules with what their ways learn of a column, such as its format.

    Args:
        rules: by column.
        schema: what the columns are.
        raw: rows as they are spelled.
        checked: columns whose kind must suit their way.

    Raises:
        SettingError: a way does not suit its column.
    """
    found = dict(rules)
    for name, rule in rules.items():
        if rule.way is not None:
            if name in checked:
                rule.way.check(schema[name])
            found[name] = dataclasses.replace(rule, way=rule.way.settled(schema[name], raw.get_column(name)))
    return found


def ruled(
    rules: Mapping[str, Rule],
    raw: pl.DataFrame,
    flags: Flags,
    schema: Schema,
    kind: FrameKind,
    key: Callable[[], Key],
    seed: int,
) -> dict[str, pl.Series]:
    """The columns of which a rule masks any cell, with those cells made.

    Args:
        rules: by column; those of generated ones are passed over.
        raw: rows as they are spelled.
        flags: which cells are masked.
        schema: what the columns are.
        kind: the frame that the rows came from.
        key: gives the key of surrogates.
        seed: of every draw.
    """
    made = {}
    for name, cells in flags.items():
        way = rules[name].way
        if way is not None and cells.any():
            random = seeds.stream(seed, "way", rules[name].draw)
            batch = Batch(raw, schema, kind, key(), random, {name: None if cells.all() else cells})
            made[name] = way.apply(name, batch)
    return made
