"""Counts that may be shown: shared bins whose every real count stands for enough people, and quantiles read off them.

Bins lie on round numbers between the protected bounds; a bin that too few units of the real table fall into is merged
with its neighbours. Both tables are counted on the same edges, their tails pulled in to the outermost bins.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from masquerade.privacy.protect import protected_bounds

__all__ = ["Bins", "count_units", "nice_step", "protected_bins", "quantile"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Scale = Literal["linear", "log"]

_UNIT_WIDTH = 60  # integers spanning fewer values get a bin each
_SKEWED = 8.0  # a range this many times the middle nine tenths (or 4 times that, the half) is drawn on a log axis
_SECOND, _DAY = 1.0, 86_400.0
_CLOCK_STEPS = [
    1,
    5,
    15,
    30,
    60,
    300,
    900,
    1800,
    3600,
    3 * 3600,
    6 * 3600,
    12 * 3600,
    _DAY,
    2 * _DAY,
    7 * _DAY,
    14 * _DAY,
]
_MONTH_STEPS = [1, 2, 3, 6, 12, 24, 60, 120, 600, 1200]


@dataclass(frozen=True)
class Bins:
    """Shared edges and how many real rows fall between them.

    Args:
        edges: shape (bins + 1,), rising; the outermost bins also hold everything beyond.
        cells: how many equal cells of the drawing each bin spans, shape (bins,); more than 1 where bins were merged.
        counts: real rows per bin, shape (bins,); 0, or rows of at least `threshold` units.
        scale: `"log"` where the edges grow by ratios, so that each cell is drawn equally wide.
        low, high: the protected bounds.
    """

    edges: Floats
    cells: Ints
    counts: Ints
    scale: Scale
    low: float
    high: float

    def count(self, values: Floats) -> Ints:
        """Rows of another table per bin, tails pulled in; shape (bins,)."""
        return np.bincount(_cell(values, self.edges), minlength=self.cells.size)


def protected_bins(
    values: Floats, threshold: int, units: Ints | None = None, *, kind: str = "continuous", cells: int = 40
) -> Bins | None:
    """Bins for one numeric column of the real table.

    Args:
        values: finite numbers, shape (rows,), none missing; a moment in seconds.
        threshold: how many different units each bin must hold.
        units: unit of each value, shape (rows,); None: each is its own.
        kind: the column's kind: `integer`, `continuous` or `datetime`.
        cells: about how many cells the range is cut into.

    Returns:
        None when too few units have a value for anything to be shown.

    >>> bins = protected_bins(np.repeat([1.0, 2.0, 3.0], [20, 3, 20]), 10, kind="integer")
    >>> bins.edges.tolist(), bins.counts.tolist()
    ([0.5, 1.5, 3.5], [20, 23])
    """
    holders = values.size if units is None else np.unique(units).size
    constant = values.size > 0 and bool((values == values[0]).all())
    if holders < threshold or (holders < 2 * threshold and not constant):
        return None
    low, high = protected_bounds(values, threshold, units)
    clipped = np.clip(values, low, high)
    edges, scale = _grid(clipped, low, high, kind, cells)
    groups = _merged(_cell(clipped, edges), edges.size - 1, threshold, units)
    starts = np.append(groups, edges.size - 1)
    kept = edges[starts]
    return Bins(
        edges=kept,
        cells=np.diff(starts),
        counts=np.bincount(_cell(clipped, kept), minlength=starts.size - 1),
        scale=scale,
        low=low,
        high=high,
    )


def count_units(codes: Ints, size: int, units: Ints | None) -> Ints:
    """How many different units have each code in [0, size); shape (size,)."""
    if units is None:
        return np.bincount(codes, minlength=size)
    pairs = np.unique(np.stack([codes, units]), axis=1)
    return np.bincount(pairs[0], minlength=size)


def quantile(
    values: Floats, share: float, threshold: int, units: Ints | None = None, *, integer: bool = False
) -> float:
    """A quantile that is nobody's own value: exact if at least `threshold` units have it, else a mean over its neighbours.

    Args:
        values: finite numbers in rising order, shape (rows,).
        share: which quantile, 0 to 1.
        threshold: how many units must share an exact value, and how many the mean is taken over.
        units: unit of each value, in the same order; None: each is its own.
        integer: whether to round a mean.

    >>> round(quantile(np.arange(101.0), 0.25, 10), 6), quantile(np.repeat([1.0, 7.0], 20), 0.25, 10)
    (24.5, 1.0)
    """
    rank = max(math.ceil(share * values.size) - 1, 0)
    exact = float(values[rank])
    first, last = (int(np.searchsorted(values, exact, side=side)) for side in ("left", "right"))
    if (last - first if units is None else np.unique(units[first:last]).size) >= threshold:
        return exact
    width = threshold
    while True:
        first = min(max(rank - width // 2, 0), max(values.size - width, 0))
        near = slice(first, first + width)
        if units is None or width >= values.size or np.unique(units[near]).size >= threshold:
            break
        width *= 2
    size = float(np.abs(values[near]).max()) or 1.0
    mean = float((values[near] / size).mean()) * size
    return float(round(mean)) if integer else mean


def nice_step(span: float, cells: int) -> float:
    """The smallest round step (1, 2, 2.5 or 5 times a power of ten) that covers `span` in at most `cells` steps.

    >>> nice_step(97.0, 40)
    2.5
    """
    power = 10.0 ** math.floor(math.log10(span / cells))
    return next(power * factor for factor in (1.0, 2.0, 2.5, 5.0, 10.0, 20.0) if power * factor * cells >= span)


def _cell(values: Floats, edges: Floats) -> Ints:
    """Which bin each value falls into, tails pulled in to the outermost bins."""
    found = np.searchsorted(edges, values, side="right") - 1
    return np.clip(found, 0, edges.size - 2).astype(np.int64)


def _merged(codes: Ints, size: int, threshold: int, units: Ints | None) -> Ints:
    """First cell of each bin, after merging until each is empty or holds at least `threshold` units."""
    alone = count_units(codes, size, units)
    rows = np.bincount(codes, minlength=size)
    members: dict[int, set[int]] = {}
    if units is not None:
        thin = (alone > 0) & (alone < threshold)
        for code, unit in zip(codes[thin[codes]].tolist(), units[thin[codes]].tolist(), strict=True):
            members.setdefault(code, set()).add(unit)
    starts: list[int] = []
    held: set[int] | int = set() if units is not None else 0
    begun: int | None = None  # first cell of a bin that is still short of its threshold
    for cell in range(size):
        if begun is None and rows[cell] == 0:
            starts.append(cell)
            continue
        begun = cell if begun is None else begun
        if alone[cell] >= threshold:
            enough = True
        elif isinstance(held, set):
            held |= members.get(cell, set())
            enough = len(held) >= threshold
        else:
            held += int(alone[cell])
            enough = held >= threshold
        if enough:
            starts.append(begun)
            begun, held = None, set() if units is not None else 0
    if begun is not None:  # what is left joins the last bin that holds enough
        ends = [*starts[1:], begun]
        while starts and int(rows[starts[-1] : ends[-1]].sum()) == 0:
            starts.pop()
            ends.pop()
        if not starts:
            starts.append(0)
    return np.asarray(starts, dtype=np.int64)


def _grid(clipped: Floats, low: float, high: float, kind: str, cells: int) -> tuple[Floats, Scale]:
    if kind == "datetime":
        return _calendar(low, high, cells), "linear"
    whole = kind == "integer"
    if high - low <= 1e-9 * max(abs(low), abs(high)):
        pad = 0.5 if whole else (nice_step(abs(low), 10) if low else 0.5)
        return np.array([low - pad, high + pad]), "linear"
    if whole and high - low < _UNIT_WIDTH and high - low < 1.6 * cells:
        return np.arange(low - 0.5, high + 1.0, 1.0), "linear"
    lowest, lower, upper, highest = np.quantile(clipped, [0.05, 0.25, 0.75, 0.95])
    span = high - low
    if not math.isfinite(span) or span > min(_SKEWED * (highest - lowest), 4 * _SKEWED * (upper - lower)):
        edges = _ratios(clipped, low, high, cells)
        if not whole:
            return edges, "log"
        zero = [0.0, 1.0] if low <= 0 <= high else []  # the number zero gets a bin of its own
        return np.unique(np.ceil(np.concatenate([edges, zero])) - 0.5), "log"
    step = nice_step(span, cells)
    if whole and step != round(step):
        step *= 2  # 0.5 and 2.5 become whole
    counts = range(math.floor(low / step), math.floor(high / step) + 2)
    edges = np.array([float(f"{count * step:.12g}") for count in counts])
    return (edges - 0.5 if whole else edges), "linear"


def _ratios(clipped: Floats, low: float, high: float, cells: int) -> Floats:
    """Edges that grow by round ratios away from zero on both sides."""
    sizes = np.abs(clipped[clipped != 0])
    top = max(abs(low), abs(high))
    least = float(np.quantile(sizes, 0.02)) if sizes.size else top
    first = math.floor(math.log10(least))
    last = math.ceil(math.log10(top))
    first = max(first, last - 12) if last - first < 60 else first
    decades = max(last - first, 1)
    per_side = cells if low >= 0 or high <= 0 else cells // 2
    choices: list[list[float]] = [
        [1, 1.25, 1.6, 2, 2.5, 3.2, 4, 5, 6.4, 8],
        [1, 1.5, 2, 3, 5, 7],
        [1, 2, 5],
        [1, 3],
        [1],
    ]
    steps = next((c for c in choices if len(c) * decades <= 1.2 * per_side), [1.0])
    stride = max(1, math.ceil(decades / per_side))
    ladder: Floats = np.array([float(f"{step}e{power}") for power in range(first, last + 1, stride) for step in steps])
    ladder = np.unique(np.minimum(ladder, np.finfo(np.float64).max))
    edges = np.concatenate([-ladder[::-1], [0.0] if low >= 0 or high <= 0 else [], ladder])
    begin = max(int(np.searchsorted(edges, low, side="right")) - 1, 0)
    end = min(int(np.searchsorted(edges, high, side="right")), edges.size - 1)
    return np.asarray(edges[begin : end + 1], dtype=np.float64)


def _calendar(low: float, high: float, cells: int) -> Floats:
    """Edges in seconds on round clock times, days or months."""
    span = max(high - low, _SECOND)
    step = next((s for s in _CLOCK_STEPS if s * cells >= span), None)
    if step is not None:
        clock = np.arange(math.floor(low / step), math.floor(high / step) + 2, dtype=np.float64) * float(step)
        return np.asarray(clock, dtype=np.float64)
    months = next((m for m in _MONTH_STEPS if m * 30.4 * _DAY * cells >= span), _MONTH_STEPS[-1])
    first, last = (np.datetime64(int(x), "s").astype("datetime64[M]").astype(int) for x in (low, high))
    stamps = np.arange(first // months, last // months + 2) * months
    return stamps.astype("datetime64[M]").astype("datetime64[s]").astype(np.float64)
