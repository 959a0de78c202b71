"""Further pictures and tables of a report, as plain facts: a release says what it found, the page draws it.

>>> line = Line("ours", (0.6,), (0.01,))
>>> Panel("Curve", "More strength, less secret.", Curve("AUC", "loss", (line,))).to_dict()["chart"]["kind"]
'curve'
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

__all__ = ["Bars", "Curve", "Grid", "Line", "Panel", "Rows", "Strip"]


@dataclass(frozen=True)
class Line:
    """Points of one way of doing something, joined in their order where there are several.

    Args:
        name: of the way, such as `"drop the secret"`.
        x: of each point.
        y: of each point.
        labels: what stands beside each point, such as `"strength 0.5"`; empty: nothing.
    """

    name: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class Curve:
    """Lines over two axes.

    Args:
        x_title: what the horizontal axis measures.
        y_title: what the vertical one does.
        lines: at least one.
        logarithmic: whether equal ways along the horizontal axis are equal factors; all x are above 0 then.
    """

    x_title: str
    y_title: str
    lines: tuple[Line, ...]
    logarithmic: bool = False
    kind: str = "curve"


@dataclass(frozen=True)
class Bars:
    """One bar for each name.

    Args:
        title: what the bars measure.
        names: of the bars.
        values: of the bars.
        groups: of each bar, which gives its colour; empty: all alike.
        errors: half-widths of intervals; empty: none.
    """

    title: str
    names: tuple[str, ...]
    values: tuple[float, ...]
    groups: tuple[str, ...] = ()
    errors: tuple[float, ...] = ()
    kind: str = "bars"


@dataclass(frozen=True)
class Grid:
    """A number for each pair of names, as shades.

    Args:
        title: what the shades measure.
        rows: names from top to bottom.
        columns: names from left to right.
        values: one tuple for each row.
    """

    title: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    values: tuple[tuple[float, ...], ...]
    kind: str = "grid"


@dataclass(frozen=True)
class Rows:
    """A small table.

    Args:
        header: of each column; the first names the row, the others hold figures.
        rows: cells as they are to be read.
    """

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Strip:
    """A few pictures side by side.

    Args:
        title: what they are, such as the class.
        source: the pictures as one PNG, as a `data:` address.
    """

    title: str
    source: str


@dataclass(frozen=True)
class Panel:
    """One part of a report.

    Args:
        title: its heading.
        note: what it shows and how to read it, in plain words.
        chart: what is drawn; None: nothing.
        table: what is listed; None: nothing.
        strips: pictures that are shown, one strip under the other.
        owner_only: whether it must not leave the house even where the report does.
    """

    title: str
    note: str
    chart: Curve | Bars | Grid | None = None
    table: Rows | None = None
    strips: tuple[Strip, ...] = ()
    owner_only: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Plain data: the entry of `facts["panels"]`."""
        return dataclasses.asdict(self)
