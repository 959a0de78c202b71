"""What each column is: `Column` and `Schema`, frozen, and their two spellings (dict and `schema.toml`).

A schema also holds the business rules that every row meets (`masquerade.rules`). What it declares is public. What was
inferred came from the data, so inference already protects it: only levels that at least `protect` rows have are listed,
and bounds are the tenth most extreme values (see `masquerade.inference`).
"""

from __future__ import annotations

import dataclasses
import datetime
import html
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NoReturn, get_args

from masquerade.errors import SchemaError, nearest
from masquerade.identifying import IDENTIFIERS
from masquerade.rules.parse import parse_rules
from masquerade.rules.rule import Rule

__all__ = ["KINDS", "Column", "Kind", "Schema"]

Kind = Literal["integer", "continuous", "categorical", "boolean", "datetime", "text", "id"]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True)
class Column:
    """One column: what it is, and how it is spelled.

    Args:
        name: the column's name, unique in its table.
        kind: `integer`, `continuous`, `categorical`, `boolean`, `datetime`, `text` (free text) or `id`.
        minimum: the least value; a number, or an ISO 8601 string for a `datetime`.
        maximum: the greatest value, likewise.
        levels: the levels of a `categorical` as text; of a `boolean` its two words, the false one first.
        decimals: digits after the decimal mark of a `continuous` column; None when they vary beyond 12. Of an `integer`
            column written as text: how many zeros follow its mark (1 for `63.0`).
        least_decimals: in numbers written as text, digits kept even when they are zeros (0 writes `2.5` and `3`); None:
            all `decimals`.
        missing: the word that stands for a missing value in text (`"?"`, `""`); None: a true null.
        nullable: whether values may be missing; None: wherever they are. A private fit asks the schema and not the data, and
            takes None for yes where there is a word for missing.
        sensitive: whether this is a secret that attacks should try to learn.
        pii: the kind of identifier that it holds, a key of `masquerade.identifying.IDENTIFIERS`; None: none is known.
        quasi: whether it tells who a row is about together with other columns.
        protect: a protection threshold of its own; None: the model's.
        format: how a `datetime` is written in text, in strptime's letters (see `masquerade.moments_format`); None: a
            native date or time.
        thousands: what separates thousands in numbers written as text (`","`); None: nothing does.
        grouping: `"western"` (1,234,567) or `"indian"` (12,34,567).
        decimal_mark: `"."` or `","`, for numbers written as text.
    """

    name: str
    kind: Kind
    minimum: float | int | str | None = None
    maximum: float | int | str | None = None
    levels: tuple[str, ...] | None = None
    decimals: int | None = None
    least_decimals: int | None = None
    missing: str | None = None
    nullable: bool | None = None
    sensitive: bool = False
    pii: str | None = None
    quasi: bool = False
    protect: int | None = None
    format: str | None = None
    thousands: str | None = None
    grouping: Literal["western", "indian"] = "western"
    decimal_mark: Literal[".", ","] = "."

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            hint = nearest(str(self.kind), KINDS)
            raise SchemaError(f"column {self.name!r}: kind is {self.kind!r}, expected one of {', '.join(KINDS)}{hint}.")
        for field in ("protect", "decimals", "least_decimals"):
            value: object = getattr(self, field)
            if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 0):
                self._refuse(field, value, "an integer of at least 0")
        for field, words in (("grouping", ("western", "indian")), ("decimal_mark", (".", ","))):
            if getattr(self, field) not in words:
                self._refuse(field, getattr(self, field), " or ".join(map(repr, words)))
        if self.thousands is not None and (
            len(self.thousands) != 1 or self.thousands in self.decimal_mark + "0123456789"
        ):
            self._refuse("thousands", self.thousands, "one character that is no digit and not the decimal mark")
        if self.levels is not None and self.kind == "boolean" and len(set(self.levels)) != 2:
            self._refuse("levels", list(self.levels), "two different words, the false one first")
        if self.kind == "categorical" and self.levels is not None and len(set(self.levels)) < len(self.levels):
            twice = next(level for level in self.levels if self.levels.count(level) > 1)
            raise SchemaError(f"column {self.name!r}: levels name {twice!r} more than once, expected each level once.")
        if self.pii is not None and self.pii not in IDENTIFIERS:
            hint = nearest(str(self.pii), IDENTIFIERS)
            self._refuse("pii", self.pii, f"one of {', '.join(IDENTIFIERS)}{hint}")
        self._check_bounds()

    def _check_bounds(self) -> None:
        for field in ("minimum", "maximum"):
            value: object = getattr(self, field)
            expected: type | tuple[type, ...] = str if self.kind == "datetime" else (int, float)
            if value is not None and (isinstance(value, bool) or not isinstance(value, expected)):
                self._refuse(field, value, "ISO 8601 text in quotes" if self.kind == "datetime" else "a number")
        low: Any = self.minimum
        if low is not None and self.maximum is not None and low > self.maximum:
            self._refuse("minimum", low, f"at most the maximum {self.maximum!r}")

    def _refuse(self, field: str, got: object, expected: str) -> NoReturn:
        raise SchemaError(f"column {self.name!r}: {field} is {got!r}, expected {expected}.")

    @property
    def is_numeric(self) -> bool:
        """Whether its values are numbers on a line (a moment counts as one)."""
        return self.kind in ("integer", "continuous", "datetime")

    def to_dict(self) -> dict[str, Any]:
        """Only what differs from the defaults, without the name."""
        fields = {f.name: getattr(self, f.name) for f in dataclasses.fields(self) if f.name != "name"}
        defaults = {f.name: f.default for f in dataclasses.fields(self)}
        return {k: list(v) if isinstance(v, tuple) else v for k, v in fields.items() if k == "kind" or v != defaults[k]}

    @classmethod
    def from_dict(cls, name: str, fields: Mapping[str, Any]) -> Column:
        """The reverse of `to_dict`; an unknown field is refused by name."""
        known = {f.name for f in dataclasses.fields(cls)} - {"name"}
        for key in fields:
            if key not in known:
                raise SchemaError(f"column {name!r}: unknown field {key!r}{nearest(key, known)}.")
        if "kind" not in fields:
            raise SchemaError(f"column {name!r}: no kind given, expected one of {', '.join(KINDS)}.")
        values = dict(fields)
        for field, kind, expected in (
            ("levels", list | tuple, "a list of texts"),
            ("sensitive", bool, "true or false"),
            ("quasi", bool, "true or false"),
            ("nullable", bool, "true or false"),
            ("pii", str, "text in quotes"),
            ("missing", str, "text in quotes"),
            ("format", str, "text in quotes"),
            ("thousands", str, "text in quotes"),
        ):
            if values.get(field) is not None and not isinstance(values[field], kind):
                raise SchemaError(f"column {name!r}: {field} is {values[field]!r}, expected {expected}.")
        if values.get("levels") is not None:
            values["levels"] = tuple(str(level) for level in values["levels"])
        for field in ("minimum", "maximum"):
            if isinstance(values.get(field), datetime.date):
                values[field] = values[field].isoformat()
        return cls(name=name, **values)


