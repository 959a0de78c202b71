"""What attacks on the people behind a release found: who was in it, who is alone, what is inferred of them; in plain words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from masquerade.judge.figures_text import figure_text

__all__ = ["alone_and_inferred", "dotted", "shown"]

_NAMES = {
    "domias": "density of the release over that of the population (DOMIAS)",
    "gen_lra": "influence on the likelihood of the release (Gen-LRA)",
    "classifier": "classifier, released from other real rows",
    "nearest_distance": "distance to the nearest released row",
    "nearest_pixels": "distance to the nearest released picture, by pixels",
    "nearest_features": "the same, as a net sees them that released pictures trained",
    "sureness": "how surely that net knows the picture's class",
}
_COUNTS = {2: "two", 3: "three", 4: "four"}
_WORST = "worst of them, chosen on other people"


def shown(found: Mapping[str, Any]) -> dict[str, Any]:
    """The membership attack as an article of the page: sentences, a table, and the id of its picture."""
    header = ["attacker", "AUC", "95 % interval", "named at 1 % wrong", "named at 10 % wrong"]
    rows = []
    for name, line in _lines(found):
        low, high = line["interval"]
        shares = [f"{line[key]:.1%}" for key in ("tpr_at_1pct_fpr", "tpr_at_10pct_fpr")]
        rows.append([name, figure_text(line["auc"]), f"{figure_text(low)} – {figure_text(high)}", *shares])
    allowed = found.get("guaranteed")
    if allowed:
        shares = [f"{allowed[key]:.1%}" for key in ("tpr_at_1pct_fpr", "tpr_at_10pct_fpr")]
        rows.append([_allows(allowed), figure_text(allowed["auc"]), "", *shares])
    return {
        "id": "membership",
        "title": "Which pictures trained" if found.get("things") == "pictures" else "Who was in the table",
        "lines": _sentences(found),
        "chart": "membership-chart",
        "chart_title": "How well attackers tell rows that trained from others; the dotted line is guessing at random",
        "header": header,
        "rows": rows,
        "numbers": [False] + [True] * (len(header) - 1),
    }


def dotted(found: Mapping[str, Any]) -> dict[str, Any]:
    """Everything that `masquerade.judge.panel_plots.dots` draws of the membership attack."""
    lines = _lines(found)
    rows = [
        {"name": name, "value": line["auc"], "interval": line["interval"], "released": name == lines[0][0]}
        for name, line in lines
    ]
    allowed = found.get("guaranteed")
    if allowed:
        rows.append({"name": _allows(allowed), "value": allowed["auc"], "interval": None, "released": False})
    return {"rows": rows, "axis": "AUC of the attacker", "chance": 0.5, "low": 0.45}


def alone_and_inferred(found: Mapping[str, Any]) -> list[str]:
    """Sentences about singling out and inference."""
    lines = []
    alone, told = found.get("singling_out"), found.get("inference")
    if alone:
        low, high = alone["interval"]
        lines.append(
            f"A description that fits one released row alone fits exactly one of {alone['people']:,} people who trained in "
            f"{alone['attack']:.1%} of {alone['descriptions']:,} cases, and one of as many others in {alone['control']:.1%}: "
            f"{alone['value']:.1%} of what was left to find is due to the release ({low:.1%} to {high:.1%})."
        )
    if told:
        low, high = told["interval"]
        worst = told["columns"][told["worst"]]
        lines.append(
            f"Who knows all columns of a person but one takes it from the nearest released row. “{told['worst']}” is told "
            f"best: rightly for {worst['attack']:.1%} of {told['people']:,} people who trained, and for {worst['control']:.1%} "
            f"of people who did not. For the worst of {len(told['columns'])} columns, chosen on other people, "
            f"{told['value']:.1%} of what was left to find is due to the release ({low:.1%} to {high:.1%})."
        )
    return lines


def _lines(found: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    alone = [(words, found[name]) for name, words in _NAMES.items() if name in found]
    worst = {
        "auc": found["auc"],
        "interval": found["auc_interval"],
        **{key: found[key] for key in ("tpr_at_1pct_fpr", "tpr_at_10pct_fpr")},
    }
    return [(_WORST, worst), *alone] if len(alone) > 1 else [(alone[0][0], worst)]


def _allows(allowed: Mapping[str, Any]) -> str:
    return f"what ε = {allowed['epsilon']:g} allows at most"


def _sentences(found: Mapping[str, Any]) -> list[str]:
    low, high = found["auc_interval"]
    verdict = "better than at random" if low > 0.5 else "no better than at random"
    if low > 0.5:
        named = f" Wrong about 1 % of the others, it names {found['tpr_at_1pct_fpr']:.1%} of those who trained."
    else:
        named = ""
    pictures = found.get("things") == "pictures"
    attackers = sum(name in found for name in _NAMES)
    best = f"The best of {_COUNTS[attackers]} attackers" if attackers > 1 else "An attacker"
    whom = f"{found['people']:,} people whose rows trained from as many whose rows did not"
    if pictures:
        whom = f"{found['people']:,} pictures that trained from as many that did not"
    lines = [f"{best} tells {whom} with AUC {found['auc']:.3f} ({low:.3f} to {high:.3f}): {verdict}.{named}"]
    allowed = found.get("guaranteed")
    if allowed:
        beyond = low > allowed["auc"] or found["tpr_at_1pct_fpr_interval"][0] > allowed["tpr_at_1pct_fpr"]
        lines.append(
            f"The guarantee (ε = {allowed['epsilon']:g}, δ = {allowed['delta']:g}) allows AUC {allowed['auc']:.3f} and "
            f"{allowed['tpr_at_1pct_fpr']:.1%} at most, whoever attacks. "
            + ("This attack is beyond it: the claim does not hold." if beyond else "This attack stays below it.")
        )
    what, things, whole = ("pictures", "pictures", "set") if pictures else ("people", "rows", "people")
    need = "the picture itself" if pictures else "the whole row of the person"
    fair = (
        f" The best attacker for each half of the {what} is chosen on the other half, so that taking the best does not flatter "
        "it."
        if attackers > 1
        else ""
    )
    lines.append(
        f"An attacker would need {need}, the release, and {found['references']:,} other {things} of the same population.{fair} "
        f"{things.capitalize()} held back have to be a random part of the same {whole}: any other difference is told too."
    )
    return lines
