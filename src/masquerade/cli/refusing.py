"""Options that have no place beside others: the first that was given is refused by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from masquerade.errors import SettingError

__all__ = ["refuse", "refuse_for_pictures", "refuse_for_tables", "refuse_with_using", "refuse_without_report"]


def refuse(given: Mapping[str, Any], why: str) -> None:
    """Refuse options.

    Args:
        given: what was given, by option; None, False or empty: was not.
        why: what is said of them.

    >>> refuse({"--seed": None, "--rate": 0.0}, "is settled; leave it out.")
    Traceback (most recent call last):
    masquerade.errors.SettingError: --rate: is settled; leave it out.
    """
    for option, value in given.items():
        if value is not None and value is not False and value not in ((), []):
            raise SettingError(f"{option}: {why}")


def refuse_for_pictures(data: Path, given: Mapping[str, Any]) -> None:
    """Refuse options that only tables have, where a picture set is read."""
    refuse(given, f"is for tables, and {data} is a picture set; leave it out.")


def refuse_for_tables(data: Path, given: Mapping[str, Any]) -> None:
    """Refuse options that only picture sets have, where a table is read."""
    refuse(given, f"is for picture sets, and {data} is none; leave it out.")


def refuse_with_using(using: Path | None, settled: Mapping[str, Any], why: str | None = None) -> None:
    """Refuse options that a saved model has settled already.

    Args:
        using: the saved model; None: there is none.
        settled: what was given, by option.
        why: what is said of them; None: that they are settled there.
    """
    if using is not None:
        refuse(settled, why or f"is settled in {using}; leave it out, or --using.")


def refuse_without_report(reports: Sequence[Path], wanted: Mapping[str, Any]) -> None:
    """Refuse options that only a report needs, where none was asked for."""
    if not reports:
        refuse(wanted, "is for the report, add --report R.html.")
