"""The most memory that a process has held, by its own account. Standard library only: every worker uses it."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

__all__ = ["current_megabytes", "peak_megabytes", "reset_peak"]

_STATUS = Path("/proc/self/status")


def peak_megabytes() -> float:
    """Peak resident memory in MB (10^6 bytes), since the process began or since `reset_peak`.

    Linux hands a parent's `ru_maxrss` on to the programs it starts, so its own high-water mark is read there instead.
    """
    found = _status("VmHWM")
    if found is not None:
        return found
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def current_megabytes() -> float | None:
    """Resident memory now in MB; None where the system does not say."""
    return _status("VmRSS")


def reset_peak() -> bool:
    """Let the peak begin anew from what is held now; False where the system cannot."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return False
    return True


def _status(field: str) -> float | None:
    if not _STATUS.exists():
        return None
    for line in _STATUS.read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) * 1024 / 1e6
    return None
