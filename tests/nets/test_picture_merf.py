"""Mean embeddings of pictures: exact, of length 1, and told apart by what they should be."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest

from masquerade.nets.picture_merf import WindowFeatures
from masquerade.privacy.sums import GRID, bounded_rows, longest


def pictures(count: int, shape: tuple[int, int, int], seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, *shape), dtype=np.uint8)


@pytest.mark.parametrize("shape", [(8, 8, 1), (12, 8, 3), (28, 28, 1)])
def test_both_ways_give_the_same_features_of_length_one(shape: tuple[int, int, int]) -> None:
    features = WindowFeatures(shape, 300)
    images = pictures(5, shape)
    whole = features.whole(images, GRID)
    painted = np.asarray(features(jnp.asarray(images, jnp.float32) / 127.5 - 1))
    assert whole.shape == painted.shape == (5, features.width)
    np.testing.assert_allclose(whole / GRID, painted, atol=2e-4)
    np.testing.assert_allclose(np.square(whole / GRID).sum(axis=1), 1, atol=1e-4)
    assert (bounded_rows(whole) == whole).all()  # the bound cuts nothing real
    assert np.square(whole).sum(axis=1).max() <= longest(features.width) ** 2


def test_what_a_picture_embeds_to_hangs_on_nothing_but_the_picture() -> None:
    features = WindowFeatures((28, 28, 1), 600)
    images = pictures(40, (28, 28, 1))
    together = features.whole(images, GRID)
    assert (features.whole(images[::-1], GRID)[::-1] == together).all()
    assert (features.whole(images[17:18], GRID)[0] == together[17]).all()
    assert (features.whole(images[3:10], GRID) == together[3:10]).all()


def test_nearer_pictures_embed_nearer() -> None:
    features = WindowFeatures((12, 12, 1), 2_000)
    first = pictures(1, (12, 12, 1)).astype(int)
    near = np.clip(first + np.random.default_rng(1).integers(-10, 11, first.shape), 0, 255)
    far = pictures(1, (12, 12, 1), seed=2)
    embedded = features.whole(np.concatenate([first, near, far]).astype(np.uint8), GRID) / GRID
    assert embedded[0] @ embedded[1] > 0.9
    assert abs(embedded[0] @ embedded[2]) < 0.3
