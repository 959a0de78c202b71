"""Figures as people read them."""

from __future__ import annotations

__all__ = ["figure_text"]


def figure_text(value: float | None, digits: int = 3) -> str:
    """A score as text; what could not be computed is a dash.

    >>> figure_text(0.93456), figure_text(None), figure_text(1e-5), figure_text(-0.000486)
    ('0.935', '–', '0.00001', '-0.0005')
    """
    if value is None:
        return "–"
    if value != 0 and abs(value) < 0.5 * 10.0**-digits:
        first = float(f"{value:.1g}")
        return f"{first:.6f}".rstrip("0") if abs(first) >= 1e-6 else f"{value:.0e}"
    return f"{value:,.{digits}f}"
