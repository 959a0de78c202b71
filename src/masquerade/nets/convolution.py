"""Convolutions over batches of pictures (batch, height, width, channels), and what goes with them.

Inside a compiled loop XLA's code for CPUs runs a convolution a hundred times slower unless channels come last in all its
operands, which the derivatives that JAX makes do not keep to. So the three bilinear maps that a convolution and its derivatives
are made of (`convolve`, its transpose, and the correlation that gives the slope of the weights) are written out here, channels
last, and each names the others as its derivatives: it can be differentiated as often as a penalty on slopes asks for.
"""

from __future__ import annotations

import functools
import math

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

__all__ = ["Conv", "Dense", "convolve", "fold", "leaky", "patches", "rough", "smooth"]


def leaky(x: Array) -> Array:
    """Leaky ReLU of slope 0.2, which keeps the variance of normal numbers."""
    result: Array = jax.nn.leaky_relu(x, 0.2) * jnp.float32(math.sqrt(2 / (1 + 0.2**2)))
    return result


def _padding(size: int, kernel: int, stride: int) -> tuple[int, int, int]:
    """Places along one side, and the zeros before and after it."""
    places = -(-size // stride)
    zeros = max((places - 1) * stride + kernel - size, 0)
    return places, zeros // 2, zeros - zeros // 2


_Last = ("NHWC", "HWIO", "NHWC")

TINY = 2
"""Sides of pictures whose convolutions XLA's code for CPUs runs ten times slower than the one product they come to."""


@functools.partial(jax.custom_vjp, nondiff_argnums=(2,))
def convolve(x: Array, weight: Array, stride: int) -> Array:
    """A convolution of pictures (batch, height, width, in) with weights (kernel, kernel, in, out), zeros around."""
    if x.shape[1] == x.shape[2] == TINY and stride == 1:
        seen = patches(x, weight.shape[0], 1)
        return (seen @ weight.reshape(seen.shape[2], -1)).reshape(*x.shape[:3], -1)
    return jax.lax.conv_general_dilated(x, weight, (stride, stride), "SAME", dimension_numbers=_Last)


@functools.partial(jax.custom_vjp, nondiff_argnums=(2, 3))
def _transposed(y: Array, weight: Array, stride: int, size: tuple[int, int]) -> Array:
    """The transpose of `convolve` in its pictures, which were of this size."""
    kernel = weight.shape[0]
    turned = jnp.flip(weight, (0, 1)).transpose(0, 1, 3, 2)
    if stride == 1 and kernel % 2 == 1:
        return convolve(y, turned, 1)
    around = []
    for side in size:
        places, before, _ = _padding(side, kernel, stride)
        first = kernel - 1 - before
        around.append((first, side + kernel - 2 - (places - 1) * stride - first))
    return jax.lax.conv_general_dilated(
        y, turned, (1, 1), around, lhs_dilation=(stride, stride), dimension_numbers=_Last
    )


@functools.partial(jax.custom_vjp, nondiff_argnums=(2, 3))
def _correlate(x: Array, y: Array, stride: int, kernel: int) -> Array:
    """Slope of weights (kernel, kernel, in, out): every place of pictures `x` times `y` there, summed.

    This is a convolution, too: channels of `x` are its pictures, pictures its channels, and `y` the weights.
    """
    around = []
    for side in x.shape[1:3]:
        places, before, _ = _padding(side, kernel, stride)
        around.append((before, kernel + (places - 1) * stride - side - before))
    slope = jax.lax.conv_general_dilated(
        x.transpose(3, 1, 2, 0),
        y.transpose(1, 2, 0, 3),
        (1, 1),
        around,
        rhs_dilation=(stride, stride),
        dimension_numbers=_Last,
    )
    return slope.transpose(1, 2, 0, 3)


def patches(x: Float[Array, "batch height width in"], kernel: int, stride: int) -> Float[Array, "batch places numbers"]:
    """What a convolution sees in each of its places: numbers in the order of its weights, (kernel, kernel, in)."""
    (rows, top, bottom), (columns, left, right) = (_padding(side, kernel, stride) for side in x.shape[1:3])
    padded = jnp.pad(x, ((0, 0), (top, bottom), (left, right), (0, 0)))
    shifted = [
        padded[:, i : i + (rows - 1) * stride + 1 : stride, j : j + (columns - 1) * stride + 1 : stride]
        for i in range(kernel)
        for j in range(kernel)
    ]
    return jnp.concatenate(shifted, axis=3).reshape(len(x), rows * columns, -1)


def _convolve_forward(x: Array, weight: Array, stride: int) -> tuple[Array, tuple[Array, Array]]:
    return convolve(x, weight, stride), (x, weight)


def _convolve_back(stride: int, kept: tuple[Array, Array], slope: Array) -> tuple[Array, Array]:
    x, weight = kept
    return _transposed(slope, weight, stride, x.shape[1:3]), _correlate(x, slope, stride, weight.shape[0])


def _transposed_forward(
    y: Array, weight: Array, stride: int, size: tuple[int, int]
) -> tuple[Array, tuple[Array, Array]]:
    return _transposed(y, weight, stride, size), (y, weight)


def _transposed_back(
    stride: int, size: tuple[int, int], kept: tuple[Array, Array], slope: Array
) -> tuple[Array, Array]:
    y, weight = kept
    return convolve(slope, weight, stride), _correlate(slope, y, stride, weight.shape[0])


def _correlate_forward(x: Array, y: Array, stride: int, kernel: int) -> tuple[Array, tuple[Array, Array]]:
    return _correlate(x, y, stride, kernel), (x, y)


def _correlate_back(stride: int, kernel: int, kept: tuple[Array, Array], slope: Array) -> tuple[Array, Array]:
    x, y = kept
    return _transposed(y, slope, stride, x.shape[1:3]), convolve(x, slope, stride)


convolve.defvjp(_convolve_forward, _convolve_back)
_transposed.defvjp(_transposed_forward, _transposed_back)
_correlate.defvjp(_correlate_forward, _correlate_back)


class Conv(eqx.Module):
    """A convolution with the same padding on all sides.

    Args:
        in_channels, out_channels: of the pictures.
        kernel: side of the kernel in pixels.
        stride: pixels from one place to the next.
        gain: of the initial weights; 0 begins with zeros.
        key: of the initial weights.
    """

    weight: Float[Array, "kernel kernel in out"]
    bias: Float[Array, " out"]
    stride: int = eqx.field(static=True)

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: int = 3,
        stride: int = 1,
        *,
        gain: float = 1.0,
        key: PRNGKeyArray,
    ):
        scale = gain / math.sqrt(kernel * kernel * in_channels)
        self.weight = scale * jax.random.normal(key, (kernel, kernel, in_channels, out_channels))
        self.bias = jnp.zeros(out_channels)
        self.stride = stride

    def __call__(self, x: Float[Array, "batch height width in"]) -> Float[Array, "batch height width out"]:
        return convolve(x, self.weight, self.stride) + self.bias


