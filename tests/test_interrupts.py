"""Ctrl-C between training and a whole model: noted once, and nothing is lost."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
import pytest

import masquerade as mq
from masquerade.interrupts import hold, interruptible, keeping_model
from masquerade.progress import Progress
from masquerade.schema import Column, Schema


@dataclass
class Model:
    interrupted_: bool = False


@pytest.fixture(autouse=True)
def python_answers() -> Iterator[None]:
    """Ctrl-C as Python answers it, also where the tests run in the background of a shell, which ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def press() -> None:
    signal.raise_signal(signal.SIGINT)


def test_before_there_is_anything_to_keep_it_is_raised() -> None:
    model = Model()
    with pytest.raises(KeyboardInterrupt), keeping_model(model):
        press()
    assert not model.interrupted_


def test_once_held_it_waits_and_the_work_goes_on() -> None:
    model, done = Model(), []
    with keeping_model(model):
        hold()
        press()
        done.append("the rest")
        assert not model.interrupted_
    assert (model.interrupted_, done) == (True, ["the rest"])
    with pytest.raises(KeyboardInterrupt):
        press()


def test_a_second_one_does_not_wait() -> None:
    model, reached = Model(), []

    def work() -> None:
        with keeping_model(model):
            hold()
            press()
            reached.append("after the first")
            press()
            reached.append("after the second")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert (model.interrupted_, reached) == (True, ["after the first"])


def test_long_work_lets_it_in_also_if_it_came_before() -> None:
    model = Model()
    with keeping_model(model):
        hold()
        with pytest.raises(KeyboardInterrupt), interruptible():
            press()
        press()
        with pytest.raises(KeyboardInterrupt), interruptible():
            raise AssertionError("must not begin")
    assert model.interrupted_


def test_what_is_held_inside_long_work_stays_held_after_it() -> None:
    model = Model()
    with keeping_model(model):
        with interruptible():
            hold()
        press()
    assert model.interrupted_


def test_a_model_within_another_holds_for_itself() -> None:
    outer, inner = Model(), Model()

    def work() -> None:
        with keeping_model(outer):
            with keeping_model(inner):
                hold()
                press()
            press()

    with pytest.raises(KeyboardInterrupt):
        work()
    assert (outer.interrupted_, inner.interrupted_) == (False, True)


def test_a_model_around_another_holds_after_it() -> None:
    outer, inner = Model(), Model()
    with keeping_model(outer):
        with keeping_model(inner):
            pass
        hold()
        press()
    assert (outer.interrupted_, inner.interrupted_) == (True, False)


def test_handlers_are_left_as_they_were_and_others_are_not_touched() -> None:
    before = signal.getsignal(signal.SIGINT)
    pressed: list[int] = []
    signal.signal(signal.SIGINT, lambda number, frame: pressed.append(number))
    try:
        with keeping_model(Model()):
            hold()
            press()
        assert pressed == [signal.SIGINT]
    finally:
        signal.signal(signal.SIGINT, before)
    with keeping_model(Model()):
        assert signal.getsignal(signal.SIGINT) is not before
    assert signal.getsignal(signal.SIGINT) is before


def test_other_threads_are_no_concern_of_it() -> None:
    said: list[str] = []

    def work() -> None:
        with keeping_model(Model()):
            hold()
            with interruptible():
                said.append("done")

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert said == ["done"]
    with pytest.raises(KeyboardInterrupt):
        press()


# ── real models: Ctrl-C at each moment after the last step ────────────────────────────────────────────────────────


def table(rows: int = 200) -> pl.DataFrame:
    draws = np.random.default_rng(0)
    return pl.DataFrame(
        {
            "x": draws.normal(50, 10, rows).round(1),
            "sex": draws.choice(["f", "m"], rows),
            "n": draws.integers(0, 9, rows),
        }
    )


SCHEMA = Schema(
    (
        Column("x", "continuous", minimum=0.0, maximum=100.0, decimals=1),
        Column("sex", "categorical", levels=("f", "m")),
        Column("n", "integer", minimum=0, maximum=9),
    ),
    declared=True,
)


def fit(make: Callable[..., Any], stage: str, finished: bool) -> Any:
    """Fit a model while Ctrl-C comes the first time that this is told."""
    pressed: list[bool] = []

    def at(progress: Progress) -> None:
        if (progress.stage, progress.finished) == (stage, finished) and not pressed:
            pressed.append(True)
            press()

    model = make(callbacks=[at])
    assert pressed
    return model


def autoregressive(callbacks: Any) -> Any:
    return mq.Autoregressive(epochs=2, random_state=0, callbacks=callbacks).fit(table())


def ctgan(callbacks: Any) -> Any:
    return mq.CTGAN(epochs=2, random_state=0, generator_dim=(8,), discriminator_dim=(8,), callbacks=callbacks).fit(
        table()
    )


def private_ctgan(callbacks: Any) -> Any:
    privacy = mq.Privacy(epsilon=10, delta=1e-5)
    model = mq.CTGAN(privacy=privacy, epochs=2, generator_dim=(8,), discriminator_dim=(8,), callbacks=callbacks)
    return model.fit(table(2_000), SCHEMA)


MOMENTS = [
    *((make, "train", True) for make in (autoregressive, ctgan)),
    *((make, "calibrate", False) for make in (autoregressive, ctgan, private_ctgan)),
    (autoregressive, "calibrate", True),
]


@pytest.mark.parametrize(("make", "stage", "finished"), MOMENTS)
def test_a_trained_table_model_is_kept(make: Callable[..., Any], stage: str, finished: bool) -> None:
    model = fit(make, stage, finished)
    assert model.interrupted_
    assert model.sample(7).height == 7


def test_a_trained_picture_model_is_kept() -> None:
    images = np.random.default_rng(0).integers(0, 256, (200, 8, 8)).astype(np.uint8)

    def make(callbacks: Any) -> Any:
        privacy = mq.Privacy(epsilon=10, delta=1e-5)
        return mq.DPMERF(privacy=privacy, steps=20, width=4, latent_width=4, callbacks=callbacks).fit(images)

    model = fit(make, "train", True)
    assert model.interrupted_
    assert model.sample(3).images.shape == (3, 8, 8, 1)


def test_a_trained_encoder_is_kept() -> None:
    model = fit(
        lambda callbacks: mq.Encoder(epochs=1, random_state=0, callbacks=callbacks).fit(table(300)), "train", True
    )
    assert model.interrupted_
    assert model.transform(table(5)).height == 5
