"""What the audit of rivals does without a rival: its canaries, the scores of a worker, and what is concluded from them."""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

pytest.importorskip("dp_accounting")

FOLDER = Path(__file__).resolve().parents[2] / "benchmarks"
TABLE = pd.DataFrame({"job": ["clerk"] * 60, "member": ["yes"] * 60, "age": [20, 59] * 30, "grade": ["a", "b"] * 30})
ODD = pd.DataFrame({"job": ["clerk"], "member": ["yes"], "age": [None], "grade": ["d"]})


@pytest.fixture(scope="module")
def modules() -> Iterator[dict[str, Any]]:
    """The benchmark, and what its workers share."""
    before = set(sys.modules)
    sys.path.insert(0, str(FOLDER))
    try:
        yield {name: importlib.import_module(name) for name in ("audit", "peer_shared_audit")}
    finally:
        sys.path.remove(str(FOLDER))
        for name in ("audit", "broken", "peer_shared_audit"):
            if name not in before:
                sys.modules.pop(name, None)


@pytest.fixture
def shared(modules: dict[str, Any]) -> Any:
    return modules["peer_shared_audit"]


@pytest.fixture
def audit(modules: dict[str, Any]) -> Any:
    return modules["audit"]


def worked(shared: Any, folder: Path, fit: Any, scenario: str = "odd", trials: int = 40) -> dict[str, Any]:
    """The scores of a worker whose rival is `fit`."""
    TABLE.to_csv(folder / "without.csv", index=False)
    ODD.to_csv(folder / "canary.csv", index=False)
    paths = {"without": folder / "without.csv", "canary": folder / "canary.csv", "scores": folder / "scores.json"}
    shared.audit(argparse.Namespace(**paths, scenario=scenario, trials=trials, seconds=60.0), fit, "rival 1.0")
    found: dict[str, Any] = json.loads((folder / "scores.json").read_text())
    return found


def test_the_worker_knows_the_declared_domain(audit: Any, shared: Any) -> None:
    declared = {column.name: column for column in audit.SMALL}
    assert shared.LEVELS["job"] == list(declared["job"].levels)
    assert shared.LEVELS["grade"] == list(declared["grade"].levels)
    assert set(audit.spelled(audit.small())["member"]) == set(shared.LEVELS["member"])
    assert (declared["age"].minimum, declared["age"].maximum) == (shared.LOW, shared.HIGH)
    assert set(shared.SCENARIOS) == {*audit.SCENARIOS, *(name for own in audit.OWN.values() for name in own)}
    assert set(audit.OWN) <= set(audit.RIVALS)
    for worker, _ in audit.RIVALS.values():
        assert (FOLDER / worker).is_file()


def test_only_the_canary_has_both_rare_levels(audit: Any) -> None:
    rows, canary = audit.nearly_empty(50)
    assert rows.select("c0", "c1").filter(pl.all_horizontal(pl.all() == "yes")).is_empty()
    assert [rows[name].to_list().count("yes") for name in ("c0", "c1")] == [1, 1]
    assert canary.row(0)[:2] == ("yes", "yes")
    assert rows.columns == canary.columns


def test_canaries_stand_out_as_their_scenario_says(audit: Any, shared: Any, tmp_path: Path) -> None:
    audit.spelled(audit.small()).write_csv(tmp_path / "rows.csv")
    levels = {}
    for scenario in audit.SCENARIOS:
        audit.spelled(audit.canary_of(scenario)).write_csv(tmp_path / "canary.csv")
        rows, canary = (shared.read(tmp_path / name, scenario) for name in ("rows.csv", "canary.csv"))
        assert list(rows) == list(canary)
        levels[scenario] = shared.odd_level(canary.iloc[0], rows)
        if scenario == "odd":
            assert canary["age"].isna().all()
            assert rows["age"].notna().all()
            assert rows["age"].dtype == canary["age"].dtype
        elif scenario == "inferred":
            assert canary["age"][0] > 1_000 * rows["age"].max()
        else:
            assert all((rows[name] == canary[name][0]).sum() >= 10 for name in shared.LEVELS)
            assert not (rows == canary.iloc[0]).all(axis=1).any()
    assert levels == {"declared": "", "inferred": "canary", "odd": "d"}


def test_a_rival_that_copies_levels_is_caught(audit: Any, shared: Any, tmp_path: Path) -> None:
    random = np.random.default_rng(0)

    def fit(table: pd.DataFrame) -> tuple[pd.DataFrame, Any]:
        drawn = TABLE.sample(200, replace=True, random_state=random)
        return drawn, shared.Carried({str(level) for level in table["grade"]}, 99.0)

    rows, both = audit.judged(worked(shared, tmp_path, fit), 1.0)
    assert not rows["finding"].disproved  # the drawn rows come from elsewhere
    assert both["finding"].disproved
    assert both["finding"].bound > 2
    assert both["means"]["model knows the level"] == [0.0, 1.0]


def test_a_rival_that_reads_no_row_is_not(audit: Any, shared: Any, tmp_path: Path) -> None:
    random = np.random.default_rng(0)

    def fit(table: pd.DataFrame) -> tuple[pd.DataFrame, Any]:
        return pd.concat([TABLE, ODD]).sample(200, replace=True, random_state=random), shared.Carried({"d"}, 99.0)

    for scenario in ("odd", "inferred"):
        for found in audit.judged(worked(shared, tmp_path, fit, scenario), 1.0):
            assert not found["finding"].disproved, found["finding"].sentence()


def test_a_worker_that_looks_at_the_model_alone(audit: Any, shared: Any, tmp_path: Path) -> None:
    options = argparse.Namespace(scores=tmp_path / "scores.json", scenario="choice", trials=40, seconds=60.0)
    shared.repeat(options, TABLE, ODD, lambda table: ({}, {"rows": float(len(table))}), "rival 1.0")
    (found,) = audit.judged(json.loads(options.scores.read_text()), 1.0)
    assert found["finding"].disproved
    assert found["finding"].mechanism == "rival 1.0, domain given, two columns nearly empty: its model"
    assert found["means"] == {"rows": [60.0, 61.0]}


def test_traces_and_agreement(shared: Any) -> None:
    drawn = pd.concat([TABLE, ODD, ODD], ignore_index=True)
    seen = shared.traces(drawn, "d")
    assert seen["rows with the level"] == pytest.approx(2 / 62)
    assert seen["empty cells"] == pytest.approx(2 / 62)
    assert seen["greatest number, log"] == pytest.approx(np.log(60))
    assert seen["different numbers, log"] == pytest.approx(np.log(3))
    agreed = shared.agreement(TABLE, TABLE.iloc[0])
    assert agreed == {"columns that agree": 3.0, "pairs that agree": 3.5, "rows that agree": 0.5}
