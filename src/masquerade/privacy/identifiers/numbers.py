"""Numbers with a checksum: national ids, cards, accounts, vehicles. The sums themselves are python-stdnum's where it has them.

References: GB 11643-1999 (Chinese id), ISO 13616 (IBAN), ISO/IEC 7812 (cards, Luhn 1960), ISO 3779 (VIN); the tax and social
numbers as python-stdnum cites them.
"""

from __future__ import annotations

import datetime
import importlib
from collections.abc import Callable

from masquerade.privacy.identifiers.shapes import Test, by_shape

__all__ = ["LOOSE", "STRICT", "is_card", "is_chinese_id", "is_vin"]

_PROVINCES = frozenset(
    [*range(11, 16), *range(21, 24), *range(31, 38), *range(41, 47), *range(50, 55), *range(61, 66), 71, 81, 82, 83]
)
_CARD_RANGES: tuple[tuple[int, int, tuple[int, ...]], ...] = (
    (34, 34, (15,)),
    (37, 37, (15,)),
    (300, 305, (14,)),
    (36, 36, (14,)),
    (38, 39, (14,)),
    (4, 4, (13, 16, 19)),
    (51, 55, (16,)),
    (2221, 2720, (16,)),
    (2200, 2204, (16, 17, 18, 19)),
    (3528, 3589, (16, 17, 18, 19)),
    (6011, 6011, (16, 19)),
    (644, 659, (16, 19)),
    (62, 62, (16, 17, 18, 19)),
    (81, 81, (16, 17, 18, 19)),
    (9558, 9558, (16, 17, 18, 19)),
    (5018, 5018, (16,)),
    (5020, 5020, (16,)),
    (5038, 5038, (16,)),
    (6304, 6304, (16,)),
    (6759, 6763, (16,)),
)
_VIN_VALUES = dict(
    zip("ABCDEFGHJKLMNPRSTUVWXYZ", (1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 7, 9, 2, 3, 4, 5, 6, 7, 8, 9), strict=True)
) | {str(digit): digit for digit in range(10)}
_VIN_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)


def _stdnum(module: str) -> Callable[[str], bool]:
    """`is_valid` of a module of python-stdnum, loaded when it is first asked."""

    def valid(text: str) -> bool:
        return bool(importlib.import_module(f"stdnum.{module}").is_valid(text))

    return valid


def is_chinese_id(text: str) -> bool:
    """Whether 18 characters are a Chinese id: province, a birth date that was, and the check character.

    >>> is_chinese_id("11010519491231002X"), is_chinese_id("110105194912310021")
    (True, False)
    """
    if int(text[:2]) not in _PROVINCES:
        return False
    try:
        born = datetime.date(int(text[6:10]), int(text[10:12]), int(text[12:14]))
    except ValueError:
        return False
    total = sum(int(digit) * pow(2, 17 - place, 11) for place, digit in enumerate(text[:17]))
    return born <= datetime.date.today() and "10X98765432"[total % 11] == text[17].upper()


def is_card(text: str) -> bool:
    """Whether digits (blanks and hyphens aside) are a payment card's: an issuer's range, its length, and Luhn's sum.

    >>> is_card("4111 1111 1111 1111"), is_card("4111 1111 1111 1112"), is_card("9111111111111111")
    (True, False, False)
    """
    digits = text.replace(" ", "").replace("-", "")
    for low, high, lengths in _CARD_RANGES:
        if low <= int(digits[: len(str(low))]) <= high and len(digits) in lengths:
            return _stdnum("luhn")(digits)
    return False


def is_vin(text: str) -> bool:
    """Whether 17 characters are a vehicle's number with the check digit that China and North America ask for.

    >>> is_vin("1M8GDM9AXKP042788"), is_vin("1M8GDM9A1KP042788")
    (True, False)
    """
    total = sum(_VIN_VALUES[letter] * weight for letter, weight in zip(text.upper(), _VIN_WEIGHTS, strict=True))
    return "0123456789X"[total % 11] == text[8].upper()


_GAP = "[ -]?"
STRICT: dict[str, Test] = {
    "chinese_id": by_shape(
        r"[1-9]\d{5}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx]", is_chinese_id
    ),
    "iban": by_shape(r"[A-Za-z]{2}\d{2}(?: ?[A-Za-z0-9]){11,30}", _stdnum("iban")),
    "card": by_shape(r"\d(?:[ -]?\d){12,18}", is_card),
    "us_ssn": by_shape(r"\d{3}[ -]\d{2}[ -]\d{4}", _stdnum("us.ssn")),
    "uk_nhs": by_shape(rf"\d{{3}}{_GAP}\d{{3}}{_GAP}\d{{4}}", _stdnum("gb.nhs")),
    "german_tax_id": by_shape(r"[1-9]\d{10}|[1-9]\d \d{3} \d{3} \d{3}", _stdnum("de.idnr")),
    "french_nir": by_shape(r"[1-478] ?\d{2} ?(?:\d{2}) ?(?:\d{2}|2[AB]) ?\d{3} ?\d{3} ?\d{2}", _stdnum("fr.nir")),
    "spanish_id": by_shape(r"\d{8}-?[A-Za-z]|[XYZxyz]-?\d{7}-?[A-Za-z]", lambda text: _spanish(text)),
    "brazilian_cpf": by_shape(r"\d{3}\.\d{3}\.\d{3}-\d{2}|\d{11}", _stdnum("br.cpf")),
    "indian_aadhaar": by_shape(rf"[2-9]\d{{3}}{_GAP}\d{{4}}{_GAP}\d{{4}}", _stdnum("in_.aadhaar")),
    "indian_pan": by_shape(r"[A-Z]{3}[ABCFGHLJPTK][A-Z]\d{4}[A-Z]", _stdnum("in_.pan")),
    "vin": by_shape(r"[A-HJ-NPR-Za-hj-npr-z0-9]{8}[0-9Xx][A-HJ-NPR-Za-hj-npr-z0-9]{8}", is_vin),
}
"""Tests that values pass on their own."""

LOOSE: dict[str, Test] = {
    "chinese_id": by_shape(
        r"[1-9]\d{5}\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}|[1-9]\d{2,9}\*{4,14}[\dXx*]{1,6}",
        lambda text: len(text) in (15, 18),
    ),
    "us_ssn": by_shape(r"\d{9}", _stdnum("us.ssn")),
    "passport": by_shape(r"[A-Za-z]{1,2}\d{6,9}|[A-Za-z]\d{2}[A-Za-z]{2}\d{4}|\d{2}[A-Za-z]{2}\d{5}|\d{9}"),
    "bank_account": by_shape(r"\d(?:[ -]?\d){5,21}"),
}
"""Tests that are enough where the column's name says the same."""


def _spanish(text: str) -> bool:
    return _stdnum("es.nie" if text[0].isalpha() else "es.dni")(text)
