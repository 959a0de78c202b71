"""The study of an encoding: scores, attacks, the honest sentence, panels, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import masquerade as mq
from masquerade.errors import SettingError, TableError
from masquerade.progress import Progress
from masquerade.studies.encoding import Study, check_judgeable, encoding
from masquerade.studies.mitigations import POINTS


def people(rows: int = 900) -> pl.DataFrame:
    random = np.random.default_rng(0)
    age = random.integers(18, 80, rows)
    income = np.round(age * 100 + random.normal(0, 500, rows), 2)
    return pl.DataFrame(
        {
            "age": age,
            "sex": random.choice(["f", "m"], rows),
            "city": random.choice(["Aston", "Berg", "Calne"], rows),
            "income": income,
            "y": np.where(income + random.normal(0, 800, rows) > 5000, "buys", "no"),
        }
    )


@pytest.fixture(scope="module")
def study() -> tuple[Study, list[Progress]]:
    table = people()
    encoder = mq.Encoder(
        groups={"who": ["age", "sex"], "rest": ["city", "income"]}, target="y", epochs=8, random_state=0
    )
    codes = encoder.fit_transform(table)
    told: list[Progress] = []
    return encoding(table, encoder, codes, target="y", trees=20, folds=3, callback=told.append), told


def test_the_four_measures_stand_beside_the_raw_features(study: tuple[Study, list[Progress]]) -> None:
    scores = study[0].scores
    for measure in ("balanced_accuracy", "f1_weighted", "roc_auc", "average_precision"):
        assert scores[measure].ceiling == scores[f"{measure}_raw"].value
        assert scores[measure].value == scores[f"{measure}_groups"].value
        assert scores[f"{measure}_whole"].interval is not None
    assert scores["roc_auc"].value > 0.8


def test_the_attacks_and_the_honest_sentence_are_of_this_run(study: tuple[Study, list[Progress]]) -> None:
    found = study[0]
    rebuilt = found.attack.reconstruction_r2["100"][0]
    assert found.scores["reconstruction_r2"].value == rebuilt
    assert 0.3 < rebuilt <= 1
    assert f"{rebuilt:.0%} of the variance" in found.sentence
    assert "not anonymous" in found.sentence
    assert found.ledger.protections["pseudonymous"] == found.sentence


def test_the_panels(study: tuple[Study, list[Progress]]) -> None:
    panels = {panel.title: panel for panel in study[0].panels}
    assert next(iter(panels)) == "What the codes tell an attacker"
    drivers = panels["Which inputs drive each code"].to_dict()
    assert drivers["owner_only"]
    assert drivers["chart"]["rows"] == ("age", "income", "sex", "city")
    curve = panels["What makes the codes safer, and what it costs"].to_dict()
    assert [line["name"] for line in curve["chart"]["lines"]] == ["noise", "group_means", "width"]
    assert len(curve["table"]["rows"]) == POINTS
    for line in curve["chart"]["lines"][:2]:
        assert line["x"][0] > line["x"][-1] + 0.2, "more of a mitigation, less is rebuilt"
    colours = panels["Which features matter: groups"].to_dict()["chart"]["groups"]
    assert set(colours) == {"who", "rest"}
    open_panels = [panel for panel in study[0].panels if not panel.owner_only]
    assert len(open_panels) == len(study[0].panels) - 1


def test_progress_rises_to_the_end(study: tuple[Study, list[Progress]]) -> None:
    done = [progress.done for progress in study[1]]
    assert done == sorted(done)
    assert study[1][-1].done == study[1][-1].total
    assert study[1][-1].finished


def test_the_report_is_plain_data_and_a_page(study: tuple[Study, list[Progress]], tmp_path: Path) -> None:
    report = study[0].report()
    report.save(tmp_path / "r.json")
    data = json.loads((tmp_path / "r.json").read_text())
    assert set(data["attacks"]) == {"codes", "forest"}
    assert set(data["attacks"]["forest"]) == {"raw", "whole", "groups"}
    assert {"test", "train", "permutation_importance"} == set(data["attacks"]["forest"]["raw"])
    report.save(tmp_path / "r.html")
    assert (tmp_path / "r.html").read_text().startswith("<!DOCTYPE html>")


def test_secrets_are_attacked_without_a_target() -> None:
    table = people(400).drop("y")
    encoder = mq.Encoder(hide=["age"], epochs=3, random_state=0)
    found = encoding(table, encoder, encoder.fit_transform(table), sensitive=["income"], curve=False)
    assert found.forests == {}
    assert list(found.secrets) == ["age", "income"]
    assert found.secrets["income"][0].value > 0.9, "income itself is in the codes"
    coded, left_out = found.secrets["age"]
    assert left_out.value > 0.8, "income tells age"
    assert abs(found.secrets["income"][1].value) < 0.4, "the other columns do not tell it"
    assert found.scores["attribute_auc"].value == max(coded.value, found.secrets["income"][0].value)
    assert "What the codes tell of secrets" in [panel.title for panel in found.panels]


def test_an_encoded_target_is_refused() -> None:
    encoder = mq.Encoder(epochs=1, random_state=0)
    codes = encoder.fit_transform(people(200))
    with pytest.raises(SettingError, match="'y' was encoded itself"):
        encoding(people(200), encoder, codes, target="y")


@pytest.mark.parametrize(
    ("table", "target", "error", "message"),
    [
        (people(50), None, TableError, "50 rows are too few"),
        (people(200), "income", SettingError, "is continuous"),
        (people(200), "age", SettingError, "expected at most 50 classes"),
        (people(200).with_columns(y=pl.lit("a")), "y", TableError, "at least two classes"),
    ],
)
def test_what_cannot_be_judged_is_told_before_training(
    table: pl.DataFrame, target: str | None, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        check_judgeable(table, mq.infer(table), target)
