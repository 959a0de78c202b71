"""What surrogates are put together from: Faker's names, streets and companies of a locale, gathered once.

Faker takes up to a millisecond for a value, so it is asked a few thousand times for each list, from a fixed seed, and a keyed
number then chooses from the lists. With the same version of Faker the same key gives the same surrogates on any machine.
"""

from __future__ import annotations

import functools
import unicodedata

from masquerade.errors import SettingError, nearest

__all__ = ["KINDS", "check_locale", "compose"]

KINDS = (
    "name",
    "first_name",
    "last_name",
    "company",
    "address",
    "street",
    "city",
    "job",
    "country",
    "email",
    "user_name",
)
"""What can be put together."""

DRAWS = 3_000
_SHORT = {
    "en": "en_US",
    "zh": "zh_CN",
    "de": "de_DE",
    "fr": "fr_FR",
    "es": "es_ES",
    "it": "it_IT",
    "ja": "ja_JP",
    "ko": "ko_KR",
}
_METHODS = {"street": "street_name"}
_LETTERS = "0123456789abcdefghijklmnopqrstuvwxyz"
_HOSTS = ("example.com", "example.net", "example.org")  # reserved for examples (RFC 2606): no mail reaches anybody


def check_locale(locale: str) -> str:
    """The locale by Faker's name: `"zh"` is `"zh_CN"`, `"en"` is `"en_US"`.

    Raises:
        SettingError: Faker does not know it.

    >>> check_locale("zh")
    'zh_CN'
    """
    from faker.config import AVAILABLE_LOCALES  # takes a tenth of a second, which only surrogates need

    name = _SHORT.get(locale, locale)
    if name not in AVAILABLE_LOCALES:
        raise SettingError(
            f"locale: got {locale!r}, expected one that Faker knows, such as 'en_US' or 'zh_CN'"
            f"{nearest(str(locale), AVAILABLE_LOCALES)}."
        )
    return name


def compose(kind: str, locale: str, number: int) -> str:
    """The surrogate that a number stands for.

    Args:
        kind: one of `KINDS`.
        locale: by Faker's name.
        number: any integer from 0 on; what it has beyond the choices does not count.

    >>> compose("name", "en_US", 12345) == compose("name", "en_US", 12345)
    True
    """
    return _COMPOSERS.get(kind, _plain)(kind, locale, number)


@functools.lru_cache(maxsize=256)
def _pool(method: str, locale: str) -> tuple[str, ...]:
    """Different values of one of Faker's methods; empty where the locale has no such method."""
    from faker import Faker

    faker = Faker(locale)
    faker.seed_instance(1)
    make = getattr(faker, method, None)
    return () if make is None else tuple(sorted({" ".join(str(make()).split()) for _ in range(DRAWS)}))


def _pick(number: int, *methods: str, locale: str) -> tuple[int, str]:
    """What is left of the number, and a value of the first of these methods that the locale has."""
    for method in methods:
        pool = _pool(method, locale)
        if pool:
            number, place = divmod(number, len(pool))
            return number, pool[place]
    number, place = divmod(number, len(_pool(methods[-1], "en_US")))
    return number, _pool(methods[-1], "en_US")[place]


def _plain(kind: str, locale: str, number: int) -> str:
    return _pick(number, _METHODS.get(kind, kind), locale=locale)[1]


def _is_chinese(locale: str) -> bool:
    return locale.startswith("zh")


def _name(kind: str, locale: str, number: int) -> str:
    number, last = _pick(number, "last_name", locale=locale)
    number, first = _pick(number, "first_name", locale=locale)
    return last + first if locale[:2] in ("zh", "ja", "ko") else f"{first} {last}"


def _company(kind: str, locale: str, number: int) -> str:
    if _is_chinese(locale):
        number, city = _pick(number, "city_name", "city", locale=locale)
        number, middle = _pick(number, "first_name", locale=locale)
        number, other = _pick(number, "last_name", locale=locale)
        return city + other + middle + _pick(number, "company_suffix", locale=locale)[1]
    number, one = _pick(number, "last_name", locale=locale)
    number, two = _pick(number, "last_name", locale=locale)
    return f"{one}-{two} {_pick(number, 'company_suffix', locale=locale)[1]}"


def _address(kind: str, locale: str, number: int) -> str:
    number, house = divmod(number, 999)
    if _is_chinese(locale):
        number, province = _pick(number, "province", "city", locale=locale)
        number, city = _pick(number, "city", locale=locale)
        number, district = _pick(number, "district", "city", locale=locale)
        return f"{province}{city}{district}区{_pick(number, 'street_name', locale=locale)[1]}{house + 1}号"
    number, street = _pick(number, "street_name", locale=locale)
    number, city = _pick(number, "city", locale=locale)
    if locale == "en_US":
        number, state = _pick(number, "state_abbr", locale=locale)
        return f"{house + 1} {street}, {city}, {state} {number % 90_000 + 10_000}"
    number, code = _pick(number, "postcode", locale=locale)
    return f"{street} {house + 1}, {code} {city}"


def _handle(locale: str, number: int, mark: str) -> tuple[int, str]:
    """A name in plain letters with four of 36 signs, so that two people hardly ever share one."""
    number, first = _pick(number, "first_name", locale=locale)
    number, last = _pick(number, "last_name", locale=locale)
    number, tail = divmod(number, 36**4)
    signs = "".join(_LETTERS[tail // 36**i % 36] for i in range(4))
    plain = (unicodedata.normalize("NFKD", word).encode("ascii", "ignore").decode().lower() for word in (first, last))
    return number, mark.join("".join(filter(str.isalnum, word)) for word in plain) + signs


def _user_name(kind: str, locale: str, number: int) -> str:
    return _handle("en_US", number, "_")[1]


def _email(kind: str, locale: str, number: int) -> str:
    number, handle = _handle("en_US", number, ".")
    return f"{handle}@{_HOSTS[number % len(_HOSTS)]}"


_COMPOSERS = {"name": _name, "company": _company, "address": _address, "email": _email, "user_name": _user_name}
