"""What was measured, as rows of one table: for the terminal, and as Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from rich import box
from rich.table import Table

__all__ = ["GIVEN", "Row", "markdown", "reached", "rich_table", "rows"]

GIVEN = {
    "seconds": 2592.0,
    "column_shapes": 0.878,
    "univariate_accuracy": 0.838,
    "bivariate_accuracy": 0.729,
    "detection_auc": 0.996,
    "tstr_boosting": 0.883,
}
"""The peer after its 300 epochs on Adult, on two busy cores: given by an earlier measurement, not measured here."""

Run = Mapping[str, Any]
END = {
    "column_shapes": "≥ 0.93",
    "bivariate_accuracy": "≥ 0.87",
    "detection_auc": "≤ 0.93",
    "tstr_boosting": "≥ 0.895",
    "dcr_share": "reaches ½",
}


@dataclass(frozen=True)
class Row:
    """One line: a measure, both sides, their ratio where it means something, and what is aimed at."""

    measure: str
    peer: str = ""
    ours: str = ""
    ratio: str = ""
    target: str = ""
    is_head: bool = False


def reached(scores: Run) -> bool:
    """Whether scores are at least as good as the given ones, every one of them."""
    return all(
        scores[name] <= value if name == "detection_auc" else scores[name] >= value
        for name, value in GIVEN.items()
        if name != "seconds"
    )


def rows(results: Mapping[str, Any]) -> list[Row]:
    """The table's lines; targets are shown for the table they were set for."""
    aim = results["data"]["name"] == "adult"
    peers, ours = results["peer"], results["ours"]
    epochs = results["epochs"]
    found = [Row(f"{epochs} epochs at equal settings; medians", is_head=True)]
    found += [
        _speed("seconds to encode (least of 2 in each run)", peers, ours, "encode_seconds", "≥ 15 ×" * aim),
        Row("seconds to find kinds and spelling", "none", f"{_mid(ours, 'understand_seconds'):.2f}"),
        Row("seconds to compile, once", "none", f"{_mid(ours, 'compile_seconds'):.1f}"),
        _speed("seconds an epoch, compiling apart", peers, ours, "epoch_seconds", "≥ 3.5 ×" * aim),
        _speed("seconds of the whole fit", peers, ours, "fit_seconds", ""),
        _memory("peak memory of fitting, MB", peers, ours, "fit_megabytes", "no higher" * aim),
        _memory("peak memory with sampling, MB", peers, ours, "peak_megabytes", "no higher" * aim),
        _sampling(peers, ours, aim),
    ]
    found.append(Row(f"Scores after these {epochs} epochs (evaluate · independent)", is_head=True))
    found += _scores(results["peer_scores"], results["our_scores"], {})
    if "end" in results:
        end, whole = results["end"], results.get("peer_full")
        said = f"{whole['epochs']} epochs" if whole else "300 epochs, given"
        found.append(Row(f"Defaults to the end (ctgan: {said})", is_head=True))
        peer_scores = results["peer_full_scores"] if whole else {"independent": GIVEN} if aim else {}
        peer_seconds = f"{whole['fit_seconds']:,.0f}" if whole else f"{GIVEN['seconds']:,.0f}" if aim else ""
        found.append(
            Row(f"seconds of the whole fit ({end['epochs']} epochs)", peer_seconds, f"{end['fit_seconds']:,.0f}")
        )
        found += _scores(peer_scores, results["end_scores"], END if aim else {})
    if results.get("ladder"):
        found.append(Row("To reach ctgan's 300-epoch scores, whole fits", is_head=True))
        found += [_rung(step) for step in results["ladder"]]
    return found


def _mid(runs: Sequence[Run], key: str) -> float:
    """The median over runs; an epoch's is taken without the first epoch of a run, where there are others."""
    values = [run[key][1:] or run[key] if isinstance(run[key], list) else [run[key]] for run in runs]
    return median(value for part in values for value in part)


def _speed(measure: str, peers: Sequence[Run], ours: Sequence[Run], key: str, target: str) -> Row:
    theirs, mine = _mid(peers, key), _mid(ours, key)
    pairs = [_mid([a], key) / _mid([b], key) for a, b in zip(peers, ours, strict=True)]
    spread = f" ({min(pairs):.1f} to {max(pairs):.1f})" if len(pairs) > 1 else ""
    return Row(measure, f"{theirs:.2f}", f"{mine:.2f}", f"{theirs / mine:.1f} ×{spread}", target)


def _memory(measure: str, peers: Sequence[Run], ours: Sequence[Run], key: str, target: str) -> Row:
    theirs, mine = _mid(peers, key), _mid(ours, key)
    return Row(measure, f"{theirs:,.0f}", f"{mine:,.0f}", f"{mine / theirs:.2f} of it", target)


def _sampling(peers: Sequence[Run], ours: Sequence[Run], aim: bool) -> Row:
    theirs, mine = (_mid(runs, "sample_rows_per_second") for runs in (peers, ours))
    target = "≥ 200,000" if aim else ""
    return Row(
        "rows sampled a second, after the first call",
        f"{theirs:,.0f}",
        f"{mine:,.0f}",
        f"{mine / theirs:.1f} ×",
        target,
    )


def _scores(peer: Mapping[str, Run], ours: Mapping[str, Run], targets: Mapping[str, str]) -> list[Row]:
    names = (
        "column_shapes",
        "univariate_accuracy",
        "bivariate_accuracy",
        "detection_auc",
        "tstr_boosting",
    )
    found = [Row(name, _cell(peer, name), _cell(ours, name), target=targets.get(name, "")) for name in names]
    for judge in ("evaluate", "independent"):
        cells = [_interval(side.get(judge, {})) for side in (peer, ours)]
        found.append(Row(f"dcr_share, 95 % interval, {judge}", *cells, target=targets.get("dcr_share", "")))
    return found


def _cell(sides: Mapping[str, Run], name: str) -> str:
    return " · ".join(
        f"{sides[judge][name]:.3f}" for judge in ("evaluate", "independent") if name in sides.get(judge, {})
    )


def _interval(scores: Run) -> str:
    if "dcr_share_interval" not in scores:
        return ""
    low, high = scores["dcr_share_interval"]
    return f"{scores['dcr_share']:.3f} [{low:.3f}, {high:.3f}]"


def _rung(step: Run) -> Row:
    word = "reached" if reached(step["scores"]) else "not yet"
    seconds = f"{step['fit_seconds']:,.0f} s: {word}"
    ratio = f"{GIVEN['seconds'] / step['fit_seconds']:.1f} ×" if word == "reached" else ""
    return Row(f"{step['epochs']} epochs", f"{GIVEN['seconds']:,.0f} s (given)", seconds, ratio, "≤ 259 s")


def rich_table(found: Sequence[Row], title: str, peer: str, ours: str) -> Table:
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("", min_width=50)
    for name in (peer, ours, "ratio"):
        table.add_column(name, justify="right")
    table.add_column("aim")
    for row in found:
        if row.is_head:
            table.add_section()
            table.add_row(f"[bold]{row.measure}[/bold]")
        else:
            table.add_row("  " + row.measure, row.peer, row.ours, row.ratio, row.target)
    return table


def markdown(found: Sequence[Row], peer: str, ours: str) -> str:
    lines = [f"| | {peer} | {ours} | ratio | aim |", "|---|---:|---:|---:|---|"]
    for row in found:
        cells = (f"**{row.measure}**" if row.is_head else row.measure, row.peer, row.ours, row.ratio, row.target)
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"
