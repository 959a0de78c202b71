"""The private loop: sensitivity of the scores, noise of the counts, which pairs are chosen, how large the model grows."""

from __future__ import annotations

import math

import numpy as np
import pytest

from masquerade.nets.maxent import grouped
from masquerade.privacy.accountant import Accountant
from masquerade.privacy.budget import Privacy
from masquerade.synthesize.marginal_codes import CoarseColumn, coarse_column
from masquerade.synthesize.marginal_rounds import Plan, Rounds, plan

SIZES = (3, 12, 4, 2)


def columns_of(codes: np.ndarray, sigma: float = 5.0, sizes: tuple[int, ...] = SIZES) -> list[CoarseColumn]:
    """The model's columns, every code by itself."""
    found = []
    for place, size in enumerate(sizes):
        counts = np.bincount(codes[:, place], minlength=size) + 20.0
        found.append(coarse_column(counts, sigma, float(len(codes)), np.linspace(0, 1, size), 300))
        assert found[-1].size == size
    return found


def table(rows: int = 3_000, seed: int = 0) -> np.ndarray:
    """Column 1 follows column 0, column 3 follows column 2; nothing else hangs together."""
    random = np.random.default_rng(seed)
    first, third = random.integers(0, 3, rows), random.integers(0, 4, rows)
    return np.column_stack(
        [first, (4 * first + random.integers(0, 5, rows)) % 12, third, (third > 1) ^ (random.random(rows) < 0.1)]
    ).astype(np.int64)


def rounds(
    codes: np.ndarray, columns: list[CoarseColumn], *, epsilon: float = 2.0, sigma: float = 3.0, rows_of_one: int = 1,
    max_cells: int = 100_000,
) -> Rounds:  # fmt: skip
    return Rounds(codes, columns, float(len(codes)), Plan((3, 2), epsilon, sigma), rows_of_one, max_cells)


@pytest.mark.parametrize("rows_of_one", [1, 4])
def test_one_unit_moves_no_score_by_more_than_its_rows(rows_of_one: int) -> None:
    """What is public (the columns, the model) is alike on both sides; only the rows differ by one unit."""
    codes = table()
    columns = columns_of(codes)
    whole = rounds(codes, columns, rows_of_one=rows_of_one)
    whole.step(3, last=False)
    random, worst = np.random.default_rng(1), 0.0
    candidates, scores = whole._scored()
    for _ in range(20):
        unit = np.column_stack([random.integers(0, size, rows_of_one) for size in SIZES])
        more = rounds(codes, columns, rows_of_one=rows_of_one)
        more.codes, more.model, more.tree = np.concatenate([codes, unit]), whole.model, whole.tree
        more._cached.clear()
        same, others = more._scored()
        assert same == candidates
        worst = max(worst, float(np.abs(others - scores).max()))
    assert 0.5 * rows_of_one < worst <= rows_of_one + 1e-6


@pytest.mark.parametrize("rows_of_one", [1, 3])
def test_counts_have_the_noise_that_is_paid_for(rows_of_one: int) -> None:
    codes = table()
    made = rounds(codes, columns_of(codes), sigma=6.0, rows_of_one=rows_of_one)
    before = len(made.measured)
    for _ in range(60):
        made._count((1, 2), (0, 0))
    true = grouped(made._table((1, 2)).astype(float), made.measured[before].groups)
    noise = np.concatenate([(m.values - true).ravel() for m in made.measured[before:]])
    assert made.measured[-1].sigma == 6.0 * rows_of_one
    # 2,880 draws: the standard deviation is known to 1.3 %
    assert abs(noise.std() / (6.0 * rows_of_one) - 1) < 0.08
    assert abs(noise.mean()) < 0.75 * rows_of_one


def test_what_hangs_together_is_chosen_first() -> None:
    codes = table()
    made = rounds(codes, columns_of(codes))
    made.step(3, last=True)
    assert {(0, 1), (2, 3)} <= set(made.graph)
    for pair in ((0, 1), (2, 3)):
        real = made._table(pair) / len(codes)
        assert 0.5 * np.abs(made.model.beliefs.marginal(pair) - real).sum() < 0.05


def test_loud_choices_choose_by_chance() -> None:
    """The same rows, next to no budget for choosing: pairs that hang together are found no more often than by chance."""
    codes = table()
    columns = columns_of(codes)
    found = 0
    for _ in range(30):
        made = rounds(codes, columns, epsilon=1e-6)
        made._measure(1)
        found += (0, 1) in made.graph
    assert found < 20  # one of 15 candidates or so; by chance more than 20 of 30 is next to impossible


def test_new_tables_close_no_cycle() -> None:
    codes = table()
    made = rounds(codes, columns_of(codes), epsilon=1e-6)
    made._measure(6)
    assert len(made.graph) <= 3


def test_the_model_keeps_to_its_size() -> None:
    random = np.random.default_rng(0)
    codes = random.integers(0, 12, (2_000, 6))
    columns = columns_of(codes, sizes=(12,) * 6)
    for max_cells in (150, 600, 4_000):
        made = rounds(codes, columns, max_cells=max_cells)
        for _ in range(4):
            made.step(4, last=False)
        assert made.tree.cells <= max_cells
        made.tree.check()
    assert made.tree.cells > 600  # room is used


def test_resolutions_are_the_finest_that_are_not_mostly_noise() -> None:
    codes = table()
    made = rounds(codes, columns_of(codes), sigma=3.0)
    quiet = made._resolutions((1, 2))
    assert quiet == [(0, 0)]  # 48 cells with noise of about 2.4 each among 3,000 rows
    loud = rounds(codes, columns_of(codes), sigma=40.0)
    for views in loud._resolutions((1, 2)):
        cells = math.prod(int(loud.columns[c].views[v].max()) + 1 for c, v in zip((1, 2), views, strict=True))
        assert loud._noise(cells) <= 0.5 * 3_000
    assert loud._resolutions((1, 2)) != quiet


def test_a_plan_uses_all_that_is_left() -> None:
    accountant = Accountant(Privacy(epsilon=1.0, delta=1e-6))
    made = plan(5, accountant, 1)
    assert made.rounds[0] == 4
    assert 0.99 < accountant.spent() <= 1.0
    assert [event["count"] for event in accountant.events] == [sum(made.rounds)] * 2
    alone = Accountant(Privacy(epsilon=1.0, delta=1e-6))
    assert plan(5, alone, 7).sigma == pytest.approx(made.sigma)  # of a unit with 7 rows: 7 times the noise
    assert alone.events[1]["sensitivity"] == 7
