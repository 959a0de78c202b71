"""Mean embeddings of pictures by class, and a generator that learns from nothing but them. Arrays in, arrays out.

References: Harder, Adamczewski, Park, *DP-MERF* (arXiv 2002.11603): random Fourier features (Rahimi and Recht 2007) of picture
and class, whose mean is all that a generator is told. Here the features are of windows of several sizes in their places and not
of the whole picture alone: strokes are what neighbouring pixels do together, and a kernel of windows sees them.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, Int, PRNGKeyArray, PyTree
from numpy.typing import NDArray

from masquerade.nets.picture_nets import PictureNetFactory, Shape
from masquerade.nets.randomness import normal, uniforms
from masquerade.nets.weights import is_array

__all__ = ["EmbeddingMatcher", "MatchingSettings", "MatchingState", "WindowFeatures"]

CELL = 4
"""Windows are of whole cells of so many pixels a side."""

LENGTHS = (0.25, 0.5)
"""Lengths of the Gaussian kernels, in grey levels from -1 to 1 and per square root of the window's numbers: public, so that
nothing of the pictures goes into them."""

PUBLIC = 200_211_603
"""Seed of the frequencies, the same for all: what they are tells nothing."""


TURN = 2**20
"""Parts of a full turn that frequencies are whole numbers of."""

FINE = 2**4
"""Of these parts in one step of the tables of sines and cosines."""


class _Window(NamedTuple):
    """Windows of one size, in cells, and what they are seen by."""

    height: int
    width: int
    frequencies: NDArray[np.float64]  # (numbers, features), whole: parts of a turn per grey level
    scale: float


class WindowFeatures:
    """Random Fourier features of all windows of three sizes: 8 pixels, half of the picture, and the whole.

    The features of a picture have the norm 1, up to rounding: sine and cosine of each frequency in each place weigh alike.
    They come in two ways: `__call__` is differentiable, for what a generator paints; `whole` gives real pictures' features as
    whole numbers, by exact sums alone, so that what one picture embeds to does not hang, in its last digit, on the others.

    Args:
        shape: height and width, multiples of 4, and channels.
        count: features of a size, about.

    >>> features = WindowFeatures((8, 8, 1), 100)
    >>> float(jnp.square(features(jnp.zeros((1, 8, 8, 1)))).sum().round(4))
    1.0
    """

    def __init__(self, shape: Shape, count: int):
        self.shape, self.count = shape, count

    @functools.cached_property
    def windows(self) -> list[_Window]:
        """Made when first asked for: a model that only paints needs none."""
        shape = self.shape
        rows, columns = shape[0] // CELL, shape[1] // CELL
        half = -(-max(rows, columns) // 2)
        sizes = sorted({(min(side, rows), min(side, columns)) for side in (2, half)} | {(rows, columns)})
        generator = np.random.default_rng(PUBLIC)
        windows = []
        for height, width in sizes:
            places = (rows - height + 1) * (columns - width + 1)
            features = max(1, self.count // (2 * places * len(LENGTHS))) * len(LENGTHS)
            numbers = height * width * CELL * CELL * shape[2]
            radians = generator.normal(size=(numbers, features)) / (np.resize(LENGTHS, features) * math.sqrt(numbers))
            frequencies = np.rint(radians / 127.5 * TURN / (2 * math.pi))
            windows.append(_Window(height, width, frequencies, 1 / math.sqrt(len(sizes) * places * features)))
        return windows

    @functools.cached_property
    def width(self) -> int:
        """Numbers of an embedding."""
        rows, columns = self.shape[0] // CELL, self.shape[1] // CELL
        places = [(rows - window.height + 1) * (columns - window.width + 1) for window in self.windows]
        return sum(2 * count * window.frequencies.shape[1] for count, window in zip(places, self.windows, strict=True))

    def __call__(self, pictures: Float[Array, "batch height width channels"]) -> Float[Array, "batch features"]:
        """Features of pictures from -1 to 1."""
        parts = []
        for window in self.windows:
            seen = _seen(127.5 * (pictures + 1), window, jnp)
            turns = seen @ (window.frequencies * 2 * math.pi / TURN).astype(np.float32)
            both = jnp.concatenate([jnp.cos(turns), jnp.sin(turns)], axis=1)
            parts.append((window.scale * both).reshape(len(pictures), -1))
        return jnp.concatenate(parts, axis=1)

    def whole(self, images: NDArray[np.uint8], grid: int) -> NDArray[np.int64]:
        """Features of pictures uint8 (n, height, width, channels), times `grid`, as whole numbers (n, features)."""
        angles = 2 * math.pi * (np.arange(TURN // FINE) + 0.5) * FINE / TURN
        parts = []
        for window in self.windows:
            # Products and sums of whole numbers far below 2^53: exact in any order.
            turns = (_seen(images.astype(np.float64), window, np) @ window.frequencies).astype(np.int64)
            steps = (turns % TURN) // FINE
            waves = [np.rint(grid * window.scale * wave(angles)).astype(np.int64) for wave in (np.cos, np.sin)]
            both = np.concatenate([wave[steps] for wave in waves], axis=1)
            parts.append(both.reshape(len(images), -1))
        return np.concatenate(parts, axis=1)


def _seen(levels: Any, window: _Window, numpy: Any) -> Any:
    """All windows of pictures, each in a row; `numpy` is NumPy, or JAX's."""
    batch, height, width, channels = levels.shape
    rows, columns = height // CELL, width // CELL
    cells = levels.reshape(batch, rows, CELL, columns, CELL, channels).transpose(0, 1, 3, 2, 4, 5)
    cells = cells.reshape(batch, rows, columns, -1)
    down, right = rows - window.height + 1, columns - window.width + 1
    shifted = [cells[:, i : i + down, j : j + right] for i in range(window.height) for j in range(window.width)]
    return numpy.concatenate(shifted, axis=3).reshape(batch * down * right, -1)


