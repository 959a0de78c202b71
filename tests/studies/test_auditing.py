"""The auditor: bounds hold and come near where they can, broken mechanisms are caught, and whole models are audited."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import masquerade as mq
from masquerade.cli import run
from masquerade.datasets import load_bank
from masquerade.errors import SettingError
from masquerade.privacy.accountant import Accountant
from masquerade.privacy.accounting import epsilon_of, gaussian_multiplier
from masquerade.privacy.budget import Privacy
from masquerade.privacy.dpsgd import Plan
from masquerade.privacy.events import exponential, gaussian
from masquerade.privacy.ledger import Ledger
from masquerade.schema import Column, Schema
from masquerade.studies.auditing.bounds import at_most, epsilon_from_mu, epsilon_from_rates
from masquerade.studies.auditing.canaries import random_rows, rare_row
from masquerade.studies.auditing.claim import Claim
from masquerade.studies.auditing.findings import Finding
from masquerade.studies.auditing.models import audit_fits, audit_one_fit
from masquerade.studies.auditing.noise import audit_choices, audit_counts, audit_steps
from masquerade.studies.auditing.one_run import audit_one_run
from masquerade.studies.auditing.page import page
from masquerade.studies.auditing.pairs import audit_pairs, finding_of_scores
from masquerade.studies.auditing.whole import Audit

SURE = 1 - 1e-8
"""A confidence with which a true claim is never disproved by chance."""

SCHEMA = Schema(
    (
        Column("a", "categorical", levels=("x", "y", "z")),
        Column("b", "boolean"),
        Column("n", "integer", minimum=0, maximum=9),
    ),
    declared=True,
)


def table(count: int = 1_000) -> pl.DataFrame:
    random = np.random.default_rng(0)
    return pl.DataFrame(
        {"a": random.choice(["x", "y"], count), "b": random.random(count) < 0.5, "n": random.integers(0, 5, count)}
    )


def test_bounds_are_those_of_the_books() -> None:
    assert float(at_most(10, 10, 0.95)) == 1.0
    assert float(at_most(3, 40, 0.975)) == pytest.approx(0.2039, abs=1e-4)  # scipy.stats.binomtest(3, 40), exact
    assert float(epsilon_from_rates(0.0, 0.0, 0.0)) == 1000.0
    assert float(epsilon_from_rates(0.5, 0.5, 0.0)) == 0.0
    assert float(epsilon_from_rates(0.1, 0.5, 1e-5)) == pytest.approx(math.log((0.5 - 1e-5) / 0.1))
    for epsilon in (0.3407, 1.0, 5.0):
        sigma = gaussian_multiplier(epsilon, 1e-5)
        assert epsilon_from_mu(1 / sigma, 1e-5) == pytest.approx(epsilon, rel=1e-6)


def test_events_sharpen_the_claim() -> None:
    events = (gaussian(4.0, stage="marginals", what="counts"), exponential(0.1, what="choice"))
    claim = Claim.of_events(events, 1e-6)
    sigma = 4.0
    assert claim.epsilon == pytest.approx(epsilon_of(events, 1e-6))
    assert claim.mu is None
    exact = Claim.of_noise(sigma, delta=1e-6)
    rates = 0.45, 0.4523  # on the trade-off curve of about this noise
    assert 0 < claim.bound(*rates) <= claim.epsilon * 1.02
    assert 0.9 * exact.epsilon < exact.bound(*rates) < 1.1 * exact.epsilon
    assert Claim(1.0, 1e-6).bound(*rates) < 0.25
    assert claim.bound(0.02, 0.02) > 4
    with pytest.raises(SettingError, match="guarantees nothing"):
        Claim.of(Ledger())


def test_true_claims_stand_and_tight_ones_are_met_to_a_fifth() -> None:
    sigma = gaussian_multiplier(1.0, 1e-6)
    assert audit_counts(sigma, delta=1e-6, trials=1_000_000, confidence=0.95).bound >= 0.8
    assert not audit_counts(sigma, delta=1e-6, trials=200_000, confidence=SURE).disproved
    found = audit_choices(1.0, delta=1e-6, trials=3_000, confidence=SURE)
    assert 0.1 < found.bound <= found.epsilon
    plan = Plan.calibrated(Accountant(Privacy(1.0, 1e-6)), 16.0, batch=8.0, clip=0.5, steps=2)
    assert audit_steps(plan, delta=1e-6, trials=400_000).bound >= 0.8
    assert not audit_steps(plan, delta=1e-6, trials=50_000, confidence=SURE).disproved


def test_half_the_noise_is_caught_and_half_the_clip_is_not_blamed() -> None:
    sigma = gaussian_multiplier(1.0, 1e-6)
    honest = Claim.of_noise(sigma, delta=1e-6)
    random = np.random.default_rng(0)
    caught = audit_pairs(
        lambda c: c + random.normal(0, sigma / 2, 5_000), 0, 1, claim=honest, trials=50_000, confidence=SURE
    )
    assert caught.disproved
    assert "THE CLAIM DOES NOT HOLD" in caught.sentence()
    weak = audit_pairs(
        lambda c: c / 2 + random.normal(0, sigma, 5_000), 0, 1, claim=honest, trials=50_000, confidence=SURE
    )
    assert weak.bound < 0.6


def test_the_confidence_is_kept() -> None:
    claim = Claim.of_noise(2.0, delta=1e-5)
    random = np.random.default_rng(0)
    wrong = 0
    for _ in range(200):
        scores = random.normal(0, 2.0, (2, 400, 3)) + np.array([[[0.0] * 3], [[1.0, 0.0, 0.0]]])
        wrong += finding_of_scores(scores[0], scores[1], claim=claim, confidence=0.8).disproved
    assert wrong <= 40 + 20


def test_several_numbers_are_put_together() -> None:
    random = np.random.default_rng(0)
    noise = random.normal(0, 1.0, (2, 2_000, 1))
    seen = np.concatenate([noise + random.normal(0, 0.1, (2, 2_000, 1)), noise], axis=2)
    seen[1, :, 0] += 1.0  # to be seen only where the second number is taken off the first
    claim = Claim.of_noise(1.0, delta=1e-5)
    assert finding_of_scores(seen[0], seen[1], claim=claim, confidence=SURE).disproved
    assert not finding_of_scores(seen[0, :, 0], seen[1, :, 0], claim=claim, confidence=SURE).disproved


def test_one_run_with_many_canaries() -> None:
    sigma = gaussian_multiplier(1.0, 1e-6)
    claim = Claim.of_noise(sigma, delta=1e-6)
    random = np.random.default_rng(0)
    honest = audit_one_run(
        lambda inside: inside + random.normal(0, sigma, inside.size), 3_000, claim=claim, confidence=SURE
    )
    assert not honest.disproved
    assert audit_one_run(lambda inside: inside + random.normal(0, 0.5, inside.size), 300, claim=claim).disproved
    assert audit_one_run(lambda inside: inside * 1.0, 200, claim=Claim(1.0, 1e-6)).plain > 1
    with pytest.raises(SettingError, match="one for each of 20 canaries"):
        audit_one_run(lambda inside: np.zeros(3), 20, claim=claim)


def test_canaries_are_declared_and_rare() -> None:
    rows = table()
    canary = rare_row(rows, SCHEMA)
    assert canary.schema == rows.schema
    assert canary["a"][0] in ("x", "y")
    assert rows.join(canary, on=["a", "b", "n"], how="semi").height <= 60
    many = random_rows(rows, SCHEMA, 50)
    assert set(many["a"]) <= {"x", "y", "z"}
    assert many["n"].is_between(0, 9).all()


def test_whole_models_are_audited_from_what_leaves_the_house() -> None:
    model = mq.Marginals(privacy=mq.Privacy(epsilon=1.0))
    found = audit_one_fit(model, table(), SCHEMA, canaries=100, confidence=SURE)
    assert not found.disproved
    assert 0 < found.epsilon <= 1.0
    with pytest.raises(SettingError, match="no guarantee to audit"):
        audit_fits(mq.CTGAN(), table(), SCHEMA, trials=20)
    with pytest.raises(SettingError, match="trials: got 3, expected at least 20"):
        audit_fits(model, table(), SCHEMA, trials=3)


def test_ctrl_c_in_one_of_many_fits_ends_the_audit(monkeypatch: pytest.MonkeyPatch) -> None:
    fits: list[bool] = []
    fit = mq.Marginals.fit

    def interrupted(self: mq.Marginals, *arguments: Any, **options: Any) -> mq.Marginals:
        fits.append(True)
        fit(self, *arguments, **options).interrupted_ = len(fits) == 2
        return self

    monkeypatch.setattr(mq.Marginals, "fit", interrupted)
    with pytest.raises(KeyboardInterrupt):
        audit_fits(mq.Marginals(privacy=mq.Privacy(epsilon=1.0)), table(), SCHEMA, trials=40)
    assert len(fits) == 2


def test_a_claim_that_does_not_hold_is_shown() -> None:
    found = Finding("counts", 1.0, 1e-6, 9.0, 4.0, 0.95, "pairs", 100, 80, 0.01, 0.02, 1.0)
    audit = Audit("Marginals", 0.95, (found,), Ledger(guarantee="differential privacy", epsilon=1.0, delta=1e-6))
    assert audit.disproved
    assert "above the claim" in page(audit)
    assert "No claim was contradicted" in page(
        dataclasses.replace(audit, findings=(dataclasses.replace(found, bound=0.9),))
    )


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["audit", "--trials", "20", "--confidence", "0.999999", "-o", "a.json", "-o", "a.html"]) == 0
    said = json.loads(Path("a.json").read_text())
    assert said["model"] == "Marginals"
    assert not said["disproved"]
    assert all(finding["bound"] <= finding["claimed"]["epsilon"] for finding in said["findings"])
    assert "within the claim" in Path("a.html").read_text()
    assert "No claim was contradicted" in capsys.readouterr().out
    load_bank().head(50).write_csv("bank.csv")
    for arguments, words in (
        ("audit --seed 1", "knows no seed"),
        ("audit bank.csv", "--schema: a private fit needs a declared one"),
        ("audit --schema s.toml", "no DATA was given"),
        ("audit --model tvae", "cannot keep a guarantee"),
        ("audit --epochs 3", "marginals does not train in epochs"),
        ("audit --epsilon 0", "epsilon: got 0"),
        ("audit --trials 5", "trials: got 5"),
        ("audit --confidence 2", "confidence: got 2"),
    ):
        assert run(arguments.split()) == 2
        assert words in " ".join(capsys.readouterr().err.split())
