"""Fusion: kept cells stay, drawn ones follow the kept ones and not the row's own secret."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import masquerade as mq
from masquerade import spelling
from masquerade.errors import MasqueradeWarning, SchemaError, SettingError, TableError
from masquerade.release.filling import halves
from masquerade.release.fuse import Fusion

ROWS = 1_200


def make(rows: int = ROWS, seed: int = 0) -> pl.DataFrame:
    """Text as from a CSV: a secret that the job tells in part, another that is pure chance, an id, an odd spelling."""
    random = np.random.default_rng(seed)
    job = random.choice(["nurse", "clerk", "pilot"], rows)
    ill = np.where(random.random(rows) < np.where(job == "pilot", 0.8, 0.2), "yes", "no")
    luck = random.choice([f"l{i}" for i in range(6)], rows)
    return pl.DataFrame(
        {
            "who": [f"P-{i:06d}" for i in random.permutation(rows)],
            "job": job,
            "pay": [f"{x:.2f}" if x > 900 else "" for x in random.normal(1000, 60, rows)],
            "ill": ill,
            "luck": luck,
            "note": [" kept as it is " if i % 2 else "007" for i in range(rows)],
        }
    )


@pytest.fixture(scope="module")
def table() -> pl.DataFrame:
    return make()


@pytest.fixture(scope="module")
def fitted(table: pl.DataFrame) -> Fusion:
    model = mq.Autoregressive(epochs=12, size="small")
    return mq.Fusion(sensitive=["luck", "ill"], model=model, random_state=0).fit(table)


@pytest.fixture(scope="module")
def fused(fitted: Fusion, table: pl.DataFrame) -> pl.DataFrame:
    return fitted.transform(table)


def test_kept_cells_are_the_same_to_the_letter(fused: pl.DataFrame, table: pl.DataFrame) -> None:
    assert fused.columns == table.columns
    assert fused.drop("ill", "luck").equals(table.drop("ill", "luck"))


def test_what_the_kept_columns_tell_is_still_told(fused: pl.DataFrame, table: pl.DataFrame) -> None:
    def share(frame: pl.DataFrame, job: str) -> float:
        return float((frame.filter(pl.col("job") == job)["ill"] == "yes").mean())  # type: ignore[arg-type]

    assert share(fused, "pilot") > 0.6
    assert share(fused, "clerk") < 0.4
    assert abs(share(table, "pilot") - share(fused, "pilot")) < 0.15


def test_a_rows_own_secret_comes_back_no_more_often_than_chance(fused: pl.DataFrame, table: pl.DataFrame) -> None:
    own = float((fused["luck"] == table["luck"]).mean())  # type: ignore[arg-type]
    assert own == pytest.approx(1 / 6, abs=3 * np.sqrt(1 / 6 * 5 / 6 / ROWS))


def test_the_drawn_cells_do_not_depend_on_the_rows_own_secret_but_on_the_half(
    fitted: Fusion, table: pl.DataFrame
) -> None:
    typed = spelling.parse(table, fitted.schema_)
    apart = fitted._halves.fillers
    assert apart[0].model.codec_ is not apart[1].model.codec_
    drawn, seen = fitted._apply(typed, 3), fitted._apply(typed, 3, seen=True)
    assert drawn.drop("ill", "luck").equals(seen.drop("ill", "luck"))
    assert not drawn["luck"].equals(seen["luck"])


def test_the_same_seed_gives_the_same_records_and_so_does_a_saved_fusion(
    fitted: Fusion, fused: pl.DataFrame, table: pl.DataFrame, tmp_path: Path
) -> None:
    assert fitted.transform(table).equals(fused)
    fitted.save(tmp_path / "f.mq")
    again = mq.load(tmp_path / "f.mq")
    assert again.transform(table).equals(fused)
    assert again.sensitive_ == ("ill", "luck")
    held = (tmp_path / "f.mq").read_bytes()
    assert not any(who.encode() in held for who in table["who"])


def test_new_rows_and_other_frames(fitted: Fusion) -> None:
    new = make(30, seed=9)
    frame = new.to_pandas()
    fused = fitted.transform(frame)
    assert type(fused) is type(frame)
    assert (fused["who"] == frame["who"]).all()
    assert fitted.transform(new[:0]).height == 0
    assert fitted.transform(new[:1]).height == 1


def test_the_ledger_says_that_records_are_kept(fitted: Fusion) -> None:
    assert fitted.ledger_.aligned
    assert fitted.ledger_.guarantee == "none"
    assert fitted.ledger_.protections["drawn anew"] == ["ill", "luck"]
    assert list(fitted.get_feature_names_out()) == ["who", "job", "pay", "ill", "luck", "note"]


def test_tables_that_do_not_fit_are_refused(fitted: Fusion, table: pl.DataFrame) -> None:
    with pytest.raises(SchemaError):
        fitted.transform(table.drop("job"))
    with pytest.raises(TableError):
        mq.Fusion(sensitive=["ill"], random_state=0).fit(table[:12])


def test_marks_of_the_schema_say_what_is_drawn(table: pl.DataFrame) -> None:
    schema = mq.infer(table).replace("ill", sensitive=True)
    assert mq.Fusion()._split(schema) == (("ill",), ("who", "job", "pay", "luck", "note"))
    assert mq.Fusion(sensitive=["job"])._split(schema)[0] == ("job",)


def test_ids_are_made_afresh_and_rows_of_a_unit_are_drawn_by_one_model() -> None:
    table = make(300).select("who", "job", "ill").with_columns(person=pl.Series([f"U{i // 3:04d}" for i in range(300)]))
    model = mq.Autoregressive(epochs=1, size="small")
    fusion = mq.Fusion(sensitive=["who"], model=model, unit="person", random_state=0)
    with pytest.warns(MasqueradeWarning, match="'who'.* identifiers are never shown") as caught:
        fitted = fusion.fit(table)
    assert len(caught) == 1
    fused = fitted.transform(table)
    assert fitted.schema_["who"].kind == "id"
    assert not set(fused["who"]) & set(table["who"])
    assert fused["who"].n_unique() == 300
    assert fused["who"].str.contains(r"^P-\d{6}$").all()
    sides = halves(spelling.parse(table, fitted.schema_), fitted._halves.salt, fitted._halves.unit)
    assert pl.DataFrame({"person": table["person"], "side": sides}).group_by("person").n_unique()["side"].max() == 1
    assert 60 < sides.sum() < 240


def test_a_phone_in_digits_is_no_number_to_draw_from() -> None:
    random = np.random.default_rng(0)
    table = make(200).with_columns(reach=pl.Series(13800000000 + random.integers(0, 10**8, 200)))
    schema = mq.infer(table)
    assert schema["reach"].kind == "integer"
    assert mq.Fusion(sensitive=["reach"])._schema_of(table, schema)["reach"].kind == "id"
    assert mq.Fusion(sensitive=["ill"])._schema_of(table, schema)["reach"].kind == "integer"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"sensitive": ["il"]}, "did you mean 'ill'"),
        ({}, "no column is named or marked"),
        ({"sensitive": ["who", "job", "pay", "ill", "luck", "note"]}, "all 6 columns are sensitive"),
        ({"sensitive": "ill"}, r"expected a list: \['ill'\]"),
        ({"sensitive": ["ill"], "model": "ctgan"}, "take 'autoregressive'"),
        ({"sensitive": ["ill"], "model": "autoregresive"}, "did you mean 'autoregressive'"),
        ({"sensitive": ["ill"], "model": 3}, "got a int"),
        ({"sensitive": ["ill"], "protect": -1}, "protect"),
    ],
)
def test_bad_settings_are_refused_before_any_work(settings: dict[str, Any], message: str, table: pl.DataFrame) -> None:
    with pytest.raises(SettingError, match=message):
        mq.Fusion(**settings).fit(table)
