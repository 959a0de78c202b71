"""What the attack on the most isolated people found, in plain words, a table and the rows of a picture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from masquerade.judge.figures_text import figure_text

__all__ = ["dotted", "shown"]

_NAMES = {
    "nearest_distance": "distance to the nearest released row",
    "near_density": "distance to the 20 nearest released rows",
    "values": "how common the person's values are in the release",
}
_WORST = "worst of them, chosen on other people"


def shown(found: Mapping[str, Any]) -> dict[str, Any]:
    """The attack as an article of the page: sentences, a table, and the id of its picture."""
    header = ["attacker", "AUC", "95 % interval", "named at 10 % wrong"]
    rows = []
    for name, line in _lines(found):
        low, high = line["interval"]
        rows.append([name, figure_text(line["auc"]), f"{figure_text(low)} – {figure_text(high)}", f"{line['tpr']:.1%}"])
    allowed = found.get("guaranteed")
    if allowed:
        rows.append([_allows(allowed), figure_text(allowed["auc"]), "", f"{allowed['tpr_at_10pct_fpr']:.1%}"])
    return {
        "id": "isolation",
        "title": "Whether the most isolated people were in the table",
        "lines": sentences(found),
        "chart": "isolation-chart",
        "chart_title": "How well refits with and without a person tell whether they were in; the dotted line is guessing",
        "header": header,
        "rows": rows,
        "numbers": [False, True, True, True],
    }


def dotted(found: Mapping[str, Any]) -> dict[str, Any]:
    """Everything that `masquerade.judge.panel_plots.dots` draws of the attack."""
    rows = [
        {"name": name, "value": line["auc"], "interval": line["interval"], "released": name == _WORST}
        for name, line in _lines(found)
    ]
    allowed = found.get("guaranteed")
    if allowed:
        rows.append({"name": _allows(allowed), "value": allowed["auc"], "interval": None, "released": False})
    return {"rows": rows, "axis": "AUC of the attacker", "chance": 0.5, "low": 0.45}


def sentences(found: Mapping[str, Any]) -> list[str]:
    """The finding in plain words, the first sentence first."""
    low, high = found["auc_interval"]
    verdict = "better than at random" if low > 0.5 else "no better than at random"
    lines = [
        f"Of the {found['people']} people who stand out the most, an attacker who refits the generator with and without them "
        f"tells who was in the table with AUC {found['auc']:.3f} ({low:.3f} to {high:.3f}): {verdict}. Wrong about 10 % of "
        f"those who were not in, it names {found['tpr_at_10pct_fpr']:.1%} of those who were. In the release itself it names "
        f"{found['named']['people']} of the {found['people']}."
    ]
    allowed = found.get("guaranteed")
    if allowed:
        beyond = low > allowed["auc"] or found["tpr_at_10pct_fpr_interval"][0] > allowed["tpr_at_10pct_fpr"]
        lines.append(
            f"The guarantee (ε = {allowed['epsilon']:g}, δ = {allowed['delta']:g}) allows AUC {allowed['auc']:.3f} and "
            f"{allowed['tpr_at_10pct_fpr']:.1%} at most, whoever attacks. "
            + ("This attack is beyond it: the claim does not hold." if beyond else "This attack stays below it.")
        )
    lines.append(
        f"This attacker knows every other row of the table and how the generator is made: {found['shadows']} shadow refits, "
        "each with half of these people, teach it what a release looks like with and without each of them. Few attackers know "
        "so much; whoever this one does not find is hard to find at all."
    )
    return lines


def _lines(found: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    lines = [(_WORST, {"auc": found["auc"], "interval": found["auc_interval"], "tpr": found["tpr_at_10pct_fpr"]})]
    for name, words in _NAMES.items():
        told = found[name]
        lines.append((words, {"auc": told["auc"], "interval": told["interval"], "tpr": told["tpr_at_10pct_fpr"]}))
    return lines


def _allows(allowed: Mapping[str, Any]) -> str:
    return f"what ε = {allowed['epsilon']:g} allows at most"
