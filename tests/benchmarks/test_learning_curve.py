"""The learning curve: what rows are worth is read off it rightly, and a model is asked for the right probabilities."""

from __future__ import annotations

import importlib
import math
from pathlib import Path
from types import ModuleType

import polars as pl
import pytest

import masquerade as mq

FOLDER = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture
def curve(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(FOLDER))
    return importlib.import_module("learning_curve")


def test_rows_are_read_off_the_curve(curve: ModuleType) -> None:
    measured = [(100, 0.6), (1_000, 0.4), (10_000, 0.3)]
    assert curve.worth(measured, 0.4) == "1,000 rows"
    assert curve.worth(measured, 0.35) == "3,162 rows"
    assert curve.worth(measured, 0.7) == "100 rows or fewer"
    assert curve.worth(measured, 0.29) == "over 10,000 rows"


def test_the_loss_is_that_of_the_true_level(curve: ModuleType) -> None:
    table = pl.DataFrame({"a": ["x", "y"] * 300, "y": ["no", "no", "no", "yes"] * 150})  # y: half of all a == "y"
    model = mq.Autoregressive(epochs=10, random_state=0).fit(table)
    assert curve.log_loss(model, table, "y") == pytest.approx(math.log(2) / 2, abs=0.03)


def test_a_table_names_every_score_with_and_without(curve: ModuleType) -> None:
    scores = {"log loss": 0.5, "tstr_boosting": 0.8, "bivariate_accuracy": 0.9}
    grid = curve.shown("bank", [{"rows": 100, "scratch": scores, "start": {**scores, "log loss": 0.4}}])
    assert grid.rows == [["100", "0.500", "0.400", "0.800", "0.800", "0.900", "0.900", "over 100 rows"]]
