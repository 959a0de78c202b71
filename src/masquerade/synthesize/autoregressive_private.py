"""Learning an autoregressive net under a guarantee: DP-SGD on declared codes, beginning at noised shares."""

from __future__ import annotations

import secrets
import time

import jax
import numpy as np

from masquerade.nets.autoregressive import AutoregressiveNet, Weights
from masquerade.nets.autoregressive_private import PrivateTraining
from masquerade.nets.loop import Compilation
from masquerade.nets.mixing import Dense
from masquerade.privacy.dpsgd import Plan
from masquerade.progress import Callback, Progress
from masquerade.synthesize.autoregressive_training import Learned, calibrated
from masquerade.synthesize.memory import check_memory
from masquerade.synthesize.private import Prepared
from masquerade.synthesize.private_training import PrivateLength, train_charged

__all__ = ["CLIP", "PrivateSchedule", "learn_privately"]

CLIP = 1.0
"""Bound of a unit's gradient. Adam makes up for its scale, and most gradients are longer, so that little depends on it."""

HISTORY = 10
"""Entries of the history."""

MICROBATCH = 512
MICROBATCH_NUMBERS = 32_000_000
"""Rows worked off at a time, and about how many numbers that may take."""


class PrivateSchedule(PrivateLength):
    """How long and on how much to train.

    >>> PrivateSchedule.of(29_000.0, None, None)
    PrivateSchedule(batch=2900.0, epochs=50, steps_per_epoch=10)
    """

    share, most_epochs, most_steps = 0.1, 50, 1_500


def learn_privately(
    prepared: Prepared,
    net: AutoregressiveNet,
    schedule: PrivateSchedule,
    *,
    rows_per_unit: int,
    max_minutes: float | None,
    tell: Callback,
    begin_from: Weights | None = None,
) -> Learned:
    """Train with all that is left of the budget.

    Args:
        prepared: private rows, noised shares and the account.
        net: pure functions; of its settings the learning rate, weight decay, share of random orders and averaging count.
        schedule: batch and steps.
        rows_per_unit: rows of one unit at most.
        max_minutes: wall-clock limit; None: none.
        tell: told how far training is.
        begin_from: public weights to go on from; None: fresh ones.
    """
    began = time.monotonic()
    plan = Plan.calibrated(prepared.accountant, prepared.total, batch=schedule.batch, clip=CLIP, steps=schedule.steps)

    def waiting(seconds: float) -> None:
        tell(Progress("compile", 0, schedule.epochs, seconds))

    weights = begin_from
    if weights is None:
        weights = Compilation(net.weights, 0).result(waiting)(secrets.randbits(31))
    training = PrivateTraining(net, plan, _microbatch(net, weights, schedule.batch, rows_per_unit))
    check_memory(net, round(prepared.total), training.microbatch * rows_per_unit)
    weights, history, interrupted = train_charged(
        training,
        training.begin(weights),
        prepared,
        schedule,
        max_minutes=max_minutes,
        began=began,
        entries=HISTORY,
        tell=tell,
    )
    seed = None if interrupted else secrets.randbits(63)
    drawer, stopped = calibrated(net, weights, seed, prepared.codec.layout.frequencies, tell)
    return Learned(drawer, history, interrupted or stopped)


def _microbatch(net: AutoregressiveNet, weights: Weights, batch: float, rows_per_unit: int) -> int:
    """Units worked off at a time: by the memory of a row, and where gradients are written out, of one."""
    a_row = net.slots.count * (net.slots.features.shape[2] + 4 * net.slots.base + 8 * net.settings.hidden)
    if not isinstance(weights.mixing, Dense):
        a_row += sum(leaf.size for leaf in jax.tree.leaves(weights))
    fitting = max(MICROBATCH_NUMBERS // (a_row * rows_per_unit), 1)
    wanted = 1 << int(np.ceil(np.log2(1.25 * batch + 8)))
    return int(min(MICROBATCH, fitting, wanted))
