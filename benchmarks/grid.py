"""A table of measured figures, for the terminal and as Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from rich import box
from rich.table import Table

__all__ = ["Grid"]


@dataclass
class Grid:
    """Rows of text under a title.

    Args:
        title: what it shows.
        heads: the columns' names; the first column is on the left, all others on the right.
        rows: as many cells as heads; a row of one cell is a heading.
    """

    title: str
    heads: Sequence[str]
    rows: list[Sequence[str]] = field(default_factory=list)

    def rich(self) -> Table:
        """For the terminal."""
        table = Table(title=self.title, title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
        for place, head in enumerate(self.heads):
            table.add_column(head, justify="right" if place else "left")
        for row in self.rows:
            if len(row) == 1:
                table.add_section()
                table.add_row(f"[bold]{row[0]}[/bold]")
            else:
                table.add_row(*row)
        return table

    def markdown(self) -> str:
        """As Markdown, with the title as a heading of the third rank."""
        lines = [f"### {self.title}", "", "| " + " | ".join(self.heads) + " |"]
        lines.append("|---" + "|---:" * (len(self.heads) - 1) + "|")
        for row in self.rows:
            cells = row if len(row) > 1 else (f"**{row[0]}**", *[""] * (len(self.heads) - 1))
            lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
        return "\n".join(lines) + "\n"
