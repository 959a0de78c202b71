"""The Gaussian copula: latent correlations found again, conditions, wide tables, and no JAX."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy import stats

from masquerade.codec.arrays import Encoded, Layout
from masquerade.errors import ConditionError
from masquerade.metrics.codes import subset_accuracies
from masquerade.synthesize.copula import GaussianCopula
from masquerade.synthesize.factors import fit_factors
from masquerade.synthesize.latent import Boxes, Gaps, code_orders

ROWS = 20_000


def cut(latent: np.ndarray, shares: list[list[float]]) -> tuple[Encoded, Layout]:
    """Latent numbers cut into codes of the given shares."""
    codes = np.stack(
        [np.searchsorted(stats.norm.ppf(np.cumsum(s)[:-1]), latent[:, i]) for i, s in enumerate(shares)], axis=1
    )
    sizes = tuple(map(len, shares))
    frequencies = tuple(np.bincount(codes[:, i], minlength=n) / len(codes) for i, n in enumerate(sizes))
    names = tuple(f"c{i}" for i in range(len(sizes)))
    flags = tuple((False,) * n for n in sizes)
    layout = Layout(names, sizes, flags, (True,) * len(sizes), frequencies)
    return Encoded(codes.astype(np.int32), np.zeros(codes.shape, np.float32)), layout


def test_latent_correlations_are_found_again_through_coarse_cuts() -> None:
    """The correlation of two yes-or-no columns is weaker than that behind them; the estimate must not be."""
    wanted = np.array([[1, 0.8, -0.5], [0.8, 1, -0.2], [-0.5, -0.2, 1]])
    latent = np.random.default_rng(0).multivariate_normal(np.zeros(3), wanted, ROWS)
    encoded, layout = cut(latent, [[0.5, 0.5], [0.8, 0.2], [0.2, 0.3, 0.5]])
    boxes = Boxes(layout, [np.arange(n) for n in layout.sizes])
    factors = fit_factors(boxes, encoded, boxes.shares_in_codes(encoded))
    found = factors.loadings @ factors.loadings.T + np.diag(factors.noise)
    np.testing.assert_allclose(found, wanted, atol=0.04)
    assert abs(np.corrcoef(encoded.codes[:, 0], encoded.codes[:, 1])[0, 1]) < 0.6
    drawn, _ = boxes.codes(factors.draw(ROWS, np.random.default_rng(1)))
    assert subset_accuracies(encoded.codes, drawn, layout.sizes, [(0, 1), (0, 2), (1, 2)]).min() > 0.98


def test_levels_are_ordered_by_what_goes_with_them() -> None:
    latent = np.random.default_rng(0).multivariate_normal(np.zeros(2), [[1, 0.8], [0.8, 1]], ROWS)
    encoded, layout = cut(latent, [[0.25] * 4, [0.2] * 5])
    shuffled = np.array([2, 0, 3, 1])
    encoded.codes[:, 0] = shuffled[encoded.codes[:, 0]]
    order = code_orders(encoded, layout, [None, None], seed=0)
    assert order[0].tolist() in (shuffled.tolist(), shuffled[::-1].tolist())
    kept = code_orders(encoded, layout, [None, np.arange(5)], seed=0)
    assert kept[1].tolist() == [0, 1, 2, 3, 4]


def test_unrelated_columns_of_few_rows_are_shrunk_towards_none() -> None:
    latent = np.random.default_rng(0).normal(size=(40, 30))
    encoded, layout = cut(latent, [[0.1] * 10] * 30)
    boxes = Boxes(layout, [np.arange(10)] * 30)
    factors = fit_factors(boxes, encoded, boxes.shares_in_codes(encoded))
    found = factors.loadings @ factors.loadings.T
    off = found[~np.eye(30, dtype=bool)]
    plain = np.corrcoef(latent.T)[~np.eye(30, dtype=bool)]
    assert np.abs(off).mean() < 0.4 * np.abs(plain).mean()
    np.testing.assert_allclose(np.diag(found), 1.0, atol=1e-9)


def test_missing_numbers_are_a_column_of_their_own_and_come_back() -> None:
    """Where no value is, a pair's correlation is that of the other rows."""
    latent = np.random.default_rng(0).multivariate_normal(np.zeros(2), [[1, 0.7], [0.7, 1]], ROWS)
    encoded, layout = cut(latent, [[0.1] * 10, [0.1] * 10])
    codes = encoded.codes.copy()
    codes[np.random.default_rng(1).random(ROWS) < 0.4, 0] = 10
    shares = np.bincount(codes[:, 0], minlength=11) / ROWS
    flags = ((False,) * 11, layout.has_scalar[1])
    layout = Layout(layout.names, (11, 10), flags, layout.discrete, (shares, layout.frequencies[1]))
    gaps = Gaps(layout, [10, -1])
    whole, there = gaps.split(Encoded(codes, encoded.scalars))
    assert there.mean(axis=0) == pytest.approx([1 - shares[10], 1, 1])
    np.testing.assert_array_equal(gaps.join(whole).codes, codes)
    boxes = Boxes(gaps.layout, [np.arange(11), np.arange(10), np.arange(2)])
    factors = fit_factors(boxes, whole, boxes.shares_in_codes(whole), there)
    found = factors.loadings @ factors.loadings.T
    assert found[0, 1] == pytest.approx(0.7, abs=0.03)
    drawn, _ = boxes.codes(factors.draw(ROWS, np.random.default_rng(1)))
    assert not (drawn[:, 0] == 10).any()
    assert drawn[:, 2].mean() == pytest.approx(shares[10], abs=0.02)


