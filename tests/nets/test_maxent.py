"""Reconciled tables, and the model of maximum entropy fitted to them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

from masquerade.nets.beliefs import propagate, spread, summed
from masquerade.nets.junction import JunctionTree
from masquerade.nets.maxent import Measured, fit, grouped
from masquerade.nets.reconcile import nearest_counts, reconciled

SIZES = (2, 3, 4)
ALL = (0, 1, 2)


def whole_table(seed: int = 0) -> np.ndarray:
    table = np.exp(np.random.default_rng(seed).normal(size=SIZES))
    return table / table.sum()


def measured(columns: tuple[int, ...], values: np.ndarray, sigma: float = 1.0, **groups: list[int]) -> Measured:
    each = tuple(np.array(groups.get(f"of_{c}", list(range(SIZES[c])))) for c in columns)
    return Measured(columns, each, values, sigma)


def singles(table: np.ndarray, total: float, sigma: float = 1.0) -> list[Measured]:
    return [measured((c,), total * summed(table, ALL, (c,)), sigma) for c in ALL]


def test_exact_tables_are_met_and_what_is_not_told_stays_independent() -> None:
    table, total = whole_table(), 10_000.0
    tree = JunctionTree.of(SIZES, [(0, 1)])
    known = [*singles(table, total), measured((0, 1), total * summed(table, ALL, (0, 1)))]
    base = [np.full(size, 1 / size) for size in SIZES]
    model = fit(tree, base, known, total, slack=1e-7, walks=100)
    np.testing.assert_allclose(model.beliefs.marginal((0, 1)), summed(table, ALL, (0, 1)), atol=1e-6)
    np.testing.assert_allclose(model.beliefs.marginal((2,)), summed(table, ALL, (2,)), atol=1e-6)


def test_a_loop_of_pairs_is_fitted_as_a_general_optimiser_fits_it() -> None:
    table, total, sigma, slack = whole_table(3), 1_000.0, 12.0, 0.3
    random = np.random.default_rng(1)
    pairs = [(0, 1), (1, 2), (0, 2)]
    noised = [total * summed(table, ALL, pair) for pair in pairs]
    noised = [np.maximum(values + random.normal(0, sigma, values.shape), 0) for values in noised]
    known = [measured(pair, v / v.sum() * total, sigma) for pair, v in zip(pairs, noised, strict=True)]
    base = [summed(table, ALL, (c,)) for c in ALL]
    model = fit(JunctionTree.of(SIZES, pairs), base, known, total, slack=slack, walks=500)

    ends = np.cumsum([0, *(m.values.size for m in known)])
    ridge, log_base = slack * sigma**2 / total, np.log(np.einsum("a,b,c->abc", *base))

    def dual(theta: np.ndarray) -> float:
        parts = [theta[a:b].reshape(m.values.shape) for m, a, b in zip(known, ends, ends[1:], strict=False)]
        energy = log_base + sum(spread(part, m.columns, ALL) for part, m in zip(parts, known, strict=True))
        told = sum(float((part * m.values).sum()) for part, m in zip(parts, known, strict=True)) / total
        return float(np.log(np.exp(energy).sum()) - told + ridge / 2 * theta @ theta)

    other = minimize(dual, np.zeros(ends[-1]), method="L-BFGS-B", options={"maxiter": 500, "maxfun": 50_000})
    ours = dual(np.concatenate([factor.ravel() for factor in model.factors]))
    assert ours == pytest.approx(float(other.fun), abs=1e-5)


def test_fitting_goes_on_from_a_start() -> None:
    table, total = whole_table(2), 5_000.0
    pairs = [(0, 1), (1, 2), (0, 2)]
    tree, base = JunctionTree.of(SIZES, pairs), [summed(table, ALL, (c,)) for c in ALL]
    known = [measured(pair, total * summed(table, ALL, pair)) for pair in pairs]
    once = fit(tree, base, known, total, walks=3)
    long = fit(tree, base, known, total, walks=60)
    on = fit(tree, base, known, total, start=long.factors, walks=1)

    def gap(model: object) -> float:
        return max(float(np.abs(model.beliefs.marginal(m.columns) - m.values / total).max()) for m in known)  # type: ignore[attr-defined]

    assert gap(on) < gap(once)
    assert gap(on) == pytest.approx(gap(long), rel=0.2)


def test_groups_are_met_and_nothing_is_told_inside_them() -> None:
    table, total = whole_table(4), 10_000.0
    halves = [0, 0, 1, 1]
    told = grouped(summed(table, ALL, (1, 2)), (np.arange(3), np.array(halves)))
    known = [*singles(table, total), measured((1, 2), total * told, of_2=halves)]
    model = fit(
        JunctionTree.of(SIZES, [(1, 2)]), [summed(table, ALL, (c,)) for c in ALL], known, total, slack=1e-7, walks=60
    )
    found = model.beliefs.marginal((1, 2))
    np.testing.assert_allclose(grouped(found, (np.arange(3), np.array(halves))), told, atol=1e-6)
    inside = found / found.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(
        inside[:, 0] / inside[:, 1], np.full(3, found[:, 0].sum() / found[:, 1].sum()), rtol=1e-3
    )


def test_the_nearest_counts_are_nearest() -> None:
    random = np.random.default_rng(0)
    counts = random.normal(5, 10, 20)
    found = nearest_counts(counts, 60.0)
    assert found.min() >= 0
    assert found.sum() == pytest.approx(60.0)
    for _ in range(50):  # no other counts of this total are nearer
        other = random.dirichlet(np.full(20, 0.3)) * 60
        assert ((found - counts) ** 2).sum() <= ((other - counts) ** 2).sum()


def test_reconciled_tables_agree_and_are_nearer_to_the_truth() -> None:
    table, total, sigma = whole_table(5), 5_000.0, 30.0
    random = np.random.default_rng(2)
    noised = [
        measured(m.columns, m.values + random.normal(0, sigma, m.values.shape), sigma)
        for m in [*singles(table, total), *(measured(p, total * summed(table, ALL, p)) for p in ((0, 1), (1, 2)))]
    ]
    agreeing = reconciled(noised, SIZES, total)
    by = {m.columns: m.values for m in agreeing}
    for pair in ((0, 1), (1, 2)):
        for axis, column in enumerate(pair):
            np.testing.assert_allclose(by[pair].sum(axis=1 - axis), by[(column,)], atol=1.0)
        assert by[pair].min() >= 0
    errors = np.zeros(2)
    for seed in range(20):
        random = np.random.default_rng(seed)
        noised = [
            measured(m.columns, m.values + random.normal(0, sigma, m.values.shape), sigma) for m in noised[:0]
        ] or [
            measured(c, total * summed(table, ALL, c) + random.normal(0, sigma, [SIZES[x] for x in c]), sigma)
            for c in ((0,), (1,), (2,), (0, 1), (1, 2))
        ]
        for place, tables in enumerate((noised, reconciled(noised, SIZES, total))):
            errors[place] += sum(np.abs(m.values - total * summed(table, ALL, m.columns)).sum() for m in tables)
    assert errors[1] < 0.85 * errors[0]


def test_bins_of_equal_weight_lose_most_of_their_noise() -> None:
    random = np.random.default_rng(0)
    flat = Measured((0,), (np.arange(40),), 100 + random.normal(0, 10, 40), 10.0)
    (found,) = reconciled([flat], (40,), 4_000.0)
    assert np.abs(found.values - 100).mean() < 0.5 * np.abs(flat.values - 100).mean()
    steep = Measured((0,), (np.arange(4),), np.array([3_000.0, 800.0, 150.0, 50.0]), 10.0)
    (found,) = reconciled([steep], (4,), 4_000.0)
    np.testing.assert_allclose(found.values, steep.values, atol=1.0)


def test_a_cell_with_no_share_stays_finite() -> None:
    tree = JunctionTree.of((2, 2), [(0, 1)])
    known = [Measured((0, 1), (np.arange(2), np.arange(2)), np.array([[500.0, 0.0], [0.0, 500.0]]), 1.0)]
    model = fit(tree, [np.full(2, 0.5)] * 2, known, 1_000.0)
    assert all(np.isfinite(table).all() for table in model.potentials)
    assert propagate(tree, model.potentials).tables[0][0, 1] < 1e-3
