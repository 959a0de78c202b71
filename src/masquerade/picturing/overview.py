"""A picture set at a glance: number, size, mode, classes, further labels, duplicates, damage."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from masquerade.pictures import LABEL
from masquerade.picturing.facts import PictureFacts

__all__ = ["overview"]

_SHOWN_LEVELS = 8
_SHOWN_CLASSES = 40


def overview(facts: PictureFacts, *, protect: int) -> Group:
    """What there is to see, for a terminal.

    Args:
        facts: of the set.
        protect: a value of a further label is named only if so many pictures have it; classes are always named.
    """
    parts: list[Any] = [Text(f"{facts.count:,} pictures, {_size(facts)}, {_mode(facts)}", style="italic")]
    if LABEL in facts.labels:
        parts.append(_classes(facts.labels[LABEL]))
    further = {name: counts for name, counts in facts.labels.items() if name != LABEL}
    if further:
        parts.append(_further(further, protect))
    if facts.duplicates:
        other = f", {facts.contradictions:,} of them under another class" if facts.contradictions else ""
        parts.append(Text(f"Equal to an earlier picture: {facts.duplicates:,}{other}"))
    for name, reason in facts.first_bad[:1]:
        parts.append(Text(f"Cannot be read: {facts.bad:,}, first {name} ({reason})", style="bold red"))
    return Group(*parts)


def _size(facts: PictureFacts) -> str:
    words = [f"{height}x{width}" for height, width in facts.sizes]
    if len(words) == 1:
        return f"{words[0]} (height x width)"
    return f"of {len(words):,} sizes (height x width), mostly {words[0]}" if words else "none can be read"


def _mode(facts: PictureFacts) -> str:
    if len(facts.modes) == 1:
        return next(iter(facts.modes))
    return "mixed modes: " + ", ".join(f"{mode} ({count:,})" for mode, count in facts.modes.items())


def _table() -> Table:
    return Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))


def _classes(counts: Mapping[Any, int]) -> Table:
    table = _table()
    table.add_column("Class", overflow="fold")
    table.add_column("Pictures", justify="right", no_wrap=True)
    table.add_column("Share", justify="right", no_wrap=True)
    total = sum(counts.values())
    for level, count in list(counts.items())[:_SHOWN_CLASSES]:
        table.add_row(Text(str(level), style="bold"), f"{count:,}", f"{count / total:.1%}")
    if len(counts) > _SHOWN_CLASSES:
        rest = list(counts.values())[_SHOWN_CLASSES:]
        table.add_row(f"and {len(rest):,} more", f"{sum(rest):,}", f"{sum(rest) / total:.1%}")
    return table


def _further(labels: Mapping[str, Mapping[Any, int]], protect: int) -> Table:
    table = _table()
    table.add_column("Label", overflow="fold")
    table.add_column("Values", overflow="fold")
    for name, counts in labels.items():
        common = [(level, count) for level, count in counts.items() if count >= protect]
        words = [f"{level} ({count:,})" for level, count in common[:_SHOWN_LEVELS]]
        more = len(counts) - len(words)
        words += [f"{more:,} more"] if more else []
        table.add_row(Text(name, style="bold"), Text(f"{len(counts):,} values: {', '.join(words)}"))
    return table
