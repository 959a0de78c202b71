"""Dates and times written as text: find the format, read them, and write others in the same format.

A format is in strptime's letters, with three of its usual extensions: `%-d` writes no leading zero, `%^b` writes
capitals, `%3f` are milliseconds. A format with no day (`%Y-%m`) means the first of the month; one with no date
(`%H:%M`) lies on 1 January 1970.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

import polars as pl

__all__ = ["detect_format", "parse_moments", "spell_moments"]

_TIME = re.compile(
    r"^(?P<sep>T| +|, )?(?P<h>\d{1,2}):(?P<min>\d\d)(?P<sec>:\d\d)?(?P<frac>\.\d{1,9})?(?P<gap> ?)(?P<half>[AaPp][Mm])?"
    r"(?P<zone>Z|[+-]\d\d:?\d\d)?$"
)
_YEAR_FIRST = re.compile(r"^(\d{4})([-/.年 ])(\d{1,2})([-/.月 ])(\d{1,2})(日?)")
_YEAR_LAST = re.compile(r"^(\d{1,2})([-/. ])(\d{1,2})([-/. ])(\d{4}|\d{2})(?!\d)")
_DAY_NAME = re.compile(r"^(\d{1,2})([-/ ,.]*)([A-Za-z]{3,9})([-/ ,.]*)(\d{4}|\d{2})(?!\d)")
_NAME_DAY = re.compile(r"^([A-Za-z]{3,9})([ .-]+)(\d{1,2})(, ?| )(\d{4})")
_COMPACT = re.compile(r"^(\d{8}|\d{6}(?=\D))")
_MONTH = re.compile(r"^(\d{4})([-/])(\d{1,2})$")
_NAME_MONTH = re.compile(r"^([A-Za-z]{3,9})([ /-]+)(\d{4}|\d{2})$")
_SAMPLE = 1000


def _padded(text: str, letter: str) -> tuple[str, ...]:
    """Letters for a number of one or two digits: with a leading zero, without, or either while unknown."""
    if len(text) == 1:
        return (f"%-{letter}",)
    return (f"%{letter}",) if text[0] == "0" else (f"%{letter}", f"%-{letter}")


def _year(text: str) -> str:
    return "%Y" if len(text) == 4 else "%y"


def _month_names(text: str) -> tuple[str, ...]:
    return ("%^b", "%^B") if text.isupper() else ("%b", "%B")


def _dates(text: str) -> Iterator[tuple[str, str]]:
    """Formats that the beginning of a cell may have, each with the rest of the cell."""
    if found := _YEAR_FIRST.match(text):
        _, one, month, two, day, end = found.groups()
        for m, d in itertools.product(_padded(month, "m"), _padded(day, "d")):
            yield f"%Y{one}{m}{two}{d}{end}", text[found.end() :]
    if found := _YEAR_LAST.match(text):
        first, one, second, two, year = found.groups()
        for a, b in (("d", "m"), ("m", "d")):
            for x, y in itertools.product(_padded(first, a), _padded(second, b)):
                yield f"{x}{one}{y}{two}{_year(year)}", text[found.end() :]
    if found := _DAY_NAME.match(text):
        day, one, name, two, year = found.groups()
        for d, b in itertools.product(_padded(day, "d"), _month_names(name)):
            yield f"{d}{one}{b}{two}{_year(year)}", text[found.end() :]
    if found := _NAME_DAY.match(text):
        name, one, day, two, _ = found.groups()
        for d, b in itertools.product(_padded(day, "d"), _month_names(name)):
            yield f"{b}{one}{d}{two}%Y", text[found.end() :]
    if found := _COMPACT.match(text):
        yield ("%Y%m%d" if len(found[1]) == 8 else "%y%m%d"), text[found.end() :]
    if found := _MONTH.match(text):
        for m in _padded(found[3], "m"):
            yield f"%Y{found[2]}{m}", ""
    if found := _NAME_MONTH.match(text):
        for b in _month_names(found[1]):
            yield f"{b}{found[2]}{_year(found[3])}", ""
    if _TIME.match(text):
        yield "", text


def _times(text: str) -> Iterator[str]:
    """Formats that the rest of a cell, after its date, may have."""
    if not text:
        yield ""
    elif found := _TIME.match(text):
        half, fraction = found["half"], found["frac"]
        for hour in _padded(found["h"], "I" if half else "H"):
            after = "" if half is None else found["gap"] + ("%P" if half.islower() else "%p")
            digits = 0 if fraction is None else len(fraction) - 1
            parts = ("",) if digits == 0 else (f".%{3 if digits <= 3 else 6 if digits <= 6 else 9}f", "%.f")
            seconds = "" if found["sec"] is None else ":%S"
            zone = found["zone"] or ""
            zones = (zone,) if zone in ("", "Z") else (zone, "%:z" if ":" in zone else "%z")
            for part, end in itertools.product(parts, zones):
                yield f"{found['sep'] or ''}{hour}:%M{seconds}{part}{after}{end}"


def _candidates(cells: pl.Series) -> list[str]:
    lengths = cells.str.len_chars()
    picks = {cells[0], cells[int(lengths.arg_min() or 0)], cells[int(lengths.arg_max() or 0)]}
    return list(
        dict.fromkeys(date + time for cell in sorted(picks) for date, rest in _dates(cell) for time in _times(rest))
    )


def detect_format(cells: pl.Series) -> tuple[str, bool] | None:
    """The format of a column of dates or times, and whether day and month could be the other way round.

    Evidence is taken from every cell: a format must read them all, and one that writes them all back letter by letter
    is preferred. Where day first and month first both do, day first is taken.

    Args:
        cells: distinct cells as text, none missing.

    Returns:
        (format, ambiguous), or None when no format reads every cell.

    >>> detect_format(pl.Series(["01-Oct-18", "31-Dec-18"]))
    ('%d-%b-%y', False)
    >>> detect_format(pl.Series(["1/2/2019", "12/31/2019"]))
    ('%-m/%-d/%Y', False)
    """
    if cells.is_empty():
        return None
    stripped = cells.str.strip_chars()
    sample = stripped.head(_SAMPLE)
    exact: list[str] = []
    readable: list[str] = []
    for format_ in _candidates(stripped):
        if parse_moments(sample, format_).has_nulls():
            continue
        moments = parse_moments(stripped, format_)
        if moments.has_nulls() or ("%Y" in format_ and not moments.dt.year().is_between(1000, 9999).all()):
            continue
        readable.append(format_)
        if (spell_moments(moments, format_) == stripped).all():
            exact.append(format_)
    chosen = exact or readable
    if not chosen:
        return None
    best = chosen[0]
    day_first = {f for f in chosen if _day_first(f)}
    return best, bool(day_first) and len(day_first) < len(chosen) and _YEAR_LAST.match(stripped[0]) is not None


def _day_first(format_: str) -> bool:
    letters = re.sub(r"[^dmb]", "", format_)
    return letters.startswith("dm")


def _letters(format_: str) -> str:
    """The format in the letters of Polars."""
    plain = re.sub(r"%\^", "%", format_)
    return re.sub(r"(?<!%)%f", "%6f", plain)


def parse_moments(cells: pl.Series, format_: str) -> pl.Series:
    """Read moments as `Datetime("us")`; null where a cell is not in the format.

    >>> parse_moments(pl.Series(["2019-10"]), "%Y-%m").to_list()
    [datetime.datetime(2019, 10, 1, 0, 0)]
    """
    letters, text = _letters(format_), cells.str.strip_chars()
    if not re.search(r"%-?[dDFcsje]", letters):
        if re.search(r"%[YyBbm]", letters):
            text, letters = "01 " + text, "%d " + letters
        else:
            text, letters = "1970-01-01 " + text, "%Y-%m-%d " + letters
    if not re.search(r"%-?[HITRcsX]", letters):
        days = text.str.to_date(letters, strict=False)
        return days.cast(pl.Datetime("us")).alias(cells.name)
    if "%z" in letters or "%:z" in letters:
        zoned = text.str.to_datetime(letters, strict=False, time_unit="us", time_zone="UTC")
        return zoned.dt.replace_time_zone(None).alias(cells.name)
    return text.str.to_datetime(letters, strict=False, time_unit="us").alias(cells.name)


def spell_moments(moments: pl.Series, format_: str) -> pl.Series:
    """Moments as text; nulls stay null.

    >>> import datetime
    >>> spell_moments(pl.Series([datetime.datetime(2018, 10, 1)]), "%d-%^b-%y").to_list()
    ['01-OCT-18']
    """
    text = (moments.dt.replace_time_zone("UTC") if "z" in format_ else moments).dt.to_string(_letters(format_))
    return (text.str.to_uppercase() if "%^" in format_ else text).alias(moments.name)
