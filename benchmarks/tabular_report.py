"""The tabular benchmark's figures as tables: one summary of ours beside TabularARGN, and every score of every model."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from grid import Grid
from tables import NUMERIC, SMALL
from tabular_scores import MAIN, Side, compare, interval, sides

__all__ = ["aims", "details", "summary"]

PEER = ("peer", "mostlyai")
FIRST = "autoregressive"
MARKS = {"better": " ▲", "worse": " ▼", "level": ""}
LEGEND = "▲ and ▼: significantly better and worse than mostlyai-engine on the same table."
SHOWN = ("column_shapes", "bivariate_accuracy", "detection_auc", "tstr_boosting", "dcr_share")
RUNS = (
    ("seconds to fit", "fit_seconds", 1),
    ("of these, to compile", "compile_seconds", 1),
    ("rows sampled a second", "sample_rows_per_second", 0),
    ("peak memory of fitting, MB", "fit_megabytes", 0),
    ("peak memory with sampling, MB", "peak_megabytes", 0),
)


def summary(results: Mapping[str, Any]) -> Grid:
    """A line a table: ours / TabularARGN (ceiling), by the benchmark's own judge; `Autoregressive` where it was run."""
    heads = ["table", "rows × columns", "fit, s", "faster", *SHOWN, "▲ ▼"]
    grid = Grid(f"Ours / mostlyai-engine (ceiling). {LEGEND}", heads)
    for name, shape in results["tables"].items():
        found = sides(results["cells"], name)
        ours = _ours(found)
        if not ours:
            continue
        peer, top = found.get(PEER), found.get(("ceiling", "ceiling"))
        verdicts = [compare(ours, peer, "independent", score) for score in MAIN] if peer else []
        grid.rows.append(
            [
                name,
                f"{shape['train']:,} × {shape['columns']}",
                f"{_number(ours.run('fit_seconds'), 1)} / {_seconds(peer)}",
                _times(ours, peer),
                *(_three(ours, peer, top, score) for score in SHOWN),
                f"{verdicts.count('better')} {verdicts.count('worse')}" if peer else "",
            ]
        )
    return grid


def aims(results: Mapping[str, Any]) -> Grid:
    """What was aimed at and missed, table by table; nothing is aimed at on a part of a table."""
    grid = Grid("Short of the aims, by the benchmark's own judge", ["table", "model", "short of"])
    for name, shape in results["tables"].items():
        found = sides(results["cells"], name)
        ours = _ours(found)
        if ours and not shape["part"]:
            missed = _short(name, ours, found.get(PEER), found.get(("ceiling", "ceiling")))
            grid.rows.append([name, ours.name, "; ".join(missed) or "nothing"])
    return grid


def details(results: Mapping[str, Any], table: str) -> Grid:
    """Every figure of every model on one table."""
    found = sides(results["cells"], table)
    top = found.pop(("ceiling", "ceiling"), None)
    shape = results["tables"][table]
    rounds = max((len(side.cells) for side in found.values()), default=0)
    title = f"{table}: {shape['train']:,} + {shape['holdout']:,} rows, {shape['columns']} columns, target `{shape['target']}`"
    title += f", means of {rounds} rounds" if rounds > 1 else ""
    models = [side for side in found.values() if side]
    grid = Grid(title, ["", "ceiling", *(side.name + " (stopped)" * side.stopped for side in models)])
    for said, figure, digits in RUNS:
        grid.rows.append([said, "", *(_number(side.run(figure), digits) for side in models)])
    peer = found.get(PEER)
    for judge, names in _judges(models).items():
        grid.rows.append(["Scores by the benchmark's own judge" if judge == "independent" else "Scores by `evaluate`"])
        for name in names:
            ceiling = top.score(judge, name) if top and judge == "independent" else _ceiling(models, name)
            cells = [_number(side.score(judge, name), 3) + _mark(side, peer, judge, name) for side in models]
            grid.rows.append([name, _number(ceiling, 3), *cells])
    grid.rows += [[f"{side.model} failed: {side.errors[0].splitlines()[-1]}"] for side in found.values() if side.errors]
    return grid


