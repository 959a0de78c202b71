"""A step's options are its command's own: their names are read from it, and it parses what was given itself."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from masquerade.cli.command_evaluate import check_words
from masquerade.cli.models import synthesizer
from masquerade.errors import SettingError

__all__ = ["arguments_of", "options_of"]


def options_of(do: str) -> dict[str, bool]:
    """The options of a command by name, each with whether it names files.

    Raises:
        SettingError: this version has no such command.
    """
    from masquerade.cli.app import app

    for info in app.registered_commands:
        if info.name == do and info.callback is not None:
            hints = inspect.get_annotations(info.callback, eval_str=True)
            return {name: "Path" in str(hint) for name, hint in hints.items() if name != "return"}
    raise SettingError(f"{do} is not available in this version.")


def arguments_of(
    do: str, inputs: Sequence[Path], outputs: Sequence[Path], options: Mapping[str, Any]
) -> tuple[str, ...]:
    """The command line of a step, parsed once by the command itself so that what it would refuse is refused now.

    Raises:
        SettingError: a value that the command does not take; the command's own words.
    """
    from masquerade.cli.app import command
    from masquerade.cli.boundary import session

    found = command().commands[do]
    parameters = {parameter.name: parameter for parameter in found.params}
    line = [*map(str, inputs)]
    for path in outputs:
        line += ["--output", str(path)]
    for name, value in options.items():
        line += _flag(parameters[name], name, value)
    if session.quiet:
        line.append("--quiet")
    try:
        parsed = found.make_context(f"masquerade {do}", list(line)).params
    except Exception as error:
        if not hasattr(error, "format_message"):
            raise
        raise SettingError(error.format_message()) from error
    _check_settings(do, parsed)
    return tuple(line)


_RELEASES: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "mask": ("masquerade.release.mask", "Masker", ("how", "engine", "rate")),
    "desensitize": ("masquerade.release.desensitize", "Desensitizer", ("hide", "keep", "strength", "replace")),
}
"""Where the class behind a command lives, and the settings that it takes as the command does."""


def _check_settings(do: str, parsed: Mapping[str, Any]) -> None:
    """Let what is behind the command say whether it takes these words, before anything runs."""
    if do in ("synthesize", "fuse") and parsed["model"] is not None:
        synthesizer(parsed["model"])
    if do == "evaluate":
        check_words(parsed["kind"], parsed["attacks"], parsed["policy"])
    if do in _RELEASES and parsed["using"] is None:
        module, name, settings = _RELEASES[do]
        given = {key: parsed[key] for key in settings if parsed[key] is not None}
        split = {key: ",".join(value).split(",") if isinstance(value, list) else value for key, value in given.items()}
        release = getattr(importlib.import_module(module), name)
        release(**split)._check_settings()


def _flag(parameter: Any, name: str, value: Any) -> list[str]:
    """An option as on the command line."""
    long = max(parameter.opts, key=len)
    if parameter.is_flag:
        if not isinstance(value, bool):
            raise SettingError(f"{name} is {value!r}, expected true or false.")
        if value:
            return [long]
        return [max(parameter.secondary_opts, key=len)] if parameter.secondary_opts else []
    items = value if isinstance(value, list) else [value]
    if isinstance(value, bool) or not all(isinstance(item, str | int | float | Path) for item in items):
        raise SettingError(f"{name} is {value!r}, expected text, a number or a list of them.")
    if parameter.multiple:
        return [part for item in items for part in (long, str(item))]
    return [long, ",".join(map(str, items))]
