"""Ctrl-C ends the program within two seconds, even while a compiler holds the main thread.

Python answers Ctrl-C only between two of its own instructions. While XLA compiles, that can take many seconds. So the
signal also wakes a watcher thread through a pipe; if the main thread has not answered soon, the watcher ends the run.
A second Ctrl-C ends it at once.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from types import FrameType

from masquerade.interrupts import noted

__all__ = ["INTERRUPTED", "leave_now", "watched"]

INTERRUPTED = 130
PATIENCE_SECONDS = 1.4


def leave_now(message: str = "interrupted, nothing was written.") -> None:
    """End the process with exit code 130 without waiting for threads; a compiling thread cannot be joined."""
    with contextlib.suppress(OSError):
        os.write(2, f"\n{message}\n".encode())
    os._exit(INTERRUPTED)


@contextlib.contextmanager
def watched() -> Iterator[None]:
    """While inside, Ctrl-C raises `KeyboardInterrupt`, or ends the process where that takes too long.

    It is not raised where a trained model is about to be kept (see `masquerade.interrupts`).

    Does nothing outside the main thread, where signals cannot be handled.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    answered = threading.Event()

    def answer(number: int, frame: FrameType | None) -> None:
        if answered.is_set():
            leave_now("interrupted twice, leaving at once.")
        answered.set()
        if not noted():
            raise KeyboardInterrupt

    readable, writable = os.pipe()
    os.set_blocking(writable, False)

    def watch() -> None:
        while received := os.read(readable, 64):
            if signal.SIGINT in received and not answered.wait(PATIENCE_SECONDS):
                leave_now()

    before_handler = signal.signal(signal.SIGINT, answer)
    before_descriptor = signal.set_wakeup_fd(writable, warn_on_full_buffer=False)
    watcher = threading.Thread(target=watch, name="interrupt", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(before_descriptor)
        signal.signal(signal.SIGINT, before_handler)
        os.close(writable)  # the watcher reads the end of the pipe, and ends
        watcher.join()
        os.close(readable)
