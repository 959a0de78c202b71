"""What every synthesizer promises, run over all of them."""

from __future__ import annotations

import random
import subprocess
import sys
import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from masquerade.errors import ConditionError, SchemaError, SettingError, TableError
from masquerade.loading import load
from masquerade.schema import Column, Schema
from masquerade.synthesize import Synthesizer
from tests.synthesize.conftest import CANARY_EXTREME, CANARY_ID, CANARY_LEVEL, fit

pytestmark = pytest.mark.filterwarnings("ignore::masquerade.errors.MasqueradeWarning")


def test_it_names_its_paper_and_is_a_scikit_learn_estimator(make: Any) -> None:
    model = make(unit="who")
    assert len(type(model).reference) > 20
    assert clone(model).get_params()["unit"] == "who"
    assert "unit='who'" in repr(model)
    assert "not fitted" in model._repr_html_()


@pytest.mark.parametrize("rows", [0, 1, 137])
def test_the_schema_is_kept_for_any_number_of_rows(fitted: Synthesizer, table: pl.DataFrame, rows: int) -> None:
    drawn = fitted.sample(rows, random_state=1)
    assert drawn.schema == table.schema
    assert drawn.height == rows


def test_values_are_like_the_table(fitted: Synthesizer, table: pl.DataFrame) -> None:
    drawn = fitted.sample(800, random_state=2)
    assert set(drawn["country"]) <= set(table["country"]) - {CANARY_LEVEL}
    assert set(drawn["größe"]) <= {36, 38, 40}
    assert drawn["age"].drop_nulls().is_between(18, 90).all()
    assert 0.03 < drawn["age"].null_count() / 800 < 0.25
    assert drawn["amount"].max() < CANARY_EXTREME
    assert drawn["day"].is_between(table["day"].min(), table["day"].max()).all()
    assert set(drawn["constant"]) == {"same"}
    assert drawn["empty"].null_count() == 800


def test_ids_are_fresh_and_distinct(fitted: Synthesizer, table: pl.DataFrame) -> None:
    drawn = fitted.sample(300, random_state=3)["id"]
    assert drawn.n_unique() == 300
    assert not set(drawn) & set(table["id"])


def test_a_seed_gives_the_same_rows_and_another_one_others(fitted: Synthesizer) -> None:
    assert fitted.sample(50, random_state=4).equals(fitted.sample(50, random_state=4))
    assert not fitted.sample(50, random_state=4).equals(fitted.sample(50, random_state=5))
    assert not fitted.sample(50).equals(fitted.sample(50))


def test_the_same_seed_fits_the_same_model(make: Any, table: pl.DataFrame, fitted: Synthesizer) -> None:
    if fitted.privacy is not None:
        with pytest.raises(SettingError, match="a published seed undoes it"):
            fit(make(random_state=0), table)
        return
    again = fit(make(), table)
    assert again.sample(60, random_state=6).equals(fitted.sample(60, random_state=6))


def test_chunks_are_the_rows_asked_for(fitted: Synthesizer) -> None:
    chunks = list(fitted.sample_chunks(130, random_state=8, chunk_rows=50))
    assert [chunk.height for chunk in chunks] == [50, 50, 30]
    assert pl.concat(chunks)["id"].n_unique() == 130


def test_the_input_and_the_global_random_state_are_left_alone(make: Any, table: pl.DataFrame) -> None:
    frame = pd.DataFrame({"x": np.arange(60.0), "y": ["a", "b", "c"] * 20})
    before, python_state, numpy_state = frame.copy(), random.getstate(), np.random.get_state()[1].copy()  # noqa: NPY002
    fit(make(), frame).sample(5)
    pd.testing.assert_frame_equal(frame, before)
    assert random.getstate() == python_state
    assert (np.random.get_state()[1] == numpy_state).all()  # noqa: NPY002


def test_the_same_kind_of_frame_comes_back(make: Any) -> None:
    frame = pd.DataFrame(
        {
            "n": pd.array([1, 2, None] * 20, dtype="Int64"),
            "when": pd.date_range("2020-01-01", periods=60, tz="UTC"),
            "level": pd.Categorical(["x", "y", "x"] * 20),
        }
    )
    drawn = fit(make(), frame).sample(30)
    assert isinstance(drawn, pd.DataFrame)
    assert (drawn.dtypes == frame.dtypes).all()
    arrow = pa.table({"n": [1, 2, 3] * 10, "y": ["a", "b", "b"] * 10})
    drawn = fit(make(), arrow).sample(30)
    assert isinstance(drawn, pa.Table)
    assert drawn.schema == arrow.schema


