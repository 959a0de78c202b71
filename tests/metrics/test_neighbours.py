"""Nearest neighbours beside a plain double loop, whatever is missing, out of range or wide."""

from __future__ import annotations

import numpy as np
import pytest

from masquerade.metrics.neighbours import Points, nearest


def plain(a: Points, b: Points) -> np.ndarray:
    found = np.empty((len(a), len(b)))
    for i in range(len(a)):
        for k in range(len(b)):
            total = float((a.codes[i] != b.codes[k]).sum())
            for x, y in zip(a.numbers[i], b.numbers[k], strict=True):
                if np.isnan(x) or np.isnan(y):
                    total += float(np.isnan(x) != np.isnan(y))
                else:
                    total += min(abs(float(x) - float(y)), 1.0)
            found[i, k] = total
    return found


@pytest.mark.parametrize("holes", [False, True])
def test_agrees_with_a_double_loop(holes: bool) -> None:
    random = np.random.default_rng(0)

    def points(n: int) -> Points:
        numbers = random.uniform(-0.3 * holes, 1 + 0.3 * holes, (n, 3)).astype(np.float32)
        if holes:
            numbers[random.random((n, 3)) < 0.3] = np.nan
        return Points(numbers, np.stack([random.integers(0, 4, n), random.integers(0, 100, n)], 1).astype(np.int32))

    a, b = points(40), points(60)
    found, distances = nearest(a, b, (4, 100)), plain(a, b)
    ordered = np.sort(distances, axis=1)
    assert found.first == pytest.approx(ordered[:, 0], abs=1e-5)
    assert found.second == pytest.approx(ordered[:, 1], abs=1e-5)
    assert distances[np.arange(40), found.index] == pytest.approx(ordered[:, 0], abs=1e-5)


def test_blocks_do_not_matter_and_copies_lie_at_exactly_zero() -> None:
    random = np.random.default_rng(1)
    b = Points(random.random((300_000, 1), dtype=np.float32), np.zeros((300_000, 0), np.int32))
    ticks: list[int] = []
    found = nearest(b.rows(slice(0, 9)), b, (), tick=lambda: ticks.append(1))
    assert (found.first == 0).all()
    assert len(ticks) == 3


def test_one_reference_has_no_second() -> None:
    one = Points(np.zeros((1, 1), np.float32), np.zeros((1, 1), np.int32))
    assert nearest(one, one, (1,)).second.tolist() == [np.inf]
