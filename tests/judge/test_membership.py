"""Who was in the table: copies are found, half of them half, independent rows are not, and the figures do not flatter."""

from __future__ import annotations

import dataclasses
import json
import math

import numpy as np
import polars as pl
import pytest
from scipy.integrate import quad

from masquerade.evaluation import evaluate
from masquerade.judge import panel_plots, words_of_people
from masquerade.judge.ceilings import guaranteed_ceilings, highest_auc, highest_tpr
from masquerade.judge.membership import membership
from masquerade.judge.membership_attacks import Attackers
from masquerade.judge.tables import Side, Tables, tabulate
from masquerade.judge.words_of_attacks import attacks
from masquerade.judge.worst import auc, crossed, sidak, tpr
from masquerade.privacy.ledger import Ledger
from masquerade.schema import Column, Schema

SCHEMA = Schema((*(Column(f"x{i}", "continuous") for i in range(4)), Column("c", "categorical")))
ATTACKS = ("domias", "gen_lra", "classifier", "nearest_distance")
CLAIM = Ledger(guarantee="differential privacy", epsilon=1.0, delta=1e-5, relation="replace-one")


def rows(count: int, seed: int) -> pl.DataFrame:
    random = np.random.default_rng(seed)
    table = {f"x{i}": random.normal(size=count) for i in range(4)}
    return pl.DataFrame(table | {"c": random.choice(["a", "b", "c"], count)})


def tables(real: pl.DataFrame, released: pl.DataFrame, holdout: pl.DataFrame | None = None) -> Tables:
    return tabulate(SCHEMA, real, released, holdout)


def noisy(table: pl.DataFrame, noise: float) -> pl.DataFrame:
    random = np.random.default_rng(9)
    return table.with_columns(pl.col(f"x{i}") + noise * random.normal(size=table.height) for i in range(4))


def test_copies_are_found_and_half_of_them_half() -> None:
    real, holdout = rows(400, 0), rows(400, 1)
    whole = membership(tables(real, real.sample(fraction=1.0, shuffle=True, seed=2), holdout), 0)
    assert whole.scores["membership_auc"].value >= 0.99
    assert whole.scores["membership_tpr_at_1pct_fpr"].value >= 0.99
    assert whole.scores["membership_tpr_at_1pct_fpr"].interval[0] > 0.01  # type: ignore[index]
    told = whole.attacks["membership"]
    assert told["worst"] == "nearest_distance"
    assert all(told[name]["auc"] > 0.6 for name in ATTACKS)
    half = membership(tables(real, pl.concat([real[:200], rows(200, 3)]), holdout), 0).scores["membership_auc"]
    assert half.interval is not None
    assert half.interval[0] > 0.6
    assert half.value < 0.85


def test_near_copies_are_found_by_densities_too() -> None:
    real = rows(400, 0)
    told = membership(tables(real, noisy(real, 0.1), rows(400, 1)), 0).attacks["membership"]
    assert told["auc"] > 0.95
    assert all(told[name]["interval"][0] > 0.55 for name in ("domias", "gen_lra"))


def test_independent_rows_give_nobody_away() -> None:
    found = []
    for seed in range(20):
        scores = membership(tables(rows(250, 100 + seed), rows(250, 200 + seed), rows(250, 300 + seed)), seed).scores
        found.append([scores[name] for name in ("membership_auc", "membership_tpr_at_1pct_fpr")])
    for place, (chance, close) in enumerate(((0.5, 0.03), (0.01, 0.02))):
        values = [pair[place] for pair in found]
        assert abs(np.mean([score.value for score in values]) - chance) < close
        inside = [score.interval[0] <= chance <= score.interval[1] for score in values if score.interval is not None]
        assert sum(inside) >= 18
    assert {score.ceiling for pair in found for score in pair} == {0.5, 0.01}


def test_the_tested_rows_are_no_reference_and_the_same_seed_tells_the_same() -> None:
    given = tables(rows(300, 0), rows(300, 1), rows(260, 2))
    first, second = (membership(given, 5).attacks["membership"] for _ in range(2))
    assert json.dumps(first) == json.dumps(second)
    assert (first["people"], first["references"]) == (130, 130)


def test_attackers_do_not_see_who_trained() -> None:
    given = tables(rows(200, 0), rows(200, 1), rows(200, 2))
    other = dataclasses.replace(given, real=given.released)
    assert given.holdout is not None
    asked = Side(given.real.numbers[:50], given.real.codes[:50])
    scores = [Attackers(seen, given.released, given.holdout, asked, 0) for seen in (given, other)]
    for first, second in zip((scores[0].densities()), (scores[1].densities()), strict=True):
        assert np.array_equal(first, second)
    assert np.array_equal(scores[0].nearest_distance(), scores[1].nearest_distance())


def test_without_enough_rows_nothing_is_said() -> None:
    assert not membership(tables(rows(400, 0), rows(400, 1)), 0).scores
    assert not membership(tables(rows(400, 0), rows(400, 1), rows(199, 2)), 0).scores
    assert not membership(tables(rows(99, 0), rows(400, 1), rows(300, 2)), 0).scores
    assert not membership(tables(rows(400, 0), rows(99, 1), rows(300, 2)), 0).scores


