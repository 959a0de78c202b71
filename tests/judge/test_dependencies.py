"""The picture of what each column is drawn from, and what stands beside it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import polars as pl
import pytest

from masquerade.errors import SettingError
from masquerade.evaluation import evaluate
from masquerade.judge.dependencies import dependency_facts
from masquerade.judge.relation_plots import drawn_from
from masquerade.judge.report import Report
from masquerade.schema import Column, Schema

ABC = Schema((Column("a", "integer"), Column("b<i>", "integer"), Column("c", "categorical"), Column("d", "boolean")))
LINKS = pl.DataFrame(
    {
        "column": ["d", "c", "c"],
        "drawn_from": ["c", "b<i>", "a"],
        "nats": [0.7, 0.25, 0.002],
        "determined": [True, False, False],
    }
)


def test_the_matrix_stands_in_the_tables_order() -> None:
    found = dependency_facts(LINKS.sort("nats"), ABC)
    assert found is not None
    assert (found["rows"], found["columns"]) == (["c", "d"], ["a", "b<i>", "c"])
    assert found["nats"] == [[0.002, 0.25, None], [None, None, 0.7]]
    assert found["determined"] == [[False, False, False], [False, False, True]]
    assert found["strongest"][0] == ["d", "c", 0.7, True]
    assert found["left_out"] == 0


def test_the_figure_is_valid_and_keeps_what_is_looked_up_apart() -> None:
    found = dependency_facts(LINKS, ABC)
    assert found is not None
    figure = drawn_from(found)
    go.Figure(figure)  # refuses what Plotly does not know
    drawn, looked_up = figure["data"]
    assert drawn["z"] == [[pytest.approx(np.log10(0.002), abs=1e-3), pytest.approx(-0.602, abs=1e-3), None], [None] * 3]
    assert looked_up["z"][1][2] == pytest.approx(np.log10(0.7), abs=1e-3)
    assert sum(x is not None for line in looked_up["z"] for x in line) == 1
    assert drawn["zmin"] <= np.log10(0.002)
    assert drawn["text"][0] == ["<.01", "0.25", ""]
    assert figure["layout"]["xaxis"]["ticktext"][1] == "b&lt;i&gt;"
    only_drawn = dependency_facts(LINKS.filter(~pl.col("determined")), ABC)
    assert only_drawn is not None
    assert len(drawn_from(only_drawn)["data"]) == 1


def test_of_many_columns_the_sixty_with_the_strongest_links_are_shown() -> None:
    names = [f"x{i}" for i in range(90)]
    links = pd.DataFrame({"column": names[1:], "drawn_from": names[:-1], "nats": np.linspace(0.01, 2, 89)})
    found = dependency_facts(links, Schema(tuple(Column(name, "integer") for name in names)))
    assert found is not None
    assert found["rows"] == names[30:]
    assert found["columns"] == names[29:-1]
    assert found["left_out"] == 30
    assert len(found["strongest"]) == 12
    figure = drawn_from(found)
    go.Figure(figure)
    assert "text" not in figure["data"][0]


@pytest.mark.parametrize(
    ("links", "said"),
    [
        (LINKS.drop("nats"), "no column 'nats'"),
        (LINKS.with_columns(drawn_from=pl.lit("aa")), "no column 'aa' .did you mean 'a'"),
        (LINKS.with_columns(nats=pl.lit("much")), "'nats' has type String, expected numbers"),
    ],
)
def test_a_frame_that_does_not_fit_is_refused(links: pl.DataFrame, said: str) -> None:
    with pytest.raises(SettingError, match=said):
        dependency_facts(links, ABC)


def test_without_links_there_is_no_picture() -> None:
    assert dependency_facts(LINKS.clear(), ABC) is None
    assert "drawn from" not in Report(scores={}).to_html()


@pytest.mark.filterwarnings("ignore:no holdout was given")
def test_evaluate_puts_it_in_the_page() -> None:
    random = np.random.default_rng(0)
    table = pl.DataFrame({"a": random.integers(0, 4, 80), "c": random.choice(["x", "y"], 80)})
    links = pl.DataFrame({"column": ["c"], "drawn_from": ["a"], "nats": [0.123]})
    report = evaluate(table[:40], table[40:], dependencies=links)
    page = report.to_html()
    assert "What each column is drawn from" in page
    assert 'drawn from a</td><td class="number">0.123' in page
    assert "looked up" not in page
    assert "dependencies" not in report.to_dict()
