"""Numbers written as text: recognise how, read them, and write others in the same way.

A style is what separates thousands, how digits are grouped and which mark stands before the decimals:
1,234,567.89 (western), 12,34,567.89 (Indian), 1.234.567,89 (European), and the like.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl

__all__ = [
    "NumberStyle",
    "decimals_of_floats",
    "decimals_of_text",
    "detect_style",
    "is_number",
    "parse_numbers",
    "spell_numbers",
]

MOST_DECIMALS = 12
"""Digits after the mark beyond which a number is a computed one, written as exactly as it can be."""
_EXACT = 2.0**53
_INFINITE = r"(?i:inf|infinity)"
_SAMPLE = 1000


def is_number(value: object) -> bool:
    """Whether a setting is a finite number, and no truth value.

    >>> is_number(3), is_number(True), is_number("3"), is_number(float("nan"))
    (True, False, False, False)
    """
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


@dataclass(frozen=True)
class NumberStyle:
    """How numbers are written: see `masquerade.schema.Column` for the three fields."""

    thousands: str | None = None
    grouping: Literal["western", "indian"] = "western"
    decimal_mark: Literal[".", ","] = "."

    @property
    def pattern(self) -> str:
        """A regular expression that such a number matches in full; a leading zero before digits is not a number."""
        mark = "\\" + self.decimal_mark
        whole = r"0|[1-9][0-9]*"
        if self.thousands is not None:
            comma = "\\" + self.thousands if self.thousands.isascii() else self.thousands
            middle = "[0-9]{3}" if self.grouping == "western" else "[0-9]{2}"
            head = "{0,2}" if self.grouping == "western" else "{0,1}"
            last = f"{comma}[0-9]{{3}}"
            whole += f"|[1-9][0-9]{head}(?:{comma}{middle})*{last}"
        return (
            rf"^[+-]?(?:(?:{whole})(?:{mark}[0-9]*)?(?:[eE][+-]?[0-9]+)?|{mark}[0-9]+(?:[eE][+-]?[0-9]+)?|{_INFINITE})$"
        )


STYLES: tuple[NumberStyle, ...] = (
    NumberStyle(),
    NumberStyle(","),
    NumberStyle(",", "indian"),
    NumberStyle(None, "western", ","),
    NumberStyle(".", "western", ","),
    *(NumberStyle(space, "western", mark) for space in (" ", "\u00a0", "\u202f", "'", "’") for mark in (".", ",")),
)
"""The styles that are recognised, in order of preference: the first that every cell fits is taken."""


def detect_style(cells: pl.Series) -> NumberStyle | None:
    """The first style in which every cell is a number; None when there is none, or no cell.

    Args:
        cells: distinct cells as text, none missing.

    >>> detect_style(pl.Series(["5,00,000.00", "2,040.00"])).grouping
    'indian'
    """
    if cells.is_empty():
        return None
    stripped = cells.str.strip_chars()
    sample = stripped.head(_SAMPLE)
    for style in STYLES:
        if sample.str.contains(style.pattern).all() and stripped.str.contains(style.pattern).all():
            return style
    return None


def _plain(cells: pl.Series, style: NumberStyle) -> pl.Series:
    """The cells as plain ASCII numbers, null where they are not in the style."""
    text = cells.str.strip_chars()
    if style != NumberStyle():
        text = pl.select(pl.when(text.str.contains(style.pattern)).then(text)).to_series()
        if style.thousands is not None:
            text = text.str.replace_all(style.thousands, "", literal=True)
        if style.decimal_mark == ",":
            text = text.str.replace(",", ".", literal=True)
    return text


def parse_numbers(cells: pl.Series, style: NumberStyle, *, integer: bool) -> pl.Series:
    """Read numbers; null where a cell is none (or, for integers, has decimals or lies beyond 64 bits).

    >>> parse_numbers(pl.Series(["5,00,000.00"]), NumberStyle(",", "indian"), integer=True).to_list()
    [500000]
    """
    text = _plain(cells, style)
    if not integer:
        floats = text.cast(pl.Float64, strict=False)
        return pl.select(pl.when(floats.is_not_nan()).then(floats)).to_series().alias(cells.name)
    whole = text.cast(pl.Int64, strict=False)
    missed = whole.is_null() & text.is_not_null()
    if missed.any():
        floats = text.filter(missed).cast(pl.Float64, strict=False)
        exact = (floats.abs() < _EXACT) & (floats == floats.round())
        rescued = pl.select(pl.when(exact).then(floats)).to_series().cast(pl.Int64)
        whole = whole.scatter(missed.arg_true(), rescued)
    return whole.alias(cells.name)


def decimals_of_text(cells: pl.Series, counts: pl.Series, style: NumberStyle) -> tuple[int | None, int]:
    """How many decimals a column of numbers is written with.

    Args:
        cells: distinct cells, all numbers in the style.
        counts: how many rows have each.
        style: how they are written.

    Returns:
        (decimals, least): the most digits after the mark (None beyond 12, or where exponents are used), and how many
        stay even when they are zeros: the choice of none, one or all that spells most rows as they are.

    >>> decimals_of_text(pl.Series(["1.5", "12", "7.25"]), pl.Series([1, 1, 1]), NumberStyle())
    (2, 0)
    """
    text = _plain(cells, style).str.to_lowercase()
    fraction = text.str.extract(r"\.([0-9]*)", 1).fill_null("")
    written, needed = fraction.str.len_chars(), fraction.str.strip_chars_end("0").str.len_chars()
    most = int(written.to_numpy().max(initial=0))
    computed = most > MOST_DECIMALS or text.str.contains(r"[0-9.]e").any()
    most_or_none = None if computed else most
    choices = (1, 0) if computed else (most, 0, min(1, most))
    spelled = {least: int(counts.filter(needed.clip(least, None) == written).sum()) for least in choices}
    return most_or_none, max(choices, key=lambda least: spelled[least])


def decimals_of_floats(values: pl.Series) -> int | None:
    """The digits after the mark that these floats need, at most 12; None when more.

    >>> decimals_of_floats(pl.Series([0.25, 1.5, 3.0]))
    2
    """
    floats = values.drop_nulls().unique().to_numpy()
    floats = floats[np.isfinite(floats)]
    wide = floats.astype(np.float64)
    for sample in (wide[:_SAMPLE], wide):
        for decimals in range(MOST_DECIMALS + 1):
            if np.array_equal(np.round(sample, decimals).astype(floats.dtype), sample.astype(floats.dtype)):
                break
        else:
            return None
    return decimals


def _fixed(values: pl.Series, decimals: int, least: int) -> pl.Series:
    """Floats as digits with `decimals` after the mark, trailing zeros dropped down to `least`."""
    scale = 10**decimals
    value = pl.col("v")
    inside = value.abs() * float(scale) < _EXACT
    units = pl.when(inside).then((value.abs() * float(scale)).round()).cast(pl.Int64)
    frame = pl.DataFrame({"v": values}).select("v", units.alias("u"))
    sign = pl.when((value < 0) & (pl.col("u") > 0)).then(pl.lit("-")).otherwise(pl.lit(""))
    whole = sign + (pl.col("u") // scale).cast(pl.String)
    if decimals == 0:
        text = frame.select(whole.alias("t")).to_series()
    else:
        fraction = (pl.col("u") % scale).cast(pl.String).str.zfill(decimals)
        if least < decimals:
            fraction = fraction.str.strip_chars_end("0").str.pad_end(least, "0")
        marked = pl.when(fraction == "").then(whole).otherwise(whole + "." + fraction)
        text = frame.select(marked.alias("t")).to_series()
    missed = text.is_null() & values.is_not_null()
    if missed.any():
        spelled = [_spell_large(number, decimals, least) for number in values.filter(missed).to_list()]
        text = text.scatter(missed.arg_true(), pl.Series(spelled, dtype=pl.String))
    return text


def _spell_large(number: float, decimals: int, least: int) -> str:
    whole, _, fraction = f"{number:.{decimals}f}".partition(".")
    fraction = fraction.rstrip("0").ljust(least, "0") if least < decimals else fraction
    return f"{whole}.{fraction}" if fraction else whole


def _group(whole: pl.Expr, style: NumberStyle) -> pl.Expr:
    """Put the separator into a string of digits."""
    separator = style.thousands or ""
    if style.grouping == "western":
        head, tail, size = whole, pl.lit(""), 3
    else:
        head = pl.when(whole.str.len_chars() > 3).then(whole.str.head(-3)).otherwise(pl.lit(""))
        tail, size = whole.str.tail(3), 2
    grouped = head.str.reverse().str.replace_all(rf"([0-9]{{{size}}})", "${1}" + separator).str.reverse()
    grouped = grouped.str.strip_chars_start(separator)
    return grouped if size == 3 else pl.when(grouped == "").then(tail).otherwise(grouped + separator + tail)


def spell_numbers(values: pl.Series, style: NumberStyle, *, decimals: int | None, least: int | None) -> pl.Series:
    """Numbers as text.

    Args:
        values: Int64 or Float64; nulls stay null.
        style: separators and mark.
        decimals: digits after the mark; None: none for integers, the shortest exact form for floats.
        least: digits that stay when they are zeros; None: `decimals` (the shortest form keeps one).

    >>> spell_numbers(pl.Series([500000.0]), NumberStyle(",", "indian"), decimals=2, least=None).to_list()
    ['5,00,000.00']
    """
    if values.dtype.is_integer():
        text = values.cast(pl.String)
        zeros = decimals if least is None else least
        if decimals is not None and zeros:
            text = text + ("." + "0" * zeros)
    elif decimals is None:
        text = values.cast(pl.String)
        text = text.str.strip_suffix(".0") if least == 0 else text
    else:
        text = _fixed(values, decimals, decimals if least is None else min(least, decimals))
    if style == NumberStyle():
        return text.alias(values.name)
    parts = pl.DataFrame({"t": text}).select(
        pl.col("t").str.extract(r"^(-?)", 1).alias("sign"),
        pl.col("t").str.extract(r"^-?([0-9]*)", 1).alias("whole"),
        pl.col("t").str.extract(r"^-?[0-9]*(.*)$", 1).str.replace(".", style.decimal_mark, literal=True).alias("rest"),
    )
    whole = _group(pl.col("whole"), style) if style.thousands is not None else pl.col("whole")
    return parts.select((pl.col("sign") + whole + pl.col("rest")).alias(values.name)).to_series()
