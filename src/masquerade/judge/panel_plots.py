"""Pictures of panels and attacks, as figures in Plotly's own JSON: whatever a release found, drawn in the house's looks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from masquerade.judge.theme import DIVERGING, KINDS, REAL, RELEASED, SEQUENTIAL, figure
from masquerade.judge.wording import cut, safe

__all__ = ["dots", "panel"]

_SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "x", "star", "hexagon")
_NAME = 34


def panel(chart: Mapping[str, Any]) -> dict[str, Any]:
    """The figure of a panel's chart.

    Args:
        chart: a `Curve`, `Bars` or `Grid` of `masquerade.judge.panels`, as plain data.

    Raises:
        ValueError: another kind of chart.
    """
    match chart["kind"]:
        case "curve":
            return _curve(chart)
        case "bars":
            return _bars(chart)
        case "grid":
            return _grid(chart)
    raise ValueError(f"kind: got {chart['kind']!r}, expected 'curve', 'bars' or 'grid'.")


def dots(rows: Sequence[Mapping[str, Any]], *, axis: str, chance: float, low: float) -> dict[str, Any]:
    """Figures with their intervals, one under the other, and a line where chance lies.

    Args:
        rows: each with `name`, `value`, `interval` (two ends or None) and `released` (whether it is about the release).
        axis: what is measured.
        chance: where the line stands.
        low: where the axis begins at the latest.
    """
    names = [safe(cut(str(row["name"]), _NAME + 12)) for row in rows]
    places = list(range(len(rows)))
    left = min([low, *(min(row["value"], (row["interval"] or [row["value"]])[0]) - 0.02 for row in rows)])
    traces: list[dict[str, Any]] = [
        {
            "type": "scatter",
            "mode": "lines",
            "x": [chance, chance],
            "y": [-0.6, len(rows) - 0.4],
            "line": {"color": "#8a8f98", "width": 1.5, "dash": "dot"},
            "hoverinfo": "skip",
        }
    ]
    for mine in (False, True):
        chosen = [place for place in places if bool(rows[place]["released"]) == mine]
        ends = [rows[place]["interval"] or [rows[place]["value"]] * 2 for place in chosen]
        values = [rows[place]["value"] for place in chosen]
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "x": values,
                "y": chosen,
                "error_x": {
                    "type": "data",
                    "symmetric": False,
                    "array": [round(end[1] - value, 6) for end, value in zip(ends, values, strict=True)],
                    "arrayminus": [round(value - end[0], 6) for end, value in zip(ends, values, strict=True)],
                    "thickness": 2.5,
                    "width": 0,
                    "color": RELEASED if mine else REAL,
                },
                "marker": {
                    "color": RELEASED if mine else REAL,
                    "size": 12 if mine else 10,
                    "symbol": "diamond" if mine else "circle",
                },
                "text": [
                    f"{names[place]}<br>{value:.3f} ({end[0]:.3f} to {end[1]:.3f})"
                    for place, value, end in zip(chosen, values, ends, strict=True)
                ],
                "hovertemplate": "%{text}<extra></extra>",
            }
        )
    return figure(
        traces,
        height=76 + 34 * len(rows),
        xaxis={"title": {"text": axis}, "range": [left, 1.02], "zeroline": False, "nticks": 7},
        yaxis={
            "tickvals": places,
            "ticktext": names,
            "range": [len(rows) - 0.4, -0.6],
            "showgrid": False,
            "zeroline": False,
        },
        showlegend=False,
    )


def _curve(chart: Mapping[str, Any]) -> dict[str, Any]:
    """Lines with a mark at every point; what stands beside a point is told on hovering, and where few are, always."""
    points = sum(len(line["x"]) for line in chart["lines"])
    traces = []
    for place, line in enumerate(chart["lines"]):
        name = safe(cut(line["name"], 60))
        labels = [safe(cut(label, 60)) for label in line["labels"]] or [""] * len(line["x"])
        colour = KINDS[place % len(KINDS)]
        shown = bool(line["labels"]) and points <= 16 and not chart.get("logarithmic")
        traces.append(
            {
                "type": "scatter",
                "mode": ("lines+markers" if len(line["x"]) > 1 else "markers") + ("+text" if shown else ""),
                "name": name,
                "x": list(line["x"]),
                "y": list(line["y"]),
                "text": [safe(cut(label, 22)) for label in line["labels"]] if shown else labels,
                "customdata": labels,
                "textposition": "top center" if place % 2 == 0 else "bottom center",
                "textfont": {"size": 10},
                "cliponaxis": False,
                "line": {"color": colour, "width": 2},
                "marker": {"color": colour, "size": 9, "symbol": _SYMBOLS[place % len(_SYMBOLS)]},
                "hovertemplate": f"{name}<br>%{{customdata}}<br>{safe(chart['x_title'])} %{{x:.4g}}"
                f"<br>{safe(chart['y_title'])} %{{y:.4g}}<extra></extra>",
            }
        )
    axis: dict[str, Any] = {"title": {"text": safe(chart["x_title"])}, "zeroline": False}
    if chart.get("logarithmic"):
        ticks = sorted({x for line in chart["lines"] for x in line["x"]})
        axis |= {"type": "log", "tickvals": ticks, "ticktext": [f"{tick:g}" for tick in ticks]}
    return figure(
        traces,
        height=380,
        xaxis=axis,
        yaxis={"title": {"text": safe(chart["y_title"])}, "zeroline": False},
        showlegend=True,
        margin={"l": 12, "r": 24, "t": 24, "b": 12},
    )


def _bars(chart: Mapping[str, Any]) -> dict[str, Any]:
    """Bars from top to bottom in their order; a colour and an entry of the legend for each group."""
    groups = list(chart["groups"]) or [""] * len(chart["names"])
    names = [safe(cut(name, _NAME)) for name in chart["names"]]
    traces = []
    for number, group in enumerate(dict.fromkeys(groups)):
        chosen = [place for place, mine in enumerate(groups) if mine == group]
        trace: dict[str, Any] = {
            "type": "bar",
            "orientation": "h",
            "name": safe(cut(group, 40)),
            "x": [chart["values"][place] for place in chosen],
            "y": chosen,
            "width": 0.72,
            "marker": {"color": KINDS[number % len(KINDS)]},
            "text": [safe(cut(chart["names"][place], 80)) for place in chosen],
            "textposition": "none",
            "hovertemplate": "%{text}<br>%{x:.4g}<extra></extra>",
        }
        if chart["errors"]:
            errors = [chart["errors"][place] for place in chosen]
            trace["error_x"] = {"type": "data", "array": errors, "thickness": 1.2, "width": 3, "color": "#8a8f98"}
        traces.append(trace)
    return figure(
        traces,
        height=96 + 22 * len(names),
        xaxis={"title": {"text": safe(chart["title"])}, "nticks": 7},
        yaxis={
            "tickvals": list(range(len(names))),
            "ticktext": names,
            "range": [len(names) - 0.4, -0.6],
            "showgrid": False,
            "zeroline": False,
            "tickfont": {"size": 11},
        },
        showlegend=bool(chart["groups"]),
    )


def _grid(chart: Mapping[str, Any]) -> dict[str, Any]:
    """Shades; those of numbers below zero are of another colour."""
    rows, columns = ([safe(cut(name, 24)) for name in chart[side]] for side in ("rows", "columns"))
    values = [list(line) for line in chart["values"]]
    every = [value for line in values for value in line]
    low, high = min(every, default=0.0), max(every, default=1.0)
    top = max(abs(low), abs(high)) or 1.0
    trace = {
        "type": "heatmap",
        "x": list(range(len(columns))),
        "y": list(range(len(rows))),
        "z": values,
        "customdata": [[f"{row} · {column}" for column in columns] for row in rows],
        "zmin": -top if low < 0 else 0.0,
        "zmax": top,
        "colorscale": DIVERGING if low < 0 else SEQUENTIAL,
        "xgap": 1,
        "ygap": 1,
        "colorbar": {
            "title": {"text": safe(chart["title"]), "side": "right"},
            "thickness": 9,
            "outlinewidth": 0,
            "tickfont": {"size": 10},
        },
        "hovertemplate": "%{customdata}<br>%{z:.4g}<extra></extra>",
    }
    ticks = {"showgrid": False, "zeroline": False, "tickfont": {"size": 10}}
    return figure(
        [trace],
        height=max(260, 110 + 18 * len(rows)),
        xaxis={**ticks, "tickvals": list(range(len(columns))), "ticktext": columns, "tickangle": -90},
        yaxis={**ticks, "tickvals": list(range(len(rows))), "ticktext": rows, "autorange": "reversed"},
        showlegend=False,
    )
