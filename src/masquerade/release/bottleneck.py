"""Learning an encoder: bottleneck autoencoders side by side, then the turn to simple structure. Arrays in, arrays out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np
import polars as pl
from numpy.typing import NDArray

from masquerade import seeds
from masquerade.errors import ArtifactError, TableError
from masquerade.nets.autoencoder import Autoencoder, AutoencoderData, AutoencoderSettings, Best, encode
from masquerade.nets.loop import Schedule, train
from masquerade.progress import Callback
from masquerade.release.rotation import simple_structure

__all__ = ["Layers", "Learned", "arrays_of", "held_out", "layers_of", "learn"]

Layers = list[tuple[NDArray[Any], NDArray[Any]]]
"""Weights, shape (in, out), and biases, shape (out,), of each layer."""

VALIDATE_EVERY = 2
"""Epochs between two validations."""

_BLOCK_ROWS = 65_536


@dataclass(frozen=True)
class Learned:
    """What training gave.

    Args:
        layers: weights and biases of the encoder, 32-bit floats; its codes have mean 0 and standard deviation 1.
        lost: by block, the share of its inputs' variance that did not come back on rows that did not train.
        history: one mapping for each epoch.
        stopped: as in `masquerade.nets.loop.Outcome`.
    """

    layers: Layers
    lost: list[float]
    history: list[dict[str, float]]
    stopped: str


def learn(
    inputs: NDArray[np.float32],
    held: NDArray[np.bool_],
    block_of_input: NDArray[np.int64],
    widths: Sequence[int],
    *,
    secrets: NDArray[np.float32],
    settings: AutoencoderSettings,
    epochs: int,
    patience: int | None,
    max_seconds: float | None,
    callback: Callback,
    seed: int,
) -> Learned:
    """Train all blocks at once, keep the best epoch of each, and turn its codes.

    Args:
        inputs: shape (rows, inputs).
        held: which rows do not train.
        block_of_input: the block of each input, from 0.
        widths: codes of each block.
        secrets: what the codes must not tell, standardised, shape (rows, any number, also 0).
        settings: what shapes a step.
        epochs: passes over the rows that train.
        patience: validations without a better score of any block before training stops; None: never.
        max_seconds: wall-clock limit; None: no limit.
        callback: told how far training is.
        seed: of the first weights and the batches.
    """
    net = Autoencoder(block_of_input, widths, inputs[~held].std(axis=0), secrets.shape[1], settings)
    state = net.init(seed)
    best = Best(net, jnp.asarray(inputs[held]), state.params)
    steps = max(int((~held).sum()) // settings.batch_size, 1)
    outcome = train(
        net.step,
        state,
        AutoencoderData(jnp.asarray(inputs[~held]), jnp.asarray(secrets[~held])),
        Schedule(epochs, steps, max_seconds, validate_every=VALIDATE_EVERY, patience=patience),
        snapshot=lambda state: state.average,
        validate=best,
        callback=callback,
    )
    if not all(best.params):  # training ended before the first validation
        best(outcome.trail.best)
    layers = _turned(net.encoder(best.params), inputs, block_of_input, net.layout[-1])
    return Learned(layers, best.lost.tolist(), outcome.trail.history, outcome.stopped)


def held_out(units: pl.Series | None, rows: int, share: float, seed: int) -> NDArray[np.bool_]:
    """Which rows do not train, whole units; at least one unit does and one does not.

    Args:
        units: unit of each row, as from `masquerade.privacy.protect.unit_series`; None: each row is its own.
        rows: how many there are.
        share: of the units.
        seed: of the choice.
    """
    of_row = np.arange(rows) if units is None else np.unique(units.to_numpy(), return_inverse=True)[1]
    count = int(of_row.max()) + 1
    if count < 2:
        raise TableError("unit: all rows belong to one unit, expected at least two to learn from.")
    order = seeds.stream(seed, "held").permutation(count)
    return np.isin(of_row, order[: min(max(int(share * count), 1), count - 1)])


def arrays_of(layers: Layers) -> dict[str, NDArray[Any]]:
    """An encoder's layers by names, to be saved."""
    arrays: dict[str, NDArray[Any]] = {}
    for place, (weights, biases) in enumerate(layers):
        arrays |= {f"{place}.weights": weights, f"{place}.biases": biases}
    return arrays


def layers_of(arrays: Mapping[str, NDArray[Any]], count: int, width: int) -> Layers:
    """The reverse of `arrays_of`.

    Args:
        arrays: by names.
        count: how many layers there are.
        width: how many inputs the first has.

    Raises:
        ArtifactError: a layer does not fit the one before, or holds other than finite 32-bit floats.

    >>> layers = [(np.ones((3, 2), np.float32), np.zeros(2, np.float32))]
    >>> [weights.shape for weights, _ in layers_of(arrays_of(layers), 1, 3)]
    [(3, 2)]
    """
    layers = [(arrays[f"{place}.weights"], arrays[f"{place}.biases"]) for place in range(count)]
    for weights, biases in layers:
        fits = weights.ndim == 2 and weights.shape == (width, len(biases)) and biases.ndim == 1
        if not fits or not all(a.dtype == np.float32 and np.isfinite(a).all() for a in (weights, biases)):
            raise ArtifactError("the saved encoder's layers do not fit together; save it again.")
        width = len(biases)
    return layers


def _turned(
    layers: Layers, inputs: NDArray[np.float32], block_of_input: NDArray[np.int64], block_of_code: NDArray[np.int64]
) -> Layers:
    """The layers with the turn to simple structure, block by block, taken into the last of them."""
    codes = np.concatenate([encode(layers, inputs[i : i + _BLOCK_ROWS]) for i in range(0, len(inputs), _BLOCK_ROWS)])
    matrix, shift = np.zeros((codes.shape[1], codes.shape[1])), np.zeros(codes.shape[1])
    for block in range(int(block_of_code.max()) + 1):
        here = block_of_code == block
        matrix[np.ix_(here, here)], shift[here] = simple_structure(codes[:, here], inputs[:, block_of_input == block])
    weights, biases = layers[-1]
    turned = [*layers[:-1], (weights @ matrix, biases @ matrix + shift)]
    return [(weights.astype(np.float32), biases.astype(np.float32)) for weights, biases in turned]
