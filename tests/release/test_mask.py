"""The masker: what is masked is masked, what is not stays to the letter, and the key is nowhere."""

from __future__ import annotations

import datetime
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn.base import clone

import masquerade as mq
from masquerade.errors import FileError, MasqueradeWarning, SchemaError, SettingError, TableError
from masquerade.masking.keys import Key
from masquerade.release.filling import halves
from masquerade.release.mask import Masker

SECRET = "correct horse battery staple"


def make_table(rows: int = 400, seed: int = 0) -> pl.DataFrame:
    """Text as in a CSV: an id, an age tied to a job, dates, amounts with two decimals, a missing marker."""
    random = np.random.default_rng(seed)
    age = random.integers(20, 60, rows)
    job = np.where(age > 40, "clerk", np.where(random.random(rows) < 0.1, "?", "cook"))
    return pl.DataFrame(
        {
            "id": [f"C-{i:05d}" for i in range(rows)],
            "age": age.astype(str),
            "job": job,
            "opened": [
                str(datetime.date(2020, 1, 1) + datetime.timedelta(days=int(d))) for d in random.integers(0, 900, rows)
            ],
            "amount": [f"{x:.2f}" for x in random.normal(1000, 100, rows)],
        }
    )


@pytest.fixture(scope="module")
def table() -> pl.DataFrame:
    return make_table()


@pytest.fixture(scope="module")
def fitted(table: pl.DataFrame) -> Masker:
    rules = {"id": {"how": "replace"}, "opened": {"how": "noise", "scale": 30, "rate": 0.5}}
    return Masker(["age", "job", "amount"], rate=0.4, rules=rules, key=SECRET, random_state=0).fit(table)


def test_only_masked_cells_change_and_the_same_seed_masks_alike(table: pl.DataFrame, fitted: Masker) -> None:
    before = table.clone()
    masked, hidden = fitted.transform(table), fitted.hidden(table)
    assert table.equals(before)
    assert masked.schema == table.schema
    assert hidden[:, 0].all()
    assert np.abs(hidden[:, 1:].mean(axis=0) - [0.4, 0.4, 0.5, 0.4]).max() < 0.08
    changed = np.column_stack([(masked[name] != table[name]).to_numpy() for name in table.columns])
    assert not changed[~hidden].any()
    assert changed[hidden].mean() > 0.5
    assert masked.equals(fitted.transform(table))


def test_drawn_cells_are_spelled_like_the_others_and_go_with_their_row(table: pl.DataFrame, fitted: Masker) -> None:
    masked, hidden = fitted.transform(table), fitted.hidden(table)
    assert masked["amount"].str.contains(r"^\d+\.\d\d$").all()
    assert masked["opened"].str.to_date("%Y-%m-%d").is_not_null().all()
    jobs = masked.filter(pl.Series(hidden[:, 2] & ~hidden[:, 1]))
    old = jobs.filter(pl.col("age").cast(pl.Int64) > 45)["job"]
    young = jobs.filter(pl.col("age").cast(pl.Int64) < 35)["job"]
    assert (old == "clerk").mean() > 0.8  # type: ignore[operator]
    assert (young == "cook").mean() > 0.6  # type: ignore[operator]
    assert (young == "?").sum() > 0  # a hidden cell may come out missing, as real ones are


def test_a_row_is_filled_by_the_model_that_did_not_learn_from_it(table: pl.DataFrame, fitted: Masker) -> None:
    fit = fitted.cross_fit_
    typed = table.select(fitted.modelled_)
    seen: list[Any] = []

    class Spy:
        def __init__(self, number: int):
            self.number = number

        def fill(self, rows: pl.DataFrame, hidden: Any, seed: int) -> pl.DataFrame:
            seen.append((self.number, rows))
            return rows

    learned: list[pl.DataFrame] = []

    def learn(rows: pl.DataFrame, seed: int) -> Any:
        learned.append(rows)
        return Spy(len(learned) - 1)

    spied = type(fit).fit(typed, None, learn, 0)
    spied.fill(typed, {"age": np.ones(typed.height, np.bool_)}, 0)
    assert sorted(number for number, _ in seen) == [0, 1]
    for number, rows in seen:
        assert rows.join(learned[number], on=typed.columns).is_empty()
    assert sum(rows.height for rows in learned) == typed.height
    assert min(rows.height for rows in learned) > 0.4 * typed.height


