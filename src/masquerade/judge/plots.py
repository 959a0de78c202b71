"""Pictures of the facts, as figures in Plotly's own JSON: `plotly.graph_objects.Figure(figure)` opens one.

All is drawn from counts and summaries that may be shown (see `masquerade.judge.describe`); no function takes a row.
The real table is always blue and filled, the released one orange and outlined, so that colour is never the only sign.
"""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import accumulate, pairwise
from typing import Any

from masquerade.judge.theme import DIVERGING, REAL, RELEASED, SEQUENTIAL, figure, pale

__all__ = ["association", "cloud", "cumulative", "cut", "distances", "distribution", "logs", "spoken"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


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
        shares = _shares(drawn[side])
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
            "text": [_safe(cut(n, 14)) for n in known],
            "customdata": [_safe(cut(n, 60)) for n in known],
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
    names = [_safe(cut(name, 18)) for name in facts["columns"]]
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
        for share in _shares(facts[part]):
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
        moment = _EPOCH + timedelta(seconds=value)
        return f"{moment:%Y-%m-%d}" if span is None or span > 3 * 86_400 else f"{moment:%Y-%m-%d %H:%M}"
    if value == 0:
        return "0"
    if abs(value) >= 1e12 or abs(value) < 1e-4:
        return f"{value:.4g}"
    return f"{value:,.0f}" if value == round(value) else f"{value:,.6g}"


def _histogram(drawn: Mapping[str, Any], column: Mapping[str, Any]) -> dict[str, Any]:
    places, axis = _axis(drawn, column)
    cells = drawn["cells"]
    real, released = _shares(drawn["real"]), _shares(drawn["released"])
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
    names = [_safe(cut(level, 26)) for level in drawn["levels"]]
    full = [_safe(cut(level, 90)) for level in drawn["levels"]]
    for extra in ("other", "missing"):
        if drawn[extra]["real"] or drawn[extra]["released"]:
            names.append(f"<i>{extra}</i>")
            full.append(f"<i>{extra}</i>")
            for side in sides:
                sides[side].append(drawn[extra][side])
    shares = {side: _shares(counts) for side, counts in sides.items()}
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
    return f"{_EPOCH + timedelta(seconds=seconds):%Y-%m-%d %H:%M:%S}"


def _shares(counts: Sequence[float]) -> list[float]:
    total = sum(counts)
    return [count / total if total else 0.0 for count in counts]


def _percent(shares: Sequence[float]) -> str:
    return ".0%" if max(shares, default=1.0) >= 0.05 else ".1%"


def _safe(word: str) -> str:
    """Plotly reads a little HTML in its texts; a name is shown as it is."""
    return html.escape(word, quote=False)
