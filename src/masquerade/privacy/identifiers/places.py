"""Where people are: postal addresses, coordinates, postcodes, number plates; Chinese and English."""

from __future__ import annotations

import re

from masquerade.privacy.identifiers.shapes import Test, by_shape
from masquerade.privacy.identifiers.words import words

__all__ = ["LOOSE", "STRICT"]

_HAN = r"[\x{4E00}-\x{9FFF}]"
_ROAD = (
    r"(?:路|街|大街|大道|巷|弄|胡同|道|村|镇|乡|屯|小区|花园|社区|苑|公寓|大厦|广场|园区|工业园|开发区|新村|里|"
    "公路|区|街道)"
)
_NUMBER = r"[0-9０-９A-Za-z一二三四五六七八九十百零-]+ ?(?:号|弄|栋|幢|座|室|单元|楼|组|队|层|期)"
_CHINESE = (
    rf"[\p{{L}}0-9·（）() ]{{0,24}}{_HAN}{_ROAD}[\p{{L}}0-9·（）() -]{{0,16}}?{_NUMBER}[\p{{L}}0-9·（）()，,#\s-]"
    r"{0,40}"
    rf"|{_HAN}{{2,12}}(?:省|自治区|市){_HAN}{{1,12}}(?:市|区|县|旗|州){_HAN}{{1,16}}(?:镇|乡|村|街道|路|街|屯|社区|小区)"
)
_SUFFIXES = "|".join(words("places", "street_words"))
_UNIT = r"(?i:Apt|Apartment|Suite|Ste|Unit|Flat|Room|Rm|Floor|Studio|No|Box)\.? ?#?[\w-]+|#\w+"
_ENGLISH = (
    rf"(?:(?:{_UNIT}),?\s+)?\d{{1,6}}[A-Za-z]?(?:[-/]\d+[A-Za-z]?)?,?\s+(?:[\p{{Lu}}0-9][\p{{L}}0-9'’.-]*\s+){{0,5}}(?:{_SUFFIXES})\b\.?"
    rf"(?:\s+[NSEW]{{1,2}}\b\.?)?(?:,?\s*(?:{_UNIT}))?(?:[,\n]\s*[\p{{L}}0-9 .,'’\n-]*)?"
    r"|(?i:P\.? ?O\.? ?Box) \d+(?:[,\n].*)?"
)
_STATE = r"(?:PSC|Unit|USNS|USS|USCGC|USNV)\s.{3,40}\n?(?:APO|FPO|DPO) A[AEP] \d{5}"
_DEGREES = r"[+-]?(?:[0-9]|[1-9]\d|1[0-7]\d)\.\d{3,}°? ?[NSEWnsew]?"
_PAIR = rf"[\[(]?{_DEGREES}(?:\s*[,;]\s*|\s+){_DEGREES}[\])]?|(?i:point) ?\({_DEGREES} {_DEGREES}\)"
_DMS = (
    r"\d{1,3}° ?\d{1,2}['′] ?\d{1,2}(?:\.\d+)?[\"″] ?[NSns][, ]+\d{1,3}° ?\d{1,2}['′] ?\d{1,2}(?:\.\d+)?[\"″] ?[EWew]"
)
_UK = r"(?:GIR ?0AA|[A-PR-UWYZ][A-HK-Y]?\d[A-Z\d]? ?\d[ABD-HJLNP-UW-Z]{2})"
_CANADA = r"[ABCEGHJ-NPRSTVXY]\d[ABCEGHJ-NPRSTV-Z] ?\d[ABCEGHJ-NPRSTV-Z]\d"
_PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"


def _is_pair(text: str) -> bool:
    """Whether two numbers are a latitude and a longitude, in either order."""
    first, second = (abs(float(number)) for number in re.findall(r"[+-]?\d+\.\d+", text)[:2])
    return min(first, second) <= 90 and max(first, second) <= 180


STRICT: dict[str, Test] = {
    "address": by_shape(f"{_CHINESE}|{_ENGLISH}|{_STATE}", lambda text: len(text) >= 6),
    "coordinates": by_shape(f"{_PAIR}|{_DMS}", lambda text: bool(re.search("°.*['′]", text)) or _is_pair(text)),
    "postcode": by_shape(f"{_UK}|{_CANADA}"),
    "plate": by_shape(
        rf"[{_PROVINCES}][A-HJ-NP-Z][·• -]?(?:[A-HJ-NP-Z0-9]{{4,5}}[A-HJ-NP-Z0-9挂学警港澳]|"
        r"[DF][A-HJ-NP-Z0-9]\d{4}|\d{5}[DF])"
        r"|[A-HJ-PR-Y][A-HJ-PR-Y][0-7]\d ?[A-HJ-PR-Z]{3}"
    ),
}
"""Tests that values pass on their own."""

LOOSE: dict[str, Test] = {
    "address": by_shape(r"(?s:.*\p{L}.*)", lambda text: len(text) >= 4),
    "coordinates": by_shape(r"[+-]?(?:[0-9]|[1-9]\d|1[0-7]\d)\.\d{2,}|[+-]?180(?:\.0+)?"),
    "postcode": by_shape(
        rf"\d{{5}}(?:-\d{{4}})?|0?\d{{4,5}}|[0-8]\d{{5}}|\d{{2}}-\d{{3}}|\d{{5}}-\d{{3}}|{_UK}|{_CANADA}|\d{{3}}-\d{{4}}"
    ),
    "plate": by_shape(r"[A-Z0-9]{1,4}[ -]?[A-Z0-9]{2,4}(?:[ -]?[A-Z0-9]{1,3})?", lambda text: not text.isalpha()),
}
"""Tests that are enough where the column's name says the same."""
