"""What hiding a secret costs: the curve falls where it should, changes are counted, panels say what they show."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
import polars as pl
import pytest

import masquerade as mq
from masquerade import spelling
from masquerade.judge.report import Report
from masquerade.progress import Progress
from masquerade.release.desensitize import Desensitizer
from masquerade.studies.desensitizing import POINTS, STRENGTHS, Point, changes, curve, with_desensitizer

ROWS = 600


def people(rows: int = ROWS, seed: int = 0) -> pl.DataFrame:
    random = np.random.default_rng(seed)
    sex = random.choice(["f", "m"], rows)
    wage = random.normal(100, 20, rows)
    return pl.DataFrame(
        {
            "sex": sex,
            "title": np.where(sex == "f", "Ms", "Mr"),
            "height": np.round(random.normal(np.where(sex == "f", 166, 178), 6), 1),
            "wage": np.round(wage, 2),
            "rich": np.where(wage + random.normal(0, 8, rows) > 105, "rich", "poor"),
        }
    )


@pytest.fixture(scope="module")
def real() -> pl.DataFrame:
    return people()


@pytest.fixture(scope="module")
def fitted(real: pl.DataFrame) -> Desensitizer:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return mq.Desensitizer(hide=["sex"], keep=["rich"], epochs=15, random_state=0).fit(real)


@pytest.fixture(scope="module")
def points(fitted: Desensitizer, real: pl.DataFrame) -> list[Point]:
    told: list[int] = []
    found = curve(fitted, real, "sex", holdout=people(400, seed=1), told=lambda: told.append(1))
    assert len(told) == len(found) == POINTS
    return found


def test_a_stronger_release_is_attacked_less_and_changes_more(points: list[Point]) -> None:
    ours = [point for point in points if point.way == "this release"]
    assert [point.label for point in ours] == [f"strength {strength:g}" for strength in STRENGTHS]
    assert ours[0].attacked > ours[-1].attacked + 0.15
    assert ours[-1].attacked < 0.63
    assert [point.changed for point in ours] == sorted(point.changed for point in ours)
    assert all(point.useful > 0.8 for point in ours)


def test_the_plain_ways_stand_beside_it(points: list[Point]) -> None:
    by_way = {point.way: point for point in points}
    assert set(by_way) == {"this release", "drop the secret", "drop its proxies", "linear erasure"}
    assert by_way["drop the secret"].attacked > 0.98
    assert by_way["drop the secret"].changed == 0
    assert by_way["drop its proxies"].label == "without title"
    assert 0.8 < by_way["drop its proxies"].attacked < 0.97  # the height still tells it
    assert math.isnan(by_way["drop its proxies"].changed)
    assert by_way["linear erasure"].attacked < 0.7  # the wage tells nothing, and no line tells the rest
    assert all(0.8 < point.useful <= 1 for point in points)


def test_a_number_is_attacked_by_correlation_and_nothing_kept_leaves_no_use(real: pl.DataFrame) -> None:
    table = real.drop("sex", "title")
    fitted = mq.Desensitizer(hide=["height"], epochs=1, random_state=0).fit(table)
    found = curve(fitted, table.with_columns(wage=pl.col("height") * 2), "height")
    by_way = {point.way: point for point in found if point.way != "this release"}
    assert by_way["drop the secret"].attacked > 0.9
    assert all(math.isnan(point.useful) for point in found)


def test_changes_are_counted_and_measured(fitted: Desensitizer, real: pl.DataFrame) -> None:
    spread = float(real["wage"].std(ddof=0))  # type: ignore[arg-type]
    half = pl.int_range(pl.len()) % 2 == 0
    released = real.with_columns(
        sex=pl.lit("f"),
        title=pl.when(pl.int_range(pl.len()) % 4 == 0).then(None).otherwise("title"),
        wage=pl.when(half).then(pl.col("wage") + spread).otherwise("wage"),
    )
    found = {change.column: change for change in changes(fitted, real, released)}
    assert list(found) == ["wage", "title", "height", "rich"]
    assert found["wage"].share == 0.5
    assert found["wage"].move == pytest.approx(1)
    assert found["title"].share == 0.25
    assert math.isnan(found["title"].move)
    assert found["height"].share == 0
    assert math.isnan(found["height"].move)


def test_the_panels_say_it_in_words_and_numbers(fitted: Desensitizer, real: pl.DataFrame) -> None:
    told: list[Progress] = []
    released = spelling.parse(fitted.transform(real), fitted.schema_)
    facts: dict[str, Any] = {"panels": [{"title": "before"}]}
    report = with_desensitizer(Report(scores={}, facts=facts), fitted, real, released, callback=told.append)
    first, costs, changed = report.facts["panels"]
    assert first == {"title": "before"}
    assert facts["panels"] == [first]
    assert costs["title"] == "What hiding sex costs"
    assert "a model of rich" in costs["note"]
    assert [len(line["x"]) for line in costs["chart"]["lines"]] == [1, len(STRENGTHS), 1, 1]
    assert len(costs["table"]["rows"]) == POINTS
    assert changed["table"]["rows"][0][0] in ("title", "height")
    assert [progress.done for progress in told] == list(range(1, POINTS + 1))
    assert told[-1].finished


def test_too_few_rows_to_attack_leave_the_rest_of_the_report(fitted: Desensitizer, real: pl.DataFrame) -> None:
    few = real[:60]
    report = with_desensitizer(Report(scores={}), fitted, few, fitted.transform(few))
    costs, changed = report.facts["panels"]
    assert "No curve was drawn" in costs["note"]
    assert "100" in costs["note"]
    assert costs["chart"] is None
    assert changed["title"] == "How much the records changed"
