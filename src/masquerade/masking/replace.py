"""Consistent keyed surrogates: the same value becomes the same surrogate, in every file masked under the same key.

Codes are permuted within their shape, so different ones stay different. Names, companies and addresses are chosen from what
Faker knows by HMAC-SHA256 of the value under the key; two different ones may meet.
"""

from __future__ import annotations

import dataclasses
import unicodedata
from dataclasses import dataclass
from typing import Any, ClassVar

import polars as pl

from masquerade.errors import nearest
from masquerade.masking.codes import CODES, permuted_code
from masquerade.masking.pools import KINDS, check_locale, compose
from masquerade.masking.way import Batch, Way, refuse, there
from masquerade.privacy import pii
from masquerade.schema import Column

__all__ = ["Replace"]

_CHINESE = r"\p{Han}"
_KIND_OF = {
    "name": "name",
    "phone": "phone",
    "email": "email",
    "address": "address",
    "username": "user_name",
    "card": "card",
    "chinese_id": "cn_id",
    "iban": "iban",
}
"""By what a column is found to hold, the kind of its surrogates; everything else is a code."""


@dataclass(frozen=True, kw_only=True)
class Replace(Way):
    """A surrogate for each value.

    Args:
        kind: what the values are: a code (`id`, by shape; `phone`, `card`, `cn_id`, `iban`) or `name`, `first_name`,
            `last_name`, `company`, `address`, `street`, `city`, `job`, `country`, `email`, `user_name`. Default `auto`:
            what the column is found to hold (see `masquerade.privacy.pii`), else `id`; name it where surrogates must agree
            between files whose columns might be taken for different things.
        locale: of names and places, such as `"zh_CN"`; None: Chinese for what holds Chinese characters, else American English.
        domain: columns of the same kind, locale and domain share their surrogates; give one to keep a column's apart.

    Of codes only surrogates of the same kind are shared. Names and the like count as the same value whatever their case,
    width and surrounding space.
    """

    how: ClassVar[str] = "replace"
    kind: str = "auto"
    locale: str | None = None
    domain: str = ""

    def __post_init__(self) -> None:
        known = ("auto", *CODES, *KINDS)
        if self.kind not in known:
            refuse("kind", self.kind, f"one of {', '.join(known)}{nearest(str(self.kind), known)}")
        if self.locale is not None:
            if not isinstance(self.locale, str):
                refuse("locale", self.locale, "text in quotes")
            object.__setattr__(self, "locale", check_locale(self.locale))
        if not isinstance(self.domain, str):
            refuse("domain", self.domain, "text in quotes")

    def settled(self, column: Column, cells: pl.Series) -> Way:
        if self.kind != "auto":
            return self
        found = column.pii or pii.kind_of(column.name, cells)
        return dataclasses.replace(self, kind=_KIND_OF.get(found or "", "id"))

    def apply(self, name: str, batch: Batch) -> pl.Series:
        if self.kind == "auto":
            return self.settled(batch.schema[name], batch.cells(name)).apply(name, batch)
        text, present = there(name, batch)
        hidden = batch.hidden.get(name)
        wanted = present if hidden is None else present & pl.Series(hidden)
        values = text.filter(wanted).unique()
        surrogates = self._surrogates(values, batch)
        made = pl.DataFrame({"v": text}).join(
            pl.DataFrame({"v": values, "s": surrogates}), on="v", how="left", maintain_order="left"
        )["s"]
        filled = pl.select(pl.when(wanted).then(made).otherwise(text).alias(name)).to_series()
        dtype = batch.cells(name).dtype
        if dtype.is_integer():
            back = filled.cast(dtype, strict=False)
            return back if back.null_count() == filled.null_count() else filled
        return filled

    def _surrogates(self, values: pl.Series, batch: Batch) -> pl.Series:
        if self.kind in CODES:
            return permuted_code(values, self.kind, batch.key.subkey(f"code\x1f{self.kind}\x1f{self.domain}"))
        plain = [_plain(value) for value in values.to_list()]
        numbers = batch.key.digests(f"{self.kind}\x1f{self.domain}", plain)
        if self.locale is not None:
            places = [self.locale] * len(plain)
        else:
            places = ["zh_CN" if chinese else "en_US" for chinese in values.str.contains(_CHINESE).to_list()]
        made = [compose(self.kind, place, number) for place, number in zip(places, numbers, strict=True)]
        return pl.Series(made, dtype=pl.String)

    def facts(self) -> dict[str, Any]:
        if self.kind in CODES:
            return {"kind": self.kind, "reversible": "with the key"}
        return {"kind": self.kind, "reversible": "no, but who has the key can try out a value"}


def _plain(value: str) -> str:
    """The value without what does not tell people apart: case, width, surrounding and doubled space.

    >>> _plain("  ANN　Lee ")
    'ann lee'
    """
    if value.isascii():
        return " ".join(value.lower().split())
    return " ".join(unicodedata.normalize("NFKC", value).casefold().split())
