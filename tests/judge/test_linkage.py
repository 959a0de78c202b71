"""Linking: kept records are linked, fresh rows are not, and the intervals are honest."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from masquerade.judge.linkage import excess, linkability, linkage_top1
from masquerade.judge.tables import Tables, tabulate
from masquerade.schema import Column, Schema

SCHEMA = Schema(
    (*(Column(f"x{i}", "continuous") for i in range(4)), Column("c", "categorical"), Column("d", "categorical"))
)


def rows(count: int, seed: int) -> pl.DataFrame:
    random = np.random.default_rng(seed)
    table = {f"x{i}": random.normal(size=count) for i in range(4)}
    return pl.DataFrame(table | {name: random.choice(["a", "b", "c"], count) for name in "cd"})


def noisy(table: pl.DataFrame, noise: float, seed: int = 9) -> pl.DataFrame:
    random = np.random.default_rng(seed)
    return table.with_columns(pl.col(f"x{i}") + noise * random.normal(size=table.height) for i in range(4))


def tables(real: pl.DataFrame, released: pl.DataFrame, holdout: pl.DataFrame | None = None) -> Tables:
    return tabulate(SCHEMA, real, released, holdout)


def test_kept_records_are_linked_and_the_less_the_more_noise() -> None:
    real, holdout = rows(600, 0), rows(400, 1)
    values, hits = [], []
    for noise in (0.0, 0.3, 5.0):
        given = tables(real, noisy(real, noise), holdout)
        values.append(linkability(given, 0, aligned=True).scores["linkability"].value)
        hits.append(linkage_top1(given, 0).scores["linkage_top1"].value)
    assert values[0] > 0.99
    assert values[0] > values[1] + 0.1 > values[2] + 0.2
    assert hits[0] == 1.0
    assert hits[0] > hits[1] > hits[2] + 0.1
    assert hits[2] < 0.05


def test_fresh_rows_link_nobody_beyond_chance() -> None:
    inside = 0
    for seed in range(20):
        given = tables(rows(400, 10 + seed), rows(500, 50 + seed), rows(300, 90 + seed))
        score = linkability(given, seed, aligned=False).scores["linkability"]
        assert score.interval is not None
        inside += score.interval[0] <= 0 <= score.interval[1]
        assert abs(score.value) < 0.15
    assert inside >= 17


def test_copies_in_another_order_are_linked_too() -> None:
    real = rows(400, 2)
    given = tables(real, real.sample(fraction=1.0, shuffle=True, seed=3), rows(300, 4))
    found = linkability(given, 0, aligned=False)
    assert found.scores["linkability"].value > 0.99
    halves = found.attacks["linkability"]["halves"]
    assert sorted(halves[0] + halves[1]) == sorted(given.names)
    assert min(map(len, halves)) == 3


def test_people_who_are_alike_are_found_by_chance_only() -> None:
    real = rows(300, 5).with_columns(*(pl.lit(1.0).alias(f"x{i}") for i in range(4)))
    found = linkage_top1(tables(real, real), 0).scores["linkage_top1"]
    assert found.value == pytest.approx(9 / 300, abs=0.001)  # nine kinds of people


def test_without_enough_to_go_by_nothing_is_said() -> None:
    assert not linkability(tables(rows(400, 0), rows(400, 1)), 0, aligned=False).scores
    assert not linkability(tables(rows(400, 0), rows(400, 1), rows(50, 2)), 0, aligned=False).scores
    assert not linkage_top1(tables(rows(50, 0), rows(50, 1)), 0).scores


def test_the_excess_is_what_the_release_adds() -> None:
    assert excess(1.0, 500, 0.2, 500)[0] == 1.0
    value, (low, high) = excess(0.2, 500, 0.2, 500)
    assert value == 0.0
    assert low < 0 < high
    random = np.random.default_rng(0)
    inside = 0
    for _ in range(400):
        attack, control = random.binomial(300, 0.3) / 300, random.binomial(300, 0.1) / 300
        low, high = excess(attack, 300, control, 300)[1]
        inside += low <= 0.2 / 0.9 <= high
    assert 362 <= inside <= 397  # 380 ± 4 standard deviations
