"""Cheap random numbers for training: many shapes from one hash of a counter.

On a CPU, JAX's own generator (threefry) took a quarter of a training step and most of its compile time. Noise and conditions
of a GAN need good statistics and no secrecy, so each number is a counter under an integer hash with two keyed rounds
("lowbias32", C. Wellons, 2018, public domain). Never use it where randomness protects somebody.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import jax
import jax.numpy as jnp
from jaxtyping import Array, PRNGKeyArray

__all__ = ["gumbel", "index", "normal", "subkey", "uniforms"]


def uniforms(key: PRNGKeyArray, shapes: Sequence[tuple[int, ...]], block: Array | int = 0) -> list[Array]:
    """Independent uniform numbers in (0, 1), one float32 array for each shape.

    Args:
        key: a JAX key; its words are used, not its generator.
        shapes: of the arrays.
        block: each block of a key is a stream of its own.

    >>> [u.shape for u in uniforms(jax.random.key(0), [(2, 3), (4,)])]
    [(2, 3), (4,)]
    """
    first, second = jax.random.key_data(subkey(key, block))
    sizes = [math.prod(shape) for shape in shapes]
    bits = _hash(_hash(jnp.arange(sum(sizes), dtype=jnp.uint32) + first) ^ second)
    # The 23 highest bits, in the middle of their interval: never 0, never 1.
    pool = ((bits >> 9).astype(jnp.float32) + 0.5) * jnp.float32(2**-23)
    parts, start = [], 0
    for size, shape in zip(sizes, shapes, strict=True):
        parts.append(pool[start : start + size].reshape(shape))
        start += size
    return parts


def subkey(key: PRNGKeyArray, *numbers: Array | int) -> PRNGKeyArray:
    """A key of its own for these numbers, as `jax.random.fold_in` makes one, by the same hash as `uniforms`."""
    words = jax.random.key_data(key)
    for number in numbers:
        first = _hash(words[0] ^ _hash(jnp.asarray(number).astype(jnp.uint32)))
        words = jnp.stack([first, _hash(words[1] + first)])
    derived: Array = jax.random.wrap_key_data(words)
    return derived


def _hash(x: Array) -> Array:
    """A bijection of 32-bit integers in which every input bit moves every output bit about half of the time."""
    x = (x ^ (x >> 16)) * jnp.uint32(0x21F0AAAD)
    x = (x ^ (x >> 15)) * jnp.uint32(0xD35A2D97)
    return x ^ (x >> 15)


def normal(u: Array) -> Array:
    """Standard normal numbers from uniform ones, by inversion."""
    return math.sqrt(2) * jax.lax.erf_inv(2 * u - 1)


def gumbel(u: Array) -> Array:
    """Standard Gumbel numbers from uniform ones, by inversion."""
    return -jnp.log(-jnp.log(u))


def index(u: Array, count: Array | int) -> Array:
    """Whole numbers in [0, count) from uniform ones."""
    return jnp.minimum((u * count).astype(jnp.int32), count - 1)
