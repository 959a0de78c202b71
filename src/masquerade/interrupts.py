"""Ctrl-C between the end of training and the return of a fitted model: it is noted, not raised, so that no model is lost.

Ctrl-C comes between any two instructions. Where training catches it, the model so far is kept; in the moments after, when
losses are told, weights are packed and frequencies are brought right, it would take the trained model with it. So training
ends by `hold`: from there Ctrl-C waits until the model is whole, and what takes long in between lets it in by `interruptible`.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from types import FrameType
from typing import Protocol, TypeVar

__all__ = ["hold", "interruptible", "keeping_model", "noted", "whole"]


class Model(Protocol):
    """What is kept: `interrupted_` says that Ctrl-C came before it was whole."""

    interrupted_: bool


Fitted = TypeVar("Fitted", bound=Model)


@dataclass
class _Work:
    held: bool = False
    pressed: bool = False


_under_way: list[_Work] = []
"""Of the main thread, where alone Ctrl-C is answered; the last one counts."""


@contextlib.contextmanager
def keeping_model(model: Model) -> Iterator[None]:
    """Around the work that fits a model: if Ctrl-C comes after `hold`, the work goes on and `model.interrupted_` is set.

    Does nothing outside the main thread.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before, work = signal.getsignal(signal.SIGINT), _Work()
    _under_way.append(work)
    if before is signal.default_int_handler:
        signal.signal(signal.SIGINT, _answer)
    try:
        yield
    finally:
        _under_way.pop()
        if before is signal.default_int_handler:
            signal.signal(signal.SIGINT, before)
        if work.pressed:
            model.interrupted_ = True


def hold() -> None:
    """From here on there is something worth keeping: Ctrl-C waits, within `keeping_model`; elsewhere this does nothing."""
    if _under_way:
        _under_way[-1].held = True


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Inside, Ctrl-C is raised as `KeyboardInterrupt`, at once if it came already; what can do without what is inside is whole.

    >>> with interruptible():
    ...     print("this may take long")
    this may take long
    """
    if not _under_way:
        yield
        return
    work = _under_way[-1]
    before, work.held = work.held, False
    try:
        if work.pressed:
            raise KeyboardInterrupt
        yield
    finally:
        work.held |= before


def whole(model: Fitted) -> Fitted:
    """The model itself, for work to which a half-trained one is of no use.

    Raises:
        KeyboardInterrupt: Ctrl-C ended its training, and with it the work.
    """
    if model.interrupted_:
        raise KeyboardInterrupt
    return model


def noted() -> bool:
    """For a handler of Ctrl-C: whether it is to wait. It waits once; who presses it again is in a hurry."""
    if not _under_way or not _under_way[-1].held or _under_way[-1].pressed:
        return False
    _under_way[-1].pressed = True
    return True


def _answer(number: int, frame: FrameType | None) -> None:
    if not noted():
        raise KeyboardInterrupt
