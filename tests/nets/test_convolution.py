"""Convolutions with derivatives of their own equal JAX's, of first and second order."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from masquerade.nets.convolution import Conv, convolve, rough, smooth


def plain(x: jax.Array, weight: jax.Array, stride: int) -> jax.Array:
    return jax.lax.conv_general_dilated(x, weight, (stride, stride), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))


@pytest.mark.parametrize(
    ("kernel", "stride", "height", "width"), [(3, 1, 7, 5), (4, 2, 8, 6), (5, 2, 9, 7), (1, 1, 4, 4), (4, 3, 10, 7)]
)
def test_values_and_derivatives_are_those_of_the_library(kernel: int, stride: int, height: int, width: int) -> None:
    random = np.random.default_rng(0)
    x = jnp.asarray(random.normal(size=(2, height, width, 3)), jnp.float32)
    weight = jnp.asarray(random.normal(size=(kernel, kernel, 3, 2)), jnp.float32)

    def facts(convolution: object) -> list[jax.Array]:
        def value(x: jax.Array, weight: jax.Array) -> jax.Array:
            return jnp.sin(convolution(x, weight, stride)).sum()  # type: ignore[operator]

        def steepness(x: jax.Array, weight: jax.Array) -> jax.Array:
            of_x, of_weight = jax.grad(value, (0, 1))(x, weight)
            return jnp.square(of_x).sum() + jnp.sin(of_weight).sum()

        first, second = jax.grad(value, (0, 1)), jax.grad(steepness, (0, 1))
        return [convolution(x, weight, stride), *first(x, weight), *second(x, weight)]  # type: ignore[operator]

    for ours, theirs in zip(jax.jit(lambda: facts(convolve))(), jax.jit(lambda: facts(plain))(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=2e-4, atol=2e-4 * float(jnp.abs(theirs).max()))


def test_a_layer_keeps_the_variance_and_a_gain_of_zero_is_silent() -> None:
    x = jax.random.normal(jax.random.key(0), (64, 8, 8, 16))
    inner = Conv(16, 32, key=jax.random.key(1))(x)[:, 1:-1, 1:-1]
    assert abs(float(inner.std()) - 1) < 0.05
    assert not Conv(16, 32, gain=0.0, key=jax.random.key(1))(x).any()
    assert Conv(16, 4, 4, 2, key=jax.random.key(1))(x).shape == (64, 4, 4, 4)


def test_doubling_and_halving() -> None:
    x = jnp.arange(2 * 2 * 3 * 4.0).reshape(2, 2, 3, 4)
    double = smooth(x)
    assert double.shape == (2, 4, 6, 1)
    assert double[0, :2, :2, 0].ravel().tolist() == x[0, 0, 0].tolist()
    np.testing.assert_allclose(rough(double)[..., 0], x.mean(axis=3))
