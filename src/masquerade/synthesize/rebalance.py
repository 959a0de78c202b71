"""Rows drawn as if some levels were more, or less, frequent than they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from masquerade.codec.condition import code_of
from masquerade.codec.table import TableCodec
from masquerade.errors import ConditionError, SettingError

__all__ = ["check_rebalance", "rebalanced"]

ROUNDS = 100


def check_rebalance(codec: TableCodec, wanted: Any) -> None:
    """Refuse wanted shares that cannot be.

    Raises:
        ConditionError: no such column or level.
        SettingError: shares out of range, or something that is no mapping of mappings.
    """
    if not isinstance(wanted, Mapping) or not wanted:
        raise SettingError(f"rebalance: got {wanted!r}, expected shares such as {{'y': {{'yes': 0.5}}}}.")
    for column, shares in wanted.items():
        _check_shares(column, shares)
        try:
            for level in shares:
                _level(codec, column, level)
        except ConditionError as error:
            raise ConditionError("rebalance" + str(error).removeprefix("given")) from None


def rebalanced(
    codec: TableCodec,
    pool: pl.DataFrame,
    wanted: Mapping[str, Mapping[Any, float]],
    rows: int,
    rng: np.random.Generator,
) -> pl.DataFrame:
    """Values of the named columns for `rows` rows, whose levels have the wanted shares.

    Levels that are not named share the rest as they do in the pool. Several columns are brought to their shares together by
    iterative proportional fitting (Deming and Stephan 1940) of the pool's weights, so that what hangs together stays together.

    Args:
        codec: of the table.
        pool: typed rows that the model drew.
        wanted: by column, the share of each named level, as `check_rebalance` accepts it.
        rows: how many.
        rng: of the choice of rows.

    Raises:
        SettingError: a wanted level that the pool does not have, or shares that leave some for none.
    """
    targets = {}
    for column, shares in wanted.items():
        levels = [_level(codec, column, level) for level in shares]
        values = pool.get_column(column)
        places = [
            (values.is_null() if level is None else values == level).fill_null(False).to_numpy() for level in levels
        ]
        total = sum(shares.values())
        others = ~np.logical_or.reduce(places)
        if not others.any() and not np.isclose(total, 1):
            raise SettingError(
                f"rebalance: the shares of {column!r} add up to {total:g}, and it has no other level; expected 1."
            )
        for there, (level, share) in zip(places, shares.items(), strict=True):
            if share > 0 and not there.any():
                raise SettingError(f"rebalance: {column!r} is never {level!r} among {pool.height:,} drawn rows.")
        targets[column] = [*zip(places, shares.values(), strict=True), (others, max(1 - total, 0.0))]
    weights = np.full(pool.height, 1 / pool.height)
    for _ in range(ROUNDS if len(targets) > 1 else 1):
        for parts in targets.values():
            for there, share in parts:
                have = weights[there].sum()
                weights[there] *= share / have if have > 0 else 0.0
    return pool.select(list(wanted))[rng.choice(pool.height, rows, p=weights / weights.sum())]


def _level(codec: TableCodec, column: str, level: Any) -> Any:
    """The typed value of a level."""
    return codec.levels(column)[code_of(codec.codecs[column], codec.schema[column], level)]


def _check_shares(column: str, shares: Any) -> None:
    if not isinstance(shares, Mapping) or not shares:
        raise SettingError(f"rebalance: got {shares!r} for {column!r}, expected a mapping such as {{'yes': 0.5}}.")
    for level, share in shares.items():
        number = isinstance(share, int | float | np.number) and not isinstance(share, bool)
        if not number or not 0 <= share <= 1:
            raise SettingError(f"rebalance: got {share!r} for {level!r} of {column!r}, expected a share from 0 to 1.")
    if sum(shares.values()) > 1 + 1e-9:
        raise SettingError(
            f"rebalance: the shares of {column!r} add up to {sum(shares.values()):g}, expected at most 1."
        )
