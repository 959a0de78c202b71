"""A sweep as pictures: what analysts keep and what attackers gain, against ε."""

from __future__ import annotations

import dataclasses

from masquerade.judge.panels import Curve, Line, Panel, Rows
from masquerade.judge.report import Report
from masquerade.studies.sweeping import Sweep

__all__ = ["panels", "with_sweep"]

_AXIS = "ε of the guarantee: stricter to the left, looser to the right"


def panels(sweep: Sweep) -> list[Panel]:
    """Two panels: utility against the guarantee, and attacks against what the guarantee allows."""
    return [_utility(sweep), _attacks(sweep)]


def with_sweep(report: Report, sweep: Sweep) -> Report:
    """The same report with the sweep as the what-if chart of its privacy part."""
    return dataclasses.replace(report, facts={**report.facts, "what_if": [panel.to_dict() for panel in panels(sweep)]})


def _utility(sweep: Sweep) -> Panel:
    lines = [_line(sweep, "pairs of columns: bivariate_accuracy", "bivariate_accuracy")]
    lines.append(_line(sweep, "pairs of columns of a fresh real sample", "bivariate_ceiling"))
    if sweep.target is not None:
        lines.append(_line(sweep, f"prediction of {sweep.target}: tstr", "tstr"))
        lines.append(_line(sweep, f"prediction of {sweep.target} from real rows: trtr", "trtr"))
    header = ["ε", "single columns", "pairs of columns"] + (["tstr", "trtr"] if sweep.target is not None else [])
    figures = ["univariate_accuracy", "bivariate_accuracy"] + (["tstr", "trtr"] if sweep.target is not None else [])
    best = max((point.epsilon for point in sweep.points), default=0.0)
    kept = sweep.means("bivariate_accuracy")
    enough = [epsilon for epsilon in sorted(kept) if best in kept and kept[epsilon] >= kept[best] - 0.01]
    advice = (
        f" From ε = {enough[0]:g} on, pairs of columns are within 0.01 of what ε = {best:g} gives."
        if enough and enough[0] < best
        else ""
    )
    return Panel(
        "What another ε would give analysts",
        f"Each point is {_each(sweep)} by {sweep.model}, judged on rows that no training has seen. Where a line is flat, a "
        f"stricter guarantee costs analysts nothing.{advice}",
        Curve(_AXIS, "score, 1 is best", tuple(line for line in lines if line.x), logarithmic=True),
        Rows(tuple(header), _rows(sweep, figures)),
    )


def _attacks(sweep: Sweep) -> Panel:
    lines = [
        _line(sweep, "what ε allows the best attacker: AUC", "allowed_auc"),
        _line(sweep, "upper end of the 95 % interval", "membership_auc_high"),
        _line(sweep, "what attackers reached: membership_auc", "membership_auc"),
    ]
    header = ("ε", "AUC reached", "95 % interval", "AUC allowed", "named at most, 1 % wrong")
    rows = []
    for epsilon in sorted({point.epsilon for point in sweep.points}):
        found = {name: sweep.means(name).get(epsilon) for name in _NEEDED}
        low, high = _said(found["membership_auc_low"]), _said(found["membership_auc_high"])
        allowed = [_said(found["allowed_auc"]), _share(found["allowed_tpr_at_1pct_fpr"])]
        rows.append((f"{epsilon:g}", _said(found["membership_auc"]), f"{low} – {high}", *allowed))
    return Panel(
        "What another ε would leave attackers",
        "How well somebody tells who was in the table. The guarantee bounds every attacker, also those that nobody has thought "
        f"of yet; the tests only show these. AUC ½ is guessing. {sweep.sentence()}",
        Curve(_AXIS, "AUC of the attacker", tuple(line for line in lines if line.x), logarithmic=True),
        Rows(header, tuple(rows)),
    )


_NEEDED = (
    "membership_auc", "membership_auc_low", "membership_auc_high", "allowed_auc", "allowed_tpr_at_1pct_fpr",
)  # fmt: skip


def _each(sweep: Sweep) -> str:
    repeats = max(1, len(sweep.points) // max(1, len({point.epsilon for point in sweep.points})))
    return "one private release" if repeats == 1 else f"the mean of {repeats} private releases"


def _line(sweep: Sweep, name: str, figure: str) -> Line:
    found = sorted(sweep.means(figure).items())
    return Line(
        name,
        tuple(epsilon for epsilon, _ in found),
        tuple(value for _, value in found),
        tuple(f"ε = {epsilon:g}" for epsilon, _ in found),
    )


def _rows(sweep: Sweep, figures: list[str]) -> tuple[tuple[str, ...], ...]:
    """By ε, each figure: its mean, and where it was repeated its range."""
    rows = []
    for epsilon in sorted({point.epsilon for point in sweep.points}):
        cells = []
        for figure in figures:
            values = [p.figures[figure] for p in sweep.points if p.epsilon == epsilon and figure in p.figures]
            mean = _said(sum(values) / len(values)) if values else "–"
            spread = f" ({_said(min(values))} – {_said(max(values))})" if len(values) > 1 else ""
            cells.append(mean + spread)
        rows.append((f"{epsilon:g}", *cells))
    return tuple(rows)


def _said(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.1%}"
