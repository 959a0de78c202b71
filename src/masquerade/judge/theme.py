"""How figures look: two colours that colour-blind eyes tell apart, quiet axes, the page's own background."""

from __future__ import annotations

from typing import Any

__all__ = ["DIVERGING", "KINDS", "REAL", "RELEASED", "SEQUENTIAL", "figure", "pale"]

REAL = "#2f6fb0"
RELEASED = "#d9730d"

KINDS = ("#2f6fb0", "#d9730d", "#1f8a70", "#a8559c", "#7a869a", "#b59f00", "#c0504d", "#4fa3c7")
"""Colours of groups and lines, in turn; they stand out on light and on dark paper."""

DIVERGING = [[0.0, "#b35806"], [0.25, "#f1a340"], [0.5, "#f7f7f7"], [0.75, "#67a9cf"], [1.0, "#1f5a94"]]
SEQUENTIAL = [[0.0, "#dbe9f6"], [0.35, "#89bedc"], [0.7, "#2b7bba"], [1.0, "#08306b"]]

_AXIS = {"automargin": True, "gridcolor": "rgba(128,134,145,0.22)", "linecolor": "rgba(128,134,145,0.5)", "ticks": ""}


def pale(colour: str) -> str:
    """The same colour, half seen through.

    >>> pale("#2f6fb0")
    'rgba(47,111,176,0.5)'
    """
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.5)"


def figure(
    traces: list[dict[str, Any]], *, height: int, xaxis: dict[str, Any], yaxis: dict[str, Any], **layout: Any
) -> dict[str, Any]:
    """A figure as plain data, with the house's looks under what is given.

    Args:
        traces: Plotly traces.
        height: in pixels.
        xaxis, yaxis: axis settings.
        layout: further layout settings, as Plotly names them.
    """
    looks: dict[str, Any] = {
        "height": height,
        "margin": {"l": 12, "r": 12, "t": 12, "b": 12},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif", "size": 12},
        "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        "xaxis": {**_AXIS, **xaxis},
        "yaxis": {**_AXIS, **yaxis},
    }
    return {"data": traces, "layout": looks | layout}