def test_save_and_load_give_the_same_rows(fitted: Synthesizer, tmp_path: Path) -> None:
    fitted.save(tmp_path / "model.mq")
    back = load(tmp_path / "model.mq")
    assert type(back) is type(fitted)
    assert back.sample(70, random_state=9).equals(fitted.sample(70, random_state=9))
    assert back.ledger_ == fitted.ledger_
    assert back.schema_ == fitted.schema_
    assert back.history_ == fitted.history_


def test_no_canary_is_inside_the_saved_file(fitted: Synthesizer, table: pl.DataFrame, tmp_path: Path) -> None:
    fitted.save(tmp_path / "model.mq")
    with zipfile.ZipFile(tmp_path / "model.mq") as archive:
        content = b"".join(archive.read(name) for name in archive.namelist())
    assert b"France" in content  # a protected level is there, so the search can find something
    for word in (CANARY_ID, CANARY_LEVEL, *table["id"].to_list()):
        assert word.encode() not in content
    for dtype in (np.float64, np.float32):
        assert np.array(CANARY_EXTREME, dtype).tobytes() not in content
    assert str(CANARY_EXTREME).encode() not in content
    assert str(table["amount"].min()).encode() not in content


def test_a_condition_holds_in_every_row(fitted: Synthesizer, table: pl.DataFrame) -> None:
    assert set(fitted.sample(90, given={"country": "España"})["country"]) == {"España"}
    assert set(fitted.sample(90, given={"member": True})["member"]) == {True}
    wanted = pl.DataFrame({"country": ["中国", "France", "中国", "España"]})
    assert fitted.sample(given=wanted)["country"].to_list() == wanted["country"].to_list()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"contry": "France"}, "did you mean 'country'"),
        ({"country": "Frence"}, "did you mean 'France'"),
        ({"country": CANARY_LEVEL}, "no level 'Ruritania'"),
        ({"id": "AB-0001-AB"}, "made afresh"),
    ],
)
def test_a_condition_that_cannot_be_met_is_refused(fitted: Synthesizer, given: dict[str, Any], message: str) -> None:
    with pytest.raises(ConditionError, match=message):
        fitted.sample(5, given=given)


def test_a_number_is_met_exactly_or_refused_naming_the_model_that_takes_any(fitted: Synthesizer) -> None:
    wanted = {"amount": 310.25, "country": "France"}
    if type(fitted).takes_any_cells:
        drawn = fitted.sample(60, given=wanted, random_state=0)
        assert drawn.select(*wanted).unique().rows() == [tuple(wanted.values())]
        assert drawn["age"].n_unique() > 5
        return
    for given in ({"amount": 310.25}, wanted):
        with pytest.raises(ConditionError, match=r"mq\.Autoregressive"):
            fitted.sample(5, given=given)


@pytest.mark.parametrize("n", [-1, 2.5, True, "5", None])
def test_a_bad_number_of_rows_is_refused(fitted: Synthesizer, n: Any) -> None:
    with pytest.raises(SettingError, match="n: got"):
        fitted.sample(n)


def test_tables_that_cannot_be_modelled_are_refused(make: Any, fitted: Synthesizer) -> None:
    few = pl.DataFrame({"a": [1.0, 2.0, 3.0], "b": ["x", "y", "x"]})
    infinite = pl.DataFrame({"a": [1.0, float("inf")] * 20, "b": ["x", "y"] * 20})
    with pytest.raises(TableError):
        make().fit(np.zeros((20, 2)), schema=fitted.schema_)
    if fitted.privacy is None:
        for table in (few, infinite):
            with pytest.raises(TableError):
                make().fit(table)
        return
    columns = (
        Column("a", "continuous", minimum=0, maximum=9, decimals=0),
        Column("b", "categorical", levels=("x", "y")),
    )
    schema = Schema(columns, declared=True)
    with pytest.raises(TableError, match="counted with noise"):
        make().fit(few, schema=schema)
    # Whether a row is infinite must not show: it counts as the greatest value.
    assert (make().fit(infinite, schema=schema).sample(200)["a"] == 9).mean() > 0.2


