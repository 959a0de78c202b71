"""The words and tables of the page: numbers as people read them, nothing about looks."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from masquerade.judge import words_of_attacks
from masquerade.judge.figures_text import figure_text
from masquerade.judge.reading import GROUPS, fidelity_headline, grouped, privacy_headline, verdict
from masquerade.judge.wording import spoken
from masquerade.privacy.ledger import Ledger

__all__ = ["ARROWS", "guaranteed", "tables"]

ARROWS = {"higher": "↑", "lower": "↓", "half": "½"}
_WORST_PAIRS = 10


def tables(
    report: Mapping[str, Any], facts: Mapping[str, Any], charts: Mapping[str, Mapping[str, str]]
) -> dict[str, Any]:
    """Everything that the page says in words and numbers.

    Args:
        report: as from `Report.to_dict`.
        facts: as from `masquerade.judge.describe.facts`.
        charts: ids of the charts of each column.
    """
    scores = report.get("scores") or {}
    columns = _columns(report.get("columns") or {}, facts, charts)
    things = facts.get("things", "rows")
    parts = [
        {
            "title": GROUPS[part],
            "note": _note(part, things),
            "rows": [_row(name, score) for name, score in members.items()],
        }
        for part, members in grouped(scores).items()
    ]
    pairs = _pairs(report.get("pairs") or {})
    return {
        "lede": _lede(report.get("rows") or {}, facts),
        "headlines": [fidelity_headline(scores), privacy_headline(scores)],
        "guaranteed": guaranteed(report.get("ledger") or {}),
        "tested": _tested(report, scores, things, facts.get("tried") or []),
        "things": things,
        "parts": parts,
        "models": _models(scores),
        "rules": _rules(facts.get("rules") or []),
        "policy": _policy(report.get("policy") or {}),
        "attacks": words_of_attacks.attacks(report.get("attacks") or {}, panels=bool(facts.get("panels"))),
        "panels": words_of_attacks.panels(facts.get("panels") or []),
        "ledger": _listed(report.get("ledger") or {}),
        "columns": columns,
        "folded": sum(column["folded"] for column in columns),
        "scored": any(column["score"] is not None for column in columns),
        "fewest": facts.get("protect", 10),
        "unit_name": f"values of {facts['unit']}" if facts.get("unit") else "rows",
        "pairs": pairs,
        "distance_note": _distance_note(facts.get("association") or {}),
        "matrix_width": len((facts.get("association") or {}).get("columns", ())),
        "links": facts.get("dependencies") or {},
        "relations": bool(pairs or any(facts.get(part) for part in ("association", "cloud", "dependencies", "logs"))),
        "seconds": figure_text(report.get("seconds"), 1) if report.get("seconds") else "",
    }


_ATTACKS = {
    "membership": "telling who was in the table",
    "isolation": "telling whether those who stand out the most were in it",
    "singling_out": "describing somebody so that nobody else fits",
    "inference": "inferring a value from the others",
    "attribute": "guessing a secret",
    "hidden": "guessing a secret",
    "linkability": "linking two halves of a record",
    "linkage_top1": "finding whose record it is",
    "codes": "rebuilding and re-linking codes",
    "forest": "what a model makes of the codes",
}

_NOTES = {
    "fidelity": "How much the released {set} looks like the real one.",
    "utility": "What a model loses that is trained on released {things}.",
    "privacy": "What was tried against the people in the real {set}, and what it gained. Tests, not guarantees.",
}


def _note(part: str, things: str) -> str:
    """What a part of the scores says, of a table or of pictures."""
    return _NOTES.get(part, "").format(things=things, set="table" if things == "rows" else f"set of {things}")


def guaranteed(ledger: Mapping[str, Any]) -> list[str]:
    """What is promised, in plain sentences; the first says whether anything is."""
    if not ledger:
        return ["Guaranteed: nothing is known. No ledger came with the release, so there is no promise to rely on."]
    return [Ledger.from_dict(ledger).sentence()]


def _lede(rows: Mapping[str, Any], facts: Mapping[str, Any]) -> str:
    kept = rows.get("holdout")
    things = facts.get("things", "rows")
    counts = [f"{rows.get(side) or 0:,} {side} {things}" for side in ("real", "released")]
    text = f"{counts[1].capitalize()} judged beside {counts[0]}"
    text += f" and {kept:,} real {things} that were held back." if kept else f"; no {things} were held back."
    if facts.get("target"):
        text += f" Target: {facts['target']}."
    return text


def _succeeds(name: str, score: Mapping[str, Any]) -> bool:
    """Whether an attack tells more than chance or its control group; of membership ½ is both."""
    found = verdict(name, score)
    return found == "found" or (found == "too close" and name.startswith("membership_"))


def _tested(report: Mapping[str, Any], scores: Mapping[str, Any], things: str, tried: Sequence[str]) -> list[str]:
    lines = list(tried)
    if report.get("attacks"):
        names = [_ATTACKS.get(name, str(name)) for name in report["attacks"]]
        lines.append(f"Attacks that were run: {', '.join(dict.fromkeys(names))}.")
        told = [name for name in scores if _succeeds(name, scores[name])]
        if told:
            lines.append(f"{', '.join(told)}: the attack succeeds, beyond what chance or the control group explains.")
    elif not tried:
        lines.append("No attack was run.")
    near = (
        "exact_copies",
        "memorisation",
        "dcr_share",
        "nndr",
        "dcr_baseline_protection",
        "dcr_overfitting_protection",
    )
    shown = [name for name in near if (scores.get(name) or {}).get("value") is not None]
    if shown:
        lines.append(f"Nearness to the real {things} was measured: {', '.join(shown)}.")
        worse = [name for name in shown if verdict(name, scores[name]) == "too close"]
        lines.append(
            f"Beyond what chance explains: {', '.join(worse)}."
            if worse
            else "None of these figures lies beyond what chance explains."
        )
    elif not report.get("attacks") and not tried:
        lines.append("Nothing about privacy was measured.")
    return lines


def _row(name: str, score: Mapping[str, Any]) -> dict[str, Any]:
    value, ceiling = score.get("value"), score.get("ceiling")
    given = score.get("interval")
    interval: list[float] | None = given if given and None not in given else None
    return {
        "name": name,
        "value": figure_text(value),
        "interval": "" if interval is None else f"{figure_text(interval[0])} – {figure_text(interval[1])}",
        "ceiling": figure_text(ceiling) if ceiling is not None else "",
        "arrow": ARROWS.get(str(score.get("better")), ""),
        "meaning": score.get("meaning") or "",
        "verdict": verdict(name, score),
        "bullet": _bullet(value, interval, ceiling),
    }


def _bullet(value: float | None, interval: list[float] | None, ceiling: float | None) -> dict[str, float | None] | None:
    """Where the dot, the band and the tick lie on a line from 0 to 1 that is 132 wide; None where the score leaves it."""
    if value is None or not 0 <= value <= 1:
        return None

    def place(x: float) -> float:
        return round(132 * min(max(x, 0.0), 1.0), 1)

    return {
        "dot": place(value),
        "low": None if interval is None else place(interval[0]),
        "span": None if interval is None else max(round(place(interval[1]) - place(interval[0]), 1), 1.0),
        "tick": None if ceiling is None else place(ceiling),
    }


def _models(scores: Mapping[str, Any]) -> list[dict[str, str]]:
    """tstr beside trtr, model by model."""
    rows = []
    names = sorted(name for name in scores if name == "tstr" or name.startswith("tstr_"))
    if len(names) < 2:  # it stands among the scores
        return []
    for name in names:
        other = scores.get("trtr" + name[4:])
        ours = scores[name].get("value")
        theirs = None if other is None else other.get("value")
        lost = None if ours is None or theirs is None else theirs - ours
        rows.append(
            {
                "name": "mean of the panel" if name == "tstr" else name[5:].replace("_", " "),
                "tstr": figure_text(ours),
                "trtr": figure_text(theirs),
                "lost": figure_text(lost),
            }
        )
    return rows[1:] + rows[:1]


def _rules(shares: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """The share of rows that meet each rule, the one broken most first."""

    def said(share: float | None) -> str:
        text = "–" if share is None else f"{share:.2%}"
        return "over 99.99%" if text == "100.00%" and share != 1 else text

    ordered = sorted(shares, key=lambda found: float(found["released"]))
    return [
        {"rule": found["rule"], **{side: said(found[side]) for side in ("released", "holdout")}} for found in ordered
    ]


def _policy(policy: Mapping[str, Any]) -> dict[str, Any]:
    """The gates as rows of text, and in a sentence whether all are met; empty without a policy."""
    if not policy:
        return {}
    gates = policy.get("gates") or []
    failed = sum(not gate["met"] for gate in gates)
    said = f"All {len(gates)} bounds are met." if not failed else f"{failed} of {len(gates)} bounds are not met."
    rows = [
        {
            "score": gate["score"],
            "bound": " and ".join(
                f"{words} {gate[key]:g}"
                for key, words in (("min", "at least"), ("max", "at most"))
                if gate[key] is not None
            ),
            "value": figure_text(gate["value"]),
            "judged": figure_text(gate["judged"]),
            "met": gate["met"],
            "failed": gate["failed"] or "",
        }
        for gate in gates
    ]
    return {"name": policy.get("name", ""), "said": said, "met": not failed, "rows": rows}


def _listed(data: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Plain data as lines of a two-column table."""
    return [
        (
            key,
            value
            if isinstance(value, str)
            else "–"
            if value is None
            else json.dumps(value, indent=1, ensure_ascii=False),
        )
        for key, value in data.items()
        if value not in ({}, [], ())
    ]


