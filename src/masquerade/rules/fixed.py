"""Values that only occur together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import polars as pl

from masquerade.rules.rule import check_fields, check_names, missing_in
from masquerade.rules.text import spell_name

__all__ = ["FixedCombinations", "member_of"]


@dataclass(frozen=True)
class FixedCombinations:
    """The values of the columns only occur together as the real rows have them (a city with its country).

    Args:
        columns: at least two.

    >>> real = pl.DataFrame({"city": ["Rome", "Lyon"], "country": ["IT", "FR"]})
    >>> drawn = pl.DataFrame({"city": ["Rome", "Rome"], "country": ["IT", "FR"]})
    >>> FixedCombinations(("city", "country")).holds(drawn, real).to_list()
    [True, False]
    """

    kind: ClassVar[str] = "fixed_combinations"

    columns: tuple[str, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", check_names("fixed_combinations", self.columns, least=2))

    @property
    def text(self) -> str:
        return f"{', '.join(map(spell_name, self.columns))} only in known combinations"

    def holds(self, typed: pl.DataFrame, known: pl.DataFrame | None = None) -> pl.Series:
        """See `Rule.holds`. Without known rows every combination is one that occurs."""
        if known is None:
            return pl.repeat(True, typed.height, eager=True)
        return member_of(typed, known, self.columns) | missing_in(typed, self.columns)

    def to_dict(self) -> dict[str, Any]:
        return {"kind": self.kind, "columns": list(self.columns)}

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Self:
        check_fields(cls.kind, fields, ("columns",))
        return cls(fields["columns"])


def member_of(typed: pl.DataFrame, known: pl.DataFrame, columns: tuple[str, ...]) -> pl.Series:
    """Which rows of `typed` have a combination that `known` has too; booleans, shape (rows,)."""
    there = known.select(columns).unique().with_columns(pl.lit(True).alias("\0there"))
    joined = typed.select(columns).join(there, on=columns, how="left", maintain_order="left")
    return joined.get_column("\0there").fill_null(False)
