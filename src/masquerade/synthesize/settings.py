"""Checks that settings of all synthesizers share."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import numpy as np

from masquerade.errors import SettingError

__all__ = ["check_count", "check_positive", "check_share", "refuse_changed"]


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


def check_share(name: str, value: Any, *, below_one: bool = False) -> None:
    """Raise `SettingError` unless `value` is a number from 0 to 1 (below 1, where that is asked for).

    >>> check_share("any_order", 0.5)
    """
    number = not isinstance(value, bool) and isinstance(value, int | float | np.number)
    if not number or not 0 <= value <= 1 or (below_one and value == 1):
        raise SettingError(f"{name}: got {value!r}, expected a number from 0 to {'below 1' if below_one else '1'}.")


def refuse_changed(model: Any, names: Sequence[str], why: str) -> None:
    """Raise `SettingError` where a setting that does nothing was given another value than its default.

    Args:
        model: whose settings.
        names: of those that do nothing here.
        why: they do nothing.
    """
    defaults = inspect.signature(type(model)).parameters
    for name in names:
        value = getattr(model, name)
        if value is not defaults[name].default and value != defaults[name].default:
            raise SettingError(f"{name}: got {value!r}, which does nothing {why}; leave it out.")
