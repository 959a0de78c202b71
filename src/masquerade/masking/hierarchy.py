"""Which level is part of which broader one, from a file."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path

from masquerade import toml_text
from masquerade.atomic import one_line
from masquerade.errors import FileError, SettingError
from masquerade.files import read_table

__all__ = ["read_hierarchy"]


def read_hierarchy(source: str | Path | Mapping[str, str], depth: int) -> dict[str, str]:
    """Each level, and what it is part of so many steps up.

    Args:
        source: a CSV with a header, whose first column holds the levels and whose further ones hold what each is part of, ever
            broader; or a TOML file of `level = "broader"`, where a broader one may itself have a line; or such a mapping.
        depth: how many steps up; at least 1. A level whose own ladder is shorter stops at its top.

    Raises:
        FileError: the file cannot be read.
        SettingError: there are not so many steps in it, or it is no hierarchy.
    """
    if isinstance(source, Mapping):
        return _climbed(source, depth, "the mapping")
    path = Path(source)
    if path.suffix.lower() == ".toml":
        return _climbed(_toml(path), depth, str(path))
    table = read_table(path)
    if table.width <= depth:
        raise SettingError(
            f"depth: got {depth}, but {path} has {table.width} columns, so at most {max(table.width - 1, 0)} steps up."
        )
    levels: dict[str, str] = {}
    for number, row in enumerate(table.iter_rows(), start=1):
        words = ["" if word is None else str(word).strip() for word in row]
        broader = next((word for word in reversed(words[1 : depth + 1]) if word), None)
        if broader is None:
            raise SettingError(f"hierarchy: {path}, row {number}: nothing broader stands behind the level; fill it in.")
        if levels.setdefault(words[0], broader) != broader:
            raise SettingError(
                f"hierarchy: {path}, row {number}: the level is there twice, with different broader ones."
            )
    return levels


def _toml(path: Path) -> dict[str, object]:
    try:
        return toml_text.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeError) as error:
        raise FileError(f"{path}: cannot be read ({one_line(error)}).") from error
    except tomllib.TOMLDecodeError as error:
        raise SettingError(f"hierarchy: {path} is not a TOML file ({one_line(error)}).") from error


def _climbed(given: Mapping[str, object], depth: int, where: str) -> dict[str, str]:
    data: dict[str, str] = {}
    for level, broader in given.items():
        if not isinstance(broader, str):
            raise SettingError(
                f'hierarchy: {where}: {level!r} has {broader!r}, expected a line such as "cook" = "service".'
            )
        data[str(level)] = broader
    levels = {}
    for level in data:
        word, seen = level, {level}
        for _ in range(depth):
            if word not in data:
                break
            word = data[word]
            if word in seen:
                raise SettingError(f"hierarchy: {where}: {level!r} leads back to itself; break the circle.")
            seen.add(word)
        levels[level] = word
    return levels
