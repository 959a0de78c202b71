"""Pictures of what holds between columns and between rows, as figures in Plotly's own JSON, from counts that may be shown."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from masquerade.judge.theme import DIVERGING, REAL, RELEASED, SEQUENTIAL, figure
from masquerade.judge.wording import cut, safe, shares_of

__all__ = ["association", "cloud", "distances", "drawn_from", "logs"]


def logs(points: Mapping[str, Any], part: str) -> dict[str, Any]:
    """log10 of the absolute mean, or of the standard deviation, of each numeric column: released against real.

    Args:
        points: `facts["logs"]`.
        part: `"mean"` or `"std"`.
    """
    known = {n: p[part] for n, p in points.items() if None not in p[part].values()}
    xs, ys = [p["real"] for p in known.values()], [p["released"] for p in known.values()]
    low, high = (min([*xs, *ys], default=0.0), max([*xs, *ys], default=1.0))
    pad = 0.08 * (high - low) or 0.5
    few = len(known) <= 16
    traces: list[dict[str, Any]] = [
        {
            "type": "scatter",
            "mode": "lines",
            "x": [low - pad, high + pad],
            "y": [low - pad, high + pad],
            "line": {"color": "#8a8f98", "width": 1, "dash": "dot"},
            "hoverinfo": "skip",
        },
        {
            "type": "scatter",
            "mode": "markers+text" if few else "markers",
            "x": xs,
            "y": ys,
            "text": [safe(cut(n, 14)) for n in known],
            "customdata": [safe(cut(n, 60)) for n in known],
            "textposition": ["top center" if i % 2 else "bottom center" for i in range(len(known))],
            "textfont": {"size": 10},
            "marker": {"color": RELEASED, "size": 9, "opacity": 0.85, "line": {"color": "#ffffff", "width": 1}},
            "hovertemplate": "%{customdata}<br>real %{x:.3f}<br>released %{y:.3f}<extra></extra>",
        },
    ]
    name = "mean" if part == "mean" else "standard deviation"
    span = {"range": [low - pad, high + pad], "zeroline": False}
    return figure(
        traces,
        height=340,
        xaxis={"title": {"text": f"real: log₁₀ {name}"}, **span},
        yaxis={"title": {"text": f"released: log₁₀ {name}"}, **span},
        showlegend=False,
    )


def association(facts: Mapping[str, Any], part: str) -> dict[str, Any]:
    """One association matrix as a heat map.

    Args:
        facts: `facts["association"]`.
        part: `"real"`, `"released"` or `"difference"` (released less real).
    """
    names = [safe(cut(name, 18)) for name in facts["columns"]]
    places = list(range(len(names)))
    wide = 0.5 if part == "difference" else 1.0
    size = max(330, 190 + 12 * len(names))
    ticks = {
        "tickvals": places,
        "ticktext": names,
        "showgrid": False,
        "zeroline": False,
        "tickfont": {"size": 10 if len(names) <= 16 else 9},
    }
    trace = {
        "type": "heatmap",
        "x": places,
        "y": places,
        "z": facts[part],
        "text": [[f"{a} · {b}" for b in names] for a in names] if len(names) <= 12 else None,
        "zmin": -wide,
        "zmax": wide,
        "colorscale": DIVERGING,
        "xgap": 1,
        "ygap": 1,
        "colorbar": {
            "orientation": "h",
            "thickness": 7,
            "len": 0.7,
            "y": 1.01,
            "yanchor": "bottom",
            "outlinewidth": 0,
            "tickfont": {"size": 10},
            "nticks": 5,
        },
        "hovertemplate": "%{y} with %{x}: %{z:.2f}<extra></extra>",
    }
    if trace["text"] is None:
        del trace["text"]
    return figure(
        [trace],
        height=size,
        xaxis={**ticks, "tickangle": -90},
        yaxis={**ticks, "autorange": "reversed"},
        showlegend=False,
    )


def drawn_from(facts: Mapping[str, Any]) -> dict[str, Any]:
    """What each column is drawn from, as a heat map on a logarithmic scale; what is looked up has a colour of its own.

    Args:
        facts: as from `masquerade.judge.dependencies.dependency_facts`.
    """
    rows, columns = ([safe(cut(name, 20)) for name in facts[side]] for side in ("rows", "columns"))
    nats, determined = facts["nats"], facts["determined"]
    few = len(columns) <= 10
    shown = [value for line in nats for value in line if value is not None]
    low = min(math.floor(math.log10(min(shown))), -1)
    high = max(math.ceil(2 * math.log10(max(shown))) / 2, 0)
    ends = list(range(low, math.floor(high) + 1))
    common = {
        "type": "heatmap",
        "x": list(range(len(columns))),
        "y": list(range(len(rows))),
        "customdata": nats,
        "xgap": 2 if few else 1,
        "ygap": 2 if few else 1,
        "hoverongaps": False,
        **(
            {"text": [[_told(x) for x in line] for line in nats], "texttemplate": "%{text}", "textfont": {"size": 11}}
            if few
            else {}
        ),
    }
    parts = []
    for certain in (False, True):
        parts.append(
            [
                [None if x is None or looked_up is not certain else round(math.log10(x), 3) for x, looked_up in pair]
                for pair in (zip(*lines, strict=True) for lines in zip(nats, determined, strict=True))
            ]
        )
    traces: list[dict[str, Any]] = [
        common
        | {
            "z": parts[0],
            "zmin": low,
            "zmax": high,
            "colorscale": SEQUENTIAL,
            "colorbar": {
                "orientation": "h",
                "thickness": 7,
                "len": 0.7,
                "y": 1.01,
                "yanchor": "bottom",
                "outlinewidth": 0,
                "tickvals": ends,
                "ticktext": [f"{10.0**end:.{max(-end, 0)}f}" for end in ends],
                "tickfont": {"size": 10},
            },
            "hovertemplate": "%{y} is drawn from %{x}: %{customdata:.3f} nats<extra></extra>",
        }
    ]
    if any(map(any, determined)):
        looked_up = {
            "z": parts[1],
            "colorscale": [[0.0, RELEASED], [1.0, RELEASED]],
            "showscale": False,
            "hovertemplate": "%{y} is looked up from %{x}: %{customdata:.3f} nats<extra></extra>",
        }
        traces.append(common | looked_up)
    axis = {"showgrid": False, "zeroline": False, "tickfont": {"size": 11 if few else 10 if len(columns) <= 30 else 9}}
    return figure(
        traces,
        height=max(240, 130 + (26 if few else 15 if len(rows) > 30 else 19) * len(rows)),
        xaxis={**axis, "tickvals": common["x"], "ticktext": columns, "tickangle": -90 if len(columns) > 6 else 0},
        yaxis={**axis, "tickvals": common["y"], "ticktext": rows, "autorange": "reversed"},
        showlegend=False,
    )


def _told(nats: float | None) -> str:
    return "" if nats is None else f"{nats:.2f}" if nats >= 0.005 else "<.01"


def cloud(facts: Mapping[str, Any], side: str) -> dict[str, Any]:
    """One table as a density over the real table's first two principal components.

    Args:
        facts: `facts["cloud"]`.
        side: `"real"` or `"released"`.
    """
    totals = {s: max(sum(map(sum, facts[s])), 1) for s in ("real", "released")}
    top = max((math.log10(max(max(row), 1) / totals[s]) for s in totals for row in facts[s]), default=0.0)
    bottom = min((math.log10(n / totals[s]) for s in totals for row in facts[s] for n in row if n), default=-4.0)
    grid = [[round(math.log10(n / totals[side]), 3) if n else None for n in row] for row in facts[side]]
    ends = list(range(math.ceil(bottom), math.floor(top) + 1))
    trace = {
        "type": "heatmap",
        "x": facts["x"],
        "y": facts["y"],
        "z": grid,
        "zmin": bottom,
        "zmax": top,
        "colorscale": SEQUENTIAL,
        "colorbar": {
            "thickness": 8,
            "len": 0.9,
            "outlinewidth": 0,
            "tickvals": ends,
            "ticktext": [f"{10.0**end:.{max(-end - 2, 0)}%}" for end in ends],
            "tickfont": {"size": 10},
        },
        "customdata": [[n / totals[side] for n in row] for row in facts[side]],
        "hovertemplate": "%{customdata:.2%} of rows<extra></extra>",
        "hoverongaps": False,
    }
    first, second = facts["explained"]
    return figure(
        [trace],
        height=360,
        xaxis={"title": {"text": f"first component ({first:.0%} of variance)"}, "zeroline": False, "showgrid": False},
        yaxis={"title": {"text": f"second component ({second:.0%})"}, "zeroline": False, "showgrid": False},
        showlegend=False,
    )


def distances(facts: Mapping[str, Sequence[float]]) -> dict[str, Any]:
    """How far released rows lie from their nearest training and their nearest held-back row, as cumulative shares.

    Args:
        facts: `facts["distances"]`: `edges` (bins + 1,), and rows per bin in `train` and `holdout`.
    """
    traces = []
    for part, name, colour, dash in (
        ("train", "to rows that were used", RELEASED, "solid"),
        ("holdout", "to rows that were held back", REAL, "dash"),
    ):
        heights = [0.0]
        for share in shares_of(facts[part]):
            heights.append(min(heights[-1] + share, 1.0))
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": name,
                "x": list(facts["edges"]),
                "y": [round(y, 5) for y in heights],
                "line": {"color": colour, "width": 2, "dash": dash},
                "hovertemplate": f"%{{y:.1%}} within %{{x:.3g}} {name}<extra></extra>",
            }
        )
    return figure(
        traces,
        height=320,
        xaxis={"title": {"text": "distance to the nearest row"}, "zeroline": False},
        yaxis={"title": {"text": "share of released rows"}, "range": [0, 1.02], "tickformat": ".0%"},
        showlegend=True,
    )
