"""Workers, one after another, each in a process of its own: a busy machine troubles all alike, memory is each one's own."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from rich.console import Console

__all__ = ["WorkerError", "console", "machine", "run"]

HERE = Path(__file__).resolve().parent
ONLY_CPU = {"JAX_PLATFORMS": "cpu", "CUDA_VISIBLE_DEVICES": ""}
LIBRARY_WARNINGS = {"PYTHONWARNINGS": "ignore"}


class WorkerError(SystemExit):
    """A worker failed; the message holds the end of what it said."""


def console() -> Console:
    """The terminal, or wide plain text."""
    found = Console()
    return found if found.is_terminal else Console(width=140)


def machine() -> dict[str, Any]:
    """What it was measured on."""
    return {"cores": os.cpu_count(), "system": platform.platform(), "python": platform.python_version()}


def run(said: str, python: Path, script: str, arguments: list[str], console: Console) -> dict[str, Any]:
    """Run a worker of this folder to its end and return what it writes to `--json`.

    Args:
        said: what is being done, for the terminal.
        python: the Python of the worker's environment.
        script: the worker's file in this folder.
        arguments: all but `--json`.
        console: where it is told.

    Raises:
        WorkerError: it failed.
    """
    with tempfile.TemporaryDirectory(prefix="masquerade-bench-") as folder:
        answer = Path(folder) / "answer.json"
        command = [str(python), str(HERE / script), *arguments, "--json", str(answer)]
        with console.status(f"{said} …"):
            done = subprocess.run(
                command, env=os.environ | ONLY_CPU | LIBRARY_WARNINGS, capture_output=True, text=True, check=False
            )
        if done.returncode != 0:
            raise WorkerError(f"error: {said} failed:\n{done.stderr.strip()[-2000:]}")
        console.print(f"[dim]done: {said}[/dim]")
        found: dict[str, Any] = json.loads(answer.read_text())
        return found
