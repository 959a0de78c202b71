"""TVAE: what it learns, its conditions, its settings, its stops."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from masquerade.errors import ConditionError, SettingError
from masquerade.progress import Progress
from masquerade.synthesize.tvae import TVAE

QUICK: dict[str, Any] = {"compress_dims": (32,), "decompress_dims": (32,), "embedding_dim": 8, "random_state": 0}


@pytest.fixture(scope="module")
def table() -> pl.DataFrame:
    """An imbalanced class, a number and a grade that follow it."""
    random = np.random.default_rng(1)
    y = random.random(2_000) < 0.1
    grade = np.where(random.random(2_000) < np.where(y, 0.9, 0.2), "high", "low")
    x = np.round(random.normal(np.where(y, 10, 0), 1), 2)
    return pl.DataFrame({"y": np.where(y, "yes", "no"), "grade": grade, "x": x})


@pytest.fixture(scope="module")
def model(table: pl.DataFrame) -> TVAE:
    return TVAE(epochs=150, lr=3e-3, **QUICK).fit(table)


def test_columns_and_what_hangs_together_come_out_as_they_are(model: TVAE, table: pl.DataFrame) -> None:
    drawn = model.sample(20_000, random_state=0)
    assert 0.085 < (drawn["y"] == "yes").mean() < 0.115
    for class_ in ("yes", "no"):
        ours, real = (frame.filter(pl.col("y") == class_) for frame in (drawn, table))
        assert ours["x"].mean() == pytest.approx(real["x"].mean(), abs=0.5)
        assert (ours["grade"] == "high").mean() == pytest.approx((real["grade"] == "high").mean(), abs=0.08)


def test_a_condition_on_a_rare_level_brings_its_companions(model: TVAE) -> None:
    yes = model.sample(1_000, given={"y": "yes"}, random_state=0)
    no = model.sample(1_000, given={"y": "no"}, random_state=0)
    assert set(yes["y"]) == {"yes"}
    assert yes["x"].mean() > 8.5
    assert no["x"].mean() < 1
    assert yes["x"].n_unique() > 150


def test_several_columns_are_refused_with_the_reason(model: TVAE) -> None:
    with pytest.raises(ConditionError, match="one discrete column"):
        model.sample(5, given={"y": "yes", "grade": "low"})


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"epochs": 0}, "epochs: got 0"),
        ({"prior_components": 0}, "prior_components: got 0"),
        ({"compress_dims": 128}, "compress_dims: got 128"),
        ({"decompress_dims": ()}, "decompress_dims: got"),
        ({"loss_factor": 0.0}, "loss_factor: got 0.0"),
        ({"l2scale": -1.0}, "l2scale: got -1.0"),
        ({"max_minutes": 0}, "max_minutes: got 0"),
        ({"patience": 0}, "patience: got 0"),
    ],
)
def test_settings_out_of_range_are_refused(table: pl.DataFrame, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        TVAE(**(QUICK | settings)).fit(table)


def test_it_stops_by_the_clock_and_by_hand(table: pl.DataFrame) -> None:
    timed = TVAE(epochs=1_000_000, max_minutes=0.01, patience=None, **QUICK).fit(table)
    assert timed.history_[-1]["epoch"] < 1_000_000
    pressed: list[bool] = []

    def press(progress: Progress) -> None:
        if progress.stage == "train" and progress.done >= 2 and not pressed:
            pressed.append(True)
            raise KeyboardInterrupt

    stopped = TVAE(epochs=1_000, callbacks=[press], **QUICK).fit(table)
    assert stopped.interrupted_
    assert not timed.interrupted_
    assert stopped.sample(4).height == 4


def test_the_paper_s_own_prior_trains(table: pl.DataFrame) -> None:
    model = TVAE(epochs=2, prior_components=1, loss_factor=2.0, l2scale=0, **QUICK).fit(table)
    assert np.isfinite(model.history_[-1]["divergence"])
    assert model.sample(10).height == 10


def test_training_stops_before_rows_are_learnt_by_heart() -> None:
    """On noise a net can only learn its rows; the tenth that does not train must tell."""
    random = np.random.default_rng(0)
    noise = pl.DataFrame({f"c{i}": random.integers(0, 12, 120) for i in range(8)})
    model = TVAE(epochs=2_000, embedding_dim=16, compress_dims=(64,), decompress_dims=(64,), random_state=0).fit(noise)
    scores = [entry["score"] for entry in model.history_ if "score" in entry]
    assert model.history_[-1]["epoch"] < 2_000
    assert scores[-1] < max(scores)
