"""Fidelity: a fresh real sample reaches the ceilings, broken relations are caught, odd tables do not crash."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl
import pytest

from masquerade.judge.fidelity import fidelity
from masquerade.judge.figures import Outcome
from masquerade.judge.tables import tabulate
from masquerade.schema import Column, Schema

SCHEMA = Schema(
    (
        Column("age", "integer"),
        Column("income", "continuous"),
        Column("job", "categorical"),
        Column("member", "boolean", levels=("no", "yes")),
        Column("since", "datetime"),
        Column("note", "text"),
    )
)
PROTECT = dict.fromkeys(SCHEMA.names, 10)


def people(rows: int, seed: int) -> pl.DataFrame:
    random = np.random.default_rng(seed)
    age = random.integers(18, 80, rows)
    job = np.where(age > 60, "retired", random.choice(["clerk", "nurse", "签证官"], rows))
    income = age * 100 + random.normal(0, 500, rows)
    return pl.DataFrame(
        {
            "age": age,
            "income": pl.Series(income).set(pl.Series(random.random(rows) < 0.1), None),
            "job": pl.Series(job).set(pl.Series(random.random(rows) < 0.05), None),
            "member": income > 4000,
            "since": pl.Series(1_600_000_000_000_000 + age * 10**13).cast(pl.Datetime("us")),
            "note": [f"note {i}" for i in range(rows)],
        }
    )


def judge(released: pl.DataFrame, holdout: pl.DataFrame | None, real: pl.DataFrame | None = None) -> Outcome:
    parts: list[str] = []
    found = fidelity(
        tabulate(SCHEMA, people(1500, 0) if real is None else real, released, holdout), PROTECT, 0, parts.append
    )
    assert parts
    return found


def shuffled(table: pl.DataFrame) -> pl.DataFrame:
    random = np.random.default_rng(9)
    return table.with_columns(column.gather(random.permutation(len(column))) for column in table.get_columns())


@pytest.fixture(scope="module")
def fresh() -> Outcome:
    return judge(people(1000, 1), people(1000, 2))


@pytest.fixture(scope="module")
def loose() -> Outcome:
    return judge(shuffled(people(1000, 1)), people(1000, 2))


def values(outcome: Outcome) -> Mapping[str, float]:
    return {name: score.value for name, score in outcome.scores.items()}


def test_a_fresh_real_sample_is_near_every_ceiling(fresh: Outcome) -> None:
    assert len(fresh.scores) == 17
    for name, score in fresh.scores.items():
        assert score.ceiling is not None, name
        assert score.value == pytest.approx(score.ceiling, abs=0.06), name
        assert len(score.meaning) > 20


def test_shuffled_columns_keep_their_shapes_and_lose_their_relations(fresh: Outcome, loose: Outcome) -> None:
    good, bad = values(fresh), values(loose)
    for kept in ("column_shapes", "univariate_accuracy", "missing_value_similarity", "category_adherence"):
        assert bad[kept] == pytest.approx(good[kept], abs=0.02)
    assert bad["column_pair_trends"] < good["column_pair_trends"] - 0.1
    assert bad["bivariate_accuracy"] < good["bivariate_accuracy"] - 0.1
    assert bad["trivariate_accuracy"] < good["trivariate_accuracy"] - 0.2
    assert bad["detection_auc"] > 0.95 > 0.6 > good["detection_auc"]
    assert bad["correlation_distance"] > good["correlation_distance"] + 0.1
    assert bad["pca_similarity"] < good["pca_similarity"] - 0.1
    assert bad["similarity_score"] < good["similarity_score"] - 0.1


def test_intervals_hold_the_value_and_grow_where_rows_are_few(fresh: Outcome) -> None:
    few = judge(people(100, 1), people(100, 2))
    for name in ("column_shapes", "column_pair_trends", "quality", "bivariate_accuracy", "detection_auc"):
        wide, narrow = few.scores[name].interval, fresh.scores[name].interval
        assert wide is not None
        assert narrow is not None
        assert narrow[0] <= fresh.scores[name].value <= narrow[1]
        assert wide[1] - wide[0] > narrow[1] - narrow[0]


def test_column_scores_by_hand() -> None:
    schema = Schema((Column("x", "integer"), Column("c", "categorical")))
    real = pl.DataFrame({"x": [1, 2, 3, 4] * 5, "c": ["a", "a", "b", "b"] * 5})
    other = pl.DataFrame({"x": [3, 4, 5, None] * 5, "c": ["a", "a", "a", "z"] * 5})
    found = fidelity(tabulate(schema, real, other, None), {"x": 1, "c": 1}, 0, lambda part: None)
    assert found.columns["x"]["score"] == pytest.approx(0.5)
    assert found.columns["c"]["score"] == pytest.approx(0.5)
    figures = values(found)
    assert figures["column_shapes"] == pytest.approx(0.5)
    assert figures["missing_value_similarity"] == pytest.approx((0.75 + 1) / 2)
    assert figures["boundary_adherence"] == pytest.approx(2 / 3)
    assert figures["category_adherence"] == pytest.approx(0.75)
    assert figures["range_coverage"] == pytest.approx(1 / 3)
    assert figures["category_coverage"] == pytest.approx(0.5)
    # joint tables: real (1,a) (2,a) (3,b) (4,b); released (3,a) (4,a) (5 is the last bin like 4: a) (missing,z): no cell shared
    assert found.pairs["x"]["c"] == pytest.approx(0.0)
    assert figures["quality"] == pytest.approx(0.25)


def test_protected_extremes_and_levels_need_not_be_covered() -> None:
    schema = Schema((Column("x", "continuous"), Column("c", "categorical")))
    real = pl.DataFrame({"x": np.append(np.linspace(0, 1, 99), 1e6), "c": ["a"] * 95 + ["rare"] * 5})
    other = pl.DataFrame({"x": np.linspace(0.05, 0.95, 100), "c": ["a"] * 100})
    strict, kind = (
        values(fidelity(tabulate(schema, real, other, None), {"x": k, "c": k}, 0, lambda part: None)) for k in (0, 10)
    )
    assert strict["range_coverage"] < 0.01
    assert kind["range_coverage"] > 0.95
    assert (strict["category_coverage"], kind["category_coverage"]) == (0.5, 1.0)


def test_without_a_holdout_there_is_no_ceiling_and_no_detection() -> None:
    found = judge(people(500, 1), None)
    assert "detection_auc" not in found.scores
    assert all(score.ceiling is None for score in found.scores.values())


def test_a_tiny_holdout_is_no_ceiling() -> None:
    found = judge(people(500, 1), people(20, 2))
    assert all(score.ceiling is None for score in found.scores.values())


def test_both_sides_are_judged_at_the_smaller_size() -> None:
    """A large release must not look better than its ceiling merely because it is large."""
    found = judge(people(6000, 1), people(300, 2))
    for name in ("univariate_accuracy", "bivariate_accuracy", "trivariate_accuracy"):
        score = found.scores[name]
        assert score.value == pytest.approx(score.ceiling, abs=0.03), name


def test_a_release_that_copied_scores_above_the_ceiling() -> None:
    real = people(1500, 0)
    found = judge(real, people(1500, 2), real=real)
    score = found.scores["trivariate_accuracy"]
    assert score.value == 1.0
    assert score.interval is not None
    assert score.ceiling is not None
    assert score.interval[0] > score.ceiling
