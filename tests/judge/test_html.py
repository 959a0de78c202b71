"""The page: self-contained, escaped, and without anything private in it."""

from __future__ import annotations

import base64
import gzip
import html.parser
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from masquerade.judge.describe import facts
from masquerade.judge.html import page
from masquerade.judge.report import Report
from masquerade.judge.scores import Score
from masquerade.privacy.ledger import Ledger
from masquerade.schema import Column, Schema

SCORES = {
    "quality": Score("quality", 0.95, "higher", (0.94, 0.96), 0.97, "The mean of shapes and trends."),
    "tstr_forest": Score("tstr_forest", 0.8, "higher", None, 0.9),
    "trtr_forest": Score("trtr_forest", 0.9, "higher"),
    "dcr_share": Score("dcr_share", 0.5, "half", (0.48, 0.52), 0.5),
}


def secret_table(rows: int = 400) -> tuple[pl.DataFrame, list[str]]:
    """A table in which some values belong to one row alone, and those values as text."""
    rng = np.random.default_rng(0)
    frame = pl.DataFrame(
        {
            "salary": np.concatenate([[7351624.25, -8842917.75], np.round(rng.normal(50_000, 9_000, rows - 2), 2)]),
            "visits": np.concatenate([[90_817, 40_411], rng.poisson(3, rows - 2)]),
            "town": ["Kleinkleckersdorf", *rng.choice(["Berlin", "Hamburg", "Köln"], rows - 1)],
            "name": [f"Person-{i:05d}-zq" for i in range(rows)],
            "seen": np.datetime64("2020-01-01") + np.concatenate([[25_111], rng.integers(0, 900, rows - 1)]),
        }
    ).with_columns(pl.col("seen").cast(pl.Datetime("us")))
    canaries = [
        "7351624",
        "7,351,624",
        "8842917",
        "8,842,917",
        "90817",
        "90,817",
        "40411",
        "40,411",
        "Kleinkleckersdorf",
    ]
    canaries += ["2088-10-0", "-zq"]
    salaries = sorted(frame["salary"])
    canaries += [repr(x) for x in salaries[:9] + salaries[-9:]] + [f"{x:,.2f}" for x in salaries[:9] + salaries[-9:]]
    return frame, canaries


SECRET_SCHEMA = Schema(
    (
        Column("salary", "continuous"),
        Column("visits", "integer"),
        Column("town", "categorical"),
        Column("name", "id"),
        Column("seen", "datetime"),
    )
)


def everything(page: str) -> tuple[str, dict[str, Any]]:
    """All text of a page but Plotly's own script, with packed arrays unpacked; and its figures."""
    packed = re.search(r'id="plotly">([^<]*)</script>', page)
    assert packed is not None
    script = gzip.decompress(base64.b64decode(packed.group(1)))
    assert script.startswith(b"/**\n* plotly.js")
    text = page.replace(packed.group(1), "")
    found = re.search(r'id="figures">(.*?)</script>', text, re.S)
    assert found is not None
    figures: dict[str, Any] = json.loads(found.group(1))
    unpacked = [text, json.dumps(figures, ensure_ascii=False)]

    def look(item: Any) -> None:
        if isinstance(item, dict):
            if "bdata" in item:
                unpacked.append(str(np.frombuffer(base64.b64decode(item["bdata"]), dtype=item["dtype"]).tolist()))
            for inner in item.values():
                look(inner)
        elif isinstance(item, list):
            for inner in item:
                look(inner)

    look(figures)
    return "\n".join(unpacked), figures


def report_of(real: pl.DataFrame, released: pl.DataFrame, schema: Schema, **more: Any) -> Report:
    return Report(
        scores=SCORES,
        columns={name: {"score": 0.9} for name in schema.names},
        ledger=Ledger(mechanism="CTGAN").to_dict(),
        rows={"real": real.height, "released": released.height, "holdout": 0},
        facts=facts(real, released, None, schema) | more,
    )


def test_nothing_private_is_in_the_page_even_if_the_release_is_a_copy() -> None:
    real, canaries = secret_table()
    text, figures = everything(report_of(real, real, SECRET_SCHEMA).to_html())
    for canary in canaries:
        assert canary not in text, canary
    assert "Hamburg" in text
    shown = 0
    for name, figure in figures.items():
        if name.startswith("chart-"):
            trace = figure["data"][0]
            assert trace["name"] == "real"
            shares = trace["x"] if trace.get("orientation") == "h" else np.multiply(trace["y"], cells(figure))
            counts = np.asarray(shares) * real.height
            assert ((counts < 0.01) | (counts > 9.9)).all()
            shown += 1
    assert shown == 5


