"""Singling out and inference: copies give people away, independent rows do not, the population explains the rest."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest

from masquerade.judge.figures import Outcome
from masquerade.judge.inferring import inference
from masquerade.judge.singling import singling_out
from masquerade.judge.tables import Tables, tabulate
from masquerade.schema import Column, Schema

SCHEMA = Schema(
    (*(Column(f"x{i}", "continuous") for i in range(3)), Column("c", "categorical"), Column("d", "boolean"))
)
BOTH = pytest.mark.parametrize("attack", [singling_out, inference])


def rows(count: int, seed: int) -> pl.DataFrame:
    random = np.random.default_rng(seed)
    table = {f"x{i}": random.normal(size=count) for i in range(3)}
    return pl.DataFrame(table | {"c": random.choice(["a", "b", "c"], count), "d": random.random(count) < 0.5})


def tables(real: pl.DataFrame, released: pl.DataFrame, holdout: pl.DataFrame | None = None) -> Tables:
    return tabulate(SCHEMA, real, released, holdout)


@BOTH
def test_copies_give_people_away_and_half_of_them_half(attack: Callable[[Tables, int], Outcome]) -> None:
    real, holdout = rows(400, 0), rows(400, 1)
    whole, half, none = (
        attack(tables(real, released, holdout), 0).scores[attack.__name__]
        for released in (real, pl.concat([real[:200], rows(200, 2)]), rows(400, 3))
    )
    assert whole.value > 0.95
    assert 0.25 < half.value < 0.75
    assert whole.interval is not None
    assert half.interval is not None
    assert none.interval is not None
    assert whole.interval[0] > half.interval[1]
    assert half.interval[0] > none.interval[1]
    assert none.interval[0] <= 0 <= none.interval[1]


@BOTH
def test_fresh_rows_give_nobody_away(attack: Callable[[Tables, int], Outcome]) -> None:
    found = [
        attack(tables(rows(500, 10 + seed), rows(300, 50 + seed), rows(250, 90 + seed)), seed).scores[attack.__name__]
        for seed in range(20)
    ]
    assert abs(np.mean([score.value for score in found])) < 0.04
    assert sum(score.interval[0] <= 0 <= score.interval[1] for score in found if score.interval is not None) >= 18


@BOTH
def test_without_enough_to_go_by_nothing_is_said(attack: Callable[[Tables, int], Outcome]) -> None:
    assert not attack(tables(rows(200, 0), rows(200, 1)), 0).scores
    for counts in ((99, 200, 200), (200, 99, 200), (200, 200, 99)):
        assert not attack(tables(*(rows(count, seed) for seed, count in enumerate(counts))), 0).scores


def test_among_fewer_people_more_are_alone_and_this_is_counted_in() -> None:
    real = rows(800, 0)
    found = singling_out(tables(real, real, rows(200, 1)), 0).attacks["singling_out"]
    assert found["of_all"] == 1.0  # each description fits its own row alone
    assert found["attack"] == pytest.approx(200 / 800)
    assert found["people"] == 200


def test_people_who_are_all_alike_are_never_alone() -> None:
    alike = rows(200, 0).with_columns(*(pl.lit(1.0).alias(f"x{i}") for i in range(3)))
    assert not singling_out(tables(alike, alike, alike), 0).scores


def test_what_the_population_explains_is_no_inference() -> None:
    def tied(seed: int) -> pl.DataFrame:
        return rows(400, seed).with_columns(x1=pl.col("x0") * 2, d=pl.col("x0") > 0, c=pl.lit("a"))

    found = inference(tables(tied(0), tied(1), tied(2)), 0)
    score = found.scores["inference"]
    assert score.interval is not None
    assert score.interval[0] <= 0
    told = found.attacks["inference"]["columns"]
    assert "c" not in told  # nothing is left to infer
    assert told["x1"]["attack"] > 0.8
    assert told["x1"]["control"] > 0.8


def test_missing_values_are_described_and_inferred() -> None:
    def gaps(seed: int) -> pl.DataFrame:
        return rows(300, seed).with_columns(pl.when(pl.int_range(300) % 4 > 0).then(pl.col("x0")).alias("x0"))

    real = gaps(0)
    given = tables(real, real, gaps(1))
    assert inference(given, 0).attacks["inference"]["columns"]["x0"]["attack"] > 0.95
    assert singling_out(given, 0).scores["singling_out"].value > 0.9
