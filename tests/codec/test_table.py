"""Whole tables there and back: what is kept, what is protected, what is refused."""

from __future__ import annotations

import dataclasses
import json
import time
import warnings
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from masquerade.codec.table import TableCodec
from masquerade.errors import ArtifactError, ConditionError, MasqueradeWarning, SchemaError, SettingError, TableError
from masquerade.schema import Column, Schema

pytestmark = pytest.mark.filterwarnings("ignore:.*identifiers are never shown")

SCHEMA = Schema(
    (
        Column("age", "integer"),
        Column("amount", "continuous", decimals=2),
        Column("job", "categorical"),
        Column("member", "boolean", levels=("no", "yes")),
        Column("day", "datetime"),
        Column("key", "id"),
        Column("same", "categorical"),
    )
)


def mixed(rows: int = 600, seed: int = 0) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    days = [datetime(2020, 1, 1) + timedelta(days=int(d)) for d in rng.integers(0, 900, rows)]
    return pl.DataFrame(
        {
            "age": pl.Series(
                [None if rng.random() < 0.1 else int(a) for a in rng.normal(45, 12, rows)], dtype=pl.Int64
            ),
            "amount": rng.lognormal(4, 1, rows).round(2),
            "job": [None if rng.random() < 0.05 else "abc"[i] for i in rng.integers(0, 3, rows)],
            "member": rng.random(rows) < 0.3,
            "day": pl.Series(days, dtype=pl.Datetime("us")),
            "key": [f"K{i:05d}" for i in range(rows)],
            "same": ["x"] * rows,
        }
    )


def state_bytes(codec: TableCodec) -> bytes:
    config, arrays = codec.to_state()
    return json.dumps(config, ensure_ascii=False).encode() + b"".join(a.tobytes() for a in arrays.values())


def test_one_line_names_the_columns_whose_ids_are_made_afresh() -> None:
    table = mixed().with_columns(card=pl.Series([f"4000-{i % 20:05d}" for i in range(600)]))
    with pytest.warns(MasqueradeWarning) as caught:
        TableCodec.fit(table, Schema((*SCHEMA.columns, Column("card", "id"))))
    assert [str(w.message).partition(":")[0] for w in caught] == ["columns 'key', 'card'"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        TableCodec.fit(table, Schema(tuple(c for c in SCHEMA.columns if c.kind != "id")))


def test_there_and_back() -> None:
    table = mixed()
    codec, encoded = TableCodec.fit_encode(table, SCHEMA)
    back = codec.decode(encoded)
    assert back.columns == table.columns
    assert back.dtypes == table.dtypes
    assert codec.layout.names == ("age", "amount", "job", "member", "day")
    assert encoded.codes.dtype == np.int32
    assert encoded.scalars.dtype == np.float32
    for i, (size, frequency) in enumerate(zip(codec.layout.sizes, codec.layout.frequencies, strict=True)):
        assert 0 <= encoded.codes[:, i].min() <= encoded.codes[:, i].max() < size
        np.testing.assert_allclose(frequency, np.bincount(encoded.codes[:, i], minlength=size) / table.height)
    for name in ("job", "member", "same"):
        assert back[name].equals(table[name])
    for name in ("age", "amount", "day"):
        assert back[name].is_null().equals(table[name].is_null())
        assert (back[name].drop_nulls() == table[name].drop_nulls()).mean() > 0.9
    assert back["key"].n_unique() == table.height
    assert not set(back["key"]) & set(table["key"])
    assert back["key"].str.contains(r"^K\d{5}$").all()


def test_extremes_are_clipped_to_the_tenth() -> None:
    table = mixed().with_columns(amount=pl.when(pl.int_range(600) == 0).then(9e6).otherwise("amount"))
    tenth = float(np.sort(table["amount"].to_numpy())[-10])
    codec = TableCodec.fit(table, SCHEMA)
    assert codec.decode(codec.encode(table))["amount"].max() <= tenth
    free = TableCodec.fit(table, SCHEMA, protect=0)
    assert free.decode(free.encode(table))["amount"].max() > tenth


def test_same_seed_same_rows_and_input_untouched() -> None:
    table = mixed()
    before = table.clone()
    one, two = TableCodec.fit(table, SCHEMA, seed=4), TableCodec.fit(table, SCHEMA, seed=4)
    a, b = one.encode(table, 7), two.encode(table, 7)
    assert np.array_equal(a.codes, b.codes)
    assert np.array_equal(a.scalars, b.scalars)
    assert one.decode(a, 3).equals(two.decode(b, 3))
    assert not one.decode(a, 4)["key"].equals(one.decode(a, 3)["key"])
    assert table.equals(before)


def test_saved_and_loaded_is_the_same() -> None:
    table = mixed()
    codec, encoded = TableCodec.fit_encode(table, SCHEMA)
    config, arrays = codec.to_state()
    loaded = TableCodec.from_state(json.loads(json.dumps(config)), arrays)
    assert loaded.decode(encoded, 5).equals(codec.decode(encoded, 5))
    assert np.array_equal(loaded.encode(table, 5).codes, codec.encode(table, 5).codes)
    assert loaded.layout.names == codec.layout.names
    assert loaded.layout.has_scalar == codec.layout.has_scalar
    with pytest.raises(ArtifactError, match="damaged"):
        TableCodec.from_state({**config, "layout": {}}, arrays)


def test_no_canary_in_the_state() -> None:
    table = mixed().with_columns(
        job=pl.when(pl.int_range(600) < 9).then(pl.lit("canary-level")).otherwise("job"),
        amount=pl.when(pl.int_range(600) == 3).then(987654.32).otherwise("amount"),
        note=pl.Series([f"secret words of person {i * 7919} alone" for i in range(600)]),
    )
    schema = Schema((*SCHEMA.columns, Column("note", "text")))
    with pytest.warns(MasqueradeWarning, match="'note'"):
        codec = TableCodec.fit(table, schema)
    state = state_bytes(codec)
    assert b"canary-level" not in state
    assert np.float64(987654.32).tobytes() not in state
    assert b"987654" not in state
    assert not [key for key in table["key"] if key.encode() in state]
    assert not [note for note in table["note"] if note.encode() in state]
    # From the other side: what enough rows share is there, and without protection the canary is.
    assert b'"a"' in state
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MasqueradeWarning)
        assert b"canary-level" in state_bytes(TableCodec.fit(table, schema, protect=0))
    with pytest.warns(MasqueradeWarning, match="'note'"):
        own = TableCodec.fit(table, schema.replace("job", protect=9))
    assert "canary-level" in own.levels("job")