@dataclass(frozen=True)
class MatchingSettings:
    """What shapes a step.

    Args:
        batch_size: pictures a step, as many of each class.
        latent_width: numbers of noise.
        learning_rate: of Adam, which falls to a hundredth by a cosine.
        steps: planned steps, for the schedule.
        average: decay of the averaged weights.
    """

    batch_size: int = 200
    latent_width: int = 64
    learning_rate: float = 1e-3
    steps: int = 3_000
    average: float = 0.998


class MatchingState(NamedTuple):
    """All that training changes."""

    generator: PyTree
    average: PyTree
    optimizer: PyTree
    key: Array
    steps: Array


class EmbeddingMatcher:
    """A conditional generator whose pictures of each class embed to a wanted mean: the pure functions.

    Args:
        shape: height, width, channels.
        classes: how many; 0 for none.
        features: what the pictures are embedded by.
        settings: what shapes a step.
        generator: makes the net.
    """

    def __init__(
        self,
        shape: Shape,
        classes: int,
        features: WindowFeatures,
        settings: MatchingSettings,
        generator: PictureNetFactory,
    ):
        self.shape, self.classes, self.features, self.settings = shape, classes, features, settings
        self._make = generator
        rate = optax.warmup_cosine_decay_schedule(
            0.0,
            settings.learning_rate,
            max(settings.steps // 50, 1),
            max(settings.steps, 2),
            settings.learning_rate / 100,
        )
        self._optimizer = optax.adam(rate, b1=0.5, b2=0.999)
        net = eqx.filter_eval_shape(self._net, jax.random.key(0))
        self._static = eqx.partition(net, is_array)[1]
        self._each = max(settings.batch_size // max(classes, 1), 2)

    def _net(self, key: PRNGKeyArray) -> Any:
        return self._make(self.shape, self.settings.latent_width, self.classes, key=key)

    def skeleton(self) -> PyTree:
        """The shapes of the generator's arrays."""
        return eqx.filter(eqx.filter_eval_shape(self._net, jax.random.key(0)), is_array)

    def init(self, seed: int) -> MatchingState:
        """A fresh net."""
        return self.begin(eqx.filter(self._net(jax.random.key(seed, impl="unsafe_rbg")), is_array), seed)

    def begin(self, net: PyTree, seed: int | Array) -> MatchingState:
        """The state before the first step from a net's arrays."""
        state = self._optimizer.init(net), jax.random.key(seed), jnp.zeros((), jnp.int32)
        return MatchingState(net, net, *state)

    def distance(self, made: Array, wanted: Array, weights: Array) -> Float[Array, ""]:
        """How far pictures embed from the wanted means.

        Args:
            made: pictures (-1 to 1), as many of each class, one class after the other.
            wanted: means of each class, shape (classes, features).
            weights: of the classes.
        """
        found = self.features(made).reshape(len(wanted), -1, wanted.shape[1]).mean(axis=1)
        squares: Array = (weights * jnp.square(found - wanted).sum(axis=1)).sum()
        return squares

    def step(self, state: MatchingState, data: tuple[Array, Array]) -> tuple[MatchingState, dict[str, Array]]:
        """One update towards the wanted means of each class (classes, features), weighed by (classes,)."""
        wanted, weights = data
        classes = max(self.classes, 1)
        (u,) = uniforms(state.key, [(classes * self._each, self.settings.latent_width)], state.steps)
        hot = jax.nn.one_hot(jnp.repeat(jnp.arange(classes), self._each), self.classes)

        def distance(net: Any) -> Array:
            return self.distance(eqx.combine(net, self._static)(normal(u), hot), wanted, weights)

        # Every picture's features have the norm 1, so what a batch adds to the distance is the same wherever it lies.
        value, gradient = jax.value_and_grad(distance)(state.generator)
        update, optimizer = self._optimizer.update(gradient, state.optimizer, state.generator)
        net = optax.apply_updates(state.generator, update)
        steps = state.steps + 1
        decay = jnp.minimum(self.settings.average, (1 + steps) / (10 + steps))
        average = jax.tree.map(lambda a, b: decay * a + (1 - decay) * b, state.average, net)
        return MatchingState(net, average, optimizer, state.key, steps), {"distance": value}

    def draw(self, params: PyTree, key: PRNGKeyArray, block: Array, classes: Int[Array, " batch"]) -> Array:
        """Pictures of these classes, uint8 (batch, height, width, channels); `block` numbers the blocks of a key."""
        (u,) = uniforms(key, [(len(classes), self.settings.latent_width)], block)
        made = eqx.combine(params, self._static)(normal(u), jax.nn.one_hot(classes, self.classes))
        return jnp.clip(jnp.round((made + 1) * 127.5), 0, 255).astype(jnp.uint8)
