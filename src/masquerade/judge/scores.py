"""A score: its value, which way is better, and what a real sample of the same size would reach."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

__all__ = ["Score"]


@dataclass(frozen=True)
class Score:
    """One figure of the report (the keys of report.json are METRICS' standard names).

    Args:
        name: the standard name, such as `"column_shapes"`.
        value: the figure for the released table; NaN when it cannot be computed.
        better: `"higher"`, `"lower"`, or `"half"` (½ is ideal).
        interval: a 95 % interval of the value (bootstrap, or Wilson for proportions), or None for an exact figure.
        ceiling: the same figure for a real sample of the same size (the holdout), or None without one.
        meaning: one plain sentence.
    """

    name: str
    value: float
    better: Literal["higher", "lower", "half"]
    interval: tuple[float, float] | None = None
    ceiling: float | None = None
    meaning: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON; a figure that could not be computed becomes None."""

        def plain(x: float | None) -> float | None:
            return None if x is None or not math.isfinite(x) else float(x)

        return {
            "value": plain(self.value),
            "interval": None if self.interval is None else [plain(x) for x in self.interval],
            "ceiling": plain(self.ceiling),
            "better": self.better,
            "meaning": self.meaning,
        }
