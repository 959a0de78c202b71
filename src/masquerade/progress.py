"""How long work tells how far it is: one fact, `Progress`, handed to any callable.

Ready-made callables: `ConsoleProgress` (a bar on the terminal), `JSONLines` (a file for programs), and those of
`masquerade.logs`.

>>> seen = []
>>> callback = seen.append
>>> callback(Progress(stage="train", done=1, total=10, seconds=0.5))
>>> seen[0].stage
'train'
"""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

from rich.console import Console
from rich.progress import BarColumn, SpinnerColumn, TaskID, TextColumn
from rich.progress import Progress as Bars

from masquerade.errors import FileError

__all__ = ["Callback", "ConsoleProgress", "JSONLines", "Progress"]


@dataclass(frozen=True)
class Progress:
    """How far a piece of work is.

    Args:
        stage: `"read"` and `"count"` (per cent), `"encode"`, `"compile"`, `"train"`, `"calibrate"`, `"sample"`, `"evaluate"`,
            `"measure"` (rounds of private counts),
            `"shadows"` (refits of an attack) or `"audit"` (runs).
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

_UNITS = {"train": "epoch ", "sample": "row "}


def _duration(seconds: float) -> str:
    """Seconds in few letters.

    >>> _duration(8.2), _duration(75), _duration(3700)
    ('8 s', '1 min 15 s', '1 h 01 min')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def _counted(progress: Progress) -> str:
    if progress.total <= 0:
        return ""
    if progress.stage in ("read", "count"):
        return f"{progress.done / progress.total:.0%}"
    return f"{_UNITS.get(progress.stage, '')}{int(progress.done):,}/{int(progress.total):,}"


def _detail(progress: Progress) -> str:
    """Losses and score, as far as there are any."""
    parts = [f"{name} {value:.3f}" for name, value in progress.losses.items()]
    if progress.score is not None:
        parts.append(f"score {progress.score:.3f}")
    return ", ".join(parts)


def _clock(progress: Progress) -> str:
    """Time gone, and time left where it can be told."""
    gone = _duration(progress.seconds)
    if progress.finished or not 0 < progress.done < progress.total:
        return gone
    left = progress.seconds * (progress.total - progress.done) / progress.done
    return f"{gone}, {_duration(left)} left"


class ConsoleProgress:
    """A moving bar on the terminal; where there is none (a log, a pipe), a plain line now and then.

    It shows the stage from its first moment (compiling too), epochs, losses, validation score, time gone and time left,
    on standard error, so that standard output stays clean. A context manager: the bar is taken down at the end.

    Args:
        file: where to write; None: standard error.
        interval_seconds: without a terminal, the least time between two lines of one stage.

    >>> import io
    >>> out = io.StringIO()
    >>> with ConsoleProgress(file=out) as show:
    ...     show(Progress("train", 3, 3, 4.0, {"generator": 0.25}, score=0.9, finished=True))
    >>> out.getvalue()
    'train: epoch 3/3, generator 0.250, score 0.900, 4 s\\n'
    """

    def __init__(self, *, file: TextIO | None = None, interval_seconds: float = 15.0) -> None:
        self.interval_seconds = interval_seconds
        self._file = file
        self._bars: Bars | None = None
        self._task: TaskID | None = None
        self._stage: str | None = None
        self._last_line_at = 0.0

    def __deepcopy__(self, memo: dict[int, Any]) -> ConsoleProgress:
        return self  # a terminal cannot be copied; scikit-learn's clone would try

    def __enter__(self) -> ConsoleProgress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Take the bar down, leaving its last state on the screen."""
        if self._bars is not None:
            self._bars.stop()
        self._bars = self._task = self._stage = None

    def __call__(self, progress: Progress) -> None:
        """Show this progress."""
        file = sys.stderr if self._file is None else self._file
        if self._bars is not None or Console(file=file).is_terminal:
            self._draw(progress)
        else:
            self._print(progress, file)
        self._stage = None if progress.finished else progress.stage

    def _draw(self, progress: Progress) -> None:
        if self._bars is None:
            console = Console(stderr=True) if self._file is None else Console(file=self._file)
            self._bars = Bars(
                SpinnerColumn(finished_text="[green]✓[/]"),
                TextColumn("{task.description:<9}"),
                BarColumn(bar_width=18),
                TextColumn("{task.fields[counted]}"),
                TextColumn("[dim]{task.fields[detail]}[/]"),
                TextColumn("{task.fields[clock]}"),
                console=console,
                refresh_per_second=5,
            )
            self._bars.start()
        texts: dict[str, Any] = {"counted": _counted(progress), "detail": _detail(progress), "clock": _clock(progress)}
        total = progress.total if progress.total > 0 else None
        if self._task is None or progress.stage != self._stage:
            self._finish_task()
            self._task = self._bars.add_task(progress.stage, total=total, **texts)
        self._bars.update(self._task, completed=progress.done, total=total, **texts)
        if progress.finished:
            self._finish_task()

    def _finish_task(self) -> None:
        """Fill the bar of the current stage."""
        if self._bars is not None and self._task is not None:
            self._bars.update(self._task, total=1, completed=1)
        self._task = None

    def _print(self, progress: Progress, file: TextIO) -> None:
        now = time.monotonic()
        if progress.stage == self._stage and not progress.finished and now - self._last_line_at < self.interval_seconds:
            return
        self._last_line_at = now
        parts = [_counted(progress), _detail(progress), _clock(progress) if progress.seconds >= 1 else ""]
        text = ", ".join(part for part in parts if part)
        print(f"{progress.stage}: {text}" if text else progress.stage, file=file, flush=True)


class JSONLines:
    """One JSON object a report, appended to a file: for programs and notebooks that watch a training.

    The keys are the fields of `Progress`; a number that is not finite is written as null.

    Args:
        path: the file; it is emptied at the start.

    Raises:
        FileError: the file cannot be written.

    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "training.jsonl"
    >>> JSONLines(path)(Progress("train", 1, 2, 0.5))
    >>> path.read_text().startswith('{"stage": "train", "done": 1')
    True
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._append("", mode="w")

    def __call__(self, progress: Progress) -> None:
        """Append this progress."""
        fields = asdict(progress) | {"losses": {name: _finite(value) for name, value in progress.losses.items()}}
        line = {key: _finite(value) if isinstance(value, float) else value for key, value in fields.items()}
        self._append(json.dumps(line, allow_nan=False) + "\n", mode="a")

    def _append(self, text: str, *, mode: str) -> None:
        try:
            with self.path.open(mode, encoding="utf-8") as file:
                file.write(text)
        except OSError as error:
            raise FileError(f"{self.path}: cannot be written ({error.strerror}).") from error


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
