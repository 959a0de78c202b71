"""Private preparation: what is refused, what is paid for, and that single rows do not show."""

from __future__ import annotations

import dataclasses
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from masquerade import artifact
from masquerade.errors import MasqueradeError, RuleError, SchemaError, SettingError
from masquerade.privacy.budget import Privacy
from masquerade.schema import Column, Schema
from masquerade.synthesize.copula import GaussianCopula
from masquerade.synthesize.marginals import Marginals
from masquerade.synthesize.private import Opened, Prepared, Spending, open_private, prepare
from masquerade.synthesize.private_domains import found_levels
from tests.synthesize.conftest import weak_privacy

SPENDING = Spending(domains=0.1, marginals=0.3, most_bins=16)
SCHEMA = Schema(
    (
        Column("who", "id"),
        Column("n", "integer", minimum=0, maximum=3),
        Column("x", "continuous", minimum=0, maximum=1, decimals=1),
        Column("word", "categorical", levels=("a", "b", "c")),
        Column("flag", "boolean"),
    ),
    declared=True,
)


def make(rows: int = 1_000, seed: int = 0) -> pl.DataFrame:
    random = np.random.default_rng(seed)
    return pl.DataFrame(
        {
            "who": [f"person-{i // 4:04d}" for i in range(rows)],
            "n": random.integers(0, 4, rows),
            "x": random.random(rows).round(1),
            "word": random.choice(["a", "b", "c"], rows, p=[0.6, 0.3, 0.1]),
            "flag": random.random(rows) < 0.3,
        }
    )


def opened(table: pl.DataFrame, schema: Schema = SCHEMA, **privacy: Any) -> tuple[Opened, Privacy]:
    asked = weak_privacy(**privacy)
    return open_private(table, schema, asked, seed=None, unit=None), asked


def prepared(table: pl.DataFrame, schema: Schema = SCHEMA, **privacy: Any) -> Prepared:
    return prepare(*opened(table, schema, **privacy), SPENDING)


def without(schema: Schema, name: str) -> Schema:
    """The schema with no bounds and levels declared of a column."""
    return schema.replace(name, minimum=None, maximum=None, levels=None)


# ── what is refused ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("schema", "settings", "message"),
    [
        (None, {}, "schema: got no schema"),
        (dataclasses.replace(SCHEMA, declared=False), {}, "a schema that is not declared"),
        (SCHEMA, {"seed": 3}, "random_state: got 3 with a private fit"),
        (SCHEMA, {"unit": "n", "privacy": {"unit": "who"}}, "unit: got 'n' and 'who'; name one"),
        (SCHEMA, {"unit": "whom"}, r"no column 'whom' \(did you mean 'who'"),
        (SCHEMA, {"privacy": {"rows_per_unit": 2}}, "rows_per_unit: got 2 without a unit"),
        (SCHEMA.replace("word", kind="text", levels=None), {}, "column 'word': got free text"),
        (SCHEMA.replace("word", protect=50), {}, "column 'word': got protect = 50, which does nothing"),
        (dataclasses.replace(SCHEMA, columns=SCHEMA.columns[1:]), {}, "'who' is in the table but not in the schema"),
    ],
)
def test_what_a_private_fit_cannot_do_is_refused(schema: Any, settings: dict[str, Any], message: str) -> None:
    asked = {"seed": None, "unit": None} | settings
    privacy = weak_privacy(**asked.pop("privacy", {}))
    with pytest.raises(MasqueradeError, match=message):
        open_private(make(), schema, privacy, **asked)


def test_a_model_that_cannot_keep_a_guarantee_is_refused() -> None:
    model = GaussianCopula()
    model.privacy = weak_privacy()
    with pytest.raises(SettingError, match="GaussianCopula cannot keep a guarantee"):
        model.fit(make(), schema=SCHEMA)


