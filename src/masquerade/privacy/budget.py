"""`Privacy`: what is to be guaranteed, as an immutable setting."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from masquerade.errors import MasqueradeWarning, SettingError
from masquerade.numbers_format import is_number

__all__ = ["DELTA", "Privacy"]

DELTA = 1e-6
"""δ where none is asked for."""

LOOSE = 10.0
"""Above this ε a guarantee says little."""

MEANINGLESS = 20.0
"""Above this ε a guarantee says nothing, and is given only to those who say that they know."""


@dataclass(frozen=True)
class Privacy:
    """A differential privacy guarantee to be kept: the `privacy=` of a synthesizer, and the only way into private mode.

    Whatever the data, adding or removing all rows of one unit changes the probability of any outcome by at most the factor
    e^ε, but for a chance δ (Dwork et al. 2006; Dwork and Roth 2014, definition 2.4). The number of rows is not public: it is
    counted with noise.

    Args:
        epsilon: ε, above 0; smaller is stricter. Above 10 there is a warning.
        delta: δ, above 0 and below 1; never above 1 / rows, which `fit` checks.
        unit: the column that says whose row it is; None: what the schema says, and else each row is its own unit.
        rows_per_unit: with a unit, at most so many rows of each are used, chosen at random.
        i_know: must be True for an ε above 20, which guarantees next to nothing.

    Raises:
        SettingError: a figure out of its range.

    >>> Privacy(epsilon=1.0)
    Privacy(epsilon=1.0, delta=1e-06, unit=None, rows_per_unit=1, i_know=False)
    """

    epsilon: float
    delta: float = DELTA
    unit: str | None = None
    rows_per_unit: int = 1
    i_know: bool = False

    def __post_init__(self) -> None:
        if not is_number(self.epsilon) or self.epsilon <= 0:
            raise SettingError(f"epsilon: got {self.epsilon!r}, expected a finite number above 0, such as 1.0.")
        if not is_number(self.delta) or not 0 < self.delta < 1:
            raise SettingError(f"delta: got {self.delta!r}, expected a number above 0 and below 1, such as {DELTA:g}.")
        rows: object = self.rows_per_unit
        if isinstance(rows, bool) or not isinstance(rows, int) or rows < 1:
            raise SettingError(f"rows_per_unit: got {rows!r}, expected a whole number of at least 1.")
        unit: object = self.unit
        if unit is not None and (not isinstance(unit, str) or not unit):
            raise SettingError(f"unit: got {unit!r}, expected the name of a column, or None.")
        if self.epsilon > MEANINGLESS and not self.i_know:
            raise SettingError(
                f"epsilon: got {self.epsilon:g}, and above {MEANINGLESS:g} next to nothing is guaranteed; "
                "take a smaller one, or say i_know=True (--i-know)."
            )
        if self.epsilon > LOOSE:
            warnings.warn(
                f"epsilon: {self.epsilon:g} is a weak guarantee: an attacker may be right far more often than by chance; "
                f"at most {LOOSE:g} is advised.",
                MasqueradeWarning,
                stacklevel=3,
            )

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "epsilon": self.epsilon,
            "delta": self.delta,
            "unit": self.unit,
            "rows_per_unit": self.rows_per_unit,
            "i_know": self.i_know,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """The reverse of `to_dict`, without a second warning."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", MasqueradeWarning)
            return cls(**data)
