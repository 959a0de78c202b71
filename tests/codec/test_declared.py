"""Codecs of a declared table: cells, leaves and codes from the declaration and noised counts."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import polars as pl
import pytest

from masquerade.codec.category import CategoryCodec
from masquerade.codec.declared import Grid, Histogram, declared_codec, nullable
from masquerade.codec.public_grid import MOST_CELLS, step_of
from masquerade.codec.quantile import QuantileCodec
from masquerade.codec.table import TableCodec
from masquerade.errors import SchemaError, TableError
from masquerade.schema import Column, Schema


def exact(values: pl.Series, column: Column, noise: float = 0.5) -> Histogram:
    """Counts without noise."""
    grid = Grid.of(column)
    return Histogram(grid, grid.count(values).astype(float), noise)


# ── cells ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("column", "values"),
    [
        (Column("n", "integer", minimum=-3, maximum=200), 204),
        (Column("x", "continuous", minimum=0.25, maximum=1.5, decimals=2), 126),
        (Column("d", "datetime", minimum="2020-01-01", maximum="2020-03-01"), 61),
        (Column("one", "integer", minimum=7, maximum=7), 1),
    ],
)
def test_few_values_have_a_cell_each(column: Column, values: int) -> None:
    grid = Grid.of(column)
    assert grid.single
    assert grid.cells == values


@pytest.mark.parametrize(
    ("low", "high", "decimals"), [(0, 99_999, 0), (-8_019, 102_127, 0), (0, 1e9, 2), (5, 1e6, 0), (-1.5, 2.5, None)]
)
def test_many_values_share_cells_that_cover_all_and_0_and_the_bounds_stand_alone(
    low: float, high: float, decimals: int | None
) -> None:
    grid = Grid.of(Column("x", "continuous", minimum=low, maximum=high, decimals=decimals))
    assert grid.cells <= MOST_CELLS
    assert (grid.widths > 0).all()
    for value in (low, high, *([0.0] if low <= 0 <= high else [])):
        (cell,) = grid.locate(pl.Series([float(value)]))
        assert grid.widths[cell] == 1
        assert grid.values(grid.edges[[cell]])[0] == pytest.approx(value, abs=1e-9)


def test_what_lies_beyond_the_bounds_counts_as_on_them_and_missing_is_not_counted() -> None:
    grid = Grid.of(Column("n", "continuous", minimum=0, maximum=10, decimals=0))
    cells = grid.locate(pl.Series([-5.0, float("-inf"), 0.0, 10.0, 1e300, float("inf"), None]))
    assert cells.tolist() == [0, 0, 0, 10, 10, 10, -1]
    assert grid.count(pl.Series([-5.0, None, 3.0])).sum() == 2


def test_cells_are_cut_finer_where_asked() -> None:
    grid = Grid.of(Column("n", "integer", minimum=0, maximum=99_999))
    parts = np.ones(grid.cells, int)
    parts[[3, 90]] = 5_000, 20
    finer, parent = grid.split(parts)
    assert finer.cells == parent.size == grid.cells - 2 + grid.widths[3] + 20
    assert np.isin(grid.edges, finer.edges).all()
    assert np.ptp(finer.widths[parent == 90]) <= 1
    assert finer.widths.sum() == 100_000


@pytest.mark.parametrize(
    ("format_", "low", "step"),
    [
        ("%Y-%m-%d", "2020-01-01", 86_400_000_000),
        ("%d.%m.%Y %H:%M", "2020-01-01", 1_000_000),
        ("%Y-%m-%dT%H:%M:%S%.f", "2020-01-01", 1),
        (None, "2020-01-01", 86_400_000_000),
        (None, "2020-01-01T00:00:00", 1_000_000),
        (None, "2020-01-01T00:00:00.5", 1),
    ],
)
def test_the_declaration_says_how_fine_moments_are(format_: str | None, low: str, step: int) -> None:
    column = Column("d", "datetime", minimum=low, maximum="2020-02-01", format=format_)
    assert step_of(column) == step
    assert Grid.of(column).step == step


@pytest.mark.parametrize("bounds", [{"minimum": 0}, {"maximum": 0}, {}])
def test_a_bound_that_is_not_declared_is_refused(bounds: dict[str, Any]) -> None:
    with pytest.raises(SchemaError, match="'n'"):
        Grid.of(Column("n", "integer", **bounds))
    with pytest.raises(SchemaError, match="no moment"):
        Grid.of(Column("n", "datetime", minimum="later", maximum="soon"))


@pytest.mark.parametrize("kind", ["integer", "continuous"])
def test_bounds_beyond_what_numbers_can_tell_apart_are_refused(kind: Any) -> None:
    for bounds in ({"minimum": -(2**63), "maximum": 0}, {"minimum": 0, "maximum": 1e300}):
        with pytest.raises(SchemaError, match=r"'n': the bounds .* are too far out"):
            Grid.of(Column("n", kind, decimals=None, **bounds))
    assert Grid.of(Column("n", kind, minimum=-1e15, maximum=1e15)).cells <= MOST_CELLS


# ── leaves ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_heavy_value_of_a_long_tail_is_a_code_of_its_own() -> None:
    random = np.random.default_rng(0)
    tail = random.lognormal(8, 1, 2_000).round()
    values = pl.Series(np.concatenate([np.zeros(20_000), tail, np.full(900, 99_999)]).clip(0, 99_999))
    column = Column("gain", "integer", minimum=0, maximum=99_999)
    codec = declared_codec(Schema((column,)), {"gain": exact(values, column)}, most_bins=32).codecs["gain"]
    assert isinstance(codec, QuantileCodec)
    assert {0.0, 99_999.0} <= set(codec.atoms[~np.isnan(codec.atoms)])
    codes, scalars = codec.encode(values, random)
    back = codec.decode(codes, scalars, random)
    assert (back == 0).mean() == pytest.approx((values == 0).mean(), abs=1e-6)
    assert np.quantile(back, 0.95) == pytest.approx(np.quantile(values, 0.95), rel=0.1)


@pytest.mark.parametrize("kind", ["integer", "continuous"])
def test_codes_give_values_of_their_own_leaf_back(kind: Any) -> None:
    random = np.random.default_rng(1)
    numbers = random.normal(50, 20, 4_000).clip(-10, 120)
    column = Column("x", kind, minimum=-10, maximum=120, decimals=None if kind == "integer" else 3)
    values = pl.Series(numbers.round(0 if kind == "integer" else 3)).cast(pl.Int64 if kind == "integer" else pl.Float64)
    codec = declared_codec(Schema((column,)), {"x": exact(values, column)}, most_bins=16).codecs["x"]
    assert isinstance(codec, QuantileCodec)
    codes, scalars = codec.encode(values, random)
    back = codec.decode(codes, scalars, random)
    assert back.dtype == values.dtype
    assert (codec.locate(back) == codes).all()
    assert back.is_between(-10, 120).all()
    assert np.abs(np.sort(back) - np.sort(values)).mean() < 1.5


def test_days_come_back_as_days_and_seconds_as_seconds() -> None:
    random = np.random.default_rng(2)
    for low, every in (("2020-01-01", 86_400), ("2020-01-01T00:00:00", 1)):
        column = Column("d", "datetime", minimum=low, maximum="2021-12-31")
        seconds = random.integers(0, 700 * 86_400 // every, 3_000) * every
        values = (pl.Series(seconds) * 1_000_000 + 1_577_836_800_000_000).cast(pl.Datetime("us"))
        codec = declared_codec(Schema((column,)), {"d": exact(values, column)}, most_bins=16).codecs["d"]
        codes, scalars = codec.encode(values, random)
        back = codec.decode(codes, scalars, random).to_physical()
        assert (back % (every * 1_000_000) == 0).all()
        assert ((back % 86_400_000_000 == 0).mean() < 0.5) == (every == 1)
        first, last = (pl.Series([datetime.datetime(2020, 1, 1), datetime.datetime(2021, 12, 31)])).to_physical()
        assert back.is_between(first, last).all()


# ── a table ──────────────────────────────────────────────────────────────────────────────────────────────────────────

SCHEMA = Schema(
    (
        Column("id", "id"),
        Column("who", "integer"),
        Column("n", "integer", minimum=0, maximum=3),
        Column("word", "categorical", levels=("a", "b"), missing="?"),
        Column("flag", "boolean", nullable=True),
        Column("same", "categorical", levels=("x",)),
        Column("none", "categorical", levels=()),
    ),
    unit="who",
    declared=True,
)


def made() -> TableCodec:
    column = SCHEMA["n"]
    return declared_codec(SCHEMA, {"n": exact(pl.Series([0, 1, 2, 3] * 100), column)}, most_bins=8)


def test_only_what_varies_is_modelled_and_codes_are_the_declared_levels() -> None:
    codec = made()
    assert codec.layout.names == ("n", "word", "flag")
    assert codec.layout.sizes == (4, 3, 3)
    assert codec.names_of_codes("word") == ["a", "b", "missing"]
    rows = codec.encode(pl.DataFrame({"n": [3, None], "word": ["zebra", None], "flag": [None, True]}), 0)
    assert rows.codes[0, 0] == 3
    assert rows.codes[0, 1] in (0, 1, 2)
    assert rows.codes[1, 1] == 2
    assert rows.codes[:, 2].tolist() == [2, 1]


def test_ids_and_units_are_counted_also_across_chunks() -> None:
    codec = made()
    rows = codec.encode(pl.DataFrame({"n": [0] * 4, "word": ["a"] * 4, "flag": [True] * 4}), 0)
    first, second = codec.decode(rows, 0), codec.decode(rows, 0, start=4)
    assert [*first["id"], *second["id"]] == [str(i + 1) for i in range(8)]
    assert second["who"].to_list() == [5, 6, 7, 8]
    assert first["same"].to_list() == ["x"] * 4
    assert first["none"].null_count() == 4


def test_saved_and_read_back_it_does_the_same() -> None:
    codec = made()
    back = TableCodec.from_state(*codec.to_state())
    rows = codec.encode(pl.DataFrame({"n": [0, 1], "word": ["a", "b"], "flag": [True, None]}), 0)
    assert back.decode(rows, 3).equals(codec.decode(rows, 3))


def test_what_cannot_be_modelled_is_refused_by_name() -> None:
    with pytest.raises(SchemaError, match="'note': got free text"):
        declared_codec(Schema((Column("note", "text"),)), {}, most_bins=8)
    with pytest.raises(SchemaError, match="'word': a private fit needs its levels"):
        declared_codec(Schema((Column("word", "categorical"),)), {}, most_bins=8)
    with pytest.raises(TableError, match="no column is left"):
        declared_codec(Schema((Column("id", "id"),)), {}, most_bins=8)


@pytest.mark.parametrize(
    ("fields", "wanted"),
    [({}, False), ({"missing": ""}, True), ({"nullable": True}, True), ({"missing": "?", "nullable": False}, False)],
)
def test_nullable_is_what_the_column_says_and_else_whether_it_has_a_word(fields: dict[str, Any], wanted: bool) -> None:
    column = Column("w", "categorical", levels=("a", "b"), **fields)
    assert nullable(column) is wanted
    codec = declared_codec(Schema((column,)), {}, most_bins=8).codecs["w"]
    assert isinstance(codec, CategoryCodec)
    assert codec.size == 2 + wanted
