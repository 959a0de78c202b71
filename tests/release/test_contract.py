"""What every release that keeps its records promises, run over all of them."""

from __future__ import annotations

import random
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
from sklearn.pipeline import Pipeline
from tests.synthesize.conftest import CANARY_EXTREME, CANARY_ID, CANARY_LEVEL, every_kind

import masquerade as mq
from masquerade.errors import SchemaError, SettingError, TableError
from masquerade.loading import load
from masquerade.release import Release, releases

pytestmark = pytest.mark.filterwarnings("ignore::masquerade.errors.MasqueradeWarning")

ROWS = 300
CHANGED = "country"
"""The column that each release changes."""


def settings_of(name: str) -> dict[str, Any]:
    """Settings that make each release quick; contract tests are about form, not quality."""
    return {
        "encode": {"epochs": 2, "target": "member"},
        "desensitize": {"hide": [CHANGED], "keep": ["member"], "epochs": 1},
        "mask": {"columns": [CHANGED, "amount"], "how": "generate"},
        "fuse": {"sensitive": [CHANGED, "amount"], "model": mq.Autoregressive(epochs=1, size="small")},
    }[name]


@pytest.fixture(scope="module", params=sorted(releases()))
def name(request: pytest.FixtureRequest) -> str:
    """Every release in turn."""
    return str(request.param)


@pytest.fixture(scope="module")
def make(name: str) -> Any:
    """Makes this release with quick settings."""

    def make(**settings: Any) -> Release:
        return releases()[name](**(settings_of(name) | {"random_state": 0} | settings))

    return make


@pytest.fixture(scope="module")
def table() -> pl.DataFrame:
    return every_kind(ROWS)


