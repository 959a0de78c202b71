"""From a fitted model to files: the model, rows, their ledger, their report; all of them or none but a model worth keeping."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from masquerade.cli.boundary import session, tell
from masquerade.cli.sealed import secret_of_model, secret_of_output
from masquerade.errors import InterruptedTraining
from masquerade.files import TableWriter, atomic_path
from masquerade.privacy.ledger import Ledger, ledger_path
from masquerade.progress import Callback, Progress

__all__ = ["all_or_nothing", "keep_trained", "tell_written", "write_ledger", "write_rows"]


@contextlib.contextmanager
def all_or_nothing(paths: Sequence[Path | None]) -> Iterator[None]:
    """If the work inside fails, none of these files is left that was not there before; None: was not asked for."""
    new = [path for path in paths if path is not None and not path.exists()]
    try:
        yield
    except BaseException:
        for path in new:
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)
        raise


def keep_trained(model: Any, path: Path | None, noun: str, made: str) -> None:
    """Save a model as soon as it is trained, so that nothing that follows can lose it; an interrupted run ends there.

    Args:
        model: fitted.
        path: where to; None: it is not kept.
        noun: what it is called, such as `"encoder"`.
        made: what it would have written, such as `"codes"`.

    Raises:
        InterruptedTraining: Ctrl-C ended its training.
    """
    if path is not None:
        try:
            model.save(path, secret=secret_of_model())
        except KeyboardInterrupt:  # saving takes a moment, and losing the model would take the training
            model.save(path, secret=secret_of_model())
            model.interrupted_ = True
        session.kept = f"the best {noun} so far is in {path}; no {made} were written."
    if model.interrupted_:
        session.interrupted = True
        kept = f"--save would have kept it; no {made} were written." if path is None else session.kept
        raise InterruptedTraining(f"training was interrupted; {kept}")


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
    with TableWriter(path, secret=secret_of_output()) as writer:
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


def tell_written(output: Path, save: Path | None, reports: Sequence[Path]) -> None:
    """Say which files there are now: the release and its ledger, the model, the reports."""
    tell(f"Wrote {output} and {ledger_path(output).name}")
    for path in [save, *reports]:
        if path is not None:
            tell(f"Wrote {path}")
