"""The contract of a business rule, and what the kinds of rule share."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, ClassVar, Protocol, Self

import polars as pl

from masquerade.errors import RuleError, nearest

__all__ = ["Rule", "check_fields", "check_names", "missing_in"]


class Rule(Protocol):
    """What every row has to meet. A rule is frozen, knows columns by name, and reads typed frames."""

    kind: ClassVar[str]
    """The word that `schema.toml` names it by."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it is about."""
        ...

    @property
    def text(self) -> str:
        """The rule as people read it, such as `"start <= end"`."""
        ...

    def holds(self, typed: pl.DataFrame, known: pl.DataFrame | None = None) -> pl.Series:
        """Which rows meet it: booleans, shape (rows,), none missing.

        Args:
            typed: as from `masquerade.spelling.parse`, null where missing.
            known: a typed table whose rows are right; only a rule that learns from rows (`FixedCombinations`) asks for
                it.
        """
        ...

    def to_dict(self) -> dict[str, Any]:
        """Plain data, as in `schema.toml`."""
        ...

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Self:
        """The reverse of `to_dict`; raises `RuleError` for a field that is missing, unknown or malformed."""
        ...


def missing_in(typed: pl.DataFrame, columns: Collection[str]) -> pl.Series:
    """Which rows lack a value in one of the columns, or more; booleans, shape (rows,)."""
    return typed.select(pl.any_horizontal(pl.col(name).is_null() for name in columns)).to_series()


def check_fields(
    kind: str, fields: Mapping[str, Any], required: Collection[str], optional: Collection[str] = ()
) -> None:
    """Raise `RuleError` unless exactly these fields are there, `kind` aside."""
    known = [*required, *optional]
    for key in fields:
        if key != "kind" and key not in known:
            raise RuleError(
                f"rules: a rule of kind {kind!r} has no field {key!r}{nearest(str(key), known)}; it has {', '.join(known)}."
            )
    for key in required:
        if key not in fields:
            raise RuleError(f"rules: a rule of kind {kind!r} got no {key!r}, expected {', '.join(required)}.")


def check_names(what: str, names: object, least: int = 1) -> tuple[str, ...]:
    """Column names as a tuple, or `RuleError`: text, at least so many, none twice."""
    if isinstance(names, str) or not isinstance(names, Collection) or not all(isinstance(name, str) for name in names):
        raise RuleError(f"{what}: columns are {names!r}, expected a list of column names.")
    found = tuple(str(name) for name in names)
    if len(found) < least or len(set(found)) < len(found):
        raise RuleError(f"{what}: columns are {list(found)}, expected at least {least} different ones.")
    return found
