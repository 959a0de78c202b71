"""A sweep over ε: what it finds, what it costs, and files that are not one."""

from __future__ import annotations

import copy
import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import masquerade as mq
from masquerade.cli import run
from masquerade.errors import FileError, SettingError
from masquerade.files import write_schema
from masquerade.judge.report import Report
from masquerade.privacy.accounting import epsilon_of
from masquerade.privacy.claims import check_claim
from masquerade.studies.sweeping import Sweep, sweep
from masquerade.studies.sweeping_panels import panels, with_sweep

pytestmark = pytest.mark.filterwarnings("ignore")


def table() -> pl.DataFrame:
    rng = np.random.default_rng(0)
    sex = rng.choice(["f", "m"], 1_100)
    rich = np.where(rng.random(1_100) < np.where(sex == "m", 0.8, 0.2), "yes", "no")
    return pl.DataFrame({"age": rng.integers(18, 80, 1_100), "sex": sex, "rich": rich})


def schema() -> mq.Schema:
    return dataclasses.replace(mq.infer(table()), declared=True)


@pytest.fixture(scope="module")
def swept() -> tuple[Sweep, list[Any]]:
    seen: list[Any] = []
    return sweep(table(), schema(), target="rich", epsilons=(5.0, 0.1), callback=seen.append), seen


def test_each_epsilon_is_tried_and_judged(swept: tuple[Sweep, list[Any]]) -> None:
    found, seen = swept
    assert [point.epsilon for point in found.points] == [0.1, 5.0]
    for point in found.points:
        assert {"bivariate_accuracy", "tstr", "trtr", "membership_auc", "allowed_auc"} <= set(point.figures)
        assert epsilon_of(point.events, found.delta) <= point.epsilon * (1 + 1e-6)
    allowed = found.means("allowed_auc")
    assert 0.5 < allowed[0.1] < allowed[5.0] < 1
    assert [progress.done for progress in seen if progress.stage == "sweep"] == [0, 1, 2]
    assert found.rows == 880


def test_the_sweep_is_charged_for_all_its_releases(swept: tuple[Sweep, list[Any]]) -> None:
    found, _ = swept
    largest = max(epsilon_of(point.events, 2e-6) for point in found.points)
    assert largest < found.composed < 5.1
    claim = check_claim(found.ledger())
    assert claim is not None
    assert claim.holds
    assert f"{found.composed:.3g}" in found.sentence()


def test_it_comes_back_from_its_file(swept: tuple[Sweep, list[Any]], tmp_path: Path) -> None:
    found, _ = swept
    path = tmp_path / "sweep.json"
    path.write_text(json.dumps(found.to_dict()))
    assert Sweep.read(path) == found


@pytest.mark.parametrize(
    "change",
    [
        {"format": "x"}, {"version": 2}, {"model": None}, {"points": []}, {"points": [1]}, {"points": [{}]}, {"delta": -1},
        {"composed": "1"}, {"rows": True}, {"target": 3}, {"points": None},
    ],
)  # fmt: skip
def test_what_is_no_sweep_is_refused(swept: tuple[Sweep, list[Any]], tmp_path: Path, change: dict[str, Any]) -> None:
    path = tmp_path / "sweep.json"
    path.write_text(json.dumps(swept[0].to_dict() | change))
    with pytest.raises(FileError, match=r"sweep\.json: "):
        Sweep.read(path)
    data = copy.deepcopy(swept[0].to_dict())
    data["points"][0]["figures"]["tstr"] = float("nan")
    with pytest.raises(FileError, match="tstr"):
        Sweep.from_dict(data)


def test_it_is_drawn_on_the_report(swept: tuple[Sweep, list[Any]]) -> None:
    utility, attacks = panels(swept[0])
    assert utility.chart is not None
    assert utility.table is not None
    assert [row[0] for row in utility.table.rows] == ["0.1", "5"]
    assert "The sweep itself spent" in attacks.note
    page = with_sweep(Report(scores={}), swept[0]).to_html()
    assert "What if ε were another" in page
    assert 'data-figure="what-if-chart-1"' in page
    assert '"type":"log"' in page
    assert "What if ε were another" not in Report(scores={}).to_html()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"epsilons": ()}, "at least one"),
        ({"epsilons": (1, 1)}, "different"),
        ({"epsilons": (1, -1)}, "above 0"),
        ({"model": "marginal"}, r"did you mean 'marginals'"),
        ({"model": "copula"}, "keeps guarantees"),
        ({"repeats": 0}, "repeats"),
        ({"target": "ric"}, "did you mean 'rich'"),
    ],
)
def test_a_sweep_that_makes_no_sense_is_refused_first(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(SettingError, match=words):
        sweep(table(), schema(), **settings)


def test_from_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    table().write_csv("look.csv")
    write_schema(dataclasses.replace(schema(), declared=False), "schema.toml")
    text = "sweep look.csv --schema schema.toml --epsilons 2 -o s.json -o s.html --seed 0"
    command = text.split()
    assert run(command) == 2
    assert "declared = false" in capsys.readouterr().err
    assert run([*command[:2], *command[4:]]) == 2
    write_schema(schema(), "schema.toml")
    assert run(command) == 0
    said = capsys.readouterr().out
    assert "The sweep itself spent" in said
    assert "choosing ε" in Path("s.html").read_text()
    assert run(["verify", "s.json.ledger.json", "--quiet"]) == 0
    shown = ["evaluate", "look.csv", "look.csv", "--attacks", "none", "--sweep", "s.json", "-o"]
    assert run([*shown, "r.json"]) == 2
    assert "add -o report.html" in capsys.readouterr().err
    assert run([*shown, "r.html"]) == 0
    assert "What if ε were another" in Path("r.html").read_text()
