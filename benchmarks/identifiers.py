"""How well identifiers are found: recall and precision per kind, on the values of a made table in Chinese and English.

```
python benchmarks/identifiers.py [--rows 2000] [--seed 0]
```

A value counts as marked where its column is found to hold the kind and the value itself matches it; decoys that stand in such
columns, and all columns that identify nobody, count against the precision.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass, field

from rich.console import Console
from rich.table import Table

from identifiers_table import MadeColumn, made_columns
from masquerade.privacy.pii import cells_of, find_in

__all__ = ["Tally", "measure"]


@dataclass
class Tally:
    """Counts of one kind.

    Args:
        valid: values that are of the kind.
        marked: values that were marked as it.
        right: values that were both.
        columns: columns that hold it.
        found: columns that were found to hold it.
        wrong: columns that were found to hold it and do not.
    """

    valid: int = 0
    marked: int = 0
    right: int = 0
    columns: int = 0
    found: int = 0
    wrong: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)

    @property
    def recall(self) -> float:
        """Share of valid values that were marked."""
        return self.right / self.valid if self.valid else 1.0

    @property
    def precision(self) -> float:
        """Share of marked values that are valid."""
        return self.right / self.marked if self.marked else 1.0


def measure(columns: list[MadeColumn]) -> dict[str, Tally]:
    """The counts of every kind."""
    tallies: dict[str, Tally] = {}
    for column in columns:
        finding = find_in(column.values)
        if column.kind is not None:
            tally = tallies.setdefault(column.kind, Tally())
            tally.columns += 1
            tally.valid += int(column.valid.sum())
            if finding is None or finding.kind != column.kind:
                tally.missed.append(f"{column.values.name} ({None if finding is None else finding.kind})")
        if finding is None:
            continue
        marked = cells_of(column.values, finding)
        tally = tallies.setdefault(finding.kind, Tally())
        tally.marked += int(marked.sum())
        if finding.kind == column.kind:
            tally.found += 1
            tally.right += int((marked & column.valid).sum())
        else:
            tally.wrong.append(column.values.name)
    return tallies


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    columns = made_columns(chosen.rows, chosen.seed)
    began = time.perf_counter()
    tallies = measure(columns)
    seconds = time.perf_counter() - began
    table = Table(title=f"{len(columns)} columns of {chosen.rows:,} cells, {seconds:.1f} s")
    for heading in ("kind", "values", "recall", "precision", "columns", "found", "missed or wrong"):
        table.add_column(heading, justify="left" if heading in ("kind", "missed or wrong") else "right")
    for kind, tally in sorted(tallies.items()):
        figures = (
            f"{tally.valid:,}",
            f"{tally.recall:.4f}",
            f"{tally.precision:.4f}",
            str(tally.columns),
            str(tally.found),
        )
        table.add_row(kind, *figures, " ".join([*tally.missed, *tally.wrong]))
    Console(width=130).print(table)


if __name__ == "__main__":
    main()
