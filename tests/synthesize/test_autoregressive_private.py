"""`Autoregressive` under a guarantee: what is charged, what is kept, what is refused."""

from __future__ import annotations

import dataclasses
import zipfile
from pathlib import Path
from typing import Any

import jax
import numpy as np
import polars as pl
import pytest

from masquerade import inference
from masquerade.errors import SettingError
from masquerade.loading import load
from masquerade.nets.autoregressive_private import grouped
from masquerade.privacy.accounting import epsilon_of
from masquerade.privacy.budget import Privacy
from masquerade.progress import Progress
from masquerade.schema import Schema
from masquerade.synthesize.autoregressive import Autoregressive
from masquerade.synthesize.autoregressive_private import PrivateSchedule

pytest.importorskip("jax_privacy")

ROWS = 1_200


def people(rows: int = ROWS, seed: int = 0) -> pl.DataFrame:
    """Two columns that nearly determine each other."""
    random = np.random.default_rng(seed)
    job = random.integers(0, 4, rows)
    grade = np.where(random.random(rows) < 0.9, job, random.integers(0, 4, rows))
    return pl.DataFrame({"job": np.array(list("abcd"))[job], "grade": np.array(list("wxyz"))[grade]})


def declared(table: pl.DataFrame, **changes: Any) -> Schema:
    return dataclasses.replace(inference.infer(table), declared=True, **changes)


def agreement(table: pl.DataFrame) -> float:
    return float((table["job"].replace_strict(dict(zip("abcd", "wxyz", strict=True))) == table["grade"]).mean())


@pytest.fixture(scope="module")
def model() -> Autoregressive:
    table = people()
    return Autoregressive(privacy=Privacy(5.0, 1e-5), epochs=20).fit(table, schema=declared(table))


def test_it_learns_what_goes_with_what(model: Autoregressive) -> None:
    assert agreement(people()) > 0.9
    assert agreement(model.sample(2_000)) > 0.6  # 0.25 by chance
    with_a = model.sample(500, given={"job": "a"})
    assert (with_a["grade"] == "w").mean() > 0.5


def test_the_ledger_recomputes_to_no_more_than_was_asked_for(model: Autoregressive) -> None:
    ledger = model.ledger_
    assert ledger.guarantee == "differential privacy"
    assert ledger.epsilon is not None
    assert 4.9 < ledger.epsilon <= 5.0
    assert epsilon_of(ledger.events, 1e-5) <= 5.0
    training = [event for event in ledger.events if event["stage"] == "training"]
    assert [(event["kind"], event["count"]) for event in training] == [("poisson_gaussian", 200)]
    assert training[0]["rate"] == pytest.approx(0.1, rel=1e-3)
    assert set(ledger.split) == {"marginals", "training"}


def test_the_history_tells_steps_and_epsilon_only(model: Autoregressive) -> None:
    assert {tuple(entry) for entry in model.history_} == {("step", "epsilon")}
    steps, epsilons = ([entry[key] for entry in model.history_] for key in ("step", "epsilon"))
    assert steps == sorted(steps)
    assert epsilons == sorted(epsilons)
    assert steps[-1] == 200
    assert epsilons[-1] == pytest.approx(model.ledger_.epsilon, rel=0.01)
    assert "200 private steps" in model._repr_html_()


def test_the_file_holds_the_generator_and_nothing_of_training(model: Autoregressive, tmp_path: Path) -> None:
    model.save(tmp_path / "m.mq")
    config, arrays = model._to_state()
    weights = {name for name in arrays if name.startswith("net")}
    assert set(arrays) == weights | {"log_share"}
    assert sum(arrays[k].size for k in weights) == sum(leaf.size for leaf in jax.tree.leaves(model._drawer.weights))
    assert set(config) == {"net"}
    assert not any(hasattr(model, name) for name in ("_start", "_encoded", "_state"))
    with zipfile.ZipFile(tmp_path / "m.mq") as file:
        text = b"".join(file.read(name) for name in file.namelist())
    for word in (b"loss", b"optimizer", b"moment", b'"seed"'):
        assert word not in text
    back = load(tmp_path / "m.mq")
    assert isinstance(back, Autoregressive)
    assert back.privacy == model.privacy
    assert back.ledger_ == model.ledger_
    assert back.sample(50, random_state=1).equals(model.sample(50, random_state=1))