def test_ten_rows_of_one_person_are_one_person() -> None:
    table = pl.DataFrame(
        {"person": [f"p{i // 20}" for i in range(800)], "city": ["lonely"] * 20 + ["a", "b", "c"] * 260}
    )
    columns = (Column("person", "id"), Column("city", "categorical"))
    assert "lonely" in TableCodec.fit(table, Schema(columns)).levels("city")
    codec, encoded = TableCodec.fit_encode(table, Schema(columns, unit="person"))
    assert "lonely" not in codec.levels("city")
    assert b"lonely" not in state_bytes(codec)
    back = codec.decode(encoded)
    assert back["person"].n_unique() == 40
    assert not set(back["person"]) & set(table["person"])
    # Pseudonyms are consistent: one for each real id.
    assert pl.DataFrame([table["person"], back["person"].alias("pseudonym")]).n_unique() == 40


def test_ids_stay_distinct_across_chunks() -> None:
    table = mixed()
    codec, encoded = TableCodec.fit_encode(table, SCHEMA)
    parts = [codec.decode(encoded.rows(slice(i, i + 150)), 1, start=i) for i in range(0, 600, 150)]
    assert pl.concat(parts)["key"].n_unique() == 600


def test_dependent_columns_are_restored_by_lookup() -> None:
    rng = np.random.default_rng(0)
    grade = rng.integers(0, 6, 3000)
    table = pl.DataFrame(
        {
            "grade": [f"g{i}" for i in grade],
            "years": grade * 2 + 1,
            "stage": ["low" if i < 3 else "high" for i in grade],
            "other": rng.integers(0, 4, 3000),
        }
    )
    schema = Schema(
        (
            Column("grade", "categorical"),
            Column("years", "integer"),
            Column("stage", "categorical"),
            Column("other", "integer"),
        )
    )
    codec, encoded = TableCodec.fit_encode(table, schema)
    assert codec.layout.names == ("grade", "other")
    assert codec.decode(encoded).equals(table)
    name, codes = codec.condition("stage", "low")
    assert name == "grade"
    assert {codec.levels("grade")[code] for code in codes} == {"g0", "g1", "g2"}
    with pytest.raises(ConditionError, match="determined by 'grade'"):
        codec.code_of("stage", "low")
    # One row that breaks the rule is enough.
    broken = table.with_columns(stage=pl.when(pl.int_range(3000) == 0).then(pl.lit("low")).otherwise("stage"))
    broken = broken.with_columns(grade=pl.when(pl.int_range(3000) == 0).then(pl.lit("g5")).otherwise("grade"))
    assert "stage" in TableCodec.fit(broken, schema).layout.names


