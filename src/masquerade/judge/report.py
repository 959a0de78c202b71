"""The report: every score, what was guaranteed, and the facts its pictures are drawn from, as one frozen value.

`report.json` is for programs, `report.html` for people; both come from the same data, and neither holds a row.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from masquerade.atomic import atomic_path
from masquerade.errors import FileError
from masquerade.judge.panels import Panel
from masquerade.judge.scores import Score

if TYPE_CHECKING:
    from rich.console import RenderableType

__all__ = ["Report"]


@dataclass(frozen=True)
class Report:
    """What a release is worth and what it risks.

    Args:
        scores: every figure by its standard name.
        columns: by column: `kind`; `score` and its `metric` (`KSComplement`, `TVComplement`), None for ids and free text;
            `range_coverage` or `category_coverage`; the shares `missing_real` (None where fewer than 10 rows, or units,
            lack a value) and `missing_released`; `sensitive`.
        pairs: `column_pair_trends` of every pair that was judged, such as `{"age": {"income": 0.93}}`; each pair is there
            once, under its first column.
        attacks: outcomes of the attacks that were run; empty when none was.
        ledger: what was guaranteed, as from `Ledger.to_dict`; empty when no ledger is known.
        policy: which gates were asked for and whether they were met; empty without a policy.
        rows: `{"real": ..., "released": ..., "holdout": ...}`; the holdout is None or 0 without one.
        seconds: how long the judgement took.
        facts: what the pictures are drawn from, as from `masquerade.judge.describe.facts`; not part of `report.json`.

    >>> report = Report(scores={"quality": Score("quality", 0.93, "higher")}, rows={"real": 100, "released": 100})
    >>> report.to_dict()["scores"]["quality"]["value"]
    0.93
    """

    scores: Mapping[str, Score]
    columns: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    pairs: Mapping[str, Mapping[str, float | None]] = field(default_factory=dict)
    attacks: Mapping[str, Any] = field(default_factory=dict)
    ledger: Mapping[str, Any] = field(default_factory=dict)
    policy: Mapping[str, Any] = field(default_factory=dict)
    rows: Mapping[str, int | None] = field(default_factory=dict)
    seconds: float = 0.0
    facts: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def with_panels(self, panels: Iterable[Panel]) -> Report:
        """The same report with further panels after those it has."""
        every = [*self.facts.get("panels", ()), *(panel.to_dict() for panel in panels)]
        return dataclasses.replace(self, facts={**self.facts, "panels": every})

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON, with the keys of `report.json`; what could not be computed is None."""
        return {
            "scores": {name: score.to_dict() for name, score in self.scores.items()},
            "columns": plain(self.columns),
            "pairs": plain(self.pairs),
            "attacks": plain(self.attacks),
            "ledger": plain(self.ledger),
            "policy": plain(self.policy),
            "rows": {side: plain(self.rows.get(side)) for side in ("real", "released", "holdout")},
            "seconds": plain(self.seconds),
        }

    def to_html(self) -> str:
        """The whole report as one page that needs nothing from outside."""
        from masquerade.judge.html import page  # loads Plotly and Jinja, which only pictures need

        return page(self.to_dict(), self.facts)

    def save(self, path: str | Path) -> Path:
        """Write the report; the ending chooses the format, and a failed write leaves no file behind.

        Args:
            path: a path that ends in `.json` or `.html`.

        Returns:
            The path that was written.

        Raises:
            FileError: for another ending, or where the file cannot be written.
        """
        path = Path(path)
        if path.suffix.lower() == ".json":
            text = json.dumps(self.to_dict(), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
        elif path.suffix.lower() == ".html":
            text = self.to_html()
        else:
            raise FileError(f"{path}: a report ends in {path.suffix or 'nothing'!r}, expected .html or .json.")
        with atomic_path(path) as temporary:
            Path(temporary).write_text(text, encoding="utf-8")
        return path

    def summary(self) -> RenderableType:
        """The scores as a table for the terminal: `rich.print(report.summary())`."""
        from masquerade.judge.summary import summary

        return summary(self.to_dict())

    def _repr_html_(self) -> str:
        from masquerade.judge.html import card

        return card(self.to_dict())


def plain(value: Any) -> Any:
    """The same data in JSON's own types: NumPy's numbers as Python's, tuples as lists, NaN and infinities as None.

    >>> plain({"a": (1, float("nan"))})
    {'a': [1, None]}
    """
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if hasattr(value, "tolist") and not isinstance(value, str):
        return plain(value.tolist())
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, Score):
        return value.to_dict()
    return value
