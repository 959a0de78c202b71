"""People's names, Chinese and in Latin letters: the shape of a name, made of parts that are known as names.

Which parts are known comes from Faker's lists (family and given names of a dozen countries) and, for Chinese given names, from
the characters that parents choose most. A name of the right shape counts once enough of its parts are known.
"""

from __future__ import annotations

import functools
import importlib
import re
import unicodedata

import polars as pl

from masquerade.privacy.identifiers.shapes import Test, shaped
from masquerade.privacy.identifiers.words import words

__all__ = ["LOOSE", "STRICT", "is_chinese_name", "is_latin_name", "known_names"]

_LATIN = ("en_US", "en_GB", "en_IN", "en_NZ", "de_DE", "fr_FR", "es_ES", "it_IT", "pt_BR", "nl_NL", "no_NO", "sv_SE")
_COMMON_FAMILY = 150
"""So many Chinese family names, the most frequent ones, need one known character in the given name; the others need all."""

_COMPOUND = frozenset(words("people", "compound_families"))
_GIVEN = frozenset("".join(words("people", "given_characters")))
_WORDS = frozenset(words("people", "chinese_words"))
_BEFORE_PLACES = frozenset(words("people", "before_places"))
_AFTER_THINGS = frozenset(words("people", "after_things"))
_PLACEHOLDERS = frozenset(words("people", "placeholders"))
_PARTICLES = frozenset(words("people", "particles"))
_WORDS_AND_NAMES = frozenset({"mark", "will", "bill", "grace", "rose", "may", "june", "summer"})
_TITLE = re.compile(r"^(?:mr|mrs|ms|miss|dr|prof|sir|madam|rev|herr|frau)\.?$")
_SUFFIX = re.compile(r"^(?:jr|sr|ii|iii|iv|md|phd|dds|dvm|esq)\.?$")


@functools.cache
def _lists() -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    """Given names, family names and everyday English words, folded."""
    given: set[str] = set()
    family: set[str] = set()
    for locale in _LATIN:
        provider = importlib.import_module(f"faker.providers.person.{locale}").Provider
        given |= {_folded(part) for name in provider.first_names for part in str(name).split()}
        family |= {_folded(name) for name in provider.last_names}
    everyday = importlib.import_module("faker.providers.lorem.en_US").Provider.word_list
    return frozenset(given), frozenset(family), frozenset(everyday) - _WORDS_AND_NAMES


@functools.cache
def _chinese() -> tuple[dict[str, int], frozenset[str], frozenset[str]]:
    """Family names by rank, characters of given names, and words that are no names."""
    written = [importlib.import_module(f"faker.providers.person.{locale}").Provider for locale in ("zh_CN", "zh_TW")]
    everyday = importlib.import_module("faker.providers.lorem.zh_CN").Provider.word_list
    address = importlib.import_module("faker.providers.address.zh_CN").Provider
    rank: dict[str, int] = {}
    for person in written:
        for place, family in enumerate(person.last_names):
            rank.setdefault(str(family), place)
    given = frozenset("".join("".join(map(str, person.first_names)) for person in written))
    places = [*address.cities, *address.districts, *(province.rstrip("省市") for province in address.provinces)]
    return rank, _GIVEN | given, _WORDS | frozenset(everyday) | frozenset(places)


def _folded(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in plain if not unicodedata.combining(letter)).strip(" '’-.")


def is_chinese_name(text: str) -> bool:
    """Whether two to four Chinese characters are a family name and a given name.

    >>> is_chinese_name("王小明"), is_chinese_name("欧阳娜娜"), is_chinese_name("高中"), is_chinese_name("金额")
    (True, True, False, False)
    """
    ranks, characters, everyday = _chinese()
    if "·" in text:
        return True
    begins = text[:2] in everyday and text[:2] not in _COMPOUND
    if text in everyday or (len(text) == 3 and begins and text[2] not in characters):
        return False
    if text[:2] in _COMPOUND and len(text) > 2:
        return True
    rank = ranks.get(text[0])
    if rank is None or len(text) > 3:
        return False
    known = sum(letter in characters for letter in text[1:])
    return known > 0 if rank < _COMMON_FAMILY and len(text) == 3 else known == len(text) - 1


