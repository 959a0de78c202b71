"""Pictures of panels and attacks: valid Plotly, and showing what they are given."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go
import pytest

from masquerade.judge import panel_plots
from masquerade.judge.html import page
from masquerade.judge.panels import Bars, Curve, Grid, Line, Panel, Rows
from masquerade.judge.words_of_attacks import attacks, dotted, panels


def valid(figure: dict[str, Any]) -> None:
    go.Figure(figure)  # refuses what Plotly does not know


CURVE = Curve(
    "AUC", "loss", (Line("ours", (0.9, 0.6), (0.0, 0.02), ("weak <b>", "strong")), Line("drop", (0.93,), (0.0,)))
)
BARS = Bars("drop", ("a", "b", "c"), (0.3, 0.2, 0.1), ("one", "two", "one"), (0.01, 0.02, 0.03))
GRID = Grid("change", ("x", "y"), ("p_0", "p_1", "p_2"), ((1.0, -2.0, 0.5), (0.0, 0.1, 0.2)))


def panel(**changes: Any) -> dict[str, Any]:
    return Panel(**({"title": "A <title>", "note": "How to read it."} | changes)).to_dict()


def test_a_curve_has_a_line_where_there_are_points_to_join_and_tells_each_point() -> None:
    figure = panel_plots.panel(panel(chart=CURVE)["chart"])
    valid(figure)
    ours, drop = figure["data"]
    assert ours["mode"] == "lines+markers+text"
    assert drop["mode"] == "markers"
    assert (ours["x"], ours["y"]) == ([0.9, 0.6], [0.0, 0.02])
    assert ours["customdata"] == ["weak &lt;b&gt;", "strong"]
    assert ours["marker"]["color"] != drop["marker"]["color"]
    assert ours["marker"]["symbol"] != drop["marker"]["symbol"]


def test_bars_keep_their_order_and_have_a_colour_for_each_group() -> None:
    figure = panel_plots.panel(panel(chart=BARS)["chart"])
    valid(figure)
    one, two = figure["data"]
    assert (one["name"], one["y"], one["x"]) == ("one", [0, 2], [0.3, 0.1])
    assert one["error_x"]["array"] == [0.01, 0.03]
    assert two["marker"]["color"] != one["marker"]["color"]
    assert figure["layout"]["yaxis"]["ticktext"] == ["a", "b", "c"]
    plain = panel_plots.panel(panel(chart=Bars("drop", ("a",), (0.3,)))["chart"])
    assert not plain["layout"]["showlegend"]
    assert "error_x" not in plain["data"][0]


def test_a_grid_is_shaded_around_zero_where_there_are_negative_numbers() -> None:
    trace = panel_plots.panel(panel(chart=GRID)["chart"])["data"][0]
    assert (trace["zmin"], trace["zmax"]) == (-2.0, 2.0)
    assert trace["z"] == [[1.0, -2.0, 0.5], [0.0, 0.1, 0.2]]
    assert trace["customdata"][1][2] == "y · p_2"
    figure = panel_plots.panel(panel(chart=Grid("change", ("x",), ("y",), ((3.0,),)))["chart"])
    valid(figure)
    assert (figure["data"][0]["zmin"], figure["data"][0]["zmax"]) == (0.0, 3.0)


def test_an_unknown_chart_is_refused() -> None:
    with pytest.raises(ValueError, match="got 'pie'"):
        panel_plots.panel({"kind": "pie"})


def test_columns_of_a_table_that_hold_numbers_are_set_as_numbers() -> None:
    table = Rows(
        ("who", "AUC", "interval", "how"), (("a", "0.93", "0.92 – 0.94", "by 3 trees"), ("b", "–", "", "none"))
    )
    shown = panels([panel(table=table)])[0]
    assert shown["table"]["numbers"] == [False, True, True, False]
    assert shown["chart"] is None


def told(auc: float, low: float, **more: Any) -> dict[str, Any]:
    attackers = {"boosting": auc, "network": auc - 0.01, "neighbours": auc - 0.02}
    return {
        "auc": auc,
        "interval": [low, 2 * auc - low],
        "accuracy": 0.7,
        "majority": 0.6,
        "attackers": attackers,
    } | more


ALIGNED = told(
    0.55,
    0.49,
    aligned=True,
    kept=["income"],
    with_kept=told(0.62, 0.6),
    drop_the_column=told(0.93, 0.92),
    untouched=told(0.92, 0.91),
    floor=told(0.598, 0.58),
)


def test_a_secret_is_told_in_sentences_a_table_and_dots() -> None:
    shown = attacks({"attribute": {"sex": ALIGNED}}, panels=False)["secrets"][0]
    text = " ".join(shown["lines"])
    assert "with AUC 0.550: no better than at random" in text
    assert "right for 70.0% of them" in text
    assert "(income) it is 0.620; income alone gives 0.598" in text
    assert "leaves 0.930" in text
    assert [row[0] for row in shown["rows"]] == [
        "the release without income", "the release with income", "the real table, the column dropped",
        "the same without income", "income alone",
    ]  # fmt: skip
    assert shown["rows"][0][1:5] == ["0.550", "0.490 – 0.610", "0.700", "0.600"]
    figure = panel_plots.dots(**dotted(ALIGNED))
    valid(figure)
    chance, beside, released = figure["data"]
    assert chance["x"] == [0.5, 0.5]
    assert released["x"] == [0.55, 0.62]
    assert released["error_x"]["arrayminus"] == [0.06, 0.02]
    assert beside["x"] == [0.93, 0.92, 0.598]


def test_rows_that_were_drawn_are_told_beside_the_control_group() -> None:
    fresh = told(0.80, 0.79, aligned=False, kept=[], control=told(0.805, 0.79))
    text = attacks({"attribute": {"sex": fresh}}, panels=False)["secrets"][0]["lines"][0]
    assert "with AUC 0.800, of others with 0.805" in text
    assert "true of the population" in text
    leaking = told(0.90, 0.88, aligned=False, kept=[], control=told(0.805, 0.79))
    assert "population" not in attacks({"attribute": {"sex": leaking}}, panels=False)["secrets"][0]["lines"][0]


def test_a_number_is_told_by_correlation() -> None:
    number = {"correlation": 0.4, "r2": 0.15, "interval": [0.3, 0.5], "attackers": {}, "aligned": True, "kept": []}
    shown = attacks({"attribute": {"age": number}}, panels=False)["secrets"][0]
    assert "a correlation of 0.400: better than at random" in shown["lines"][0]
    assert shown["header"][3] == "R²"
    assert panel_plots.dots(**dotted(number))["data"][0]["x"] == [0.0, 0.0]


def test_the_page_shows_attacks_and_panels_and_says_whose_eyes_they_are_for() -> None:
    link = {
        "value": 0.5,
        "interval": [0.4, 0.6],
        "attack": 0.55,
        "control": 0.1,
        "people": 1000,
        "halves": [["a"], ["b"]],
    }
    report = {
        "scores": {"attribute_auc": {"value": 0.62, "interval": [0.6, 0.64], "ceiling": 0.5, "better": "lower"}},
        "attacks": {"attribute": {"sex": ALIGNED}, "linkability": link, "codes": {"hidden": "dump"}, "own": {"a": 1}},
    }
    charts = (CURVE, BARS, GRID, None)
    given = [panel(chart=chart, owner_only=chart is GRID, table=Rows(("a", "b"), (("x", "1"),))) for chart in charts]
    shown = page(report, {"panels": given})
    for words in ("Guessing “sex”", "match 55.0% of 1,000 people rightly", "A &lt;title&gt;", "▲ the attack succeeds"):
        assert words in shown
    for chart in ("secret-chart-0", "panel-chart-0", "panel-chart-1", "panel-chart-2"):
        assert f'data-figure="{chart}"' in shown
        assert f'"{chart}":' in shown
    assert shown.count("for the owner’s eyes only") == 1
    assert 'href="#panel-3"' in shown
    assert "dump" not in shown  # the panels tell it
    assert '<td class="name">own</td>' in shown
    assert "panel-chart" not in page(report, {})
