"""Fills of hidden cells by models that never saw the row: cross-fitting by halves.

A model draws a hidden cell from the other cells of its row. Had it learned from that very row, its draw could be the truth
more often than chance allows. So two models are fitted, each on one half of the rows, and each row is filled by the model of
the other half: cross-fitting (Chernozhukov et al. 2018, arXiv 1608.00060). Which half a row belongs to is a keyed hash of its
cells (of its unit, where there is one), so nothing of the rows has to be kept to tell it later. Equal rows are numbered first
and go either way: were they to stay together, the other half would never show what they are, and a fill would tell what the
truth is not.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from masquerade import seeds
from masquerade.errors import TableError
from masquerade.frames import LEAST_ROWS
from masquerade.progress import Callback
from masquerade.schema import Schema

__all__ = ["CrossFit", "Filler", "Hidden", "halves"]

Hidden = Mapping[str, NDArray[np.bool_]]
"""By column, which cells are hidden: booleans, shape (rows,). A column that is not there has none hidden."""


class Filler(ABC):
    """A fitted model that draws hidden cells from the others of their row."""

    @classmethod
    @abstractmethod
    def learn(
        cls, typed: pl.DataFrame, schema: Schema, protect: int, seed: int, callbacks: tuple[Callback, ...] = ()
    ) -> Self:
        """Learn from typed rows.

        Args:
            typed: at least 10 rows.
            schema: what the columns are.
            protect: how many rows (units) must have a value for it to be drawn.
            seed: of everything.
            callbacks: told how far training is.
        """

    @abstractmethod
    def fill(self, typed: pl.DataFrame, hidden: Hidden, seed: int) -> pl.DataFrame:
        """The typed rows with hidden cells drawn anew, in the same order; the others as they were.

        Args:
            typed: rows with the fitted columns.
            hidden: which cells to draw, whatever stands in them.
            seed: of every draw.
        """

    @abstractmethod
    def to_state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Plain data and arrays."""

    @classmethod
    @abstractmethod
    def from_state(cls, config: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The reverse of `to_state`."""


def halves(typed: pl.DataFrame, salt: bytes, unit: str | None = None) -> NDArray[np.bool_]:
    """Which half each row belongs to: booleans, shape (rows,), by a keyed hash of its cells, or of its unit.

    Of equal rows the first, the second and so on are hashed with their number.

    Args:
        typed: rows.
        salt: the key of the hash, at most 64 bytes.
        unit: the column that says whose row it is; all rows of a unit are in one half. None: each row by itself.

    >>> rows = pl.DataFrame({"x": [1, 2, 3]})
    >>> (halves(rows, b"salt") == halves(rows.reverse(), b"salt")[::-1]).all()
    np.True_
    """
    columns = typed.columns if unit is None else [unit]
    text = pl.concat_str([pl.col(name).cast(pl.String).fill_null("\0") for name in columns], separator="\x1f")
    texts = typed.select(text.alias("text")).to_series()
    if unit is None:
        numbers = texts.to_frame().select(pl.int_range(pl.len()).over("text")).to_series()
        texts = texts + "\x1e" + numbers.cast(pl.String)
    bits = [hashlib.blake2b(text.encode(), digest_size=1, key=salt).digest()[0] & 1 for text in texts]
    return np.array(bits, dtype=np.bool_)


@dataclass(frozen=True)
class CrossFit:
    """Two fillers, each of one half of the rows; rows of a half are filled by the other half's.

    Args:
        fillers: of the half `False` and of the half `True`: which rows each has learned from.
        salt: the key of the hash that splits rows.
        unit: the column that says whose row it is; None: each row is its own.

    Formal guarantees:
        The fill of a row is a function of the other half's rows, of what the row shows, of random draws, of the schema, and of
        one bit of the keyed hash of the row, which says which half it is in: its hidden cells have no other part in it.
    """

    fillers: tuple[Filler, Filler]
    salt: bytes
    unit: str | None = None

    @classmethod
    def fit(
        cls, typed: pl.DataFrame, unit: str | None, learn: Callable[[pl.DataFrame, int], Filler], seed: int
    ) -> Self:
        """Split the rows and learn from each half.

        Args:
            typed: the training rows.
            unit: the column that says whose row it is; None: each row is its own.
            learn: a filler from some rows, with a seed.
            seed: of the split and the models.

        Raises:
            TableError: a half is too small.
        """
        salt = seeds.stream(seed, "halves").bytes(32)
        second = halves(typed, salt, unit)
        least = min(int(second.sum()), int((~second).sum()))
        if least < LEAST_ROWS:
            raise TableError(
                f"table: half of its different {'rows' if unit is None else 'units'} fill the other half's cells, and the "
                f"smaller half has {least} rows, expected at least {LEAST_ROWS}; give more rows, or mask by a rule "
                "(how='replace', 'redact', 'noise', 'generalize', 'shuffle' or 'suppress')."
            )
        first, other = (learn(typed.filter(which), seeds.integer(seed, name)) for which, name in
                        ((~second, "first"), (second, "second")))  # fmt: skip
        return cls((first, other), salt, unit)

    def fill(self, typed: pl.DataFrame, hidden: Hidden, seed: int, *, seen: bool = False) -> pl.DataFrame:
        """The typed rows with hidden cells drawn by the model of the other half.

        Args:
            typed: rows with the fitted columns.
            hidden: which cells to draw.
            seed: of every draw.
            seen: draw by the model of the row's own half instead, which cross-fitting is there to avoid; only to measure it.
        """
        second = halves(typed, self.salt, self.unit)
        parts, places = [], []
        anywhere = np.zeros(typed.height, np.bool_)
        for flags in hidden.values():
            anywhere |= flags
        for half in (False, True):
            place = np.flatnonzero((second == half) & anywhere)
            if place.size:
                filler = self.fillers[int(half == seen)]
                chosen = {name: flags[place] for name, flags in hidden.items()}
                parts.append(filler.fill(typed[place], chosen, seeds.integer(seed, "fill", int(half))))
                places.append(place)
        if not parts:
            return typed
        drawn, index = pl.concat(parts), np.concatenate(places)
        return typed.with_columns(
            typed.get_column(name).scatter(index, drawn.get_column(name)) for name in typed.columns
        )

    def to_state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Plain data and arrays of both fillers; no row is among them."""
        config: dict[str, Any] = {"salt": self.salt.hex(), "unit": self.unit, "fillers": []}
        arrays: dict[str, NDArray[Any]] = {}
        for number, filler in enumerate(self.fillers):
            own, parts = filler.to_state()
            config["fillers"].append(own)
            arrays |= {f"{number}/{name}": part for name, part in parts.items()}
        return config, arrays

    @classmethod
    def from_state(cls, kind: type[Filler], config: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The reverse of `to_state`; `kind` is the class of the fillers."""
        fillers = [
            kind.from_state(own, {k.partition("/")[2]: v for k, v in arrays.items() if k.startswith(f"{number}/")})
            for number, own in enumerate(config["fillers"])
        ]
        return cls((fillers[0], fillers[1]), bytes.fromhex(config["salt"]), config["unit"])
