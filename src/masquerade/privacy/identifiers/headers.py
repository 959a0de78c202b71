"""What a column's name says that it holds, in English and Chinese.

>>> kinds_of_header("customerPhoneNo"), kinds_of_header("身份证号"), kinds_of_header("product_name")
(('phone',), ('chinese_id',), ())
"""

from __future__ import annotations

import functools
import re

from masquerade.privacy.identifiers.words import phrases, words, words_by_kind

__all__ = ["kinds_of_header"]

_PEOPLES = frozenset({"name", "age", "sex", "address", "birth_date", "phone"})
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


@functools.cache
def _phrases() -> list[tuple[tuple[str, ...], str]]:
    """Every English phrase as words, longest first, with its kind."""
    found = [(tuple(phrase.split()), kind) for kind, said in phrases().items() for phrase in said]
    return sorted(found, key=lambda entry: -len(entry[0]))


def kinds_of_header(name: str) -> tuple[str, ...]:
    """The kinds that a column's name speaks of, the longest phrase first.

    Args:
        name: in English (words apart, `snake_case` or `camelCase`) or Chinese.
    """
    parts = [word.lower() for word in _WORD.findall(name)]
    found: dict[str, int] = {}
    things = frozenset(words("headers", "not_people"))
    for phrase, kind in _phrases():
        for start in range(len(parts) - len(phrase) + 1):
            if tuple(parts[start : start + len(phrase)]) == phrase:
                rest = {*parts[:start], *parts[start + len(phrase) :]}
                if not (kind in _PEOPLES and rest & things):
                    found.setdefault(kind, len(phrase))
    for kind, marks in words_by_kind("headers", "chinese").items():
        longest = max((len(mark) for mark in marks if mark in name), default=0)
        if longest and not any(word in name for word in words("headers", "not_people_chinese")):
            found[kind] = max(found.get(kind, 0), longest)
    return tuple(sorted(found, key=lambda kind: -found[kind]))
