"""The report as data, and its two files."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from masquerade.errors import FileError
from masquerade.judge.report import Report, plain
from masquerade.judge.scores import Score

KEYS = ["scores", "columns", "pairs", "attacks", "ledger", "policy", "rows", "seconds"]


@pytest.fixture
def report() -> Report:
    return Report(
        scores={
            "quality": Score("quality", 0.93, "higher", (0.92, 0.94), 0.98, "Mean of shapes and trends."),
            "tstr": Score("tstr", math.nan, "higher"),
        },
        columns={"âge": {"kind": "integer", "column_shapes": np.float64(0.9)}},
        pairs={"âge|y": {"column_pair_trends": math.nan}},
        rows={"real": 100, "released": 90, "holdout": None},
        seconds=1.5,
        facts={"columns": {}},
    )


def test_has_exactly_the_keys_of_report_json(report: Report) -> None:
    data = report.to_dict()
    assert list(data) == KEYS
    assert data["rows"] == {"real": 100, "released": 90, "holdout": None}
    assert data["scores"]["quality"]["interval"] == [0.92, 0.94]
    assert data["scores"]["tstr"]["value"] is None
    assert data["pairs"]["âge|y"]["column_pair_trends"] is None


def test_saves_json_that_any_program_reads(report: Report, tmp_path: Path) -> None:
    path = report.save(tmp_path / "report.json")
    text = path.read_text(encoding="utf-8")
    assert json.loads(text, parse_constant=lambda word: pytest.fail(word)) == report.to_dict()
    assert "âge" in text


@pytest.mark.parametrize("name", ["report.pdf", "report"])
def test_refuses_another_ending_and_writes_nothing(report: Report, tmp_path: Path, name: str) -> None:
    with pytest.raises(FileError, match=r"expected \.html or \.json"):
        report.save(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_plain_turns_numpy_and_tuples_into_json() -> None:
    data = plain({"a": np.int64(3), "b": (1.0, math.inf), "c": np.array([1.5, math.nan]), 4: "x"})
    assert data == {"a": 3, "b": [1.0, None], "c": [1.5, None], "4": "x"}
    json.dumps(data, allow_nan=False)


def test_is_frozen(report: Report) -> None:
    with pytest.raises(AttributeError):
        report.seconds = 2.0  # type: ignore[misc]
