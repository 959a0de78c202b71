"""Clipped gradients of a critic of pictures, without the derivative of a whole net for each unit.

Slopes are taken once, for all pictures together, at the ends of the critic's layers: each picture goes through on its own, so
the slope there is its unit's alone. A unit's gradient in a convolution is the product of the patches that it saw and of the
slopes there (Rochette, Manoel, Tramel 2019, arXiv 1912.06015), one matrix product a unit, summed over its two pictures; in a
dense layer its norm follows from inner products alone (Goodfellow 2015, arXiv 1510.01799).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool

from masquerade.nets.convolution import Conv, Dense, patches
from masquerade.nets.private import HAIR, ClippedSum

__all__ = ["ghost_pair_sum", "made_of_layers"]

TINY = 1e-30
"""What a squared norm counts as at least, before it is divided by."""


def _is_layer(node: Any) -> bool:
    return isinstance(node, Conv | Dense)


def _layers(net: Any) -> list[Any]:
    return [node for node in jax.tree.leaves(net, is_leaf=_is_layer) if _is_layer(node)]


class _Tapped:
    """A layer that notes what comes in and adds a tap, an array of zeros, to what goes out."""

    def __init__(self, layer: Any, tap: Array | None, heard: list[Array]):
        self.layer, self.tap, self.heard = layer, tap, heard

    def __call__(self, x: Array) -> Array:
        self.heard.append(x)
        result: Array = self.layer(x)
        return result if self.tap is None else result + self.tap


def _tapped(net: Any, taps: list[Any]) -> tuple[Any, list[list[Array]]]:
    heard: list[list[Array]] = [[] for _ in taps]
    waiting = iter(zip(taps, heard, strict=True))
    return jax.tree.map(lambda n: _Tapped(n, *next(waiting)) if _is_layer(n) else n, net, is_leaf=_is_layer), heard


def made_of_layers(net: Any, *arguments: Any) -> bool:
    """Whether all weights of a net belong to `Conv` and `Dense` layers, of which each is called once.

    Args:
        net: a module, of arrays or their shapes.
        arguments: what it is called with, or the shapes of it.
    """
    layers = _layers(net)
    elsewhere = jax.tree.map(lambda node: None if _is_layer(node) else node, net, is_leaf=_is_layer)
    if not layers or any(hasattr(leaf, "shape") for leaf in jax.tree.leaves(elsewhere)):
        return False
    arrays, static = eqx.partition(net, lambda leaf: hasattr(leaf, "shape"))
    calls: list[int] = []

    def run(arrays: Any, *given: Any) -> Any:
        tapped, heard = _tapped(eqx.combine(arrays, static), [None] * len(layers))
        result = tapped(*given)
        calls.extend(len(one) for one in heard)
        return result

    try:
        jax.eval_shape(run, arrays, *arguments)
    except (TypeError, AttributeError):  # a net that looks into its layers
        return False
    return calls == [1] * len(layers)


class _Unit(NamedTuple):
    """What a layer's gradient of each unit is made of."""

    squares: Array
    summed: Callable[[Array, Array], tuple[Array, Array]]


def _convolved(layer: Conv, heard: Array, slope: Array) -> _Unit:
    kernel, _, _, out = layer.weight.shape
    units = len(heard) // 2
    seen, slope = patches(heard, kernel, layer.stride), slope.reshape(2 * units, -1, out)
    parts = jax.lax.dot_general(slope, seen, (((1,), (1,)), ((0,), (0,))))  # (pictures, out, numbers)
    weight, bias = parts[:units] + parts[units:], slope.sum(axis=1)
    bias = bias[:units] + bias[units:]

    def summed(factor: Array, sound: Array) -> tuple[Array, Array]:
        whole = jnp.where(sound[:, None, None], factor[:, None, None] * weight, 0.0).sum(axis=0)
        return whole.T.reshape(layer.weight.shape), jnp.where(sound[:, None], factor[:, None] * bias, 0.0).sum(axis=0)

    return _Unit(jnp.square(weight).sum(axis=(1, 2)) + jnp.square(bias).sum(axis=1), summed)


def _dense(heard: Array, slope: Array) -> _Unit:
    units = len(heard) // 2

    def inner(x: Array) -> Array:
        """Inner products of each unit's two rows, shape (units, 2, 2)."""
        pair = x.reshape(2, units, -1)
        return jnp.einsum("aum,bum->uab", pair, pair)

    def summed(factor: Array, sound: Array) -> tuple[Array, Array]:
        factor, sound = (jnp.concatenate([x, x])[:, None] for x in (factor, sound))
        told, steep = jnp.where(sound, heard, 0.0), jnp.where(sound, factor * slope, 0.0)
        return told.T @ steep, steep.sum(axis=0)

    return _Unit((inner(slope) * (inner(heard) + 1.0)).sum(axis=(1, 2)), summed)


def ghost_pair_sum(
    net: Callable[[Any], Any],
    seen: Callable[[Any], tuple[Array, ...]],
    loss: Callable[[Array, Array, Any], Array],
    clip: float,
) -> ClippedSum:
    """The sum of units' clipped gradients of a critic that is `made_of_layers`; one that is not finite adds nothing.

    Args:
        net: `(weights) -> critic`.
        seen: `(examples) -> arguments` of the critic, each with the units' real pictures first, and then as many made ones.
        loss: `(real, made, examples) -> losses`: of what the critic makes of each unit's two pictures.
        clip: bound of a unit's gradient.
    """

    def function(weights: Any, examples: Any, present: Bool[Array, " units"]) -> Any:
        critic, arguments = net(weights), seen(examples)
        layers = _layers(critic)

        def forward(taps: list[Array]) -> tuple[Array, list[Array]]:
            tapped, heard = _tapped(critic, taps)
            real, made = jnp.split(tapped(*arguments), 2)
            return jnp.where(present, loss(real, made, examples), 0.0).sum(), [one for (one,) in heard]

        zeros = [jnp.zeros(shape.shape, shape.dtype) for shape in _ends(critic, arguments)]
        slopes, heard = jax.grad(forward, has_aux=True)(zeros)
        each = [
            _convolved(layer, told, slope) if isinstance(layer, Conv) else _dense(told, slope)
            for layer, told, slope in zip(layers, heard, slopes, strict=True)
        ]
        squares = sum(unit.squares for unit in each)
        sound = jnp.isfinite(squares) & present
        factor = jnp.where(sound, jnp.minimum(1.0, clip * (1 - HAIR) / jnp.sqrt(jnp.maximum(squares, TINY))), 0.0)
        return eqx.tree_at(
            lambda module: [leaf for layer in _layers(module) for leaf in (layer.weight, layer.bias)],
            weights,
            [leaf for unit in each for leaf in unit.summed(factor, sound)],
        )

    return ClippedSum(function, clip)


def _ends(critic: Any, arguments: tuple[Array, ...]) -> list[Any]:
    """The shapes of what goes out of each layer."""
    ends: list[Any] = []

    def run(*given: Any) -> Any:
        layers = _layers(critic)
        tapped, heard = _tapped(critic, [None] * len(layers))
        result = tapped(*given)
        ends.extend(jax.eval_shape(layer, one) for layer, (one,) in zip(layers, heard, strict=True))
        return result

    jax.eval_shape(run, *arguments)
    return ends