@pytest.mark.parametrize("missing", [None, ""])
def test_a_missing_unit_is_refused(missing: str | None) -> None:
    table = make().with_columns(who=pl.when(pl.col("n") == 3).then(pl.lit(missing)).otherwise("who"))
    with pytest.raises(SchemaError, match="column 'who': it says whose row each is, and is missing somewhere"):
        opened(table, unit="who")


def test_a_delta_that_allows_to_publish_a_row_is_refused() -> None:
    with pytest.raises(SettingError, match="delta"):
        prepared(make(), delta=0.01)


def test_a_rule_that_the_rows_would_have_to_complete_is_refused() -> None:
    rule = {"kind": "fixed_combinations", "columns": ["n", "word"]}
    with pytest.raises(RuleError, match="known from the rows alone"):
        opened(make(), dataclasses.replace(SCHEMA, rules=(rule,)))


def test_rules_that_the_declaration_completes_are_met_whatever_the_rows() -> None:
    columns = (
        *(Column(name, "integer", minimum=0, maximum=9) for name in ("low", "high", "sum")),
        *(Column(name, "boolean") for name in ("car", "bus")),
    )
    one_hot = {"kind": "one_hot", "columns": ["car", "bus"]}
    schema = Schema(columns, declared=True, rules=("low <= high", one_hot))
    random = np.random.default_rng(0)
    table = pl.DataFrame(
        {c.name: random.integers(0, 10, 500) if c.kind == "integer" else random.random(500) < 0.5 for c in columns}
    )
    drawn = Marginals(privacy=weak_privacy()).fit(table, schema=schema).sample(300)
    assert (drawn["low"] <= drawn["high"]).all()
    assert (drawn["car"] != drawn["bus"]).all()


# ── what is paid for ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_declared_table_of_few_values_pays_for_the_counts_alone() -> None:
    made = prepared(make())
    told = [(event["kind"], event["stage"], event["count"]) for event in made.accountant.events]
    assert told == [("discrete_gaussian", "marginals", 4)]
    assert made.codec.layout.sizes == (4, 11, 3, 2)  # every value of a number a leaf, whatever the rows
    finer = prepared(make(), SCHEMA.replace("x", decimals=2))
    told = [(event["kind"], event["stage"], event["count"]) for event in finer.accountant.events]
    assert told == [("discrete_gaussian", "domains", 1), ("discrete_gaussian", "marginals", 4)]
    assert made.accountant.spent() < made.accountant.privacy.epsilon
    assert made.codec.layout.names == ("n", "x", "word", "flag")
    assert abs(made.total - 1_000) < 20


def test_without_numbers_nothing_is_spent_on_domains() -> None:
    names = ("word", "flag")
    schema = dataclasses.replace(SCHEMA, columns=tuple(SCHEMA[name] for name in names))
    assert [event["stage"] for event in prepared(make().select(names), schema).accountant.events] == ["marginals"]


def test_counts_have_the_noise_that_is_told() -> None:
    table = make()
    counts = np.array([prepared(table).counts[3] for _ in range(60)])  # "flag": false, true
    made = prepared(table)
    true = np.array([(~table["flag"]).sum(), table["flag"].sum()])
    assert made.scale == pytest.approx(made.accountant.events[-1]["sigma"])
    ratio = (
        (counts - true) ** 2
    ).mean() / made.scale**2  # of 120 normal squares: outside 0.4 to 1.9 once in ten million
    assert 0.4 < ratio < 1.9


def test_bounds_and_levels_that_are_not_declared_are_found_round_and_without_outliers() -> None:
    table = make(4_000).with_columns(n=pl.int_range(4_000) % 60 + 20, x=pl.lit(3.0))
    table = table.with_columns(
        n=pl.when(pl.int_range(4_000) == 7).then(10**9).otherwise("n"),
        word=pl.when(pl.int_range(4_000) == 7).then(pl.lit("Ruritania")).otherwise("word"),
    )
    schema = without(without(without(SCHEMA, "n"), "x"), "word")
    made = prepared(table, schema)
    found = made.codec.schema
    assert (found["n"].minimum, found["n"].maximum) == (20, 99)
    assert (found["x"].minimum, found["x"].maximum) == (2.0, 5.0)
    assert set(found["word"].levels or ()) == {"a", "b", "c"}
    events = made.accountant.events
    assert [e["what"] for e in events if e["kind"] == "threshold"] == ["levels of word"]
    assert sum(e.get("delta", 0) for e in events) == pytest.approx(1e-7)
    assert made.accountant.spent() <= made.accountant.privacy.epsilon