@dataclass(frozen=True)
class Schema:
    """The columns of a table in order, whose rows they are, whether all this may be public, and what every row meets.

    Args:
        columns: in the table's order, names unique.
        unit: the column that says whose row it is (a person, an account); None: each row is its own unit.
        declared: True once a person vouches that everything here may be public knowledge.
        rules: business rules that hold in every row: objects, texts such as `"start <= end"`, or mappings, as
            `masquerade.rules.parse.parse_rules` takes them.

    Raises:
        SchemaError: a column is there twice, or the unit is none of them.
        RuleError: a rule cannot be read, or does not fit its columns.
    """

    columns: tuple[Column, ...]
    unit: str | None = None
    declared: bool = False
    rules: tuple[Rule, ...] = ()

    def __post_init__(self) -> None:
        if len(set(self.names)) < len(self.names):
            twice = next(name for name in self.names if self.names.count(name) > 1)
            raise SchemaError(f"column {twice!r}: it is there {self.names.count(twice)} times, expected once.")
        if self.unit is not None and self.unit not in self:
            raise SchemaError(f"unit: there is no column {self.unit!r}{nearest(self.unit, self.names)}.")
        object.__setattr__(self, "rules", parse_rules(self.rules, self))

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    def __iter__(self) -> Iterator[Column]:
        return iter(self.columns)

    def __len__(self) -> int:
        return len(self.columns)

    def __contains__(self, name: object) -> bool:
        return name in self.names

    def __getitem__(self, name: str) -> Column:
        for column in self.columns:
            if column.name == name:
                return column
        raise SchemaError(f"there is no column {name!r}{nearest(name, self.names)}.")

    def replace(self, name: str, **changes: Any) -> Schema:
        """The same schema with one column's fields changed."""
        self[name]
        columns = tuple(dataclasses.replace(c, **changes) if c.name == name else c for c in self.columns)
        return dataclasses.replace(self, columns=columns)

    def _repr_html_(self) -> str:
        """A table for notebooks."""
        head = "".join(f"<th>{word}</th>" for word in ("column", "kind", "values", "missing"))
        rows = "".join(
            f"<tr><td>{html.escape(c.name)}</td><td>{c.kind}</td><td>{html.escape(_values(c))}</td>"
            f"<td>{'' if c.missing is None else html.escape(repr(c.missing))}</td></tr>"
            for c in self
        )
        unit = "each row is its own" if self.unit is None else html.escape(self.unit)
        said = "declared as public" if self.declared else "inferred from the data"
        caption = f"{len(self)} columns, {said}; unit: {unit}"
        return f"<table><caption>{caption}</caption><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"

    def to_dict(self) -> dict[str, Any]:
        """Plain data, as in `schema.toml`."""
        head: dict[str, Any] = {"declared": self.declared}
        if self.unit is not None:
            head["unit"] = self.unit
        tail: dict[str, Any] = {"rules": [rule.to_dict() for rule in self.rules]} if self.rules else {}
        return head | {"columns": {column.name: column.to_dict() for column in self.columns}} | tail

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Schema:
        """The reverse of `to_dict`; an unknown key is refused by name."""
        for key in data:
            if key not in _KEYS:
                raise SchemaError(f"schema: unknown key {key!r}{nearest(key, _KEYS)}.")
        columns = data.get("columns")
        if not isinstance(columns, Mapping) or not columns:
            raise SchemaError("schema: no columns given, expected one [columns.NAME] table per column.")
        for name, fields in columns.items():
            if not isinstance(fields, Mapping):
                raise SchemaError(f"column {name!r}: got {fields!r}, expected a table [columns.{name}] with a kind.")
        if not isinstance(data.get("declared", False), bool):
            raise SchemaError(f"schema: declared is {data['declared']!r}, expected true or false.")
        return cls(
            columns=tuple(Column.from_dict(name, fields) for name, fields in columns.items()),
            unit=data.get("unit"),
            declared=data.get("declared", False),
            rules=data.get("rules", ()),
        )


_KEYS = ("declared", "unit", "columns", "rules")
_SHOWN_LEVELS = 6


def _values(column: Column) -> str:
    """The bounds or the first levels of a column, for people."""
    if column.levels is not None:
        shown = ", ".join(column.levels[:_SHOWN_LEVELS])
        more = len(column.levels) - _SHOWN_LEVELS
        return shown if more <= 0 else f"{shown} and {more} more"
    if column.minimum is None and column.maximum is None:
        return ""
    low, high = ("" if bound is None else str(bound) for bound in (column.minimum, column.maximum))
    return f"{low} to {high}"
