"""The most isolated people: who copies them is caught, who knows nobody is not, and nothing is flattered."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest

from masquerade.errors import SettingError
from masquerade.evaluation import evaluate
from masquerade.judge.isolation import PEOPLE, most_isolated
from masquerade.judge.report import Report
from masquerade.judge.shadows import auc_of_shadows, design, evidence
from masquerade.judge.words_of_isolation import sentences
from masquerade.privacy.ledger import Ledger
from masquerade.progress import Progress
from masquerade.schema import Column, Schema

Refit = Callable[[pl.DataFrame], pl.DataFrame]

pytestmark = pytest.mark.filterwarnings("ignore:no holdout was given")

SCHEMA = Schema((*(Column(f"x{i}", "continuous") for i in range(4)), Column("c", "categorical")))
CLAIM = Ledger(guarantee="differential privacy", epsilon=1.0, delta=1e-6, relation="add or remove one unit")


def rows(count: int, seed: int) -> pl.DataFrame:
    random = np.random.default_rng(seed)
    table = {f"x{i}": random.standard_t(3, size=count) for i in range(4)}
    return pl.DataFrame(table | {"c": random.choice(["a", "b", "c"], count)})


def copier(share: float, noise: float = 0.0) -> Refit:
    """A generator that releases a share of its rows, moved a little, and fills up with rows of the population."""
    calls = iter(range(1000, 2000))

    def refit(table: pl.DataFrame) -> pl.DataFrame:
        seed = next(calls)
        random = np.random.default_rng(seed)
        kept = table.sample(fraction=share, seed=seed).with_columns(
            pl.col(f"x{i}") + noise * random.normal(size=int(table.height * share)) for i in range(4)
        )
        return pl.concat([kept, rows(table.height - kept.height, seed)])

    return refit


def attacked(refit: Refit, real: pl.DataFrame, **more: Any) -> Report:
    return evaluate(real, refit(real), schema=SCHEMA, attacks="thorough", refit=refit, **more)


def test_a_copier_is_caught_and_the_claim_disproved() -> None:
    seen: list[Progress] = []
    report = attacked(copier(1.0), rows(300, 0), shadows=8, ledger=CLAIM, callback=seen.append)
    assert report.scores["membership_isolated_auc"].value >= 0.99
    assert report.scores["membership_isolated_tpr_at_10pct_fpr"].value >= 0.99
    told = report.attacks["isolation"]
    assert told["named"]["people"] == PEOPLE
    assert told["auc_interval"][0] > told["guaranteed"]["auc"]
    assert "the claim does not hold" in " ".join(sentences(told))
    assert "Whether the most isolated people were in the table" in report.to_html()
    json.dumps(report.to_dict(), allow_nan=False)
    bars = [step for step in seen if step.stage == "shadows"]
    assert [step.done for step in bars] == list(range(9))
    assert bars[-1].finished


def test_who_keeps_half_nearly_is_found_and_who_samples_anew_is_not() -> None:
    real = rows(300, 0)
    half = attacked(copier(0.6, 0.02), real, shadows=16).scores["membership_isolated_auc"]
    assert half.interval is not None
    assert half.interval[0] > 0.5
    assert half.value < 0.95
    fresh = [attacked(copier(0.0), real, shadows=8, seed=seed).scores["membership_isolated_auc"] for seed in range(4)]
    assert all(score.interval[0] <= 0.5 <= score.interval[1] for score in fresh)  # type: ignore[index]
    assert abs(np.mean([score.value for score in fresh]) - 0.5) < 0.06


def test_no_flattery_where_there_is_nothing_to_find() -> None:
    values, inside_interval = [], 0
    for seed in range(60):
        inside = design(20, 8, seed)
        random = np.random.default_rng(seed)
        noise = random.normal(size=(8, 20)) + 2 * random.normal(size=(1, 20)) + 0.5 * random.normal(size=(8, 1))
        value, (low, high) = auc_of_shadows(evidence(noise, inside), inside)
        values.append(value)
        inside_interval += low <= 0.5 <= high
    assert abs(np.mean(values) - 0.5) < 0.02
    assert inside_interval >= 55


def test_a_person_s_rows_leave_together() -> None:
    table = rows(60, 0).with_columns(pl.Series("who", [f"p{i // 3}" for i in range(60)]))
    people = most_isolated(table, SCHEMA, units=table.get_column("who"))
    assert len(set(people.rows // 3)) == len(people.rows) == PEOPLE
    assert all(len(mine) == 3 for mine in people.everyone)
    inside = np.arange(PEOPLE) % 2 == 0
    kept = people.training(60, inside)
    assert len(kept) == 60 - 3 * (PEOPLE // 2)
    assert set(people.rows[inside]) <= set(kept)
    assert not set(people.rows[~inside]) & set(kept)


def test_the_isolated_are_those_far_from_all() -> None:
    random = np.random.default_rng(1)
    table = rows(200, 1).with_columns(
        pl.Series(f"x{i}", np.concatenate([random.uniform(-1000, 1000, PEOPLE), random.normal(size=180)]))
        for i in range(4)
    )
    assert set(most_isolated(table, SCHEMA).rows) == set(range(PEOPLE))


def test_what_cannot_be_refitted_is_refused() -> None:
    real = rows(100, 0)
    with pytest.raises(SettingError, match="of records that were kept everybody knows"):
        evaluate(real, real, holdout=rows(50, 1), schema=SCHEMA, attacks="thorough", refit=copier(1.0), aligned=True)
    with pytest.raises(SettingError, match="'thorough' refits generators of rows, got kind='codes'"):
        evaluate(real, real, schema=SCHEMA, attacks="thorough", refit=copier(1.0), kind="codes")