def _ours(found: Mapping[tuple[str, str], Side]) -> Side | None:
    ours = [side for (kind, _), side in found.items() if kind == "ours" and side]
    return next((side for side in ours if side.model == FIRST), ours[0] if ours else None)


def _judges(models: Sequence[Side]) -> dict[str, list[str]]:
    names = {
        name: None for side in models for cell in side.cells.values() for name in cell["scores"].get("evaluate", {})
    }
    return {"independent": list(MAIN), "evaluate": list(names)}


def _ceiling(models: Sequence[Side], name: str) -> float:
    """What `evaluate` says a real sample scores, beside the first model that has it."""
    for side in models:
        for cell in side.cells.values():
            value = cell["scores"].get("evaluate", {}).get(name, {}).get("ceiling")
            if value is not None:
                return float(value)
    return math.nan


def _mark(side: Side, peer: Side | None, judge: str, name: str) -> str:
    if side.kind != "ours" or not peer:
        return ""
    return MARKS[compare(side, peer, judge, name)]


def _three(ours: Side, peer: Side | None, top: Side | None, name: str) -> str:
    said = _number(ours.score("independent", name), 3) + _mark(ours, peer, "independent", name)
    said += f" / {_number(peer.score('independent', name), 3)}" if peer else ""
    return said + (f" ({_number(top.score('independent', name), 3)})" if top and name != "dcr_share" else "")


def _seconds(peer: Side | None) -> str:
    return _number(peer.run("fit_seconds"), 0) + " (stopped)" * peer.stopped if peer else "–"


def _times(ours: Side, peer: Side | None) -> str:
    return f"{peer.run('fit_seconds') / ours.run('fit_seconds'):.1f} ×" if peer else ""


def _number(value: float, digits: int) -> str:
    return "" if math.isnan(value) else f"{value:,.{digits}f}"


def _short(table: str, ours: Side, peer: Side | None, top: Side | None) -> list[str]:
    """The aims that were missed, in words."""
    missed = []

    def aim(name: str, value: float, *, least: float = -math.inf, most: float = math.inf, digits: int = 3) -> None:
        if value < least:
            missed.append(f"{name} {value:,.{digits}f} < {least:,.{digits}f}")
        elif value > most:
            missed.append(f"{name} {value:,.{digits}f} > {most:,.{digits}f}")

    def score(name: str) -> float:
        return ours.score("independent", name)

    if peer:
        times = peer.run("fit_seconds") / ours.run("fit_seconds")
        if table in ("adult", "bank", "diabetes"):
            aim("times faster", times, least=20 if table == "adult" else 10, digits=1)
        looked_at = ("detection_auc", "tstr_boosting") if table in SMALL else tuple(MAIN)
        if table in ("bank", "diabetes", *SMALL):
            missed += [f"{name} worse" for name in looked_at if compare(ours, peer, "independent", name) == "worse"]
        if table in ("bank", "diabetes"):
            better = [compare(ours, peer, "independent", name) for name in MAIN].count("better")
            aim("scores better", better, least=len(MAIN) // 2 + 1, digits=0)
    if table == "adult":
        aim("column_shapes", score("column_shapes"), least=0.992)
        aim("bivariate_accuracy", score("bivariate_accuracy"), least=0.981)
        aim("detection_auc", score("detection_auc"), most=0.525)
        aim("tstr_boosting", score("tstr_boosting"), least=0.922)
        aim("exact_copies", interval(ours, "independent", "exact_copies")[0], most=0.0, digits=4)
        aim("rows a second", ours.run("sample_rows_per_second"), least=500_000, digits=0)
    if table in NUMERIC:
        aim("detection_auc", score("detection_auc"), most=0.60)
        if top:
            aim("tstr_boosting", score("tstr_boosting"), least=top.score("independent", "tstr_boosting") - 0.03)
    if table in SMALL:
        aim("seconds", ours.run("fit_seconds"), most=10.0, digits=1)
    aim("dcr_share from", interval(ours, "independent", "dcr_share")[0], most=0.5)
    return missed
