"""Distances of clouds of points: by hand, in two ways, and how often intervals hold."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import sqrtm

from masquerade.metrics.euclid import nearest_point, squared_distances
from masquerade.metrics.frechet import Moments, frechet_distance, frechet_interval
from masquerade.metrics.kernel_distance import kernel_distance
from masquerade.metrics.manifolds import Manifold
from masquerade.metrics.memorisation import nearer_share


def cloud(count: int, seed: int, shift: float = 0.0, width: int = 6) -> np.ndarray:
    random = np.random.default_rng(seed)
    return random.normal(shift, 1, (count, width)) @ np.diag(np.linspace(0.2, 2, width))


def test_frechet_distance_agrees_with_the_matrix_square_root() -> None:
    first, second = Moments.of(cloud(200, 0)), Moments.of(cloud(150, 1, 0.5) * 1.3)
    apart = ((first.mean - second.mean) ** 2).sum()
    mixed = np.trace(sqrtm(first.covariance @ second.covariance)).real
    expected = apart + np.trace(first.covariance) + np.trace(second.covariance) - 2 * mixed
    assert frechet_distance(first, second) == pytest.approx(expected, rel=1e-9)
    assert frechet_distance(second, first) == pytest.approx(expected, rel=1e-9)


def test_frechet_distance_of_fewer_points_than_dimensions() -> None:
    points = cloud(5, 0, width=20)
    assert frechet_distance(Moments.of(points), Moments.of(points)) == pytest.approx(0, abs=1e-9)
    assert frechet_distance(Moments.of(points), Moments.of(np.zeros((5, 20)))) > 1


@pytest.mark.parametrize("shift", [0.0, 0.3])
def test_frechet_intervals_hold(shift: float) -> None:
    """The distance of samples of this size, on average over many, lies in nearly every interval."""
    random, fixed = np.random.default_rng(0), Moments.of(cloud(150, 1_000, shift))
    found = [frechet_interval(cloud(150, i), fixed, random) for i in range(40)]
    mean = float(np.mean([value for value, _ in found]))
    assert sum(low <= mean <= high for _, (low, high) in found) >= 34


def kernel_by_hand(x: np.ndarray, y: np.ndarray) -> float:
    def k(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return np.asarray((a @ b.T / x.shape[1] + 1) ** 3)

    off = ~np.eye(len(x), dtype=bool)
    return float(k(x, x)[off].mean() + k(y, y)[off].mean() - 2 * k(x, y)[off].mean())


def test_kernel_distance_by_hand() -> None:
    x, y = cloud(60, 0), cloud(60, 1, 0.4)
    assert kernel_distance(x, y)[0] == pytest.approx(kernel_by_hand(x, y), rel=1e-4)
    assert kernel_distance(x, x)[0] == pytest.approx(0, abs=1e-4)
    with pytest.raises(ValueError, match="as many points"):
        kernel_distance(x, y[1:])


@pytest.mark.parametrize("shift", [0.0, 0.8])
def test_kernel_intervals_hold_for_clouds_alike_and_apart(shift: float) -> None:
    found = [kernel_distance(cloud(100, 2 * i), cloud(100, 2 * i + 1, shift)) for i in range(100)]
    truth = kernel_distance(cloud(6_000, 1_000), cloud(6_000, 1_001, shift))[0]
    held = sum(low <= truth <= high for _, (low, high) in found)
    assert 85 <= held <= 100
    if shift:
        assert sum(low > 0 for _, (low, _) in found) >= 90


def test_manifolds_by_brute_force() -> None:
    points, asked = cloud(50, 0), cloud(40, 1, 0.5)
    apart = np.linalg.norm(points[:, None] - points[None], axis=2)
    reach = np.sort(apart, axis=1)[:, 3]
    inside = (np.linalg.norm(asked[:, None] - points[None], axis=2) <= reach).any(axis=1)
    assert 0 < inside.sum() < 40
    assert Manifold(points).holds(asked).tolist() == inside.tolist()
    assert Manifold(points).holds(points).all()
    with pytest.raises(ValueError, match="more than 3"):
        Manifold(points[:3])


def test_nearest_points_are_exact_for_equal_pictures() -> None:
    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, (300, 784)).astype(np.float32) - np.float32(127.5)
    apart, index = nearest_point(pixels[:20], pixels)
    assert apart.tolist() == [0.0] * 20
    assert index.tolist() == list(range(20))
    blocks = np.concatenate([block.copy() for _, block in squared_distances(pixels[:20], pixels)])
    exact = ((pixels[:20, None].astype(float) - pixels[None]) ** 2).sum(axis=2)
    assert blocks == pytest.approx(exact, rel=1e-4, abs=1e-5 * exact.max())


def test_nearer_share_holds_half_for_strangers_and_sees_many_copies_of_one() -> None:
    held = 0
    for seed in range(60):
        released, train, holdout = (cloud(150, 3 * seed + i) for i in range(3))
        found = [nearest_point(released.astype(np.float32), side.astype(np.float32)) for side in (train, holdout)]
        share, (low, high) = nearer_share(*found[0], *found[1])
        assert low <= share <= high
        held += low <= 0.5 <= high
    assert held >= 53
    ones, places = np.ones(100), np.zeros(100, np.intp)
    share, (low, _) = nearer_share(0 * ones, places, ones, places)  # all of them near one picture: that is one finding
    assert share == 1.0
    assert low < 0.5
