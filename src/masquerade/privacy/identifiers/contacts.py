"""Where a person can be reached: phones, e-mail, networks. Numbers are judged by Google's phonenumbers."""

from __future__ import annotations

import ipaddress

import polars as pl

from masquerade.privacy.identifiers.shapes import Test, by_shape, shaped

__all__ = ["LOOSE", "STRICT", "is_phone"]

_REGIONS = ("CN", "US", "GB", "IN", "DE", "FR", "ES", "BR", "HK", "TW", "SG", "AU", "JP", "KR")
"""Whose national numbers are tried, in this order, where the column's name says that it holds phones."""

_TRIED = 300
"""Of so many different values it is seen which countries' numbers they may be."""
_LEAST_SHARE = 0.3

_TAIL = r"(?:(?:[-转#]| ?(?:x|ext\.? ?))\d{1,6})?"
_WITH_COUNTRY = r"(?:\+|00)[1-9]\d{0,2}[ .-]?\(?\d[\d ().-]{4,16}\d" + _TAIL
_NATIONAL: tuple[tuple[str, str], ...] = (
    ("CN", r"(?:86[ -]?)?1[3-9]\d[ -]?\d{4}[ -]?\d{4}"),
    ("CN", r"\(?0(?:10|2\d|[3-9]\d{2})\)?(?:[ -]\d{7,8}|\d{8}|\d{7})" + _TAIL),
    ("CN", r"[48]00-\d{3}-?\d{4}"),
    ("US", r"(?:1[-. ])?(?:\([2-9]\d{2}\) ?|[2-9]\d{2}[-. ])[2-9]\d{2}[-. ]\d{4}" + _TAIL),
    ("GB", r"\(?0[1237]\d{1,4}\)?[ -]?\d{3,4}[ -]?\d{3,4}"),
)


def is_phone(text: str, region: str | None) -> bool:
    """Whether a text is a number that some network of the region may have given out.

    Args:
        text: as it is written.
        region: two letters of a country; None: the text begins with `+` or `00` and a country's code.

    >>> is_phone("138 0013 8000", "CN"), is_phone("+44 20 7946 0958", None), is_phone("12345678901", "CN")
    (True, True, False)
    """
    import phonenumbers

    if region is None and text.startswith("00"):
        text = "+" + text[2:]
    try:
        return bool(phonenumbers.is_valid_number(phonenumbers.parse(text.replace("转", "x"), region)))
    except phonenumbers.NumberParseException:
        return False


def _phones(values: pl.Series) -> pl.Series:
    found = shaped(values, _WITH_COUNTRY, lambda text: is_phone(text, None))
    for region, pattern in _NATIONAL:
        found = found | shaped(values, pattern, lambda text, region=region: is_phone(text, region))  # type: ignore[misc]
    return found


def _any_phones(values: pl.Series) -> pl.Series:
    """Phones, and bare national numbers of countries that a good part of the column's values would be valid in."""
    found = _phones(values)
    shape = r"[(+]?\d[\d ().-]{5,18}\d" + _TAIL
    rest = values.filter(shaped(values, shape) & ~found).unique(maintain_order=True)
    looked_at = values.drop_nulls().unique(maintain_order=True).head(_TRIED)
    tried = looked_at.filter(looked_at.is_in(rest.implode()))
    if tried.len() < _LEAST_SHARE * looked_at.len():
        return found
    for region in _REGIONS:
        if sum(is_phone(text, region) for text in tried) >= _LEAST_SHARE * looked_at.len():
            found = found | shaped(values, shape, lambda text, region=region: is_phone(text, region))  # type: ignore[misc]
    return found


def _is_ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


STRICT: dict[str, Test] = {
    "email": by_shape(
        r"(?:mailto:)?[\p{L}0-9][\p{L}0-9._%+'-]{0,63}@(?:[\p{L}0-9](?:[\p{L}0-9-]{0,61}[\p{L}0-9])?\.)+\p{L}{2,24}",
        lambda text: ".." not in text,
    ),
    "phone": _phones,
    "ip": by_shape(r"\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f:]*:[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*", _is_ip),
    "mac": by_shape(
        r"[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){5}|[0-9A-Fa-f]{2}(?:-[0-9A-Fa-f]{2}){5}|(?:[0-9A-Fa-f]{4}\.){2}[0-9A-Fa-f]{4}"
    ),
    "url": by_shape(r"(?i:(?:https?|ftp)://[^\s/?#]+\.[^\s]{2,}|www\.[\p{L}0-9-]+\.[^\s]{2,})"),
}
"""Tests that values pass on their own."""

LOOSE: dict[str, Test] = {
    "phone": _any_phones,
    "mac": by_shape(r"[0-9A-Fa-f]{12}"),
    "url": by_shape(r"(?i:(?:[\p{L}0-9-]+\.)+[a-z]{2,12}(?:[/?#]\S*)?)"),
    "username": by_shape(r"[^\s]{3,40}"),
}
"""Tests that are enough where the column's name says the same."""