def test_a_declared_bound_stays_where_only_the_other_is_found() -> None:
    table = make(4_000).with_columns(n=pl.int_range(4_000) % 60 + 20)
    schema = SCHEMA.replace("n", minimum=5, maximum=None)
    found = prepared(table, schema).codec.schema["n"]
    assert (found.minimum, found.maximum) == (5, 99)


def test_moments_without_bounds_are_bounded_by_whole_years() -> None:
    days = pl.datetime_range(pl.datetime(2018, 3, 1), pl.datetime(2020, 2, 1), "1h", eager=True).head(16_000)
    table = pl.DataFrame({"d": days, "y": [0, 1] * 8_000})
    schema = Schema((Column("d", "datetime"), Column("y", "integer", minimum=0, maximum=1)), declared=True)
    found = prepared(table, schema).codec.schema["d"]
    assert (found.minimum, found.maximum) == ("2018-01-01", "2020-01-01")


@pytest.mark.parametrize("sensitivity", [1, 4])
def test_a_level_of_one_unit_passes_about_as_often_as_is_told(sensitivity: int) -> None:
    """Four thousand levels, each the most that one unit can have of it: with δ = 0.1 every tenth may pass."""
    values = pl.Series("word", [f"level {i}" for i in range(4_000) for _ in range(sensitivity)])
    found, _ = found_levels(Column("word", "categorical"), values, 25.0 * sensitivity, 0.1, sensitivity)
    most = 0.1 / sensitivity * 4_000
    assert 0.6 * most < len(found) < most + 5.5 * most**0.5  # 5.5 deviations: beyond them once in fifty million


@pytest.mark.parametrize(("name", "what"), [("n", "minimum and maximum"), ("word", "levels")])
def test_where_nothing_stands_above_the_noise_the_column_is_named(name: str, what: str) -> None:
    table = make(40)
    asked = Privacy(epsilon=0.1)
    made = open_private(table, without(SCHEMA, name), asked, seed=None, unit=None)
    with pytest.raises(SchemaError, match=f"column '{name}': its {what} (is|are) not declared"):
        prepare(made, asked, SPENDING)


# ── units ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("most", [1, 3])
def test_of_each_unit_so_many_rows_are_used_and_noise_covers_them_all(most: int) -> None:
    table = make()
    made, asked = opened(table, unit="who", rows_per_unit=most)
    assert made.units is not None
    assert np.bincount(made.units).tolist() == [most] * 250
    assert made.schema["who"].kind == "id"
    names = table["who"].unique().sort()
    assert [names[int(unit)] for unit in made.units] == made.typed["who"].to_list()
    done = prepare(made, asked, SPENDING)
    assert {event["sensitivity"] for event in done.accountant.events} == {most}
    assert done.scale == pytest.approx(most * done.accountant.events[-1]["sigma"])
    assert done.accountant.unit == "who"
    chosen = {tuple(opened(table, unit="who", rows_per_unit=most)[0].typed["x"]) for _ in range(3)}
    assert len(chosen) == 3  # the operating system chooses, anew each time


def test_levels_of_one_unit_do_not_pass_however_many_rows_it_has() -> None:
    """A unit of five hundred rows, each with a level of its own or all with one, shows none of them."""
    table = make(3_000)
    mine = make(500).with_columns(who=pl.lit("solo"), word=pl.when(pl.int_range(500) < 250).then(pl.lit("Hentzau")).otherwise(
        pl.format("zenda{}", pl.int_range(500))))  # fmt: skip
    for most in (1, 4):
        made = prepared(pl.concat([table, mine]), without(SCHEMA, "word"), unit="who", rows_per_unit=most)
        assert set(made.codec.schema["word"].levels or ()) <= {"a", "b", "c"}


