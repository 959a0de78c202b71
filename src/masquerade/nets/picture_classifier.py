"""A small convolutional classifier of pictures, whose penultimate layer is also what pictures are compared in.

Arrays in, arrays out (NumPy): judges use it without knowing JAX.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, PRNGKeyArray
from numpy.typing import NDArray

from masquerade.errors import InterruptedTraining
from masquerade.nets.convolution import Conv, Dense, leaky
from masquerade.nets.loop import Compilation, Schedule, train
from masquerade.nets.picture_nets import Shape, scaled
from masquerade.nets.randomness import index, uniforms
from masquerade.progress import Callback

__all__ = ["PictureClassifier"]

BLOCK = 500
"""Pictures in one compiled call."""

FEATURES = 128
"""Width of the penultimate layer."""

SEEN = 240_000
"""Pictures that training sees in all, whatever the size of the set."""


class Net(eqx.Module):
    """Two strided convolutions, one more, and two dense layers."""

    see: Conv
    down: Conv
    look: Conv
    sum: Dense
    head: Dense

    def __init__(self, shape: Shape, classes: int, *, key: PRNGKeyArray):
        keys = jax.random.split(key, 5)
        height, across, channels = shape
        self.see = Conv(channels, 32, 4, 2, key=keys[0])
        self.down = Conv(32, 64, 4, 2, key=keys[1])
        self.look = Conv(64, 64, key=keys[2])
        self.sum = Dense(-(-height // 4) * -(-across // 4) * 64, FEATURES, key=keys[3])
        self.head = Dense(FEATURES, classes, gain=0.5, key=keys[4])

    def features(self, x: Float[Array, "batch height width channels"]) -> Float[Array, "batch features"]:
        x = leaky(self.look(leaky(self.down(leaky(self.see(x))))))
        return leaky(self.sum(x.reshape(len(x), -1)))


class _State(NamedTuple):
    weights: Any
    average: Any
    optimizer: Any
    key: Array
    steps: Array


class PictureClassifier:
    """Tells classes of pictures apart.

    Args:
        shape: height, width, channels.
        classes: how many.
        batch_size: pictures a step.
        seen: pictures that training sees in all.

    >>> images = np.repeat(np.array([0, 255], np.uint8), 50)[:, None, None, None] * np.ones((1, 8, 8, 1), np.uint8)
    >>> net = PictureClassifier((8, 8, 1), 2, seen=2_000).fit(images, np.repeat([0, 1], 50), seed=0)
    >>> float((net.predict(images) == np.repeat([0, 1], 50)).mean())
    1.0
    """

    def __init__(self, shape: Shape, classes: int, *, batch_size: int = 128, seen: int = SEEN):
        self.shape, self.classes = shape, classes
        self.batch_size, self.steps = batch_size, max(seen // batch_size, 1)
        rate = optax.warmup_cosine_decay_schedule(0.0, 2e-3, max(self.steps // 20, 1), max(self.steps, 2), 2e-5)
        self._optimizer = optax.adamw(rate, weight_decay=1e-2)
        self._net = eqx.filter_eval_shape(lambda key: Net(shape, classes, key=key), jax.random.key(0))

    def fit(
        self,
        images: NDArray[np.uint8],
        labels: NDArray[Any],
        *,
        seed: int,
        max_seconds: float | None = None,
        callback: Callback = lambda progress: None,
    ) -> PictureClassifier:
        """Learn from pictures (n, height, width, channels) and their classes, integers below `classes`.

        Args:
            images: uint8.
            labels: shape (n,).
            seed: of the first weights and the batches.
            max_seconds: wall-clock limit; None: none.
            callback: told how far training is.

        Raises:
            InterruptedTraining: Ctrl-C.
        """
        weights = Net(self.shape, self.classes, key=jax.random.key(seed, impl="unsafe_rbg"))
        state = _State(weights, weights, self._optimizer.init(weights), jax.random.key(seed), jnp.zeros((), jnp.int32))
        data = jnp.asarray(images), jnp.asarray(labels, jnp.int32)
        outcome = train(
            self._step,
            state,
            data,
            Schedule(1, self.steps, max_seconds, quick=True),
            snapshot=lambda state: state.average,
            callback=callback,
            helps=True,
        )
        if outcome.stopped == "interrupted":
            raise InterruptedTraining("interrupted: half a classifier judges nothing.")
        self.weights = outcome.trail.best
        return self

    def skeleton(self) -> Any:
        """The shapes of the weights."""
        return self._net

    def _step(self, state: _State, data: tuple[Array, Array]) -> tuple[_State, dict[str, Array]]:
        (u,) = uniforms(state.key, [(self.batch_size,)], state.steps)
        rows = index(u, len(data[0]))
        images, labels = scaled(data[0][rows]), data[1][rows]

        def loss(weights: Net) -> Array:
            logits = weights.head(weights.features(images))
            mean: Array = optax.softmax_cross_entropy_with_integer_labels(logits, labels).mean()
            return mean

        value, slope = jax.value_and_grad(loss)(state.weights)
        update, optimizer = self._optimizer.update(slope, state.optimizer, state.weights)
        weights = optax.apply_updates(state.weights, update)
        steps = state.steps + 1
        decay = jnp.minimum(0.995, (1 + steps) / (10 + steps))
        average = jax.tree.map(lambda a, b: decay * a + (1 - decay) * b, state.average, weights)
        return _State(weights, average, optimizer, state.key, steps), {"loss": value}

    def probabilities(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Probability of each class, shape (n, classes)."""
        return self._applied(images)[1]

    def predict(self, images: NDArray[np.uint8]) -> NDArray[np.int64]:
        """The likeliest class of each picture."""
        return np.asarray(self.probabilities(images).argmax(axis=1), np.int64)

    def features(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The penultimate layer, shape (n, features)."""
        return self._applied(images)[0]

    @property
    def _apply(self) -> Callable[..., Any]:
        if not hasattr(self, "_compiled"):

            def apply(weights: Net, images: Array) -> tuple[Array, Array]:
                features = weights.features(scaled(images))
                return features, jax.nn.softmax(weights.head(features))

            block = jnp.zeros((BLOCK, *self.shape), jnp.uint8)
            self._compiled = Compilation(apply, self.weights, block, quick=True).result()
        return self._compiled

    def _applied(self, images: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        features = np.empty((len(images), FEATURES), np.float32)
        chances = np.empty((len(images), self.classes), np.float32)
        for start in range(0, len(images), BLOCK):
            part = images[start : start + BLOCK]
            block = np.zeros((BLOCK, *self.shape), np.uint8)
            block[: len(part)] = part
            found = self._apply(self.weights, block)
            features[start : start + BLOCK] = np.asarray(found[0])[: len(part)]
            chances[start : start + BLOCK] = np.asarray(found[1])[: len(part)]
        return features, chances
