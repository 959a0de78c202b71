"""The table for the terminal."""

from __future__ import annotations

import io

from rich.console import Console

from masquerade.judge.report import Report
from masquerade.judge.scores import Score
from masquerade.privacy.ledger import Ledger


def printed(report: Report, width: int = 130) -> str:
    console = Console(file=io.StringIO(), width=width, color_system=None)
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
    for word in ("0.990", "0.985 – 0.995", "0.970", "↑", "▲ close"):
        assert word in quality
    assert "▽ far" in next(line for line in lines if line.strip().startswith("tstr"))
    assert "▲ close: nearer to the real rows than unseen real rows are; the release has seen too much." in lines
    assert "▽ far: well short of what a real sample reaches." in lines
    share = next(line for line in lines if line.strip().startswith("dcr_share"))
    assert "½" in share
    assert "too much" not in share
    assert "Guaranteed: none." in text


def test_every_figure_is_whole_on_80_columns() -> None:
    scores = {
        name: Score(name, -0.123, "lower", (-0.234, -0.012), 0.345)
        for name in ("dcr_overfitting_protection", "missing_value_similarity", "utility_gap", "quality")
    }
    lines = printed(Report(scores=scores), 80).splitlines()
    assert max(map(len, lines)) <= 80
    for name in scores:
        line = next(line for line in lines if line.strip().startswith(name))
        for word in ("-0.123", "-0.234 – -0.012", "0.345", "↓"):
            assert word in line, line
    small = Score("exact_copies", -0.000486, "lower", (-0.001, -0.000167), 0.0)
    far = Score("detection_auc", 0.87, "half", (0.86, 0.88), 0.5)
    lines = printed(Report(scores={s.name: s for s in (small, far, *scores.values())}), 80).splitlines()
    line = next(line for line in lines if "exact_copies" in line)
    assert line.split() == ["exact_copies", "-0.0005", "-0.001", "–", "-0.0002", "0.000", "↓"]
    assert any(line.split()[:2] == ["dcr_overfitting_protection", "-0.123"] for line in lines)
    assert max(map(len, lines)) <= 80
    assert not any("…" in line for line in lines)


def test_the_legend_is_left_out_where_nothing_is_marked() -> None:
    text = printed(Report(scores={"quality": Score("quality", 0.97, "higher", (0.96, 0.98), 0.97)}))
    assert "▲" not in text
    assert "▽" not in text


def test_a_report_without_scores_still_prints() -> None:
    text = printed(Report(scores={}))
    assert "No fidelity score was computed" in text
    assert "nothing is known" in text


def test_names_are_not_read_as_markup() -> None:
    text = printed(Report(scores={"[bold]x": Score("[bold]x", float("nan"), "higher")}))
    assert "[bold]x" in text
    assert "–" in text
