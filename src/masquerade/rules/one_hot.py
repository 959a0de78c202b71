"""Exactly one of several columns is on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import polars as pl

from masquerade.rules.rule import check_fields, check_names
from masquerade.rules.text import spell_name

__all__ = ["YES_WORDS", "OneHot", "is_on"]

YES_WORDS = ("1", "true", "yes", "y", "t", "on")
"""What is read as yes in a column of words, whatever its case."""


@dataclass(frozen=True)
class OneHot:
    """In every row exactly one of the columns is 1, true or yes; a missing value is not.

    Args:
        columns: at least two; numbers, booleans, or words such as `"yes"` and `"no"`.

    >>> table = pl.DataFrame({"car": [1, 0, 1], "bus": [0, None, 1]})
    >>> OneHot(("car", "bus")).holds(table).to_list()
    [True, False, False]
    """

    kind: ClassVar[str] = "one_hot"

    columns: tuple[str, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", check_names("one_hot", self.columns, least=2))

    @property
    def text(self) -> str:
        return f"exactly one of {', '.join(map(spell_name, self.columns))}"

    def holds(self, typed: pl.DataFrame, known: pl.DataFrame | None = None) -> pl.Series:
        on = [is_on(typed.get_column(name)).cast(pl.Int32) for name in self.columns]
        return pl.DataFrame(on).select(pl.sum_horizontal(pl.all()) == 1).to_series()

    def to_dict(self) -> dict[str, Any]:
        return {"kind": self.kind, "columns": list(self.columns)}

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Self:
        check_fields(cls.kind, fields, ("columns",))
        return cls(fields["columns"])


def is_on(values: pl.Series) -> pl.Series:
    """Which values are 1, true or a word for yes; False where missing."""
    if values.dtype == pl.String:
        return values.str.strip_chars().str.to_lowercase().is_in(list(YES_WORDS)).fill_null(False)
    return (values.cast(pl.Float64) == 1.0).fill_null(False)
