"""Encoder: names, standardised codes, groups, mitigations, new rows, saved models, scikit-learn, and what is refused."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline

import masquerade as mq
from masquerade.errors import MasqueradeWarning, SchemaError, SettingError, TableError
from masquerade.release.blurring import CODE_BOUND

GROUPS = {"who": ["age", "sex", "city"], "money": ["income", "loan"]}


def people(rows: int = 400, seed: int = 0) -> pl.DataFrame:
    random = np.random.default_rng(seed)
    age = random.integers(18, 80, rows)
    income = np.round(age * 100 + random.normal(0, 500, rows), 2)
    return pl.DataFrame(
        {
            "age": age,
            "sex": random.choice(["f", "m"], rows),
            "city": random.choice(["Aston", "Berg", "Calne", "Drum"], rows),
            "income": income,
            "loan": random.choice(["yes", "no", "unknown"], rows),
            "y": np.where(income + random.normal(0, 800, rows) > 5000, "buys", "no"),
        }
    )


def encoder(**settings: Any) -> mq.Encoder:
    return mq.Encoder(**{"epochs": 6, "random_state": 0, "target": "y", **settings})


@pytest.fixture(scope="module")
def grouped() -> mq.Encoder:
    return encoder(groups=GROUPS).fit(people())


def numbers(codes: pl.DataFrame) -> np.ndarray:
    return codes.drop("y", strict=False).to_numpy()


def test_half_the_inputs_are_standardised_codes_and_the_target_is_copied() -> None:
    made = encoder()
    table = people()
    codes = made.fit_transform(table)
    assert made.features_.width == 1 + 1 + 2 + 4 + 3
    assert codes.columns == [f"code_{i}" for i in range(5)] + ["y"]
    assert codes["y"].equals(table["y"])
    assert np.allclose(numbers(codes).mean(axis=0), 0, atol=1e-3)
    assert np.allclose(numbers(codes).std(axis=0), 1, atol=1e-3)
    assert made.get_feature_names_out().tolist() == codes.columns
    assert made.ledger_.aligned
    assert made.ledger_.dropped == ("age", "sex", "city", "income", "loan")
    assert "not anonymous" in made.ledger_.protections["pseudonymous"]


def test_groups_name_their_codes_and_do_not_see_each_other(grouped: mq.Encoder) -> None:
    table = people()
    codes = grouped.transform(table)
    assert codes.columns == ["who_0", "who_1", "who_2", "money_0", "money_1", "y"]
    assert list(grouped.lost_) == ["who", "money"]
    richer = grouped.transform(table.with_columns(pl.col("income") + 1000))
    assert richer.select("who_0", "who_1", "who_2").equals(codes.select("who_0", "who_1", "who_2"))
    assert not richer["money_0"].equals(codes["money_0"])


def test_a_number_of_codes_is_shared_out(grouped: mq.Encoder) -> None:
    assert len(encoder(width=3).fit(people()).codes_) == 3
    assert encoder(width=3, groups=GROUPS, epochs=1).fit(people()).group_of_code_ == ("who", "who", "money")


@pytest.mark.parametrize("library", ["pandas", "pyarrow"])
def test_the_kind_of_frame_is_kept(grouped: mq.Encoder, library: str) -> None:
    table = people()
    native = table.to_pandas() if library == "pandas" else table.to_arrow()
    codes = grouped.transform(native)
    assert type(codes) is type(native)
    assert np.array_equal(np.asarray(codes["who_0"]), grouped.transform(table)["who_0"].to_numpy())


def test_the_same_seed_gives_the_same_codes() -> None:
    assert encoder(epochs=2).fit_transform(people()).equals(encoder(epochs=2).fit_transform(people()))
    assert (
        not encoder(epochs=2, random_state=1).fit_transform(people()).equals(encoder(epochs=2).fit_transform(people()))
    )


def test_new_rows_need_no_target_and_may_have_new_levels(grouped: mq.Encoder) -> None:
    new = people(seed=1).drop("y")
    codes = grouped.transform(new)
    assert codes.columns == ["who_0", "who_1", "who_2", "money_0", "money_1"]
    odd = grouped.transform(new.with_columns(city=pl.lit("Elsewhere")))
    assert np.isfinite(odd.to_numpy()).all()
    assert grouped.transform(new[:0]).shape == (0, 5)


def test_rows_are_encoded_one_by_one(grouped: mq.Encoder) -> None:
    table = people()
    backwards = grouped.transform(table.reverse())
    assert np.allclose(numbers(backwards.reverse()), numbers(grouped.transform(table)), atol=2e-3)


def test_noise_has_its_deviation_and_group_means_shrink_the_spread() -> None:
    table = people(2000)
    plain = encoder().fit(table)
    codes = numbers(plain.transform(table))
    noisy = numbers(clone(plain).set_params(noise=0.5).fit_transform(table))
    assert (noisy - codes).std() == pytest.approx(0.5, rel=0.05)
    means = clone(plain).set_params(group_means=10).fit(table)
    averaged = numbers(means.transform(table))
    assert averaged.std() == pytest.approx(1 / np.sqrt(10), rel=0.15)
    sizes = np.unique(averaged, axis=0, return_counts=True)[1]
    assert sizes.min() >= 10
    assert means.ledger_.protections["sensitivity"] == pytest.approx(2 * CODE_BOUND * np.sqrt(5) / 10)


def test_rows_are_grouped_inside_of_public_columns() -> None:
    table = people(1000)
    codes = encoder(group_means=5, group_by=["sex", "city"], epochs=1).fit_transform(table)
    cells = codes.select(pl.exclude("y")).with_columns(table["sex"], table["city"])
    together = cells.group_by([c for c in codes.columns if c != "y"]).agg(pl.struct("sex", "city").n_unique())
    assert together["sex"].to_list() == [1] * together.height


def test_a_hidden_column_is_not_encoded_and_its_proxy_is_unlearned() -> None:
    random = np.random.default_rng(0)
    sex = random.integers(0, 2, 3000)
    table = pl.DataFrame(
        {
            "sex": np.where(sex == 1, "m", "f"),
            "height": 165 + 14.0 * sex + random.normal(0, 3, 3000),
            "a": random.normal(size=3000),
            "b": random.normal(size=3000),
            "c": random.normal(size=3000),
        }
    )
    found = []
    for adversary in (0, 3.0):
        made = mq.Encoder(hide=["sex"], adversary=adversary, width=3, epochs=60, random_state=0)
        codes = made.fit_transform(table).to_numpy()
        assert "sex" not in made.features_.places
        found.append(cross_val_score(LogisticRegression(), codes, sex, cv=3).mean())
    assert found[0] > 0.9
    assert found[1] < 0.7


def test_a_saved_encoder_encodes_alike_and_holds_no_rare_level(tmp_path: Path, grouped: mq.Encoder) -> None:
    table = people()
    grouped.save(tmp_path / "e.mq")
    loaded = mq.load(tmp_path / "e.mq")
    assert loaded.transform(table).equals(grouped.transform(table))
    assert loaded.get_feature_names_out().tolist() == grouped.get_feature_names_out().tolist()
    rare = people().with_columns(
        city=pl.when(pl.int_range(pl.len()) < 3).then(pl.lit("Zanzibar")).otherwise("city"),
        income=pl.when(pl.int_range(pl.len()) == 0).then(123456.75).otherwise("income"),
    )
    encoder(epochs=1).fit(rare).save(tmp_path / "r.mq")
    held = (tmp_path / "r.mq").read_bytes()
    assert b"Zanzibar" not in held
    assert b"123456" not in held


def test_it_works_in_a_pipeline() -> None:
    table = people().to_pandas()
    features, target = table.drop(columns="y"), table["y"]
    step = mq.Encoder(epochs=10, random_state=0)
    pipeline = make_pipeline(step, LogisticRegression())
    assert cross_val_score(pipeline, features, target, cv=3).mean() > 0.75
    assert clone(step).get_params() == step.get_params()
    pipeline.fit(features, target)
    assert pipeline[:-1].get_feature_names_out().tolist()[0] == "code_0"
    pipeline.set_params(encoder__width=0.25).fit(features, target)
    assert len(pipeline[0].codes_) == 2


def test_neither_the_input_nor_the_global_random_state_changes() -> None:
    table = people().to_pandas()
    before, state = table.copy(deep=True), np.random.get_state()[1].copy()  # noqa: NPY002
    encoder(epochs=1, noise=1.0).fit_transform(table)
    pd.testing.assert_frame_equal(table, before)
    assert (np.random.get_state()[1] == state).all()  # noqa: NPY002


def test_missing_values_constants_and_one_column_are_handled() -> None:
    table = people().with_columns(
        age=pl.when(pl.int_range(pl.len()) % 7 == 0).then(None).otherwise("age"),
        city=pl.when(pl.int_range(pl.len()) % 5 == 0).then(None).otherwise("city"),
        same=pl.lit(3),
    )
    codes = encoder(epochs=1).fit_transform(table)
    assert np.isfinite(numbers(codes)).all()
    assert mq.Encoder(epochs=1, random_state=0).fit_transform(people().select("age")).columns == ["code_0"]


def test_ids_are_left_out_with_a_warning() -> None:
    table = people().with_columns(id=pl.format("K{}-{}", pl.int_range(pl.len()), pl.int_range(pl.len()) * 7919 % 1000))
    with pytest.warns(MasqueradeWarning, match="'id'"):
        made = encoder(epochs=1, groups=GROUPS).fit(table)
    assert "id" not in made.features_.places


def test_attributions_say_which_inputs_move_a_code(grouped: mq.Encoder) -> None:
    moved = grouped.attributions(people())
    assert moved["column"].to_list() == ["age", "income", "sex", "city", "loan"]
    money = moved.filter(pl.col("column").is_in(["age", "sex", "city"])).select("money_0", "money_1").to_numpy()
    assert (money == 0).all()
    assert (moved.select(pl.exclude("column")).to_numpy().max(axis=0) > 0.2).all()


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"width": 0.0}, SettingError, "width: got 0.0"),
        ({"width": 1.5}, SettingError, "width: got 1.5"),
        ({"width": 0}, SettingError, "width"),
        ({"width": 500}, SettingError, "width: got 500 codes, expected 1 to 11"),
        ({"noise": -1}, SettingError, "noise"),
        ({"group_means": 1}, SettingError, "group_means"),
        ({"group_means": 1000}, TableError, "group_means: got 1000, but the table has only 400 rows"),
        ({"group_by": ["sex"]}, SettingError, "give group_means=k too"),
        ({"group_means": 5, "group_by": ["sexx"]}, SchemaError, r"'sexx' \(did you mean 'sex'\?\)"),
        ({"target": "yy"}, SchemaError, r"target: there is no column 'yy' \(did you mean 'y'\?\)"),
        ({"hide": ["y"]}, SettingError, "'y' is also the target"),
        ({"hide": "sex"}, SettingError, "got the text 'sex'"),
        ({"hide": ["sxe"]}, SchemaError, "hide: there is no column 'sxe'"),
        ({"groups": {"a": ["age"]}}, SettingError, "the column 'sex' and 3 more is in no group"),
        ({"groups": {**GROUPS, "t": ["y"]}}, SettingError, "names the target 'y'"),
        ({"groups": {"a": ["age", "sex", "city", "incom", "loan"]}}, SettingError, "did you mean 'income'"),
        ({"target": None, "groups": GROUPS}, SettingError, "the column 'y' is in no group"),
        ({"validation_share": 1.0}, SettingError, "validation_share"),
        ({"learning_rate": 0}, SettingError, "learning_rate"),
        ({"protect": -1}, SettingError, "protect"),
    ],
)
def test_bad_settings_are_refused(settings: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        encoder(**settings).fit(people())


def test_tables_that_do_not_fit_are_refused(grouped: mq.Encoder) -> None:
    with pytest.raises(SchemaError, match="'city'"):
        grouped.transform(people().drop("city"))
    with pytest.raises(SchemaError, match=r"'cit' was not fitted \(did you mean 'city'\?\)"):
        grouped.transform(people().with_columns(cit=pl.lit(1)))
    with pytest.raises(TableError, match="3 rows are fewer than group_means=5"):
        encoder(group_means=5, epochs=1).fit(people()).transform(people()[:3])
    with pytest.raises(TableError, match="nothing to encode"):
        mq.Encoder().fit(pl.DataFrame({"a": [1] * 20}))


@pytest.mark.data
def test_the_bank_table_is_encoded_in_a_minute(shared_data: Path) -> None:
    table = mq.read_table(shared_data / "bank_marketing" / "bank-additional-full.csv.gz")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made = mq.Encoder(target="y", epochs=20, random_state=0).fit(table)
    assert (made.features_.width, len(made.codes_)) == (63, 31)
    assert made.lost_["code"] < 0.05
