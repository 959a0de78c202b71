"""Reports on pictures, from both sides: copies are found out, fresh real pictures reach every ceiling."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits

from masquerade.errors import MasqueradeWarning, SettingError, TableError
from masquerade.evaluation import evaluate
from masquerade.judge.picture_intake import picture_sets
from masquerade.judge.picture_privacy import membership
from masquerade.judge.picture_report import judge_pictures
from masquerade.judge.policy import Policy
from masquerade.judge.reading import NAMES, verdict
from masquerade.judge.report import Report
from masquerade.pictures import Pictures
from masquerade.progress import Progress

SIZE = 500


def parts() -> dict[str, Pictures]:
    """Digits that trained, fresh ones, and ones held back; in an order that chance has chosen."""
    data = load_digits()
    order = np.random.default_rng(0).permutation(len(data.images))
    digits = Pictures((data.images * 255 / 16).round().astype(np.uint8), {"label": data.target})
    return {name: digits[order[i * SIZE : (i + 1) * SIZE]] for i, name in enumerate(("real", "fresh", "holdout"))}


def judge(real: Any, released: Any, holdout: Any, **settings: Any) -> Report:
    usual: dict[str, Any] = {
        "size": None,
        "aligned": None,
        "protect": 10,
        "attacks": "quick",
        "show_neighbours": False,
        "ledger": {},
        "seed": 0,
        "callback": None,
        "seen": 6_000,
    }
    return judge_pictures(real, released, holdout, **{**usual, **settings})


@pytest.fixture(scope="module")
def digits() -> dict[str, Pictures]:
    return parts()


@pytest.fixture(scope="module")
def fresh(digits: dict[str, Pictures]) -> Report:
    return judge(digits["real"], digits["fresh"], digits["holdout"])


@pytest.fixture(scope="module")
def copied(digits: dict[str, Pictures]) -> Report:
    """Training pictures with a little noise, so that none is equal to its original."""
    noise = np.random.default_rng(1).normal(0, 3, digits["real"].images.shape)
    images = np.clip(digits["real"].images + noise, 0, 255).astype(np.uint8)
    with pytest.warns(MasqueradeWarning, match="shows REAL pictures"):
        return judge(digits["real"], Pictures(images, digits["real"].labels), digits["holdout"], show_neighbours=True)


KEYS = {
    *("tstr", "trtr", "utility_gap", "frechet_distance", "kernel_distance", "precision", "recall", "class_balance"),
    *("memorisation", "exact_copies", "membership_auc", "membership_tpr_at_1pct_fpr"),
}


def test_every_score_is_there_with_its_ceiling(fresh: Report) -> None:
    assert set(fresh.scores) == KEYS
    assert set(NAMES) >= KEYS
    assert all(score.interval is not None for score in fresh.scores.values())
    assert {name for name, score in fresh.scores.items() if score.ceiling is None} == {"trtr"}
    assert fresh.rows == {"real": SIZE, "released": SIZE, "holdout": SIZE}
    json.dumps(fresh.to_dict(), allow_nan=False)


def test_fresh_real_pictures_reach_every_ceiling(fresh: Report) -> None:
    scores = fresh.scores
    for name in (
        "memorisation",
        "exact_copies",
        "membership_auc",
        "frechet_distance",
        "kernel_distance",
        "utility_gap",
    ):
        low, high = scores[name].interval or (1, 0)
        assert low <= (scores[name].ceiling or 0.0) <= high, name
    for name in ("precision", "recall"):
        assert scores[name].value == pytest.approx(scores[name].ceiling, abs=0.06)
    assert scores["tstr"].value > 0.85
    assert {verdict(name, score.to_dict()) for name, score in scores.items()} <= {"near", ""}


def test_copies_are_found_out(copied: Report) -> None:
    scores = copied.scores
    assert scores["memorisation"].value > 0.97
    assert scores["membership_auc"].value > 0.95
    assert copied.attacks["membership"]["worst"] == "nearest_pixels"
    assert scores["exact_copies"].value == 0.0
    flagged = {name for name, score in scores.items() if verdict(name, score.to_dict()) == "too close"}
    assert {"memorisation", "membership_auc", "frechet_distance"} <= flagged
    assert scores["tstr"].value > 0.85  # which is why accuracy alone says nothing about privacy


def test_the_page_shows_released_pictures_and_real_ones_only_when_asked(fresh: Report, copied: Report) -> None:
    titles = ["Released pictures", "Balance of classes", "Nearest real pictures"]
    assert [panel["title"] for panel in fresh.facts["panels"]] == titles
    assert [panel["title"] for panel in copied.facts["panels"]] == [*titles, "Nearest training pictures"]
    assert [strip["title"] for strip in fresh.facts["panels"][0]["strips"]] == list("0123456789")
    page = fresh.to_html()
    assert page.count('src="data:image/png;base64,') == 10
    assert "REAL" not in page
    assert "500 released pictures judged beside 500 real pictures" in " ".join(page.split()).replace(",", "")
    neighbours = copied.facts["panels"][-1]
    assert neighbours["owner_only"]
    assert [strip["title"] for strip in neighbours["strips"]] == ["released", "REAL, trained"]
    assert copied.to_html().count('src="data:image/png;base64,') == 12
    assert "image/png" not in json.dumps(copied.to_dict())


def test_noise_is_far_and_useless(digits: dict[str, Pictures]) -> None:
    random = np.random.default_rng(2)
    images = random.integers(0, 256, (SIZE, 8, 8), dtype=np.uint8)
    told: list[Progress] = []
    found = judge(
        digits["real"], (images, random.integers(0, 10, SIZE)), digits["holdout"], attacks="none", callback=told.append
    )
    scores = found.scores
    assert scores["tstr"].value < 0.4
    assert scores["precision"].value < 0.2
    assert scores["frechet_distance"].value > 4 * (scores["frechet_distance"].ceiling or 1)
    assert verdict("frechet_distance", scores["frechet_distance"].to_dict()) == "far"
    assert "membership_auc" not in scores
    assert not Policy.of("balanced").judged(found)["met"]
    shares = [progress.done / progress.total for progress in told]
    assert shares == sorted(shares)
    assert told[-1].finished
    assert shares[-1] == 1


def test_without_labels_and_holdout_the_net_learns_which_way_up(digits: dict[str, Pictures]) -> None:
    with pytest.warns(MasqueradeWarning) as caught:
        found = judge(digits["real"].images, digits["fresh"].images, None)
    said = " ".join(str(warning.message) for warning in caught)
    assert "no classes: tstr and class_balance are left out" in said
    assert "no holdout was given: ceilings, tstr, memorisation, exact_copies and attacks are left out" in said
    assert set(found.scores) == {"frechet_distance", "kernel_distance", "precision", "recall"}
    assert all(score.ceiling is None for score in found.scores.values())
    assert found.scores["recall"].value > 0.7
    assert "which way up" in found.scores["frechet_distance"].meaning


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"target": "label"}, "target: it is for tables"),
        ({"sensitive": ["label"]}, "sensitive: it is for tables"),
        ({"unit": "label"}, "unit: it is for tables"),
        ({"attacks": "thorough", "refit": len}, "'thorough' refits generators of rows"),
        ({"show_neighbours": True}, "show_neighbours: nearest pictures are sought where there is a holdout"),
        ({"kind": "rows", "size": (8, 8)}, "size: it is for pictures"),
    ],
)
@pytest.mark.filterwarnings("ignore::masquerade.errors.MasqueradeWarning")
def test_settings_without_effect_are_refused(
    digits: dict[str, Pictures], settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(SettingError, match=message):
        evaluate(digits["real"], digits["fresh"], **{"kind": "images", **settings})


def test_labels_of_another_set_are_refused_by_name(digits: dict[str, Pictures]) -> None:
    other = Pictures(digits["fresh"].images, {"label": np.where(digits["fresh"].labels["label"] > 7, "cat", "1")})
    with pytest.raises(
        TableError, match="released: labels that do not match the real ones: 'cat', expected among 0, 1"
    ):
        evaluate(digits["real"], other, kind="images")


def test_a_holdout_that_is_no_random_part_is_told() -> None:
    random = np.random.default_rng(0)
    here, there = (np.clip(random.normal(mean, 20, (400, 8, 8)), 0, 255).astype(np.uint8) for mean in (100, 110))
    with pytest.warns(MasqueradeWarning, match="no random part of the same set: without any release"):
        membership(picture_sets(here[:200], here[200:], there), None, 0)
    membership(picture_sets(here[:100], here[100:200], here[200:]), None, 0)


def test_a_report_is_written(fresh: Report, tmp_path: Path) -> None:
    fresh.save(tmp_path / "report.json")
    told = json.loads((tmp_path / "report.json").read_text())
    assert told["scores"]["memorisation"]["better"] == "half"
    assert told["attacks"]["membership"]["things"] == "pictures"
