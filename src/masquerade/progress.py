"""How long work tells how far it is: one fact, `Progress`, handed to any callable."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

__all__ = ["Callback", "Progress"]


@dataclass(frozen=True)
class Progress:
    """How far a piece of work is.

    Args:
        stage: `"encode"`, `"compile"`, `"train"`, `"calibrate"`, `"sample"` or `"evaluate"`.
        done: work done so far, in the stage's own unit (epochs, rows, parts); may be fractional.
        total: the work in all, same unit; 0 while it is unknown.
        seconds: since the stage began.
        losses: newest losses by name (training only).
        score: newest validation score, higher is better; None before the first.
        finished: True on the last report of a stage.
    """

    stage: str
    done: float
    total: float
    seconds: float
    losses: Mapping[str, float] = field(default_factory=dict)
    score: float | None = None
    finished: bool = False


Callback = Callable[[Progress], None]