@pytest.mark.parametrize("how", ["interrupt", "clock"])
def test_training_that_ends_early_is_charged_for_the_steps_begun(how: str) -> None:
    table = people(400)

    def stop(progress: Progress) -> None:
        if progress.stage == "train" and progress.done > 2:
            raise KeyboardInterrupt

    settings: dict[str, Any] = {"max_minutes": 1e-4} if how == "clock" else {"callbacks": [stop]}
    model = Autoregressive(privacy=Privacy(1.0, 1e-4), epochs=200, **settings).fit(table, schema=declared(table))
    assert model.interrupted_ == (how == "interrupt")
    steps = model.ledger_.events[-1]["count"]
    assert 0 < steps < 2_000
    assert model.history_[-1]["step"] == steps
    assert model.ledger_.epsilon is not None
    assert 0.1 < model.ledger_.epsilon < 0.95
    assert model.sample(10).height == 10


def test_units_with_several_rows_are_clipped_as_one_and_noise_is_fresh(model: Autoregressive) -> None:
    table = people(600).with_columns(who=pl.Series([f"p{i % 200}" for i in range(600)]))
    other = Autoregressive(privacy=Privacy(5.0, 1e-4, unit="who", rows_per_unit=2), epochs=3)
    other.fit(table, schema=declared(table))
    assert other.ledger_.unit == "who"
    assert other.ledger_.epsilon is not None
    assert other.ledger_.epsilon <= 5.0
    heads = [np.asarray(fitted._drawer.weights.head).ravel() for fitted in (model, other)]
    assert abs(np.corrcoef(*heads)[0, 1]) < 0.5
    codes = np.arange(10, dtype=np.int32)[:, None]
    by = grouped(codes, np.array([4, 4, 1, 4, 1, 0, 9, 9, 9, 9]))
    rows = [sorted(np.asarray(by.codes[by.rows[unit]])[np.asarray(by.there[unit])].ravel()) for unit in range(4)]
    assert rows == [[5], [2, 4], [0, 1, 3], [6, 7, 8, 9]]


def test_a_public_model_is_a_start_that_costs_no_domains() -> None:
    public = Autoregressive(epochs=5, size="small", random_state=0).fit(people(2_000, seed=1))
    before = [np.asarray(leaf).copy() for leaf in jax.tree.leaves(public._drawer.weights)]
    model = Autoregressive(privacy=Privacy(0.3, 1e-4), epochs=5).fit(people(), start_from=public)
    assert agreement(model.sample(2_000)) > 0.6  # not within reach at this ε from nothing
    assert set(model.ledger_.split) == {"marginals", "training"}
    assert model.codec_ is public.codec_
    for old, now in zip(before, jax.tree.leaves(public._drawer.weights), strict=True):
        np.testing.assert_array_equal(old, now)
    with pytest.raises(SettingError, match="schema: got one with a private fit that goes on"):
        model.fit(people(), schema=declared(people()), start_from=public)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"dropout": 0.1}, "dropout: got 0.1, which does nothing under a guarantee"),
        ({"patience": None}, "patience: got None, which does nothing"),
        ({"protect": 5}, "protect: got 5"),
        ({"max_levels": 50}, "max_levels: got 50"),
        ({"random_state": 1}, "random_state: got 1 with a private fit"),
        ({"learning_rate": -1.0}, "learning_rate"),
    ],
)
def test_what_does_nothing_or_would_undo_the_noise_is_refused(settings: dict[str, Any], said: str) -> None:
    table = people(50)
    with pytest.raises(SettingError, match=said):
        Autoregressive(privacy=Privacy(1.0, 1e-4), **settings).fit(table, schema=declared(table))


@pytest.mark.parametrize(
    ("total", "batch", "epochs", "steps"),
    [(29_000.0, None, None, 500), (1e6, None, None, 1_464), (900.0, 90, 3, 30), (5.0, 90, 3, 3)],
)
def test_the_schedule_follows_the_noised_count(total: float, batch: Any, epochs: Any, steps: int) -> None:
    schedule = PrivateSchedule.of(total, batch, epochs)
    assert schedule.steps == steps
    assert schedule.batch <= min(max(total, 1), 4_096)
