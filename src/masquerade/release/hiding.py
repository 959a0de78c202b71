"""Which cells are hidden, and masked cells put among the others."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from masquerade import frames, seeds
from masquerade.errors import SchemaError, SettingError, TableError, nearest
from masquerade.schema import Schema

__all__ = ["Flags", "check_same_columns", "hidden_cells", "merged", "read_mask"]

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


def check_same_columns(names: Sequence[str], schema: Schema) -> None:
    """Refuse a table whose columns are not those of the schema, in whatever order.

    Raises:
        SchemaError: one is missing, or one too many; the nearest is named.
    """
    for name in schema.names:
        if name not in names:
            raise SchemaError(f"column {name!r} was fitted but is not in the table{nearest(name, names)}.")
    for name in names:
        if name not in schema:
            raise SchemaError(f"column {name!r} is in the table but was not fitted{nearest(name, schema.names)}.")


def read_mask(mask: Any, raw: pl.DataFrame, among: Collection[str] | None = None) -> Flags:
    """The columns of a mask that hide anything.

    Args:
        mask: booleans: an array of the table's shape, or a frame with names of its columns.
        raw: the table.
        among: the columns that may be masked; None: all.

    Raises:
        SettingError: another shape, an unknown column, not booleans, or cells of other columns.
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
    masked = {name: flags for name, flags in columns.items() if flags.any()}
    for name in masked:
        if among is not None and name not in among:
            raise SettingError(
                f"mask: column {name!r} has masked cells, and had none when fitting; fit with this mask."
            )
    return masked


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
