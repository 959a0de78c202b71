"""The words that tables use for a missing value and for yes and no, and what a column's name gives away.

These lists are fixed and public: a word in them says nothing about the people in a table.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = [
    "BOOLEAN_WORDS",
    "MISSING_ALWAYS",
    "MISSING_IN_NUMBERS",
    "boolean_words",
    "named_like_a_code",
    "named_like_a_holder",
    "named_like_an_id",
]

MISSING_ALWAYS: frozenset[str] = frozenset(
    ["", "?", "NA", "N/A", "n/a", "NaN", "nan", "NaT", "null", "NULL", "Null", "#N/A", "<NA>"]
)
"""Words that stand for a missing value in any column (the most frequent one; in a category the others stay levels)."""

MISSING_IN_NUMBERS: frozenset[str] = MISSING_ALWAYS | frozenset(
    [
        "None",
        "none",
        "NONE",
        "na",
        "-",
        "--",
        "---",
        ".",
        "unknown",
        "Unknown",
        "UNKNOWN",
        "missing",
        "Missing",
        "未知",
        "无",
    ]
)
"""Words that stand for a missing value where every other cell is a number or a moment."""

BOOLEAN_WORDS: tuple[tuple[str, str], ...] = (
    ("no", "yes"),
    ("n", "y"),
    ("false", "true"),
    ("f", "t"),
    ("off", "on"),
    ("否", "是"),
    ("假", "真"),
    ("无", "有"),
    ("nein", "ja"),
    ("non", "oui"),
    ("não", "sim"),
    ("ne", "ano"),
    ("нет", "да"),
)
"""Pairs (false, true), in lower case. 0 and 1 are numbers, and Female and Male are categories."""

_ID_WORDS = frozenset(["id", "ids", "uuid", "guid", "nbr", "key", "no", "iban", "ssn", "编号", "账号", "卡号"])
_HOLDER_WORDS = frozenset(["account", "card", "phone", "mobile", "telephone", "tel", "fax", "手机号", "电话"])
_PERSON_WORDS = frozenset(
    [
        "acct",
        "client",
        "customer",
        "holder",
        "member",
        "passport",
        "patient",
        "person",
        "user",
        "客户编号",
        "客户号",
        "患者编号",
    ]
)
_NUMBER_WORDS = frozenset(["id", "nbr", "no"])
_PLACE_WORDS = frozenset(["zip", "zipcode", "postcode", "postal", "邮编"])
_TAILS = frozenset(["to", "from", "number", "num", "nr", "code"])


def boolean_words(words: Iterable[str]) -> tuple[str, str] | None:
    """The pair (false, true) in the spelling of these words, or None when they are not exactly such a pair.

    >>> boolean_words(["Yes", "No"])
    ('No', 'Yes')
    >>> boolean_words(["Male", "Female"]) is None
    True
    """
    found = {word.lower(): word for word in words}
    for false, true in BOOLEAN_WORDS:
        if found.keys() == {false, true}:
            return found[false], found[true]
    return None


def _parts(name: str) -> list[str]:
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    return [part.lower() for part in re.split(r"[\W_]+", spaced) if part]


def named_like_an_id(name: str) -> bool:
    """Whether a name ends in a word such as `id`, `uuid`, `nbr` or `account`: something that points at one holder.

    >>> [named_like_an_id(name) for name in ("client_id", "AccountNo", "account_to", "paid", "account_balance")]
    [True, True, True, False, False]
    """
    return _ends_in(name, _ID_WORDS | _HOLDER_WORDS)


def named_like_a_holder(name: str) -> bool:
    """Whether a name says that its long numbers point at one account, card, phone or person.

    >>> [named_like_a_holder(name) for name in ("AccountNo", "card number", "patient_nbr", "iban", "customer_id", "phone")]
    [True, True, True, True, True, True]
    >>> [named_like_a_holder(name) for name in ("account_type", "admission_type_id", "order_no", "zip_code", "id")]
    [False, False, False, False, False]
    """
    parts = _parts(name)
    if len(parts) > 1 and parts[-1] in _TAILS | _NUMBER_WORDS:
        parts.pop()
    holders = _HOLDER_WORDS | _PERSON_WORDS | frozenset(["iban", "ssn", "账号", "卡号"])
    return bool(parts) and (parts[-1] in holders or any(name.endswith(word) for word in holders if not word.isascii()))


def named_like_a_code(name: str) -> bool:
    """Whether a name ends in a word for something spelled in digits that is no quantity: an id, or a postal code.

    >>> [named_like_a_code(name) for name in ("phone", "zip_code", "amount")]
    [True, True, False]
    """
    return _ends_in(name, _ID_WORDS | _HOLDER_WORDS | _PLACE_WORDS)


def _ends_in(name: str, words: frozenset[str]) -> bool:
    parts = _parts(name)
    if len(parts) > 1 and parts[-1] in _TAILS:
        parts.pop()
    return bool(parts) and (parts[-1] in words or any(name.endswith(word) for word in words if not word.isascii()))
