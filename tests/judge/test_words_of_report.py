"""What the page says was tested."""

from __future__ import annotations

from masquerade.judge.words_of_report import _tested


def test_membership_above_one_half_is_said_to_succeed() -> None:
    def said(low: float) -> str:
        score = {"value": 0.56, "interval": [low, 0.6], "ceiling": 0.5, "better": "half"}
        return " ".join(_tested({"attacks": ["membership"]}, {"membership_auc": score}, "pictures", []))

    assert "membership_auc: the attack succeeds" in said(0.52)
    assert "succeeds" not in said(0.48)