def test_accidental_dependencies_are_left_alone() -> None:
    table = pl.DataFrame({"a": [f"v{i % 30}" for i in range(400)], "b": ["x" if i % 30 else "y" for i in range(400)]})
    schema = Schema((Column("a", "categorical"), Column("b", "categorical")))
    assert TableCodec.fit(table, schema, protect=0).layout.names == ("a", "b")


def test_conditions() -> None:
    codec = TableCodec.fit(mixed(), SCHEMA)
    assert codec.levels("job")[codec.code_of("job", "b")] == "b"
    assert codec.levels("member")[codec.code_of("member", "yes")] is True
    assert codec.code_of("member", True) == codec.code_of("member", "yes")
    assert codec.code_of("job", None) == codec.layout.sizes[2] - 1
    with pytest.raises(ConditionError, match="no level 'bb'"):
        codec.code_of("job", "bb")
    with pytest.raises(ConditionError, match="did you mean 'job'"):
        codec.code_of("jop", "b")
    with pytest.raises(ConditionError, match="'age' is numeric"):
        codec.code_of("age", 40)
    with pytest.raises(ConditionError, match="not modelled"):
        codec.code_of("same", "x")
    with pytest.raises(ConditionError, match="never missing"):
        codec.code_of("member", None)


def test_forced_discrete_numbers() -> None:
    table = mixed(3000)
    codec = TableCodec.fit(table, SCHEMA, discrete_columns=["age"])
    place = codec.layout.names.index("age")
    assert codec.layout.discrete[place]
    assert not any(codec.layout.has_scalar[place])
    assert codec.levels("age")[codec.code_of("age", "45")] == 45
    assert codec.code_of("age", 45) == codec.code_of("age", 45.0)


