"""Bottleneck autoencoders: one for each block of inputs, all trained at once. Arrays in, arrays out.

Reference: Hinton and Salakhutdinov, "Reducing the Dimensionality of Data with Neural Networks", Science 313, 2006; the
adversarial term: Ganin et al., "Domain-Adversarial Training of Neural Networks", JMLR 17, 2016 (arXiv 1505.07818).

The blocks share every matrix product: their weights lie in one matrix, where all that would join two blocks is 0. So several
small autoencoders train in the time of one, and one block is the same program.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float
from numpy.typing import NDArray

from masquerade.nets.loop import Compilation
from masquerade.nets.randomness import index, uniforms

__all__ = ["Autoencoder", "AutoencoderData", "AutoencoderSettings", "AutoencoderState", "Best", "encode", "slopes"]

Params = dict[str, Any]
Floats = NDArray[np.float64]

SLOPE = 0.1
"""Of the activation below 0: a leaky ReLU never goes silent, so that no code is lost on the way."""

ADVERSARY_WIDTH = 64


@dataclass(frozen=True)
class AutoencoderSettings:
    """What shapes a step."""

    batch_size: int = 256
    learning_rate: float = 2e-3
    adversary: float = 1.0
    average: float = 0.99


class AutoencoderData(NamedTuple):
    """Rows on the device: inputs, and what the codes must not tell (no column without secrets)."""

    inputs: Float[Array, "rows inputs"]
    secrets: Float[Array, "rows secrets"]


class AutoencoderState(NamedTuple):
    """All that training changes: arrays only."""

    params: Params
    average: Params
    optimizer: Any
    key: Array
    steps: Array


class Autoencoder:
    """The pure functions of some bottleneck autoencoders side by side.

    A block of `n` inputs goes through leaky layers of ¾ n and ½ n places, as far as they are wider than its codes, to its codes
    and back the same way. What is lost is the squared error, as a share of the block's variance.

    Args:
        block_of_input: the block of each input, shape (inputs,), from 0.
        codes: how many codes each block has.
        deviations: of each input over the training rows, shape (inputs,).
        secrets: how many columns of secrets there are.
        settings: what shapes a step.

    >>> net = Autoencoder(np.array([0, 0, 0, 0, 1, 1]), [2, 1], np.ones(6), 0, AutoencoderSettings())
    >>> [len(blocks) for blocks in net.layout]
    [6, 4, 3]
    """

    def __init__(
        self,
        block_of_input: NDArray[np.int64],
        codes: Sequence[int],
        deviations: NDArray[np.floating[Any]],
        secrets: int,
        settings: AutoencoderSettings,
    ):
        self.settings, self.secrets, self.blocks = settings, secrets, len(codes)
        widths = [np.bincount(block_of_input, minlength=self.blocks)]
        for part in (0.75, 0.5):
            inner = np.maximum(np.floor(part * widths[0]).astype(int), codes)
            if (inner > codes).any():
                widths.append(inner)
        widths.append(np.asarray(codes))
        self.layout = [block_of_input, *(np.repeat(np.arange(self.blocks), counts) for counts in widths[1:])]
        self._path = [*self.layout, *self.layout[-2::-1]]
        self._masks = [
            jnp.asarray(a[:, None] == b[None, :], jnp.float32)
            for a, b in zip(self._path[:-1], self._path[1:], strict=True)
        ]
        variance = np.bincount(block_of_input, weights=np.square(deviations), minlength=self.blocks)
        member = np.arange(self.blocks)[:, None] == block_of_input[None, :]
        self._share = jnp.asarray((member / np.maximum(variance, 1e-12)[:, None]).T, jnp.float32)
        self.optimizer = optax.adam(settings.learning_rate)

    @property
    def depth(self) -> int:
        """Layers of the encoder."""
        return len(self.layout) - 1

    # ── training ───────────────────────────────────────────────────────────────────────────────────────────────

    def init(self, seed: int) -> AutoencoderState:
        """Fresh nets (He et al. 2015, arXiv 1502.01852, by each block's own width) and an optimiser.

        Weights are drawn by NumPy: a program for each of their shapes would take longer to compile than a small net to train.
        """
        random = np.random.default_rng(seed)
        params: Params = {"weights": [], "biases": []}
        for mask in self._masks:
            spread = np.asarray(mask) / np.sqrt(np.maximum(np.asarray(mask).sum(axis=0), 1))
            params["weights"].append(_array(spread * random.standard_normal(mask.shape)))
            params["biases"].append(_array(np.zeros(mask.shape[1])))
        if self.secrets:
            sizes = [len(self.layout[-1]), ADVERSARY_WIDTH, ADVERSARY_WIDTH, self.secrets]
            params["adversary"] = [
                (_array(random.standard_normal((a, b)) / math.sqrt(a)), _array(np.zeros(b)))
                for a, b in itertools.pairwise(sizes)
            ]
        key = jax.random.key(seed)
        return AutoencoderState(params, params, jax.jit(self.optimizer.init)(params), key, jnp.zeros((), jnp.int32))

    def _layers(self, params: Params, x: Array, first: int, last: int) -> Array:
        for place in range(first, last):
            x = x @ (params["weights"][place] * self._masks[place]) + params["biases"][place]
            if place + 1 < last:
                x = jax.nn.leaky_relu(x, SLOPE)
        return x

    def lost(self, params: Params, inputs: Float[Array, "rows inputs"]) -> tuple[Array, Array]:
        """The share of each block's variance that does not come back, shape (blocks,); and the codes."""
        codes = self._layers(params, inputs, 0, self.depth)
        again = self._layers(params, codes, self.depth, len(self._masks))
        return jnp.square(again - inputs).mean(axis=0) @ self._share, codes

    def told(self, params: Params, codes: Float[Array, "rows codes"], secrets: Float[Array, "rows secrets"]) -> Array:
        """The share of the secrets' variance that the adversary does not find in the codes, mean over their columns."""
        x = (codes - codes.mean(axis=0)) * jax.lax.rsqrt(codes.var(axis=0) + 1e-6)
        for place, (weight, bias) in enumerate(params["adversary"]):
            x = (jax.nn.leaky_relu(x, SLOPE) if place else x) @ weight + bias
        return jnp.square(x - secrets).mean()

    def step(self, state: AutoencoderState, data: AutoencoderData) -> tuple[AutoencoderState, dict[str, Array]]:
        """One update on a random batch, and one step of the weight average."""
        (u_row,) = uniforms(state.key, [(self.settings.batch_size,)], state.steps)
        rows = index(u_row, len(data.inputs))
        inputs, secrets = data.inputs[rows], data.secrets[rows]

        def total(params: Params) -> tuple[Array, dict[str, Array]]:
            lost, codes = self.lost(params, inputs)
            losses = {"lost": lost.mean()}
            loss = lost.sum()
            if self.secrets:
                # The adversary learns to find the secrets; on its way back to the encoder the gradient changes its sign.
                strength = self.settings.adversary
                reversed_ = jax.lax.stop_gradient((1 + strength) * codes) - strength * codes
                losses["secrets hidden"] = self.told(params, reversed_, secrets)
                loss = loss + losses["secrets hidden"]
            return loss, losses

        gradient, losses = jax.grad(total, has_aux=True)(state.params)
        update, optimizer = self.optimizer.update(gradient, state.optimizer, state.params)
        params = optax.apply_updates(state.params, update)
        steps = state.steps + 1
        decay = jnp.minimum(self.settings.average, (1 + steps) / (10 + steps))
        average = jax.tree.map(lambda a, b: decay * a + (1 - decay) * b, state.average, params)
        return AutoencoderState(params, average, optimizer, state.key, steps), losses

    # ── what is kept ───────────────────────────────────────────────────────────────────────────────────────────

    def encoder(self, best: Sequence[Params]) -> list[tuple[Floats, Floats]]:
        """The encoder's layers as (weights, biases), each block's from its own parameters."""
        layers = []
        for place in range(self.depth):
            mask = np.asarray(self._masks[place])
            block = self._path[place + 1]
            weights = sum(
                np.asarray(params["weights"][place], np.float64) * mask * (block == i) for i, params in enumerate(best)
            )
            biases = sum(
                np.asarray(params["biases"][place], np.float64) * (block == i) for i, params in enumerate(best)
            )
            layers.append((np.asarray(weights), np.asarray(biases)))
        return layers


def _array(values: NDArray[np.float64]) -> Array:
    return jnp.asarray(values, jnp.float32)


class Best:
    """Keeps for each block the parameters with which it lost least on rows that did not train.

    Called with parameters it judges them; what it returns rises as long as one block still gets better by a thousandth, so that
    training goes on for as long as any of them does.

    Args:
        net: whose parameters they are.
        held: inputs of the rows that did not train, on the device.
        params: of the shapes that will come.
    """

    LEAST_GAIN = 1e-3

    def __init__(self, net: Autoencoder, held: Float[Array, "rows inputs"], params: Params):
        self._net = net
        self.lost = np.full(net.blocks, np.inf)
        self.params: list[Params] = [{}] * net.blocks
        self._counted, self._score = np.full(net.blocks, np.inf), -math.inf
        self._held = held
        self._judge = Compilation(lambda params, inputs: net.lost(params, inputs)[0], params, held)

    def __call__(self, params: Params) -> float:
        """The score, higher is better; below the last one where no block got better."""
        lost = np.asarray(self._judge.result()(params, self._held), np.float64)
        lost = np.where(np.isfinite(lost), lost, np.inf)
        for block in np.flatnonzero(lost < self.lost):
            self.params[block], self.lost[block] = params, lost[block]
        if (self.lost < (1 - self.LEAST_GAIN) * self._counted).any():
            self._counted = self.lost.copy()
            self._score = -float(self.lost.mean())
            return self._score
        return float(np.nextafter(self._score, -np.inf))


def encode(layers: Sequence[tuple[NDArray[Any], NDArray[Any]]], inputs: NDArray[np.floating[Any]]) -> NDArray[Any]:
    """The codes of some rows, in NumPy: few rows need no compiler.

    Args:
        layers: weights and biases, as from `Autoencoder.encoder`.
        inputs: shape (rows, inputs).

    >>> encode([(np.array([[2.0]]), np.array([1.0]))], np.array([[3.0]])).tolist()
    [[7.0]]
    """
    for place, (weights, biases) in enumerate(layers):
        inputs = inputs @ weights + biases
        if place + 1 < len(layers):
            inputs = np.where(inputs > 0, inputs, SLOPE * inputs)
    return inputs


def slopes(layers: Sequence[tuple[NDArray[Any], NDArray[Any]]], inputs: NDArray[np.floating[Any]]) -> Floats:
    """How much each input moves each code: mean |d code / d input| over these rows, shape (inputs, codes).

    >>> slopes([(np.array([[2.0], [-3.0]]), np.zeros(1))], np.zeros((5, 2))).tolist()
    [[2.0], [3.0]]
    """
    total = np.zeros((inputs.shape[1], len(layers[-1][1])))
    for row in inputs:
        moved, x = np.eye(len(row)), row
        for place, (weights, biases) in enumerate(layers):
            x, moved = x @ weights + biases, moved @ weights
            if place + 1 < len(layers):
                gain = np.where(x > 0, 1.0, SLOPE)
                x, moved = x * gain, moved * gain
        total += np.abs(moved)
    return total / max(len(inputs), 1)