def test_a_schema_that_does_not_match_is_refused(make: Any, fitted: Synthesizer) -> None:
    with pytest.raises(SchemaError, match="'id'"):
        make().fit(pl.DataFrame({"age": range(30)}), schema=fitted.schema_)


def test_one_column_is_enough(make: Any) -> None:
    numbers = pl.DataFrame({"x": np.random.default_rng(0).normal(size=200).round(3)})
    drawn = fit(make(), numbers).sample(100, random_state=0)["x"]
    assert drawn.is_between(-4, 4).all()
    assert drawn.n_unique() > 20
    words = pl.DataFrame({"w": ["a", "b"] * 30})
    assert set(fit(make(), words).sample(100)["w"]) == {"a", "b"}


def test_an_unfitted_model_says_so(make: Any, tmp_path: Path) -> None:
    with pytest.raises(NotFittedError, match="fit"):
        make().sample(3)
    with pytest.raises(NotFittedError, match="fit"):
        make().save(tmp_path / "x.mq")


def test_the_ledger_says_what_is_promised_and_what_protects(fitted: Synthesizer) -> None:
    if fitted.privacy is not None:
        assert fitted.ledger_.guarantee == "differential privacy"
        assert fitted.ledger_.epsilon <= fitted.privacy.epsilon
        assert "ε = " in fitted._repr_html_()
        return
    assert fitted.ledger_.guarantee == "none"
    assert fitted.ledger_.protections == {"protect": 10}
    assert "none" in fitted._repr_html_()


def test_rows_of_one_person_count_once(make: Any) -> None:
    """A level that one account alone has a hundred times is that person's, and must not come out."""
    random_ = np.random.default_rng(3)
    table = pl.DataFrame(
        {
            "account": [f"{i % 50:05d}" for i in range(600)] + ["77777"] * 100,
            "place": random_.choice(["north", "south"], 600).tolist() + ["Hentzau Castle"] * 100,
        }
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = fit(make(unit="account"), table)
    drawn = model.sample(500, random_state=0)
    assert "Hentzau Castle" not in set(drawn["place"])
    assert not set(drawn["account"]) & set(table["account"])
    assert model.ledger_.unit == "account"
    by_row = fit(make(), table.drop("account"))
    assert "Hentzau Castle" in set(by_row.sample(500, random_state=0)["place"])


def test_numbers_of_one_person_are_no_ones_else(make: Any, tmp_path: Path) -> None:
    """An account with hundreds of rows at one odd amount must not leave that amount in the file, or draw it often."""
    random_ = np.random.default_rng(4)
    amount = np.concatenate([random_.normal(100, 20, 600).round(2), np.full(300, 4321.77)])
    account = [f"{i % 60:05d}" for i in range(600)] + ["77777"] * 300
    model = fit(make(unit="account"), pl.DataFrame({"account": account, "amount": amount}))
    model.save(tmp_path / "model.mq")
    with zipfile.ZipFile(tmp_path / "model.mq") as archive:
        content = b"".join(archive.read(name) for name in archive.namelist())
    assert b"4321.77" not in content
    for dtype in (np.float64, np.float32):
        assert np.array(4321.77, dtype).tobytes() not in content
    assert (model.sample(500, random_state=0)["amount"] == 4321.77).sum() <= 1
    by_row = fit(make(), pl.DataFrame({"amount": amount, "y": ["a", "b"] * 450}))
    assert (by_row.sample(500, random_state=0)["amount"] == 4321.77).mean() > 0.1


def test_settings_can_be_changed_by_name_and_unknown_ones_are_refused(make: Any) -> None:
    model = make()
    assert model.set_params(verbose=True) is model
    assert model.get_params()["verbose"] is True
    with pytest.raises(SettingError, match="did you mean 'verbose'"):
        model.set_params(verbos=True)


@pytest.mark.parametrize("name", ["CTGAN", "Autoregressive"])
def test_training_and_drawing_do_not_load_what_they_do_not_need(name: str) -> None:
    """pandas and SciPy's statistics cost 130 MB and a second; a process that only trains has no use for them."""
    heavy = ("pandas", "sklearn", "scipy.stats")
    code = f"import sys, masquerade as mq; mq.{name}(); print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
