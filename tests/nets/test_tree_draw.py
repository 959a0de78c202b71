"""Rows of a graphical model: exact in distribution, steadier than independent draws."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chi2

from masquerade.nets.beliefs import Beliefs, propagate
from masquerade.nets.junction import JunctionTree
from masquerade.nets.tree_draw import draw_rows

SIZES = (3, 4, 2, 6)
ROWS = 4_000


@pytest.fixture(scope="module")
def beliefs() -> Beliefs:
    random = np.random.default_rng(0)
    tree = JunctionTree.of(SIZES, [(0, 1), (1, 2), (0, 2), (2, 3)])
    return propagate(tree, [random.normal(size=[SIZES[c] for c in clique]) for clique in tree.cliques])


def counts(codes: np.ndarray, columns: tuple[int, ...]) -> np.ndarray:
    shape = [SIZES[c] for c in columns]
    return np.bincount(np.ravel_multi_index([codes[:, c] for c in columns], shape), minlength=int(np.prod(shape)))


def test_tables_of_cliques_come_out_steadier_than_by_chance(beliefs: Beliefs) -> None:
    codes = draw_rows(beliefs, ROWS, np.random.default_rng(1))
    assert codes.shape == (ROWS, 4)
    for column, size in enumerate(SIZES):
        expected = ROWS * beliefs.marginal((column,))
        assert np.abs(counts(codes, (column,)) - expected).max() < 3  # by chance about 30
        assert codes[:, column].max() < size
    for table, clique in zip(beliefs.tables, beliefs.tree.cliques, strict=True):
        expected = ROWS * table.ravel()
        chance = np.sqrt(expected * (1 - table.ravel()))
        assert (np.abs(counts(codes, clique) - expected) / chance).mean() < 0.4  # by chance 0.8


@pytest.mark.parametrize("rows", [1, 1_500])
def test_rows_follow_the_model_also_across_cliques(beliefs: Beliefs, rows: int) -> None:
    """The first row of many draws: few rows are drawn one by one, and what steadies many rows leaves no trace in any."""
    draws = 1_500 if rows == 1 else 400
    first = np.array([draw_rows(beliefs, rows, np.random.default_rng(seed))[0] for seed in range(draws)])
    whole = np.einsum("abc,cd->abcd", beliefs.marginal((0, 1, 2)), _given(beliefs))
    for pair in ((0, 3), (1, 3), (0, 1)):
        expected = whole.sum(axis=tuple(c for c in range(4) if c not in pair)).ravel()
        apart = ((counts(first, pair) - draws * expected) ** 2 / (draws * expected)).sum()
        assert chi2.sf(apart, expected.size - 1) > 1e-6


def _given(beliefs: Beliefs) -> np.ndarray:
    joint = beliefs.marginal((2, 3))
    return joint / joint.sum(axis=1, keepdims=True)


def test_any_number_of_rows(beliefs: Beliefs) -> None:
    for rows in (0, 1, 2):
        assert draw_rows(beliefs, rows, np.random.default_rng(0)).shape == (rows, 4)


def test_rows_are_in_random_order(beliefs: Beliefs) -> None:
    codes = draw_rows(beliefs, ROWS, np.random.default_rng(2)).astype(float)
    for column in range(4):
        assert abs(np.corrcoef(codes[:-1, column], codes[1:, column])[0, 1]) < 0.1