def test_halves_go_by_unit_and_by_key() -> None:
    rows = pl.DataFrame({"who": [1, 1, 2, 2] * 50, "x": range(200)})
    half = halves(rows, b"salt", "who")
    assert (half[0::4] == half[1::4]).all()
    numbers = pl.DataFrame({"x": range(2_000)})
    one, two = halves(numbers, b"salt"), halves(numbers, b"pepper")
    assert abs(one.mean() - 0.5) < 0.05
    assert abs((one == two).mean() - 0.5) < 0.05
    same = pl.DataFrame({"x": [7] * 2_000})
    assert (
        abs(halves(same, b"salt").mean() - 0.5) < 0.05
    )  # equal rows go either way, so that no fill tells what is not true
    shuffled = numbers.sample(fraction=1.0, shuffle=True, seed=1)
    assert (halves(shuffled, b"salt") == one[shuffled["x"].to_numpy()]).all()


def test_save_and_load_without_a_row_or_the_key(table: pl.DataFrame, fitted: Masker, tmp_path: Path) -> None:
    assert SECRET not in repr(fitted)
    fitted.save(tmp_path / "m.mq")
    assert SECRET not in str(fitted.ledger_.to_dict())
    data = (tmp_path / "m.mq").read_bytes()
    assert SECRET.encode() not in data
    assert not any(value.encode() in data for value in table["id"])
    again = mq.load(tmp_path / "m.mq")
    again.set_params(key=SECRET)
    assert again.transform(table).equals(fitted.transform(table))
    new = make_table(30, seed=5)
    assert again.transform(new).equals(fitted.transform(new))
    assert fitted.ledger_.aligned
    assert fitted.ledger_.protections["masked"]["id"]["reversible"] == "with the key"


def test_tables_that_do_not_fit(table: pl.DataFrame, fitted: Masker) -> None:
    with pytest.raises(SchemaError, match="did you mean"):
        fitted.transform(table.rename({"job": "jobs"}))
    with pytest.raises(SchemaError, match="not fitted"):
        fitted.transform(table.with_columns(z=pl.lit("1")))
    with pytest.raises(TableError, match="half"):
        Masker(["job"]).fit(table[:15])
    assert fitted.transform(table[:0]).height == 0
    assert fitted.transform(table[:1]).height == 1


def test_a_loaded_masker_without_its_key_says_so(table: pl.DataFrame, tmp_path: Path) -> None:
    Masker(["id"], how="replace", key=SECRET).fit(table).save(tmp_path / "m.mq")
    with pytest.warns(MasqueradeWarning, match="random one"):
        mq.load(tmp_path / "m.mq").transform(table)


def test_the_same_key_gives_the_same_surrogates_in_another_file(table: pl.DataFrame) -> None:
    one = Masker(["id"], how="replace", key=SECRET).fit_transform(table)
    other = table.sample(50, seed=1).select(client="id", x="amount")
    two = Masker(rules={"client": {"how": "replace"}}, key=SECRET).fit_transform(other)
    pairs = dict(zip(table["id"], one["id"], strict=True))
    assert [pairs[value] for value in other["client"]] == two["client"].to_list()
    assert two["x"].equals(other["x"])
    with pytest.warns(MasqueradeWarning, match="random one"):
        three = Masker(["id"], how="replace").fit_transform(table)
    assert (three["id"] == one["id"]).sum() <= 2


@pytest.mark.parametrize("library", ["polars", "pandas", "pyarrow"])
def test_native_tables_keep_their_types(library: str) -> None:
    random = np.random.default_rng(1)
    frame = pl.DataFrame(
        {
            "n": pl.Series(random.integers(0, 9, 80), dtype=pl.Int32),
            "x": random.normal(size=80).round(1),
            "d": [datetime.date(2021, 1, 1 + i % 28) for i in range(80)],
            "b": random.random(80) < 0.4,
            "c": pl.Series(random.choice(["u", "v"], 80), dtype=pl.Categorical),
        }
    )
    native: Any = {"polars": lambda f: f, "pandas": lambda f: f.to_pandas(), "pyarrow": lambda f: f.to_arrow()}[
        library
    ](frame)
    masker = Masker(rate=0.3, random_state=0).fit(native)
    masked = masker.transform(native)
    assert type(masked) is type(native)
    types = {"polars": lambda f: f.schema, "pandas": lambda f: list(f.dtypes), "pyarrow": lambda f: f.schema.names}[
        library
    ]
    assert types(masked) == types(native)
    hidden = masker.hidden(native)
    back = masked if library == "polars" else pl.from_pandas(masked) if library == "pandas" else pl.from_arrow(masked)
    for place, name in enumerate(frame.columns):
        kept = ~pl.Series(hidden[:, place])
        assert back[name].cast(frame[name].dtype).filter(kept).equals(frame[name].filter(kept)), name


