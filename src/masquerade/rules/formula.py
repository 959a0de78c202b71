"""One column is the sum of others."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from masquerade.errors import RuleError
from masquerade.rules.rule import check_fields, check_names, missing_in
from masquerade.rules.text import Linear, linear, spell_name, tokens

__all__ = ["Formula", "as_floats"]

_RELATIVE = 1e-6


@dataclass(frozen=True)
class Formula:
    """`target = coefficient * column + ... + constant` in every row where all are there; numbers only.

    The target may be off by half a unit of its last digit (`decimals`), else by a millionth of the greatest term.

    Args:
        target: the column that follows from the others.
        terms: pairs of a coefficient and a column, or the right side as text: `"gross - 2 * tax + 3"`.
        constant: what is added.
        decimals: digits of the target after the decimal mark; None: whole numbers have none, others vary. Once the rule
            belongs to a schema, it is what the schema says.

    >>> rule = Formula("total", "a + b")
    >>> rule.holds(pl.DataFrame({"a": [1, 2], "b": [2, 2], "total": [3, 5]})).to_list()
    [True, False]
    """

    kind: ClassVar[str] = "formula"

    target: str
    terms: tuple[tuple[float, str], ...]
    constant: float = 0.0
    decimals: int | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        check_names("formula", (self.target,))
        constant: Any = self.constant
        if isinstance(constant, bool) or not isinstance(constant, int | float) or not math.isfinite(constant):
            raise RuleError(f"formula of {self.target!r}: constant is {constant!r}, expected a finite number.")
        object.__setattr__(self, "constant", float(constant))
        given: Any = self.terms
        if isinstance(given, str):
            right = linear(tokens(given), f"{spell_name(self.target)} = {given}")
            if right.moment is not None:
                raise RuleError(f"formula of {self.target!r}: got a moment, expected a sum of numbers.")
            object.__setattr__(self, "constant", self.constant + right.constant)
            given = right.terms
        object.__setattr__(self, "terms", _terms(self.target, given))
        if any(name == self.target for _, name in self.terms):
            raise RuleError(
                f"rule {self.text!r}: {self.target!r} stands on both sides, expected other columns on the right."
            )

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.target, *(name for _, name in self.terms))

    @property
    def text(self) -> str:
        return f"{spell_name(self.target)} = {Linear(self.terms, self.constant).text}"

    def holds(self, typed: pl.DataFrame, known: pl.DataFrame | None = None) -> pl.Series:
        target = typed.get_column(self.target)
        values = np.stack([as_floats(typed.get_column(name)) for name in self.columns[1:]])
        weights = np.array([c for c, _ in self.terms])[:, None]
        decimals = 0 if target.dtype.is_integer() else self.decimals
        with np.errstate(invalid="ignore"):
            gap = np.abs(as_floats(target) - (weights * values).sum(axis=0) - self.constant)
            near = gap <= self.tolerance(as_floats(target), weights * values, decimals)
        return pl.Series(near) | missing_in(typed, self.columns)

    def tolerance(
        self, target: NDArray[np.float64], parts: NDArray[np.float64], decimals: int | None
    ) -> NDArray[np.float64]:
        """How far the target may be off in each row, what floating sums lose included.

        Args:
            target: shape (rows,).
            parts: coefficients times columns, shape (terms, rows).
            decimals: digits of the target; None: it has no fixed number of them.
        """
        size = np.abs(target) + np.abs(parts).sum(axis=0) + abs(self.constant)
        lost = (len(parts) + 3) * np.finfo(np.float64).eps * size
        return np.asarray(lost + (_RELATIVE * size if decimals is None else 0.5 * 10.0**-decimals))

    def to_dict(self) -> dict[str, Any]:
        return {"kind": self.kind, "target": self.target, "formula": Linear(self.terms, self.constant).text}

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Self:
        check_fields(cls.kind, fields, ("target", "formula"))
        if not isinstance(fields["formula"], str):
            raise RuleError(f'rules: formula is {fields["formula"]!r}, expected text such as "a + b".')
        return cls(fields["target"], fields["formula"])  # type: ignore[arg-type]


def as_floats(values: pl.Series) -> NDArray[np.float64]:
    """A column of numbers or moments (microseconds since 1970) as float64, shape (rows,): NaN where missing."""
    counts = values.cast(pl.Datetime("us")).dt.epoch("us") if values.dtype.is_temporal() else values
    return counts.cast(pl.Float64).fill_null(math.nan).to_numpy()


def _terms(target: str, given: Any) -> tuple[tuple[float, str], ...]:
    """Checked terms, those of the same column added up."""
    expected = 'expected pairs such as (1, "a") or text such as "a + b"'
    if not isinstance(given, Iterable):
        raise RuleError(f"formula of {target!r}: terms are {given!r}, {expected}.")
    summed: dict[str, float] = {}
    for term in given:
        if not isinstance(term, tuple | list) or len(term) != 2 or not isinstance(term[1], str):
            raise RuleError(f"formula of {target!r}: got the term {term!r}, {expected}.")
        size = term[0]
        if isinstance(size, bool) or not isinstance(size, int | float) or not math.isfinite(size):
            raise RuleError(f"formula of {target!r}: got the coefficient {size!r}, expected a finite number.")
        summed[term[1]] = summed.get(term[1], 0.0) + float(size)
    terms = tuple((size, name) for name, size in summed.items() if size != 0)
    if not terms:
        raise RuleError(
            f"formula of {target!r}: no column is left on the right, expected at least one; a range can fix a number "
            f"({spell_name(target)} >= 3)."
        )
    return terms
