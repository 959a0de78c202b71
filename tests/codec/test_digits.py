"""Codes as digits: every code has its own spelling, and the nodes lead back to it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from masquerade.codec.arrays import Layout
from masquerade.codec.digits import Digits, spell


def layout(sizes: list[int], kinds: list[str], seed: int = 0) -> Layout:
    """Columns of these sizes: `"levels"`, `"numbers"`, or `"gaps"` (numbers, and missing as the last code)."""
    random = np.random.default_rng(seed)
    frequencies, places = [], []
    for size, kind in zip(sizes, kinds, strict=True):
        frequencies.append(random.dirichlet(np.full(size, 0.3)))
        rank = np.column_stack([np.linspace(0, 1, size), np.linspace(-2, 2, size)]).astype(np.float32)
        if kind == "gaps":
            rank[-1] = np.nan
        places.append(None if kind == "levels" else rank)
    names = tuple(f"c{i}" for i in range(len(sizes)))
    flags = tuple((False,) * size for size in sizes)
    return Layout(names, tuple(sizes), flags, (True,) * len(sizes), tuple(frequencies), tuple(places))


@pytest.mark.parametrize("size", [1, 2, 31, 32, 33, 64, 993, 1024, 1025, 40_000])
@pytest.mark.parametrize(("ordered", "apart"), [(False, False), (True, False), (True, True)])
def test_every_code_has_its_own_spelling(size: int, ordered: bool, apart: bool) -> None:
    weights = np.random.default_rng(0).dirichlet(np.full(size, 0.2))
    digits = spell(weights, ordered=ordered, apart=apart)
    assert digits.shape[1] == size
    assert 0 <= digits.min() <= digits.max() < 32
    assert len(np.unique(digits, axis=1).T) == size
    # No more digits than it takes, but one more where missing asks for a first digit of its own.
    least = next(levels for levels in range(1, 6) if 32**levels >= size)
    assert least <= len(digits) <= least + apart


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 200),
    st.booleans(),
    st.booleans(),
    st.integers(2, 9),
    st.sampled_from([0.01, 0.3, 30.0]),
    st.integers(0, 9),
)
def test_any_weights_and_base(size: int, ordered: bool, apart: bool, base: int, evenness: float, seed: int) -> None:
    weights = np.random.default_rng(seed).dirichlet(np.full(size, evenness))
    digits = spell(weights, ordered=ordered, base=base, apart=apart and ordered)
    assert 0 <= digits.min() <= digits.max() < base
    assert len(np.unique(digits, axis=1).T) == size


def test_neighbours_share_their_first_digit_and_halves_weigh_alike() -> None:
    weights = np.random.default_rng(0).dirichlet(np.full(900, 5.0))
    first = spell(weights, ordered=True)[0]
    assert (np.diff(first) >= 0).all()
    group = np.bincount(first, weights)
    assert group.max() < 2.5 * group.mean()


def test_missing_stands_apart_from_the_numbers() -> None:
    digits = spell(np.full(400, 1 / 400), ordered=True, apart=True)
    assert digits[0, -1] not in digits[0, :-1]


def test_frequent_levels_cost_one_digit() -> None:
    """Where there is no order, the first digit alone tells the most frequent levels."""
    weights = 1.0 / np.arange(1, 301)
    digits = spell(weights / weights.sum(), ordered=False)
    alone = np.bincount(digits[0], minlength=32)[digits[0]] == 1
    assert alone[:20].all()
    assert weights[alone].sum() > 0.5 * weights.sum()


def test_the_nodes_lead_to_every_code_and_weigh_what_lies_behind() -> None:
    table = layout([5, 40, 1_500, 90], ["levels", "numbers", "levels", "gaps"])
    digits = Digits.of(table)
    assert digits.sizes.tolist() == list(table.sizes)
    assert digits.slots == 1 + 2 + 3 + 2
    for column, size in enumerate(table.sizes):
        levels = np.count_nonzero(digits.column == column)
        for code in (0, size // 2, size - 1):
            place = digits.starts[column] + code
            node = digits.node[0, place]
            for level in range(levels):
                assert digits.node[level, place] == node
                behind, node = (
                    digits.place[node, digits.digit[level, place]],
                    digits.next_node[node, digits.digit[level, place]],
                )
            assert behind == place
    weights = digits.child_weights(table.frequencies)
    roots = digits.node[0][digits.starts]
    assert weights[roots].sum(axis=1) == pytest.approx(1)
    assert weights.sum() == pytest.approx(np.bincount(digits.column).sum())
    # A child that leads on weighs as much as all of its own children.
    node, digit = np.nonzero(digits.next_node)
    assert weights[digits.next_node[node, digit]].sum(axis=1) == pytest.approx(weights[node, digit])


def test_shares_of_children_add_up_to_one() -> None:
    digits = Digits.of(layout([3, 70, 1], ["levels", "gaps", "levels"]))
    share = np.exp(digits.log_share.astype(np.float64))
    assert share.sum(axis=1) == pytest.approx(1, abs=1e-5)
    assert (share[digits.log_share < -1e8] == 0).all()


def test_a_column_of_one_code_is_spelled_with_one_digit() -> None:
    digits = Digits.of(layout([1], ["levels"]))
    assert digits.slots == 1
    assert np.exp(digits.log_share[0, 0]) == pytest.approx(1)