def test_odd_columns_do_not_stop_the_attackers() -> None:
    def odd(seed: int) -> pl.DataFrame:
        gaps = pl.when(pl.int_range(250) % 3 == 0).then(None).otherwise(pl.col("x0")).alias("x0")
        empty = [pl.lit(None, dtype=pl.Float64).alias("x1"), pl.lit(1.0).alias("x2")]
        return rows(250, seed).with_columns(gaps, *empty, pl.col("x3") * 1e100)

    found = membership(tables(odd(0), odd(0), odd(1)), 0)
    assert found.scores["membership_auc"].value > 0.95
    single = Schema((Column("c", "categorical"),))
    few = tabulate(single, *(rows(250, seed).select("c") for seed in range(3)))
    assert membership(few, 0).scores["membership_auc"].value == pytest.approx(0.5, abs=0.15)


def test_the_worst_is_chosen_on_other_people() -> None:
    random = np.random.default_rng(0)
    crosses, picks = [], []
    for _ in range(200):
        halves = {name: [auc(random.normal(size=40), random.normal(size=40), 2.0) for _ in range(2)] for name in "abcd"}
        crosses.append(crossed(halves))
        picks.append(max(np.mean([part[0] for part in parts]) for parts in halves.values()))
    assert abs(np.mean([value for value, _ in crosses]) - 0.5) < 0.012
    assert np.mean(picks) > 0.53  # the luckiest of four
    assert np.mean([low <= 0.5 <= high for _, (low, high) in crosses]) > 0.9
    assert sidak(4) > sidak(1)


def test_the_share_named_at_a_rate_is_the_rate_by_chance() -> None:
    random = np.random.default_rng(1)
    for rate in (0.1, 0.01):
        found = [tpr(random.normal(size=300), random.normal(size=300), rate, 1.96) for _ in range(300)]
        assert np.mean([value for value, _ in found]) == pytest.approx(rate, rel=0.1)
        assert np.mean([low <= rate <= high for _, (low, high) in found]) > 0.9
    assert tpr(np.ones(200), np.ones(200), 0.01, 1.96)[0] == 0.0  # ties name nobody
    assert tpr(np.ones(200), np.zeros(200), 0.01, 1.96)[0] == 1.0


def test_ceilings_bound_every_mechanism_of_the_guarantee() -> None:
    gaussian = {0.5: (0.540, 0.0145), 1: (0.575, 0.0198), 3: (0.694, 0.054), 5: (0.786, 0.114), 8: (0.881, 0.255)}
    last = (0.5, 0.01)
    for epsilon, (least, share) in gaussian.items():
        allowed = highest_auc(epsilon, 1e-5), highest_tpr(0.01, epsilon, 1e-5)
        assert allowed[0] > max(least, last[0])
        assert allowed[1] > max(share, last[1])
        kink = (1 - 1e-5) / (1 + math.exp(epsilon))
        area = quad(lambda rate, e=epsilon: highest_tpr(rate, e, 1e-5), 0, 1, points=[kink, 1 - 1e-5])[0]
        assert allowed[0] == pytest.approx(area, abs=1e-6)
        last = allowed
    # Randomised response of one bit reaches it.
    truth = math.exp(1) / (1 + math.exp(1))
    assert highest_auc(1, 0) == pytest.approx(truth)
    assert highest_tpr(1 - truth, 1, 0) == pytest.approx(truth)
    assert (highest_auc(0, 0), highest_tpr(0.3, 0, 0), highest_auc(1e6, 0), highest_tpr(0.0, 1, 0.2)) == (
        0.5,
        0.3,
        1,
        0.2,
    )
    assert highest_auc(0.5, 1.0) == 1.0
    assert guaranteed_ceilings(Ledger()) is None
    assert guaranteed_ceilings(CLAIM.to_dict()) == guaranteed_ceilings(CLAIM)


def test_the_claim_is_shown_beside_and_disproved_by_copies() -> None:
    real = rows(400, 0)
    told = membership(tables(real, real, rows(400, 1)), 0, guaranteed_ceilings(CLAIM))
    assert "ε = 1 allows 0.731 at most" in told.scores["membership_auc"].meaning
    shown = words_of_people.shown(told.attacks["membership"])
    assert "the claim does not hold" in shown["lines"][1]
    assert shown["rows"][-1][:2] == ["what ε = 1 allows at most", "0.731"]
    fresh = membership(tables(real, rows(400, 3), rows(400, 1)), 0, guaranteed_ceilings(CLAIM)).attacks["membership"]
    assert "stays below it" in words_of_people.shown(fresh)["lines"][1]
    assert "no better than at random" in words_of_people.shown(fresh)["lines"][0]
    picture = panel_plots.dots(**words_of_people.dotted(fresh))
    assert len(picture["layout"]["yaxis"]["ticktext"]) == 6


def test_evaluate_attacks_fresh_rows_with_a_holdout_and_shows_it() -> None:
    real, holdout = rows(300, 0), rows(300, 1)
    report = evaluate(real, real, holdout=holdout, schema=SCHEMA, ledger=CLAIM)
    assert report.scores["membership_auc"].value > 0.99
    assert {"membership", "singling_out", "inference"} <= set(report.attacks)
    assert report.attacks["membership"]["guaranteed"]["epsilon"] == 1.0
    html = report.to_html()
    assert "Who was in the table" in html
    assert 'data-figure="membership-chart"' in html
    assert "fits exactly one of 300 people who trained" in html
    assert json.dumps(report.to_dict(), allow_nan=False)
    kept = evaluate(real, real, holdout=holdout, schema=SCHEMA, aligned=True)
    assert "membership" not in kept.attacks
    assert "inference" in kept.attacks
    none = evaluate(real, real, holdout=holdout, schema=SCHEMA, attacks="none")
    assert set(none.attacks) == {"linkability"}
    assert set(attacks(report.attacks, panels=False)) == {"secrets", "links", "others"}
    assert not attacks(report.attacks, panels=False)["others"]
