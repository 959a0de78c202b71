"""Values made coarser: numbers to bins, dates to months, postcodes to prefixes, levels to broader ones."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import polars as pl

from masquerade.errors import SettingError
from masquerade.masking.hierarchy import read_hierarchy
from masquerade.masking.way import Batch, Way, parsed, refuse, spelled, there
from masquerade.numbers_format import NumberStyle, is_number, spell_numbers
from masquerade.schema import Column

__all__ = ["Generalize"]

_DATES = {"month": "1mo", "quarter": "1q", "year": "1y", "decade": "10y"}
_CHOICES = ("width", "edges", "to", "prefix", "hierarchy")


@dataclass(frozen=True, kw_only=True)
class Generalize(Way):
    """Make values coarser in one of five ways, of which exactly one is given.

    Args:
        width: numbers: bins of this width, beginning at multiples of it.
        edges: numbers: rising bounds of bins; what lies beyond the outer ones is in an open bin.
        to: dates: `"month"`, `"quarter"`, `"year"` or `"decade"`.
        prefix: text: how many characters stay; the others become `*`.
        hierarchy: text: a CSV (a level and, behind it, ever broader ones) or TOML file (`level = "broader"`), or a mapping.
        depth: how many steps up the hierarchy; 1 by default. A value that is not in it becomes `other`.
        other: what stands for values that are not in the hierarchy; `"*"` by default.
        label: of bins and dates: `"range"` (text such as `20 to 29`, `2020-05`; default) or `"start"` (the lower bound, the
            first day: still a number, a date).
    """

    how: ClassVar[str] = "generalize"
    width: float | None = None
    edges: tuple[float, ...] | None = None
    to: str | None = None
    prefix: int | None = None
    hierarchy: str | Path | Mapping[str, str] | None = None
    depth: int = 1
    other: str = "*"
    label: str = "range"
    _levels: dict[str, str] = field(default_factory=dict, repr=False, compare=False, init=False)

    def __post_init__(self) -> None:
        given = [option for option in _CHOICES if getattr(self, option) is not None]
        if len(given) != 1:
            got = ", ".join(given) or "none of them"
            raise SettingError(f"how = 'generalize': got {got}, expected exactly one of {', '.join(_CHOICES)}.")
        if self.width is not None and (not is_number(self.width) or not 0 < self.width < math.inf):
            refuse("width", self.width, "a number above 0")
        if self.edges is not None:
            edges: object = self.edges
            numbers = isinstance(edges, tuple) and len(edges) > 0 and all(map(is_number, edges))
            if not numbers or any(a >= b for a, b in itertools.pairwise(self.edges)):
                refuse("edges", self.edges, "a list of rising numbers")
        if self.to is not None and self.to not in _DATES:
            refuse("to", self.to, " or ".join(map(repr, _DATES)))
        for option in ("prefix", "depth"):
            value = getattr(self, option)
            low = 1 if option == "depth" else 0
            if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < low):
                refuse(option, value, f"a whole number of at least {low}")
        if self.depth != 1 and self.hierarchy is None:
            raise SettingError("depth: says how far up a hierarchy, and there is none; leave it out.")
        if not isinstance(self.other, str):
            refuse("other", self.other, "text in quotes")
        if self.label not in ("range", "start"):
            refuse("label", self.label, "'range' or 'start'")
        if self.label == "start" and self.edges is not None:
            raise SettingError(
                "label: the bin below the first of the edges has no start; give width, or leave label out."
            )
        if self.hierarchy is not None:
            if not isinstance(self.hierarchy, str | Path | Mapping):
                refuse("hierarchy", self.hierarchy, "a file's path or a mapping of levels")
            self._levels.update(read_hierarchy(self.hierarchy, self.depth))

    def options(self) -> dict[str, Any]:
        """With the levels themselves in place of a file."""
        found = super().options()
        if self.hierarchy is not None:
            found.pop("depth", None)
            found["hierarchy"] = dict(self._levels)
        return found

    def check(self, column: Column) -> None:
        wanted = (
            "numbers"
            if self.width is not None or self.edges is not None
            else "dates"
            if self.to is not None
            else "text"
        )
        numeric = column.kind in ("integer", "continuous")
        if (wanted == "numbers" and not numeric) or (wanted == "dates" and column.kind != "datetime"):
            option = next(option for option in _CHOICES if getattr(self, option) is not None)
            raise SettingError(
                f"column {column.name!r}: {option} is for {wanted}, and the column is {column.kind}; choose another option, "
                "or give its kind in the schema."
            )

    def apply(self, name: str, batch: Batch) -> pl.Series:
        if self.prefix is not None or self.hierarchy is not None:
            return self._text(name, batch)
        values, missing = parsed(name, batch)
        made = self._dates(values) if self.to is not None else self._bins(values.cast(pl.Float64), batch.schema[name])
        if made.dtype != pl.String:
            if values.dtype == pl.Int64 and (made == made.round(0)).all():
                made = made.cast(pl.Int64)
            made = spelled(made, name, batch)
        cells = batch.cells(name)
        if made.dtype != cells.dtype:
            return made.alias(name)
        return pl.select(pl.when(missing).then(cells).otherwise(made).alias(name)).to_series()

    def _text(self, name: str, batch: Batch) -> pl.Series:
        text, present = there(name, batch)
        if self.prefix is not None:
            length = text.str.len_chars().cast(pl.Int64)
            marks = pl.Series(["*" * int(length.max() or 0)], dtype=pl.String)  # type: ignore[arg-type]
            rest = pl.lit(marks).first().str.slice(0, (pl.lit(length) - self.prefix).clip(0))
            made = pl.concat_str([pl.lit(text).str.slice(0, self.prefix), rest])
        else:
            levels = pl.DataFrame({"v": list(self._levels), "s": list(self._levels.values())})
            found = pl.DataFrame({"v": text.str.strip_chars()}).join(levels, on="v", how="left", maintain_order="left")
            made = pl.lit(found["s"].fill_null(self.other))
        return pl.select(pl.when(present).then(made).otherwise(text).alias(name)).to_series()

    def _dates(self, values: pl.Series) -> pl.Series:
        start = (
            values.dt.truncate(_DATES[str(self.to)])
            if self.to != "decade"
            else pl.Series(
                values.name,
                pl.select(pl.datetime(pl.lit(values.dt.year() // 10 * 10), 1, 1, time_unit="us")).to_series(),
            )
        )
        if self.label == "start":
            return start
        year = start.dt.strftime("%Y")
        if self.to == "month":
            return start.dt.strftime("%Y-%m")
        if self.to == "quarter":
            return year + "-Q" + start.dt.quarter().cast(pl.String)
        return year + "s" if self.to == "decade" else year

    def _bins(self, values: pl.Series, column: Column) -> pl.Series:
        """Names of bins, or where they begin."""
        if self.edges is not None:
            edges = np.array(self.edges, np.float64)
            place = np.searchsorted(edges, values.fill_null(0.0).to_numpy(), side="right")
            words = [self._written(edge) for edge in self.edges]
            names = [
                f"below {words[0]}",
                *(f"{a} to below {b}" for a, b in itertools.pairwise(words)),
                f"{words[-1]} and above",
            ]
            made = pl.Series(values.name, names, dtype=pl.String).gather(place)
            return pl.select(pl.when(values.is_not_null()).then(made)).to_series()
        width = float(self.width)  # type: ignore[arg-type]
        start = (values / width).floor() * width
        if self.label == "start":
            return start
        low, high = (spell_numbers(pl.Series(side), NumberStyle(None, "western", "."), decimals=self._decimals(), least=0)
                     for side in (start, start + width))  # fmt: skip
        whole = column.kind == "integer" and width == round(width)
        if whole:
            high = (start + width - 1).cast(pl.Int64).cast(pl.String)
        return low + (" to " if whole else " to below ") + high

    def _decimals(self) -> int:
        digits = f"{self.width:.12f}".rstrip("0").partition(".")[2]
        return len(digits)

    @staticmethod
    def _written(edge: float) -> str:
        return (
            f"{edge:g}"
            if abs(edge) < 1e6 and edge != round(edge)
            else f"{edge:.12g}"
            if edge != round(edge)
            else str(int(edge))
        )

    def facts(self) -> dict[str, Any]:
        option = next(option for option in _CHOICES if getattr(self, option) is not None)
        value = getattr(self, option)
        if option == "hierarchy":
            value = "a mapping" if isinstance(value, Mapping) else Path(value).name
        shown = {option: list(value) if isinstance(value, tuple) else value}
        return shown | ({"depth": self.depth} if option == "hierarchy" else {}) | {"reversible": "no"}
