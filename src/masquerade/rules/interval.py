"""A column stays between two bounds."""

from __future__ import annotations

import datetime
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import polars as pl

from masquerade.errors import RuleError
from masquerade.rules.rule import check_fields, check_names
from masquerade.rules.text import as_moment, spell_name, spell_number

__all__ = ["Bound", "Range"]

Bound = float | int | str | None


@dataclass(frozen=True)
class Range:
    """`minimum <= column <= maximum` in every row that has a value; numbers, or moments.

    Args:
        column: the column.
        minimum: the least value allowed: a number, or a moment as ISO 8601 text (a date is its midnight; a zone is
            counted in UTC); None: no bound.
        maximum: the greatest value allowed, likewise.

    >>> Range("age", 0, 120).holds(pl.DataFrame({"age": [17, 130, None]})).to_list()
    [True, False, True]
    """

    kind: ClassVar[str] = "range"

    column: str
    minimum: Bound = None
    maximum: Bound = None

    def __post_init__(self) -> None:
        check_names("range", (self.column,))
        for field in ("minimum", "maximum"):
            value = getattr(self, field)
            if isinstance(value, datetime.date | datetime.time):
                object.__setattr__(self, field, value.isoformat())
            elif value is not None and not _is_bound(value):
                raise RuleError(
                    f"range of {self.column!r}: {field} is {value!r}, expected a finite number, or a moment as ISO 8601 text."
                )
        if self.minimum is None and self.maximum is None:
            raise RuleError(f"range of {self.column!r}: got no bound, expected a minimum, a maximum or both.")
        if self.minimum is not None and self.maximum is not None and self.of_moments != isinstance(self.maximum, str):
            raise RuleError(
                f"range of {self.column!r}: got {self.minimum!r} and {self.maximum!r}, expected two numbers or two moments."
            )
        low, high = self.bounds
        if low > high:
            raise RuleError(f"rule {self.text!r}: the range is empty, expected a minimum of at most the maximum.")

    @property
    def of_moments(self) -> bool:
        """Whether the bounds are moments."""
        return isinstance(self.minimum if self.minimum is not None else self.maximum, str)

    @property
    def bounds(self) -> tuple[float, float]:
        """The bounds as numbers, moments in microseconds since 1970; infinite where there is none."""
        low, high = (_number(bound) for bound in (self.minimum, self.maximum))
        return -math.inf if low is None else low, math.inf if high is None else high

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.column,)

    @property
    def text(self) -> str:
        name, (low, high) = spell_name(self.column), (_spell(bound) for bound in (self.minimum, self.maximum))
        if low is None:
            return f"{name} <= {high}"
        return f"{name} >= {low}" if high is None else f"{low} <= {name} <= {high}"

    def holds(self, typed: pl.DataFrame, known: pl.DataFrame | None = None) -> pl.Series:
        values = typed.get_column(self.column)
        inside = pl.repeat(True, len(values), eager=True)
        if self.minimum is not None:
            inside &= (values >= _literal(self.minimum)).fill_null(True)
        if self.maximum is not None:
            inside &= (values <= _literal(self.maximum)).fill_null(True)
        return inside

    def to_dict(self) -> dict[str, Any]:
        bounds = {"minimum": self.minimum, "maximum": self.maximum}
        return {"kind": self.kind, "column": self.column} | {k: v for k, v in bounds.items() if v is not None}

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Self:
        check_fields(cls.kind, fields, ("column",), ("minimum", "maximum"))
        return cls(fields["column"], fields.get("minimum"), fields.get("maximum"))


def _is_bound(value: object) -> bool:
    if isinstance(value, str):
        return as_moment(value) is not None
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _number(bound: Bound) -> float | None:
    if not isinstance(bound, str):
        return None if bound is None else float(bound)
    since = (as_moment(bound) or datetime.datetime(1970, 1, 1)) - datetime.datetime(1970, 1, 1)
    return float((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds)


def _spell(bound: Bound) -> str | None:
    return bound if bound is None or isinstance(bound, str) else spell_number(bound)


def _literal(bound: float | int | str) -> Any:
    return as_moment(bound) if isinstance(bound, str) else bound
