"""What the attacks found, in plain sentences, tables and the rows of a picture."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from masquerade.judge import words_of_isolation, words_of_people
from masquerade.judge.figures_text import figure_text

__all__ = ["attacks", "dotted", "panels"]

_TOLD = ("membership", "isolation", "singling_out", "inference", "attribute", "linkability", "linkage_top1")
_IN_PANELS = ("codes", "forest", "hidden")
_NUMBER = re.compile(r"^[-–−+<>≤≥~]?\s?[\d.,]+(\s?%)?( ?[(–-].*)?$|^[–-]?$")


def attacks(found: Mapping[str, Any], *, panels: bool) -> dict[str, Any]:
    """The attacks as the page shows them; empty where none was run.

    Args:
        found: `attacks` of a report.
        panels: whether the release's own panels tell what its study attacked.
    """
    aside = (*_TOLD, *(_IN_PANELS if panels else ()))
    others = [
        (name, value if isinstance(value, str) else json.dumps(value, indent=1, ensure_ascii=False))
        for name, value in found.items()
        if name not in aside and value not in (None, {}, [], ())
    ]
    secrets = [_secret(place, name, told) for place, (name, told) in enumerate((found.get("attribute") or {}).items())]
    if found.get("isolation"):
        secrets.insert(0, words_of_isolation.shown(found["isolation"]))
    if found.get("membership"):
        secrets.insert(0, words_of_people.shown(found["membership"]))
    links = _links(found) + words_of_people.alone_and_inferred(found)
    shown = {"secrets": secrets, "links": links, "others": others}
    return shown if any(shown.values()) else {}


def dotted(told: Mapping[str, Any]) -> dict[str, Any]:
    """Everything that `masquerade.judge.panel_plots.dots` draws of one secret."""
    key = _key(told)
    rows = [
        {"name": name, "value": line[key], "interval": line.get("interval"), "released": released}
        for name, line, released in _lines(told)
    ]
    axis = "AUC of the attacker" if key == "auc" else "correlation of guess and truth"
    return {"rows": rows, "axis": axis, "chance": 0.5 if key == "auc" else 0.0, "low": 0.45 if key == "auc" else -0.1}


def panels(given: Sequence[Mapping[str, Any]], prefix: str = "panel") -> list[dict[str, Any]]:
    """Panels with the ids of their places and charts, and which columns of their tables hold numbers."""
    out = []
    for place, panel in enumerate(given):
        table, chart = panel.get("table"), panel.get("chart")
        if table:
            columns = list(zip(*table["rows"], strict=True)) or [()] * len(table["header"])
            numbers = [bool(i) and all(_NUMBER.match(cell) for cell in column) for i, column in enumerate(columns)]
            table = {"header": table["header"], "rows": table["rows"], "numbers": numbers}
        out.append(
            {
                "id": f"{prefix}-{place}",
                "title": panel["title"],
                "note": panel["note"],
                "owner_only": panel["owner_only"],
                "chart": f"{prefix}-chart-{place}" if chart else None,
                "chart_title": ""
                if not chart
                else chart.get("title") or f"{chart['y_title']} against {chart['x_title']}",
                "table": table,
                "strips": panel.get("strips") or (),
            }
        )
    return out


def _key(told: Mapping[str, Any]) -> str:
    every = (told, *(told[name] for name in _BESIDE if name in told))
    return "auc" if any("auc" in line for line in every) else "correlation"


_BESIDE = ("with_kept", "control", "drop_the_column", "untouched", "floor")


def _lines(told: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any], bool]]:
    """(who attacks from what, the finding, whether it is about the release)."""
    key = _key(told)
    kept = ", ".join(told.get("kept") or ())
    names = {
        "": "the release" if told["aligned"] else "the release, on people whose rows trained",
        "control": "the same, on people whose rows did not",
        "with_kept": f"the release with {kept}",
        "drop_the_column": "the real table, the column dropped",
        "untouched": f"the same without {kept}",
        "floor": f"{kept} alone",
    }
    if kept:
        names[""] = (
            f"the release without {kept}" if told["aligned"] else f"the release without {kept}, people who trained"
        )
    lines = []
    for part, name in names.items():
        line = told if not part else told.get(part)
        if line is None or key not in line or (part == "untouched" and not kept):
            continue
        lines.append((name, line, part in ("", "with_kept")))
    return lines


def _secret(place: int, name: str, told: Mapping[str, Any]) -> dict[str, Any]:
    key = _key(told)
    classes = key == "auc"
    header = ["attackers see", "AUC" if classes else "correlation", "95 % interval"]
    header += ["accuracy", "majority"] if classes else ["R²"]
    header += ["boosting", "network", "neighbours"]
    rows = []
    for words, line, _ in _lines(told):
        ends = line.get("interval")
        row = [words, figure_text(line[key]), "" if not ends else f"{figure_text(ends[0])} – {figure_text(ends[1])}"]
        row += [figure_text(line.get(part)) for part in (("accuracy", "majority") if classes else ("r2",))]
        rows.append([*row, *(figure_text((line.get("attackers") or {}).get(who)) for who in header[-3:])])
    return {
        "id": f"secret-{place}",
        "title": f"Guessing “{name}”",
        "lines": _sentences(name, told, key),
        "chart": f"secret-chart-{place}",
        "chart_title": "How well fresh attackers guess it, with 95 % intervals; the dotted line is guessing at random",
        "header": header,
        "rows": rows,
        "numbers": [False] + [True] * (len(header) - 1),
    }


def _sentences(name: str, told: Mapping[str, Any], key: str) -> list[str]:
    measure, chance = ("AUC", 0.5) if key == "auc" else ("a correlation", 0.0)
    lines = []
    if key in told:
        low = (told.get("interval") or [told[key]])[0]
        control = told.get("control") or {}
        beside = control.get(key, chance)
        value = f"{measure} {told[key]:.3f}" if key == "auc" else f"{measure} of {told[key]:.3f}"
        if told["aligned"]:
            lines.append(
                f"From the released records the best attacker guesses “{name}” with {value}: "
                + ("no better than at random." if low <= chance else "better than at random.")
            )
        else:
            lines.append(
                f"Who learns from the released rows guesses “{name}” of people whose rows trained with {value}"
                + (f", of others with {beside:.3f}." if control else ".")
                + (
                    " What it tells is true of the population, whoever was in the table."
                    if control and low <= beside
                    else ""
                )
            )
        if key == "auc" and "accuracy" in told:
            lines[0] += (
                f" It is right for {told['accuracy']:.1%} of them; always naming the most frequent class is right for "
                f"{told['majority']:.1%}."
            )
    kept = ", ".join(told.get("kept") or ())
    if kept and key in (told.get("with_kept") or {}):
        floor = (told.get("floor") or {}).get(key)
        lines.append(
            f"With what was kept on purpose ({kept}) it is {told['with_kept'][key]:.3f}"
            + (
                f"; {kept} alone gives {floor:.3f}, which no release that keeps it can go below."
                if floor is not None
                else "."
            )
        )
    if key in (told.get("drop_the_column") or {}):
        lines.append(
            f"Dropping the column from the real table and nothing else leaves {told['drop_the_column'][key]:.3f}."
        )
    if told["aligned"]:
        how = "They know the real secret of half of the people and guess that of the other half."
    else:
        how = "They learn from released rows alone."
    lines.append(
        f"Gradient boosting, a small neural network and nearest neighbours, trained afresh. {how} The best of the three is "
        "chosen on rows that are not counted here, so that taking the best does not flatter it."
    )
    return lines


def _links(found: Mapping[str, Any]) -> list[str]:
    lines = []
    top1, link = found.get("linkage_top1"), found.get("linkability")
    if top1:
        low, high = top1["interval"]
        lines.append(
            f"Of the released records {top1['value']:.1%} lie nearest to the very real record they were made from, among "
            f"{top1['candidates']:,} people ({low:.1%} to {high:.1%}); guessing finds {top1['chance']:.2%}."
        )
    if link:
        halves = " | ".join(", ".join(half) for half in link["halves"])
        low, high = link["interval"]
        lines.append(
            "One party knows half of the columns of some people, another the other half. Through the release they match "
            f"{link['attack']:.1%} of {link['people']:,} people rightly, and {link['control']:.1%} of people who are not in "
            f"it: {link['value']:.1%} of what was left to find is due to the release ({low:.1%} to {high:.1%}). The halves: "
            f"{halves}."
        )
    return lines
