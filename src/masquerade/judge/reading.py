"""How to read the scores: their groups, their order, and what each says beside its ceiling."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

__all__ = [
    "GROUPS",
    "NAMES",
    "Headline",
    "Verdict",
    "fidelity_headline",
    "group",
    "grouped",
    "privacy_headline",
    "verdict",
]

Verdict = Literal["near", "far", "too close", "found", ""]
Group = Literal["fidelity", "utility", "privacy"]

GROUPS: dict[Group, str] = {"fidelity": "Fidelity", "utility": "Utility", "privacy": "Privacy, tested"}

_FIDELITY = [
    "quality",
    "column_shapes",
    "column_pair_trends",
    "univariate_accuracy",
    "bivariate_accuracy",
    "trivariate_accuracy",
    "detection_auc",
    "correlation_distance",
    "missing_value_similarity",
    "range_coverage",
    "category_coverage",
    "boundary_adherence",
    "category_adherence",
    "key_uniqueness",
    "rule_adherence",
    "similarity_score",
    "pca_similarity",
    "mean_log_difference",
    "std_log_difference",
    "frechet_distance",
    "kernel_distance",
    "precision",
    "recall",
    "class_balance",
]
_UTILITY = [
    "tstr",
    "trtr",
    "utility_gap",
    "tstr_logistic",
    "trtr_logistic",
    "tstr_ridge",
    "trtr_ridge",
    "tstr_forest",
    "trtr_forest",
    "tstr_boosting",
    "trtr_boosting",
    "balanced_accuracy",
    "f1_weighted",
    "roc_auc",
    "average_precision",
    "permutation_importance",
]
_PRIVACY = [
    "membership_auc",
    "membership_tpr_at_1pct_fpr",
    "membership_isolated_auc",
    "membership_isolated_tpr_at_10pct_fpr",
    "singling_out",
    "linkability",
    "inference",
    "attribute_auc",
    "attribute_correlation",
    "attribute_r2",
    "reconstruction_r2",
    "linkage_top1",
    "own_values",
    "k_anonymity",
    "l_diversity",
    "t_closeness",
    "exact_copies",
    "memorisation",
    "dcr_share",
    "nndr",
    "dcr_baseline_protection",
    "dcr_overfitting_protection",
]
_ATTACKS = frozenset(_PRIVACY[_PRIVACY.index("singling_out") : _PRIVACY.index("own_values")])
_MEASURES = tuple(name for name in _UTILITY if not name.startswith(("tstr", "trtr")))
NAMES = (*_FIDELITY, *_UTILITY, *_PRIVACY)
"""The standard names of all scores, in reading order."""

_ORDER = {name: rank for rank, name in enumerate(NAMES)}

_LIKENESS = frozenset(
    [
        *_FIDELITY[:6],
        "correlation_distance",
        "pca_similarity",
        "similarity_score",
        "frechet_distance",
        "kernel_distance",
    ]
)

_FAR = 0.1  # this much short of a real sample is worth an analyst's attention
_CLOSE = 0.01  # a figure about privacy without an interval: a smaller excess may be chance


def group(name: str) -> Group:
    """Which group a score belongs to, by its standard name.

    >>> group("tstr_forest"), group("dcr_share"), group("column_shapes")
    ('utility', 'privacy', 'fidelity')
    """
    if name in _PRIVACY or name.startswith(
        ("dcr_", "nndr", "membership_", "attribute_", "singling_", "linkability", "inference")
    ):
        return "privacy"
    if name in _UTILITY or name.startswith(("tstr", "trtr", "utility", *(f"{measure}_" for measure in _MEASURES))):
        return "utility"
    return "fidelity"


def grouped(scores: Mapping[str, Mapping[str, Any]]) -> dict[Group, dict[str, Mapping[str, Any]]]:
    """The scores by group in reading order; groups without a score are left out.

    Args:
        scores: name to score, as in `report.json`.
    """
    names = sorted(scores, key=lambda name: _ORDER.get(name, len(_ORDER)))
    sorted_in: dict[Group, dict[str, Mapping[str, Any]]] = {part: {} for part in GROUPS}
    for name in names:
        sorted_in[group(name)][name] = scores[name]
    return {part: members for part, members in sorted_in.items() if members}


def verdict(name: str, score: Mapping[str, Any]) -> Verdict:
    """What a score says beside its ceiling.

    Returns:
        `"too close"` when the release is significantly nearer to the real rows than a fresh real sample is
        (it has seen too much); `"found"` when an attack succeeds beyond chance or its control group; `"far"` when the release
        falls 0.1 or more short of what a real sample reaches; `"near"` in between; `""` when there is nothing to compare
        with. Significant means that the whole interval lies beyond; without an interval nothing is known about likeness, and
        a figure about privacy must be beyond by more than 0.01. Figures that protection itself pushes to their best
        (`boundary_adherence` and the like) and those of utility are never "too close".

    >>> verdict("quality", {"value": 0.99, "interval": [0.985, 0.995], "ceiling": 0.98, "better": "higher"})
    'too close'
    """
    value, ceiling, better = score.get("value"), score.get("ceiling"), score.get("better")
    if value is None:
        return ""
    low, high = _bounds(value, score.get("interval"))
    part = group(name)
    if better == "half":
        ideal = 0.5 if ceiling is None else ceiling
        if part == "privacy":
            return "too close" if low > max(ideal, 0.5) else "near"
        return "far" if abs(value - ideal) >= _FAR else "near"
    if ceiling is None or better not in ("higher", "lower"):
        return ""
    if (
        part == "privacy"
    ):  # here the ceiling is what chance or the control group reaches: worse than that is the finding
        worse = low > ceiling if better == "lower" else high < ceiling
        if not worse:
            return "near"
        return "found" if name in _ATTACKS else "too close"
    excess = low - ceiling if better == "higher" else ceiling - high
    short = ceiling - value if better == "higher" else value - ceiling
    if excess > 0 and name in _LIKENESS and score.get("interval") is not None:
        return "too close"
    return "far" if short >= _FAR else "near"


def _bounds(value: float, interval: Any) -> tuple[float, float]:
    if interval is None or any(end is None for end in interval):
        return value - _CLOSE, value + _CLOSE
    return float(interval[0]), float(interval[1])


@dataclass(frozen=True)
class Headline:
    """One of the two large figures.

    Args:
        title: what it is about.
        name: the score it comes from, or `""` when there is none.
        figure: the number as text.
        sentence: what it means, in one plain sentence.
        verdict: as from `verdict`.
    """

    title: str
    name: str
    figure: str
    sentence: str
    verdict: Verdict


def fidelity_headline(scores: Mapping[str, Mapping[str, Any]]) -> Headline:
    """How much the released rows look like the real ones."""
    for name in ("quality", "column_shapes", "bivariate_accuracy", "univariate_accuracy", "similarity_score"):
        score = scores.get(name)
        if score is not None and score.get("value") is not None:
            break
    else:
        return (
            _likeness_of_pictures(scores)
            or _worth_of_codes(scores)
            or Headline("Fidelity", "", "–", "No fidelity score was computed.", "")
        )
    value, ceiling, found = score["value"], score.get("ceiling"), verdict(name, score)
    sentence = f"{value:.1%} of the real table's shapes and relations are kept ({name})"
    if ceiling is not None:
        sentence += f"; a fresh sample of real rows reaches {ceiling:.1%}"
    sentence += "."
    if found == "too close":
        sentence += " The release is nearer to the real rows than a fresh real sample is: it has seen too much of them."
    return Headline("Fidelity", name, f"{value:.1%}", sentence, found)


def _likeness_of_pictures(scores: Mapping[str, Mapping[str, Any]]) -> Headline | None:
    """How far released pictures lie from real ones, beside fresh real ones."""
    name = "frechet_distance"
    score = scores.get(name)
    if score is None or score.get("value") is None:
        return None
    value, floor, found = score["value"], score.get("ceiling"), verdict(name, score)
    figure = f"{value:.3f}"
    sentence = (
        f"The released pictures lie {value:.3f} from the real ones ({name}; 0 is best, 1 the real pictures' own spread)"
    )
    if floor:
        figure = f"{value / floor:.1f} times"
        sentence += f": {figure} as far as fresh real pictures, {floor:.3f}"
    sentence += "."
    if found == "too close":
        sentence += " That is nearer than fresh real pictures come: the release has seen too much of them."
    return Headline("Fidelity", name, figure, sentence, found)


def _worth_of_codes(scores: Mapping[str, Mapping[str, Any]]) -> Headline | None:
    """What codes, which look like nothing, are worth to a model."""
    score = scores.get("roc_auc")
    if score is None or score.get("value") is None:
        return None
    sentence = f"A forest on the codes ranks unseen rows with ROC AUC {score['value']:.3f}"
    if score.get("ceiling") is not None:
        sentence += f"; on the raw features {score['ceiling']:.3f}"
    return Headline("Utility", "roc_auc", f"{score['value']:.3f}", f"{sentence}.", verdict("roc_auc", score))


def privacy_headline(scores: Mapping[str, Mapping[str, Any]]) -> Headline:
    """What the tests found about the people in the real table: the attacks first, else the distances."""
    for name in ("membership_auc", "attribute_auc", "linkage_top1", "memorisation", "dcr_share", "exact_copies"):
        score = scores.get(name)
        if score is not None and score.get("value") is not None:
            break
    else:
        return Headline(
            "Privacy, tested", "", "–", "Nothing was tested: without a holdout there is nothing to compare with.", ""
        )
    value, found = score["value"], verdict(name, score)
    rows, row = ("pictures", "picture") if "frechet_distance" in scores else ("rows", "row")
    if name == "membership_auc":
        sentence = (
            f"The best attack tells {rows} that were used from {rows} that were not no better than a coin would (½)."
            if found == "near"
            else f"The best attack tells {rows} that were used from others: AUC {value:.2f}, where a coin has 0.50."
        )
        return Headline("Privacy, tested", name, f"{value:.3f}", sentence, found)
    if name == "attribute_auc":
        beside = 0.5 if score.get("ceiling") is None else score["ceiling"]
        whom = "one who guesses at random" if beside == 0.5 else "for people whose rows were not used"
        sentence = (
            f"The best fresh attacker guesses the secret with AUC {value:.3f}, "
            + (f"no better than {whom}" if found == "near" else f"better than {whom}")
            + f" ({beside:.3f})."
        )
        return Headline("Privacy, tested", name, f"{value:.3f}", sentence, found)
    if name == "linkage_top1":
        sentence = f"An attacker finds {value:.1%} of the people behind released records again, among thousands"
        sentence += ": what is released is somebody's." if found == "found" else "; that is no more than chance."
        return Headline("Privacy, tested", name, f"{value:.1%}", sentence, found)
    if name == "exact_copies":
        sentence = f"{value:.2%} of the released {rows} equal a real training {row}, beyond what chance explains."
        return Headline("Privacy, tested", name, f"{value:.2%}", sentence, found)
    sentence = f"{value:.1%} of the released {rows} lie nearer to a {row} that was used than to one that was held back"
    sentence += (
        "; that is more than chance allows (50 %): the release has seen too much."
        if found == "too close"
        else "; 50 % is ideal, and this is no more than chance allows."
    )
    return Headline("Privacy, tested", name, f"{value:.1%}", sentence, found)