def test_explicit_masks(table: pl.DataFrame, tmp_path: Path) -> None:
    mask = np.zeros(table.shape, np.bool_)
    mask[:100, 1] = True
    masker = Masker(mask=mask, random_state=0).fit(table)
    assert (masker.hidden(table) == mask).all()
    named = pl.DataFrame({"job": [True] * 10 + [False] * 390})
    masked = masker.transform(table, mask=named)
    assert masked.drop("job").equals(table.drop("job"))
    assert masked[10:].equals(table[10:])
    masker.save(tmp_path / "m.mq")
    with pytest.raises(SettingError, match="mask"):
        mq.load(tmp_path / "m.mq").transform(table)
    assert mq.load(tmp_path / "m.mq").transform(table, mask=mask).equals(masker.transform(table))
    for wrong, word in (
        (mask[:5], "shape"),
        (mask.astype(int), "shape"),
        (pl.DataFrame({"jbo": [True] * 400}), "did you mean 'job'"),
        (pl.DataFrame({"job": [1] * 400}), "booleans"),
        (np.ones_like(mask), "had none when fitting"),
        (pl.DataFrame({name: [True] * 400 for name in table.columns if name != "id"}), "every cell"),
    ):
        with pytest.raises(SettingError, match=word):
            masker.transform(table, mask=wrong)


def test_cells_masked_by_rules_are_hidden_from_the_model(table: pl.DataFrame) -> None:
    table = table.select("age", "job", opened=pl.col("opened").str.head(7))
    masker = Masker(["job"], rules={"age": {"how": "suppress"}}, random_state=0).fit(table)
    assert masker.modelled_ == ["job", "opened"]
    old = masker.transform(table).filter(table["age"].cast(pl.Int64) > 45)["job"]
    assert (old == "clerk").mean() < 0.75  # type: ignore[operator]


def test_classic_ways_take_the_smallest_table_and_a_stream(table: pl.DataFrame) -> None:
    masker = Masker(rules={"id": {"how": "replace"}, "age": {"how": "noise", "scale": 5}}, key=SECRET, random_state=0)
    assert masker.fit_transform(table[:2]).height == 2
    masker.fit(table)
    chunks = pl.concat(masker.transform_chunks(table.iter_slices(100)))
    assert chunks["id"].equals(masker.transform(table)["id"])
    noise = chunks["age"].cast(pl.Int64) - table["age"].cast(pl.Int64)
    assert not noise[:100].equals(noise[100:200])
    with pytest.raises(SettingError, match="all rows"):
        next(Masker(["age"], how="shuffle").fit(table).transform_chunks([table]))


def test_shuffled_columns_of_a_group_move_together(table: pl.DataFrame) -> None:
    rules = {name: {"how": "shuffle", "together": "who"} for name in ("id", "age")}
    masked = Masker(rules=rules, random_state=0).fit_transform(table)
    pairs = dict(table.select("id", "age").iter_rows())
    assert all(pairs[one] == age for one, age in masked.select("id", "age").iter_rows())
    assert not masked["id"].equals(table["id"])
    apart = Masker(["id", "age"], how="shuffle", random_state=0).fit_transform(table)
    assert sum(pairs[one] == age for one, age in apart.select("id", "age").iter_rows()) < 40


def test_shuffling_together_with_a_rate_hides_the_same_rows(table: pl.DataFrame) -> None:
    rules = {name: {"how": "shuffle", "together": "who", "rate": 0.5} for name in ("id", "age")}
    masked = Masker(rules=rules, random_state=0).fit_transform(table)
    pairs = dict(table.select("id", "age").iter_rows())
    assert all(pairs[one] == age for one, age in masked.select("id", "age").iter_rows())


def test_the_adversarial_engine_fills_saves_and_loads(table: pl.DataFrame, tmp_path: Path) -> None:
    table = table.select("age", "job", "amount")
    masker = Masker(["job"], engine="gan", random_state=0).fit(table)
    masked = masker.transform(table)
    assert set(masked["job"]) <= {"clerk", "cook", "?"}
    known = table["age"].cast(pl.Int64)
    assert (masked.filter(known > 45)["job"] == "clerk").mean() > 0.6  # type: ignore[operator]
    masker.save(tmp_path / "m.mq")
    assert mq.load(tmp_path / "m.mq").transform(table).equals(masked)


