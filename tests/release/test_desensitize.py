"""Desensitizer: the secret can no longer be told, what is kept is kept, and as little changes as it takes."""

from __future__ import annotations

import dataclasses
import datetime
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import cross_val_predict

import masquerade as mq
from masquerade import spelling
from masquerade.errors import InterruptedTraining, SchemaError, SettingError
from masquerade.judge.attacks import AttributeFinding, attack_attribute
from masquerade.judge.tables import tabulate
from masquerade.progress import Progress
from masquerade.release.coupling import MOST_ALIKE, arranged
from masquerade.release.desensitize import Desensitizer

pytestmark = pytest.mark.filterwarnings("ignore::masquerade.errors.MasqueradeWarning")

ROWS = 600
FREE = ("sex_code", "title", "größe 中", "age", "since", "member")


def make(rows: int = ROWS, seed: int = 0) -> pl.DataFrame:
    """A secret, a copy of it, a column that determines it, others that tell it in part, an id, text and a constant."""
    random = np.random.default_rng(seed)
    sex = random.choice(["f", "m"], rows)
    is_f = sex == "f"
    begin = datetime.datetime(2020, 1, 1)
    return pl.DataFrame(
        {
            "sex": sex,
            "sex_code": np.where(is_f, 0, 1),
            "title": np.where(is_f, random.choice(["Ms", "Mrs"], rows), "Mr"),
            "größe 中": np.round(random.normal(np.where(is_f, 166, 178), 6), 1),
            "age": random.integers(18, 90, rows),
            "since": [begin + datetime.timedelta(days=int(day)) for day in random.integers(0, 900, rows)],
            "member": random.random(rows) < np.where(is_f, 0.7, 0.3),
            "one": ["k"] * rows,
            "key": [f"P-{i:06d}" for i in random.permutation(rows)],
            "note": [f"some words {random.integers(10**6)} about row {i} of many" for i in range(rows)],
            "income": np.where(random.random(rows) < np.where(is_f, 0.4, 0.6), "high", "low"),
        }
    )


@pytest.fixture(scope="module")
def table() -> pl.DataFrame:
    return make()


@pytest.fixture(scope="module")
def fitted(table: pl.DataFrame) -> Desensitizer:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return mq.Desensitizer(hide=["sex"], keep=["income"], epochs=15, random_state=0).fit(table)


@pytest.fixture(scope="module")
def released(fitted: Desensitizer, table: pl.DataFrame) -> pl.DataFrame:
    return fitted.transform(table)


def told(table: pl.DataFrame, secret: pl.Series) -> float:
    """AUC of a forest that knows half of the secrets."""
    features = table.select(
        pl.col(name).cast(pl.Float64) if table[name].dtype != pl.String else pl.col(name).rank("dense").cast(pl.Float64)
        for name in table.columns
    ).to_numpy()
    forest = RandomForestClassifier(60, min_samples_leaf=5, random_state=0)
    said = cross_val_predict(forest, features, (secret == "f").to_numpy(), cv=2, method="predict_proba")[:, 1]
    return float(roc_auc_score((secret == "f").to_numpy(), said))


def test_the_secret_is_told_before_and_not_after(released: pl.DataFrame, table: pl.DataFrame) -> None:
    columns = ("sex_code", "title", "größe 中", "age", "member")
    assert told(table.select(columns), table["sex"]) > 0.99
    assert told(released.select(columns), table["sex"]) < 0.62
    assert told(released.select("sex", *columns), table["sex"]) < 0.62


def test_what_the_columns_say_of_each_other_stays(released: pl.DataFrame, table: pl.DataFrame) -> None:
    """A released title suits the released code; both suit the released height."""
    suits = ((released["title"] == "Mr") == (released["sex_code"] == 1)).mean()
    assert suits > 0.97  # type: ignore[operator]
    heights = dict(released.group_by("sex_code").agg(pl.col("größe 中").mean()).iter_rows())
    assert heights[1] - heights[0] > 6
    for column in ("title", "sex_code", "member"):
        before, after = (dict(frame[column].value_counts(normalize=True).iter_rows()) for frame in (table, released))
        assert all(abs(before[level] - after[level]) < 0.08 for level in before)


