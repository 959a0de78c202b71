"""What each column is drawn from, asked of a trained autoregressive net.

A column is hidden from the columns after it, and what they are predicted worse by is the Kullback-Leibler divergence between
what the net says with it and without it. Rows are drawn from the net itself, so that no training row is needed.
"""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import polars as pl
from numpy.typing import NDArray

from masquerade.codec.table import TableCodec
from masquerade.nets.loop import Compilation
from masquerade.nets.mixing import Narrow
from masquerade.synthesize.drawing import Drawer

__all__ = ["dependencies"]

LEAST_NATS = 1e-3
"""Weaker links are left out: they tell nothing that a chart would show."""

MOST_HIDDEN = 500
"""At most so many columns are hidden in turn."""

HIDDEN = np.int32(1 << 24)
"""Added to the rank of a hidden column: it comes after all others."""


def dependencies(codec: TableCodec, drawer: Drawer, seed: int = 0) -> pl.DataFrame:
    """The links between columns, the strongest first.

    Drawn rows: 2,048 for up to 39 columns, fewer for more, down to 256. Of a table with more than 500 modelled columns only the
    500 whose weights reach furthest are hidden in turn.

    Args:
        codec: of the table.
        drawer: the trained net.
        seed: of the drawn rows.

    Returns:
        A row for each pair of columns with a link of at least 0.001 nats: `column`, `drawn_from`, `nats`, and `determined`:
        whether `column` is not drawn at all but looked up from `drawn_from`; then `nats` is its entropy.
    """
    digits = drawer.net.slots.digits
    names, count = codec.layout.names, digits.columns
    codes = drawer.rows(int(np.clip(80_000 // count, 256, 2_048)), seed)
    order = np.asarray(drawer.net.slots.order)

    program = Compilation(drawer.net.log_probabilities, drawer.weights, drawer.log_share, codes, order).result()

    def log_probability(order: NDArray[np.int32]) -> NDArray[np.float64]:
        """Of each column's code, shape (columns, rows)."""
        each = np.asarray(program(drawer.weights, drawer.log_share, codes, order), np.float64)
        joined: NDArray[np.float64] = np.add.reduceat(each, digits.first_slot)
        return joined

    known = log_probability(order)
    found: list[tuple[str, str, float, bool]] = []
    for hidden in _furthest(drawer, codes):
        without = log_probability(np.where(digits.column == hidden, order + HIDDEN, order).astype(np.int32))
        nats = _divergence(known - without)
        nats[: hidden + 1] = 0.0  # they come before the hidden column and never saw it
        found += [(names[j], names[hidden], float(nats[j]), False) for j in np.flatnonzero(nats >= LEAST_NATS)]
    place = {name: i for i, name in enumerate(names)}
    for name, dependency in codec.dependencies.items():
        share = np.bincount(dependency.lookup[codes[:, place[dependency.on]]]) / len(codes)
        share = share[share > 0]
        found.append((name, dependency.on, float(-(share * np.log(share)).sum()), True))
    schema = {"column": pl.String, "drawn_from": pl.String, "nats": pl.Float64, "determined": pl.Boolean}
    return pl.DataFrame(found, schema, orient="row").sort("nats", descending=True, maintain_order=True)


def _divergence(lost: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean of what is lost in each row (log p − log q, rows drawn from p), shape (columns,).

    As q/p − 1 has mean 0 it may be added; that steadies the mean where p and q are near each other, and whichever errs less is
    taken.
    """
    steadied = lost + np.expm1(np.minimum(-lost, 50.0))
    nearer = steadied.std(axis=1) <= lost.std(axis=1)
    nats: NDArray[np.float64] = np.where(nearer, steadied.mean(axis=1), lost.mean(axis=1))
    return nats


def _furthest(drawer: Drawer, codes: NDArray[np.int32]) -> list[int]:
    """The columns to hide: all, or those whose contribution to the others' hidden units varies most."""
    slots = drawer.net.slots
    if slots.columns <= MOST_HIDDEN:
        return list(range(slots.columns))
    digit, _, place = slots.spelled(jnp.asarray(codes))
    deviation = np.asarray(drawer.net.tell(drawer.weights, digit, place)).std(axis=1)
    mixing = drawer.weights.mixing
    weights = np.asarray(mixing.spread if isinstance(mixing, Narrow) else mixing.blocks)
    reach = (deviation**2 * (weights**2).reshape(*deviation.shape, -1).sum(axis=-1)).sum(axis=1)
    by_column = np.add.reduceat(reach, slots.digits.first_slot)
    return sorted(np.argsort(-by_column, kind="stable")[:MOST_HIDDEN].tolist())
