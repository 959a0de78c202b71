"""A small table with every kind of column, and each synthesizer fitted to it once."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import polars as pl
import pytest

from masquerade.synthesize import Synthesizer, synthesizers

ROWS = 400
QUICK: dict[str, dict[str, Any]] = {
    "autoregressive": {"epochs": 3, "size": "small"},
    "copula": {},
    "ctgan": {"epochs": 3, "generator_dim": (24,), "discriminator_dim": (24,), "embedding_dim": 8},
    "tvae": {"epochs": 3, "compress_dims": (24,), "decompress_dims": (24,), "embedding_dim": 8},
}
"""Settings that make each synthesizer quick; contract tests are about form, not quality."""

CANARY_ID = "QX-7731-ZK"
CANARY_LEVEL = "Ruritania"
CANARY_EXTREME = 98_765_432.25


def every_kind(rows: int = ROWS) -> pl.DataFrame:
    """Every kind of column, missing values, a rare level, an exact extreme, an id, a constant and an empty column."""
    random = np.random.default_rng(7)
    amount = np.round(random.lognormal(6, 1, rows), 2)
    amount[3] = CANARY_EXTREME
    country = random.choice(["France", "España", "中国"], rows, p=[0.6, 0.3, 0.1]).tolist()
    country[5] = CANARY_LEVEL
    ids = [f"{''.join(random.choice(list('ABCDEFGH'), 2))}-{i:04d}-AB" for i in range(rows)]
    ids[7] = CANARY_ID
    days = [datetime.date(2019, 1, 1) + datetime.timedelta(days=int(d)) for d in random.integers(0, 700, rows)]
    age = random.integers(18, 90, rows).tolist()
    for i in range(0, rows, 9):
        age[i] = None
    return pl.DataFrame(
        {
            "id": ids,
            "age": age,
            "amount": amount,
            "country": country,
            "member": random.random(rows) < 0.3,
            "day": days,
            "größe": random.choice([36, 38, 40], rows),
            "constant": ["same"] * rows,
            "empty": pl.Series([None] * rows, dtype=pl.String),
        }
    )


@pytest.fixture(scope="session")
def table() -> pl.DataFrame:
    return every_kind()


@pytest.fixture(scope="session", params=sorted(synthesizers()))
def name(request: pytest.FixtureRequest) -> str:
    """Every synthesizer in turn."""
    return str(request.param)


@pytest.fixture(scope="session")
def make(name: str) -> Any:
    """Makes this synthesizer with quick settings."""

    def make(**settings: Any) -> Synthesizer:
        return synthesizers()[name](**(QUICK[name] | {"random_state": 0} | settings))

    return make


@pytest.fixture(scope="session")
def fitted(make: Any, table: pl.DataFrame) -> Synthesizer:
    """This synthesizer, fitted once."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model: Synthesizer = make().fit(table)
    return model
