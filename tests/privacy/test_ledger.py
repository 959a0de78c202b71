"""The ledger says in plain words what was guaranteed, and survives its file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from masquerade.errors import FileError
from masquerade.privacy.ledger import Ledger, ledger_path


@pytest.mark.parametrize(
    ("ledger", "words"),
    [
        (Ledger(), "reveals about a row."),
        (Ledger(protections={"protect": 0}), "reveals about a row."),
        (Ledger(protections={"protect": 1}), "reveals about a row."),
        (Ledger(protections={"protect": 10}), "is shown only if at least 10 rows share it."),
        (Ledger(unit="AccountNo", protections={"protect": 5}), "only if at least 5 different AccountNo share it."),
        (Ledger(unit="AccountNo"), "reveals about the rows of one AccountNo."),
    ],
)
def test_without_a_guarantee_the_sentence_says_none(ledger: Ledger, words: str) -> None:
    sentence = ledger.sentence()
    assert sentence.startswith("Guaranteed: none. ")
    assert sentence.endswith(words)
    assert "anonym" not in sentence


def test_a_guarantee_is_said_with_its_numbers() -> None:
    ledger = Ledger("differential privacy", 1.0, 1e-5, relation="add or remove one row")
    assert ledger.sentence() == (
        "Guaranteed: differential privacy with ε = 1, δ = 1e-05 per row (add or remove one row)."
    )


def test_a_ledger_reads_back_and_newer_keys_are_left_aside(tmp_path: Path) -> None:
    ledger = Ledger(unit="account", mechanism="CTGAN", events=({"fit": 1},), protections={"protect": 10})
    path = ledger_path(tmp_path / "out.csv")
    path.write_text(json.dumps(ledger.to_dict() | {"later": True}))
    assert path.name == "out.csv.ledger.json"
    assert Ledger.read(path) == ledger


@pytest.mark.parametrize("content", ["", "[]", "{}", "{", '"none"'])
def test_what_is_no_ledger_is_refused(content: str, tmp_path: Path) -> None:
    path = tmp_path / "l.json"
    path.write_text(content)
    with pytest.raises(FileError, match=r"l\.json"):
        Ledger.read(path)
