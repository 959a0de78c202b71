"""What comes into a judgement: settings and tables, checked before any work."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Collection, Iterable, Sequence
from typing import Any

import polars as pl

from masquerade import spelling
from masquerade.errors import InputError, MasqueradeWarning, SettingError, TableError, nearest
from masquerade.frames import LEAST_ROWS, check_table
from masquerade.schema import Schema

__all__ = ["check_columns", "check_refit", "check_settings", "listed", "secrets_of", "typed_side", "warn", "without"]

_KINDS = ("rows", "codes", "images")
_ATTACKS = ("none", "quick", "thorough")


def check_settings(kind: str, attacks: str, protect: Any) -> None:
    """Refuse what is out of range."""
    for name, value, known in (("kind", kind, _KINDS), ("attacks", attacks, _ATTACKS)):
        if value not in known:
            raise SettingError(
                f"{name}: got {value!r}, expected {' or '.join(map(repr, known))}{nearest(str(value), known)}."
            )
    if isinstance(protect, bool) or not isinstance(protect, int) or protect < 0:
        raise SettingError(f"protect: got {protect!r}, expected an integer of at least 0.")


def check_refit(kind: str, attacks: str, refit: Any) -> None:
    """Refuse a thorough attack that cannot be made, and a way to refit that would not be used."""
    if attacks != "thorough":
        if refit is not None:
            raise SettingError("refit: only attacks='thorough' refits; ask for that, or leave refit out.")
        return
    if kind != "rows":
        raise SettingError(
            f"attacks: 'thorough' refits generators of rows, got kind={kind!r}; expected 'none' or 'quick'."
        )
    if not callable(refit):
        raise SettingError(
            "attacks: 'thorough' needs refit, a function that fits the generator to the rows it is given and returns released "
            "rows, such as lambda rows: mq.Autoregressive().fit(rows).sample(len(rows))."
        )


def check_columns(schema: Schema, target: str | None, sensitive: Sequence[str], keep: Sequence[str]) -> None:
    """Refuse settings that name no column, or one that cannot be what it is named for."""
    for setting, names in (("sensitive", sensitive), ("keep", keep)):
        if isinstance(names, str):
            raise SettingError(f"{setting}: got the text {names!r}, expected a list of column names: [{names!r}].")
    wanted = [("sensitive", name) for name in sensitive] + [("keep", name) for name in keep]
    if target is not None:
        wanted.append(("target", target))
    for setting, name in wanted:
        if name not in schema:
            raise SettingError(f"{setting}: there is no column {name!r}{nearest(name, schema.names)}.")
    both = [name for name in keep if name in sensitive]
    if both:
        raise SettingError(f"keep: column {both[0]!r} is also sensitive, expected one or the other.")
    if target is not None and (schema[target].kind in ("text", "id") or target == schema.unit):
        raise SettingError(
            f"target: column {target!r} is an id, free text or the unit, expected a number, a category, a boolean or a "
            "moment; name another column, or give its kind in the schema."
        )


def secrets_of(schema: Schema, sensitive: Sequence[str], keep: Sequence[str]) -> list[str]:
    """The columns to attack: those that were named, then those that the schema marks and that can be guessed."""
    marked = [
        column.name
        for column in schema
        if column.sensitive
        and column.kind not in ("text", "id")
        and column.name not in (schema.unit, *sensitive, *keep)
    ]
    return [*dict.fromkeys(sensitive), *marked]


def without(schema: Schema, dropped: Collection[str]) -> Schema:
    """The schema of the columns that are left, and the rules that speak of these alone."""
    if not dropped:
        return schema
    columns = tuple(column for column in schema if column.name not in dropped)
    return dataclasses.replace(
        schema,
        columns=columns,
        unit=None if schema.unit in dropped else schema.unit,
        rules=tuple(rule for rule in schema.rules if not set(rule.columns) & set(dropped)),
    )


def typed_side(side: str, raw: pl.DataFrame, schema: Schema) -> pl.DataFrame:
    """One table's typed values; what does not fit in a released or held-out table counts as missing, with a warning."""
    absent = [name for name in schema.names if name not in raw.columns]
    if absent:
        hint = nearest(absent[0], set(raw.columns) - set(schema.names))
        more = f" and {len(absent) - 1} more" if len(absent) > 1 else ""
        raise TableError(f"{side}: there is no column {absent[0]!r}{more}, expected the real table's columns{hint}.")
    if raw.height < LEAST_ROWS:
        raise TableError(f"{side}: {raw.height} rows, expected at least {LEAST_ROWS}.")
    if side != "real":
        extra = [name for name in raw.columns if name not in schema]
        if extra:
            warn(f"{side}: {listed(extra)} not in the real table, left out of the judgement.")
            raw = raw.drop(extra)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            check_table(raw)
            typed = spelling.parse(raw, schema, strict=side == "real")
        except InputError as error:
            raise type(error)(f"{side}: {error}") from error
    for warning in caught:
        warn(f"{side}: {warning.message}")
    return typed


def listed(names: Iterable[str]) -> str:
    """Columns as the beginning of a sentence.

    >>> listed(["age", "sex"])
    "columns 'age', 'sex' are"
    """
    quoted = [repr(name) for name in names]
    shown = ", ".join(quoted[:5]) + (f" and {len(quoted) - 5} more" if len(quoted) > 5 else "")
    return f"column {shown} is" if len(quoted) == 1 else f"columns {shown} are"


def warn(message: str) -> None:
    """Tell the user."""
    warnings.warn(message, MasqueradeWarning, stacklevel=4)
