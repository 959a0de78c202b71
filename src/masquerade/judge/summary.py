"""The scores as a table for the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from masquerade.judge.figures_text import figure_text
from masquerade.judge.reading import GROUPS, Verdict, fidelity_headline, grouped, privacy_headline, verdict
from masquerade.judge.words_of_report import ARROWS, guaranteed

__all__ = ["summary"]

_MARKS: dict[Verdict, tuple[str, str]] = {
    "too close": ("▲ close", "bold red"),
    "found": ("▲ found", "bold red"),
    "far": ("▽ far", "yellow"),
    "near": ("", "green"),
    "": ("", "default"),
}

_LEGEND: dict[Verdict, str] = {
    "too close": "▲ close: nearer to the real rows than unseen real rows are; the release has seen too much.",
    "found": "▲ found: the attack succeeds, beyond what chance or the control group explains.",
    "far": "▽ far: well short of what a real sample reaches.",
}


def summary(report: Mapping[str, Any]) -> RenderableType:
    """The headline figures, what is guaranteed, and every score beside its ceiling; made for 80 columns and more.

    Args:
        report: as from `Report.to_dict`.
    """
    scores = report["scores"]
    lines: list[RenderableType] = []
    for headline in (fidelity_headline(scores), privacy_headline(scores)):
        line = Text.assemble((f"{headline.title}  ", "bold"), (headline.figure, "bold cyan"), "  ", headline.sentence)
        lines.append(line)
    lines.append(Text(guaranteed(report.get("ledger") or {})[0], style="dim"))
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    table.add_column("", overflow="ellipsis", no_wrap=True, min_width=28)
    for title in ("value", "95 % interval", "ceiling"):
        table.add_column(title, justify="right", no_wrap=True)
    for title in ("best", ""):
        table.add_column(title, no_wrap=True)
    found: set[Verdict] = set()
    for part, members in grouped(scores).items():
        table.add_row()
        table.add_row(Text(GROUPS[part], style="bold"))
        for name, score in members.items():
            table.add_row(*_cells(name, score))
            found.add(verdict(name, score))
    legend = [Text(words, style=_MARKS[mark][1]) for mark, words in _LEGEND.items() if mark in found]
    return Group(*lines, table, *legend) if scores else Group(*lines)


def _cells(name: str, score: Mapping[str, Any]) -> list[RenderableType]:
    mark, style = _MARKS[verdict(name, score)]
    interval, ceiling = score.get("interval"), score.get("ceiling")
    band = f"{figure_text(interval[0])} – {figure_text(interval[1])}" if interval and None not in interval else ""
    return [
        Text(f"  {name}"),
        Text(figure_text(score.get("value")), style=style),
        Text(band, style="dim"),
        Text(figure_text(ceiling) if ceiling is not None else "", style="dim"),
        Text(ARROWS.get(str(score.get("better")), "")),
        Text(mark, style=style),
    ]
