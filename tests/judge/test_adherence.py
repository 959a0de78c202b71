"""`rule_adherence`: counted row by row, beside the holdout, and shown rule by rule."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from masquerade.evaluation import evaluate
from masquerade.judge.adherence import rule_adherence
from masquerade.judge.words_of_report import tables
from masquerade.schema import Column, Schema

SCHEMA = Schema(
    (Column("low", "integer"), Column("high", "integer"), Column("city", "categorical"), Column("land", "categorical")),
    rules=("low <= high", "low >= 0", {"kind": "fixed_combinations", "columns": ["city", "land"]}),  # type: ignore[arg-type]
)


def table(rows: int, seed: int) -> pl.DataFrame:
    random = np.random.default_rng(seed)
    low, place = random.integers(0, 9, rows), random.integers(0, 2, rows)
    cities, lands = np.array(["Rome", "Lyon"]), np.array(["IT", "FR"])
    return pl.DataFrame(
        {"low": low, "high": low + random.integers(0, 9, rows), "city": cities[place], "land": lands[place]}
    )


def test_shares_are_counted_row_by_row() -> None:
    released = pl.DataFrame(
        {"low": [1, 5, -1, 9], "high": [2, 4, 3, 3], "city": ["Rome"] * 4, "land": ["IT", "IT", "IT", "FR"]}
    )
    found = rule_adherence({"real": table(100, 0), "released": released, "holdout": table(50, 1)}, SCHEMA.rules)
    score = found.scores["rule_adherence"]
    assert (score.value, score.ceiling, score.better) == (0.25, 1.0, "higher")
    assert score.interval is not None
    assert score.interval[0] < 0.25 < score.interval[1]
    assert "Broken most often: low <= high (50.00% of rows)" in score.meaning
    assert [share["released"] for share in found.facts["rules"]] == [0.5, 0.75, 0.75]
    shown = tables({"scores": {}}, found.facts, {})["rules"]
    assert shown[0] == {"rule": "low <= high", "released": "50.00%", "holdout": "100.00%"}


def test_nothing_is_judged_without_rules() -> None:
    assert not rule_adherence({"real": table(20, 0), "released": table(20, 1)}, ()).scores


def test_what_is_broken_once_is_not_rounded_to_all() -> None:
    shown = tables({"scores": {}}, {"rules": [{"rule": "a", "released": 0.999999, "holdout": None}]}, {})["rules"]
    assert shown == [{"rule": "a", "released": "over 99.99%", "holdout": "–"}]


@pytest.mark.filterwarnings("ignore:no holdout")
def test_the_report_holds_the_score_and_every_rule() -> None:
    released = table(60, 1).with_columns(high=pl.lit(4))
    report = evaluate(table(80, 0), released, schema=SCHEMA)
    share = float((released["low"] <= 4).mean())  # type: ignore[arg-type]
    assert report.scores["rule_adherence"].value == pytest.approx(share)
    assert report.scores["rule_adherence"].ceiling is None
    page = report.to_html()
    assert "Business rules" in page
    assert "low &lt;= high" in page
    assert "rule_adherence" not in evaluate(table(80, 0), released).scores
