"""Codes made to tell less of one record: noise, and the mean of a group of records in place of each.

Reference: Domingo-Ferrer and Mateo-Sanz, "Practical data-oriented microaggregation for statistical disclosure control", IEEE
Transactions on Knowledge and Data Engineering 14, 2002. Their groups are of near rows; these are drawn at random, or inside of
declared public columns, so that who is with whom tells nothing of the rest of a record.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from masquerade import seeds
from masquerade.errors import TableError

__all__ = ["CODE_BOUND", "blurred", "blurring_facts", "cells_of", "draw_groups", "group_means", "sensitivity"]

CODE_BOUND = 4.0
"""Standardised codes are cut to ± this before they are averaged, so that one record moves a mean by a known amount."""


def blurred(
    codes: NDArray[np.float32], cells: NDArray[np.int64], *, least: int | None, noise: float, seed: int
) -> NDArray[np.float32]:
    """The codes with what blurs them; shape (rows, codes). Rows of one group get the same noise.

    Args:
        codes: standardised, shape (rows, codes).
        cells: what each row declares in public, as from `cells_of`.
        least: rows in a group whose mean stands for each of them; None: each row has its own codes.
        noise: standard deviation of Gaussian noise; 0: none.
        seed: of the groups and the noise.

    Raises:
        TableError: fewer rows than a group needs.
    """
    random = seeds.stream(seed, "noise")
    if least is None or not len(codes):
        return np.asarray(codes + noise * random.standard_normal(codes.shape), np.float32)
    if len(codes) < least:
        raise TableError(f"table: {len(codes)} rows are fewer than group_means={least}, expected at least as many.")
    groups = draw_groups(cells, least, seeds.stream(seed, "groups"))
    drawn = random.standard_normal((int(groups.max()) + 1, codes.shape[1]))[groups]
    return np.asarray(group_means(codes, groups) + noise * drawn, np.float32)


def cells_of(typed: pl.DataFrame, columns: Sequence[str]) -> NDArray[np.int64]:
    """A number for each row, from 0, the same where these columns are; without a column all 0. Shape (rows,).

    >>> cells_of(pl.DataFrame({"sex": ["f", "m", "f"]}), ["sex"])
    array([0, 1, 0])
    """
    if not columns:
        return np.zeros(typed.height, np.int64)
    ranks = typed.select(pl.struct(list(columns)).rank("dense").alias("cell"))
    return ranks.get_column("cell").cast(pl.Int64).to_numpy() - 1


def blurring_facts(codes: int, noise: float, least: int | None, columns: Sequence[str]) -> dict[str, Any]:
    """What the ledger says of it; nothing where codes are as they are.

    Args:
        codes: how many there are.
        noise: as for `blurred`.
        least: likewise.
        columns: public ones, inside of which rows are grouped.
    """
    found: dict[str, Any] = {"noise": float(noise)} if noise else {}
    if least is None:
        return found
    bound = {"code_bound": CODE_BOUND, "sensitivity": sensitivity(codes, least)}
    return found | {"group_means": least, "group_by": list(columns)} | bound


def draw_groups(cells: NDArray[np.integer], least: int, random: np.random.Generator) -> NDArray[np.int64]:
    """A group for each row, of `least` rows or more, at random inside of its cell.

    Rows of a cell that holds fewer than `least` are put together with those of other such cells, and where even these are too
    few, into a group of any cell.

    Args:
        cells: what each row declares in public, shape (rows,), from 0; all 0: one cell.
        least: rows in a group; at most as many as there are rows.
        random: the generator.

    >>> groups = draw_groups(np.array([0, 0, 0, 0, 0, 1]), 2, np.random.default_rng(0))
    >>> sorted(np.bincount(groups).tolist())
    [3, 3]
    """
    sizes = np.bincount(cells)
    small = sizes[cells] < least
    pooled = np.where(small, len(sizes), cells)
    order = random.permutation(len(cells))
    order = order[np.argsort(pooled[order], kind="stable")]
    groups = np.empty(len(cells), np.int64)
    start = 0
    for rows in np.split(order, np.flatnonzero(np.diff(pooled[order])) + 1):
        count = len(rows) // least
        # The rows left over go to the first groups of the cell, one each; too few rows of their own join the last group.
        groups[rows] = start + np.arange(len(rows)) % count if count else start - 1
        start += count
    return groups


def group_means(codes: NDArray[np.float32], groups: NDArray[np.int64]) -> NDArray[np.float32]:
    """Each row's codes replaced by the mean over its group, once cut to ± `CODE_BOUND`; shape (rows, codes)."""
    cut = np.clip(codes.astype(np.float64), -CODE_BOUND, CODE_BOUND)
    counts = np.bincount(groups)
    sums = np.stack([np.bincount(groups, weights=column) for column in cut.T], axis=1)
    return np.asarray((sums / counts[:, None])[groups], np.float32)


def sensitivity(codes: int, least: int) -> float:
    """The farthest that the codes of a group can move (Euclidean) when one of its records is replaced by any other.

    It holds for an encoder that is fixed before the record is seen, and falls with the rows of a group.

    >>> sensitivity(4, 10)
    1.6
    """
    return 2 * CODE_BOUND * math.sqrt(codes) / least
