"""What an autoregressive net knows of a table before it learns anything: how codes are spelled, and where numbers lie."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int
from numpy.typing import NDArray

from masquerade.codec.arrays import Layout
from masquerade.codec.digits import BASE, Digits

__all__ = ["Slots"]

WAVES = 16
"""Cosine features of a number's rank, and as many of its value."""


class Slots:
    """The digits of a table as arrays on the device.

    A number is told to the net by its digits and by its place: cosines of its rank and of its standardised value, up to
    `WAVES` half-waves, so that neighbouring bins look alike and are learned together.

    Args:
        layout: shape of the encoded table; its frequencies are where the heads start.
        base: places of a digit.

    Attributes:
        digits: the spelling.
        log_share: float32, shape (nodes, base): log frequency of each child of a node.
        features: float32, shape (levels, places, features): what is told of a code once its digit on that level is known.
        basis: float32, shape (slots, base, WAVES): cosines over the places of each ordered digit, for smooth heads.
        order: int32, shape (slots,): the natural order.
    """

    def __init__(self, layout: Layout, base: int = BASE):
        self.layout = layout
        self.digits = digits = Digits.of(layout, base)
        self.count, self.columns, self.base = digits.slots, digits.columns, base
        self.column, self.level = jnp.asarray(digits.column), jnp.asarray(digits.level)
        self.log_share = jnp.asarray(digits.log_share)
        self.features = jnp.asarray(_features(layout, digits))
        self.basis = jnp.asarray(_basis(layout, digits))
        self.order = self.column * np.int32(digits.digit.shape[0]) + self.level
        self._digit, self._node = jnp.asarray(digits.digit), jnp.asarray(digits.node)
        self._starts = jnp.asarray(digits.starts)

    def spelled(
        self, codes: Int[Array, "batch columns"]
    ) -> tuple[Int[Array, "slots batch"], Int[Array, "slots batch"], Int[Array, "slots batch"]]:
        """Digit, node and place of every slot."""
        place = codes.T[self.column] + self._starts[self.column][:, None]
        level = self.level[:, None]
        return self._digit[level, place], self._node[level, place], place

    def told(self, place: Int[Array, "slots batch"]) -> Float[Array, "slots batch features"]:
        """The features of every slot."""
        return self.features[self.level[:, None], place]


def _cosines(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """cos(π k x) for k = 1 ... `WAVES`, of shape (len(x), WAVES)."""
    return np.cos(np.pi * np.arange(1, WAVES + 1) * x[:, None])


def _features(layout: Layout, digits: Digits) -> NDArray[np.float32]:
    """Before its last digit a number is known to lie in a group only: then the group's weighted mean place is told."""
    levels, places = digits.digit.shape
    features = np.zeros((levels, places, 2 + 2 * WAVES), np.float32)
    for column, lies in enumerate(layout.places):
        if lies is None:
            continue
        here = slice(digits.starts[column], digits.starts[column] + len(lies))
        known = ~np.isnan(lies[:, 0])
        weights = (layout.frequencies[column] + 1e-9) * known
        slots = int(np.count_nonzero(digits.column == column))
        for level in range(slots):
            # All that was told up to this level names the node of the next one; after the last, the code itself.
            inner = digits.node[level + 1, here] if level + 1 < slots else np.arange(len(lies))
            groups = np.unique(inner, return_inverse=True)[1]
            total = np.maximum(np.bincount(groups, weights), 1e-12)
            rank, value = (
                (np.bincount(groups, weights * np.nan_to_num(part.astype(np.float64))) / total)[groups]
                for part in lies.T
            )
            told = np.column_stack([2 * rank - 1, value / 2, _cosines(rank), _cosines((value + 5) / 5)])
            features[level, here] = np.where(known[:, None], told, 0)
    return features


def _basis(layout: Layout, digits: Digits) -> NDArray[np.float32]:
    basis = np.zeros((digits.slots, digits.base, WAVES), np.float32)
    for slot, (column, level) in enumerate(zip(digits.column, digits.level, strict=True)):
        lies = layout.places[column]
        if lies is None:
            continue
        known = ~np.isnan(lies[:, 0])
        digit = digits.digit[level, digits.starts[column] : digits.starts[column] + len(lies)][known]
        if level == 0:
            weights = np.bincount(digit, layout.frequencies[column][known] + 1e-9)
            place = (np.cumsum(weights) - weights / 2) / weights.sum()
        else:
            place = (np.arange(digit.max() + 1) + 0.5) / (digit.max() + 1)
        basis[slot, : len(place)] = _cosines(place)
    return basis
