"""The tabular benchmark: what it calls better and worse, what it keeps, and what it prints; imputation's figures by hand."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import polars as pl
import pytest

FOLDER = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def modules() -> Iterator[dict[str, ModuleType]]:
    import importlib

    names = ("tabular_scores", "tabular_report", "growth", "imputation", "environment")
    sys.path.insert(0, str(FOLDER))
    try:
        yield {name: importlib.import_module(name) for name in names}
    finally:
        sys.path.remove(str(FOLDER))


def cell(kind: str, model: str, value: float, *, spread: float = 0.01, number: int = 0, **more: Any) -> dict[str, Any]:
    """A cell whose every score is `value`, with replicates around it that are the same for every model."""
    from tabular_scores import MAIN

    noise = np.random.default_rng(number).normal(0, spread, 100)
    run = {"name": model, "fit_seconds": 10.0 * value, "compile_seconds": 1.0, "sample_rows_per_second": 5.0}
    scores = {"independent": dict.fromkeys(MAIN, value) | {"replicates": {name: list(value + noise) for name in MAIN}}}
    scores["evaluate"] = {
        "quality": {"value": value, "interval": [value - 0.02, value + 0.02], "ceiling": 0.99, "better": "higher"}
    }
    return {"table": "bank", "kind": kind, "model": model, "round": number, "run": run, "scores": scores} | more


def test_paired_replicates_tell_small_differences(modules: dict[str, ModuleType]) -> None:
    """Both were judged on the same samples: a difference far below the spread of either is certain."""
    scores = modules["tabular_scores"]
    ours, theirs = (scores.Side([cell("ours", "a", value)]) for value in (0.905, 0.9))
    assert scores.compare(ours, theirs, "independent", "tstr_boosting") == "better"
    assert scores.compare(theirs, ours, "independent", "tstr_boosting") == "worse"
    assert scores.compare(ours, ours, "independent", "tstr_boosting") == "level"
    assert scores.compare(ours, theirs, "independent", "detection_auc") == "worse"  # lower is better above ½
    assert scores.compare(ours, theirs, "evaluate", "quality") == "level"  # 0.005 beside an interval of 0.04


def test_below_one_half_is_no_worse_than_one_half(modules: dict[str, ModuleType]) -> None:
    scores = modules["tabular_scores"]
    low, half = (scores.Side([cell("ours", "a", value)]) for value in (0.45, 0.5))
    assert scores.compare(low, half, "independent", "dcr_share") == "level"
    assert scores.compare(low, half, "independent", "tstr_boosting") == "worse"


def test_rounds_that_disagree_say_nothing(modules: dict[str, ModuleType]) -> None:
    scores = modules["tabular_scores"]
    ours = scores.Side([cell("ours", "a", value, number=i) for i, value in enumerate((0.8, 0.9, 0.95))])
    theirs = scores.Side([cell("ours", "a", value, number=i) for i, value in enumerate((0.9, 0.85, 0.8))])
    assert ours.score("independent", "tstr_boosting") == pytest.approx(0.8833, abs=1e-4)
    assert scores.compare(ours, theirs, "independent", "tstr_boosting") == "level"
    low, high = scores.interval(ours, "independent", "tstr_boosting")
    assert high - low == pytest.approx(2 * 1.96 * np.std([0.8, 0.9, 0.95], ddof=1) / np.sqrt(3))


def test_the_report_shows_ratios_marks_failures_and_missed_aims(modules: dict[str, ModuleType]) -> None:
    shape = {"train": 10, "holdout": 5, "columns": 3, "target": "y", "task": "classification", "part": False}
    failed = {"table": "bank", "kind": "peer", "model": "ctgan", "round": 0, "error": "Traceback\nMemoryError"}
    top = cell("ceiling", "ceiling", 0.95)
    results = {
        "tables": {"bank": shape},
        "cells": [cell("ours", "ours", 0.8), cell("peer", "mostlyai", 0.9), top, failed],
    }
    report = modules["tabular_report"]
    line = report.summary(results).rows[0]
    assert line[:4] == ["bank", "10 × 3", "8.0 / 9", "1.1 ×"]
    assert line[4] == "0.800 ▼ / 0.900 (0.950)"
    assert line[6] == "0.800 ▲ / 0.900 (0.950)"
    missed = report.aims(results).rows[0][2]
    assert "times faster 1.1 < 10.0" in missed
    assert "column_shapes worse" in missed
    text = report.details(results, "bank").markdown()
    assert "| quality | 0.990 | 0.900 | 0.800 ▼ |" in text
    assert "ctgan failed: MemoryError" in text
    shape["part"] = True
    assert not report.aims(results).rows


def test_growth_is_the_slope_on_a_logarithmic_scale(modules: dict[str, ModuleType]) -> None:
    runs = [{"rows": rows, "fit_seconds": rows**1.5, "stopped": False} for rows in (1_000, 100_000, 10_000)]
    assert modules["growth"].exponent("rows", runs) == "1.50"
    assert modules["growth"].exponent("rows", runs[:1]) == ""


def test_hidden_cells_and_their_scores_by_hand(modules: dict[str, ModuleType]) -> None:
    imputation = modules["imputation"]
    frame = pl.DataFrame({"a": list(range(500)), "b": [None, *map(float, range(1, 500))]})
    holes, hidden = imputation.hide(frame, 0)
    assert not hidden[0, 1]  # it was empty before
    assert hidden.mean() == pytest.approx(0.2, abs=0.04)
    assert holes["a"].null_count() == hidden[:, 0].sum()
    assert (
        holes.filter(~pl.Series(hidden[:, 0]))["a"].to_list() == frame.filter(~pl.Series(hidden[:, 0]))["a"].to_list()
    )
    truth = np.array([[0.0], [1.0], [0.5], [0.25]])
    filled = np.array([[0.0], [0.0], [1.0], [0.25]])
    chosen = np.array([[False], [True], [True], [False]])
    assert imputation.rmse(filled, truth, chosen) == pytest.approx(np.sqrt((1 + 0.25) / 2))
    assert imputation.ks(filled, truth, chosen) == pytest.approx(0.5)  # {0, 1} beside {0.5, 1}
    assert imputation.ks(truth, truth, chosen) == 1.0


def test_environments_are_named_in_pairs(modules: dict[str, ModuleType]) -> None:
    given = modules["environment"].given_pythons
    assert given(["ctgan=a/python"]) == {"ctgan": Path("a/python")}
    for wrong in ("ctgan", "other=a", "ctgan="):
        with pytest.raises(ValueError, match="PEER=PYTHON"):
            given([wrong])


def test_limits_of_time_are_for_one_peer_or_all(modules: dict[str, ModuleType]) -> None:
    given = modules["environment"].given_minutes
    assert given([]) == {}
    assert given(["ctgan=5", "20"]) == {"ctgan": 5.0, "mostlyai": 20.0}
    for wrong in ("soon", "other=3", "0"):
        with pytest.raises(ValueError, match="MINUTES"):
            given([wrong])


def test_a_run_is_kept_and_resumed(tmp_path: Path) -> None:
    """The baseline on a bundled table, whole: fitted, judged twice, kept; then nothing is left to do."""
    kept, shown = tmp_path / "kept.json", tmp_path / "shown.md"
    command = [sys.executable, str(FOLDER / "tabular.py"), "--tables", "progression", "--models", "copula", "--peers"]
    command += ["--small-rounds", "1", "--rows", "200", "--sample-rows", "500", "--json", str(kept)]
    subprocess.run([*command, "--markdown", str(shown)], check=True, capture_output=True, timeout=300)
    results = json.loads(kept.read_text())
    assert [(each["kind"], each["model"]) for each in results["cells"]] == [("ceiling", "ceiling"), ("ours", "copula")]
    ours = results["cells"][1]
    assert ours["run"]["fit_seconds"] > 0
    assert ours["scores"]["evaluate"]["quality"]["value"] == pytest.approx(0.95, abs=0.05)
    assert "progression: 200 + 88 rows" in shown.read_text()
    again = subprocess.run([*command, "--resume"], check=True, capture_output=True, text=True, timeout=300)
    assert "done:" not in again.stdout
    assert json.loads(kept.read_text()) == results
