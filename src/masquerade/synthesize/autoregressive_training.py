"""Learning an autoregressive net: early stopping on rows held back, then single columns brought to their shares."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

from masquerade import seeds
from masquerade.errors import MasqueradeWarning
from masquerade.interrupts import interruptible
from masquerade.nets.autoregressive import AutoregressiveNet, Weights
from masquerade.nets.loop import Compilation, Schedule, Trail, seconds_left, train
from masquerade.progress import Callback, Progress
from masquerade.synthesize.drawing import Drawer
from masquerade.synthesize.memory import check_memory

__all__ = ["Learned", "calibrated", "learn"]

VALIDATION_CELLS = 500_000
"""At most so many digits are judged at once, so that wide tables are validated in little memory."""


@dataclass(frozen=True)
class Learned:
    """What is left of a training.

    Args:
        drawer: the trained net, drawing single columns as often as it was told to.
        history: one mapping per epoch; of a private training ε at about ten steps on the way.
        interrupted: whether Ctrl-C ended it early.
    """

    drawer: Drawer
    history: list[dict[str, float]]
    interrupted: bool


def learn(
    net: AutoregressiveNet,
    kept: NDArray[np.int32],
    held: NDArray[np.int32],
    epochs: int,
    *,
    frequencies: Sequence[NDArray[np.float64]],
    patience: int | None,
    max_minutes: float | None,
    seed: int,
    tell: Callback,
    begin_from: Callable[[Weights], Weights] | None = None,
) -> Learned:
    """Train, keep the weights that judge the rows held back best, and calibrate.

    Args:
        net: pure functions.
        kept: codes to train on, int32 of shape (rows, columns).
        held: codes to judge by; the first of them, where they are many and wide.
        epochs: passes over `kept`.
        frequencies: how often each code of each column is to be drawn.
        patience: epochs without a better score before training stops; None: never.
        max_minutes: wall-clock limit; None: none.
        seed: of everything random.
        tell: told how far training is.
        begin_from: makes of fresh weights those to begin with; they are kept if nothing better is found. None: fresh ones.

    Raises:
        InterruptedTraining: Ctrl-C before there was anything to keep.
    """
    began = time.monotonic()
    held = held[: max(VALIDATION_CELLS // net.slots.count, 256)]
    check_memory(net, len(kept), len(held))

    def waiting(seconds: float) -> None:
        tell(Progress("compile", 0, epochs, seconds))

    beginning = seeds.integer(seed, "train")
    weights = Compilation(net.weights, beginning).result(waiting)(beginning)
    trail = Trail()
    if begin_from is not None:
        trail.best = weights = begin_from(weights)
    state = Compilation(net.begin, weights, beginning).result(waiting)(weights, beginning)
    key = jax.random.key(seeds.integer(seed, "validate"))
    judged = Compilation(net.score, weights, held, key).result(waiting)
    if trail.best is not None:
        trail.best_score = float(judged(trail.best, held, key))
    steps, limit = max(len(kept) // net.settings.batch_size, 1), seconds_left(max_minutes, began)
    outcome = train(
        net.step,
        state,
        jax.numpy.asarray(kept),
        Schedule(epochs, steps, limit, validate_every=1, patience=patience, quick=True),
        snapshot=lambda state: state.average,
        validate=lambda weights: float(judged(weights, held, key)),
        callback=tell,
        trail=trail,
    )
    if outcome.stopped == "diverged":
        warnings.warn(
            f"training left the finite numbers after epoch {outcome.trail.epoch} and was stopped; the best model before "
            "is kept. A smaller learning_rate usually helps.",
            MasqueradeWarning,
            stacklevel=4,
        )
    drawer, interrupted = calibrated(
        net,
        outcome.trail.best,
        None if outcome.stopped == "interrupted" else seeds.integer(seed, "calibrate"),
        frequencies,
        tell,
    )
    return Learned(drawer, outcome.trail.history, interrupted)


def calibrated(
    net: AutoregressiveNet, weights: Any, seed: int | None, frequencies: Sequence[NDArray[np.float64]], tell: Callback
) -> tuple[Drawer, bool]:
    """What draws by trained weights, single columns as often as told; and whether Ctrl-C came before that was so.

    Args:
        net: pure functions.
        weights: learned.
        seed: of the rows drawn to calibrate; None: training was interrupted, and nothing is calibrated.
        frequencies: how often each code of each column is to be drawn.
        tell: told when it begins and ends.
    """
    began = time.monotonic()
    share, interrupted = net.slots.digits.log_share, seed is None
    try:
        drawer = Drawer(net, weights, share)
        with interruptible():
            tell(Progress("calibrate", 0, 1, 0.0))
            if seed is not None:
                drawer.calibrate(seed, frequencies=frequencies)
    except KeyboardInterrupt:  # what was trained is kept: its single columns are a little less exact
        drawer, interrupted = Drawer(net, weights, share), True
    tell(Progress("calibrate", 1, 1, time.monotonic() - began, finished=True))
    return drawer, interrupted
