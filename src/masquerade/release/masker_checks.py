"""What a masker's settings must be, checked before any work; and how they are shown, without secrets."""

from __future__ import annotations

from typing import Any

from masquerade.errors import SettingError, nearest
from masquerade.masking.keys import Key
from masquerade.masking.mask_rules import HOWS, check_rate, read_rules
from masquerade.release.generating import ENGINES
from masquerade.synthesize.settings import check_count

__all__ = ["check_settings", "shown"]


def check_settings(masker: Any) -> None:
    """Raise `SettingError` for a setting out of range, or two that contradict one another."""
    for name, known in (("how", HOWS), ("engine", tuple(ENGINES))):
        value = getattr(masker, name)
        if value not in known:
            raise SettingError(
                f"{name}: got {value!r}, expected one of {', '.join(known)}{nearest(str(value), known)}."
            )
    check_rate(masker.rate)
    check_count("protect", masker.protect, least=0)
    if isinstance(masker.columns, str):
        got = masker.columns
        raise SettingError(f"columns: got {got!r}, expected a list of columns, such as [{got!r}].")
    if masker.mask is not None and (masker.columns is not None or masker.rate != 1):
        raise SettingError("mask: says exactly which cells; leave columns and rate out, or the mask.")
    read_rules(masker.rules, masker.locale)
    if masker.key is not None and not isinstance(masker.key, Key):
        Key(masker.key)


def shown(masker: Any) -> str:
    """The settings that differ from the defaults; of a key or a mask only that there is one."""
    defaults = masker._defaults()
    hidden = {"key": "..." if masker.key is not None else None, "mask": "..." if masker.mask is not None else None}
    changed = [
        f"{name}={hidden.get(name) or repr(value)}"
        for name, value in masker.get_params().items()
        if value is not None and (name in hidden or value != defaults[name])
    ]
    return f"{type(masker).__name__}({', '.join(changed)})"
