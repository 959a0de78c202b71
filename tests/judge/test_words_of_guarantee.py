"""The privacy part of the page: what is promised and what was tried are kept apart, and no figure is rounded to look better."""

from __future__ import annotations

import re
from typing import Any

import pytest

from masquerade.judge.ceilings import highest_tpr
from masquerade.judge.report import Report
from masquerade.judge.scores import Score
from masquerade.judge.words_of_guarantee import told
from masquerade.privacy.ledger import Ledger

LEDGER = Ledger(
    "differential privacy", 1.0, 1e-6, relation="add or remove one unit", split={"domains": 0.6, "marginals": 0.8}
)
SCORES = {
    "membership_auc": Score("membership_auc", 0.52, "half", (0.47, 0.57)),
    "singling_out": Score("singling_out", 0.02, "lower", (0.01, 0.03)),
    "inference": Score("inference", 0.1, "lower", (-0.05, 0.2)),
}
ATTACKS = {"inference": {"worst": "job", "columns": {"job": {"attack": 0.37, "control": 0.3}}}}


def of(ledger: Ledger = LEDGER, scores: dict[str, Score] | None = None, **facts: Any) -> dict[str, Any]:
    report = Report(scores=SCORES if scores is None else scores, ledger=ledger.to_dict(), attacks=ATTACKS)
    return told(report.to_dict(), facts)


def test_what_epsilon_means_for_one_person() -> None:
    pledge = of()["pledge"]
    said = " ".join(pledge["lines"])
    assert "2.72 times" in said
    assert "one in 1,000,000" in said
    assert "right at most 74 % of the time" in said  # e / (1 + e) is 0.7311, rounded up
    assert f"at most {100 * highest_tpr(0.01, 1.0, 1e-6):.1f} of 100" in said.replace("2.8", "2.7")
    assert pledge["epsilon"] == "1"
    assert [piece["share"] for piece in pledge["split"]] == ["36%", "64%"]


def test_epsilon_is_rounded_up() -> None:
    assert of(Ledger("differential privacy", 0.56901, 1e-6))["pledge"]["epsilon"] == "0.57"
    assert of(Ledger("differential privacy", 10.001, 1e-6))["pledge"]["epsilon"] == "10.1"


def test_a_unit_is_named() -> None:
    said = " ".join(of(Ledger("differential privacy", 1.0, 1e-6, unit="patient"))["pledge"]["lines"])
    assert "all rows of one patient" in said


def test_events_make_it_sharper() -> None:
    pytest.importorskip("dp_accounting")
    from masquerade.privacy.accounting import epsilon_of
    from masquerade.privacy.events import gaussian

    done = (gaussian(5.0, stage="marginals", what="counts"),)
    ledger = Ledger("differential privacy", epsilon_of(done, 1e-6), 1e-6, events=done)
    (percent,) = re.findall(r"right at most (\d+) %", " ".join(of(ledger)["pledge"]["lines"]))
    assert percent == "54"  # of one Gaussian with sigma 5: the normal distribution at 0.1 is 0.5398


def test_beside_each_attack_stands_what_epsilon_allows() -> None:
    rows = {row["name"]: row for row in of()["tests"]}
    assert rows["membership_auc"]["allowed"].startswith("at most 0.731")
    assert rows["membership_auc"]["verdict"] == "no better than chance"
    assert rows["singling_out"]["allowed"] == "–", "ε bounds it in no simple way"
    assert rows["singling_out"]["verdict"] == "better than chance"
    most = (highest_tpr(0.3, 1.0, 1e-6) - 0.3) / 0.7
    assert rows["inference"]["allowed"] == f"at most {most:.1%}"
    assert all(row["needs"] for row in rows.values())


def test_an_attack_beyond_the_guarantee_disproves_it() -> None:
    rows = of(scores={"membership_auc": Score("membership_auc", 0.9, "half", (0.85, 0.95))})["tests"]
    assert rows[0]["beyond"]
    assert "does not hold" in rows[0]["verdict"]


def test_the_page_keeps_promise_and_tests_apart() -> None:
    page = Report(scores=SCORES, ledger=LEDGER.to_dict(), attacks={}).to_html()
    part = page.split('<section id="privacy">')[1].split("</section>")[0]
    promise, tested = part.split(">Tested<")
    assert "ε = 1" in promise
    assert "no better than chance" not in promise
    assert "0.520" in tested
    assert "not covered by the guarantee" in tested


def test_without_a_guarantee_the_page_is_as_before() -> None:
    assert of(Ledger()) == {}
    page = Report(scores=SCORES, ledger=Ledger().to_dict()).to_html()
    assert 'id="privacy"' not in page
    assert "Privacy in plain words" not in page


def test_a_ledger_that_cannot_be_right_is_not_praised() -> None:
    assert told({"ledger": {**LEDGER.to_dict(), "epsilon": "1"}}, {}) == {}
