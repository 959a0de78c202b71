"""The judge of released codes, against figures worked out by hand, and the table that is told."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

FOLDER = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def judge() -> dict[str, Any]:
    return runpy.run_path(str(FOLDER / "codes_judge.py"))


@pytest.fixture(scope="module")
def bench() -> dict[str, Any]:
    sys.path.insert(0, str(FOLDER))
    try:
        return runpy.run_path(str(FOLDER / "marginals.py"))
    finally:
        sys.path.remove(str(FOLDER))


def test_variation_is_that_of_hand(judge: dict[str, Any]) -> None:
    real = np.array([[0, 0], [0, 1], [1, 1], [1, 1]], np.int32)
    released = np.array([[0, 0], [0, 0], [0, 1], [1, 1]], np.int32)
    assert judge["mean_variation"](real, released, [2, 2], 1) == pytest.approx(0.25)
    assert judge["mean_variation"](real, released, [2, 2], 2) == pytest.approx(0.25)
    assert judge["mean_variation"](real, real, [2, 2], 2) == 0


def test_boosting_finds_what_is_there_and_nothing_where_nothing_is(judge: dict[str, Any]) -> None:
    random = np.random.default_rng(0)
    codes = random.integers(0, 5, (2_000, 3)).astype(np.int32)
    codes[:, 2] = codes[:, 0] > 2
    assert judge["boosting_auc"](codes[:1_000], codes[1_000:], 2) > 0.99
    one = codes[:1_000].copy()
    one[:, 2] = 1
    assert judge["boosting_auc"](one, codes[1_000:], 2) == 0.5


def test_bins_keep_heavy_values_apart(bench: dict[str, Any]) -> None:
    random = np.random.default_rng(0)
    values = np.where(random.random(5_000) < 0.4, 7.0, random.normal(50, 20, 5_000))
    codes = bench["_binned"](values)
    assert codes.max() + 1 <= bench["BINS"] + 2
    assert set(values[codes == codes[np.flatnonzero(values == 7.0)[0]]]) == {7.0}
    assert bench["_binned"](np.array([3.0, 1.0, 3.0])).tolist() == [1, 0, 1]


def test_the_table_tells_ratios_to_mst_and_what_did_not_finish(bench: dict[str, Any]) -> None:
    def run(model: str, value: float, seconds: float, finished: bool = True) -> dict[str, Any]:
        scores = {"tvd_1": value, "tvd_2": value, "tvd_3": value, "tstr_boosting": 0.8}
        return {
            "model": model,
            "epsilon": 1.0,
            "seconds": seconds,
            "finished": finished,
            "scores": scores if finished else {},
        }

    runs = [run("ours", 0.01, 4.0), run("ours", 0.02, 6.0), run("MST", 0.03, 50.0), run("AIM", 0, 420.0, False)]
    grid = bench["report"]({"data": "adult", "real": 0.9, "runs": runs})
    assert grid.rows[0][2:] == ["0.0150 (0.50)"] * 3 + ["0.800", "5.0", ""]
    assert grid.rows[1][-1] == "10.0 ×"
    assert grid.rows[2][2:] == ["not finished"] * 4 + ["> 420", "> 84.0 ×"]