class Dense(eqx.Module):
    """A linear layer on a batch; weights as in `Conv`."""

    weight: Float[Array, "in out"]
    bias: Float[Array, " out"]

    def __init__(self, in_width: int, out_width: int, *, gain: float = 1.0, key: PRNGKeyArray):
        self.weight = gain / math.sqrt(in_width) * jax.random.normal(key, (in_width, out_width))
        self.bias = jnp.zeros(out_width)

    def __call__(self, x: Float[Array, "batch in"]) -> Float[Array, "batch out"]:
        return x @ self.weight + self.bias


def rough(x: Float[Array, "batch height width channels"]) -> Float[Array, "batch half_height half_width channels"]:
    """Half the size: means of two by two pixels."""
    batch, height, width, channels = x.shape
    return x.reshape(batch, height // 2, 2, width // 2, 2, channels).mean(axis=(2, 4))


def smooth(
    x: Float[Array, "batch height width four_channels"],
) -> Float[Array, "batch twice_height twice_width channels"]:
    """Twice the size: each pixel's channels are spread over two by two pixels (sub-pixel convolution, arXiv 1609.05158)."""
    batch, height, width, channels = x.shape
    spread = x.reshape(batch, height, width, 2, 2, channels // 4).transpose(0, 1, 3, 2, 4, 5)
    return spread.reshape(batch, 2 * height, 2 * width, channels // 4)


def fold(x: Float[Array, "batch height width channels"]) -> Float[Array, "batch half_height half_width four_channels"]:
    """Half the size and nothing lost: two by two pixels side by side in the channels; `smooth` undoes it."""
    batch, height, width, channels = x.shape
    blocks = x.reshape(batch, height // 2, 2, width // 2, 2, channels).transpose(0, 1, 3, 2, 4, 5)
    return blocks.reshape(batch, height // 2, width // 2, 4 * channels)
