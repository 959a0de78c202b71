"""Codes with rules of their own: phone numbers, payment cards, Chinese ids, IBANs. One to one, and the check digits right."""

from __future__ import annotations

import datetime
import functools

import numpy as np
import polars as pl

from masquerade.masking.permute import CLASSES, Letters, of_class, permuted, permuted_numbers

__all__ = ["CODES", "permuted_code"]

CODES = ("id", "phone", "card", "cn_id", "iban")
"""The kinds of codes that are permuted; `id` is any code, by its shape alone."""

_CHINESE = r"^\d{17}[\dXx]$"
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_PROVINCES = (
    11,
    12,
    13,
    14,
    15,
    21,
    22,
    23,
    31,
    32,
    33,
    34,
    35,
    36,
    37,
    41,
    42,
    43,
    44,
    45,
    46,
    50,
    51,
    52,
    53,
    54,
    61,
    62,
    63,
    64,
    65,
)
_SPANS = tuple(datetime.date(year, 1, 1).toordinal() for year in (1900, 1940, 2010, 2100))
"""A date of birth takes the place of another one in the same of these spans."""


def permuted_code(values: pl.Series, kind: str, key: bytes) -> pl.Series:
    """Other codes of the same kind; what does not look like one is permuted by its shape.

    Args:
        values: String, none missing.
        kind: one of `CODES`.
        key: 32 bytes, as from `Key.subkey`.

    >>> cards = permuted_code(pl.Series(["4111 1111 1111 1111"]), "card", b"0" * 32)
    >>> cards[0][0], sum(_doubled(cards[0].replace(" ", ""))) % 10
    ('4', 0)
    """
    if kind == "id":
        return permuted(values, key)
    if kind == "phone":
        return permuted(values, key, _phone_classes)
    fits = {
        "card": values.str.replace_all(r"[ -]", "").str.contains(r"^\d{12,19}$"),
        "cn_id": values.str.contains(_CHINESE),
        "iban": values.str.replace_all(" ", "").str.contains(r"^[A-Za-z]{2}\d{2}[A-Za-z0-9]{8,30}$"),
    }[kind]
    made = permuted(values, key)
    where = fits.arg_true()
    if not where.len():
        return made
    found = {"card": _cards, "cn_id": _chinese_ids, "iban": _ibans}[kind](values.gather(where), key)
    return made.scatter(where, found)


# ── phones ─────────────────────────────────────────────────────────────────────────────────────────────────────


@functools.cache
def _country_codes() -> frozenset[int]:
    from phonenumbers import COUNTRY_CODE_TO_REGION_CODE  # loads much, which only phones need

    return frozenset(COUNTRY_CODE_TO_REGION_CODE)


def _phone_classes(letters: Letters) -> Letters:
    """As of any code, but a country code stays, and so does what makes a Chinese mobile or a North American number."""
    classes = of_class(letters)
    digits = (letters >= ord("0")) & (letters <= ord("9"))
    ordinal = np.cumsum(digits, axis=1) - 1
    values = np.where(digits, letters - ord("0"), 0)

    def digit(number: np.ndarray | int) -> Letters:
        """The value of each row's digit of this ordinal, -1 without one."""
        wanted = digits & (ordinal == np.reshape(number, (-1, 1)))
        return np.where(wanted.any(axis=1), (values * wanted).sum(axis=1), -1)

    one, two, three = digit(0), digit(1), digit(2)
    plus = letters[:, 0] == ord("+")
    known = np.array(sorted(_country_codes()))
    country = np.where(np.isin(one, known), 1, np.where(np.isin(10 * one + two, known), 2, np.where(three >= 0, 3, 0)))
    country = np.where(plus, country, 0)
    place = np.where(digits, ordinal - country[:, None], -1)
    classes[digits & (place < 0)] = -1
    classes[digits & (place >= 0)] = CLASSES["digit"]
    count = digits.sum(axis=1) - country
    first, second, fourth = digit(country), digit(country + 1), digit(country + 3)
    chinese = (count == 11) & (first == 1)
    american = (count == 10) & (~plus | (one == 1))
    other = ~chinese & ~american
    rules = (
        (0, chinese, -1),
        (1, chinese & (second >= 3), CLASSES["digit from 3"]),
        (1, chinese & (second < 3), CLASSES["digit below 3"]),
        (0, american & (first >= 2), CLASSES["digit from 2"]),
        (0, american & (first < 2), CLASSES["digit below 2"]),
        (3, american & (fourth >= 2), CLASSES["digit from 2"]),
        (3, american & (fourth < 2), CLASSES["digit below 2"]),
        (0, other & (first >= 1), CLASSES["digit from 1"]),
        (0, other & (first == 0), -1),
    )
    for number, rows, kind in rules:
        classes[digits & (place == number) & rows[:, None]] = kind
    return classes


