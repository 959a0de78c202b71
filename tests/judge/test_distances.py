"""Distances: copies are flagged, fresh rows are not, and no curve shows a thin bin."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from masquerade.judge.distances import distances, exact_copies
from masquerade.judge.figures import Outcome
from masquerade.judge.tables import tabulate
from masquerade.schema import Column, Schema

SCHEMA = Schema((Column("x", "continuous"), Column("n", "integer"), Column("c", "categorical")))


def rows(count: int, seed: int) -> pl.DataFrame:
    random = np.random.default_rng(seed)
    return pl.DataFrame(
        {
            "x": pl.Series(random.normal(size=count)).set(pl.Series(random.random(count) < 0.1), None),
            "n": random.integers(0, 50, count),
            "c": random.choice(list("abcdé"), count),
        }
    )


def judge(released: pl.DataFrame, holdout: pl.DataFrame | None, protect: int = 10) -> Outcome:
    return distances(tabulate(SCHEMA, rows(1000, 0), released, holdout), 0, protect, lambda part: None)


def test_copies_of_training_rows_are_flagged() -> None:
    found = judge(rows(1000, 0), rows(1000, 1)).scores
    assert found["dcr_share"].value > 0.98
    assert found["dcr_overfitting_protection"].value < 0.1
    assert found["nndr"].value == 0.0
    assert found["dcr_baseline_protection"].value == 0.0
    share = exact_copies(rows(1000, 0), rows(1000, 0), rows(1000, 1), list(SCHEMA.names))
    assert share is not None
    assert share.interval is not None
    assert share.value > 0.95
    assert share.interval[0] > 0.9


def test_fresh_rows_are_not() -> None:
    found = judge(rows(1000, 2), rows(1000, 1)).scores
    low, high = found["dcr_share"].interval or (1, 0)
    assert low <= 0.5 <= high
    assert found["dcr_overfitting_protection"].value > 0.9
    assert found["nndr"].value == pytest.approx(found["nndr"].ceiling, abs=0.05)
    assert found["dcr_baseline_protection"].value == pytest.approx(found["dcr_baseline_protection"].ceiling, abs=0.1)
    share = exact_copies(rows(1000, 0), rows(1000, 2), rows(1000, 1), list(SCHEMA.names))
    assert share is not None
    assert share.interval is not None
    assert share.interval[0] <= 0 <= share.interval[1]


def test_fresh_rows_are_seldom_called_too_close() -> None:
    far = 0
    for seed in range(20):
        found = judge(rows(500, 100 + seed), rows(500, 200 + seed)).scores
        for name in ("nndr", "dcr_baseline_protection"):
            score = found[name]
            assert score.interval is not None
            assert score.ceiling is not None
            far += score.interval[1] < score.ceiling
    assert far <= 4  # of 40; one in forty is expected


def test_every_score_says_that_it_is_no_guarantee() -> None:
    assert all("not a guarantee" in score.meaning for score in judge(rows(100, 2), rows(100, 1)).scores.values())


def test_exact_copies_by_hand() -> None:
    real = pl.DataFrame({"a": [1, 2, None], "b": ["x", "y", None]})
    released = pl.DataFrame({"a": [1, 2, None, 3], "b": ["x", "x", None, "y"]})
    holdout = pl.DataFrame({"a": [2, 9], "b": ["y", "y"]})
    share = exact_copies(real, released, holdout, ["a", "b"])
    assert share is not None
    assert share.value == pytest.approx(2 / 4 - 1 / 2)
    assert exact_copies(real, released, None, ["a", "b"]) is None
    assert exact_copies(real, released, holdout, []) is None


@pytest.mark.parametrize("protect", [10, 40])
def test_no_curve_has_a_bin_of_fewer_rows(protect: int) -> None:
    curve = judge(rows(800, 2), rows(1000, 1), protect).facts["distances"]
    assert len(curve["edges"]) == len(curve["train"]) + 1 == len(curve["holdout"]) + 1
    assert sum(curve["train"]) == sum(curve["holdout"]) == 800
    assert min(curve["train"] + curve["holdout"]) >= protect
    assert len(curve["train"]) > 3
    assert curve["edges"] == sorted(curve["edges"])


def test_without_a_holdout_only_what_needs_none() -> None:
    found = judge(rows(500, 2), None)
    assert set(found.scores) == {"nndr", "dcr_baseline_protection"}
    assert all(score.ceiling is None for score in found.scores.values())
    assert not found.facts


def test_random_rows_are_as_far_as_the_baseline() -> None:
    random = np.random.default_rng(5)
    real = rows(1000, 0)
    low, high = real["x"].drop_nulls().min(), real["x"].drop_nulls().max()
    noise = rows(1000, 3).with_columns(x=pl.Series(random.uniform(low, high, 1000)))  # type: ignore[arg-type]
    assert judge(noise, None).scores["dcr_baseline_protection"].value > 0.8
    assert judge(rows(1000, 3), None).scores["dcr_baseline_protection"].value < 0.8


def test_constant_and_empty_columns_do_not_disturb() -> None:
    schema = Schema((*SCHEMA.columns, Column("k", "integer"), Column("e", "continuous")))
    real, released, holdout = (
        rows(100, seed).with_columns(k=pl.lit(5), e=pl.lit(None, dtype=pl.Float64)) for seed in range(3)
    )
    found = distances(tabulate(schema, real, released, holdout), 0, 10, lambda part: None)
    assert all(np.isfinite(score.value) for score in found.scores.values())
