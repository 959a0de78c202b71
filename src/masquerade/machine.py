"""How much memory this process may still take."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["available_bytes"]

_NO_LIMIT = 1 << 60


def available_bytes(proc: Path = Path("/proc"), groups: Path = Path("/sys/fs/cgroup")) -> int | None:
    """Memory that this process may still take: the machine's, or what its container leaves; None where nobody says.

    Args:
        proc: where Linux tells of processes.
        groups: where Linux tells of control groups.
    """
    known = [*_machine(proc), *_groups(proc, groups)]
    return min(known) if known else None


def _machine(proc: Path) -> list[int]:
    for line in _lines(proc / "meminfo"):
        if line.startswith("MemAvailable:"):
            return [1024 * int(line.split()[1])]
    try:
        return [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    except (AttributeError, OSError, ValueError):  # Windows, and systems that do not know
        return []


def _groups(proc: Path, groups: Path) -> list[int]:
    """What each control group that this process is in leaves: its limit less what is in use and cannot be dropped."""
    left = []
    for line in _lines(proc / "self" / "cgroup"):
        _, controllers, place = line.split(":", 2)
        old = "memory" in controllers.split(",")
        if controllers and not old:
            continue
        root = groups / "memory" if old else groups
        names = ("memory.limit_in_bytes", "memory.usage_in_bytes") if old else ("memory.max", "memory.current")
        folder = root / place.strip("/")
        # In a container the path may be the host's, whose files are those of the root.
        for folder_ in [folder, *folder.parents]:
            limit, used = (_number(folder_ / name) for name in names)
            if limit is not None and used is not None and limit < _NO_LIMIT:
                left.append(max(limit - used + _droppable(folder_ / "memory.stat"), 0))
            if folder_ == root:
                break
    return left


def _droppable(stat: Path) -> int:
    for line in _lines(stat):
        if line.startswith(("inactive_file ", "total_inactive_file ")):
            return int(line.split()[1])
    return 0


def _number(path: Path) -> int | None:
    lines = _lines(path)
    return int(lines[0]) if lines and lines[0].isdigit() else None


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text().splitlines()
    except OSError:
        return []
