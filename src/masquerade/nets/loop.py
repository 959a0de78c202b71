"""The only training loop: compiled chunks of many steps, a clock, a validation score, and a clean way out.

A chunk is one XLA call with a traced number of steps, so it is compiled once and its length follows the machine: about a
quarter of a second each. Between chunks the bar moves, `max_seconds` holds and Ctrl-C answers. Compiling happens on a second
thread for the same reason.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp

from masquerade.errors import InterruptedTraining
from masquerade.interrupts import hold, interruptible
from masquerade.progress import Callback, Progress

__all__ = ["Compilation", "Outcome", "Schedule", "Step", "Trail", "seconds_left", "train"]

CHUNK_SECONDS = 0.25
"""What a chunk aims at; half a second is the most that a user should wait for an answer."""

Step = Callable[[Any, Any], tuple[Any, dict[str, Any]]]


@dataclass(frozen=True)
class Schedule:
    """How long to train.

    Args:
        epochs: passes over the data.
        steps_per_epoch: optimiser steps in one pass.
        max_seconds: wall-clock limit, compiling included; None: no limit.
        validate_every: epochs between two validations.
        patience: validations without a better score before training stops; None: never.
        tolerance: a later snapshot replaces the best one unless its score is lower by more than this. Cheap scores level off
            while a net still learns what they cannot see, so of equals the later one is kept.
        quick: whether the program should rather be quick than compiled in little memory.
    """

    epochs: int
    steps_per_epoch: int
    max_seconds: float | None = None
    validate_every: int = 5
    patience: int | None = None
    tolerance: float = 0.0
    quick: bool = False


@dataclass
class Trail:
    """Where training stands beside its state: enough to go on later.

    Args:
        epoch: whole epochs done.
        best_score: best validation score so far; -inf before the first.
        best: the snapshot kept: the last one with that score, or within the tolerance of it; None before the first.
        stale: validations since then.
        history: one mapping per epoch: `epoch`, `seconds`, each loss, and `score` where it was validated.
    """

    epoch: int = 0
    best_score: float = -math.inf
    best: Any = None
    stale: int = 0
    history: list[dict[str, float]] = field(default_factory=list)


@dataclass(frozen=True)
class Outcome:
    """What training gave.

    Args:
        state: the last state.
        trail: where training stands, with the best snapshot.
        stopped: `"epochs"`, `"time"`, `"plateau"`, `"interrupted"` or `"diverged"`.
    """

    state: Any
    trail: Trail
    stopped: str


def seconds_left(max_minutes: float | None, began: float) -> float | None:
    """What is left of a limit for training, in seconds, since `time.monotonic()` was `began`; None: there is no limit."""
    return None if max_minutes is None else max(60 * max_minutes - (time.monotonic() - began), 0.0)


def compiler_options() -> dict[str, str | bool]:
    """What XLA is told: on a CPU its older code generator, which compiles a training step in 130 MB less, a tenth slower."""
    return {"xla_cpu_use_fusion_emitters": False} if jax.default_backend() == "cpu" else {}


class Compilation:
    """A function being compiled on a thread of its own, begun at once; a program that ends waits for it.

    Args:
        function: a pure function of arrays.
        arguments: what it will be called with, or the shapes of it.
        quick: whether the program should rather be quick than compiled in little memory.
    """

    def __init__(self, function: Callable[..., Any], *arguments: Any, quick: bool = False):
        self._options = {} if quick else compiler_options()
        self._result: list[Callable[..., Any]] = []
        self._failure: list[BaseException] = []
        self._began = time.monotonic()
        self._thread = threading.Thread(target=self._compile, args=(function, arguments), name="masquerade-compile")
        self._thread.start()

    def _compile(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        try:
            self._result.append(jax.jit(function).lower(*arguments).compile(self._options))
        except BaseException as error:  # noqa: BLE001 - handed to the waiting thread, which raises it
            self._failure.append(error)

    def result(self, waiting: Callable[[float], None] = lambda seconds: None) -> Callable[..., Any]:
        """The compiled function; while it is not ready, `waiting` is told the seconds about five times a second."""
        while self._thread.is_alive():
            waiting(time.monotonic() - self._began)
            self._thread.join(timeout=0.2)
        if self._failure:
            raise self._failure[0]
        return self._result[0]


def train(
    step: Step,
    state: Any,
    data: Any,
    schedule: Schedule,
    *,
    snapshot: Callable[[Any], Any],
    validate: Callable[[Any], float] | None = None,
    callback: Callback = lambda progress: None,
    checkpoint: Callable[[Any, Trail], None] | None = None,
    trail: Trail | None = None,
    before: Callable[[Any, int], Any] = lambda state, steps: state,
    shown: Callable[[Any, int], None] = lambda snapshot, epoch: None,
    helps: bool = False,
) -> Outcome:
    """Train until the schedule ends, the score stops rising, or the user presses Ctrl-C.

    Args:
        step: one pure step `(state, data) -> (state, losses)`.
        state: a pytree of arrays.
        data: a pytree of arrays, handed to every step; or a function of the epoch's number, from 0, that gives that epoch's, of
            the same shapes, where not all of it should be in memory.
        schedule: how long to train.
        snapshot: what of the state is worth keeping (the generator's weights).
        validate: score of a snapshot, higher is better; None: the last snapshot counts as the best.
        callback: told how far training is.
        checkpoint: called after each validation with the state and the trail.
        trail: where an earlier run stopped; None: from the start.
        before: called before each chunk with the state and its number of steps; returns the state to go on from.
        shown: called after each epoch, judged or not, with what is worth keeping of it and its number.
        helps: whether this net only helps with another: then nothing is worth keeping yet (see `masquerade.interrupts`).

    Raises:
        InterruptedTraining: on Ctrl-C before a single chunk was done.
    """
    began = time.monotonic()
    trail = Trail() if trail is None else trail
    first_epoch = trail.epoch

    def chunk(state: Any, data: Any, steps: Any) -> tuple[Any, dict[str, Any]]:
        shapes = jax.eval_shape(step, state, data)[1]
        zeros = {name: jnp.zeros(shape.shape, shape.dtype) for name, shape in shapes.items()}

        def body(_: Any, carry: tuple[Any, dict[str, Any]]) -> tuple[Any, dict[str, Any]]:
            new, losses = step(carry[0], data)
            return new, {name: carry[1][name] + losses[name] / steps for name in losses}

        result: tuple[Any, dict[str, Any]] = jax.lax.fori_loop(0, steps, body, (state, zeros))
        return result

    def tell(stage: str, done: float, losses: dict[str, float], *, seconds: float, finished: bool = False) -> None:
        score = trail.best_score if math.isfinite(trail.best_score) else None
        callback(
            Progress(stage, done, _expected(schedule, done - first_epoch, seconds), seconds, losses, score, finished)
        )

    stopped, losses, started = "epochs", {}, False
    shard = data(trail.epoch) if callable(data) else data
    try:
        with interruptible():
            compilation = Compilation(chunk, state, shard, jnp.int32(1), quick=schedule.quick)
            run = compilation.result(lambda seconds: tell("compile", 0, {}, seconds=seconds))
            tell("compile", 0, {}, seconds=time.monotonic() - began, finished=True)
            length, train_began = 1, time.monotonic()
            while trail.epoch < schedule.epochs and stopped == "epochs":
                done = 0
                if callable(data) and trail.epoch > first_epoch:
                    del shard
                    shard = data(trail.epoch)
                while done < schedule.steps_per_epoch:
                    steps = min(length, schedule.steps_per_epoch - done)
                    chunk_began = time.monotonic()
                    new_state, mean = run(before(state, steps), shard, jnp.int32(steps))
                    losses = {name: float(value) for name, value in mean.items()}
                    if not all(map(math.isfinite, losses.values())):
                        stopped = "diverged"
                        break
                    state, started = new_state, True
                    done += steps
                    elapsed = time.monotonic() - chunk_began
                    length = max(1, min(int(steps * CHUNK_SECONDS / max(elapsed, 1e-6)), 4 * steps))
                    tell(
                        "train",
                        trail.epoch + done / schedule.steps_per_epoch,
                        losses,
                        seconds=time.monotonic() - train_began,
                    )
                    if schedule.max_seconds is not None and time.monotonic() - began >= schedule.max_seconds:
                        stopped = "time"
                        break
                if stopped == "epochs":
                    trail.epoch += 1
                entry = {"epoch": float(trail.epoch), "seconds": time.monotonic() - began, **losses}
                last = stopped != "epochs" or trail.epoch == schedule.epochs
                if stopped != "diverged" and (last or trail.epoch % schedule.validate_every == 0):
                    entry["score"] = _validated(trail, snapshot(state), validate, schedule.tolerance)
                    if checkpoint is not None:
                        checkpoint(state, trail)
                    if stopped == "epochs" and schedule.patience is not None and trail.stale >= schedule.patience:
                        stopped = "plateau"
                trail.history.append(entry)
                if stopped != "diverged":
                    shown(snapshot(state), trail.epoch)
            if not helps:
                hold()
    except KeyboardInterrupt:
        if not started and trail.best is None:
            raise InterruptedTraining(
                "interrupted before the first steps were done: there is no model to keep."
            ) from None
        stopped = "interrupted"
        if not helps:
            hold()
    if trail.best is None:
        trail.best = snapshot(state)
    tell("train", trail.epoch, losses, seconds=time.monotonic() - began, finished=True)
    return Outcome(state, trail, stopped)


def _validated(trail: Trail, candidate: Any, validate: Callable[[Any], float] | None, tolerance: float) -> float:
    score = math.inf if validate is None else validate(candidate)
    if trail.best is None or score >= trail.best_score - tolerance:
        trail.best = candidate
    trail.stale = 0 if score >= trail.best_score else trail.stale + 1
    trail.best_score = max(score, trail.best_score)
    return score


def _expected(schedule: Schedule, done: float, seconds: float) -> float:
    """Epochs that training will reach: fewer than asked for where the clock will stop it."""
    if schedule.max_seconds is None or done <= 0 or seconds <= 0:
        return float(schedule.epochs)
    return min(float(schedule.epochs), max(done, done * schedule.max_seconds / seconds))
