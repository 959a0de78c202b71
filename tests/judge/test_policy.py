"""The policy gate: bounds are judged on the bad end of the interval, and a policy that cannot be read is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from masquerade.errors import FileError, SettingError
from masquerade.judge.policy import READY, Bound, Policy, with_policy
from masquerade.judge.reading import NAMES
from masquerade.judge.report import Report
from masquerade.judge.scores import Score
from masquerade.privacy.accounting import epsilon_of
from masquerade.privacy.events import gaussian
from masquerade.privacy.ledger import Ledger

REPORT = Report(
    scores={
        "tstr": Score("tstr", 0.90, "higher", interval=(0.87, 0.93)),
        "detection_auc": Score("detection_auc", 0.55, "half", interval=(0.53, 0.57)),
        "quality": Score("quality", 0.95, "higher"),
    },
    ledger=Ledger().to_dict(),
)


@pytest.mark.parametrize(
    ("name", "bound", "met"),
    [
        ("tstr", Bound(low=0.86), True),
        ("tstr", Bound(low=0.88), False),  # the value is above, the interval's low end below
        ("detection_auc", Bound(high=0.58), True),
        ("detection_auc", Bound(high=0.56), False),
        ("detection_auc", Bound(low=0.5, high=0.58), True),
        ("detection_auc", Bound(low=0.54, high=0.58), False),
        ("quality", Bound(low=0.95), True),
        ("linkability", Bound(high=1.0), False),  # what was not measured is not met
        ("epsilon", Bound(high=100.0), False),  # nothing is guaranteed
    ],
)
def test_the_bad_end_decides(name: str, bound: Bound, met: bool) -> None:
    judged = Policy("mine", {name: bound}).judged(REPORT)
    assert judged["met"] is met
    assert (judged["gates"][0]["failed"] is None) is met


def test_a_guarantee_is_read_from_the_ledger() -> None:
    spent = Report(scores={}, ledger=Ledger(guarantee="differential privacy", epsilon=2.0, delta=1e-6).to_dict())
    assert Policy("mine", {"epsilon": Bound(high=3)}).judged(spent)["met"]
    assert not Policy("mine", {"epsilon": Bound(high=1)}).judged(spent)["met"]


def test_what_is_claimed_without_a_guarantee_does_not_count() -> None:
    claimed = Report(scores={}, ledger={**Ledger().to_dict(), "epsilon": 1.0, "delta": 1e-9})
    for name in ("epsilon", "delta"):
        (gate,) = Policy("mine", {name: Bound(high=3)}).judged(claimed)["gates"]
        assert not gate["met"]
        assert gate["failed"] == f"{name}: the ledger guarantees none"
    (gate,) = Policy("mine", {"epsilon": Bound(high=3)}).judged(Report(scores={}))["gates"]
    assert not gate["met"], "no ledger is no guarantee"


def test_epsilon_is_judged_by_what_was_done() -> None:
    """A claim that its own events contradict is judged by the events."""
    pytest.importorskip("dp_accounting")
    done = (gaussian(1.0, stage="marginals", what="counts"),)
    honest = epsilon_of(done, 1e-6)
    assert honest > 4
    for claimed, met in ((honest, True), (1.0, False)):
        ledger = Ledger("differential privacy", claimed, 1e-6, events=done)
        (gate,) = Policy("mine", {"epsilon": Bound(high=5)}).judged(Report(scores={}, ledger=ledger.to_dict()))["gates"]
        assert gate["met"]
        (gate,) = Policy("mine", {"epsilon": Bound(high=3)}).judged(Report(scores={}, ledger=ledger.to_dict()))["gates"]
        assert not gate["met"]
        if not met:
            assert gate["value"] == 1.0
            assert gate["judged"] == pytest.approx(honest)
            assert "epsilon: 4." in gate["failed"]
    broken = Ledger("differential privacy", 1.0, 1e-6, events=({"kind": "magic"},))
    (gate,) = Policy("mine", {"epsilon": Bound(high=3)}).judged(Report(scores={}, ledger=broken.to_dict()))["gates"]
    assert "cannot be recomputed" in gate["failed"]


def test_every_failure_is_named() -> None:
    report = with_policy(REPORT, Policy("mine", {"tstr": Bound(low=0.95), "quality": Bound(high=0.5)}))
    words = [gate["failed"] for gate in report.policy["gates"]]
    assert words == [
        "tstr: 0.87 (0.9, and its interval reaches 0.87), expected at least 0.95",
        "quality: 0.95, expected at most 0.5",
    ]
    page = report.to_html()
    assert "not met" in page
    assert "2 of 2 bounds are not met" in page


def test_a_file_says_the_same(tmp_path: Path) -> None:
    path = tmp_path / "policy.toml"
    path.write_text("tstr = { min = 0.88 }\ndetection_auc = { min = 0.4, max = 0.6 }\nepsilon = { max = 3 }\n")
    policy = Policy.of(path)
    assert policy.bounds == {"tstr": Bound(low=0.88), "detection_auc": Bound(0.4, 0.6), "epsilon": Bound(high=3.0)}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("tst = { min = 0.88 }", "there is no score 'tst' (did you mean 'tstr'?)"),
        ("tstr = 0.88", "expected bounds"),
        ("tstr = { mim = 0.88 }", "got 'mim', expected min or max (did you mean 'min'?)"),
        ("tstr = { min = 'high' }", "expected a number"),
        ("tstr = { min = true }", "expected a number"),
        ("tstr = { min = 0.9, max = 0.1 }", "above max"),
        ("", "it has no bound"),
    ],
)
def test_a_policy_that_makes_no_sense_is_refused(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "policy.toml"
    path.write_text(text)
    with pytest.raises(SettingError, match=r"policy\.toml") as error:
        Policy.of(path)
    assert words in str(error.value)


def test_what_is_no_policy_at_all_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="did you mean 'strict'"):
        Policy.of("stict")
    with pytest.raises(FileError, match="cannot be read"):
        Policy.of(tmp_path / "none.toml")
    (tmp_path / "long.toml").write_text(f"tstr = {{ min = {'9' * 400} }}")
    with pytest.raises(FileError, match="at most 64"):
        Policy.of(tmp_path / "long.toml")


@pytest.mark.parametrize("name", READY)
def test_ready_made_policies_name_real_scores(name: str) -> None:
    assert set(Policy.of(name).bounds) <= {*NAMES, "epsilon", "delta"}
