"""Augmenting: classes levelled, real rows unchanged, new rows flagged."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pytest

from masquerade.errors import ConditionError, SettingError, TableError
from masquerade.release.balance import augment
from masquerade.synthesize.ctgan import CTGAN


@pytest.fixture(scope="module")
def table() -> pl.DataFrame:
    random = np.random.default_rng(0)
    return pl.DataFrame({"x": random.normal(size=300).round(2), "y": ["no"] * 200 + ["yes"] * 60 + [None] * 40})


@pytest.fixture(scope="module")
def model(table: pl.DataFrame) -> CTGAN:
    return CTGAN(epochs=2, generator_dim=(16,), discriminator_dim=(16,), random_state=0).fit(table)


def test_classes_are_levelled_and_real_rows_come_first_unchanged(table: pl.DataFrame, model: CTGAN) -> None:
    both = augment(table, model, "y", flag=True, random_state=1)
    assert both.columns == ["x", "y", "synthetic"]
    assert both.head(300).drop("synthetic").equals(table)
    assert dict(both["y"].value_counts().iter_rows()) == {"no": 200, "yes": 200, None: 40}
    assert both["synthetic"].sum() == 140
    assert set(both.filter("synthetic")["y"]) == {"yes"}


def test_pandas_stays_pandas(table: pl.DataFrame, model: CTGAN) -> None:
    frame = pd.DataFrame({name: table[name].to_list() for name in table.columns})
    both = augment(frame, model, "y")
    assert isinstance(both, pd.DataFrame)
    assert (both.dtypes == frame.dtypes).all()
    assert len(both) == 440


def test_a_levelled_table_gets_no_row(model: CTGAN) -> None:
    level = pl.DataFrame({"x": np.arange(20.0), "y": ["no", "yes"] * 10})
    assert augment(level, model, "y").equals(level)


def test_bad_input_is_refused(table: pl.DataFrame, model: CTGAN) -> None:
    with pytest.raises(SettingError, match="did you mean 'y'"):
        augment(table, model, "yy")
    with pytest.raises(ConditionError, match="numeric"):
        augment(table, model, "x")
    with pytest.raises(SettingError, match="synthetic"):
        augment(table.with_columns(synthetic=1), model, "y", flag=True)
    with pytest.raises(TableError, match="columns"):
        augment(table.drop("x"), model, "y")