def cells(figure: dict[str, Any]) -> list[float]:
    """How many cells each bar spans, from the share in its hover text."""
    bars = figure["data"][0]
    shares = [float(re.findall(r"real ([\d.]+)%", said)[0]) / 100 for said in bars["text"]]
    return [share / y if y else 0.0 for share, y in zip(shares, bars["y"], strict=True)]


class _Elements(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def test_hostile_names_and_levels_stay_text() -> None:
    name, level = "<script>alert(1)</script>", "</script><img src=x onerror=alert(2)>\"'{{ 7*7 }}"
    real = pl.DataFrame({name: [level] * 30 + ["b"] * 30, 'q" onload="x': [1, 2] * 30})
    schema = Schema((Column(name, "categorical"), Column('q" onload="x', "integer")))
    report = report_of(real, real, schema)
    page = report.to_html()
    elements = _Elements()
    elements.feed(page)
    assert [tag for tag, _ in elements.found].count("script") == 3
    assert not any(tag == "img" or any(key.startswith("on") for key in attrs) for tag, attrs in elements.found)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    _, figures = everything(page)
    assert figures["chart-0"]["layout"]["yaxis"]["ticktext"][0].startswith("&lt;/script&gt;&lt;img")
    scored = Report(scores={"<i>": Score("<i>", 0.5, "higher", meaning="<script>")}, policy=GATES)
    assert "<script>" not in scored._repr_html_()
    assert "&lt;u&gt;" in scored.to_html()


GATES = {
    "name": "<u>",
    "met": False,
    "gates": [{"score": "<b>", "min": 0.1, "max": None, "value": 0.0, "judged": 0.0, "met": False, "failed": "<s>"}],
}


def test_nothing_is_fetched_from_outside() -> None:
    real, _ = secret_table()
    elements = _Elements()
    elements.feed(report_of(real, real, SECRET_SCHEMA).to_html())
    for _, attrs in elements.found:
        for key in ("src", "href", "srcset", "data", "action"):
            assert (attrs.get(key) or "#").startswith(("#", "data:,"))
    css = Path(__file__).resolve().parents[2] / "src/masquerade/judge/templates/report.css"
    assert "url(" not in css.read_text()
    assert "@import" not in css.read_text()


def test_what_a_privacy_officer_must_read_is_there() -> None:
    page = Report(scores=SCORES).to_html()
    for words in ("2505.01524", "2312.05114", "Without a guarantee nothing is called anonymous", "No ledger came with"):
        assert words in page
    private = Ledger("differential privacy", 1.0, 1e-5, "row", "add/remove", "marginals")
    assert "ε = 1, δ = 1e-05" in Report(scores={}, ledger=private.to_dict()).to_html()


def test_columns_beyond_forty_fold_and_the_page_stays_small(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    real = pl.DataFrame({f"c{i}": rng.normal(size=300) for i in range(60)})
    path = report_of(real, real, Schema(tuple(Column(n, "continuous") for n in real.columns))).save(tmp_path / "r.html")
    page = path.read_text(encoding="utf-8")
    assert "20 more columns" in page
    assert path.stat().st_size < 3_500_000


def test_the_notebook_card_shows_both_figures() -> None:
    card = Report(scores=SCORES)._repr_html_()
    assert "95.0%" in card
    assert "50.0%" in card
    assert "<script" not in card


@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs Chromium")
def test_charts_are_drawn_in_a_browser_without_a_word_on_its_console(tmp_path: Path) -> None:
    real, _ = secret_table()
    distances = {"edges": [0, 1, 2], "train": [30, 10], "holdout": [20, 20]}
    report = report_of(real, real, SECRET_SCHEMA, distances=distances)
    path = report.save(tmp_path / "report.html")
    flags = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    more = (
        "--disable-component-update --disable-sync --enable-logging=stderr --v=0 --virtual-time-budget=20000 --dump-dom"
    )
    done = subprocess.run(
        ["chromium", *flags.split(), *more.split(), f"--user-data-dir={tmp_path / 'profile'}", path.as_uri()],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert "CONSOLE" not in done.stderr
    wanted = len(everything(path.read_text(encoding="utf-8"))[1])
    assert wanted >= 12
    assert done.stdout.count('class="chart js-plotly-plot"') == wanted


def test_attackers_who_were_tried_when_fitting_are_named_among_what_was_tested() -> None:
    report = Report(scores={}, rows={"real": 20, "released": 20, "holdout": 0}, facts={"things": "pictures"})
    assert "No attack was run." in page(report.to_dict(), report.facts)
    found = page(report.to_dict(), {**report.facts, "tried": ["parity: read from 99% before, from 52% after."]})
    assert "parity: read from 99% before, from 52% after." in found
    assert "No attack was run." not in found
    assert "Nothing about privacy was measured." not in found
