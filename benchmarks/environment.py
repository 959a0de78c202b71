"""Peers' environments, each of its own, made on demand under `benchmarks/.envs`; none is a dependency of Masquerade."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

__all__ = ["WORKERS", "given_minutes", "given_pythons", "peer_python"]

FOLDER = Path(__file__).with_name(".envs")
REQUIREMENTS = {
    "ctgan": ("torch==2.13.0", "ctgan==0.12.1"),
    "mostlyai": ("torch==2.13.0", "mostlyai-engine==2.7.3"),
    "dpmm": ("dpmm==0.1.9",),
}
"""What each peer needs, in the order of installing."""
UNWANTED = {"mostlyai": ("torchvision", "torchaudio")}
"""What a peer installs but does not need on the CPU, and fails to import beside another build of torch."""
WORKERS = {"mostlyai": "peer_mostlyai.py", "ctgan": "peer_ctgan.py"}
"""The worker of each peer of the benchmark of tables; dpmm is the peer of the private marginals alone."""


def given_pythons(pairs: Sequence[str]) -> dict[str, Path]:
    """Environments that are there already, from words such as `ctgan=path/to/python`.

    Raises:
        ValueError: a word is not like that.
    """
    found = {}
    for pair in pairs:
        peer, _, python = pair.partition("=")
        if peer not in REQUIREMENTS or not python:
            raise ValueError(f"got {pair!r}, expected PEER=PYTHON, where PEER is one of {', '.join(REQUIREMENTS)}")
        found[peer] = Path(python)
    return found


def given_minutes(words: Sequence[str]) -> dict[str, float]:
    """Limits of training by peer, from words such as `20` (every peer that has a worker here) and `ctgan=5` (this one).

    Raises:
        ValueError: a word is not like that.
    """
    found: dict[str, float] = {}
    for word in sorted(words, key=lambda word: "=" in word):  # what is said of one peer goes before what is said of all
        peer, _, minutes = word.rpartition("=")
        try:
            limit = float(minutes)
        except ValueError:
            limit = 0.0
        if limit <= 0 or (peer and peer not in WORKERS):
            raise ValueError(
                f"got {word!r}, expected MINUTES or PEER=MINUTES, where PEER is one of {', '.join(WORKERS)}"
            )
        found |= dict.fromkeys([peer] if peer else WORKERS, limit)
    return found


def peer_python(peer: str) -> Path:
    """The Python of a peer's environment, which is made where it is not there yet."""
    home = FOLDER / peer
    python = home / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    done = home / ".installed"
    wanted = "\n".join(REQUIREMENTS[peer])
    if done.exists() and done.read_text() == wanted:
        return python
    print(f"Making benchmarks/.envs/{peer} with {', '.join(REQUIREMENTS[peer])} (once, some minutes)", flush=True)
    subprocess.run([sys.executable, "-m", "venv", "--clear", home], check=True)
    for requirement in REQUIREMENTS[peer]:
        command = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", requirement]
        subprocess.run(command, check=True)
    if peer in UNWANTED:
        subprocess.run([python, "-m", "pip", "uninstall", "--quiet", "--yes", *UNWANTED[peer]], check=True)
    done.write_text(wanted)
    return python
