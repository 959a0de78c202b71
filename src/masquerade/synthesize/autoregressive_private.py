"""Learning an autoregressive net under a guarantee: DP-SGD on declared codes, beginning at noised shares."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass

import jax
import numpy as np

from masquerade.nets.autoregressive import AutoregressiveNet, Weights
from masquerade.nets.autoregressive_private import PrivateState, PrivateTraining, grouped
from masquerade.nets.loop import Compilation, Schedule, train
from masquerade.nets.mixing import Dense
from masquerade.privacy.dpsgd import Plan
from masquerade.progress import Callback, Progress
from masquerade.synthesize.drawing import Drawer
from masquerade.synthesize.memory import check_memory
from masquerade.synthesize.private import Prepared

__all__ = ["CLIP", "Learned", "PrivateSchedule", "learn_privately"]

CLIP = 1.0
"""Bound of a unit's gradient. Adam makes up for its scale, and most gradients are longer, so that little depends on it."""

SHARE = 0.1
"""Of all rows that a step draws on average."""

MOST_BATCH = 4_096
"""At most so many: beyond, noise is small beside what a step learns."""

EPOCHS = 50
MOST_STEPS = 1_500
"""Passes over the table, fewer where they would take more steps than this."""

HISTORY = 10
"""Entries of the history."""

MICROBATCH = 512
MICROBATCH_NUMBERS = 32_000_000
"""Rows worked off at a time, and about how many numbers that may take."""


@dataclass(frozen=True)
class PrivateSchedule:
    """How long and on how much to train; by the noised number of rows alone.

    Args:
        batch: rows a step draws on average.
        epochs: passes over the table, on average.
        steps_per_epoch: steps in one pass.
    """

    batch: float
    epochs: int
    steps_per_epoch: int

    @property
    def steps(self) -> int:
        return self.epochs * self.steps_per_epoch

    @classmethod
    def of(cls, total: float, batch: int | None, epochs: int | None) -> PrivateSchedule:
        """What is asked for, and where nothing is, what suits so many rows.

        >>> PrivateSchedule.of(29_000.0, None, None)
        PrivateSchedule(batch=2900.0, epochs=50, steps_per_epoch=10)
        """
        size = float(np.clip(SHARE * total, 1.0, MOST_BATCH)) if batch is None else min(float(batch), total)
        per_epoch = max(round(total / size), 1)
        return cls(size, int(np.clip(MOST_STEPS // per_epoch, 1, EPOCHS)) if epochs is None else epochs, per_epoch)


@dataclass(frozen=True)
class Learned:
    """What is left of a private training.

    Args:
        drawer: the trained net, drawing single columns as often as the noised shares say.
        history: ε at about ten steps on the way.
        interrupted: whether Ctrl-C ended it early.
    """

    drawer: Drawer
    history: list[dict[str, float]]
    interrupted: bool


def learn_privately(
    prepared: Prepared,
    net: AutoregressiveNet,
    schedule: PrivateSchedule,
    *,
    rows_per_unit: int,
    max_seconds: float | None,
    tell: Callback,
    begin_from: Weights | None = None,
) -> Learned:
    """Train with all that is left of the budget.

    There is no validation, no best epoch and no early stop: each would be a look at the rows. Where Ctrl-C or the clock ends
    training, only the steps begun are charged.

    Args:
        prepared: private rows, noised shares and the account.
        net: pure functions; of its settings the learning rate, weight decay, share of random orders and averaging count.
        schedule: batch and steps.
        rows_per_unit: rows of one unit at most.
        max_seconds: wall-clock limit; None: none.
        tell: told how far training is.
        begin_from: public weights to go on from; None: fresh ones.
    """
    began = time.monotonic()
    accountant = prepared.accountant
    plan = Plan.calibrated(accountant, prepared.total, batch=schedule.batch, clip=CLIP, steps=schedule.steps)

    def waiting(seconds: float) -> None:
        tell(Progress("compile", 0, schedule.epochs, seconds))

    weights = begin_from
    if weights is None:
        weights = Compilation(net.weights, 0).result(waiting)(secrets.randbits(31))
    training = PrivateTraining(net, plan, _microbatch(net, weights, schedule.batch, rows_per_unit))
    check_memory(net, round(prepared.total), training.microbatch * rows_per_unit)
    with plan.charged(accountant) as meter:

        def before(state: PrivateState, steps: int) -> PrivateState:
            meter.begin(steps)
            return training.refreshed(state)

        left = None if max_seconds is None else max(max_seconds - (time.monotonic() - began), 0.0)
        outcome = train(
            training.step,
            training.begin(weights),
            grouped(prepared.encoded.codes, prepared.units),
            Schedule(schedule.epochs, schedule.steps_per_epoch, left, validate_every=schedule.epochs + 1, quick=True),
            snapshot=lambda state: state.average,
            callback=tell,
            before=before,
        )
    marks = np.unique(np.linspace(0, meter.begun, HISTORY + 1).astype(int)[1:])
    history = [{"step": float(step), "epsilon": meter.epsilon(int(step))} for step in marks if step > 0]
    began, interrupted = time.monotonic(), outcome.stopped == "interrupted"
    drawer = Drawer(net, outcome.trail.best, net.slots.digits.log_share)
    try:
        tell(Progress("calibrate", 0, 1, 0.0))
        if not interrupted:
            drawer.calibrate(secrets.randbits(63), frequencies=prepared.codec.layout.frequencies)
    except KeyboardInterrupt:  # what was trained is kept: its single columns are a little less exact
        interrupted, drawer = True, Drawer(net, outcome.trail.best, net.slots.digits.log_share)
    tell(Progress("calibrate", 1, 1, time.monotonic() - began, finished=True))
    return Learned(drawer, history, interrupted)


def _microbatch(net: AutoregressiveNet, weights: Weights, batch: float, rows_per_unit: int) -> int:
    """Units worked off at a time: by the memory of a row, and where gradients are written out, of one."""
    a_row = net.slots.count * (net.slots.features.shape[2] + 4 * net.slots.base + 8 * net.settings.hidden)
    if not isinstance(weights.mixing, Dense):
        a_row += sum(leaf.size for leaf in jax.tree.leaves(weights))
    fitting = max(MICROBATCH_NUMBERS // (a_row * rows_per_unit), 1)
    wanted = 1 << int(np.ceil(np.log2(1.25 * batch + 8)))
    return int(min(MICROBATCH, fitting, wanted))
