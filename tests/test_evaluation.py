"""`evaluate`: any frame, any odd table, and one clear line where it refuses."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from masquerade import inference
from masquerade.errors import MasqueradeWarning, SettingError, TableError
from masquerade.evaluation import evaluate
from masquerade.privacy.ledger import Ledger
from masquerade.progress import Progress

EVERY_SCORE = {
    "column_shapes",
    "column_pair_trends",
    "quality",
    "univariate_accuracy",
    "bivariate_accuracy",
    "trivariate_accuracy",
    "missing_value_similarity",
    "range_coverage",
    "category_coverage",
    "boundary_adherence",
    "category_adherence",
    "detection_auc",
    "correlation_distance",
    "pca_similarity",
    "mean_log_difference",
    "std_log_difference",
    "similarity_score",
    "tstr",
    "trtr",
    "tstr_logistic",
    "trtr_logistic",
    "tstr_forest",
    "trtr_forest",
    "tstr_boosting",
    "trtr_boosting",
    "utility_gap",
    "exact_copies",
    "dcr_share",
    "nndr",
    "dcr_baseline_protection",
    "dcr_overfitting_protection",
    "linkability",
    "inference",
}


def rows(count: int, seed: int = 0) -> pl.DataFrame:
    random = np.random.default_rng(seed)
    x = random.normal(size=count).round(3)
    return pl.DataFrame({"größe": x, "c": random.choice(["α", "β", "γ"], count), "y": np.where(x > 0, "ja", "nein")})


def judge(real: Any, released: Any, **settings: Any) -> Any:
    return evaluate(real, released, **({"holdout": rows(120, 2)} | settings))


def test_every_score_with_a_holdout_and_a_target() -> None:
    seen: list[Progress] = []
    report = judge(rows(200), rows(150, 1), target="y", sensitive=["c"], ledger=Ledger(), callback=seen.append)
    assert set(report.scores) == EVERY_SCORE | {"attribute_auc"}
    assert set(report.attacks) == {"linkability", "inference", "attribute"}
    assert report.rows == {"real": 200, "released": 150, "holdout": 120}
    assert list(report.columns) == ["größe", "c", "y"]
    assert report.columns["c"]["sensitive"]
    assert not report.columns["y"]["sensitive"]
    assert set(report.pairs["größe"]) == {"c", "y"}
    assert report.ledger["guarantee"] == "none"
    assert report.facts["distances"]["train"]
    assert json.dumps(report.to_dict(), allow_nan=False)
    assert [p.done for p in seen[:-1]] == list(range(1, len(seen)))
    assert seen[-1].finished
    assert seen[-1].done == seen[-1].total == len(seen)


def test_the_same_seed_gives_the_same_report_and_the_input_is_not_changed() -> None:
    real, before = rows(200), np.random.get_state()[1].copy()  # noqa: NPY002
    first, second = (judge(real, rows(150, 1), target="y", seed=3).to_dict() for _ in range(2))
    assert first["scores"] == second["scores"]
    assert real.equals(rows(200))
    assert (np.random.get_state()[1] == before).all()  # noqa: NPY002


def test_any_kind_of_frame_gives_the_same_scores() -> None:
    real, released = rows(100), rows(100, 1)
    expected = judge(real, released).to_dict()["scores"]
    assert judge(real.to_pandas(), pa.table(released.to_dict(as_series=False))).to_dict()["scores"] == expected
    assert judge(pd.DataFrame(real.to_dict(as_series=False)), released).to_dict()["scores"] == expected


def test_without_a_holdout_it_says_what_is_left_out() -> None:
    with pytest.warns(MasqueradeWarning, match="no holdout was given: ceilings, utility"):
        report = evaluate(rows(50), rows(50, 1), target="y")
    assert report.rows["holdout"] == 0
    assert all(score.ceiling is None for score in report.scores.values())
    assert not {"tstr", "detection_auc", "dcr_share", "exact_copies"} & set(report.scores)


def test_odd_cells_and_columns_of_the_release_are_said() -> None:
    released = rows(50, 1).with_columns(pl.col("größe").cast(pl.String), synthetic=pl.lit(True))
    released[3, "größe"] = "n.v.t."
    with pytest.warns(MasqueradeWarning) as caught:
        report = judge(rows(50), released)
    messages = sorted(str(warning.message) for warning in caught)
    assert "'größe'" in messages[0]
    assert "1 of 50 cells" in messages[0]
    assert "'synthetic' is not in the real table" in messages[1]
    assert report.columns["größe"]["missing_released"] == 0.02


def test_a_few_missing_values_cannot_be_counted_in_the_report() -> None:
    def gaps(count: int) -> pl.DataFrame:
        return rows(200).with_columns(pl.when(pl.int_range(200) >= count).then(pl.col("größe")).alias("größe"))

    told = [judge(gaps(count), rows(150, 1)).columns["größe"]["missing_real"] for count in (0, 3, 20)]
    assert told == [0.0, None, 0.1]


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"target": "yy"}, SettingError, "target: there is no column 'yy' .did you mean 'y'"),
        ({"sensitive": ["cc"]}, SettingError, "sensitive: there is no column 'cc' .did you mean 'c'"),
        ({"sensitive": "c"}, SettingError, "expected a list"),
        ({"kind": "image"}, SettingError, "did you mean 'images'"),
        ({"kind": "code"}, SettingError, "did you mean 'codes'"),
        ({"kind": "codes"}, SettingError, "holdout: codes are judged by cross-validation"),
        ({"keep": ["cc"]}, SettingError, "keep: there is no column 'cc' .did you mean 'c'"),
        ({"keep": "c"}, SettingError, "keep: got the text 'c', expected a list"),
        ({"keep": ["c"], "sensitive": ["c"]}, SettingError, "'c' is also sensitive"),
        ({"keep": ["c"], "ledger": Ledger(dropped=("c",)), "released": rows(20).drop("c")}, SettingError, "not in the"),
        ({"released": rows(19), "aligned": True}, SettingError, "19 released and 20 real rows"),
        ({"attacks": "thorough"}, SettingError, "'thorough' needs refit, a function"),
        ({"refit": len}, SettingError, "refit: only attacks='thorough' refits"),
        ({"attacks": "thorough", "refit": len, "shadows": 7}, SettingError, "shadows: got 7, expected an even number"),
        ({"attacks": "nonne"}, SettingError, "did you mean 'none'"),
        ({"protect": -1}, SettingError, "protect: got -1"),
        ({"seed": -1}, SettingError, "got -1"),
        ({"real": rows(9)}, TableError, "real: 9 rows, expected at least 10"),
        ({"released": rows(9)}, TableError, "released: 9 rows, expected at least 10"),
        ({"holdout": rows(9)}, TableError, "holdout: 9 rows, expected at least 10"),
        ({"released": rows(20).rename({"c": "cc"})}, TableError, "released: there is no column 'c'.*did you mean 'cc'"),
        ({"released": rows(20).with_columns(größe=pl.lit(float("inf")))}, TableError, "released: .*infinite"),
    ],
)
def test_refusals(settings: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        evaluate(**({"real": rows(20), "released": rows(20, 1), "holdout": rows(20, 2)} | settings))


def odd_tables() -> dict[str, pl.DataFrame]:
    table = rows(30)
    return {
        "ten rows": table[:10],
        "one number": table.select("größe"),
        "one category": table.select("c"),
        "constant": table.with_columns(k=pl.lit(5), s=pl.lit("only")),
        "empty column": table.with_columns(e=pl.lit(None, dtype=pl.Float64)),
        "huge": table.with_columns(pl.col("größe") * 1e100),
        "tiny": table.with_columns(pl.col("größe") * 1e-300),
        "ids and text": pl.DataFrame(
            {
                "id": [f"K{i:06d}" for i in range(30)],
                "text": [f"a free text, number {i}, {'so ' * i}long" for i in range(30)],
            }
        ),
    }


@pytest.mark.parametrize("name", odd_tables())
def test_odd_tables(name: str) -> None:
    table = odd_tables()[name]
    report = evaluate(table, table, holdout=table)
    assert report.scores
    assert json.dumps(report.to_dict(), allow_nan=False)


def test_a_release_without_a_value_is_judged() -> None:
    real = rows(40)
    released = real.with_columns(größe=pl.lit(None, dtype=pl.Float64), c=pl.lit(None, dtype=pl.String))
    report = evaluate(real, released, holdout=rows(40, 2))
    assert report.columns["größe"]["score"] == 0.0
    assert report.scores["missing_value_similarity"].value == pytest.approx(1 / 3)


def test_a_unit_is_no_feature() -> None:
    tables = [rows(40, seed).with_columns(account=pl.int_range(40) // 4) for seed in range(3)]
    report = evaluate(tables[0], tables[1], holdout=tables[2], unit="account")
    assert report.columns["account"]["score"] is None
    assert "account" not in report.pairs
    with pytest.raises(SettingError, match="'account' is an id, free text or the unit"):
        evaluate(tables[0], tables[1], holdout=tables[2], unit="account", target="account")


def test_columns_that_the_ledger_says_were_dropped_may_be_missing() -> None:
    ledger = Ledger(aligned=True, dropped=("c", "y"))
    with pytest.warns(MasqueradeWarning, match="'y' is not in the release; utility is left out"):
        report = judge(rows(300), rows(300).drop("c", "y"), ledger=ledger, target="y", sensitive=["c"], schema=None)
    assert report.columns["c"]["dropped"]
    assert report.columns["c"]["score"] is None
    assert report.columns["größe"]["score"] > 0.9
    assert report.attacks["attribute"]["c"]["aligned"]
    assert report.attacks["attribute"]["c"]["drop_the_column"]["auc"] < 0.7  # of c, the rest knows nothing
    assert "tstr" not in report.scores
    assert json.dumps(report.to_dict(), allow_nan=False)
    assert report.to_html()


def test_a_secret_that_the_release_shows_is_found_in_kept_records_only() -> None:
    real = rows(300)
    shown = judge(real, real, aligned=True, sensitive=["c"])
    assert shown.scores["attribute_auc"].value > 0.99
    assert shown.scores["linkage_top1"].value > 0.8
    again = judge(real, rows(300, 1), sensitive=["c"])
    assert again.scores["attribute_auc"].value < 0.65
    assert "linkage_top1" not in again.scores
    interval = again.scores["attribute_auc"].interval
    assert interval is not None
    ceiling = again.scores["attribute_auc"].ceiling
    assert ceiling is not None
    assert interval[0] <= ceiling


def test_a_ledger_that_speaks_of_kept_records_needs_as_many_of_them() -> None:
    with pytest.warns(MasqueradeWarning, match="judged as if they were not"):
        report = judge(rows(300), rows(200), ledger=Ledger(aligned=True))
    assert "linkage_top1" not in report.scores


def test_what_the_schema_marks_is_attacked_and_too_few_rows_are_said() -> None:
    schema = inference.infer(rows(300)).replace("c", sensitive=True)
    assert set(judge(rows(300), rows(300, 1), schema=schema).attacks["attribute"]) == {"c"}
    with pytest.warns(MasqueradeWarning, match="'c': 60 real rows have a value, too little to attack"):
        report = judge(rows(60), rows(60, 1), sensitive=["c"])
    assert "attribute_auc" not in report.scores


def codes_of(real: pl.DataFrame) -> pl.DataFrame:
    size = real["größe"].to_numpy()
    noise = np.random.default_rng(0).normal(size=real.height)
    return pl.DataFrame({"code_0": size + 0.1 * noise, "code_1": noise, "y": real["y"]})


def test_codes_are_attacked() -> None:
    real, seen = rows(600), list[Progress]()
    report = evaluate(real, codes_of(real), kind="codes", target="y", sensitive=["c", "y"], callback=seen.append)
    assert 0.3 < report.scores["reconstruction_r2"].value < 0.8  # the size and y, and nothing of c
    assert report.scores["linkage_top1"].ceiling == 1 / 300
    assert set(report.attacks["codes"]["linkage_top1"]) == {"0", "100"}
    assert report.attacks["attribute"]["y"]["auc"] > 0.95
    assert report.attacks["attribute"]["c"]["auc"] < 0.65
    assert report.facts["panels"][0]["chart"]["kind"] == "bars"
    assert "What codes give away" in report.to_html()
    assert report.scores["roc_auc"].value > 0.95
    assert report.scores["roc_auc"].ceiling is not None
    assert json.dumps(report.to_dict(), allow_nan=False)
    assert seen[-1].finished
    assert seen[-1].done == seen[-1].total


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"released": rows(600)}, TableError, "no code column"),
        ({"released": codes_of(rows(500))}, TableError, "500 rows of codes, expected 600"),
        (
            {"released": codes_of(rows(600)).with_columns(z=pl.lit("a"))},
            TableError,
            "'z' has 600 cells without a number",
        ),
        ({"released": codes_of(rows(600)).with_columns(z=pl.lit(True))}, TableError, "'z' is Boolean"),
        ({"aligned": False}, SettingError, "aligned: a code stands for"),
        ({"keep": ["c"]}, SettingError, "keep: attackers are judged on the codes alone"),
    ],
)
def test_what_are_no_codes_is_refused(change: dict[str, Any], error: type[Exception], message: str) -> None:
    settings: dict[str, Any] = {"real": rows(600), "released": codes_of(rows(600)), "kind": "codes"} | change
    with pytest.raises(error, match=message):
        evaluate(**settings)


@pytest.mark.data
def test_adult_in_seconds(shared_data: Path) -> None:
    table = pl.read_csv(shared_data / "adult" / "adult.csv.gz", infer_schema=False)
    train, test = (table.filter(split=side).drop("split")[:12_000] for side in ("train", "test"))
    released = train.sample(train.height, with_replacement=True, seed=1)
    begin = time.process_time()
    report = evaluate(train, released, holdout=test, target="income")
    assert time.process_time() - begin < 25
    assert report.scores["trtr_boosting"].value == pytest.approx(0.922, abs=0.012)
    assert report.scores["column_shapes"].ceiling == pytest.approx(0.992, abs=0.004)
    assert report.scores["exact_copies"].value > 0.95
    share = report.scores["dcr_share"].interval
    assert share is not None
    assert share[0] > 0.6
