"""Synthesizers by name."""

from __future__ import annotations

from typing import Any

from masquerade.errors import SettingError, nearest
from masquerade.synthesize import synthesizers

__all__ = ["synthesizer"]

_LATER = ("marginals",)


def synthesizer(name: str) -> Any:
    """The class of this name, in any case; an unknown one is refused, naming the known.

    Raises:
        SettingError: there is no such synthesizer, or not yet.
    """
    known = {key.lower(): value for key, value in synthesizers().items()}
    if name.lower() in known:
        return known[name.lower()]
    if name.lower() in _LATER:
        raise SettingError(f"--model {name}: not available yet, expected one of {', '.join(known)}.")
    raise SettingError(f"--model: got {name!r}, expected one of {', '.join(known)}{nearest(name.lower(), known)}.")
