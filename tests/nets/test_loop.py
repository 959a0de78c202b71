"""The training loop: chunks, clock, plateau, Ctrl-C, divergence."""

from __future__ import annotations

import time
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from masquerade.errors import InterruptedTraining
from masquerade.nets.loop import Compilation, Schedule, Trail, train
from masquerade.progress import Progress


def descend(state: Any, data: Any) -> tuple[Any, dict[str, Any]]:
    """Gradient descent on the mean squared distance to the data."""
    loss, slope = jax.value_and_grad(lambda x: jnp.square(x - data).mean())(state)
    return state - 0.1 * slope, {"loss": loss}


def run(schedule: Schedule, step: Any = descend, **options: Any) -> Any:
    options = {"snapshot": lambda state: state} | options
    return train(step, jnp.float32(0.0), jnp.arange(5.0), schedule, **options)


def test_training_reaches_the_minimum_and_writes_its_history() -> None:
    seen: list[Progress] = []
    outcome = run(Schedule(epochs=8, steps_per_epoch=10), callback=seen.append)
    assert outcome.stopped == "epochs"
    assert float(outcome.state) == pytest.approx(2.0, abs=1e-3)
    assert [entry["epoch"] for entry in outcome.trail.history] == list(range(1, 9))
    assert outcome.trail.history[0]["loss"] > outcome.trail.history[-1]["loss"]
    assert seen[0].stage == "compile"
    assert seen[0].done == 0
    assert seen[-1].finished
    assert seen[-1].done == 8


def test_the_same_run_in_two_halves_ends_the_same() -> None:
    whole = run(Schedule(epochs=6, steps_per_epoch=7))
    half = run(Schedule(epochs=3, steps_per_epoch=7))
    rest = train(descend, half.state, jnp.arange(5.0), Schedule(6, 7), snapshot=lambda state: state, trail=half.trail)
    np.testing.assert_allclose(rest.state, whole.state, rtol=1e-6)
    assert len(rest.trail.history) == 6


def test_the_best_snapshot_is_kept_and_a_plateau_ends_training() -> None:
    scores = iter([0.5, 0.9, 0.8, 0.7, 0.6, 0.5])
    outcome = run(
        Schedule(epochs=50, steps_per_epoch=1, validate_every=1, patience=3),
        validate=lambda snapshot: next(scores),
    )
    assert outcome.stopped == "plateau"
    assert outcome.trail.epoch == 5
    assert outcome.trail.best_score == 0.9
    second = run(Schedule(epochs=2, steps_per_epoch=1)).state
    np.testing.assert_allclose(outcome.trail.best, second)


def test_of_snapshots_within_the_tolerance_the_later_one_is_kept() -> None:
    scores = iter([0.5, 0.9, 0.897, 0.6])
    outcome = run(
        Schedule(epochs=4, steps_per_epoch=1, validate_every=1, tolerance=0.01), validate=lambda snapshot: next(scores)
    )
    assert outcome.trail.best_score == 0.9
    np.testing.assert_allclose(outcome.trail.best, run(Schedule(epochs=3, steps_per_epoch=1)).state)


def test_the_clock_stops_training() -> None:
    began = time.monotonic()
    outcome = run(Schedule(epochs=10**9, steps_per_epoch=1000, max_seconds=0.5))
    assert outcome.stopped == "time"
    assert time.monotonic() - began < 5
    assert outcome.trail.best is not None


def test_interrupting_keeps_the_best_so_far() -> None:
    def interrupt(progress: Progress) -> None:
        if progress.stage == "train" and progress.done >= 3:
            raise KeyboardInterrupt

    outcome = run(Schedule(epochs=100, steps_per_epoch=4), callback=_once(interrupt))
    assert outcome.stopped == "interrupted"
    assert outcome.trail.best is not None


def test_interrupting_before_the_first_step_says_there_is_nothing_to_keep() -> None:
    def interrupt(progress: Progress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(InterruptedTraining, match="no model to keep"):
        run(Schedule(epochs=1, steps_per_epoch=1), callback=interrupt)


def test_divergence_stops_training_and_keeps_finite_weights() -> None:
    def explode(state: Any, data: Any) -> tuple[Any, dict[str, Any]]:
        return state * 1e20 + 1, {"loss": state * 1e20}

    outcome = run(Schedule(epochs=100, steps_per_epoch=1), step=explode)
    assert outcome.stopped == "diverged"
    assert np.isfinite(outcome.trail.best)


def test_a_failing_compilation_raises_here() -> None:
    with pytest.raises(ZeroDivisionError):
        Compilation(lambda x: 1 // 0, jnp.zeros(1)).result()


def test_a_fresh_trail_has_no_best() -> None:
    assert Trail().best is None


def _once(callback: Any) -> Any:
    """The callback until it raises, then nothing."""
    done: list[bool] = []

    def call(progress: Progress) -> None:
        if not done:
            try:
                callback(progress)
            except KeyboardInterrupt:
                done.append(True)
                raise

    return call


def test_every_epoch_is_shown_judged_or_not() -> None:
    shown: list[tuple[float, int]] = []
    outcome = run(
        Schedule(epochs=5, steps_per_epoch=3, validate_every=2),
        validate=float,
        shown=lambda snapshot, epoch: shown.append((float(snapshot), epoch)),
    )
    assert [epoch for _, epoch in shown] == [1, 2, 3, 4, 5]
    assert [value for value, _ in shown] == sorted(value for value, _ in shown)
    assert ["score" in entry for entry in outcome.trail.history] == [False, True, False, True, True]
