"""What a condition may name: the levels of a fitted codec, and the code of each."""

from __future__ import annotations

from typing import Any

import numpy as np

from masquerade.codec.category import CategoryCodec
from masquerade.codec.column import ColumnCodec
from masquerade.codec.moment import MomentCodec
from masquerade.codec.quantile import QuantileCodec
from masquerade.errors import ConditionError, nearest
from masquerade.schema import Column
from masquerade.seeds import stream

__all__ = ["code_of", "levels_of", "names_of"]


def levels_of(codec: ColumnCodec) -> list[Any]:
    """The codes' values in order, None for missing and for a bucket of rare values."""
    codes = np.arange(codec.size, dtype=np.int32)
    if isinstance(codec, CategoryCodec):
        levels: list[Any] = [level == "true" for level in codec.levels] if codec.boolean else list(codec.levels)
        return levels + [None] * (codec.size - len(levels))
    return codec.decode(codes, np.zeros(codec.size, dtype=np.float32), stream(0, "levels")).to_list()


def names_of(codec: ColumnCodec, column: Column) -> list[str]:
    """What people call each code: its level, `"low to high"` for a bin of numbers, `"missing"`, `"other"` for rare levels."""
    if isinstance(codec, QuantileCodec):
        return _distinct(codec.names())
    if isinstance(codec, MomentCodec) and isinstance(codec.numbers, QuantileCodec):
        return _distinct(codec.names())
    levels = levels_of(codec)
    words = dict(zip((False, True), column.levels, strict=True)) if column.kind == "boolean" and column.levels else {}
    names = [str(words.get(level, level)) for level in levels]
    if isinstance(codec, CategoryCodec):
        names[len(codec.levels) :] = ["other"] * (codec.bucket is not None) + ["missing"] * codec.missing
    return _distinct(names)


def _distinct(names: list[str]) -> list[str]:
    """The names, a number put to one that is there already."""
    seen: dict[str, int] = {}
    result = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        result.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return result


def code_of(codec: ColumnCodec, column: Column, value: object) -> int:
    """The code of a typed value, or of its text as in the table; None and the column's missing word stand for missing.

    Raises:
        ConditionError: there is no such level; the nearest is named.
    """
    levels = levels_of(codec)
    missing = codec.size - 1 if codec.missing else None  # type: ignore[attr-defined]
    if value is None or (column.missing is not None and value == column.missing):
        if missing is not None:
            return missing
        raise ConditionError(f"given: column {column.name!r} is never missing, so {value!r} cannot be asked for.")
    words = {str(level): code for code, level in enumerate(levels) if level is not None}
    if column.kind == "boolean":
        words |= {word: words[str(bool(i))] for i, word in enumerate(column.levels or ()) if str(bool(i)) in words}
    word = str(value)
    if word not in words and column.kind in ("integer", "continuous"):
        word = str(_number(word, levels))
    if word not in words:
        spelled = column.levels if column.kind == "boolean" and column.levels is not None else list(words)
        shown = ", ".join(repr(level) for level in spelled[:5])
        raise ConditionError(
            f"given: column {column.name!r} has no level {str(value)!r} that enough rows share"
            f"{nearest(str(value), words)}; it has {shown}{', ...' if len(words) > 5 else ''}."
        )
    return words[word]


def _number(word: str, levels: list[Any]) -> object:
    """The level that equals the number spelled by `word`, else the word itself."""
    try:
        number = float(word)
    except ValueError:
        return word
    return next((level for level in levels if level is not None and float(level) == number), word)
