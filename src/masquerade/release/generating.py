"""What a masker's models learn from, and its generated columns spelled as the table's."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence

import polars as pl

from masquerade import spelling
from masquerade.errors import SettingError
from masquerade.frames import FrameKind
from masquerade.masking.mask_rules import Rule
from masquerade.progress import Callback
from masquerade.release.filling import CrossFit, Filler
from masquerade.release.filling_autoregressive import AutoregressiveFiller
from masquerade.release.filling_gan import GANFiller
from masquerade.release.hiding import Flags
from masquerade.schema import Column, Schema

__all__ = ["ENGINES", "check_something_left", "generated", "learned", "modelled", "part_of"]


ENGINES: dict[str, type[Filler]] = {"autoregressive": AutoregressiveFiller, "gan": GANFiller}
"""What generates, by name."""


def modelled(schema: Schema, rules: Mapping[str, Rule], *, by_mask: bool) -> list[str]:
    """The columns that models learn from: those that are generated, and those that are shown and no ids.

    Args:
        schema: what the columns are.
        rules: of the masked ones.
        by_mask: whether an explicit mask says which of their cells.
    """

    def wanted(column: Column) -> bool:
        rule = rules.get(column.name)
        if column.name == schema.unit or (rule is not None and rule.way is None):
            return True
        return column.kind not in ("text", "id") and (rule is None or rule.rate < 1 or by_mask)

    return [column.name for column in schema if wanted(column)]


def part_of(schema: Schema, names: Sequence[str]) -> Schema:
    """The schema of some columns, with the rules that are about them alone."""
    rules = tuple(rule for rule in schema.rules if set(rule.columns) <= set(names))
    unit = schema.unit if schema.unit in names else None
    return Schema(tuple(schema[name] for name in names), unit, schema.declared, rules)


def check_something_left(names: Sequence[str], rules: Mapping[str, Rule], unit: str | None) -> None:
    """Refuse where every cell that a model could draw from is masked.

    Raises:
        SettingError: nothing is left.
    """
    shown = [name for name in names if name not in rules and name != unit]
    if not shown and all(rule.rate == 1 for rule in rules.values()):
        raise SettingError(
            "columns: every cell would be masked, so nothing is left to generate them from; leave some columns out, give a "
            "rate below 1, or draw new rows with a synthesizer."
        )


def learned(
    engine: type[Filler],
    typed: pl.DataFrame,
    schema: Schema,
    masked: Mapping[str, Rule],
    protect: int,
    seed: int,
    callback: Callback,
) -> Filler:
    """One fitted model; what is said of ids that are not masked is left unsaid, as they stay.

    Args:
        engine: which kind of model.
        typed: rows of the schema's columns.
        schema: what they are.
        masked: the rules of masked columns.
        protect: how many rows (units) must have a value for it to be drawn.
        seed: of everything.
        callback: told how far training is.
    """
    with warnings.catch_warnings():
        if not any(column.kind in ("text", "id") and column.name in masked for column in schema):
            warnings.filterwarnings("ignore", message=r"columns? '.*identifiers are never shown")
        return engine.learn(typed, schema, protect, seed, (callback,))


def generated(
    fit: CrossFit, raw: pl.DataFrame, wanted: Sequence[str], flags: Flags, schema: Schema, kind: FrameKind, seed: int
) -> dict[str, pl.Series]:
    """Columns with drawn cells. Cells that other rules mask are hidden from the model, too.

    Args:
        fit: the fitted models.
        raw: rows as they are spelled.
        wanted: the columns to be drawn.
        flags: all masked cells, by column.
        schema: of the columns that the models learned from.
        kind: the frame that the rows came from.
        seed: of every draw.

    Raises:
        SettingError: nothing is left to draw from.
    """
    typed = spelling.parse(raw.select(schema.names), Schema(schema.columns))
    hidden = {name: cells for name, cells in flags.items() if name in schema}
    open_ = [name for name in schema.names if name != schema.unit]
    if raw.height and all(name in hidden and hidden[name].all() for name in open_):
        raise SettingError(
            "mask: it covers every cell, so nothing is left to generate them from; leave some cells out."
        )
    filled = fit.fill(typed, hidden, seed)
    spelled = spelling.spell(filled.select(wanted), Schema(tuple(schema[name] for name in wanted)), kind)
    return {name: spelled.get_column(name) for name in wanted}
