"""`masquerade synthesize --epsilon`: what it writes and says, and what a guarantee does not go with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import masquerade as mq
from masquerade.cli import run
from masquerade.cli.models import private_models
from masquerade.errors import MasqueradeError
from masquerade.files import read_schema, write_schema

ROWS = 1_500


def make_table() -> pl.DataFrame:
    random = np.random.default_rng(0)
    age = random.integers(18, 80, ROWS)
    return pl.DataFrame(
        {
            "account": [f"acc-{i // 3:05d}" for i in range(ROWS)],
            "age": age,
            "job": random.choice(["admin.", "technician", "services"], ROWS, p=[0.5, 0.3, 0.2]),
            "amount": np.round(random.normal(1000, 200, ROWS) + 10 * age, 2),
            "y": np.where(random.random(ROWS) < 0.3, "yes", "no"),
        }
    ).with_columns(amount=pl.when(pl.int_range(ROWS) % 5 > 0).then("amount"))


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, beside one table and the schema that a person has vouched for."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("COLUMNS", "80")
    make_table().write_csv(tmp_path / "bank.csv")
    assert run(["inspect", "../bank.csv", "-o", "../inferred.toml", "--quiet"]) == 0
    text = Path("../inferred.toml").read_text(encoding="utf-8")
    Path("../bank.toml").write_text(text.replace("declared = false", "declared = true"), encoding="utf-8")
    return folder


PRIVATE = ["synthesize", "../bank.csv", "-o", "out.csv", "--schema", "../bank.toml", "--epsilon", "2"]


def test_rows_ledger_and_a_model_that_rows_can_be_drawn_from_with_a_seed(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*PRIVATE, "--save", "m.mq"]) == 0
    assert sorted(path.name for path in here.iterdir()) == ["m.mq", "out.csv", "out.csv.ledger.json"]
    out, real = pl.read_csv("out.csv"), make_table()
    assert out.columns == real.columns
    assert 0.9 * ROWS < out.height < 1.1 * ROWS
    assert out["account"].to_list() == list(range(1, out.height + 1))
    assert set(out["job"]) == set(real["job"])
    ledger = json.loads(Path("out.csv.ledger.json").read_text())
    assert ledger["guarantee"] == "differential privacy"
    assert ledger["mechanism"] == "Marginals"
    assert 0 < ledger["epsilon"] <= 2
    assert {"domains", "marginals"} <= ledger["split"].keys()
    shown = capsys.readouterr()
    assert "Guaranteed: differential privacy with ε = " in shown.out
    assert "Not covered: the schema" in shown.out
    assert str(ROWS) not in shown.out + shown.err
    assert "warning" not in shown.err
    for name in ("a.csv", "b.csv"):
        assert run(["sample", "m.mq", "-n", "40", "-o", name, "--seed", "3"]) == 0
    assert Path("a.csv").read_text() == Path("b.csv").read_text()


def test_units_and_a_report_that_is_not_covered(capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--unit", "account", "--rows-per-unit", "3", "--report", "r.json", "--target", "y", "--rows", "400"]
    assert run([*PRIVATE, *options]) == 0
    shown = capsys.readouterr()
    assert "per account" in shown.out
    assert "Held out 10% of the accounts for the report." in shown.out
    assert "no guarantee covers it" in shown.err
    assert pl.read_csv("out.csv").height == 400
    ledger = json.loads(Path("out.csv.ledger.json").read_text())
    assert ledger["unit"] == "account"
    assert ledger["protections"] == {"rows_per_unit": 3}
    assert {event["sensitivity"] for event in ledger["events"] if event["kind"] == "discrete_gaussian"} == {3}
    assert json.loads(Path("r.json").read_text())["ledger"]["guarantee"] == "differential privacy"


def test_what_is_not_declared_is_found_with_noise() -> None:
    schema = read_schema("../bank.toml").replace("age", minimum=None, maximum=None).replace("job", levels=None)
    write_schema(schema, "../open.toml")
    assert run([*PRIVATE[:5], "../open.toml", "--epsilon", "8", "--quiet"]) == 0
    what = [event["what"] for event in json.loads(Path("out.csv.ledger.json").read_text())["events"]]
    assert "bounds of numbers" in what
    assert "levels of job" in what
    assert pl.read_csv("out.csv")["age"].is_between(10, 99).all()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--epsilon", "0"], "epsilon: got 0.0, expected a finite number above 0"),
        (["--epsilon", "-1"], "epsilon: got -1.0"),
        (["--epsilon", "nan"], "epsilon: got nan"),
        (["--epsilon", "21"], "--i-know"),
        (["--delta", "1"], "delta: got 1.0, expected a number above 0 and below 1"),
        (["--delta", "0.5"], "delta: got 0.5, expected at most 1 / "),
        (["--rows-per-unit", "0", "--unit", "account"], "rows_per_unit: got 0"),
        (["--rows-per-unit", "2"], "rows_per_unit: got 2 without a unit"),
        (["--unit", "acount"], "(did you mean 'account'?)"),
        (["--seed", "0"], "--seed: a published seed would undo the noise"),
        (["--protect", "5"], "--protect: is a measure without a guarantee"),
        (["--balance", "y"], "--balance: writes the real rows"),
        (["--stream"], "--stream: a private fit reads the whole table"),
        (["--model", "tvae"], "with --epsilon take "),
        (["--schema", "../inferred.toml"], "set declared = true"),
        (["--given", "job=Ruritania"], "no level 'Ruritania'"),
        (["--target", "y"], "add --report"),
    ],
)
def test_what_does_not_go_with_a_guarantee_is_refused(
    options: list[str], words: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    refused([*PRIVATE, "--save", "m.mq", *options], words, here, capsys)


@pytest.mark.parametrize("options", [["--delta", "1e-6"], ["--i-know"], ["--rows-per-unit", "2"]])
def test_parts_of_a_guarantee_need_an_epsilon(
    options: list[str], here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    refused(
        ["synthesize", "../bank.csv", "-o", "out.csv", *options], f"{options[0]}: is part of a guarantee", here, capsys
    )


def test_without_a_schema_the_two_commands_that_lead_there_are_named(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = refused(
        ["synthesize", "../bank.csv", "-o", "out.csv", "--epsilon", "1"], "--schema: --epsilon needs", here, capsys
    )
    assert "masquerade inspect ../bank.csv -o schema.toml" in line
    assert "masquerade synthesize ../bank.csv -o out.csv --schema schema.toml --epsilon 1" in line


def test_a_missing_unit_and_other_columns_are_refused(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    holes = make_table().with_columns(account=pl.when(pl.col("age") > 70).then(None).otherwise("account"))
    holes.write_csv("../holes.csv")
    make_table().drop("job").write_csv("../less.csv")
    refused(
        ["synthesize", "../holes.csv", *PRIVATE[2:], "--unit", "account"],
        "column 'account': it says whose",
        here,
        capsys,
    )
    refused(
        ["synthesize", "../less.csv", *PRIVATE[2:]], "column 'job' is in the schema but not in the table", here, capsys
    )


def test_each_model_that_can_keep_a_guarantee_is_named_where_another_is_asked_for(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "marginals" in private_models()
    line = refused([*PRIVATE, "--model", "copula"], "--model copula: cannot keep a guarantee", here, capsys)
    assert all(name in line for name in private_models())


@pytest.mark.parametrize(
    ("settings", "schema", "words"),
    [
        ({"epsilon": 0}, True, "epsilon: got 0"),
        ({"epsilon": 1, "delta": 1}, True, "delta: got 1"),
        ({"epsilon": 1}, False, "schema: got no schema"),
        ({"epsilon": 1, "seed": 3}, True, "random_state: got 3"),
    ],
)
def test_python_refuses_the_same(settings: dict[str, Any], schema: bool, words: str) -> None:
    def fit() -> None:
        seed = settings.pop("seed", None)
        model = mq.Marginals(privacy=mq.Privacy(**settings), random_state=seed)
        model.fit("../bank.csv", schema=read_schema("../bank.toml") if schema else None)

    with pytest.raises(MasqueradeError, match=words):
        fit()


def test_inspect_says_where_values_may_be_missing_and_how_to_go_on() -> None:
    make_table().write_parquet("../bank.parquet")
    assert run(["inspect", "../bank.parquet", "-o", "s.toml", "--quiet"]) == 0
    schema = read_schema("s.toml")
    assert [column.name for column in schema if column.nullable] == ["amount"]
    assert read_schema("../bank.toml")["amount"].missing == ""
    text = Path("s.toml").read_text(encoding="utf-8")
    assert "For a private release" in text
    assert "masquerade synthesize DATA -o OUT --schema THIS-FILE --epsilon 1" in text


def refused(arguments: list[str], words: str, here: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """The program says one line with these words, exits with 2, and leaves no file; returns the line."""
    capsys.readouterr()
    assert run(arguments) == 2
    said = [line for line in capsys.readouterr().err.splitlines() if not line.startswith(("encode:", "warning:"))]
    assert len(said) == 1, said
    assert said[0].startswith("error: ")
    assert words in said[0]
    assert list(here.iterdir()) == []
    return said[0]
