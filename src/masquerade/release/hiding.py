"""Which cells are hidden, and masked cells put among the others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from masquerade import frames, seeds
from masquerade.errors import SettingError, TableError, nearest

__all__ = ["Flags", "hidden_cells", "merged", "read_mask"]

Flags = dict[str, NDArray[np.bool_]]
"""By column, which of its cells are hidden: booleans, shape (rows,)."""


def hidden_cells(rates: Mapping[str, tuple[float, str]], rows: int, seed: int) -> Flags:
    """Random cells of some columns.

    Args:
        rates: by column, the share of its cells, and the name of the draw: columns with the same one have the same rows hidden.
        rows: how many there are.
        seed: of the choice.
    """
    return {
        name: np.ones(rows, np.bool_) if rate == 1 else seeds.stream(seed, "hide", draw).random(rows) < rate
        for name, (rate, draw) in rates.items()
    }


def read_mask(mask: Any, raw: pl.DataFrame) -> Flags:
    """The columns of a mask that hide anything.

    Args:
        mask: booleans: an array of the table's shape, or a frame with names of its columns.
        raw: the table.

    Raises:
        SettingError: another shape, an unknown column, or not booleans.
    """
    expected = f"booleans of the table's shape, {raw.height} rows and {raw.width} columns"
    try:
        frame, _ = frames.to_polars(mask)
    except TableError:
        values = np.asarray(mask)
        if values.shape != raw.shape or values.dtype != np.bool_:
            raise SettingError(f"mask: got {values.dtype} of shape {values.shape}, expected {expected}.") from None
        columns = {name: values[:, place] for place, name in enumerate(raw.columns)}
    else:
        if frame.height != raw.height:
            raise SettingError(f"mask: got {frame.height} rows, expected {expected}.")
        columns = {}
        for name, dtype in frame.schema.items():
            if name not in raw.columns:
                raise SettingError(f"mask: there is no column {name!r}{nearest(name, raw.columns)}.")
            if dtype != pl.Boolean or frame[name].null_count():
                raise SettingError(f"mask: column {name!r} holds {dtype}, expected booleans, none missing.")
            columns[name] = frame[name].to_numpy()
    return {name: flags for name, flags in columns.items() if flags.any()}


def merged(cells: pl.Series, made: pl.Series, hidden: NDArray[np.bool_]) -> pl.Series:
    """The made cells where they are hidden, the others as they were; as text where one column cannot hold both.

    >>> merged(pl.Series("a", [1, 2]), pl.Series(["x", "y"]), np.array([True, False])).to_list()
    ['x', '2']
    """
    made = made.alias(cells.name)
    if made.dtype != cells.dtype:
        cast = made.cast(cells.dtype, strict=False)
        if cast.null_count() == made.null_count() and (
            made.dtype == pl.String or (cast.cast(made.dtype) == made).all()
        ):
            made = cast
    if hidden.all():
        return made
    if made.dtype != cells.dtype:
        made, cells = made.cast(pl.String), cells.cast(pl.String)
    return made.zip_with(pl.Series(hidden), cells)
