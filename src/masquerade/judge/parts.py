"""Telling how far a judgement is."""

from __future__ import annotations

import time

from masquerade.progress import Callback, Progress

__all__ = ["Parts"]


class Parts:
    """Tells the callback after every part how many are done.

    Args:
        callback: who is told; None: nobody.
        start: when the judgement began, as from `time.monotonic`.
        total: how many parts there are.
    """

    def __init__(self, callback: Callback | None, start: float, total: int) -> None:
        self._callback, self._start, self._total, self._done = callback, start, total, 0

    def done(self, part: str) -> None:
        """One more part is done."""
        del part  # a bar shows how far, not what
        self._done = min(self._done + 1, self._total)
        self._tell(finished=False)

    def finish(self) -> None:
        """All parts are done."""
        self._done = self._total
        self._tell(finished=True)

    def _tell(self, *, finished: bool) -> None:
        if self._callback is not None:
            seconds = time.monotonic() - self._start
            self._callback(Progress("evaluate", self._done, self._total, seconds, finished=finished))
