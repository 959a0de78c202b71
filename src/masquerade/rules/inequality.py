"""One column is never above another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import polars as pl

from masquerade.errors import RuleError
from masquerade.rules.rule import check_fields, check_names
from masquerade.rules.text import spell_name

__all__ = ["Inequality"]


@dataclass(frozen=True)
class Inequality:
    """`low <= high` in every row where both are there; numbers, or moments.

    Args:
        low: the column that stays below.
        high: the column that stays above.
        strict: `low < high`: equal values break it too.

    >>> table = pl.DataFrame({"start": [1, 5, None], "end": [2, 4, 0]})
    >>> Inequality("start", "end").holds(table).to_list()
    [True, False, True]
    """

    kind: ClassVar[str] = "inequality"

    low: str
    high: str
    strict: bool = False

    def __post_init__(self) -> None:
        check_names("inequality", (self.low, self.high), least=2)
        if not isinstance(self.strict, bool):
            raise RuleError(f"inequality: strict is {self.strict!r}, expected true or false.")

    @property
    def columns(self) -> tuple[str, ...]:
        return self.low, self.high

    @property
    def text(self) -> str:
        return f"{spell_name(self.low)} {'<' if self.strict else '<='} {spell_name(self.high)}"

    def holds(self, typed: pl.DataFrame, known: pl.DataFrame | None = None) -> pl.Series:
        low, high = typed.get_column(self.low), typed.get_column(self.high)
        return ((low < high) if self.strict else (low <= high)).fill_null(True)

    def to_dict(self) -> dict[str, Any]:
        return {"kind": self.kind, "low": self.low, "high": self.high} | ({"strict": True} if self.strict else {})

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Self:
        check_fields(cls.kind, fields, ("low", "high"), ("strict",))
        return cls(fields["low"], fields["high"], fields.get("strict", False))
