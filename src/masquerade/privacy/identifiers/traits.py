"""What a person is rather than how they are called: sex, age, birth date, schooling, work, origin, faith, health."""

from __future__ import annotations

import datetime

import polars as pl

from masquerade.privacy.identifiers.shapes import Test, by_shape
from masquerade.privacy.identifiers.words import words_by_kind

__all__ = ["LOOSE", "STRICT"]


def _levels(known: list[str]) -> Test:
    """Levels by which a column shows what it is, in any case, blanks as hyphens."""

    def test(values: pl.Series) -> pl.Series:
        plain = values.str.to_lowercase().str.strip_chars(" .").str.replace_all(r"[ _]+", "-")
        return plain.is_in(known).fill_null(False)

    return test


def _is_birth(text: str) -> bool:
    """Whether eight digits, year first or last, or a written date, can be the day somebody now alive was born."""
    year = next(int(text[i : i + 4]) for i in range(len(text) - 3) if text[i : i + 4].isdigit())
    return datetime.date.today().year - 125 <= year <= datetime.date.today().year


_DATE = (
    r"(?:18|19|20)\d{2}(?:[-/.](?:0?[1-9]|1[0-2])[-/.](?:0?[1-9]|[12]\d|3[01])|(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01]))"
    r"(?:[T ][0-9:.]+)?"
    r"|(?:0?[1-9]|[12]\d|3[01])[-/. ](?:0?[1-9]|[12]\d|3[01]|\p{L}{3,9})[-/., ]+(?:18|19|20)\d{2}"
    r"|\p{L}{3,9} \d{1,2},? (?:19|20)\d{2}"
    r"|(?:18|19|20)\d{2}年\d{1,2}月(?:\d{1,2}日)?"
)
_WORD = r"(?s:.*\p{L}.*)"

STRICT: dict[str, Test] = {kind: _levels(known) for kind, known in words_by_kind("traits").items()}
"""Tests that values pass on their own."""

LOOSE: dict[str, Test] = {
    "birth_date": by_shape(rf"{_DATE}|(?:19|20)\d{{2}}", _is_birth),
    "age": by_shape(
        r"(?:[1-9]?\d|1[01]\d|12[0-5])(?:\.\d+)?|[\[(]?\d{1,3} ?[-~–] ?\d{1,3}[\])]?|[<>]=? ?\d{1,3}|\d{1,2}岁"
    ),
    "sex": by_shape(r"[0129]|[mMfFuU]\w*|\p{L}{1,12}(?:/\p{L}+)?"),
    "marital_status": by_shape(rf"\d{{1,2}}|{_WORD}"),
    "education": by_shape(rf"\d{{1,2}}|{_WORD}"),
    "occupation": by_shape(rf"\d{{1,6}}|{_WORD}"),
    "nationality": by_shape(rf"\d{{1,3}}|{_WORD}"),
    "race": by_shape(rf"\d{{1,2}}|{_WORD}"),
    "religion": by_shape(rf"\d{{1,2}}|{_WORD}"),
    "health": by_shape(r"(?s:.*)"),
}
"""Tests that are enough where the column's name says the same."""
