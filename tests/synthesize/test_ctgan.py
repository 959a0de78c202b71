"""CTGAN: its settings, its data faults mended, early stops, resuming, nets of the user's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import numpy as np
import polars as pl
import pytest

from masquerade.errors import ArtifactError, ConditionError, SettingError
from masquerade.loading import load
from masquerade.progress import Progress
from masquerade.synthesize.ctgan import CTGAN

QUICK: dict[str, Any] = {"generator_dim": (24,), "discriminator_dim": (24,), "embedding_dim": 8, "random_state": 0}


@pytest.fixture(scope="module")
def table() -> pl.DataFrame:
    """An imbalanced class, a correlated number, a level with a one-to-one code."""
    random = np.random.default_rng(1)
    y = random.random(2_000) < 0.05
    grade = random.choice(["low", "mid", "top"], 2_000, p=[0.5, 0.3, 0.2])
    code = [{"low": 1, "mid": 2, "top": 3}[g] for g in grade]
    x = np.round(random.normal(np.where(y, 10, 0), 1), 2)
    return pl.DataFrame({"y": np.where(y, "yes", "no"), "grade": grade, "code": code, "x": x})


@pytest.fixture(scope="module")
def model(table: pl.DataFrame) -> CTGAN:
    return CTGAN(epochs=100, **QUICK).fit(table)


def test_rare_classes_come_out_as_often_as_they_are(model: CTGAN) -> None:
    """The reference samples by log frequency: a 5 % class comes out at up to 40 %."""
    share = (model.sample(20_000, random_state=0)["y"] == "yes").mean()
    assert 0.035 < share < 0.065


def test_the_condition_is_right_for_every_discrete_column(model: CTGAN) -> None:
    yes = model.sample(2_000, given={"y": "yes"}, random_state=0)
    no = model.sample(2_000, given={"y": "no"}, random_state=0)
    assert yes["x"].mean() > 7
    assert no["x"].mean() < 3
    for level in ("low", "mid", "top"):
        drawn = model.sample(200, given={"grade": level}, random_state=1)
        assert set(drawn["grade"]) == {level}


def test_a_column_that_another_determines_stays_right(model: CTGAN, table: pl.DataFrame) -> None:
    pairs = set(table.select("grade", "code").iter_rows())
    assert set(model.sample(3_000, random_state=0).select("grade", "code").iter_rows()) == pairs


def test_several_columns_are_refused_with_the_reason(model: CTGAN) -> None:
    with pytest.raises(ConditionError, match="one discrete column at a time"):
        model.sample(5, given={"y": "yes", "grade": "low"})
    with pytest.raises(ConditionError, match="did you mean 'grade'"):
        model.sample(5, given={"y": "yes", "grad": "low"})


def test_a_number_named_discrete_can_be_given(table: pl.DataFrame) -> None:
    model = CTGAN(epochs=1, discrete_columns=["code"], **QUICK).fit(table)
    assert set(model.sample(50, given={"code": 2})["code"]) == {2}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"epochs": 0}, "epochs: got 0"),
        ({"epochs": 2.5}, "epochs: got 2.5"),
        ({"batch_size": 505, "pac": 10}, "multiple of pac"),
        ({"loss": "hinge"}, "loss: got 'hinge'"),
        ({"generator_dim": 256}, "generator_dim: got 256"),
        ({"max_minutes": 0}, "max_minutes: got 0"),
        ({"protect": -1}, "protect: got -1"),
        ({"random_state": -5}, "random_state: got -5"),
        ({"patience": 0}, "patience: got 0"),
    ],
)
def test_settings_out_of_range_are_refused_before_any_work(
    table: pl.DataFrame, settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(SettingError, match=message):
        CTGAN(**(QUICK | settings)).fit(table)


def test_progress_is_told_before_the_first_epoch_and_to_the_end(table: pl.DataFrame) -> None:
    seen: list[Progress] = []
    CTGAN(epochs=2, callbacks=[seen.append], **QUICK).fit(table)
    stages = list(dict.fromkeys(progress.stage for progress in seen))
    assert stages[:3] == ["encode", "compile", "train"]
    assert stages[-1] == "calibrate"
    assert {"generator", "critic"} <= set(seen[-3].losses)


def test_max_minutes_stops_training(table: pl.DataFrame) -> None:
    model = CTGAN(epochs=100_000, max_minutes=0.02, patience=None, **QUICK).fit(table)
    assert model.history_[-1]["epoch"] < 100_000
    assert not model.interrupted_
    assert model.sample(3).height == 3


def test_ctrl_c_keeps_the_model_so_far(table: pl.DataFrame) -> None:
    pressed: list[bool] = []

    def press(progress: Progress) -> None:
        if progress.stage == "train" and progress.done >= 2 and not pressed:
            pressed.append(True)
            raise KeyboardInterrupt

    model = CTGAN(epochs=1_000, callbacks=[press], **QUICK).fit(table)
    assert model.interrupted_
    assert model.sample(4).height == 4


def test_training_goes_on_from_a_checkpoint(table: pl.DataFrame, tmp_path: Path) -> None:
    straight = CTGAN(epochs=4, patience=None, **QUICK).fit(table)
    path = tmp_path / "run.mq"
    CTGAN(epochs=2, patience=None, checkpoint=path, **QUICK).fit(table)
    resumed = CTGAN(epochs=4, patience=None, checkpoint=path, **QUICK).fit(table)
    assert [entry["epoch"] for entry in resumed.history_] == [1, 2, 3, 4]
    assert resumed.history_[-1]["score"] == pytest.approx(straight.history_[-1]["score"], rel=1e-4)  # the same weights
    with pytest.raises(SettingError, match="other settings"):
        CTGAN(epochs=4, checkpoint=path, **(QUICK | {"embedding_dim": 9})).fit(table)
    with pytest.raises(ArtifactError, match="checkpoint"):
        load(path)


class Plain(eqx.Module):
    """A net of the user's own."""

    layer: eqx.nn.Linear

    def __init__(self, in_width: int, out_width: int, *, key: Any):
        self.layer = eqx.nn.Linear(in_width, out_width, key=key)

    def __call__(self, x: Any) -> Any:
        return jax.vmap(self.layer)(x)


def test_nets_are_replaceable(table: pl.DataFrame, tmp_path: Path) -> None:
    model = CTGAN(epochs=1, generator=Plain, discriminator=Plain, random_state=0).fit(table)
    model.save(tmp_path / "plain.mq")
    back = load(tmp_path / "plain.mq", generator=Plain)
    assert back.sample(20, random_state=1).equals(model.sample(20, random_state=1))
    with pytest.raises(ArtifactError, match="generator"):
        load(tmp_path / "plain.mq")


@pytest.mark.parametrize("loss", ["wgan-gp", "relativistic"])
def test_the_reference_settings_train(table: pl.DataFrame, loss: Any) -> None:
    model = CTGAN(epochs=2, batch_size=100, pac=10, loss=loss, **QUICK).fit(table)
    assert np.isfinite(model.history_[-1]["critic"])
    assert model.sample(10).height == 10
