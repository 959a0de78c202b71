"""What each column is drawn from: links that are there are found, links that are not are not, and their strength is right."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

import masquerade as mq
from masquerade.synthesize.explain import _divergence


def chain(rows: int = 6_000) -> pl.DataFrame:
    """b follows a in 9 rows of 10, `other` follows nothing, d is a looked up, and c is b or, one time in two, anything."""
    random = np.random.default_rng(0)
    a = random.integers(0, 2, rows)
    b = np.where(random.random(rows) < 0.9, a, 1 - a)
    other = random.integers(0, 5, rows)
    c = np.where(random.random(rows) < 0.5, b, random.integers(0, 2, rows))
    first = 2 * a + random.integers(0, 2, rows)  # four levels, of which d tells the half
    words = {
        "first": np.array(list("pqrs"))[first],
        "b": np.array(["n", "y"])[b],
        "other": np.array(list("uvwxy"))[other],
    }
    return pl.DataFrame(words | {"c": np.array(["n", "y"])[c], "d": np.array(["low", "high"])[first // 2]})


@pytest.fixture(scope="module")
def model() -> mq.Autoregressive:
    return mq.Autoregressive(epochs=12, size="small", random_state=0).fit(chain())


def strength(found: pl.DataFrame, column: str, on: str) -> float:
    row = found.filter(column=column, drawn_from=on)
    return float(row["nats"][0]) if row.height else 0.0


def test_links_have_the_strength_that_arithmetic_gives(model: mq.Autoregressive) -> None:
    found = model.dependencies_
    entropy = -(0.9 * np.log(0.9) + 0.1 * np.log(0.1))
    assert strength(found, "b", "first") == pytest.approx(np.log(2) - entropy, abs=0.08)
    of_c = -(0.75 * np.log(0.75) + 0.25 * np.log(0.25))
    # With b hidden, c is still told by first: the same as b nine times in ten.
    agree = 0.9 * 0.75 + 0.1 * 0.25
    of_c_without = -(agree * np.log(agree) + (1 - agree) * np.log(1 - agree))
    assert strength(found, "c", "b") == pytest.approx(of_c_without - of_c, abs=0.04)
    assert strength(found, "c", "first") < 0.01, "all that first tells of c is told by b"
    assert strength(found, "other", "first") < 0.01


def test_a_column_looked_up_is_said_to_be(model: mq.Autoregressive) -> None:
    found = model.dependencies_
    assert found.filter("determined").select("column", "drawn_from").rows() == [("d", "first")]
    assert strength(found, "d", "first") == pytest.approx(np.log(2), abs=0.02)
    assert found["nats"].is_sorted(descending=True)
    assert found["nats"].min() >= 1e-3


def test_columns_are_drawn_from_earlier_ones_only(model: mq.Autoregressive) -> None:
    place = {name: i for i, name in enumerate(model.schema_.names)}
    drawn = model.dependencies_.filter(~pl.col("determined"))
    assert all(place[on] < place[column] for column, on in drawn.select("column", "drawn_from").rows())


def test_a_loaded_model_says_the_same(model: mq.Autoregressive, tmp_path: Path) -> None:
    model.save(tmp_path / "chain.mq")
    again = mq.load(tmp_path / "chain.mq")
    assert again.dependencies_.equals(model.dependencies_)


def test_the_frame_is_of_the_kind_fitted() -> None:
    pandas = pytest.importorskip("pandas")
    model = mq.Autoregressive(epochs=2, size="small", random_state=0).fit(chain(300).to_pandas())
    found = model.dependencies_
    assert isinstance(found, pandas.DataFrame)
    assert list(found.columns) == ["column", "drawn_from", "nats", "determined"]


def test_an_unfitted_model_has_none() -> None:
    assert not hasattr(mq.Autoregressive(), "dependencies_")


def test_of_a_thousand_columns_the_loudest_are_hidden(
    monkeypatch: pytest.MonkeyPatch, model: mq.Autoregressive
) -> None:
    monkeypatch.setattr("masquerade.synthesize.explain.MOST_HIDDEN", 2)
    drawn = model.dependencies_.filter(~pl.col("determined"))
    assert set(drawn["drawn_from"]) == {"first", "b"}


def test_the_divergence_is_that_of_two_coins() -> None:
    random = np.random.default_rng(0)
    heads = random.random((1, 20_000)) < 0.5
    for q in (0.51, 0.9):
        lost = np.log(np.where(heads, 0.5 / q, 0.5 / (1 - q)))
        wanted = 0.5 * np.log(0.5 / q) + 0.5 * np.log(0.5 / (1 - q))
        assert _divergence(lost)[0] == pytest.approx(wanted, rel=0.03)
