"""What a fusion's report says beyond the usual: true cells that came back, linkage through what was kept."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

import masquerade as mq
from masquerade import spelling
from masquerade.judge.report import Report
from masquerade.studies.fusion import own_values, quasi_columns, with_fusion


@pytest.fixture(scope="module")
def table() -> pl.DataFrame:
    random = np.random.default_rng(0)
    job = random.choice(["nurse", "clerk", "pilot"], 400)
    ill = np.where(random.random(400) < np.where(job == "pilot", 0.8, 0.2), "yes", "no")
    who = [f"K-{number:07d}" for number in random.permutation(400)]
    return pl.DataFrame({"who": who, "job": job, "sex": random.choice(["f", "m"], 400), "ill": ill})


@pytest.fixture(scope="module")
def fitted(table: pl.DataFrame) -> Any:
    model = mq.Autoregressive(epochs=2, size="small")
    return mq.Fusion(sensitive=["ill"], model=model, random_state=0).fit(table[:300])


def test_own_values_are_counted_and_set_beside_unseen_rows() -> None:
    real = pl.DataFrame({"a": ["x", "y", None, "x"], "b": [1, 2, 3, 4]})
    drawn = pl.DataFrame({"a": ["x", "x", None, "y"], "b": [1, 2, 3, 4]})
    score, panel = own_values(real, drawn, ["a", "b"], (real[:2], drawn[:2]))
    assert score.value == pytest.approx((0.5 + 1.0) / 2)
    assert score.ceiling == pytest.approx((0.5 + 1.0) / 2)
    assert panel.table is not None
    assert panel.table.rows == (("a", "50.0%", "50.0%", "37.5%"), ("b", "100.0%", "100.0%", "25.0%"))
    assert "tell b almost outright" in panel.note


def test_a_release_that_copies_shows_and_one_that_guesses_does_not() -> None:
    random = np.random.default_rng(0)
    real, guess = (pl.DataFrame({"a": random.integers(0, 2, 2_000)}) for _ in range(2))
    honest, _ = own_values(real[:1500], guess[:1500], ["a"], (real[1500:], guess[1500:]))
    assert honest.interval is not None
    assert honest.ceiling is not None
    assert honest.interval[0] <= honest.ceiling
    leaking = pl.concat([real[:500], guess[500:1500]])
    caught, _ = own_values(real[:1500], leaking, ["a"], (real[1500:], guess[1500:]))
    assert caught.interval is not None
    assert caught.ceiling is not None
    assert caught.interval[0] > caught.ceiling


def test_the_report_names_what_is_not_protected(fitted: Any, table: pl.DataFrame) -> None:
    typed = spelling.parse(table, fitted.schema_)
    fused = spelling.parse(fitted.transform(table), fitted.schema_)
    report = with_fusion(Report(scores={}), fitted, typed[:300], fused[:300], (typed[300:], fused[300:]))
    assert set(report.scores) == {"own_values", "k_anonymity", "l_diversity", "t_closeness"}
    assert report.scores["k_anonymity"].value == table.group_by("job", "sex").len()["len"].min()
    first = report.facts["panels"][0]
    assert first["title"] == "What this release does not protect"
    assert "finds the record again" in first["note"]
    assert "Kept as it is: who" in first["note"]
    assert first["table"]["rows"] == (("kept", "who, job, sex"), ("drawn anew", "ill"))


def test_quasi_columns_are_marked_found_or_all(fitted: Any, table: pl.DataFrame) -> None:
    typed = spelling.parse(table, fitted.schema_)
    assert set(quasi_columns(fitted, typed)) == {"job", "sex"}
    plain = typed.rename({"job": "x1", "sex": "x2"}).with_columns(x2=pl.Series(["p", "q"] * 200))
    model = mq.Fusion(sensitive=["ill"])
    model.schema_ = mq.infer(plain)
    model.sensitive_, model.kept_ = model._split(model.schema_)
    assert quasi_columns(model, plain) == ("x1", "x2")
    model.schema_ = model.schema_.replace("x1", quasi=True)
    assert quasi_columns(model, plain) == ("x1",)