# ── neighbours ───────────────────────────────────────────────────────────────────────────────────────────────────────

SCHEMA_OF_NEIGHBOURS = dataclasses.replace(SCHEMA, unit="who")
ODD_ROW = {"who": "Rudolf", "n": -987_654_321, "x": None, "word": "Ruritania", "flag": None}
"""The only row of its unit, with a level and a value beyond the declaration and the only missing cells."""


def neighbours() -> tuple[pl.DataFrame, pl.DataFrame]:
    table = make(2_000)
    odd = pl.DataFrame([ODD_ROW], schema=table.schema)
    return pl.concat([table.head(77), odd, table.tail(1_923)]), table


def structure(value: Any) -> Any:
    """What a manifest looks like, without what is in its numbers."""
    if isinstance(value, Mapping):
        return {key: structure(item) for key, item in value.items()}
    if isinstance(value, list):
        return [structure(item) for item in value]
    return value if isinstance(value, str | bool | None) else type(value)


def test_neighbouring_tables_leave_files_of_one_form_and_tell_the_same(tmp_path: Path) -> None:
    forms, told, sizes = [], [], []
    for i, table in enumerate(neighbours()):
        lines: list[tuple[str, int, int]] = []
        model = Marginals(
            privacy=weak_privacy(rows_per_unit=4), callbacks=[lambda p, to=lines: to.append((p.stage, p.done, p.total))]
        )
        model.fit(table, schema=SCHEMA_OF_NEIGHBOURS)  # a warning would fail the test
        model.save(tmp_path / f"{i}.mq")
        part = artifact.read(tmp_path / f"{i}.mq")
        shapes = {name: (array.shape, array.dtype) for name, array in part.arrays.items() if name.startswith("codec/")}
        kept = {key: value for key, value in part.config.items() if key not in ("learned", "history")}
        forms.append((structure(kept), shapes, part.config["ledger"]["events"][:2], part.config["learned"].keys()))
        told.append([line for line in lines if line[0] == "encode"])
        sizes.append((tmp_path / f"{i}.mq").stat().st_size)
    assert forms[0] == forms[1]
    assert told[0] == told[1]
    assert abs(sizes[0] - sizes[1]) < 0.2 * sizes[1]


def test_nothing_of_the_rows_is_in_the_file_or_on_the_model(tmp_path: Path) -> None:
    table, _ = neighbours()
    model = Marginals(privacy=weak_privacy()).fit(table, schema=SCHEMA_OF_NEIGHBOURS)
    model.save(tmp_path / "m.mq")
    with zipfile.ZipFile(tmp_path / "m.mq") as archive:
        content = b"".join(archive.read(name) for name in archive.namelist())
    assert b"flag" in content
    for canary in ("Ruritania", "Rudolf", "987654321", *table["who"].unique().to_list()):
        assert canary.encode() not in content
    for dtype in (np.int64, np.int32, np.float64, np.float32):
        for number in (-987_654_321, table.height):
            assert np.array(number, dtype).tobytes() not in content
    assert not re.search(rb'"(seed|rows|loss|n_rows)"', content)
    held = [value for value in vars(model).values() if isinstance(value, pl.DataFrame | np.ndarray)]
    assert not any(len(value) >= 1_000 for value in held)
    assert str(table.height) not in repr(model.history_)


def test_a_row_is_one_of_many_in_every_code() -> None:
    """The odd row's cells become codes that other rows have too, and never an error."""
    table, smaller = neighbours()
    many, few = prepared(table, SCHEMA_OF_NEIGHBOURS), prepared(smaller, SCHEMA_OF_NEIGHBOURS)
    assert many.codec.layout.names == few.codec.layout.names
    assert many.codec.layout.sizes == few.codec.layout.sizes
    assert many.codec.schema == few.codec.schema
