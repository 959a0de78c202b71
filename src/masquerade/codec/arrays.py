"""What every generator is fed: one integer code per column and row, and one small scalar beside it.

Whatever its kind, a modelled column becomes a code in [0, size): a category is its level; a number is a heavy single value
(an atom) or the mixture component it was drawn from; a missing value is a code of its own. Where a code leaves room
(a mixture component), the scalar in [-1, 1] says where inside it the number lies; elsewhere it is 0.
So a whole table is two arrays, whatever its columns, and no generator needs to know a column's kind.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Encoded", "Layout"]


@dataclass(frozen=True)
class Encoded:
    """A table as arrays.

    Args:
        codes: int32, shape (rows, columns): code of each modelled column, in [0, size of the column).
        scalars: float32, shape (rows, columns): place inside the code, in [-1, 1]; 0 where the code has none.
    """

    codes: NDArray[np.int32]
    scalars: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.codes)

    def rows(self, index: NDArray[np.intp] | slice) -> Encoded:
        """A selection of rows."""
        return Encoded(self.codes[index], self.scalars[index])


@dataclass(frozen=True)
class Layout:
    """The shape of an encoded table: what a net must know to be built.

    Args:
        names: modelled columns, in order (constants, fresh ids and regenerated text are not modelled).
        sizes: codes per column.
        has_scalar: per column, a tuple of `size` booleans: whether that code has a scalar beside it.
        discrete: per column, whether it is discrete (a condition can be put on it, in CTGAN's sense).
        frequencies: per column, float64 of shape (size,): the share of training rows with each code, summing to 1.
        places: per column, where its codes lie on a line: float32 of shape (size, 2), the rank in (0, 1) and the
            standardised value, NaN for missing; None where codes have no order.
    """

    names: tuple[str, ...]
    sizes: tuple[int, ...]
    has_scalar: tuple[tuple[bool, ...], ...]
    discrete: tuple[bool, ...]
    frequencies: tuple[NDArray[np.float64], ...]
    places: tuple[NDArray[np.float32] | None, ...] = ()

    @property
    def continuous(self) -> tuple[bool, ...]:
        """Per column, whether any of its codes has a scalar."""
        return tuple(any(flags) for flags in self.has_scalar)

    @property
    def width(self) -> int:
        """One place per code and one per column with a scalar."""
        return sum(self.sizes) + sum(self.continuous)
