"""CTGAN under a guarantee: what it refuses, what it keeps, what it learns."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import numpy as np
import polars as pl
import pytest

from masquerade.errors import ConditionError, SettingError
from masquerade.loading import load
from masquerade.nets.layers import linear
from masquerade.privacy.accounting import epsilon_of
from masquerade.privacy.budget import Privacy
from masquerade.schema import Column, Schema
from masquerade.synthesize.ctgan import CTGAN
from masquerade.synthesize.ctgan_private import PrivateSchedule

pytest.importorskip("dp_accounting")

PRIVACY = Privacy(epsilon=8.0, delta=1e-5)
SMALL: dict[str, Any] = {"generator_dim": (16,), "discriminator_dim": (16,), "embedding_dim": 4, "privacy": PRIVACY}
SCHEMA = Schema(
    (
        Column("who", "id"),
        Column("sex", "categorical", levels=("f", "m")),
        Column("job", "categorical", levels=("clerk", "nurse", "smith", "spy")),
        Column("age", "integer", minimum=18, maximum=80),
    ),
    declared=True,
)


def people(rows: int) -> pl.DataFrame:
    """Nurses are women, smiths men, and nobody is a spy."""
    random = np.random.default_rng(0)
    sex = random.choice(["f", "m"], rows, p=[0.6, 0.4])
    job = np.where(random.random(rows) < 0.2, "clerk", np.where(sex == "f", "nurse", "smith"))
    age = random.integers(18, 81, rows)
    return pl.DataFrame({"who": [f"canary-{i // 2}" for i in range(rows)], "sex": sex, "job": job, "age": age})


@pytest.fixture(scope="module")
def model() -> CTGAN:
    return CTGAN(epochs=100, batch_size=200, **SMALL).fit(people(2_000), schema=SCHEMA)


def test_it_learns_what_goes_together(model: CTGAN) -> None:
    drawn = model.sample(4_000, random_state=0)
    right = ((drawn["job"] == "nurse") & (drawn["sex"] == "f")) | ((drawn["job"] == "smith") & (drawn["sex"] == "m"))
    working = drawn["job"].is_in(["nurse", "smith"])
    assert right.sum() / working.sum() > 0.7  # independent columns: 0.52
    assert abs((drawn["sex"] == "f").mean() - 0.6) < 0.05
    assert (drawn["job"] == "spy").mean() < 0.02
    assert drawn["age"].is_between(18, 80).all()


def test_a_condition_is_met(model: CTGAN) -> None:
    assert set(model.sample(50, given={"job": "smith"})["job"]) == {"smith"}
    with pytest.raises(ConditionError, match="declare it categorical, with its levels, for a private fit"):
        model.sample(5, given={"age": 30})


def test_the_ledger_holds_what_was_done_and_the_history_tells_steps_and_epsilon_only(model: CTGAN) -> None:
    ledger = model.ledger_
    assert ledger.guarantee == "differential privacy"
    assert ledger.epsilon is not None
    assert 7.9 < ledger.epsilon <= 8
    steps = [event for event in ledger.events if event["kind"] == "poisson_gaussian"]
    assert [event["count"] for event in steps] == [1_000]
    assert epsilon_of(ledger.events, 1e-5) == pytest.approx(ledger.epsilon, rel=0.01)
    assert {frozenset(entry) for entry in model.history_} == {frozenset({"step", "epsilon"})}
    assert model.history_[-1] == {"step": 1_000.0, "epsilon": pytest.approx(ledger.epsilon, rel=0.01)}


def test_the_file_has_the_generator_and_nothing_of_rows_or_critic(model: CTGAN, tmp_path: Path) -> None:
    model.save(tmp_path / "m.mq")
    again = load(tmp_path / "m.mq")
    assert again.sample(40, random_state=3).equals(model.sample(40, random_state=3))
    assert again.get_params()["privacy"] == PRIVACY
    with zipfile.ZipFile(tmp_path / "m.mq") as parts:
        content = b"".join(parts.read(name) for name in parts.namelist())
    assert b"canary" not in content
    assert sum(leaf.size for leaf in jax.tree.leaves(model._params)) == sum(
        array.size for name, array in model._to_state()[1].items() if name.startswith("net")
    )
    held = [value for value in vars(model).values() if isinstance(value, pl.DataFrame | np.ndarray)]
    assert all(len(value) < 2_000 for value in held)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"pac": 10}, "pac: got 10 under a guarantee"),
        ({"checkpoint": "half.mq"}, "checkpoint: .* half-trained"),
        ({"patience": 3}, "patience: got 3, which does nothing"),
        ({"protect": 5}, "protect: got 5, which does nothing"),
        ({"discrete_columns": ["age"]}, "discrete_columns: got"),
        ({"random_state": 1}, "random_state: got 1 with a private fit"),
        ({"epochs": 0}, "epochs: got 0"),
    ],
)
def test_what_has_no_meaning_is_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        CTGAN(**(SMALL | settings)).fit(people(20), schema=SCHEMA)


class Twisted(eqx.Module):
    """A critic of a user's own."""

    layer: eqx.nn.Linear

    def __init__(self, in_width: int, out_width: int, *, key: Any):
        self.layer = eqx.nn.Linear(in_width, out_width, key=key)

    def __call__(self, x: Any) -> Any:
        return linear(self.layer, jax.numpy.sin(x) + x**2)


def test_the_papers_loss_with_a_critic_of_ones_own_and_people_with_several_rows(tmp_path: Path) -> None:
    privacy = Privacy(epsilon=8.0, delta=1e-5, unit="who", rows_per_unit=2)
    settings = SMALL | {"privacy": privacy, "loss": "wgan-gp", "discriminator": Twisted, "discriminator_steps": 2}
    model = CTGAN(epochs=2, batch_size=100, **settings).fit(people(400), schema=SCHEMA)
    assert model.ledger_.unit == "who"
    assert model.ledger_.protections["rows_per_unit"] == 2
    assert model.sample(30)["who"].n_unique() == 30
    assert not any(name.startswith("canary") for name in model.sample(30)["who"].to_list())


def test_only_steps_begun_are_charged_when_the_clock_ends_training() -> None:
    model = CTGAN(epochs=300, batch_size=10, max_minutes=0.02, **SMALL).fit(people(100), schema=SCHEMA)
    (event,) = [event for event in model.ledger_.events if event["kind"] == "poisson_gaussian"]
    assert 0 < event["count"] < 3_000
    assert model.ledger_.epsilon is not None
    assert model.ledger_.epsilon < 8


def test_a_schedule_is_made_of_the_noised_number_of_rows() -> None:
    assert PrivateSchedule.of(32_561.0, None, None).steps == 2_000
    assert PrivateSchedule.of(300.0, None, None).batch == 64
    assert PrivateSchedule.of(1_000_000.0, None, None).steps <= 4_000
    assert PrivateSchedule.of(5.0, 500, 3) == PrivateSchedule(5.0, 3, 1)
