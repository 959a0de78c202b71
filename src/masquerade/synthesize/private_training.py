"""What trainings by DP-SGD share: how long, on how much, and a loop in which each step is charged before it is taken."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, Self

import numpy as np

from masquerade.nets.autoregressive_private import grouped
from masquerade.nets.loop import Schedule, Step, seconds_left, train
from masquerade.privacy.dpsgd import Plan
from masquerade.progress import Callback
from masquerade.synthesize.private import Prepared

__all__ = ["Charged", "PrivateLength", "train_charged"]


@dataclass(frozen=True)
class PrivateLength:
    """How long and on how much to train; by the noised number of rows alone.

    Args:
        batch: rows a step draws on average.
        epochs: passes over the table, on average.
        steps_per_epoch: steps in one pass.
    """

    share: ClassVar[float]
    """Of all rows that a step draws on average."""

    least_batch: ClassVar[int] = 1
    most_batch: ClassVar[int] = 4_096
    """Fewer drown in noise; beyond, noise is small beside what a step learns."""

    most_epochs: ClassVar[int]
    most_steps: ClassVar[int]
    """Passes over the table, fewer where they would take more steps than this."""

    batch: float
    epochs: int
    steps_per_epoch: int

    @property
    def steps(self) -> int:
        return self.epochs * self.steps_per_epoch

    @classmethod
    def of(cls, total: float, batch: int | None, epochs: int | None) -> Self:
        """What is asked for, and where nothing is, what suits so many rows."""
        wanted = float(np.clip(cls.share * total, cls.least_batch, cls.most_batch)) if batch is None else float(batch)
        size = min(wanted, max(total, 1.0))
        per_epoch = max(round(total / size), 1)
        planned = int(np.clip(cls.most_steps // per_epoch, 1, cls.most_epochs)) if epochs is None else epochs
        return cls(size, planned, per_epoch)


class Charged(Protocol):
    """The pure functions of a private training: a step, and new randomness from the operating system."""

    @property
    def plan(self) -> Plan: ...
    @property
    def step(self) -> Step: ...
    def refreshed(self, state: Any) -> Any: ...


def train_charged(
    training: Charged,
    state: Any,
    prepared: Prepared,
    length: PrivateLength,
    *,
    max_minutes: float | None,
    began: float,
    entries: int,
    tell: Callback,
) -> tuple[Any, list[dict[str, float]], bool]:
    """Take the steps of a plan.

    There is no validation, no best epoch and no early stop: each would be a look at the rows. Where Ctrl-C or the clock ends
    training, only the steps begun are charged.

    Args:
        training: pure functions; `state.average` is what they lead to.
        state: the first.
        prepared: private rows and the account.
        length: how long.
        max_minutes: wall-clock limit; None: none.
        began: when its clock started, by `time.monotonic`.
        entries: of the history.
        tell: told how far training is.

    Returns:
        The averaged weights; the history, `step` and `epsilon` at a few steps on the way; and whether Ctrl-C ended it early.

    Raises:
        InterruptedTraining: Ctrl-C before there was anything to keep.
    """
    with training.plan.charged(prepared.accountant) as meter:

        def before(state: Any, steps: int) -> Any:
            meter.begin(steps)
            return training.refreshed(state)

        limit = seconds_left(max_minutes, began)
        outcome = train(
            training.step,
            state,
            grouped(prepared.encoded.codes, prepared.units),
            Schedule(length.epochs, length.steps_per_epoch, limit, validate_every=length.epochs + 1, quick=True),
            snapshot=lambda state: state.average,
            callback=tell,
            before=before,
        )
    marks = np.unique(np.linspace(0, meter.begun, entries + 1).astype(int)[1:])
    history = [{"step": float(step), "epsilon": meter.epsilon(int(step))} for step in marks if step > 0]
    return outcome.trail.best, history, outcome.stopped == "interrupted"
