"""What an encoder's settings must be, checked before any work."""

from __future__ import annotations

import warnings
from typing import Any

import polars as pl

from masquerade.errors import MasqueradeWarning, SchemaError, SettingError, TableError, nearest
from masquerade.release.features import is_free
from masquerade.release.groups import check_groups
from masquerade.schema import Schema
from masquerade.synthesize.settings import check_count, check_positive, check_share

__all__ = ["check_encodable", "check_settings"]


def check_settings(encoder: Any) -> None:
    """Raise `SettingError` for a setting out of range."""
    for name in ("epochs", "batch_size"):
        check_count(name, getattr(encoder, name))
    for name, least in (("patience", 1), ("group_means", 2)):
        if getattr(encoder, name) is not None:
            check_count(name, getattr(encoder, name), least)
    check_positive("learning_rate", encoder.learning_rate)
    for name in ("noise", "adversary"):
        if isinstance(getattr(encoder, name), bool) or getattr(encoder, name) != 0:
            check_positive(name, getattr(encoder, name))
    if encoder.max_minutes is not None:
        check_positive("max_minutes", encoder.max_minutes)
    check_share("validation_share", encoder.validation_share, below_one=True)
    check_positive("validation_share", encoder.validation_share)
    if isinstance(encoder.width, int) and not isinstance(encoder.width, bool):
        check_count("width", encoder.width)
    elif isinstance(encoder.width, bool) or not isinstance(encoder.width, float) or not 0 < encoder.width <= 1:
        raise SettingError(f"width: got {encoder.width!r}, expected a share above 0 and up to 1.0, or a whole number.")
    for name in ("hide", "group_by"):
        if isinstance(getattr(encoder, name), str):
            raise SettingError(f"{name}: got the text {getattr(encoder, name)!r}, expected a list of column names.")
    if encoder.group_by is not None and encoder.group_means is None:
        raise SettingError("group_by: says inside of which columns rows are grouped, give group_means=k too.")


def check_encodable(encoder: Any, typed: pl.DataFrame, schema: Schema) -> None:
    """Raise `SettingError` or `SchemaError` for settings that do not fit the table; warn of columns that are left out."""
    wanted = [("target", encoder.target)] if encoder.target is not None else []
    wanted += [("hide", name) for name in encoder.hide] + [("group_by", name) for name in encoder.group_by or ()]
    for setting, column in wanted:
        if column not in schema:
            raise SchemaError(f"{setting}: there is no column {column!r}{nearest(str(column), schema.names)}.")
    if encoder.target in encoder.hide:
        raise SettingError(
            f"hide: {encoder.target!r} is also the target, which is copied to the output; name one of them."
        )
    for name in encoder.hide:
        if is_free(schema[name], schema):
            raise SettingError(f"hide: column {name!r} is an id, free text or the unit, which is in no code anyway.")
    free = [column.name for column in schema if is_free(column, schema) and column.name != encoder.target]
    if encoder.groups is not None:
        check_groups(encoder.groups, schema.names, apart=(*free, encoder.target or ""), hidden=encoder.hide)
        for group, columns in encoder.groups.items():
            if encoder.target in columns:
                raise SettingError(f"groups: {group!r} names the target {encoder.target!r}, which is not encoded.")
    for name in free:
        if name != schema.unit:
            warnings.warn(
                f"column {name!r}: is {schema[name].kind}, which has no levels to learn from; it is left out of the codes.",
                MasqueradeWarning,
                stacklevel=3,
            )
    if encoder.group_means is not None and typed.height < encoder.group_means:
        raise TableError(f"group_means: got {encoder.group_means}, but the table has only {typed.height} rows.")