@pytest.fixture(scope="module")
def table() -> pl.DataFrame:
    """A number and a grade that follow an imbalanced class; a skewed amount with a heavy zero; missing values."""
    random = np.random.default_rng(1)
    y = random.random(4_000) < 0.1
    x = np.round(random.normal(np.where(y, 2, 0), 1), 2)
    amount = np.where(random.random(4_000) < 0.3, 0.0, np.round(np.exp(x + random.normal(size=4_000)), 2))
    g = np.where(random.random(4_000) < 0.5, "a", "b")
    frame = pl.DataFrame({"y": np.where(y, "yes", "no"), "x": x, "amount": amount, "g": g})
    return frame.with_columns(pl.when(pl.int_range(4_000) % 10 > 0).then("amount").alias("amount"))


@pytest.fixture(scope="module")
def model(table: pl.DataFrame) -> GaussianCopula:
    return GaussianCopula(random_state=0).fit(table)


def test_columns_and_rank_correlations_come_out_as_they_are(model: GaussianCopula, table: pl.DataFrame) -> None:
    drawn = model.sample(20_000, random_state=0)
    for name in ("x", "amount"):
        real, ours = table[name].drop_nulls(), drawn[name].drop_nulls()
        assert stats.ks_2samp(real, ours).statistic < 0.035
    assert (drawn["amount"] == 0).mean() == pytest.approx((table["amount"] == 0).mean(), abs=0.02)
    assert drawn["amount"].null_count() / 20_000 == pytest.approx(0.1, abs=0.015)
    ranks = [stats.spearmanr(*frame.drop_nulls().select("x", "amount")).statistic for frame in (table, drawn)]
    assert ranks[1] == pytest.approx(ranks[0], abs=0.06)


def test_a_condition_moves_the_other_columns(model: GaussianCopula, table: pl.DataFrame) -> None:
    for class_ in ("yes", "no"):
        given = model.sample(4_000, given={"y": class_}, random_state=2)
        free = model.sample(40_000, random_state=3).filter(pl.col("y") == class_)
        assert set(given["y"]) == {class_}
        assert given["x"].mean() == pytest.approx(free["x"].mean(), abs=0.1)
        assert given["x"].mean() == pytest.approx(table.filter(pl.col("y") == class_)["x"].mean(), abs=0.35)
    with pytest.raises(ConditionError, match="one discrete column"):
        model.sample(5, given={"y": "yes", "g": "b"})


def test_a_table_wider_than_long_keeps_its_common_factors() -> None:
    random = np.random.default_rng(0)
    common, weight = random.normal(size=(300, 3)), random.normal(size=(3, 1_100))
    values = common @ weight + random.normal(size=(300, 1_100))
    codes = np.minimum((stats.rankdata(values, axis=0) - 1) // 30, 9).astype(np.int32)
    layout = Layout(
        tuple(f"g{i}" for i in range(1_100)), (10,) * 1_100, ((False,) * 10,) * 1_100, (False,) * 1_100,
        (np.full(10, 0.1),) * 1_100,
    )  # fmt: skip
    encoded = Encoded(codes, np.zeros(codes.shape, np.float32))
    boxes = Boxes(layout, [np.arange(10)] * 1_100)
    factors = fit_factors(boxes, encoded, boxes.shares_in_codes(encoded))
    assert factors.loadings.shape == (1_100, 3)
    truth = weight.T @ weight + np.eye(1_100)
    truth /= np.sqrt(np.outer(np.diag(truth), np.diag(truth)))
    off = np.triu_indices(1_100, 1)
    found = (factors.loadings @ factors.loadings.T)[off]
    observed = np.corrcoef(values.T)[off]
    assert np.abs(found - truth[off]).mean() < np.abs(observed - truth[off]).mean()
    drawn = factors.draw(4_000, random)
    np.testing.assert_allclose(drawn.std(axis=0), 1.0, atol=0.08)


def test_fitting_and_drawing_load_no_jax() -> None:
    code = (
        "import sys, polars as pl, masquerade as mq; t = pl.DataFrame({'a': [1, 2, 3, 4] * 25, 'b': ['x', 'y'] * 50});"
        "mq.GaussianCopula(random_state=0).fit(t).sample(5, given={'b': 'x'});"
        "print([m for m in ('jax', 'equinox', 'sklearn', 'scipy.stats', 'pandas') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.data
def test_adult_is_fitted_in_about_a_second(shared_data: Path) -> None:
    table = pl.read_csv(shared_data / "adult" / "adult.csv.gz").drop("split")
    began = time.process_time()
    model = GaussianCopula(random_state=0).fit(table)
    assert time.process_time() - began < 5  # about half a second where nothing else runs
    drawn = model.sample(20_000, random_state=0)
    taught = [frame.filter(pl.col("education-num") >= 13) for frame in (table, drawn)]
    shares = [(frame["income"] == ">50K").mean() for frame in taught]
    assert shares[1] == pytest.approx(shares[0], abs=0.08)
