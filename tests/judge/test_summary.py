"""The table for the terminal."""

from __future__ import annotations

import io

from rich.console import Console

from masquerade.judge.report import Report
from masquerade.judge.scores import Score
from masquerade.privacy.ledger import Ledger


def printed(report: Report) -> str:
    console = Console(file=io.StringIO(), width=130, color_system=None)
    console.print(report.summary())
    text = console.file
    assert isinstance(text, io.StringIO)
    return text.getvalue()


def test_groups_values_intervals_ceilings_and_marks() -> None:
    scores = [
        Score("quality", 0.99, "higher", (0.985, 0.995), 0.97),
        Score("tstr", 0.7, "higher", None, 0.9),
        Score("dcr_share", 0.5, "half", (0.48, 0.52), 0.5),
    ]
    text = printed(Report(scores={score.name: score for score in scores}, ledger=Ledger().to_dict()))
    lines = text.splitlines()
    order = [text.index(word) for word in ("Fidelity\n", "Utility", "Privacy, tested\n") if word in text]
    assert order == sorted(order)
    quality = next(line for line in lines if line.strip().startswith("quality"))
    for word in ("0.990", "0.985 – 0.995", "0.970", "↑", "has seen too much"):
        assert word in quality
    assert "far from a real sample" in next(line for line in lines if line.strip().startswith("tstr"))
    share = next(line for line in lines if line.strip().startswith("dcr_share"))
    assert "½" in share
    assert "too much" not in share
    assert "Guaranteed: none." in text


def test_a_report_without_scores_still_prints() -> None:
    text = printed(Report(scores={}))
    assert "No fidelity score was computed" in text
    assert "nothing is known" in text


def test_names_are_not_read_as_markup() -> None:
    text = printed(Report(scores={"[bold]x": Score("[bold]x", float("nan"), "higher")}))
    assert "[bold]x" in text
    assert "–" in text
