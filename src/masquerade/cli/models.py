"""Synthesizers by name."""

from __future__ import annotations

from typing import Any

from masquerade.errors import SettingError, nearest
from masquerade.synthesize import synthesizers

__all__ = ["private_models", "synthesizer"]


def synthesizer(name: str) -> Any:
    """The class of this name, in any case; an unknown one is refused, naming the known.

    Raises:
        SettingError: there is no such synthesizer.
    """
    known = {key.lower(): value for key, value in synthesizers().items()}
    if name.lower() in known:
        return known[name.lower()]
    raise SettingError(f"--model: got {name!r}, expected one of {', '.join(known)}{nearest(name.lower(), known)}.")


def private_models() -> list[str]:
    """The names of those that can keep a guarantee."""
    return [name for name, model in synthesizers().items() if model.spends is not None]