def test_what_is_kept_stays_and_little_else_changes(released: pl.DataFrame, table: pl.DataFrame) -> None:
    assert released.columns == table.columns
    assert released.schema == table.schema
    assert released["income"].equals(table["income"])
    assert released["one"].equals(table["one"])
    share = {name: float((released[name] != table[name]).mean()) for name in FREE}  # type: ignore[arg-type]
    assert share["age"] < 0.25  # tells nothing of the secret
    assert share["since"] < 0.25
    assert 0.35 < share["sex_code"] < 0.65  # tells all of it
    assert share["größe 中"] < share["sex_code"]


def test_ids_and_text_are_made_afresh(released: pl.DataFrame, table: pl.DataFrame) -> None:
    assert not set(released["key"]) & set(table["key"])
    assert released["key"].n_unique() == ROWS
    assert released["key"].str.contains(r"^P-\d{6}$").all()
    assert not set(released["note"]) & set(table["note"])


def test_strength_moves_along_the_curve(fitted: Desensitizer, released: pl.DataFrame, table: pl.DataFrame) -> None:
    columns = ("sex_code", "title", "größe 中", "age", "member")
    attacked, changed = [], []
    for strength in (0.0, 0.5, 1.0):
        other = fitted.with_strength(strength)
        view = other.transform(table)
        assert other.ledger_.protections["strength"] == strength
        assert set(view["title"]) <= {"Ms", "Mrs", "Mr"}
        assert view["größe 中"].is_between(140, 205).all()
        attacked.append(told(view.select(columns), table["sex"]))
        changed.append(float(np.mean([(view[name] != table[name]).mean() for name in FREE])))
    assert attacked[0] > attacked[1] > attacked[2]
    assert changed[0] < changed[1] < changed[2]
    assert fitted.strength == 1
    assert fitted.transform(table).equals(released)
    assert changed[0] < 0.05
    still = fitted.with_strength(0).transform(table)
    for name in ("sex_code", "title", "größe 中", "age", "since", "member"):
        bounds = fitted._model.codec_.bounds(name)
        shown = pl.Series([True] * ROWS) if bounds is None else table[name].is_between(*bounds)
        assert shown.mean() > 0.9  # type: ignore[operator]
        assert still[name].filter(shown).equals(table[name].filter(shown))


def test_secrets_may_be_dropped(fitted: Desensitizer, released: pl.DataFrame, table: pl.DataFrame) -> None:
    fitted.replace = "drop"
    try:
        out = fitted.transform(table)
        assert list(fitted.get_feature_names_out()) == out.columns
    finally:
        fitted.replace = "redraw"
    assert out.equals(released.drop("sex"))


def test_new_rows_with_values_nobody_had(fitted: Desensitizer, table: pl.DataFrame) -> None:
    new = make(40, seed=9).with_columns(
        sex=pl.lit("x"), title=pl.lit("Dr"), income=pl.lit("none"), age=pl.lit(None, pl.Int64), **{"größe 中": 999.5}
    )
    out = fitted.transform(new)
    assert set(out["sex"]) <= {"f", "m"}
    assert set(out["title"]) <= {"Ms", "Mrs", "Mr"}
    assert set(out["income"]) == {"none"}  # kept to the letter
    assert out["größe 中"].max() < 210  # type: ignore[operator]
    assert out["age"].null_count() == 0  # nobody's age was missing


def test_a_row_that_contradicts_a_lookup_keeps_no_trace_of_it() -> None:
    rows = 400
    random = np.random.default_rng(0)
    land = random.choice(["fr", "es", "pt"], rows)
    table = pl.DataFrame(
        {"sex": random.choice(["f", "m"], rows), "land": land, "word": [{"fr": "oui"}.get(x, "si") for x in land]}
    )
    fitted = mq.Desensitizer(hide=["sex"], epochs=1, random_state=0).fit(table)
    assert fitted._model.codec_.dependencies.keys() == {"word"}
    out = fitted.transform(table.with_columns(word=pl.lit("si")))
    assert ((out["word"] == "oui") == (out["land"] == "fr")).all()


