"""The benchmark's own judge, against figures worked out by hand and against `masquerade.evaluate`."""

from __future__ import annotations

import ast
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import masquerade as mq

FOLDER = Path(__file__).resolve().parents[2] / "benchmarks"
Judge = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def module() -> dict[str, Any]:
    return runpy.run_path(str(FOLDER / "independent_judge.py"))


@pytest.fixture(scope="module")
def judge(module: dict[str, Any]) -> Judge:
    found: Judge = module["judge"]
    return found


def table(rows: int, seed: int, shift: float = 0.0) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    age = np.round(random.normal(40 + shift, 10, rows), 1)
    job = np.where(random.random(rows) < 0.3, "clerk", np.where(random.random(rows) < 0.5, "nurse", "cook"))
    rich = np.where(age + random.normal(0, 5, rows) > 42, "yes", "no")
    return pd.DataFrame({"age": age.astype(str), "job": job, "rich": rich})


def test_real_rows_pass_for_real_ones(judge: Judge) -> None:
    found = judge(table(2000, 0), table(2000, 1), table(2000, 2), "rich")
    assert found["column_shapes"] > 0.96
    assert found["univariate_accuracy"] > 0.96
    assert found["bivariate_accuracy"] > 0.9
    assert found["detection_auc"] == pytest.approx(0.5, abs=0.05)
    assert found["tstr_boosting"] > 0.85
    assert found["dcr_share_interval"][0] < 0.5 < found["dcr_share_interval"][1]


def test_copies_are_found_out(judge: Judge) -> None:
    train = table(600, 0)
    found = judge(train, train, table(600, 2), "rich")
    assert found["column_shapes"] == found["univariate_accuracy"] == found["bivariate_accuracy"] == 1.0
    assert found["dcr_share_interval"][0] > 0.5


def test_other_rows_are_told_apart(judge: Judge) -> None:
    found = judge(table(600, 0), table(600, 1, shift=100.0), table(600, 2), "rich")
    assert found["detection_auc"] > 0.99
    # The numbers share nothing: one of three columns is 0, and so is every bin of it that is not the outermost.
    assert found["column_shapes"] < 0.75


def test_shares_by_hand(judge: Judge) -> None:
    """Of 20 real rows half are a, of 20 released ones three quarters: 1 − ¼. The numbers are the same: 1."""
    real, released = (
        pd.DataFrame({"x": [str(i) for i in range(20)], "y": ["a"] * count + ["b"] * (20 - count)})
        for count in (10, 15)
    )
    found = judge(real, released, real, "y")
    assert found["column_shapes"] == pytest.approx((1 + 0.75) / 2)
    assert found["univariate_accuracy"] == pytest.approx((1 + 0.75) / 2)
    # Pairs (bin of x, y): ten bins of two rows; in the five rows 10 to 14 y is another, 5/20 of the mass.
    assert found["bivariate_accuracy"] == pytest.approx(0.75)


def test_both_judges_agree(judge: Judge) -> None:
    tables = table(1500, 0), table(1500, 1, shift=4.0), table(1500, 2)
    mine = judge(*tables, "rich")
    report = mq.evaluate(tables[0], tables[1], holdout=tables[2], target="rich")
    for name, within in (
        ("column_shapes", 1e-9),
        ("univariate_accuracy", 0.005),
        ("bivariate_accuracy", 0.01),
        ("detection_auc", 0.03),
        ("tstr_boosting", 0.01),
        ("dcr_share", 0.03),
    ):
        assert mine[name] == pytest.approx(report.scores[name].value, abs=within), name


def test_numbers_are_judged_by_r_squared_and_many_classes_by_macro_f1(judge: Judge) -> None:
    def rows(seed: int) -> pd.DataFrame:
        random = np.random.default_rng(seed)
        x = random.normal(size=600)
        grade = np.where(x < -0.5, "low", np.where(x < 0.5, "middle", "high"))
        y = 3 * x + random.normal(size=600)  # R² of the best guess: 9 / 10
        return pd.DataFrame({"x": x.astype(str), "y": y.astype(str), "grade": grade})

    tables = rows(0), rows(1), rows(2)
    assert judge(*tables, "y")["tstr_boosting"] == pytest.approx(0.87, abs=0.04)
    grades = judge(*tables, "grade")["tstr_boosting"]
    assert grades > 0.97
    report = mq.evaluate(*tables[:2], holdout=tables[2], target="grade")
    assert grades == pytest.approx(report.scores["tstr_boosting"].value, abs=0.02)


def test_the_ceiling_is_what_real_rows_score(judge: Judge, module: dict[str, Any]) -> None:
    real, other = table(1500, 0), table(1500, 2)
    top = module["ceiling"](real, other, "rich")
    found = judge(real, table(1500, 1), other, "rich")
    assert set(top) == {*found["replicates"]}
    for name in ("column_shapes", "univariate_accuracy", "bivariate_accuracy", "tstr_boosting"):
        assert found[name] == pytest.approx(top[name], abs=0.03), name


def test_copies_are_counted_less_what_chance_copies(judge: Judge) -> None:
    """Half of the released rows stand in the training table, and a tenth of the held-out ones."""
    real = pd.DataFrame({"x": [str(i) for i in range(100)], "y": ["a", "b"] * 50})
    fresh = pd.DataFrame({"x": [str(i) for i in range(1000, 1100)], "y": ["a", "b"] * 50})
    released, holdout = (pd.concat([real[:count], fresh[count:]]) for count in (50, 10))
    found = judge(real, released, holdout, "y")
    assert found["exact_copies"] == pytest.approx(0.4)


def test_replicates_spread_as_the_score_does(module: dict[str, Any]) -> None:
    """The score of other draws from the same source spreads as much as the replicates of one draw say."""
    real, holdout = table(1000, 0), table(100, 1)
    drawn = [module["_tables"](real, table(500, seed), holdout) for seed in range(10, 30)]
    found = [module["_counted"](*each, 0) for each in drawn]
    for name in ("column_shapes", "univariate_accuracy"):
        said = np.mean([np.std(each[name][1]) for each in found])
        assert 0.5 < np.std([each[name][0] for each in found]) / said < 2.0, name


def test_neither_the_judge_nor_the_peer_knows_masquerade() -> None:
    for script in ("independent_judge.py", "peer_ctgan.py", "peer_mostlyai.py", "peak_memory.py"):
        tree = ast.parse((FOLDER / script).read_text(encoding="utf-8"))
        names = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
        names += [str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
        assert names
        assert not [name for name in names if name.split(".")[0] == "masquerade"], script
