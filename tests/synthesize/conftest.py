"""A small table with every kind of column, and each synthesizer fitted to it once."""

from __future__ import annotations

import dataclasses
import datetime
import warnings
from typing import Any

import numpy as np
import polars as pl
import pytest

from masquerade import frames, inference
from masquerade.errors import SettingError
from masquerade.privacy.budget import Privacy
from masquerade.schema import Schema
from masquerade.synthesize import Synthesizer, synthesizers

ROWS = 400
QUICK: dict[str, dict[str, Any]] = {
    "autoregressive": {"epochs": 3, "size": "small"},
    "copula": {},
    "marginals": {},
    "ctgan": {"epochs": 3, "generator_dim": (24,), "discriminator_dim": (24,), "embedding_dim": 8},
    "tvae": {"epochs": 3, "compress_dims": (24,), "decompress_dims": (24,), "embedding_dim": 8},
}
"""Settings that make each synthesizer quick; contract tests are about form, not quality."""

WEAK = 20.0
"""An ε with so little noise that a few hundred rows show what they are like."""

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


def needs_privacy(name: str) -> bool:
    """Whether a synthesizer learns under a guarantee only."""
    try:
        synthesizers()[name](**QUICK[name])._check_settings()
    except SettingError:
        return True
    return False


def weak_privacy(**settings: Any) -> Privacy:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it is weak
        return Privacy(epsilon=WEAK, **settings)


def declared(table: Any, unit: str | None = None) -> Schema:
    """What `inspect` would write of a table, vouched for."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        raw, _ = frames.to_polars(table)
        return dataclasses.replace(inference.infer(raw, unit=unit), declared=True)


def fit(model: Synthesizer, table: Any, schema: Schema | None = None) -> Synthesizer:
    """Fit a model to a table; where it keeps a guarantee, with a declared schema."""
    if schema is None and model.privacy is not None and hasattr(table, "columns"):
        schema = declared(table, model.unit)
    return model.fit(table, schema=schema)


@pytest.fixture(scope="session")
def make(name: str) -> Any:
    """Makes this synthesizer with quick settings; with a weak guarantee if it learns under one only."""
    own: dict[str, Any] = {"privacy": weak_privacy()} if needs_privacy(name) else {"random_state": 0}

    def make(**settings: Any) -> Synthesizer:
        return synthesizers()[name](**(QUICK[name] | own | settings))

    return make


@pytest.fixture(scope="session")
def fitted(make: Any, table: pl.DataFrame) -> Synthesizer:
    """This synthesizer, fitted once."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return fit(make(), table)