@pytest.fixture(scope="module")
def fitted(make: Any, table: pl.DataFrame) -> Release:
    """This release, fitted once."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        release: Release = make().fit(table)
    return release


@pytest.fixture(scope="module")
def released(fitted: Release, table: pl.DataFrame) -> pl.DataFrame:
    return fitted.transform(table)


def test_it_names_its_paper_and_is_a_scikit_learn_estimator(make: Any) -> None:
    release = make(protect=7)
    assert len(type(release).reference) > 20
    assert clone(release).get_params()["protect"] == 7
    assert "7" in repr(release)
    assert "not fitted" in release._repr_html_()


def test_every_row_is_there_in_its_place(released: pl.DataFrame, fitted: Release, table: pl.DataFrame) -> None:
    assert isinstance(released, pl.DataFrame)
    assert released["member"].equals(table["member"])  # which each release keeps here
    assert released.columns == list(fitted.get_feature_names_out())
    assert list(fitted.feature_names_in_) == table.columns
    assert fitted.n_features_in_ == table.width


def test_what_it_does_not_change_has_its_type(released: pl.DataFrame, table: pl.DataFrame) -> None:
    both = [column for column in released.columns if column in table.columns]
    assert both
    assert released.select(both).schema == table.select(both).schema


def test_rare_values_do_not_come_out(name: str, released: pl.DataFrame, table: pl.DataFrame) -> None:
    text = (
        released.select(released.columns if name == "desensitize" else pl.col(CHANGED, "amount"))
        if (CHANGED in released.columns)
        else released
    )
    cells = {str(cell) for column in text.get_columns() for cell in column}
    assert CANARY_LEVEL not in cells
    assert str(CANARY_EXTREME) not in cells
    assert str(table["amount"].min()) not in cells
    if name == "desensitize":
        assert not set(released["id"]) & set(table["id"])
        assert released["id"].n_unique() == ROWS


def test_missing_values_go_in_and_come_out(fitted: Release, table: pl.DataFrame) -> None:
    """Also in columns that had none in training."""
    holes = table.with_columns(
        pl.when(pl.int_range(pl.len()) % 4 == 0).then(None).otherwise(pl.col(column)).alias(column)
        for column in (CHANGED, "amount", "day", "größe")
    )
    out = fitted.transform(holes)
    assert out.height == ROWS
    assert out["member"].equals(table["member"])


@pytest.mark.parametrize("rows", [0, 1])
def test_any_number_of_new_rows_is_taken(
    fitted: Release, released: pl.DataFrame, table: pl.DataFrame, rows: int
) -> None:
    out = fitted.transform(table[:rows])
    assert out.shape == (rows, released.width)
    assert out.schema == released.schema


def test_new_levels_are_taken(fitted: Release, table: pl.DataFrame) -> None:
    out = fitted.transform(table[:20].with_columns(pl.lit("Strelsau").alias(CHANGED)))
    assert out.height == 20
    assert not any("Strelsau" in column for column in out.cast(pl.String).get_columns())


def test_a_seed_gives_the_same_rows_and_none_gives_others(
    fitted: Release, released: pl.DataFrame, table: pl.DataFrame, make: Any, name: str
) -> None:
    assert fitted.transform(table).equals(released)
    assert make().fit(table).transform(table).equals(released)
    if name != "encode":  # whose codes are a function of the row
        free = fitted.transform(table)
        fitted.random_state = None
        try:
            assert not fitted.transform(table).equals(free)
        finally:
            fitted.random_state = 0


def test_the_kind_of_frame_that_went_in_comes_out(fitted: Release, released: pl.DataFrame, table: pl.DataFrame) -> None:
    """The same rows, whichever library they stand in."""
    pandas = fitted.transform(table.to_pandas())
    assert isinstance(pandas, pd.DataFrame)
    assert list(pandas.columns) == released.columns
    arrow = fitted.transform(table.to_arrow())
    assert isinstance(arrow, pa.Table)
    assert arrow.column_names == released.columns
    for column in released.columns:
        wanted = released[column].cast(pl.String).to_list()
        assert pl.from_arrow(arrow)[column].cast(pl.String).to_list() == wanted  # type: ignore[index]
        if column in (CHANGED, "id"):
            assert [None if pd.isna(cell) else cell for cell in pandas[column]] == wanted
        if column in ("amount", "code_0", "age"):
            there = [cell for cell in released[column] if cell is not None]
            assert pandas[column].dropna().tolist() == pytest.approx(there)


@pytest.fixture(scope="module")
def frame(table: pl.DataFrame) -> pd.DataFrame:
    """The table as pandas has it, in types of its own."""
    made: pd.DataFrame = table.drop("id").to_pandas()
    made["age"] = made["age"].astype("Int64")
    made["day"] = pd.to_datetime(made["day"]).dt.tz_localize("UTC")
    made[CHANGED] = made[CHANGED].astype("category")
    return made


@pytest.fixture(scope="module")
def piped(make: Any, frame: pd.DataFrame) -> tuple[Pipeline, pd.DataFrame]:
    """A pipeline of the release alone, and what came out of it; nothing else was touched."""
    before, python_state, numpy_state = frame.copy(), random.getstate(), np.random.get_state()[1].copy()  # noqa: NPY002
    steps = Pipeline([("release", make())])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        out = steps.fit_transform(frame)
    pd.testing.assert_frame_equal(frame, before)
    assert random.getstate() == python_state
    assert (np.random.get_state()[1] == numpy_state).all()  # noqa: NPY002
    return steps, out


def test_dtypes_of_pandas_are_kept_and_categories_tell_no_rare_level(
    piped: tuple[Pipeline, pd.DataFrame], name: str, frame: pd.DataFrame
) -> None:
    out = piped[1]
    both = [column for column in out.columns if column in frame.columns]
    assert [str(dtype) for dtype in out.dtypes[both]] == [str(dtype) for dtype in frame.dtypes[both]]
    assert (out["member"] == frame["member"]).all()
    if name == "desensitize":
        assert set(out[CHANGED].cat.categories) == {"France", "España", "中国"}


def test_it_is_a_step_of_a_scikit_learn_pipeline(piped: tuple[Pipeline, pd.DataFrame]) -> None:
    steps, out = piped
    assert list(steps.get_feature_names_out()) == list(out.columns)
    assert len(out) == ROWS
    again = clone(steps)
    assert again.named_steps["release"].random_state == 0
    assert not again.named_steps["release"].__sklearn_is_fitted__()
    again.set_params(release__protect=3)
    assert again.get_params()["release__protect"] == 3


def test_text_as_from_a_csv_keeps_its_spelling(make: Any, name: str, table: pl.DataFrame) -> None:
    text = table.drop("id").select(
        pl.col("amount").map_elements("{:.2f}".format, pl.String)
        if column == "amount"
        else pl.col(column).cast(pl.String).fill_null("")
        for column in table.columns
        if column != "id"
    )
    odd = pl.when(pl.int_range(pl.len()) % 3 == 0).then(" " + pl.col("member")).otherwise("member").alias("member")
    text = text.with_columns(odd)
    out = make().fit(text).transform(text)
    assert out["member"].equals(text["member"])
    if "amount" in out.columns:
        assert out["amount"].str.contains(r"^\d+\.\d\d$").all()
        assert set(out[CHANGED]) <= {"France", "España", "中国"}
        assert out["age"].str.contains(r"^(\d\d)?$").all()


def test_save_and_load_give_the_same_rows(
    fitted: Release, released: pl.DataFrame, table: pl.DataFrame, tmp_path: Path
) -> None:
    fitted.save(tmp_path / "release.mq")
    back = load(tmp_path / "release.mq")
    assert type(back) is type(fitted)
    assert back.transform(table).equals(released)
    assert back.ledger_ == fitted.ledger_
    assert back.schema_ == fitted.schema_
    assert list(back.get_feature_names_out()) == released.columns


def test_no_canary_is_inside_the_saved_file(fitted: Release, table: pl.DataFrame, tmp_path: Path) -> None:
    fitted.save(tmp_path / "release.mq")
    with zipfile.ZipFile(tmp_path / "release.mq") as archive:
        content = b"".join(archive.read(name) for name in archive.namelist())
    assert b"France" in content  # a protected level is there, so the search can find something
    for word in (CANARY_ID, CANARY_LEVEL, *table["id"].to_list()):
        assert word.encode() not in content
    for extreme in (CANARY_EXTREME, float(table["amount"].min())):  # type: ignore[arg-type]
        assert str(extreme).encode() not in content
        for dtype in (np.float64, np.float32):
            assert np.array(extreme, dtype).tobytes() not in content


def test_settings_can_be_changed_by_name_and_unknown_ones_are_refused(make: Any) -> None:
    release = make()
    assert release.set_params(protect=3) is release
    assert release.get_params()["protect"] == 3
    with pytest.raises(SettingError, match="did you mean 'protect'"):
        release.set_params(protekt=3)
    with pytest.raises(SettingError, match="protect"):
        make(protect=-1).fit(every_kind(50))


def test_an_unfitted_release_says_so(make: Any, table: pl.DataFrame, tmp_path: Path) -> None:
    with pytest.raises(NotFittedError, match="fit"):
        make().transform(table)
    with pytest.raises(NotFittedError, match="fit"):
        make().save(tmp_path / "x.mq")
    with pytest.raises(NotFittedError, match="fit"):
        make().get_feature_names_out()
    assert list(tmp_path.iterdir()) == []


def test_columns_that_do_not_match_are_refused(fitted: Release, table: pl.DataFrame) -> None:
    with pytest.raises(SchemaError, match=CHANGED):
        fitted.transform(table.drop(CHANGED))
    with pytest.raises(SchemaError, match="'agee'"):
        fitted.transform(table.with_columns(agee=pl.lit(1)))


def test_columns_may_stand_in_another_order(fitted: Release, released: pl.DataFrame, table: pl.DataFrame) -> None:
    assert fitted.transform(table.select(reversed(table.columns))).select(released.columns).equals(released)


def test_tables_that_cannot_be_learned_are_refused(make: Any) -> None:
    few = every_kind(60)[:3]
    with pytest.raises(TableError, match="rows"):
        make().fit(few)
    with pytest.raises(TableError, match="infinite"):
        make().fit(every_kind(60).with_columns(amount=pl.lit(float("inf"))))
    with pytest.raises(TableError):
        make().fit(np.zeros((20, 2)))


def test_the_ledger_promises_nothing_and_says_that_rows_are_aligned(fitted: Release) -> None:
    ledger = fitted.ledger_
    assert ledger.guarantee == "none"
    assert ledger.aligned
    assert set(ledger.dropped) == set(fitted.schema_.names) - set(fitted.get_feature_names_out())
    assert ledger.unit == "row"
    assert ledger.protections["protect"] == 10
    assert "none" in ledger.sentence()
    assert ledger.mechanism == type(fitted).__name__
    card = fitted._repr_html_()
    assert "9 columns in" in card
    assert "none" in card
