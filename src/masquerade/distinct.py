"""A column's distinct cells, and whether they are categories, text or ids."""

from __future__ import annotations

from dataclasses import dataclass, replace

import polars as pl

from masquerade.schema import Kind
from masquerade.words import named_like_a_code, named_like_a_holder, named_like_an_id

__all__ = ["Cells", "digits_are_a_code", "id_or_category", "is_holder", "is_id", "kind_of_words"]

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
HOLDER_DIGITS = 5
"""A column named like an account, a card or a person is an id, however few they are, if all cells have so many digits."""
LEAST_CONSECUTIVE = 100
"""Distinct whole numbers without a gap are a row number if they start at 0 or 1, or if there are this many."""
NEARLY_ALL = 0.02
"""Of numbers known by a random share, so much may lack between the least and the greatest."""
_SAMPLE = 10_000


@dataclass(frozen=True)
class Cells:
    """The distinct cells of a column that are not null, and how many rows have each.

    Of a column with very many of them, `values` are a share drawn at random.
    """

    name: str
    values: pl.Series
    counts: pl.Series
    share: float = 1.0

    def without(self, words: frozenset[str]) -> Cells:
        """The cells that are none of these words, and not blank."""
        kept = ~(self.values.is_in(list(words)) | (self.values.str.strip_chars() == ""))
        return replace(self, values=self.values.filter(kept), counts=self.counts.filter(kept))

    @property
    def rows(self) -> int:
        """How many rows have one of these cells."""
        return int(self.counts.sum())


def digits_are_a_code(name: str, texts: pl.Series) -> bool:
    """Whether whole numbers are codes: all of the same, large number of digits."""
    lengths = texts.str.len_chars().unique()
    if lengths.len() != 1 or texts.len() < 2:
        return False
    shortest = int(lengths[0])
    return shortest >= CODE_DIGITS or (shortest >= CODE_DIGITS_NAMED and named_like_a_code(name))


def is_holder(name: str, texts: pl.Series) -> bool:
    """Whether distinct cells name accounts, cards or people: by the column's name, and by long numbers without spaces.

    >>> is_holder("AccountNo", pl.Series(["409000611074'", "1196711'"])), is_holder("AccountNo", pl.Series(["1", "2"]))
    (True, False)
    """
    return (
        named_like_a_holder(name)
        and texts.len() > 1
        and bool(((texts.str.count_matches(r"\d") >= HOLDER_DIGITS) & ~texts.str.contains(r"[\s.]")).all())
    )


def is_id(name: str, integers: pl.Series, rows: int, share: float = 1.0) -> bool:
    """Whether distinct whole numbers name rows rather than measure them; they are a random `share` of all."""
    count = integers.len()
    if count < 2:
        return False
    if is_holder(name, integers.cast(pl.String)):
        return True
    if named_like_an_id(name) and (count == rows or count > LARGEST_CODE_LIST):
        return True
    numbers = integers.to_numpy()
    low, high = int(numbers.min()), int(numbers.max())
    gapless = high - low + 1 == count if share == 1 else abs((high - low + 1) * share / count - 1) < NEARLY_ALL
    return count == rows and gapless and count >= 10 and (low in (0, 1) or count >= LEAST_CONSECUTIVE)


def id_or_category(cells: Cells) -> Kind:
    """What codes spelled in digits are: an `id` when there are many different ones, else a `categorical`."""
    count = cells.values.len()
    if is_holder(cells.name, cells.values.cast(pl.String)):
        return "id"
    if named_like_an_id(cells.name) and count > LARGEST_CODE_LIST:
        return "id"
    return "categorical" if count <= max(FEW_DISTINCT, MOSTLY_DISTINCT * cells.rows) else "id"


def _mean(values: pl.Series) -> float:
    return float(values.cast(pl.Float64).to_numpy().mean()) if values.len() else 0.0


def kind_of_words(cells: Cells) -> Kind:
    """`categorical`, `text` or `id`, by how many cells differ, how long they are and how many words they have."""
    if is_holder(cells.name, cells.values):
        return "id"
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
