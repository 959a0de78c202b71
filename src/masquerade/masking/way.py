"""The contract of a way to mask: its options, what it does to a batch of cells, and what it says of itself."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NoReturn, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from masquerade import spelling
from masquerade.errors import SettingError, nearest
from masquerade.frames import FrameKind
from masquerade.masking.keys import Key
from masquerade.schema import Column, Schema

__all__ = ["Batch", "Way", "parsed", "spelled", "there"]


@dataclass(frozen=True)
class Batch:
    """Some consecutive rows of a table, and what is needed to mask them.

    Args:
        raw: the rows as their owner spelled them, before any masking.
        schema: what the columns are; at least those that are masked.
        kind: the frame they came from; None: a CSV, all text.
        key: of surrogates.
        random: of noise and permutations.
        hidden: by masked column, which of its cells: booleans, shape (rows,); None: all.
    """

    raw: pl.DataFrame
    schema: Schema
    kind: FrameKind | None
    key: Key
    random: np.random.Generator
    hidden: Mapping[str, NDArray[np.bool_] | None] = dataclasses.field(default_factory=dict)

    def cells(self, name: str) -> pl.Series:
        """A column's raw cells."""
        return self.raw.get_column(name)


@dataclass(frozen=True, kw_only=True)
class Way(ABC):
    """One way to mask one column; its fields are the options of a rule.

    A subclass is a frozen dataclass that checks its options when it is made, without knowing the column.
    """

    how: ClassVar[str]
    """Its name in `how=`."""

    whole: ClassVar[bool] = False
    """Whether it needs all rows at once, so that a table cannot be masked batch by batch."""

    @abstractmethod
    def apply(self, name: str, batch: Batch) -> pl.Series:
        """The column's cells masked: as many, missing ones still missing; the caller keeps those that are not hidden.

        Raises:
            SchemaError: the column's cells are not what this way can mask.
        """

    @abstractmethod
    def facts(self) -> dict[str, Any]:
        """What the ledger says: the options that may be told, and `reversible`: `"no"`, `"with the key"` or in words."""

    def options(self) -> dict[str, Any]:
        """Plain data that `of` makes the same way from, and that needs no file."""
        fields = dataclasses.fields(self)
        chosen = {f.name: getattr(self, f.name) for f in fields if f.init and getattr(self, f.name) != f.default}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in chosen.items()}

    def settled(self, column: Column, cells: pl.Series) -> Way:
        """The same way with what it leaves to the column's cells decided; by default there is nothing to decide."""
        del column, cells
        return self

    def check(self, column: Column) -> None:
        """Raise `SettingError` where the column's kind is none that this way can mask; by default it can mask any."""
        del column

    @classmethod
    def of(cls, name: str, options: Mapping[str, Any]) -> Self:
        """From the options of a rule.

        Args:
            name: the column, for messages.
            options: by name; strict.

        Raises:
            SettingError: an option that there is not, or out of its range.
        """
        known = [field.name for field in dataclasses.fields(cls) if field.init]
        for option in options:
            if option not in known:
                listed = ", ".join(known) or "none"
                raise SettingError(
                    f"column {name!r}: how = {cls.how!r} has no option {option!r}{nearest(option, known)}; it has {listed}."
                )
        try:
            return cls(**{k: tuple(v) if isinstance(v, list) else v for k, v in options.items()})
        except SettingError as error:
            raise SettingError(f"column {name!r}: {error}") from None


def refuse(option: str, got: object, expected: str) -> NoReturn:
    """An option out of its range; `Way.of` puts the column's name before it."""
    raise SettingError(f"{option}: got {got!r}, expected {expected}.")


def parsed(name: str, batch: Batch) -> tuple[pl.Series, pl.Series]:
    """A column's typed values, and which cells are missing.

    Raises:
        SchemaError: a cell does not fit its column's kind.
    """
    part = Schema((batch.schema[name],))
    values = spelling.parse(batch.raw.select(name), part).get_column(name)
    return values, values.is_null()


def spelled(values: pl.Series, name: str, batch: Batch) -> pl.Series:
    """Typed values as the column spells them."""
    part = Schema((batch.schema[name],))
    return spelling.spell(values.alias(name).to_frame(), part, batch.kind).get_column(name)


def there(name: str, batch: Batch) -> tuple[pl.Series, pl.Series]:
    """A column's cells as text, and which of them are there at all; a missing one keeps its own spelling."""
    cells = batch.cells(name)
    column = batch.schema[name]
    text = cells if cells.dtype == pl.String else cells.cast(pl.String)
    missing = cells.is_null() | (text == "").fill_null(False)
    if cells.dtype.is_float():
        missing = missing | cells.is_nan().fill_null(False)
    if column.missing is not None:
        missing = missing | (text == column.missing).fill_null(False)
    return text, ~missing
