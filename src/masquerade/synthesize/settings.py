"""Checks that settings of all synthesizers share."""

from __future__ import annotations

from typing import Any

import numpy as np

from masquerade.errors import SettingError

__all__ = ["check_count", "check_positive"]


def check_count(name: str, value: Any, least: int = 1) -> None:
    """Raise `SettingError` unless `value` is a whole number of at least `least`.

    >>> check_count("epochs", 300)
    """
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise SettingError(f"{name}: got {value!r}, expected a whole number of at least {least}.")


def check_positive(name: str, value: Any) -> None:
    """Raise `SettingError` unless `value` is a finite number above 0.

    >>> check_positive("max_minutes", 0.5)
    """
    if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not 0 < value < float("inf"):
        raise SettingError(f"{name}: got {value!r}, expected a number above 0.")
