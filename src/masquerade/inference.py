"""What a table's columns are, from their values: `infer`.

Nothing rare goes into a schema: levels are listed only if enough units have them, and bounds are protected (see
`masquerade.privacy.protect`). Evidence is taken from every distinct cell, not from the first rows.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from masquerade.errors import MasqueradeWarning, SchemaError, nearest
from masquerade.moments_format import detect_format, parse_moments
from masquerade.numbers_format import NumberStyle, decimals_of_floats, decimals_of_text, detect_style, parse_numbers
from masquerade.privacy.protect import protected_bounds, protected_levels, unit_series
from masquerade.schema import Column, Schema
from masquerade.spelling import is_text, parse_column
from masquerade.words import MISSING_ALWAYS, MISSING_IN_NUMBERS, boolean_words, named_like_a_code, named_like_an_id

__all__ = ["infer"]

MOST_LEVELS = 1000
"""At most this many levels are listed, the most frequent ones."""
LARGEST_CODE_LIST = 100
"""A column named like an id with more distinct values than this is one, even when values repeat (a foreign key)."""
LEAST_DISTINCT_TEXT = 100
"""Free text has more distinct cells than this ..."""
LEAST_TEXT_SHARE = 0.05
"""... which make up more than this share of all cells ..."""
LEAST_WORDS = 3.0
"""... and have at least this many words on average ..."""
LEAST_LETTERS = 40.0
"""... or at least this many characters (a third of it in scripts without spaces)."""
MOSTLY_DISTINCT = 0.5
"""Above this share of distinct cells, and more than `FEW_DISTINCT` of them, a column is text or an id, not a
category."""
FEW_DISTINCT = 20
CODE_DIGITS = 13
"""Whole numbers that all have the same number of digits, at least this many, are codes (a card, a phone), not
quantities."""
CODE_DIGITS_NAMED = 5
"""The same where the column is named like a code: a phone, a card, an account."""
FIRST_YEAR, LAST_YEAR = 1900, 2100
"""Eight digits are a date only if all of them are one between these years."""
LEAST_SHORT_DATES = 20
"""Six digits are a date only if at least this many different cells all are one: by chance one in 27 is."""
LEAST_CONSECUTIVE = 100
"""Distinct whole numbers without a gap are a row number if they start at 0 or 1, or if there are this many."""
_SAMPLE = 10_000


@dataclass(frozen=True)
class _Cells:
    """The distinct cells of a column that are not null, and how many rows have each."""

    name: str
    values: pl.Series
    counts: pl.Series

    def without(self, words: frozenset[str]) -> _Cells:
        kept = ~(self.values.is_in(list(words)) | (self.values.str.strip_chars() == ""))
        return replace(self, values=self.values.filter(kept), counts=self.counts.filter(kept))

    @property
    def rows(self) -> int:
        return int(self.counts.sum())


def infer(raw: pl.DataFrame, *, protect: int = 10, unit: str | None = None) -> Schema:
    """What each column is and how it is spelled.

    Args:
        raw: a table as `files.read_table` or `frames.to_polars` gives it. In text, numbers, dates, yes and no are
            recognised; 0 and 1 stay integers, and integers of few values stay integers. Numbers with leading zeros are
            no numbers.
        protect: a level is listed only if this many units have it, and bounds are the value of this rank; 0 lists all.
        unit: the column that says whose row it is; it becomes an `id`.

    Raises:
        SchemaError: there is no column `unit`.

    Warns:
        MasqueradeWarning: dates could be read day first or month first (day first is taken).

    >>> infer(pl.DataFrame({"age": ["30", "?"] * 10}))["age"].kind
    'integer'
    """
    if unit is not None and unit not in raw.columns:
        raise SchemaError(f"unit: there is no column {unit!r}{nearest(unit, raw.columns)}.")
    units = unit_series(raw, unit)
    columns = [_column(cells, protect, units, is_unit=cells.name == unit) for cells in raw.get_columns()]
    return Schema(tuple(columns), unit=unit)


def _column(cells: pl.Series, protect: int, units: pl.Series | None, *, is_unit: bool) -> Column:
    column = _of_text(cells, is_unit=is_unit) if is_text(cells.dtype) else _of_native(cells, is_unit=is_unit)
    if column.kind in ("text", "id") or column.levels is not None:
        return column
    values, _ = parse_column(cells, column)
    if column.kind == "categorical":
        return replace(
            column, levels=tuple(protected_levels(values, protect, units)["level"].head(MOST_LEVELS).to_list())
        )
    return _bounded(column, values, protect, units) if column.is_numeric else column


def _bounded(column: Column, values: pl.Series, protect: int, units: pl.Series | None) -> Column:
    present = values.is_not_null()
    if values.dtype.is_float():
        present = present & values.is_finite().fill_null(False)
    if not present.any():
        return column
    holders: NDArray[np.int64] | None = None if units is None else units.filter(present).to_numpy()
    numbers = values.filter(present).to_physical().to_numpy().astype(np.float64)
    low, high = protected_bounds(numbers, protect, holders)
    if column.kind == "integer":
        return replace(column, minimum=round(low), maximum=round(high))
    if column.kind == "datetime":
        return replace(column, minimum=_iso(low), maximum=_iso(high))
    digits = column.decimals
    return replace(
        column,
        minimum=low if digits is None else round(low, digits),
        maximum=high if digits is None else round(high, digits),
    )


def _iso(microseconds: float) -> str:
    text = str(np.datetime64(round(microseconds), "us"))
    return text.removesuffix(".000000").removesuffix("T00:00:00")


def _distinct(cells: pl.Series) -> _Cells:
    counted = pl.DataFrame({"value": cells}).drop_nulls().group_by("value", maintain_order=True).len("rows")
    return _Cells(cells.name, counted["value"], counted["rows"])


def _marker(cells: _Cells, words: frozenset[str]) -> str | None:
    """The most frequent of these words among the cells."""
    found = pl.DataFrame({"value": cells.values, "rows": cells.counts}).filter(pl.col("value").is_in(list(words)))
    return None if found.is_empty() else str(found.sort(["rows", "value"], descending=[True, False])["value"][0])


def _of_text(cells: pl.Series, *, is_unit: bool) -> Column:
    name = cells.name
    distinct = _distinct(cells.cast(pl.String))
    has_null = cells.null_count() > 0
    missing = None if has_null else _marker(distinct, MISSING_ALWAYS)
    present = distinct.without(frozenset() if missing is None else frozenset([missing]))
    if is_unit:
        return Column(name, "id", missing=missing)
    bare = distinct.without(MISSING_IN_NUMBERS)
    if bare.values.is_empty():
        return Column(name, "categorical", missing=missing)
    if cells.dtype == pl.String:
        marker = None if has_null else _marker(distinct, MISSING_IN_NUMBERS)
        words = boolean_words(distinct.without(MISSING_ALWAYS).values.head(3)) if bare.values.len() <= 3 else None
        if words is not None and distinct.without(MISSING_ALWAYS).values.len() == 2:
            return Column(name, "boolean", levels=words, missing=missing)
        found = _number(bare, marker) or _moment(bare, marker)
        if found is not None:
            return found
    return Column(name, _kind_of_words(present), missing=missing)


def _number(cells: _Cells, missing: str | None) -> Column | None:
    """The column if every cell is a number (or a code in digits, or a date in eight digits), else None."""
    style = detect_style(cells.values)
    if style is None:
        return None
    most, least = decimals_of_text(cells.values, cells.counts, style)
    if style == NumberStyle() and most == 0:
        if (moment := _moment_in_digits(cells, missing)) is not None:
            return moment
        if _digits_are_a_code(cells.name, cells.values):
            return Column(cells.name, _id_or_category(cells), missing=missing)
    numbers = parse_numbers(cells.values, style, integer=False)
    finite = numbers.filter(numbers.is_finite())
    whole = bool((finite == finite.round()).all()) and most is not None
    if whole and bool((finite.abs() >= 2.0**63).any()):
        return Column(cells.name, _id_or_category(cells), missing=missing)
    if whole and finite.len() == numbers.len():
        integers = parse_numbers(cells.values, style, integer=True)
        if _is_id(cells.name, integers, cells.rows):
            return Column(cells.name, "id", missing=missing)
        zeros = most if most and least == most else None
        return Column(cells.name, "integer", missing=missing, decimals=zeros, **_style(style))
    padded = least == (1 if most is None else most)
    tail = None if padded else least
    return Column(cells.name, "continuous", missing=missing, decimals=most, least_decimals=tail, **_style(style))


def _style(style: NumberStyle) -> dict[str, Any]:
    return {"thousands": style.thousands, "grouping": style.grouping, "decimal_mark": style.decimal_mark}


def _moment(cells: _Cells, missing: str | None) -> Column | None:
    found = detect_format(cells.values)
    if found is None:
        return None
    format_, ambiguous = found
    if (
        format_ == "%Y%m%d"
        and not parse_moments(cells.values, format_).dt.year().is_between(FIRST_YEAR, LAST_YEAR).all()
    ):
        return None
    if ambiguous:
        warnings.warn(
            f"column {cells.name!r}: its dates could be read day first or month first; they are read as {format_} "
            "(set the "
            "column's format in the schema if that is wrong).",
            MasqueradeWarning,
            stacklevel=6,
        )
    return Column(cells.name, "datetime", missing=missing, format=format_)


def _moment_in_digits(cells: _Cells, missing: str | None) -> Column | None:
    """The column if every cell is a date in eight digits (20190131), or in six (190131) with enough of them to tell."""
    lengths = cells.values.str.len_chars()
    for length, format_, least in ((8, "%Y%m%d", 1), (6, "%y%m%d", LEAST_SHORT_DATES)):
        if cells.values.len() >= least and (lengths == length).all():
            moments = parse_moments(cells.values, format_)
            if not moments.has_nulls() and moments.dt.year().is_between(FIRST_YEAR, LAST_YEAR).all():
                return Column(cells.name, "datetime", missing=missing, format=format_)
    return None


def _digits_are_a_code(name: str, texts: pl.Series) -> bool:
    lengths = texts.str.len_chars()
    shortest = int(lengths.min() or 0)  # type: ignore[arg-type]
    if shortest != lengths.max() or texts.len() < 2:
        return False
    return shortest >= CODE_DIGITS or (shortest >= CODE_DIGITS_NAMED and named_like_a_code(name))


def _is_id(name: str, integers: pl.Series, rows: int) -> bool:
    """Whether distinct whole numbers name rows rather than measure them."""
    count = integers.len()
    if count < 2:
        return False
    if named_like_an_id(name) and (count == rows or count > LARGEST_CODE_LIST):
        return True
    low, high = int(integers.min() or 0), int(integers.max() or 0)  # type: ignore[arg-type]
    return count == rows and high - low + 1 == count and count >= 10 and (low in (0, 1) or count >= LEAST_CONSECUTIVE)


def _id_or_category(cells: _Cells) -> Any:
    few = cells.values.len() <= max(FEW_DISTINCT, MOSTLY_DISTINCT * cells.rows)
    return (
        "categorical" if few and not (named_like_an_id(cells.name) and cells.values.len() > LARGEST_CODE_LIST) else "id"
    )


def _mean(values: pl.Series) -> float:
    return float(values.cast(pl.Float64).to_numpy().mean()) if values.len() else 0.0


def _kind_of_words(cells: _Cells) -> Any:
    """`categorical`, `text` or `id`, by how many cells differ, how long they are and how many words they have."""
    count, rows = cells.values.len(), cells.rows
    share = count / rows
    sample = cells.values.sample(min(count, _SAMPLE), seed=0) if count > _SAMPLE else cells.values
    spaced = sample.str.contains(r"\s")
    words = _mean(sample.str.count_matches(r"\S+"))
    letters = _mean(sample.str.len_chars())
    unspaced_script = _mean(sample.str.contains(r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}]")) > MOSTLY_DISTINCT
    long = words >= LEAST_WORDS or letters >= LEAST_LETTERS or (unspaced_script and letters >= LEAST_LETTERS / 3)
    coded = sample.str.contains(r"\d")
    code_like = not spaced.any() and _mean(coded) > MOSTLY_DISTINCT
    uuid = bool(sample.str.contains(r"^[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}$").all())
    mostly_distinct = share > MOSTLY_DISTINCT and count > FEW_DISTINCT
    if count > 1 and (uuid or (mostly_distinct and code_like) or (count == rows and code_like and count >= 10)):
        return "id"
    if (
        named_like_an_id(cells.name)
        and not spaced.any()
        and (count > LARGEST_CODE_LIST or (count == rows and count >= 10))
    ):
        return "id"
    if mostly_distinct or (long and count > LEAST_DISTINCT_TEXT and share > LEAST_TEXT_SHARE):
        return "text"
    return "categorical"


def _of_native(cells: pl.Series, *, is_unit: bool) -> Column:
    name, dtype = cells.name, cells.dtype
    if is_unit:
        return Column(name, "id")
    if dtype == pl.Boolean:
        return Column(name, "boolean")
    if dtype.is_temporal():
        return Column(name, "integer" if isinstance(dtype, pl.Duration) else "datetime")
    if dtype == pl.Null:
        return Column(name, "categorical")
    distinct = _distinct(cells.fill_nan(None) if dtype.is_float() else cells)
    values = distinct.values
    if dtype.is_integer():
        beyond = values.cast(pl.Int64, strict=False).null_count() > 0
        texts = replace(distinct, values=values.cast(pl.String))
        if (moment := _moment_in_digits(texts, None)) is not None:
            return moment
        if beyond or _digits_are_a_code(name, values.cast(pl.String)):
            return Column(name, _id_or_category(distinct))
        return Column(name, "id" if _is_id(name, values, distinct.rows) else "integer")
    floats = values if dtype.is_float() else values.cast(pl.Float64)
    finite = floats.filter(floats.is_finite())
    whole = finite.len() > 0 and bool(((finite == finite.round()) & (finite.abs() < 2.0**53)).all())
    if whole and finite.len() == floats.len():
        return Column(name, "id" if _is_id(name, finite.cast(pl.Int64), distinct.rows) else "integer")
    return Column(name, "continuous", decimals=decimals_of_floats(finite))