@pytest.mark.parametrize(
    ("settings_", "error", "words"),
    [
        ({"protect": -1}, SettingError, "protect"),
        ({"max_levels": 1}, SettingError, "max_levels"),
        ({"discrete_columns": ["jop"]}, SchemaError, "did you mean 'job'"),
    ],
)
def test_settings_out_of_range_are_refused(settings_: dict[str, object], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        TableCodec.fit(mixed(), SCHEMA, **settings_)


def test_tables_that_do_not_fit_are_refused() -> None:
    with pytest.raises(SchemaError, match="'job'"):
        TableCodec.fit(mixed().drop("job"), SCHEMA)
    with pytest.raises(TableError, match="no rows"):
        TableCodec.fit(mixed().clear(), SCHEMA)
    with pytest.raises(TableError, match="no column is left"):
        TableCodec.fit(pl.DataFrame({"a": ["x"] * 20}), Schema((Column("a", "categorical"),)))


def test_empty_and_nearly_empty_columns_stay_empty() -> None:
    table = mixed().with_columns(none=pl.lit(None, dtype=pl.Int64), few=pl.when(pl.int_range(600) < 3).then(1234567.0))
    schema = Schema((*SCHEMA.columns, Column("none", "integer"), Column("few", "continuous")))
    with pytest.warns(MasqueradeWarning) as caught:
        codec, encoded = TableCodec.fit_encode(table, schema)
    assert {"'none'", "'few'", "'key'"} == {str(w.message).split()[1].rstrip(":") for w in caught}
    back = codec.decode(encoded)
    assert back["none"].null_count() == back["few"].null_count() == 600
    assert back["none"].dtype == pl.Int64
    assert np.float64(1234567.0).tobytes() not in state_bytes(codec)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    numbers=st.lists(
        st.one_of(st.none(), st.floats(-1e12, 1e12), st.sampled_from([0.0, 1.0, 1e-9])), min_size=20, max_size=80
    ),
    levels=st.lists(st.one_of(st.none(), st.text(max_size=4)), min_size=20, max_size=80),
    whole=st.booleans(),
    protect=st.sampled_from([0, 3, 10]),
)
def test_any_table_comes_back_valid(
    numbers: list[float | None], levels: list[str | None], whole: bool, protect: int
) -> None:
    rows = min(len(numbers), len(levels))
    values = [None if v is None else int(v) if whole else v for v in numbers[:rows]]
    table = pl.DataFrame(
        {
            "n": pl.Series(values, dtype=pl.Int64 if whole else pl.Float64),
            "c": pl.Series(levels[:rows], dtype=pl.String),
            "b": [True, False] * (rows // 2) + [True] * (rows % 2),
        }
    )
    schema = Schema(
        (Column("n", "integer" if whole else "continuous"), Column("c", "categorical"), Column("b", "boolean"))
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MasqueradeWarning)
        codec, encoded = TableCodec.fit_encode(table, schema, protect=protect)
    back = codec.decode(encoded)
    assert back.dtypes == table.dtypes
    assert back["b"].equals(table["b"])
    assert np.isfinite(encoded.scalars).all()
    assert np.abs(encoded.scalars).max(initial=0) <= 1
    shown = back["n"].drop_nulls()
    if codec.codecs["n"].name == "numeric":
        assert back["n"].is_null().equals(table["n"].is_null())
        assert shown.is_finite().all()
        if protect < 2:
            span = (table["n"].max() or 0) - (table["n"].min() or 0)
            assert ((shown - table["n"].drop_nulls()).abs() <= 0.5 * abs(span) + 1e-6 * 1e12).all()
            assert shown.max() <= table["n"].max()
            assert shown.min() >= table["n"].min()
    if codec.codecs["c"].name == "category":
        kept = codec.codecs["c"].levels
        same = table["c"].is_in(list(kept))
        assert back["c"].filter(same).equals(table["c"].filter(same))
        assert back["c"].is_null().equals(table["c"].is_null())
        rare = set(table["c"].drop_nulls()) - set(kept)
        assert not rare & set(back["c"].drop_nulls())


def test_many_levels_are_cheap() -> None:
    rng = np.random.default_rng(0)
    rows = 200_000
    table = pl.DataFrame(
        {"shop": pl.Series(rng.integers(0, 300_000, rows)).cast(pl.String) + "-SHOP", "x": rng.normal(size=rows)}
    ).with_columns(shop=pl.when(pl.int_range(rows) % 10 == 0).then(pl.lit("HEAD-OFFICE")).otherwise("shop"))
    schema = Schema((Column("shop", "categorical"), Column("x", "continuous")))
    began = time.perf_counter()
    with pytest.warns(MasqueradeWarning, match="'shop'"):
        codec, encoded = TableCodec.fit_encode(table, schema)
    back = codec.decode(encoded)
    assert time.perf_counter() - began < 10
    assert codec.layout.sizes[0] <= 501
    assert len(state_bytes(codec)) < 2_000_000
    assert back["shop"].filter(table["shop"] == "HEAD-OFFICE").unique().to_list() == ["HEAD-OFFICE"]
    fresh = back["shop"].filter(table["shop"] != "HEAD-OFFICE")
    assert not fresh.is_in(table["shop"].unique().to_list()).any()
    assert fresh.n_unique() > 50_000


def test_hundreds_of_columns_are_quick() -> None:
    rng = np.random.default_rng(0)
    base = rng.integers(0, 8, (2_000, 150))
    table = pl.DataFrame({f"c{i}": [f"v{v}" for v in base[:, i]] for i in range(150)})
    table = table.with_columns(twin=pl.col("c7"))
    schema = Schema(tuple(Column(name, "categorical") for name in table.columns))
    began = time.perf_counter()
    codec = TableCodec.fit(table, schema)
    assert time.perf_counter() - began < 5
    assert dict(codec.dependencies).keys() == {"twin"}


@pytest.mark.data
def test_adult_loses_nothing_that_matters(shared_data: Path) -> None:
    numeric = {"age", "fnlwgt", "education-num", "capital-gain", "capital-loss", "hours-per-week"}
    raw = pl.read_csv(shared_data / "adult/adult.csv.gz", infer_schema=False).filter(pl.col("split") == "train")
    table = raw.drop("split").with_columns(
        pl.col(name).cast(pl.Int64) if name in numeric else pl.col(name).replace("?", None)
        for name in raw.columns
        if name != "split"
    )
    schema = Schema(tuple(Column(n, "integer" if n in numeric else "categorical") for n in table.columns))
    began = time.perf_counter()
    codec, encoded = TableCodec.fit_encode(table, schema)
    assert time.perf_counter() - began < 3
    assert {name: d.on for name, d in codec.dependencies.items()} == {"education-num": "education"}
    back = codec.decode(encoded)
    for name in table.columns:
        assert back[name].null_count() == table[name].null_count()
        assert (back[name].eq_missing(table[name])).mean() > 0.99, name
    assert dataclasses.is_dataclass(codec)
