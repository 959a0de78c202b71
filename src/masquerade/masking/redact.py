"""Part of a value left to be read, the rest covered: `138****5678`."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Any, ClassVar

import polars as pl

from masquerade.masking.way import Batch, Way, refuse, there

__all__ = ["Redact"]

_JOINED = r"[\p{M}\x{200D}\x{FE00}-\x{FE0F}\x{1F3FB}-\x{1F3FF}\x{1F1E6}-\x{1F1FF}]"
"""Characters that belong to the one before them, or to the one after."""


@dataclass(frozen=True, kw_only=True)
class Redact(Way):
    """Keep the first and the last characters and cover those between.

    A character is what a reader sees as one: an accent is never left without its letter. A value too short to cover at least
    `least` characters is covered whole.

    Args:
        keep_first: how many characters stay at the beginning; 0 by default.
        keep_last: how many stay at the end; 0 by default.
        mark: what covers a character; `"*"` by default.
        length: how many marks there are, whatever was covered, so that its length is not told; None: one for each character.
        least: how many characters must be covered, or all are; 3 by default.
    """

    how: ClassVar[str] = "redact"
    keep_first: int = 0
    keep_last: int = 0
    mark: str = "*"
    length: int | None = None
    least: int = 3

    def __post_init__(self) -> None:
        for option, low in (("keep_first", 0), ("keep_last", 0), ("least", 1), ("length", 1)):
            value = getattr(self, option)
            if value is None and option == "length":
                continue
            if isinstance(value, bool) or not isinstance(value, int) or value < low:
                refuse(option, value, f"a whole number of at least {low}")
        mark: object = self.mark
        if not isinstance(mark, str) or not mark:
            refuse("mark", mark, "at least one character in quotes")

    def apply(self, name: str, batch: Batch) -> pl.Series:
        text, present = there(name, batch)
        joined = text.str.contains(_JOINED).fill_null(False)
        covered = pl.select(pl.when(present).then(self._plain(text)).otherwise(text).alias(name)).to_series()
        odd = (joined & present).arg_true()
        if odd.len():
            covered = covered.scatter(odd, [self._slow(value) for value in text.gather(odd)])
        return covered

    def _plain(self, text: pl.Series) -> pl.Expr:
        length = pl.lit(text.str.len_chars().cast(pl.Int64))
        cells = pl.lit(text)
        short = length < self.keep_first + self.keep_last + self.least
        hidden = pl.when(short).then(length).otherwise(length - self.keep_first - self.keep_last)
        most = int(text.str.len_chars().max() or 0)  # type: ignore[arg-type]
        if self.length is None:
            marks = pl.lit(pl.Series([self.mark * most], dtype=pl.String)).str.slice(0, hidden * len(self.mark))
        else:
            marks = pl.lit(self.mark * self.length)
        first = cells.str.slice(0, self.keep_first)
        last = cells.str.slice(length - self.keep_last, self.keep_last) if self.keep_last else pl.lit("")
        return pl.when(short).then(marks).otherwise(pl.concat_str([first, marks, last]))

    def _slow(self, value: str) -> str:
        letters = _clusters(value)
        whole = len(letters) < self.keep_first + self.keep_last + self.least
        first, last = (0, 0) if whole else (self.keep_first, self.keep_last)
        count = len(letters) - first - last
        marks = self.mark * (count if self.length is None else self.length)
        return "".join(letters[:first]) + marks + "".join(letters[len(letters) - last :])

    def facts(self) -> dict[str, Any]:
        return {"kept": f"the first {self.keep_first} and the last {self.keep_last} characters", "reversible": "no"}


def _clusters(value: str) -> list[str]:
    """The characters as a reader sees them: marks, joiners, skin tones and flags with what they belong to.

    >>> [len(cluster) for cluster in _clusters("e\\u0301a")]
    [2, 1]
    """
    found: list[str] = []
    for letter in value:
        follows = (
            unicodedata.category(letter).startswith("M") or letter == "\u200d" or "\U0001f3fb" <= letter <= "\U0001f3ff"
        )
        joins = bool(found) and found[-1].endswith("\u200d")
        flag = (
            "\U0001f1e6" <= letter <= "\U0001f1ff"
            and bool(found)
            and len(found[-1]) == 1
            and ("\U0001f1e6" <= found[-1] <= "\U0001f1ff")
        )
        if found and (follows or joins or flag):
            found[-1] += letter
        else:
            found.append(letter)
    return found
