"""`masquerade evaluate` on kept records and on codes."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import masquerade as mq
from masquerade.cli import run
from masquerade.files import write_schema
from masquerade.privacy.accounting import epsilon_of
from masquerade.privacy.events import gaussian
from masquerade.privacy.ledger import Ledger


@pytest.fixture(autouse=True)
def tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with a table, rows held out, a release without one column, and codes."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    random = np.random.default_rng(0)
    age, sex = random.integers(18, 80, 500), random.choice(["f", "m"], 500)
    size = np.round(165 + 12.0 * (sex == "m") + random.normal(0, 6, 500), 1)
    rich = np.where(random.random(500) < 0.3 + 0.3 * (sex == "m"), "yes", "no")
    table = pl.DataFrame({"age": age, "sex": sex, "size": size, "rich": rich})
    table[:300].write_csv("real.csv")
    table[300:].write_csv("kept.csv")
    table[:300].drop("sex").write_csv("safer.csv")
    codes = {"code_0": size[:300] / 10 + age[:300], "code_1": age[:300] - size[:300], "rich": rich[:300]}
    pl.DataFrame(codes).write_csv("codes.csv")


def test_a_secret_is_attacked_with_and_without_what_was_kept(capsys: pytest.CaptureFixture[str]) -> None:
    command = "evaluate real.csv safer.csv --holdout kept.csv --sensitive sex --keep rich --aligned -o r.json -o r.html"
    assert run([*command.split(), "--seed", "0"]) == 0
    report = json.loads(Path("r.json").read_text())
    told = report["attacks"]["attribute"]["sex"]
    assert told["auc"] > 0.8
    assert told["kept"] == ["rich"]
    assert {"with_kept", "untouched", "drop_the_column", "floor"} <= set(told)
    assert report["columns"]["sex"]["dropped"]
    assert "Guessing “sex”" in Path("r.html").read_text()
    said = capsys.readouterr().out
    assert "attribute_auc" in said
    assert "▲ found: the attack succeeds" in said


def test_the_ledger_says_what_was_dropped_and_kept_in_order(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["evaluate", "real.csv", "safer.csv", "-o", "r.json"]) == 2
    assert "released: there is no column 'sex'" in capsys.readouterr().err
    Path("safer.csv.ledger.json").write_text(json.dumps({"guarantee": "none", "aligned": True, "dropped": ["sex"]}))
    assert run(["evaluate", "real.csv", "safer.csv", "-o", "r.json", "--seed", "0"]) == 0
    assert json.loads(Path("r.json").read_text())["attacks"]["linkage_top1"]["value"] > 0.9


def test_codes_are_judged(capsys: pytest.CaptureFixture[str]) -> None:
    command = "evaluate real.csv codes.csv --kind codes --sensitive sex -o r.json -o r.html"
    assert run([*command.split(), "--seed", "0"]) == 0
    report = json.loads(Path("r.json").read_text())
    assert set(report["scores"]) == {"reconstruction_r2", "linkage_top1", "attribute_auc"}
    assert "linkage_top1" in capsys.readouterr().out
    assert "What codes give away" in Path("r.html").read_text()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ("safer.csv --sensitive sex --keep rihc", "--keep: there is no column 'rihc' (did you mean 'rich'?)"),
        ("safer.csv --sensitive sex --keep sex", "keep: column 'sex' is also sensitive"),
        ("codes.csv --kind codes --holdout kept.csv", "holdout: codes are judged by cross-validation"),
        ("codes.csv --kind code", "did you mean 'codes'"),
        ("codes.csv --size 8x8", "--size: is for pictures"),
        ("kept.csv --aligned", "200 released and 300 real rows"),
        ("safer.csv --kind codes", "no code column"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_written(
    options: str, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["evaluate", "real.csv", *options.split(), "-o", "r.json"]) == 2
    assert says in " ".join(capsys.readouterr().err.split())
    assert not Path("r.json").exists()


def test_a_policy_that_is_not_met_ends_with_3_and_leaves_the_report(capsys: pytest.CaptureFixture[str]) -> None:
    Path("strict.toml").write_text("quality = { min = 0.9 }\nexact_copies = { max = 0.01 }\n")
    command = "evaluate real.csv real.csv --holdout kept.csv -o r.json --seed 0 --policy"
    assert run([*command.split(), "strict.toml"]) == 3
    said = capsys.readouterr().err
    assert "policy strict.toml: not met. exact_copies: 0.99" in said
    assert "expected at most 0.01" in said
    gates = json.loads(Path("r.json").read_text())["policy"]["gates"]
    assert [gate["met"] for gate in gates] == [True, False]
    Path("mild.toml").write_text("quality = { min = 0.5 }\n")
    assert run([*command.split(), "mild.toml"]) == 0
    assert "Policy mild.toml: met, 1 bounds." in capsys.readouterr().out


def test_thorough_attacks_refit_the_generator(capsys: pytest.CaptureFixture[str]) -> None:
    import masquerade as mq

    real = pl.read_csv("real.csv")
    model = mq.GaussianCopula(random_state=0).fit(real)
    model.save("model.mq")
    model.sample(300).write_csv("new.csv")
    thorough = ["evaluate", "real.csv", "new.csv", "--holdout", "kept.csv", "--attacks", "thorough", "--shadows", "8"]
    assert run([*thorough, "--using", "model.mq", "-o", "r.json", "-o", "r.html"]) == 0
    told = json.loads(Path("r.json").read_text())["attacks"]["isolation"]
    assert told["people"] == 20
    assert told["auc_interval"][0] <= 0.5
    assert "the most isolated people" in Path("r.html").read_text()
    capsys.readouterr()
    (private := Path("private.mq")).write_bytes(Path("model.mq").read_bytes()[:200])
    for arguments, words in (
        (thorough, "add --using MODEL.mq"),
        ([*thorough, "--using", "model.mq", "--model", "copula"], "not both"),
        ([*thorough, "--model", "copulla"], "did you mean"),
        ([*thorough, "--using", str(private)], "private.mq"),
        (["evaluate", "real.csv", "new.csv", "--model", "copula"], "--model: says how --attacks thorough refits"),
        ([*thorough[:-1], "9", "--model", "copula"], "shadows: got 9, expected an even number"),
    ):
        assert run(arguments) == 2
        assert words in " ".join(capsys.readouterr().err.split())


def test_the_gate_reads_epsilon_from_the_ledger_beside_the_release(capsys: pytest.CaptureFixture[str]) -> None:
    """Private enough: 0; too loose, or no guarantee at all: 3; a score that there is not: 2 before any work."""
    pytest.importorskip("dp_accounting")
    done = (gaussian(2.0, stage="marginals", what="counts"),)
    spent = epsilon_of(done, 1e-6)
    ledger = Ledger("differential privacy", spent, 1e-6, relation="add or remove one unit", events=done)
    command = "evaluate real.csv real.csv --attacks none -o r.json --policy p.toml"
    beside = Path("real.csv.ledger.json")
    for bound, known, code, says in (
        (3, ledger, 0, "Policy p.toml: met, 1 bounds."),
        (1, ledger, 3, f"epsilon: {spent:.4g}, expected at most 1"),
        (3, Ledger(), 3, "epsilon: the ledger guarantees none"),
        (3, None, 3, "epsilon: the ledger guarantees none"),
    ):
        Path("p.toml").write_text(f"epsilon = {{ max = {bound} }}\n")
        beside.unlink(missing_ok=True)
        if known is not None:
            beside.write_text(json.dumps(known.to_dict()))
        assert run(command.split()) == code
        said = capsys.readouterr()
        assert says in " ".join((said.out + said.err).split())
    Path("p.toml").write_text("epsilom = { max = 3 }\n")
    assert run(command.split()) == 2
    assert "did you mean 'epsilon'" in capsys.readouterr().err


def test_real_rows_beyond_the_declaration_are_judged_where_the_release_is_private(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A private fit takes them for the nearest declared value; without a guarantee they are a mistake in the schema."""
    schema = inspect_schema(maximum=60)
    ledger = Ledger("differential privacy", 1.0, 1e-6)
    command = ["evaluate", "real.csv", "real.csv", "--attacks", "none", "-o", "r.json", "--schema", schema]
    assert run(command) == 2
    assert "age" in capsys.readouterr().err
    Path("real.csv.ledger.json").write_text(json.dumps(ledger.to_dict()))
    assert run(command) == 0


def inspect_schema(maximum: int) -> str:
    found = mq.infer(pl.read_csv("real.csv"))
    write_schema(dataclasses.replace(found.replace("age", maximum=maximum), declared=True), "schema.toml")
    return "schema.toml"
