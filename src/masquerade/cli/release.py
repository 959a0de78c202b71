"""From a fitted model to files: rows, their ledger, their report; all of them or none."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import polars as pl

from masquerade.files import TableWriter, atomic_path
from masquerade.privacy.ledger import Ledger, ledger_path
from masquerade.progress import Callback, Progress

__all__ = ["all_or_nothing", "write_ledger", "write_rows"]


@contextlib.contextmanager
def all_or_nothing(paths: Sequence[Path]) -> Iterator[None]:
    """If the work inside fails, none of these files is left that was not there before."""
    new = [path for path in paths if not path.exists()]
    try:
        yield
    except BaseException:
        for path in new:
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)
        raise


def write_rows(path: Path, frames: Iterable[pl.DataFrame], total: int, callback: Callback | None) -> None:
    """Write frames one after another as one table, so that only one of them is ever in memory.

    Args:
        path: where to; the ending is the format.
        frames: at least one, of equal columns; the first is made before the file is opened.
        total: rows in all, for the progress.
        callback: told after each frame.
    """
    begin = time.monotonic()
    frames = iter(frames)
    frame: pl.DataFrame | None = next(frames)
    done = 0
    with TableWriter(path) as writer:
        while frame is not None:
            writer.write(frame)
            done += frame.height
            frame = next(frames, None)
            if callback is not None:
                callback(Progress("sample", done, total, time.monotonic() - begin, finished=frame is None))


def write_ledger(released: Path, ledger: Ledger) -> Path:
    """Write the ledger beside a released file; returns its path."""
    path = ledger_path(released)
    with atomic_path(path) as temporary:
        Path(temporary).write_text(json.dumps(ledger.to_dict(), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return path
