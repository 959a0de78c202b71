"""What is asked of codecs that were read from a file, before anything is drawn with them: they must do what they are for.

A file may have valid checksums and still hold nonsense, by accident or by intent. Rather than a rule for each field of each
codec, every code of every column is decoded once.
"""

from __future__ import annotations

import numpy as np

from masquerade.codec.arrays import Layout
from masquerade.codec.column import ColumnCodec
from masquerade.errors import ArtifactError
from masquerade.schema import Column
from masquerade.seeds import stream

__all__ = ["check_column", "check_layout"]

MOST_CODES = 1_000_000


def check_column(column: Column, codec: ColumnCodec) -> None:
    """Decode each code of a column once.

    Raises:
        ArtifactError: a code cannot be decoded, or the codec's weights are no weights.
    """
    weights = getattr(codec, "weights", None)
    if weights is not None and not is_weights(weights, codec.size):
        raise _damaged(column.name, "its codes have no valid weights")
    if not 1 <= codec.size <= MOST_CODES or len(codec.has_scalar) != codec.size:
        raise _damaged(column.name, f"it has {codec.size} codes and {len(codec.has_scalar)} of them are described")
    codes = np.arange(codec.size, dtype=np.int32)
    try:
        with np.errstate(all="ignore"):
            made = codec.decode(codes, np.zeros(codes.size, np.float32), stream(0, "trial"))
    except Exception as error:
        raise _damaged(column.name, f"its codes cannot be decoded ({type(error).__name__})") from error
    if made.len() != codes.size:
        raise _damaged(column.name, f"its {codes.size} codes decode to {made.len()} values")


def check_layout(layout: Layout) -> None:
    """Raise `ArtifactError` where the described columns are none, twice there, or have no shares that sum to 1."""
    if not layout.names or len(set(layout.names)) < len(layout.names) or len(layout.discrete) != len(layout.names):
        raise ArtifactError("codec: the saved list of modelled columns is damaged; fit again.")
    for name, size, shares in zip(layout.names, layout.sizes, layout.frequencies, strict=True):
        if not is_weights(shares, size):
            raise _damaged(name, "its codes have no valid frequencies")


def is_weights(weights: np.ndarray[tuple[int, ...], np.dtype[np.float64]], size: int) -> bool:
    """Whether an array holds one number of at least 0 for each code, and not zeros alone."""
    right = weights.shape == (size,) and weights.dtype == np.float64 and bool(np.isfinite(weights).all())
    return right and bool((weights >= 0).all()) and bool(weights.sum() > 0)


def _damaged(column: str, what: str) -> ArtifactError:
    return ArtifactError(f"column {column!r}: the saved codec is damaged, {what}; fit again.")