def _pairs(pairs: Mapping[str, Mapping[str, Any]]) -> list[dict[str, str]]:
    flat = [
        (float(value), first, second)
        for first, others in pairs.items()
        for second, value in others.items()
        if isinstance(value, int | float)
    ]
    return [{"first": a, "second": b, "value": figure_text(value)} for value, a, b in sorted(flat)[:_WORST_PAIRS]]


def _distance_note(association: Mapping[str, Any]) -> str:
    apart = association.get("mean_difference") or {}
    if "released" not in apart:
        return ""
    text = f" On average the released table is {apart['released']:.3f} away"
    return text + (f"; a fresh real sample is {apart['holdout']:.3f}." if "holdout" in apart else ".")


def _columns(
    figures: Mapping[str, Any], facts: Mapping[str, Any], charts: Mapping[str, Mapping[str, str]]
) -> list[dict[str, Any]]:
    out = []
    for place, (name, column) in enumerate((facts.get("columns") or {}).items()):
        found = figures.get(name) or {}
        score = found.get("score", found.get("column_shapes"))
        length = column.get("of") == "length"
        remark = ", sensitive" if found.get("sensitive") else ""
        remark += ", target" if name == facts.get("target") else ""
        outside = (column.get("histogram") or {}).get("outside", 0)
        if outside >= 0.0005:
            remark += f" · {outside:.1%} of released values lie beyond the ends"
        out.append(
            {
                "id": f"column-{place}",
                "name": name,
                "kind": column["kind"],
                "remark": remark,
                "folded": column["folded"],
                "score": score,
                "said": "" if score is None else figure_text(score),
                "width": 0 if score is None else round(100 * min(max(score, 0.0), 1.0), 1),
                "title": "Length in characters"
                if length
                else "Share of rows"
                if column.get("bars")
                else "Distribution",
                "chart": charts.get(name, {}).get("chart"),
                "cumulative": charts.get(name, {}).get("cumulative"),
                "describe": _describe(column, facts),
            }
        )
    return out