# ── codes with check digits ────────────────────────────────────────────────────────────────────────────────────


def _doubled(digits: str) -> list[int]:
    """Luhn's terms of a number with its check digit."""
    return [
        int(digit) if i % 2 == 0 else (2 * int(digit) - 9 if int(digit) > 4 else 2 * int(digit))
        for i, digit in enumerate(reversed(digits))
    ]


def _cards(values: pl.Series, key: bytes) -> pl.Series:
    """The first digit says whose card it is and stays; the last is the check digit."""

    def classes(letters: Letters) -> Letters:
        found = of_class(letters)
        digits = found >= 0
        found[digits] = CLASSES["digit"]
        ordinal = np.cumsum(digits, axis=1)
        found[digits & ((ordinal == 1) | (ordinal == digits.sum(axis=1)[:, None]))] = -1
        return found

    def checked(text: str) -> str:
        plain = "".join(filter(str.isdigit, text))
        check = -sum(_doubled(plain[:-1] + "0")) % 10
        last = max(i for i, letter in enumerate(text) if letter.isdigit())
        return f"{text[:last]}{check}{text[last + 1 :]}"

    return pl.Series([checked(text) for text in permuted(values, key, classes).to_list()], dtype=pl.String)


def _chinese_ids(values: pl.Series, key: bytes) -> pl.Series:
    """Province, region, date of birth and serial number move; the date stays one, and the check digit is right (GB 11643)."""
    numbers = values.str.slice(0, 17).cast(pl.Int64).to_numpy()
    region, born, serial = numbers // 10**11, numbers // 1_000 % 10**8, numbers % 1_000
    provinces = np.array(_PROVINCES)
    province, local = np.divmod(region, 10_000)
    days = [_day(int(date)) for date in born]
    made = permuted(values.str.slice(0, 17), key).to_list()
    place = np.searchsorted(provinces, province).clip(0, len(provinces) - 1)
    span = np.searchsorted(_SPANS, np.array(days), side="right") - 1
    valid = (provinces[place] == province) & (np.array(days) > 0) & (span >= 0) & (span < len(_SPANS) - 1)
    for number in np.unique(span[valid]):
        rows = np.flatnonzero(valid & (span == number))
        begin, count = _SPANS[number], _SPANS[number + 1] - _SPANS[number]
        left = (place[rows] * 10_000 + local[rows]).astype(np.uint64)
        right = ((np.array(days)[rows] - begin) * 1_000 + serial[rows]).astype(np.uint64)
        left, right = permuted_numbers(left, right, len(provinces) * 10_000, count * 1_000, key=key, tweak=int(number))
        for row, one, two in zip(rows.tolist(), left.tolist(), right.tolist(), strict=True):
            date = datetime.date.fromordinal(begin + two // 1_000)
            made[row] = f"{provinces[one // 10_000]}{one % 10_000:04d}{date:%Y%m%d}{two % 1_000:03d}"
    return pl.Series([text + _chinese_check(text) for text in made], dtype=pl.String)


def _day(date: int) -> int:
    """The ordinal of a date written as YYYYMMDD, 0 where it is none."""
    try:
        return datetime.date(date // 10_000, date // 100 % 100, date % 100).toordinal()
    except ValueError:
        return 0


def _chinese_check(body: str) -> str:
    total = sum(int(digit) * weight for digit, weight in zip(body, _WEIGHTS, strict=True))
    return "10X98765432"[total % 11]


def _ibans(values: pl.Series, key: bytes) -> pl.Series:
    """The country stays, the account moves by its shape, and the check digits are right (ISO 13616)."""

    def classes(letters: Letters) -> Letters:
        found = of_class(letters)
        signs = found >= 0
        found[signs & (np.cumsum(signs, axis=1) <= 4)] = -1
        return found

    def checked(text: str) -> str:
        plain = text.replace(" ", "").upper()
        number = int("".join(str(int(letter, 36)) for letter in plain[4:] + plain[:2] + "00"))
        places = [i for i, letter in enumerate(text) if letter != " "][2:4]
        digits = f"{98 - number % 97:02d}"
        letters = list(text)
        for place, digit in zip(places, digits, strict=True):
            letters[place] = digit
        return "".join(letters)

    return pl.Series([checked(text) for text in permuted(values, key, classes).to_list()], dtype=pl.String)
