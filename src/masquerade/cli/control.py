"""What else may be asked of a draw: several given columns, shares of levels, a temperature; and which models do it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from masquerade.cli.checks import check_column
from masquerade.errors import ConditionError, SettingError, nearest
from masquerade.schema import Schema

__all__ = ["check_model", "read_control"]


def read_control(rebalance: Sequence[str] | None, temperature: float | None, schema: Schema) -> dict[str, Any]:
    """What `--rebalance COL:LEVEL=SHARE` and `--temperature` ask of `sample`, as its arguments.

    Raises:
        SettingError: a text that is no such share, or a share or temperature out of range.
        SchemaError: there is no such column.
    """
    found: dict[str, Any] = {}
    if temperature is not None:
        if not 0 < temperature < math.inf:
            raise SettingError(f"--temperature: got {temperature}, expected a number above 0.")
        found["temperature"] = temperature
    shares: dict[str, dict[str, float]] = {}
    for text in rebalance or ():
        column, level, share = _split(text, schema)
        if level in shares.setdefault(column, {}):
            raise SettingError(f"--rebalance: the level {level!r} of {column!r} is given twice.")
        levels = schema[column].levels
        if levels is not None and level not in levels and level != schema[column].missing:
            raise SettingError(f"--rebalance: column {column!r} has no level {level!r}{nearest(level, levels)}.")
        shares[column][level] = share
    for column, parts in shares.items():
        if sum(parts.values()) > 1 + 1e-9:
            total = sum(parts.values())
            raise SettingError(f"--rebalance: the shares of {column!r} add up to {total:g}, expected at most 1.")
    return found | ({"rebalance": shares} if shares else {})


def _split(text: str, schema: Schema) -> tuple[str, str, float]:
    """`"y:yes=0.5"` as column, level and share; names and levels may hold colons and equals signs themselves."""
    rest, _, share = text.rpartition("=")
    try:
        number = float(share)
    except ValueError:
        number = math.nan
    if ":" not in rest or not 0 <= number <= 1:
        raise SettingError(
            f"--rebalance: got {text!r}, expected COL:LEVEL=SHARE such as y:yes=0.5, a share from 0 to 1."
        )
    ends = [i for i, letter in enumerate(rest) if letter == ":" and rest[:i] in schema] or [rest.index(":")]
    check_column("--rebalance", rest[: ends[0]], schema.names)
    return rest[: ends[0]], rest[ends[0] + 1 :], number


def check_model(given: Mapping[str, str] | None, asked: Mapping[str, Any], schema: Schema, model: Any) -> None:
    """Refuse, before training or drawing, what a class of synthesizer cannot do, naming the one that can.

    Raises:
        ConditionError: several columns, or a numeric one, for a model that takes one discrete column at a time.
        SettingError: shares or a temperature for such a model.
    """
    if model.takes_any_cells:
        return
    instead = f"{model.__name__} takes one categorical or boolean column at a time; --model autoregressive takes any."
    if given is not None and len(given) > 1:
        raise ConditionError(f"--given: got {len(given)} columns ({', '.join(given)}), and {instead}")
    for name in given or ():
        if name in schema and schema[name].is_numeric:
            raise ConditionError(f"--given: column {name!r} is {schema[name].kind}, and {instead}")
    for option in asked:
        raise SettingError(f"--{option}: {model.__name__} does not do it; --model autoregressive does.")
