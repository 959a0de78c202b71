"""Find what is sensitive: which columns hold people's identifiers, and which cells of them do.

A column's values are looked at first (their shape, then their checksum), its name helps: where it says phone, a bare row of
digits that some network may have given out counts too. Only distinct values of a bounded sample are judged, so that a long
table takes no longer than a short one.

>>> table = pl.DataFrame({"phone": ["13800138000", "13911112222"], "amount": [13.5, 20.0]})
>>> [(found.column, found.kind, found.share, found.by) for found in find(table)]
[('phone', 'phone', 1.0, 'both')]
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import polars as pl
from rich import box
from rich.table import Table
from rich.text import Text

from masquerade.errors import SettingError, nearest
from masquerade.identifying import IDENTIFIERS, Sensitivity
from masquerade.privacy.identifiers import contacts, numbers, people, places, traits
from masquerade.privacy.identifiers.headers import kinds_of_header
from masquerade.privacy.identifiers.shapes import Test, as_text
from masquerade.schema import Schema

__all__ = ["Finding", "as_ids", "cells_of", "find", "find_in", "kind_of", "marked", "matches", "overview"]

MOST_VALUES = 10_000
"""At most so many distinct values of a column are judged."""
LOOKED_AT = 50_000
"""They are taken from about so many cells, evenly over the column."""

STRICT: dict[str, Test] = {
    kind: test for module in (numbers, contacts, people, places, traits) for kind, test in module.STRICT.items()
}
LOOSE: dict[str, Test] = {
    kind: test for module in (numbers, contacts, people, places, traits) for kind, test in module.LOOSE.items()
}

_LEAST: dict[str, float] = {
    "email": 0.1,
    "chinese_id": 0.1,
    "iban": 0.1,
    "mac": 0.1,
    "vin": 0.2,
    "url": 0.2,
    "phone": 0.3,
    "sex": 0.95,
    "marital_status": 0.8,
    "religion": 0.9,
    "race": 0.8,
    "education": 0.8,
}
"""The share of values from which they decide alone; one in ten where chance hardly ever makes one, else half."""
_USUAL_LEAST = 0.5
_NAMED_LEAST = 0.1
"""With a name that says the same, so many values of the strict shape are enough."""
_LOOSE_LEAST = 0.5
"""And so many of a loose shape, of which nothing but the name tells more."""
_NAMES_ALONE = 0.9
_MANY_NAMES = 10
_FEW = 2
"""A trait's levels decide alone only where there are at least two."""
_CHECKED = frozenset({"name", "phone", "us_ssn", "url", "mac", "chinese_id"})
"""Kinds whose loose shape is checked too, so that it is enough in every column that holds them."""
_ANY_NAME = frozenset({"name", "names", "名字", "owner", "person"})
"""Columns of this name may as well hold things: without any known name in them they hold no people."""
_TRAITS = frozenset({"sex", "marital_status", "religion", "race", "education"})


@dataclass(frozen=True)
class Finding:
    """One column that identifies people.

    Args:
        column: its name.
        kind: what it holds, a key of `masquerade.identifying.IDENTIFIERS`.
        share: of its distinct values (of a sample), how many are of that kind.
        by: what decided: its `"values"`, its `"name"` (the values only do not speak against it), or `"both"`.
    """

    column: str
    kind: str
    share: float
    by: Literal["values", "name", "both"]

    @property
    def sensitivity(self) -> Sensitivity:
        """How the column identifies people: directly, together with others, or by a trait that law protects."""
        return IDENTIFIERS[self.kind].sensitivity


def find(table: pl.DataFrame) -> list[Finding]:
    """The columns of a table that identify people, in the table's order.

    Args:
        table: raw or typed, shape (rows, columns).
    """
    found = (find_in(table.get_column(name)) for name in table.columns)
    return [finding for finding in found if finding is not None]


def marked(schema: Schema, findings: Iterable[Finding]) -> Schema:
    """The schema with what was found: `pii` its kind, and `sensitive` or `quasi`.

    Direct identifiers and traits that law protects become `sensitive`, quasi-identifiers `quasi`; what a person has written
    into the schema stays. A phone or a card in digits is no number to reckon with: it becomes an `id`, as in `as_ids`.
    """
    findings = list(findings)
    for found in findings:
        column = schema[found.column]
        if column.pii is None:
            quasi = found.sensitivity == "quasi"
            schema = schema.replace(found.column, pii=found.kind, quasi=quasi, sensitive=column.sensitive or not quasi)
    return as_ids(schema, findings)


def as_ids(schema: Schema, findings: Iterable[Finding]) -> Schema:
    """The schema with direct identifiers that are written in digits as `id`: drawn by pattern, never from real values.

    A schema that a person vouches for (`declared`), a column in a rule, and coordinates stay as they are.
    """
    ruled = {name for rule in schema.rules for name in rule.columns}
    for found in findings:
        column = schema[found.column]
        number = column.kind == "integer" or (column.kind == "continuous" and column.decimals == 0)
        stays = schema.declared or found.column in ruled or found.kind == "coordinates"
        if number and found.sensitivity == "direct" and not stays:
            bare = {"minimum": None, "maximum": None, "decimals": None, "least_decimals": None}
            schema = schema.replace(found.column, kind="id", **bare)
    return schema