def test_several_secrets_with_missing_values_beside_a_unit_and_kept_columns_to_the_letter(tmp_path: Path) -> None:
    table = make(300).select("sex", "age", "since", "member", "title")
    table = table.with_columns(
        pl.when(pl.int_range(pl.len()) % 5 == 0).then(None).otherwise(pl.col(name)).alias(name)
        for name in ("sex", "age")
    ).with_columns(
        who=pl.Series([f"U{i // 3:04d}" for i in range(300)]),
        odd=pl.Series(["1.50" if i % 4 else " 1.5" for i in range(300)]),
        rare=pl.Series([f"level {i}" if i < 3 else "usual" for i in range(300)]),
    )
    hide, keep = ["sex", "age", "since"], ["odd", "rare"]
    release = mq.Desensitizer(hide=hide, keep=keep, unit="who", epochs=1, random_state=0).fit(table)
    out = release.transform(table)
    assert out.schema == table.schema
    assert out.select(keep).equals(table.select(keep))
    assert 0 < out["age"].null_count() < 150
    assert set(out["sex"]) <= {"f", "m", None}
    assert not set(out["who"]) & set(table["who"])
    assert release.ledger_.unit == "who"
    combined = np.prod([len(shift) for shift in release._model._shifts])
    assert combined <= MOST_ALIKE
    release.save(tmp_path / "d.mq")
    assert mq.load(tmp_path / "d.mq").transform(table).equals(out)


def test_the_least_table_there_is() -> None:
    out = mq.Desensitizer(hide=["sex"], protect=0, epochs=1, random_state=0).fit_transform(make(12))
    assert out.height == 12
    few = make(400).select("income", "age").with_columns(sex=pl.Series(["f"] * 395 + ["m"] * 5))
    with pytest.raises(SettingError, match="lower `protect`"):
        mq.Desensitizer(hide=["sex"], epochs=1).fit(few)


def test_the_model_stands_in_the_order_kept_secrets_others(fitted: Desensitizer) -> None:
    assert arranged(fitted.schema_, ["age"], ["income", "sex"])[:3] == ["income", "sex", "age"]
    assert fitted._model.codec_.layout.names[:2] == ("income", "sex")


def test_what_was_asked_for_is_in_the_ledger(fitted: Desensitizer) -> None:
    protections = fitted.ledger_.protections
    assert protections == {"hide": ["sex"], "keep": ["income"], "strength": 1.0, "protect": 10}
    assert "sex" in repr(fitted)


def test_an_interrupted_training_leaves_nothing_that_looks_fitted(table: pl.DataFrame) -> None:
    def interrupt(progress: Progress) -> None:
        if progress.stage == "train" and progress.done >= 1:
            raise KeyboardInterrupt

    release = mq.Desensitizer(hide=["sex"], epochs=30, callbacks=[interrupt], random_state=0)
    with pytest.raises((InterruptedTraining, KeyboardInterrupt)):
        release.fit(table)
    assert not release.__sklearn_is_fitted__()


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({}, SettingError, "hide: no column is named"),
        ({"hide": "sex"}, SettingError, r"expected a list of column names: \['sex'\]"),
        ({"hide": ["sex", "sex"]}, SettingError, "'sex' is named twice"),
        ({"hide": ["sexx"]}, SchemaError, "hide: there is no column 'sexx'.*did you mean 'sex'"),
        ({"hide": ["sex"], "keep": ["incom"]}, SchemaError, "keep: there is no column 'incom'.*did you mean 'income'"),
        ({"hide": ["sex"], "keep": ["sex"]}, SettingError, "'sex' is also to be hidden"),
        ({"hide": ["one"]}, SettingError, "'one' has one value only"),
        ({"hide": ["key"]}, SettingError, "'key' is an id, free text or the unit"),
        ({"hide": ["note"]}, SettingError, "'note' is an id, free text or the unit"),
        ({"hide": ["age"], "unit": "age"}, SettingError, "unit"),
        ({"hide": ["sex"], "strength": 1.5}, SettingError, "strength: got 1.5"),
        ({"hide": ["sex"], "strength": float("nan")}, SettingError, "strength"),
        ({"hide": ["sex"], "replace": "drp"}, SettingError, "did you mean 'drop'"),
        ({"hide": ["sex"], "epochs": 0}, SettingError, "epochs"),
        ({"hide": ["sex"], "max_minutes": -1}, SettingError, "max_minutes"),
        ({"hide": ["sex"], "keep": [*FREE, "one", "key", "note", "income"]}, SettingError, "nothing may change"),
    ],
)
def test_bad_settings_are_refused(
    settings: dict[str, Any], error: type[Exception], message: str, table: pl.DataFrame
) -> None:
    with pytest.raises(error, match=message):
        mq.Desensitizer(**settings).fit(table)


def test_a_strength_out_of_range_is_refused_afterwards_too(fitted: Desensitizer) -> None:
    with pytest.raises(SettingError, match="strength"):
        fitted.with_strength(-0.1)


