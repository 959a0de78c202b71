"""A typed table as numbers: places, protection, what was never seen."""

from __future__ import annotations

import datetime

import numpy as np
import polars as pl
import pytest

from masquerade.datasets import load_bank
from masquerade.inference import infer
from masquerade.release.features import Features
from masquerade.schema import Column, Schema
from masquerade.spelling import parse


def features(typed: pl.DataFrame, kinds: dict[str, str], protect: int = 0, unit: str | None = None) -> Features:
    schema = Schema(tuple(Column(name, kind) for name, kind in kinds.items()), unit=unit)  # type: ignore[arg-type]
    return Features.learn(typed, schema, protect=protect)


def test_bank_marketing_has_63_inputs() -> None:
    raw = load_bank()
    schema = infer(raw)
    found = Features.learn(parse(raw, schema), schema, protect=10, leave_out=["y"])
    values = found.transform(parse(raw, schema))
    assert (found.width, values.shape, values.dtype) == (63, (41188, 63), np.float32)
    assert np.allclose(values[:, :10].mean(axis=0), 0, atol=1e-4)
    assert np.allclose(values[:, :10].std(axis=0), 1, atol=1e-3)
    levels = values[:, 10:]
    assert set(np.unique(levels)) == {0.0, 1.0}
    assert (levels.sum(axis=1) == 10).all(), "each of ten columns has one hot place"
    assert "default: another" in found.names, "three clients in default are fewer than ten"
    assert "default=yes" not in found.names


def test_a_missing_number_is_the_mean_and_says_so() -> None:
    found = features(pl.DataFrame({"a": [1.0, 3.0, None]}), {"a": "continuous"})
    assert found.names == ("a", "a is missing")
    assert found.transform(pl.DataFrame({"a": [1.0, 3.0, None]})).tolist() == [[-1, 0], [1, 0], [0, 1]]


def test_no_place_says_missing_where_none_is() -> None:
    assert features(pl.DataFrame({"a": [1.0, 3.0]}), {"a": "continuous"}).names == ("a",)


def test_a_rare_level_shares_a_place_and_a_new_one_joins_it() -> None:
    typed = pl.DataFrame({"a": ["x"] * 5 + ["y"] * 5 + ["z"]})
    found = features(typed, {"a": "categorical"}, protect=2)
    assert found.names == ("a=x", "a=y", "a: another")
    assert found.transform(pl.DataFrame({"a": ["z", "new", "x"]})).tolist() == [[0, 0, 1], [0, 0, 1], [1, 0, 0]]
    assert "z" not in str(found.to_list())


def test_a_new_level_has_no_place_where_there_was_no_other() -> None:
    found = features(pl.DataFrame({"a": ["x", "y"]}), {"a": "categorical"})
    assert found.transform(pl.DataFrame({"a": ["new", None]})).tolist() == [[0, 0], [0, 0]]


def test_a_missing_level_is_a_level() -> None:
    found = features(pl.DataFrame({"a": ["x", None, "x", None]}), {"a": "categorical"}, protect=2)
    assert found.names == ("a=x", "a is missing")
    assert found.transform(pl.DataFrame({"a": [None, "x"]})).tolist() == [[0, 1], [1, 0]]


def test_levels_count_units_not_rows() -> None:
    typed = pl.DataFrame({"who": ["p", "p", "p", "q", "r"], "a": ["x", "x", "x", "y", "y"]})
    found = features(typed, {"who": "id", "a": "categorical"}, protect=2, unit="who")
    assert found.names == ("a=y", "a: another")


def test_extremes_are_cut_to_what_enough_rows_share() -> None:
    values = [*np.linspace(0, 1, 100), 1e6]
    found = features(pl.DataFrame({"a": values}), {"a": "continuous"}, protect=10)
    released = found.transform(pl.DataFrame({"a": [1e6, 1e9, 0.95]}))
    assert released[0] == released[1]
    assert released[0, 0] < 3
    assert "1000000" not in str(found.to_list())


def test_moments_and_booleans_are_encoded_constants_and_ids_are_not() -> None:
    days = [datetime.datetime(2020, 1, day) for day in (1, 2, 3)]
    typed = pl.DataFrame({"d": days, "b": [True, False, True], "c": [7, 7, 7], "i": ["u", "v", "w"], "k": ["s"] * 3})
    typed = typed.with_columns(pl.col("d").cast(pl.Datetime("us")))
    found = features(typed, {"d": "datetime", "b": "boolean", "c": "integer", "i": "id", "k": "categorical"})
    assert found.names == ("d", "b=false", "b=true")
    assert found.transform(typed)[:, 0].tolist() == pytest.approx([-1.2247, 0, 1.2247], abs=1e-3)


def test_plain_data_and_back() -> None:
    typed = pl.DataFrame({"a": [1.0, None, 3.0], "b": ["x", None, "x"]})
    found = features(typed, {"a": "continuous", "b": "categorical"})
    assert Features.from_list(found.to_list()) == found