def overview(findings: Iterable[Finding]) -> Table:
    """What identifies people as a Rich table, one line a column."""
    table = Table(title="What identifies people", title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("Column", "Holds", "How", "Matched", "By"):
        table.add_column(heading, overflow="fold", justify="right" if heading == "Matched" else "left")
    how = {"direct": "directly", "quasi": "with others", "special": "special trait"}
    why = {"values": "values", "name": "its name", "both": "values and name"}
    for found in findings:
        title = Text(IDENTIFIERS[found.kind].title)
        table.add_row(
            Text(found.column, style="bold"), title, how[found.sensitivity], f"{found.share:.0%}", why[found.by]
        )
    return table


def find_in(values: pl.Series, name: str | None = None) -> Finding | None:
    """What one column holds, or None where nothing points to people.

    Args:
        values: its cells, of any type.
        name: its name; None: the series' own.
    """
    name = values.name if name is None else name
    texts = _distinct(values)
    if texts.is_empty():
        return None
    said = kinds_of_header(name)
    best: tuple[float, Finding] | None = None
    for rank, kind in enumerate(IDENTIFIERS):
        finding = _judged(kind, name, texts, said)
        if finding is None:
            continue
        weight = finding.share + {"both": 1.0, "values": 0.5, "name": 0.0}[finding.by] - 1e-6 * rank
        if finding.by != "values":
            weight += 0.3 - 0.05 * said.index(kind)
        if best is None or weight > best[0]:
            best = (weight, finding)
    return None if best is None else best[1]


def _judged(kind: str, name: str, texts: pl.Series, said: tuple[str, ...]) -> Finding | None:
    named = kind in said
    if kind == "name" and (alone := _names_alone(name, texts, named)) is not None:
        return alone
    if kind in STRICT:
        share = _share(STRICT[kind](texts))
        enough = _NAMED_LEAST if named and kind not in _TRAITS else _LEAST.get(kind, _USUAL_LEAST)
        if share >= enough and not (kind in _TRAITS and not named and texts.len() < _FEW):
            if named and kind in LOOSE:
                share = max(share, _share(STRICT[kind](texts) | LOOSE[kind](texts)))
            return Finding(name, kind, share, "both" if named else "values")
    if named and kind in LOOSE:
        share = _share(LOOSE[kind](texts))
        unsure = kind == "name" and name.strip().lower() in _ANY_NAME
        if share >= _LOOSE_LEAST and not (unsure and _share(people.known_names(texts)) < _NAMED_LEAST):
            return Finding(name, kind, share, "name")
    return None


def _names_alone(name: str, texts: pl.Series, named: bool) -> Finding | None:
    """A column of given or family names alone, which are single words: they decide where nearly all of many are known."""
    share = _share(people.known_names(texts))
    if not named and share >= _NAMES_ALONE and texts.len() >= _MANY_NAMES:
        return Finding(name, "name", share, "values")
    return None


def _share(found: pl.Series) -> float:
    return float(found.mean() or 0.0)  # type: ignore[arg-type]


def _distinct(values: pl.Series) -> pl.Series:
    """Distinct values as text, without missing ones, at most `MOST_VALUES`."""
    there = values.drop_nulls()
    if there.len() > LOOKED_AT:
        there = there.gather_every(there.len() // LOOKED_AT)
    texts = as_text(there).drop_nulls().unique(maintain_order=True)
    return texts.filter((texts != "") & (texts != "?")).head(MOST_VALUES)


def matches(values: pl.Series, kind: str, *, named: bool = False) -> pl.Series:
    """Which cells are of a kind.

    Args:
        values: cells of any type.
        kind: a key of `masquerade.identifying.IDENTIFIERS`.
        named: whether the column is known to hold the kind (its name says so), so that a looser shape is enough: digits
            without separators for a phone, any date for a birth date. Kinds without a shape of their own match only so.

    Returns:
        Booleans, as long as `values`; false for missing cells.

    Raises:
        SettingError: there is no such kind.

    >>> matches(pl.Series(["4111111111111111", "4111111111111112", None]), "card").to_list()
    [True, False, False]
    """
    if kind not in IDENTIFIERS:
        raise SettingError(f"kind: there is no kind {kind!r}{nearest(kind, IDENTIFIERS)}.")
    texts = as_text(values)
    found = pl.Series(values.name, [False] * values.len(), pl.Boolean)
    if kind in STRICT:
        found = found | STRICT[kind](texts)
    if named and kind in LOOSE:
        found = found | LOOSE[kind](texts)
    return found.fill_null(False).alias(values.name)


def cells_of(values: pl.Series, found: Finding) -> pl.Series:
    """Which cells of a column that was found are of its kind: booleans, as long as `values`.

    Where the name alone decided, or the looser shape is checked as well (phones are, and names are no everyday words), the
    looser shape is enough.
    """
    return matches(values, found.kind, named=found.by == "name" or found.kind in _CHECKED)


def kind_of(name: str, values: pl.Series) -> str | None:
    """The kind of identifier that a column holds, or None.

    >>> kind_of("邮箱", pl.Series(["wang@example.com", "li@example.cn"]))
    'email'
    """
    found = find_in(values, name)
    return None if found is None else found.kind