def test_scikit_learn_clones_it() -> None:
    masker = Masker(["a"], how="redact", key=Key(SECRET), rules={"b": {"how": "suppress"}})
    assert clone(masker).get_params() == masker.get_params()
    assert SECRET not in repr(clone(masker))


def test_units_stay_in_one_half_and_are_not_masked_unasked(table: pl.DataFrame) -> None:
    owned = table.select("id", "age", "job").with_columns(
        id=pl.Series([f"C-{i % 100:03d}" for i in range(table.height)])
    )
    masker = Masker(rate=0.3, unit="id", random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        masked = masker.fit_transform(owned)
    assert masked["id"].equals(owned["id"])
    assert masker.cross_fit_.unit == "id"
    assert masker.ledger_.unit == "id"


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"columns": ["jbo"]}, "did you mean 'job'"),
        ({"columns": "job"}, "list"),
        ({"how": "redcat"}, "did you mean 'redact'"),
        ({"engine": "gna"}, "did you mean 'gan'"),
        ({"rate": 0}, "above 0"),
        ({"rate": 1.5}, "at most 1"),
        ({"key": "short"}, "at least 16"),
        ({"columns": ["job"], "rules": {"job": {"how": "redact"}}}, "one place"),
        ({"rules": {"jbo": {"how": "redact"}}}, "did you mean 'job'"),
        ({"rules": {"job": {"hwo": "redact"}}}, "how"),
        ({"rules": {"job": {"how": "noise", "scale": 1}}}, "numbers and dates"),
        ({"rules": {"job": {"how": "redact", "key": "x"}}}, "key does not belong"),
        ({"rules": {"job": {"how": "generate", "scale": 1}}}, "no option"),
        ({"rules": {"job": {"how": "shuffle", "within": "agee"}}}, "did you mean 'age'"),
        (
            {
                "rules": {
                    "job": {"how": "shuffle", "together": "t"},
                    "age": {"how": "shuffle", "together": "t", "rate": 0.5},
                }
            },
            "differ",
        ),
        ({}, "every cell"),
        ({"mask": np.zeros((400, 5), bool), "columns": ["job"]}, "leave columns"),
        ({"protect": -1}, "protect"),
    ],
)
def test_settings_that_are_off(settings: dict[str, Any], word: str, table: pl.DataFrame) -> None:
    with pytest.raises(SettingError, match=word):
        Masker(**settings).fit(table)


def test_rules_in_a_file(table: pl.DataFrame, tmp_path: Path) -> None:
    path = tmp_path / "mask.toml"
    (tmp_path / "jobs.toml").write_text('cook = "kitchen"\nclerk = "office"\n')
    path.write_text(
        '[columns.id]\nhow = "redact"\nkeep_first = 2\n[columns.job]\nhow = "generalize"\nhierarchy = "jobs.toml"\n'
        '[columns.amount]\nhow = "noise"\nscale = 3.0\nrate = 0.5\n'
    )
    masker = Masker(rules=path, random_state=0)
    masked = masker.fit_transform(table)
    assert masked["id"].unique().to_list() == ["C-*****"]
    assert set(masked["job"]) == {"kitchen", "office", "?"}
    assert 0.4 < (masked["amount"] != table["amount"]).mean() < 0.6  # type: ignore[operator]
    for text, word in (
        ('[colums.id]\nhow = "redact"', "did you mean 'columns'"),
        ('key = "abc"\n[columns.id]\nhow = "redact"', "--key-file"),
        ("", "no column"),
        ("[columns", "TOML"),
        ('[columns.id]\nhow = "redact"\nkeep_frist = 2', "did you mean 'keep_first'"),
    ):
        path.write_text(text)
        with pytest.raises(SettingError, match=word):
            Masker(rules=path).fit(table)
    with pytest.raises(FileError):
        Masker(rules=tmp_path / "none.toml").fit(table)


def test_a_column_of_numbers_redacted_is_text() -> None:
    frame = pd.DataFrame({"n": [123456, 234567], "m": [1, 2]})
    masked = Masker(rules={"n": {"how": "redact", "keep_last": 2}}).fit_transform(frame)
    assert masked["n"].tolist() == ["****56", "****67"]
    assert masked["m"].dtype == frame["m"].dtype
    arrow = Masker(rules={"n": {"how": "redact", "keep_last": 2}}).fit_transform(pa.Table.from_pandas(frame))
    assert arrow["n"].to_pylist() == ["****56", "****67"]
