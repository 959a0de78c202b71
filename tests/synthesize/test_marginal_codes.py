"""Columns of the graphical model: rare codes, neighbours, views; and how codes are split again."""

from __future__ import annotations

import numpy as np
import pytest

from masquerade.nets.junction import JunctionTree
from masquerade.synthesize.marginal_codes import coarse_column
from masquerade.synthesize.marginal_model import MarginalModel


def test_rare_codes_without_an_order_are_put_together() -> None:
    counts = np.array([500.0, 3.0, 300.0, -4.0, 9.0, 200.0])
    column = coarse_column(counts, 10.0, 1_008.0, None, 100)
    assert column.group.tolist() == [0, 3, 1, 3, 3, 2]
    assert column.values.tolist() == [500, 300, 200, 8]
    assert (column.weights > 0).all()
    assert column.shares.sum() == pytest.approx(1)
    alone = coarse_column(np.array([500.0, 3.0, 300.0]), 10.0, 803.0, None, 100)
    assert alone.group.tolist() == [0, 1, 2]  # one rare code has nothing to be put with


def test_neighbours_with_an_order_are_put_together_until_they_are_clear() -> None:
    counts = np.array([10.0, 12.0, 15.0, 90.0, 8.0, 5.0])
    places = np.array([0.5, 0.1, 0.3, 0.7, 0.9, np.nan])
    column = coarse_column(counts, 5.0, 140.0, places, 100)
    # along the line: 12, 15 (27 ≥ 15 √2), 10 and 90, then 8, which joins what was before; missing stays by itself
    assert column.group.tolist() == [1, 0, 0, 1, 1, 2]
    assert column.values.tolist() == [27.0, 108.0, 5.0]


def test_large_columns_keep_their_heaviest_codes() -> None:
    counts = np.arange(400.0, 0, -1) * 10
    column = coarse_column(counts, 1.0, counts.sum(), None, 50)
    assert column.size == 50
    assert column.group[:49].tolist() == list(range(49))
    ordered = coarse_column(counts, 1.0, counts.sum(), np.linspace(0, 1, 400), 50)
    assert ordered.size <= 50
    assert (np.diff(ordered.group) >= 0).all()


def test_rare_counts_are_moved_towards_their_mean() -> None:
    random = np.random.default_rng(0)
    true = np.full(40, 20.0)
    noised = np.concatenate([[5_000.0], true + random.normal(0, 15, 40)])
    column = coarse_column(noised, 15.0, 5_800.0, None, 100)
    assert np.abs(column.weights[1:] - true).mean() < 0.5 * np.abs(np.maximum(noised[1:], 0) - true).mean()


def test_views_are_coarser_and_in_order() -> None:
    counts = np.full(24, 100.0)
    column = coarse_column(counts, 1.0, 2_400.0, np.linspace(0, 1, 24), 100)
    assert column.ladders == ((0, 1, 2, 3), (0, 4, 5, 6))
    assert [int(view.max()) + 1 for view in column.views] == [24, 8, 4, 2, 8, 4, 2]
    assert all((np.diff(view) >= 0).all() for view in column.views)
    assert np.bincount(column.views[1]).tolist() == [3] * 8
    assert np.bincount(column.views[4]).tolist() == [1] * 7 + [17]
    falling = coarse_column(np.arange(30.0, 0, -1) * 100, 1.0, 46_500.0, None, 100)
    assert falling.ladders == ((0, 1, 2, 3, 4),)
    assert falling.views[3].tolist() == [0, 1, 2] + [3] * 26 + [3]


def model_of(counts: np.ndarray, sigma: float) -> MarginalModel:
    column = coarse_column(counts, sigma, float(counts.sum()), None, 100)
    tree = JunctionTree.of([column.size], [])
    return MarginalModel(tree, (np.log(column.shares),), (column.group,), (column.weights,))


def test_merged_codes_are_split_in_proportion() -> None:
    counts = np.array([600.0, 10.0, 250.0, 20.0, 30.0, 90.0])
    model = model_of(counts, 12.0)
    assert model.tree.sizes == (4,)
    codes = model.draw(50_000, np.random.default_rng(0))
    shares = np.bincount(codes[:, 0], minlength=6) / 50_000
    wanted = model.weights[0][[1, 3, 4]] / model.weights[0][[1, 3, 4]].sum()
    np.testing.assert_allclose(shares[[1, 3, 4]] / shares[[1, 3, 4]].sum(), wanted, atol=0.01)
    np.testing.assert_allclose(shares[[0, 2, 5]], counts[[0, 2, 5]] / 1_000, atol=0.01)
    few = np.concatenate([model.draw(1, np.random.default_rng(seed)) for seed in range(3_000)])
    np.testing.assert_allclose(np.bincount(few[:, 0], minlength=6) / 3_000, shares, atol=0.045)


@pytest.mark.parametrize(
    "change",
    [
        {"groups": (np.array([0, 1, 3]),)},
        {"groups": (np.array([0, 1]),)},
        {"weights": (np.array([1.0, 0.0, 1.0]),)},
        {"weights": (np.array([1.0, np.nan, 1.0]),)},
        {"potentials": (np.zeros(2),)},
        {"potentials": (np.array([0.0, np.inf, 0.0]),)},
        {"potentials": ()},
        {"cliques": ((0, 1),)},
        {"parents": (0,)},
    ],
)
def test_a_damaged_model_is_refused(change: dict[str, object]) -> None:
    whole: dict[str, object] = {
        "sizes": (3,), "cliques": ((0,),), "parents": (-1,), "potentials": (np.zeros(3),), "groups": (np.arange(3),),
        "weights": (np.ones(3),),
    }  # fmt: skip
    MarginalModel.checked(**whole)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"\w"):
        MarginalModel.checked(**(whole | change))  # type: ignore[arg-type]
