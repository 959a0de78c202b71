"""What a survey finds is what the whole table shows."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from masquerade import files, inference, spelling, table_stream
from masquerade.codec.table import TableCodec
from masquerade.errors import MasqueradeWarning, SchemaError, SettingError, TableError
from masquerade.schema import Column, Schema
from masquerade.surveying import Survey, census, survey

ROWS = 200_000


def table(rows: int = ROWS) -> pl.DataFrame:
    draw = np.random.default_rng(0)
    city = np.minimum(draw.geometric(0.02, rows), 900)
    amount = np.round(draw.lognormal(3, 1.5, rows), 2)
    return pl.DataFrame(
        {
            "city": pl.Series([f"city {i}" for i in range(901)]).gather(city),
            "age": draw.integers(18, 95, rows),
            "amount": pl.Series(amount).set(pl.Series(draw.random(rows) < 0.001), None),
            "score": draw.normal(size=rows),
            "day": pl.Series(draw.integers(0, 4_000, rows), dtype=pl.Int32).cast(pl.Date),
            "member": draw.random(rows) < 0.3,
            "person_id": pl.Series(draw.integers(0, rows // 8, rows)).cast(pl.String),
        }
    )


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("survey") / "table.parquet"
    table().write_parquet(path, row_group_size=30_000)
    return path


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_stream, "BATCH_CELLS", 200_000)
    monkeypatch.setattr(table_stream, "BLOCK_BYTES", 1 << 20)


def fitted(found: Survey) -> TableCodec:
    typed = spelling.parse(found.sample, found.schema)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MasqueradeWarning)
        return TableCodec.fit_encode(
            typed, found.schema, quantiles=True, max_levels=10_000, counts=found.counts, protect=found.protect
        )[0]


def fitted_whole(whole: pl.DataFrame, schema: Schema) -> TableCodec:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MasqueradeWarning)
        return TableCodec.fit(spelling.parse(whole, schema), schema, quantiles=True, max_levels=10_000)


def same_codecs(small: TableCodec, whole: TableCodec, *, tolerance: float) -> None:
    """The same levels and bounds, and the same frequencies but for the draws that replace rare rows."""
    assert small.layout.names == whole.layout.names
    assert small.layout.sizes == whole.layout.sizes
    for i, name in enumerate(whole.layout.names):
        mine, theirs = small.codecs[name].to_state(), whole.codecs[name].to_state()
        assert mine[0] == theirs[0], name
        for key in theirs[1]:
            np.testing.assert_array_equal(mine[1][key], theirs[1][key], err_msg=f"{name} {key}")
        np.testing.assert_allclose(
            small.layout.frequencies[i], whole.layout.frequencies[i], atol=tolerance, err_msg=name
        )


def test_codecs_are_those_of_the_whole_table(path: Path) -> None:
    found = survey(path, sample_rows=20_000, random_state=0)
    assert (found.rows, found.sample.height, found.holdout) == (ROWS, 20_000, None)
    whole = table()
    schema = inference.infer(whole)
    assert found.schema == schema
    same_codecs(fitted(found), fitted_whole(whole, schema), tolerance=5e-4)


def test_a_level_of_ten_rows_is_kept(tmp_path: Path) -> None:
    names = ["a"] * 50_000 + ["ten"] * 10 + ["nine"] * 9
    frame = pl.DataFrame({"w": names, "x": range(len(names))}).sample(fraction=1, shuffle=True, seed=0)
    frame.write_csv(tmp_path / "t.csv")
    found = survey(tmp_path / "t.csv", sample_rows=1_000, random_state=1)
    assert found.schema["w"].levels == ("a", "ten")
    codec = fitted(found)
    place = codec.layout.names.index("w")
    assert codec.layout.frequencies[place][1] == pytest.approx(10 / len(names), rel=1e-2)


def test_csv_and_units(tmp_path: Path) -> None:
    whole = table(30_000)
    whole.write_csv(tmp_path / "t.csv")
    raw = files.read_table(tmp_path / "t.csv")
    schema = inference.infer(raw, unit="person_id")
    found = survey(tmp_path / "t.csv", unit="person_id", sample_rows=3_000, random_state=0)
    assert found.schema == schema
    small, full = fitted(found), fitted_whole(raw, schema)
    assert small.layout.sizes == full.layout.sizes
    for name in ("city", "day", "member"):
        for key, array in full.codecs[name].to_state()[1].items():
            np.testing.assert_allclose(small.codecs[name].to_state()[1][key], array, rtol=0.02, err_msg=f"{name} {key}")


def test_more_values_than_are_counted(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(census, "MOST_VALUES", 5_000)
    found = survey(path, sample_rows=50_000, random_state=0)
    whole = table()
    schema = inference.infer(whole)
    assert found.schema == schema
    assert not found.counts["score"].exact
    assert not found.counts["person_id"].exact
    assert found.counts["person_id"].distinct == pytest.approx(whole["person_id"].n_unique(), rel=0.05)
    low, high = np.sort(whole["score"].to_numpy())[[9, -10]]
    assert (found.counts["score"].lows[9], found.counts["score"].highs[-10]) == (low, high)
    codec, full = fitted(found), fitted_whole(whole, schema)
    for name in ("score", "amount"):
        mine, theirs = codec.codecs[name], full.codecs[name]
        assert (mine.low, mine.high, mine.missing) == (theirs.low, theirs.high, theirs.missing)  # type: ignore[attr-defined]
        place = np.linspace(0.001, 0.999, 500)
        drawn = mine.decode(_codes(mine, 50_000), np.zeros(50_000, np.float32), np.random.default_rng(0))
        quantiles = np.quantile(drawn.drop_nulls().to_numpy(), place)
        error = np.searchsorted(np.sort(whole[name].drop_nulls().to_numpy()), quantiles) / ROWS - place
        assert np.abs(error).max() < 0.02
    made = codec.codecs["person_id"].decode(
        np.zeros(5_000, np.int32), np.zeros(5_000, np.float32), np.random.default_rng(0)
    )
    assert not made.cast(pl.String).is_in(whole["person_id"].unique().to_list()).any()


def _codes(codec: object, rows: int) -> np.ndarray:
    weights = codec.weights  # type: ignore[attr-defined]
    return np.random.default_rng(1).choice(weights.size, rows, p=weights / weights.sum()).astype(np.int32)


def test_cells_that_come_late_change_what_a_column_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(census, "MOST_VALUES", 500)
    lines = [f"{i * 7 % 30_011},{i % 5}" for i in range(30_000)] + ["about 12,1"]
    (tmp_path / "t.csv").write_text("\n".join(["n,k", *lines]))
    found = survey(tmp_path / "t.csv", sample_rows=1_000, random_state=0)
    assert found.schema["n"].kind != "integer"
    declared = Schema((Column("n", "integer"), Column("k", "integer")))
    with pytest.raises(SchemaError, match="'about 12' does not fit"):
        survey(tmp_path / "t.csv", schema=declared, sample_rows=1_000, random_state=0)


def test_holdout_is_counted_nowhere(tmp_path: Path) -> None:
    frame = pl.DataFrame({"who": [f"p{i % 2_000}" for i in range(40_000)], "x": np.arange(40_000) % 97})
    frame.write_parquet(tmp_path / "t.parquet")
    found = survey(tmp_path / "t.parquet", unit="who", holdout_share=0.2, sample_rows=50_000, random_state=3)
    assert found.holdout is not None
    assert found.rows + found.held_rows == 40_000
    assert found.held_rows / 40_000 == pytest.approx(0.2, abs=0.03)
    assert set(found.holdout["who"]).isdisjoint(found.sample["who"])
    assert found.holdout.height == found.held_rows
    assert found.sample.height == found.rows == found.counts["x"].there
    again = survey(tmp_path / "t.parquet", unit="who", holdout_share=0.2, sample_rows=50_000, random_state=3)
    assert again.sample.equals(found.sample)


def test_refusals(tmp_path: Path) -> None:
    pl.DataFrame({"a": range(5)}).write_parquet(tmp_path / "short.parquet")
    with pytest.raises(TableError, match="5 rows"):
        survey(tmp_path / "short.parquet")
    pl.DataFrame({"a": [1.0, float("inf")] * 50}).write_parquet(tmp_path / "infinite.parquet")
    with pytest.raises(TableError, match="infinite"):
        survey(tmp_path / "infinite.parquet")
    with pytest.raises(SchemaError, match="no column 'b'"):
        survey(tmp_path / "short.parquet", unit="b")
    with pytest.raises(SettingError, match="sample_rows"):
        survey(tmp_path / "short.parquet", sample_rows=1)


def test_a_declared_schema_holds_for_every_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(census, "MOST_VALUES", 500)
    frame = pl.DataFrame({"n": [*range(20_000), 90_000], "w": ["a"] * 20_000 + ["b"]})
    frame.write_parquet(tmp_path / "t.parquet")
    number, word = Column("n", "integer", maximum=30_000), Column("w", "categorical", levels=("a",))
    for columns, words in (
        ((number, Column("w", "categorical")), "'n': the value lies beyond the declared maximum 30000"),
        ((Column("n", "integer"), word), "'w': the value is not among the 1 declared levels"),
    ):
        with pytest.raises(SchemaError, match=words):
            survey(tmp_path / "t.parquet", schema=Schema(columns, declared=True), sample_rows=1_000, random_state=0)
