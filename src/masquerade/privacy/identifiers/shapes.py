"""Shape first, checksum afterwards: a Rust regular expression over all values, Python only over what is left."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

__all__ = ["Test", "as_text", "by_shape", "shaped"]

Test = Callable[[pl.Series], pl.Series]
"""Texts to booleans, of the same length."""


def as_text(values: pl.Series) -> pl.Series:
    """Any column's values as trimmed text: whole floats without `.0`, moments as ISO 8601, booleans as null.

    >>> as_text(pl.Series([13800138000.0, None])).to_list()
    ['13800138000', None]
    """
    if values.dtype in (pl.String, pl.Categorical, pl.Enum):
        return values.cast(pl.String).str.strip_chars()
    if values.dtype.is_float():
        whole = values.is_finite() & (values == values.round()) & (values.abs() < 2.0**53)
        numbers = values.set(~whole.fill_null(False), None).cast(pl.Int64).cast(pl.String)
        return numbers.zip_with(whole.fill_null(False), values.cast(pl.String))
    if values.dtype.is_integer():
        return values.cast(pl.String)
    if values.dtype == pl.Datetime:
        return values.dt.strftime("%Y-%m-%d")
    if values.dtype == pl.Date:
        return values.cast(pl.String)
    return pl.Series(values.name, [None] * values.len(), pl.String)


def by_shape(pattern: str, valid: Callable[[str], bool] | None = None) -> Test:
    """A test: the whole text has this shape, and passes a check.

    Args:
        pattern: a Rust regular expression of the whole text, without look-around.
        valid: a further check of each text of that shape; None: none.

    >>> by_shape(r"[0-9]{2}", lambda text: text != "13")(pl.Series(["12", "13", "x", None])).to_list()
    [True, False, False, False]
    """

    def test(values: pl.Series) -> pl.Series:
        return shaped(values, pattern, valid)

    return test


def shaped(values: pl.Series, pattern: str, valid: Callable[[str], bool] | None = None) -> pl.Series:
    """Which texts have a shape and pass a check; as `by_shape`."""
    found = values.str.contains(f"^(?:{pattern})$").fill_null(False)
    if valid is None or not found.any():
        return found
    distinct = values.filter(found).unique()
    good = distinct.filter(pl.Series([valid(text) for text in distinct], dtype=pl.Boolean))
    return found & values.is_in(good.implode()).fill_null(False)
