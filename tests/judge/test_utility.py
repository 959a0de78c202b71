"""Utility: what released rows still teach, for two classes, many classes and numbers."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest

from masquerade.errors import MasqueradeWarning, SettingError
from masquerade.judge.figures import Outcome
from masquerade.judge.tables import tabulate
from masquerade.judge.utility import utility
from masquerade.schema import Column, Schema

SCHEMA = Schema(
    (
        Column("x", "continuous"),
        Column("c", "categorical"),
        Column("y", "categorical"),
        Column("z", "continuous"),
        Column("three", "categorical"),
        Column("bit", "integer"),
        Column("key", "id"),
    )
)


def rows(count: int, seed: int) -> pl.DataFrame:
    random = np.random.default_rng(seed)
    x, c = random.normal(size=count), random.integers(0, 3, count)
    signal = x + c + random.normal(0, 0.5, count)
    return pl.DataFrame(
        {
            "x": pl.Series(x).set(pl.Series(random.random(count) < 0.05), None),
            "c": [f"c{v}" for v in c],
            "y": np.where(signal > 1, "yes", "no"),
            "z": 10 * signal,
            "three": np.select([signal < 0.5, signal < 1.5], ["low", "middle"], "high"),
            "bit": (signal > 1).astype(int),
            "key": [f"k{i}" for i in range(count)],
        }
    ).select(SCHEMA.names)


def judge(target: str, released: pl.DataFrame, keep: tuple[str, ...]) -> Outcome:
    schema = Schema(tuple(SCHEMA[name] for name in keep))
    tables = tabulate(schema, *(t.select(keep) for t in (rows(600, 0), released, rows(400, 1))))
    return utility(tables, target, 0, lambda part: None)


@pytest.mark.parametrize(
    ("target", "linear", "good"),
    [("y", "logistic", 0.9), ("bit", "logistic", 0.9), ("three", "logistic", 0.6), ("z", "ridge", 0.75)],
)
def test_fresh_real_rows_teach_as_much_as_the_real_ones(target: str, linear: str, good: float) -> None:
    found = judge(target, rows(600, 2), ("x", "c", "key", target))
    panel = [f"{side}_{model}" for side in ("tstr", "trtr") for model in (linear, "forest", "boosting")]
    assert set(found.scores) == {"tstr", "trtr", "utility_gap", *panel}
    for name in panel:
        score = found.scores[name]
        assert score.value > good, name
        assert score.interval is not None
        assert score.interval[0] < score.value < score.interval[1]
    assert found.scores["tstr"].ceiling == found.scores["trtr"].value
    mean = np.mean([found.scores[f"tstr_{model}"].value for model in (linear, "forest", "boosting")])
    assert found.scores["tstr"].value == pytest.approx(mean)
    gap = found.scores["utility_gap"]
    assert gap.value == pytest.approx(found.scores["trtr"].value - found.scores["tstr"].value)
    assert abs(gap.value) < 0.05
    assert "key" in found.scores["tstr"].meaning


def test_rows_that_teach_nothing_are_seen() -> None:
    released = rows(600, 2).with_columns(pl.col("y").shuffle(seed=1))
    found = judge("y", released, ("x", "c", "y"))
    assert found.scores["tstr"].value == pytest.approx(0.5, abs=0.12)
    gap = found.scores["utility_gap"]
    assert gap.interval is not None
    assert gap.interval[0] > 0.2


def test_a_class_that_was_lost_is_said_and_judged() -> None:
    released = rows(600, 2).with_columns(y=pl.lit("no"))
    with pytest.warns(MasqueradeWarning, match="1 of its classes are not in the released rows .'yes'"):
        found = judge("y", released, ("x", "c", "y"))
    assert found.scores["tstr"].value == 0.5
    assert found.scores["tstr"].interval is not None


def test_levels_the_real_table_does_not_have_are_no_class() -> None:
    released = rows(600, 2).with_columns(y=pl.when(pl.int_range(pl.len()) < 50).then(pl.lit("maybe")).otherwise("y"))
    assert judge("y", released, ("x", "c", "y")).scores["tstr"].value > 0.9


def test_many_classes_are_bounded() -> None:
    released = rows(600, 2).with_columns(y=(pl.int_range(pl.len()) % 40).cast(pl.String))
    schema = Schema((SCHEMA["x"], SCHEMA["y"]))
    tables = tabulate(schema, *(released.select("x", "y") for _ in range(3)))
    with pytest.warns(MasqueradeWarning, match="40 classes, the 21 least frequent count as one"):
        found = utility(tables, "y", 0, lambda part: None)
    assert 0 <= found.scores["tstr"].value < 0.5


def test_what_cannot_be_judged_is_left_out_and_said() -> None:
    with pytest.warns(MasqueradeWarning, match="no other column"):
        assert not judge("y", rows(600, 2), ("y",)).scores
    empty = rows(600, 2).with_columns(y=pl.lit(None, dtype=pl.String))
    with pytest.warns(MasqueradeWarning, match="0 usable released rows"):
        assert not judge("y", empty, ("x", "y")).scores
    with pytest.raises(SettingError, match="'key' is an id"):
        judge("key", rows(600, 2), ("x", "key"))


def test_r_squared_may_fall_far_below_zero() -> None:
    found = judge("z", rows(600, 2).with_columns(pl.col("z") + 100), ("x", "c", "z"))
    interval = found.scores["tstr"].interval
    assert found.scores["tstr"].value < -5
    assert interval is not None
    assert math.isfinite(interval[0])
