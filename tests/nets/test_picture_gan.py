"""The GAN of pictures: what a step needs, what augmentation does, and both losses."""

from __future__ import annotations

import functools

import jax
import jax.numpy as jnp
import numpy as np

from masquerade.nets.picture_gan import PictureGAN, PictureSettings, augmented
from masquerade.nets.picture_nets import PictureCritic, PictureGenerator


def gan(**settings: object) -> PictureGAN:
    nets = (functools.partial(net, width=8) for net in (PictureGenerator, PictureCritic))
    return PictureGAN((8, 8, 1), 2, PictureSettings(batch_size=4, latent_width=3, **settings), *nets)  # type: ignore[arg-type]


def test_no_pair_is_told_apart_at_the_relativistic_balance() -> None:
    scores = jnp.array([0.3, -2.0])
    assert abs(float(gan()._loss(scores, scores)) - np.log(2)) < 1e-6
    assert abs(float(gan(loss="standard", penalty=0.0)._loss(scores * 0, scores * 0)) - 2 * np.log(2)) < 1e-6


def test_drawing_is_by_key_and_block_and_class() -> None:
    model = gan()
    params = model.init(0).average
    draw = jax.jit(model.draw)
    classes = jnp.array([0, 1, 0])
    first = draw(params, jax.random.key(0), jnp.int32(0), classes)
    assert first.dtype == jnp.uint8
    assert first.shape == (3, 8, 8, 1)
    assert (first == draw(params, jax.random.key(0), jnp.int32(0), classes)).all()
    assert (first != draw(params, jax.random.key(0), jnp.int32(1), classes)).any()
    assert (first[0] != draw(params, jax.random.key(0), jnp.int32(0), 1 - classes)[0]).any()


def test_the_skeleton_is_that_of_the_generator() -> None:
    model = gan()
    shapes = [leaf.shape for leaf in jax.tree.leaves(model.skeleton())]
    assert shapes == [leaf.shape for leaf in jax.tree.leaves(model.init(0).generator)]


def test_augmented_pictures_are_moved_and_covered_alike_under_a_key() -> None:
    white = jnp.ones((64, 16, 16, 1))
    seen = augmented(white, jax.random.key(0))
    assert (seen == augmented(white, jax.random.key(0))).all()
    assert set(np.unique(seen)) == {-1.0, 1.0}
    dark = np.asarray((seen < 0).mean(axis=(1, 2, 3)))
    assert 0.1 < (dark == 0).mean() < 0.45  # a quarter is neither moved nor covered
    assert dark.max() < 0.5
    # Differentiable: what is covered has no slope, what is seen has one.
    slope = jax.grad(lambda x: augmented(x, jax.random.key(0)).sum())(white)
    assert float(slope.sum()) == float((seen > 0).sum())