def is_latin_name(text: str) -> bool:
    """Whether two to five words are a given and a family name, in either order, with titles, initials and particles.

    >>> is_latin_name("Dr. Emily J. Carter"), is_latin_name("O'Neil, Mary"), is_latin_name("Wireless Mouse")
    (True, True, False)
    """
    given, family, everyday = _lists()
    order = [part for part in text.replace(".", ". ").split() if part]
    parts = [_folded(part.rstrip(",")) for part in order]
    parts = [part for part in parts if part and not _TITLE.match(part) and not _SUFFIX.match(part)]
    titled = len(parts) < len(order)
    parts = [part for part in parts if len(part) > 1 and part not in _PARTICLES]
    if len(parts) == 1:
        return titled and parts[0] in family
    if len(parts) < 2:
        return False
    first, last = (parts[-1], parts[0]) if "," in text else (parts[0], parts[-1])
    known_given = any(piece in given for piece in [first, *first.split("-")])
    known_family = any(piece in family for piece in [last, *last.split("-")])
    if first in _BEFORE_PLACES:
        return False
    if known_given and known_family:
        return True
    if any(part in _AFTER_THINGS for part in parts[1:]):
        return False
    if known_given:
        return last not in everyday
    return (known_family and first not in everyday) or (last in given and first in family)


def _may_be_name(text: str) -> bool:
    """Whether a text can be a name where a column is one of names: no word of it is an everyday one."""
    given, family, everyday = _lists()
    ranks, _, chinese = _chinese()
    if text[0] > "\u2e80":
        return text not in chinese and text not in _PLACEHOLDERS and (text[0] in ranks or text[:2] in _COMPOUND)
    parts = [_folded(part) for part in text.replace(",", " ").split()]
    parts = [part for part in parts if part]
    known = any(part in given or part in family for part in parts)
    return bool(parts) and not any(
        part in _PLACEHOLDERS or (part in everyday and not known) or (part in _AFTER_THINGS and not known)
        for part in parts
    )


_HAN = r"[\x{4E00}-\x{9FFF}\x{3400}-\x{4DBF}]"
_CHINESE_SHAPE = rf"{_HAN}{{2,4}}|{_HAN}{{2,8}}(?:·{_HAN}{{2,8}}){{1,3}}"
_PART = rf"(?:\p{{Lu}}[\p{{L}}'’-]*\.?|d['’]\p{{Lu}}[\p{{L}}-]+|{'|'.join(sorted(_PARTICLES))})"
_LATIN_SHAPE = rf"\p{{Lu}}[\p{{L}}'’.-]*,?(?: {_PART},?){{1,5}}"
_WORD = r"\p{L}[\p{L}\p{M}'’.·-]*"


def _names(values: pl.Series) -> pl.Series:
    return shaped(values, _CHINESE_SHAPE, is_chinese_name) | shaped(values, _LATIN_SHAPE, is_latin_name)


def known_names(values: pl.Series) -> pl.Series:
    """Which texts are whole names, or a known given or family name alone: booleans, as long as `values`."""
    given, family, _ = _lists()
    alone = shaped(values, r"\p{Lu}[\p{L}'’-]+", lambda text: _folded(text) in given or _folded(text) in family)
    return _names(values) | alone


def _named(values: pl.Series) -> pl.Series:
    loose = shaped(values, rf"{_HAN}{{1,4}}|{_WORD}(?:[ ,]+{_WORD}){{0,5}}", _may_be_name)
    return known_names(values) | loose


STRICT: dict[str, Test] = {"name": _names}
"""Tests that values pass on their own."""

LOOSE: dict[str, Test] = {"name": _named}
"""Tests that are enough where the column's name says the same."""
