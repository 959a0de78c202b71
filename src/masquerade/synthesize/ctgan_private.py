"""Learning a conditional GAN under a guarantee: DP-SGD on the critic alone, beginning at noised shares of single columns."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

from masquerade.codec.calibration import frequency_bias
from masquerade.errors import SettingError
from masquerade.interrupts import interruptible
from masquerade.nets.gan_private import PrivateGAN, PrivateGANTraining
from masquerade.nets.loop import Compilation
from masquerade.privacy.dpsgd import Plan
from masquerade.progress import Callback, Progress
from masquerade.synthesize.private import Prepared
from masquerade.synthesize.private_training import PrivateLength, train_charged
from masquerade.synthesize.sampling import Sampler, shape

__all__ = ["Learned", "PrivateSchedule", "learn_privately"]

CLIP = 1.0
"""Bound of a unit's gradient. Adam makes up for its scale, and most gradients are longer, so that little depends on it."""

MICROBATCH = 256
MICROBATCH_NUMBERS = 16_000_000
"""Units worked off at a time, and about how many numbers that may take."""

HISTORY = 5
"""Entries of the history."""

CALIBRATION_ROWS = 32_768
"""Rows drawn in each round of the calibration of single columns."""


class PrivateSchedule(PrivateLength):
    """How long and on how much to train; a step is an update of the critic.

    >>> PrivateSchedule.of(32_000.0, None, None)
    PrivateSchedule(batch=640.0, epochs=40, steps_per_epoch=50)
    """

    share, least_batch, most_epochs, most_steps = 0.02, 64, 40, 4_000


@dataclass(frozen=True)
class Learned:
    """What is left of a private training: no critic, no optimiser, no loss.

    Args:
        sampler: draws.
        params: the averaged generator's arrays, its normalisation fixed.
        bias: on the logits, which brings single columns to the noised shares.
        history: ε at a few steps on the way.
        interrupted: whether Ctrl-C ended it early.
    """

    sampler: Sampler
    params: Any
    bias: NDArray[np.float32]
    history: list[dict[str, float]]
    interrupted: bool


def learn_privately(
    prepared: Prepared,
    gan: PrivateGAN,
    schedule: PrivateSchedule,
    *,
    rows_per_unit: int,
    max_minutes: float | None,
    tell: Callback,
) -> Learned:
    """Train with all that is left of the budget.

    Args:
        prepared: private rows, noised shares and the account.
        gan: pure functions.
        schedule: batch and steps.
        rows_per_unit: rows of one unit at most.
        max_minutes: wall-clock limit; None: none.
        tell: told how far training is.

    Raises:
        SettingError: a critic that does not judge each row on its own, or training that left the finite numbers.
        InterruptedTraining: Ctrl-C before there was anything to keep.
    """
    began = time.monotonic()
    gan.check_critic()
    plan = Plan.calibrated(
        prepared.accountant,
        prepared.total,
        batch=schedule.batch,
        clip=CLIP,
        steps=schedule.steps,
        what="updates of the critic",
    )

    def waiting(seconds: float) -> None:
        tell(Progress("compile", 0, schedule.epochs, seconds))

    sampler = Sampler(gan, waiting)
    training = PrivateGANTraining(gan, plan, _microbatch(gan, schedule.batch, rows_per_unit))
    seed = secrets.randbits(31)
    state = training.begin(Compilation(gan.init, seed).result(waiting)(seed))
    params, history, interrupted = train_charged(
        training, state, prepared, schedule, max_minutes=max_minutes, began=began, entries=HISTORY, tell=tell
    )
    if not all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(params)):
        raise SettingError(
            "generator_lr, discriminator_lr: training left the finite numbers, and its budget is spent; take smaller ones."
        )
    began = time.monotonic()
    tell(Progress("calibrate", 0, 1, 0.0))
    params = _normalised(gan, params, waiting)
    try:
        with interruptible():
            bias = _bias(gan, sampler, params, rounds=2 if interrupted else 8)
    except KeyboardInterrupt:
        interrupted, bias = True, _bias(gan, sampler, params, rounds=2)
    tell(Progress("calibrate", 1, 1, time.monotonic() - began, finished=True))
    return Learned(sampler, params, bias, history, interrupted)


def _normalised(gan: PrivateGAN, params: Any, waiting: Callable[[float], None]) -> Any:
    """The generator's arrays with batch normalisation fixed, under conditions by the noised shares."""
    key, weights = jax.random.key(secrets.randbits(31)), gan.conditions.true_weights
    types = jax.eval_shape(jax.random.key, 0), shape(weights.shape)
    return Compilation(gan.normalised, gan.skeleton(), *types).result(waiting)(params, key, weights)


def _bias(gan: PrivateGAN, sampler: Sampler, params: Any, *, rounds: int) -> NDArray[np.float32]:
    """What brings single columns to the noised shares, which were paid for."""

    def draw(bias: NDArray[np.float32]) -> NDArray[np.int32]:
        return sampler.draw(params, CALIBRATION_ROWS, secrets.randbits(31), bias).codes

    return frequency_bias(draw, gan.layout, rounds=rounds)


def _microbatch(gan: PrivateGAN, batch: float, rows_per_unit: int) -> int:
    """Units worked off at a time: by the memory of their rows, and where gradients are written out, of those."""
    a_unit = 4 * gan.width * rows_per_unit
    if not gan.ghostly:
        a_unit += sum(leaf.size for leaf in jax.tree.leaves(gan.critic_skeleton()))
    wanted = 1 << int(np.ceil(np.log2(1.25 * batch + 8)))
    return int(min(MICROBATCH, max(MICROBATCH_NUMBERS // a_unit, 1), wanted))
