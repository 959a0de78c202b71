"""Names, numbers and shares as people read them in charts and tables."""

from __future__ import annotations

import html
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import accumulate

__all__ = ["EPOCH", "cut", "safe", "shares_of", "spoken"]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def cut(word: str, length: int) -> str:
    """A name shortened to a length, with a sign that it was; letters of double width count twice.

    >>> cut("a-very-long-level", 8), cut("short", 8)
    ('a-very-…', 'short')
    """
    word = " ".join(word.split())
    widths = list(accumulate(2 if ord(letter) > 0x2E7F else 1 for letter in word))
    if not widths or widths[-1] <= length:
        return word
    return word[: sum(width < length for width in widths)] + "…"


def spoken(value: float | None, kind: str, span: float | None = None) -> str:
    """A number of a column as people read it: a moment as a date, thousands apart, no noise digits.

    >>> spoken(1234567.0, "integer"), spoken(0.0, "datetime"), spoken(0.000123, "continuous")
    ('1,234,567', '1970-01-01', '0.000123')
    """
    if value is None:
        return "–"
    if kind == "datetime":
        moment = EPOCH + timedelta(seconds=value)
        return f"{moment:%Y-%m-%d}" if span is None or span > 3 * 86_400 else f"{moment:%Y-%m-%d %H:%M}"
    if value == 0:
        return "0"
    if abs(value) >= 1e12 or abs(value) < 1e-4:
        return f"{value:.4g}"
    return f"{value:,.0f}" if value == round(value) else f"{value:,.6g}"


def shares_of(counts: Sequence[float]) -> list[float]:
    """Counts as shares of their sum; zeros without any."""
    total = sum(counts)
    return [count / total if total else 0.0 for count in counts]


def safe(word: str) -> str:
    """Plotly reads a little HTML in its texts; a name is shown as it is."""
    return html.escape(word, quote=False)
