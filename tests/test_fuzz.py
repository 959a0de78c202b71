"""Damaged and forged files are refused in one clear line, or still work. The long run is `benchmarks/fuzz.py`."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import masquerade as mq
from masquerade import artifact
from masquerade.cli.boundary import run
from masquerade.errors import ArtifactError, FileError, SchemaError
from masquerade.files import read_schema
from masquerade.privacy.accounting import checked
from masquerade.privacy.ledger import Ledger

FOLDER = Path(__file__).resolve().parents[1] / "benchmarks"
QUICK = ("copula", "masker", "marginals")


@pytest.fixture(scope="module")
def fuzz() -> ModuleType:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(FOLDER))
        return importlib.import_module("fuzz")


@pytest.fixture(scope="module")
def made(fuzz: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return fuzz.models(tmp_path_factory.mktemp("models"), only=QUICK)  # type: ignore[no-any-return]


@pytest.mark.filterwarnings("ignore")
def test_damaged_files_are_refused_or_work(fuzz: ModuleType, made: list[Any], tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    subjects = [fuzz.timed(subject, work) for subject in [*made, *fuzz.texts()]]
    faults, outcomes = fuzz.fuzz(subjects, work, mutations=600, seed=5)
    assert faults == []
    assert total(outcomes, "refused") > 300, "damage is mostly noticed"
    assert total(outcomes, "worked") > 20, "and some changes are harmless, so mutants do get that far"


@pytest.mark.filterwarnings("ignore")
def test_damaged_pictures_are_refused_or_read_and_sealed_files_are_refused(fuzz: ModuleType, tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    subjects = [
        fuzz.timed(subject, work) for name in ("sets", "sealed", "age") for subject in fuzz.GROUPS[name](tmp_path)
    ]
    plain = [subject for subject in subjects if "password.mq" not in subject.name and "phrase" not in subject.name]
    faults, outcomes = fuzz.fuzz(plain, work, mutations=5 * len(plain), seed=6)
    assert faults == []
    assert total(outcomes, "refused") > 60
    assert total(outcomes, "worked") > 10


def total(outcomes: Mapping[tuple[str, str], int], wanted: str) -> int:
    return sum(count for (_, what), count in outcomes.items() if what == wanted)


def test_the_fuzz_finds_faults(fuzz: ModuleType, tmp_path: Path) -> None:
    """Files that are read carelessly are caught: a traceback, a file that appears, damage that goes unseen, a hang."""

    def careless(path: Path) -> None:
        first = path.read_bytes()[:1]
        if first == b"{":
            path.with_name("escaped").write_text("x")
        (path.with_name("escaped")).unlink(missing_ok=first != b"{")
        int(path.read_text(encoding="utf-8"))

    number = fuzz.Subject("n.txt", b"12345\n", careless, fuzz.damaged_text)
    faults, _ = fuzz.fuzz([number], tmp_path, mutations=40, seed=0)
    assert any(fault.what.startswith("ValueError") for fault in faults)

    blind = fuzz.Subject("m.mq", sealed(tmp_path), lambda path: None, fuzz.damaged_model)
    faults, _ = fuzz.fuzz([blind], tmp_path, mutations=20, seed=0)
    assert any("seal" in fault.what for fault in faults)

    messy = fuzz.Subject("n.txt", b"12345\n", lambda path: path.with_name("escaped").write_text("x"), fuzz.damaged_text)
    faults, _ = fuzz.fuzz([messy], tmp_path, mutations=1, seed=0)
    assert "appeared" in faults[0].what


def sealed(folder: Path) -> bytes:
    artifact.write(folder / "m.mq", "CTGAN", {"width": 2}, {"weights": np.ones(3)})
    return (folder / "m.mq").read_bytes()


@pytest.mark.filterwarnings("ignore")
def test_the_program_says_one_line_and_2(
    fuzz: ModuleType, made: list[Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mutations = importlib.import_module("mutations")
    import random

    copula = next(subject for subject in made if subject.name == "copula.mq")
    path, out = tmp_path / "model.mq", tmp_path / "out.csv"
    codes = []
    for number in range(25):
        path.write_bytes(mutations.mutant_of(copula.content, model=True, rng=random.Random(number)).content)
        codes.append(run(["sample", str(path), "-n", "5", "-o", str(out), "--quiet"]))
        said = [line for line in capsys.readouterr().err.splitlines() if line]
        if codes[-1] == 0:
            assert out.exists()
            out.unlink()
        else:
            assert codes[-1] == 2
            assert not out.exists()
            assert len(said) == 1
            assert said[0].startswith("error:")
            assert "a fault in Masquerade" not in said[0]
    assert codes.count(2) > 5


def test_what_a_forged_model_leads_to_is_the_files_fault(made: list[Any], tmp_path: Path) -> None:
    """Numbers that only fail when rows are drawn still end in one clear line; the same mistake of a fitted model does not."""
    copula = next(subject for subject in made if subject.name == "copula.mq")
    path = tmp_path / "copula.mq"
    path.write_bytes(copula.content)
    model = mq.load(path)
    model.codec_.codecs["age"].__dict__["knots"] = np.zeros((0, 2))
    with pytest.raises(ArtifactError, match=r"copula\.mq: does not work \(\w+: .*damaged or altered"):
        model.sample(5)
    model._file = None
    with pytest.raises(ValueError, match="empty") as raw:
        model.sample(5)
    assert not isinstance(raw.value, ArtifactError)


def test_endless_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "schema.toml"
    for text in ("x = " + "[" * 50_000, "a." * 50_000 + "b = 1", '"a" . ' * 50_000 + "b = 1"):
        path.write_text(text)
        with pytest.raises(SchemaError, match="nested too deeply"):
            read_schema(path)
    path.write_text("[columns.a]\nkind = 'categorical'\nlevels = ['" + "a.b." * 150 + "']\n")
    assert len(read_schema(path)["a"].levels or ()) == 1, "dots in a text are no nesting"


@pytest.mark.parametrize(
    "change",
    [
        {"epsilon": "1"}, {"epsilon": -1}, {"epsilon": None}, {"delta": 2}, {"events": [1]}, {"events": {}}, {"unit": 3},
        {"split": {"a": "b"}}, {"events": [{"sigma": 10**400}]}, {"dropped": "abc"}, {"aligned": "no"}, {"protections": []},
    ],
)  # fmt: skip
def test_a_ledger_of_wrong_kinds_is_refused(change: dict[str, Any], tmp_path: Path) -> None:
    import json

    good = Ledger("differential privacy", 1.0, 1e-6, relation="add or remove one unit").to_dict()
    assert Ledger.from_dict(good).epsilon == 1.0
    path = tmp_path / "out.csv.ledger.json"
    path.write_text(json.dumps(good | change))
    with pytest.raises(FileError, match=r"out\.csv\.ledger\.json: ledger: ") as caught:
        Ledger.read(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("change", [{"rate": "x"}, {"count": None}, {"sigma": 0}, {"sigma": "1"}, {"kind": []}])
def test_events_of_wrong_kinds_are_refused(change: dict[str, Any]) -> None:
    """A stray figure of another kind of event, too."""
    event = {"kind": "gaussian", "sigma": 2.0, "count": 1, "stage": "marginals", "what": "x"}
    assert len(checked([event])) == 1
    with pytest.raises(ArtifactError, match="ledger: "):
        checked([event | change])
