"""Figures are valid Plotly and show the facts they are given."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import polars as pl
import pytest

from masquerade.judge import plots, relation_plots
from masquerade.judge.describe import facts
from masquerade.judge.wording import cut
from masquerade.schema import Column, Schema


def drawn(values: list[object], kind: str) -> dict[str, object]:
    table = pl.DataFrame({"x": values})
    return facts(table, table, None, Schema((Column("x", kind),)))["columns"]["x"]  # type: ignore[arg-type]


def valid(figure: dict[str, object]) -> None:
    go.Figure(figure)  # refuses what Plotly does not know


def test_histogram_shows_the_share_of_each_bin() -> None:
    column = drawn([1] * 30 + [2] * 10 + [3] * 60, "integer")
    figure = plots.distribution(column)
    assert figure is not None
    valid(figure)
    assert figure["data"][0]["y"] == [0.3, 0.1, 0.6]
    assert figure["data"][0]["text"][0] == "1<br>real 30.00%<br>released 30.00%"
    curve = plots.cumulative(column)
    assert curve is not None
    valid(curve)
    assert curve["data"][0]["y"] == [0.0, 0.3, 0.4, 1.0]


def test_merged_bins_keep_their_area() -> None:
    column = drawn([1] * 40 + [2] * 3 + [3] * 57, "integer")
    figure = plots.distribution(column)
    assert figure is not None
    bars = figure["data"][0]
    areas = [w * y for w, y in zip(bars["width"], bars["y"], strict=True)]
    assert areas == pytest.approx([0.4, 0.6])


@pytest.mark.parametrize("scale", [1e-300, 1.0, 1e12, 1e300])
@pytest.mark.parametrize("kind", ["normal", "skewed"])
def test_any_numbers_make_a_valid_figure(scale: float, kind: str) -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=300) if kind == "normal" else np.exp(rng.normal(0, 2, 300))
    column = drawn(list(values * scale), "continuous")
    for figure in (plots.distribution(column), plots.cumulative(column)):
        assert figure is not None
        valid(figure)


def test_bars_cut_long_names_and_escape_markup() -> None:
    hostile = "<b>bold</b> & " + "x" * 60
    figure = plots.distribution(drawn([hostile] * 30 + ["b"] * 20 + [None] * 15, "categorical"))
    assert figure is not None
    valid(figure)
    names = figure["layout"]["yaxis"]["ticktext"]
    assert names[0].startswith("&lt;b&gt;bold&lt;/b&gt; &amp; ")
    assert names[0].endswith("…")
    assert names[-1] == "<i>missing</i>"
    assert figure["data"][0]["x"] == pytest.approx([30 / 65, 20 / 65, 15 / 65], abs=1e-5)


def test_matrices_clouds_logs_and_distances_are_valid() -> None:
    rng = np.random.default_rng(0)
    table = pl.DataFrame({"a": rng.normal(size=400), "b": rng.normal(size=400) * 5, "c": rng.choice(["x", "y"], 400)})
    kinds = Schema((Column("a", "continuous"), Column("b", "continuous"), Column("c", "categorical")))
    found = facts(table, table, None, kinds)
    for part in ("real", "released", "difference"):
        valid(relation_plots.association(found["association"], part))
    assert relation_plots.association(found["association"], "real")["data"][0]["z"][0][0] == 1.0
    for side in ("real", "released"):
        valid(relation_plots.cloud(found["cloud"], side))
    for part in ("mean", "std"):
        figure = relation_plots.logs(found["logs"], part)
        valid(figure)
        assert figure["data"][1]["x"] == figure["data"][1]["y"]
    figure = relation_plots.distances({"edges": [0, 1, 2], "train": [30, 10], "holdout": [20, 20]})
    valid(figure)
    assert [trace["y"] for trace in figure["data"]] == [[0.0, 0.75, 1.0], [0.0, 0.5, 1.0]]


def test_nothing_to_show_makes_no_figure() -> None:
    column = drawn([1.0] * 5 + [None] * 30, "continuous")
    assert plots.distribution(column) is None
    assert plots.cumulative(column) is None


def test_words_of_double_width_are_cut_sooner() -> None:
    assert cut("日本語日本語日本語", 8) == "日本語…"
    assert cut("abcdefgh", 8) == "abcdefgh"
