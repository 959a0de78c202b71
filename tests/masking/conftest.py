"""A batch of one column, for every way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest

from masquerade.masking import Batch
from masquerade.masking.keys import Key
from masquerade.schema import Column, Schema

Make = Callable[..., Batch]


@pytest.fixture
def batch() -> Make:
    """Makes a batch whose one column is `x`."""

    def make(cells: Any, kind: str = "text", *, key: str = "0123456789abcdef", seed: int = 0, **fields: Any) -> Batch:
        column = Column("x", kind, **fields)  # type: ignore[arg-type]
        raw = pl.DataFrame({"x": cells})
        return Batch(raw=raw, schema=Schema((column,)), kind=None, key=Key(key), random=np.random.default_rng(seed))

    return make
