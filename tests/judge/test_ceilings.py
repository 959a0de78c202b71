"""What a guarantee leaves to an attacker: known figures for what was done, and never less than an attacker reaches."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from masquerade.errors import ArtifactError
from masquerade.judge.ceilings import TradeOff, guaranteed_ceilings, highest_auc, highest_tpr
from masquerade.privacy.accounting import epsilon_of, gaussian_multiplier
from masquerade.privacy.events import Event, discrete_gaussian, exponential, gaussian
from masquerade.privacy.ledger import Ledger

pytest.importorskip("dp_accounting")


def ledger(*events: Event, delta: float = 1e-5) -> Ledger:
    return Ledger("differential privacy", epsilon_of(events, delta), delta, relation="add or remove", events=events)


@pytest.mark.parametrize(
    ("epsilon", "auc", "tpr"),
    [
        (0.5, 0.540, 0.0145),
        (1, 0.575, 0.0198),
        (3, 0.694, 0.054),
        (5, 0.786, 0.114),
        (8, 0.881, 0.255),
        (10, 0.921, 0.372),
    ],
)
def test_the_figures_of_gaussian_noise(epsilon: float, auc: float, tpr: float) -> None:
    sigma = gaussian_multiplier(epsilon, 1e-5)
    told = guaranteed_ceilings(ledger(gaussian(sigma, stage="training", what="sum")))
    assert told is not None
    assert told["epsilon"] == pytest.approx(epsilon, rel=1e-3)
    assert told["auc"] == pytest.approx(auc, abs=1e-3)
    assert told["tpr_at_1pct_fpr"] == pytest.approx(tpr, abs=1e-3)
    assert told["auc"] == pytest.approx(stats.norm.cdf(1 / sigma / math.sqrt(2)), abs=1e-4)
    assert told["tpr_at_10pct_fpr"] == pytest.approx(stats.norm.sf(stats.norm.isf(0.1) - 1 / sigma), abs=1e-4)
    claim = Ledger("differential privacy", epsilon, 1e-5)
    assert told["auc"] < highest_auc(epsilon, 1e-5) == (guaranteed_ceilings(claim) or {})["auc"]


def test_no_attacker_on_the_noise_itself_is_above_them() -> None:
    """Adversaries who see two noised counts, and choose where all others agree."""
    sigma, reach = 2.0, 40
    places = np.arange(-reach, reach + 1)
    without = np.exp(-(places**2) / (2 * sigma**2))
    inside = np.exp(-((places - 1) ** 2) / (2 * sigma**2))
    both = [np.outer(p, p).ravel() / p.sum() ** 2 for p in (without, inside)]
    order = np.argsort(-(both[1] / both[0]), kind="stable")
    false, true = (np.concatenate([[0.0], np.cumsum(p[order])]) for p in both)
    told = guaranteed_ceilings(ledger(discrete_gaussian(sigma, stage="marginals", what="counts", count=2)))
    assert told is not None
    reached = float(np.trapezoid(true, false))
    assert reached <= told["auc"] + 1e-9
    assert reached == pytest.approx(told["auc"], abs=1e-3)
    for key, rate in (("tpr_at_1pct_fpr", 0.01), ("tpr_at_10pct_fpr", 0.1)):
        assert float(np.interp(rate, false, true)) == pytest.approx(told[key], rel=1e-3)


def test_what_was_chosen_by_results_and_pure_privacy() -> None:
    adaptive = discrete_gaussian(10.0, stage="marginals", what="pair", adaptive=True)
    told = guaranteed_ceilings(ledger(adaptive))
    fixed = guaranteed_ceilings(ledger(adaptive | {"adaptive": False}))
    assert told is not None
    assert fixed is not None
    assert 0.5 < fixed["auc"] < told["auc"] < 1
    curve = TradeOff.of([exponential(0.4, what="pair")])
    assert curve.tpr(0.01) <= highest_tpr(0.01, 0.41, 0.0)
    assert curve.tpr(1.0) == 1.0
    assert 0.5 < curve.auc() < highest_auc(0.4, 0.0)


def test_no_guarantee_has_no_ceiling_and_damage_is_refused() -> None:
    assert guaranteed_ceilings(Ledger()) is None
    broken = Ledger("differential privacy", 1.0, 1e-5, events=({"kind": "gaussian"},))
    with pytest.raises(ArtifactError, match="an event is damaged"):
        guaranteed_ceilings(broken)
