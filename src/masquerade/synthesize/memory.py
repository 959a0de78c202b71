"""Whether a machine's memory will do, asked before hours of training show it."""

from __future__ import annotations

import math
from typing import Any

import jax

from masquerade.errors import TableError
from masquerade.machine import available_bytes
from masquerade.nets.autoregressive import AutoregressiveNet

__all__ = ["check_memory", "training_bytes"]

COPIES_OF_WEIGHTS = 10
"""Weights, their average, two moments of AdamW, each before and after a step; the gradient; the best snapshot."""

COPIES_OF_TABLE = 2
"""The rows that train, apart from those that validate, here and on the device."""

COMPILER_BYTES = 450_000_000
"""What XLA takes to compile the programs, measured."""


def training_bytes(net: AutoregressiveNet, rows: int, held: int) -> int:
    """About how much memory training takes beside the encoded table.

    Args:
        net: what is trained.
        rows: that train.
        held: rows judged at once when it is validated.
    """
    slots, settings = net.slots, net.settings
    weights = sum(math.prod(leaf.shape) for leaf in jax.tree.leaves(jax.eval_shape(lambda: net.weights(0))))
    # Numbers that stand at the same time for one digit of one row; going back through the net takes as many again.
    told = slots.features.shape[2] + settings.embedding + slots.base
    forward = slots.count * (told + 2 * settings.hidden + 2 * slots.base)
    backward = slots.count * (told + 6 * settings.hidden + 4 * slots.base)
    active = max(forward * held, backward * settings.batch_size)
    numbers: int = COPIES_OF_WEIGHTS * weights + COPIES_OF_TABLE * rows * slots.columns + active
    return 4 * numbers + COMPILER_BYTES


def check_memory(net: AutoregressiveNet, rows: int, held: int, available: int | None = None) -> None:
    """Refuse training that the memory will not hold.

    Args:
        net, rows, held: see `training_bytes`.
        available: bytes; None: what `available_bytes`, or the accelerator, says.

    Raises:
        TableError: it takes more than there is; the message has both numbers, and what to do.
    """
    available = _device_bytes() if available is None else available
    needed = training_bytes(net, rows, held)
    if available is None or needed <= available:
        return
    raise TableError(
        f"table: training on {rows:,} rows of {net.slots.columns:,} columns takes about {_size(needed)} of memory, and "
        f"{_size(available)} are free; give fewer columns or rows, size='small', or a smaller batch_size."
    )


def _size(count: int) -> str:
    """Bytes in few letters.

    >>> _size(3_400_000_000), _size(25_000_000)
    ('3.4 GB', '25 MB')
    """
    return f"{count / 1e9:,.1f} GB" if count >= 1e9 else f"{count / 1e6:,.0f} MB"


def _device_bytes() -> int | None:
    """What is left on the accelerator, or in the machine where the processor trains."""
    if jax.default_backend() == "cpu":
        return available_bytes()
    stats: dict[str, Any] = jax.local_devices()[0].memory_stats() or {}
    return stats["bytes_limit"] - stats.get("bytes_in_use", 0) if "bytes_limit" in stats else None
