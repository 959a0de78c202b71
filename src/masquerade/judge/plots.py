"""Pictures of single columns, as figures in Plotly's own JSON: `plotly.graph_objects.Figure(figure)` opens one.

All is drawn from counts and summaries that may be shown (see `masquerade.judge.describe`); no function takes a row.
The real table is always blue and filled, the released one orange and outlined, so that colour is never the only sign.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Any

from masquerade.judge.theme import REAL, RELEASED, figure, pale
from masquerade.judge.wording import EPOCH, cut, safe, shares_of, spoken

__all__ = ["cumulative", "distribution"]


def distribution(column: Mapping[str, Any]) -> dict[str, Any] | None:
    """One column, real against released: a histogram, or bars for categories; None when there is nothing to show.

    Args:
        column: an entry of `facts["columns"]`.
    """
    if column.get("bars"):
        return _bars(column["bars"])
    if column.get("histogram"):
        return _histogram(column["histogram"], column)
    return None


def cumulative(column: Mapping[str, Any]) -> dict[str, Any] | None:
    """Cumulative shares of a numeric column, read off the same bins; None where there are not two."""
    drawn = column.get("histogram")
    if not drawn or len(drawn["cells"]) < 2:
        return None
    places, axis = _axis(drawn, column)
    traces = []
    for side, colour, dash in (("real", REAL, "solid"), ("released", RELEASED, "dash")):
        shares = shares_of(drawn[side])
        heights = [0.0]
        for share in shares:
            heights.append(min(heights[-1] + share, 1.0))
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": side,
                "x": places,
                "y": [round(y, 5) for y in heights],
                "line": {"color": colour, "width": 2, "dash": dash},
                "hovertemplate": f"{side}: %{{y:.1%}}<extra></extra>",
            }
        )
    return figure(
        traces,
        height=250,
        xaxis=axis,
        yaxis={"range": [0, 1.02], "tickformat": ".0%", "nticks": 5},
        hovermode="x",
        showlegend=False,
    )


def _histogram(drawn: Mapping[str, Any], column: Mapping[str, Any]) -> dict[str, Any]:
    places, axis = _axis(drawn, column)
    cells = drawn["cells"]
    real, released = shares_of(drawn["real"]), shares_of(drawn["released"])
    said = [
        f"{between}<br>real {a:.2%}<br>released {b:.2%}"
        for between, a, b in zip(_ranges(drawn, column), real, released, strict=True)
    ]
    outline = [s / c for s, c in zip(released, cells, strict=True)]
    moments = column["kind"] == "datetime"
    widths = [(b - a) * (1000 if moments else 1) for a, b in pairwise(drawn["edges"] if moments else places)]
    traces: list[dict[str, Any]] = [
        {
            "type": "bar",
            "name": "real",
            "x": places[:-1],
            "y": [round(s / c, 6) for s, c in zip(real, cells, strict=True)],
            "width": widths,
            "offset": 0,
            "marker": {"color": pale(REAL), "line": {"color": REAL, "width": 0.5}},
            "text": said,
            "textposition": "none",
            "hovertemplate": "%{text}<extra></extra>",
        },
        {
            "type": "scatter",
            "mode": "lines",
            "name": "released",
            "x": [places[0], *places],
            "y": [0, *(round(y, 6) for y in outline), 0],
            "line": {"color": RELEASED, "width": 2, "shape": "hv"},
            "hoverinfo": "skip",
        },
    ]
    top = 1.06 * max([*traces[0]["y"], *outline])
    return figure(
        traces,
        height=250,
        xaxis=axis,
        yaxis={"tickformat": _percent([top]), "nticks": 5, "range": [0, top or 1]},
        bargap=0,
        showlegend=False,
    )


def _bars(drawn: Mapping[str, Any]) -> dict[str, Any]:
    sides = {side: list(drawn[side]) for side in ("real", "released")}
    names = [safe(cut(level, 26)) for level in drawn["levels"]]
    full = [safe(cut(level, 90)) for level in drawn["levels"]]
    for extra in ("other", "missing"):
        if drawn[extra]["real"] or drawn[extra]["released"]:
            names.append(f"<i>{extra}</i>")
            full.append(f"<i>{extra}</i>")
            for side in sides:
                sides[side].append(drawn[extra][side])
    shares = {side: shares_of(counts) for side, counts in sides.items()}
    places = list(range(len(names)))
    traces = [
        {
            "type": "bar",
            "orientation": "h",
            "name": side,
            "x": [round(share, 6) for share in shares[side]],
            "y": places,
            "marker": {"color": pale(REAL), "line": {"color": REAL, "width": 1}}
            if side == "real"
            else {"color": RELEASED},
            "customdata": full,
            "hovertemplate": f"%{{customdata}}<br>{side} %{{x:.2%}}<extra></extra>",
        }
        for side in ("real", "released")
    ]
    top = max([*shares["real"], *shares["released"]], default=1.0)
    return figure(
        traces,
        height=max(130, 62 + 24 * len(names)),
        xaxis={"tickformat": _percent([top]), "nticks": 6, "range": [0, 1.04 * top or 1]},
        yaxis={
            "tickvals": places,
            "ticktext": names,
            "autorange": "reversed",
            "showgrid": False,
            "zeroline": False,
            "ticklabelstandoff": 4,
        },
        bargap=0.3,
        bargroupgap=0.05,
        showlegend=False,
    )


def _axis(drawn: Mapping[str, Any], column: Mapping[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    """Where the edges are drawn, and the axis under them."""
    edges: list[float] = drawn["edges"]
    title = {"title": {"text": "characters"}} if column.get("of") == "length" else {}
    if column["kind"] == "datetime":
        return [_moment(edge) for edge in edges], {"type": "date", "nticks": 6, "zeroline": False, **title}
    if drawn["scale"] == "linear":
        large = max(abs(edges[0]), abs(edges[-1]))
        form = {"tickformat": "~s"} if 1e4 <= large < 1e15 else {"tickformat": "~g"} if not 1e-2 <= large < 1e15 else {}
        return list(edges), {"nticks": 7, "zeroline": False, "range": [edges[0], edges[-1]], **form, **title}
    places = [0]
    for cells in drawn["cells"]:
        places.append(places[-1] + cells)
    whole = column["kind"] == "integer" or column.get("of") == "length"
    values = [math.ceil(edge) if whole else edge for edge in edges]
    chosen: list[int] = []
    every = places[-1] / 6
    for i in sorted(range(len(values)), key=lambda i: (-_roundness(values[i]), i)):
        if all(abs(places[i] - places[j]) >= every for j in chosen):
            chosen.append(i)
    chosen.sort()
    return places, {
        "tickvals": [places[i] for i in chosen],
        "ticktext": [_compact(values[i]) for i in chosen],
        "range": [0, places[-1]],
        "zeroline": False,
        **title,
    }


def _roundness(value: float) -> int:
    """How round a number is: zero, then powers of ten, then fives and twos."""
    if value == 0:
        return 4
    lead = f"{abs(value):.6e}".split("e")[0].rstrip("0").rstrip(".")
    return {"1": 3, "5": 2, "2": 1}.get(lead, 0)


def _compact(value: float) -> str:
    size = abs(value)
    for limit, letter in ((1e12, ""), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if limit <= size < 1e15 and letter:
            return f"{value / limit:.4g}{letter}"
    return f"{value:.4g}"


def _ranges(drawn: Mapping[str, Any], column: Mapping[str, Any]) -> list[str]:
    """Each bin in words."""
    edges = drawn["edges"]
    kind = column["kind"]
    span = edges[-1] - edges[0]
    if kind == "integer" or column.get("of") == "length":
        ends = [(math.ceil(a), math.ceil(b) - 1) for a, b in pairwise(edges)]
        return [f"{a:,}" if a == b else f"{a:,} to {b:,}" for a, b in ends]
    return [f"{spoken(a, kind, span)} to {spoken(b, kind, span)}" for a, b in pairwise(edges)]


def _moment(seconds: float) -> str:
    return f"{EPOCH + timedelta(seconds=seconds):%Y-%m-%d %H:%M:%S}"


def _percent(shares: Sequence[float]) -> str:
    return ".0%" if max(shares, default=1.0) >= 0.05 else ".1%"