def _describe(column: Mapping[str, Any], facts: Mapping[str, Any]) -> list[dict[str, Any]]:
    """`describe()` of both sides as rows of text."""
    kind = "integer" if column.get("of") == "length" else column["kind"]
    told = column.get("describe") or {}
    sides = ("real", "released")
    missing = column["missing"]
    edges = (column.get("histogram") or {}).get("edges")
    span = edges[-1] - edges[0] if edges else None
    rows: list[dict[str, Any]] = [{"name": "count", "word": False}, {"name": "missing", "word": False}]
    for side in sides:
        total, lacking = facts["rows"][side], missing[side]
        under = f"under {facts['protect']}"
        rows[0][side] = f"{total - lacking:,}" if lacking is not None else f"{total:,} less those"
        rows[1][side] = under if lacking is None else f"{lacking / total:.1%}" if total and lacking else "0"
    for key in next((told[side] for side in sides if told.get(side)), {}):
        row: dict[str, Any] = {"name": _SPOKEN.get(key, key), "word": key == "top"}
        for side in sides:
            value = (told.get(side) or {}).get(key)
            if key == "std" and kind == "datetime":
                row[side] = "–" if value is None else _lasting(value)
            else:
                row[side] = "–" if value is None else value if isinstance(value, str) else spoken(value, kind, span)
        rows.append(row)
    return rows


def _lasting(seconds: float) -> str:
    for unit, length in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= length:
            return f"{seconds / length:,.1f} {unit}"
    return f"{seconds:.3g} seconds"


_SPOKEN = {"min": "min*", "max": "max*", "top": "most frequent", "top rows": "its rows", "levels": "common levels"}
