"""Whether attackers can guess a secret column from codes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from masquerade import frames, seeds, spelling
from masquerade.errors import SettingError
from masquerade.judge.attacks import AttributeFinding, attack_attribute
from masquerade.release.encode import Encoder
from masquerade.release.features import is_free
from masquerade.schema import Schema

__all__ = ["guessed", "secrets_of", "typed_column"]


def secrets_of(schema: Schema, wanted: Sequence[str], target: str | None) -> tuple[str, ...]:
    """The columns that attackers guess: those asked for, and those that the schema marks as sensitive.

    Raises:
        SchemaError: there is no such column.
        SettingError: a column is an id, free text or the unit.
    """
    for name in wanted:
        if is_free(schema[name], schema):
            raise SettingError(
                f"sensitive: column {name!r} is an id, free text or the unit, expected something to guess."
            )
    marked = [column.name for column in schema if column.sensitive and not is_free(column, schema)]
    return tuple(dict.fromkeys(name for name in (*wanted, *marked) if name != target))


def guessed(
    table: Any, encoder: Encoder, inputs: NDArray[np.float32], released: NDArray[np.float32], name: str, seed: int
) -> tuple[AttributeFinding, AttributeFinding]:
    """What fresh attackers find of a secret in the codes, and in the other columns as they are."""
    values = typed_column(table, encoder.schema_, name)
    secret: NDArray[Any]
    if encoder.schema_[name].is_numeric:
        numbers = values.cast(pl.Int64) if values.dtype.is_temporal() else values
        secret, classes = numbers.cast(pl.Float64).to_numpy(), 0
    else:
        secret = values.cast(pl.String).rank("dense").cast(pl.Int64).fill_null(0).to_numpy() - 1
        classes = int(secret.max()) + 1
    own = encoder.features_.places.get(name, slice(0, 0))
    others = np.delete(inputs, own, axis=1)
    nothing = np.empty((len(released), 0), np.int64)
    coded, left_out = (
        attack_attribute(
            known.astype(np.float64), nothing, secret, classes=classes, seed=seeds.integer(seed, "secrets")
        )
        for known in (released, others)
    )
    return coded, left_out


def typed_column(table: Any, schema: Schema, name: str) -> pl.Series:
    """One column of a table, typed."""
    raw = frames.to_polars(table)[0].select(name)
    return spelling.parse(raw, Schema((schema[name],))).get_column(name)
