"""How scores are read."""

from __future__ import annotations

from typing import Any

import pytest

from masquerade.judge.reading import fidelity_headline, group, grouped, privacy_headline, verdict


def score(value: float | None, better: str, ceiling: float | None = None, interval: Any = None) -> dict[str, Any]:
    return {"value": value, "better": better, "ceiling": ceiling, "interval": interval, "meaning": ""}


@pytest.mark.parametrize(
    ("name", "given", "expected"),
    [
        ("quality", score(0.99, "higher", 0.97, (0.98, 1.0)), "too close"),
        ("quality", score(0.99, "higher", 0.97, (0.96, 1.0)), "near"),
        ("quality", score(0.99, "higher", 0.985), "near"),
        ("quality", score(0.80, "higher", 0.97), "far"),
        ("correlation_distance", score(0.001, "lower", 0.05, (0.0, 0.01)), "too close"),
        ("correlation_distance", score(0.001, "lower", 0.05), "near"),
        ("pca_similarity", score(0.98, "higher", 0.89), "near"),
        ("correlation_distance", score(0.2, "lower", 0.05), "far"),
        ("category_adherence", score(1.0, "higher", 0.9), "near"),
        ("tstr", score(0.99, "higher", 0.9), "near"),
        ("tstr", score(0.7, "higher", 0.9), "far"),
        ("detection_auc", score(0.95, "half", 0.5), "far"),
        ("detection_auc", score(0.52, "half", 0.5), "near"),
        ("dcr_share", score(0.6, "half", 0.5, (0.58, 0.62)), "too close"),
        ("dcr_share", score(0.51, "half", 0.5, (0.49, 0.53)), "near"),
        ("dcr_share", score(0.3, "half", 0.5, (0.28, 0.32)), "near"),
        ("exact_copies", score(0.3, "lower", 0.0, (0.28, 0.32)), "too close"),
        ("nndr", score(0.6, "higher", 0.5, (0.55, 0.65)), "near"),
        ("nndr", score(0.1, "higher", 0.5, (0.05, 0.15)), "too close"),
        ("quality", score(None, "higher", 0.9), ""),
        ("quality", score(0.5, "higher"), ""),
    ],
)
def test_a_score_beside_its_ceiling(name: str, given: dict[str, Any], expected: str) -> None:
    assert verdict(name, given) == expected


def test_scores_fall_into_three_groups_in_reading_order() -> None:
    names = ["dcr_share", "tstr_forest", "column_shapes", "quality", "brand_new", "membership_auc"]
    found = grouped({name: score(0.5, "higher") for name in names})
    assert {part: list(members) for part, members in found.items()} == {
        "fidelity": ["quality", "column_shapes", "brand_new"],
        "utility": ["tstr_forest"],
        "privacy": ["membership_auc", "dcr_share"],
    }
    assert group("trtr_boosting") == "utility"


def test_headlines_say_when_too_much_was_seen_and_when_nothing_was_measured() -> None:
    close = {"quality": score(0.99, "higher", 0.97, (0.98, 1.0)), "dcr_share": score(0.6, "half", 0.5, (0.58, 0.62))}
    assert "seen too much" in fidelity_headline(close).sentence
    assert "seen too much" in privacy_headline(close).sentence
    fine = {"quality": score(0.95, "higher", 0.97), "dcr_share": score(0.5, "half", 0.5, (0.48, 0.52))}
    assert "seen too much" not in fidelity_headline(fine).sentence + privacy_headline(fine).sentence
    assert fidelity_headline(fine).figure == "95.0%"
    assert privacy_headline({}).figure == "–"


def test_attacks_come_before_distances() -> None:
    scores = {"dcr_share": score(0.5, "half", 0.5), "membership_auc": score(0.7, "half", 0.5, (0.65, 0.75))}
    assert privacy_headline(scores).name == "membership_auc"
    assert "0.70" in privacy_headline(scores).sentence


@pytest.mark.parametrize(
    ("name", "given", "expected", "figure", "says"),
    [
        (
            "attribute_auc",
            score(0.7, "lower", 0.5, (0.68, 0.72)),
            "found",
            "0.700",
            "better than one who guesses at random",
        ),
        ("attribute_auc", score(0.51, "lower", 0.5, (0.49, 0.53)), "near", "0.510", "no better than one who guesses"),
        (
            "attribute_auc",
            score(0.8, "lower", 0.79, (0.78, 0.82)),
            "near",
            "0.800",
            "people whose rows were not used (0.790)",
        ),
        ("linkage_top1", score(0.9, "lower", 0.0005, (0.88, 0.92)), "found", "90.0%", "finds 90.0% of the people"),
        ("linkage_top1", score(0.001, "lower", 0.0005, (0.0, 0.003)), "near", "0.1%", "no more than chance"),
    ],
)
def test_an_attack_is_the_headline_where_one_was_run(
    name: str, given: dict[str, Any], expected: str, figure: str, says: str
) -> None:
    assert verdict(name, given) == expected
    headline = privacy_headline({name: given, "dcr_share": score(0.5, "half", 0.5, (0.48, 0.52))})
    assert (headline.name, headline.figure, headline.verdict) == (name, figure, expected)
    assert says in headline.sentence


def test_codes_are_worth_what_a_forest_makes_of_them() -> None:
    headline = fidelity_headline({"roc_auc": score(0.89, "higher", 0.91)})
    assert headline.title == "Utility"
    assert "0.890; on the raw features 0.910" in headline.sentence
    assert (group("roc_auc_whole"), group("own_values"), group("attribute_r2")) == ("utility", "privacy", "privacy")