# ── real rows ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def adult(shared_data: Path) -> tuple[pl.DataFrame, pl.DataFrame]:
    """6,000 rows to release, and real rows to test on."""
    table = pl.read_csv(shared_data / "adult" / "adult.csv.gz")
    train, test = (table.filter(pl.col("split") == split).drop("split", "fnlwgt") for split in ("train", "test"))
    return train.sample(6_000, seed=0), test.sample(6_000, seed=0)


def attacked(
    release: Desensitizer, real: pl.DataFrame, view: pl.DataFrame, secret: str, free: list[str]
) -> AttributeFinding:
    typed, released = (spelling.parse(frame, release.schema_) for frame in (real, view))
    tables = tabulate(release.schema_, typed, released, None)
    numeric = [i for i, name in enumerate(tables.numeric) if name in free]
    discrete = [i for i, name in enumerate(tables.discrete) if name in free]
    side = tables.released
    if release.schema_[secret].is_numeric:
        truth, classes = typed[secret].cast(pl.Float64).to_numpy(), 0
    else:
        truth, classes = (typed[secret].rank("dense").cast(pl.Int64) - 1).to_numpy(), typed[secret].n_unique()
    return attack_attribute(side.numbers[:, numeric], side.codes[:, discrete], truth, classes=classes, seeds=1)


def income_auc(train: pl.DataFrame, test: pl.DataFrame) -> float:
    """Of boosting that learned from these rows, on real ones."""
    names = [name for name in train.columns if name not in ("income", "sex")]
    both = pl.concat([train, test]).select(
        pl.col(name).cast(pl.Float64) if train[name].dtype.is_numeric() else pl.col(name).rank("dense").cast(pl.Float64)
        for name in names
    ).to_numpy()  # fmt: skip
    model = HistGradientBoostingClassifier(random_state=0, max_iter=80)
    model.fit(both[: train.height], (train["income"] == ">50K").to_numpy())
    said = model.predict_proba(both[train.height :])[:, 1]
    return float(roc_auc_score((test["income"] == ">50K").to_numpy(), said))


@pytest.mark.data
def test_adult_tells_no_sex_and_still_predicts_income(adult: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    train, test = adult
    release = mq.Desensitizer(hide=["sex"], keep=["income"], random_state=0).fit(train)
    view = release.transform(train)
    free = [name for name in train.columns if name not in ("sex", "income")]
    assert attacked(release, train, train, "sex", free).auc >= 0.9
    assert attacked(release, train, view, "sex", free).auc <= 0.63
    assert income_auc(view, test) > income_auc(train, test) - 0.02


@pytest.mark.data
def test_adult_tells_little_of_age(adult: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    train = adult[0]
    release = mq.Desensitizer(hide=["age"], epochs=12, random_state=0).fit(train)
    view = release.transform(train)
    free = [name for name in train.columns if name != "age"]
    before, after = (attacked(release, train, frame, "age", free).correlation for frame in (train, view))
    assert before > 0.6
    assert abs(after) < before / 3


def test_business_rules_hold_in_the_changed_records() -> None:
    random = np.random.default_rng(0)
    low, sex = random.integers(0, 50, 600), random.choice(["f", "m"], 600)
    high = low + random.integers(0, 20, 600) + 10 * (sex == "m")
    table = pl.DataFrame({"sex": sex, "low": low, "high": high, "kept": random.choice(["x", "y"], 600)})
    schema = dataclasses.replace(mq.infer(table), rules=("low <= high",))
    release = Desensitizer(hide=["sex"], keep=["kept"], epochs=5, random_state=0).fit(table, schema=schema)
    assert (release.changed_rows(table, 0)["low"] <= release.changed_rows(table, 0)["high"]).all()
    loose = Desensitizer(hide=["sex"], keep=["kept"], epochs=5, random_state=0).fit(table)
    assert not (loose.changed_rows(table, 0)["low"] <= loose.changed_rows(table, 0)["high"]).all()


def test_evaluate_takes_a_release_whose_secret_was_dropped() -> None:
    table = make()
    release = Desensitizer(hide=["sex"], replace="drop", epochs=2, random_state=0).fit(table)
    assert release.ledger_.dropped == ("sex",)
    report = mq.evaluate(table, release.transform(table), ledger=release.ledger_, attacks="none")
    assert report.columns["sex"]["dropped"]
