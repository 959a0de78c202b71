"""Hidden cells drawn by a generative adversarial imputer (GAIN, arXiv 1806.02920) on the codec's arrays."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Self

import jax
import jax.numpy as jnp
import numpy as np
import polars as pl
from numpy.typing import NDArray

from masquerade import seeds
from masquerade.codec.arrays import Encoded
from masquerade.codec.table import TableCodec
from masquerade.errors import InterruptedTraining
from masquerade.nets.gain import GAIN, GAINSettings
from masquerade.nets.loop import Compilation, Schedule, train
from masquerade.nets.weights import from_arrays, to_arrays
from masquerade.progress import Callback, Progress
from masquerade.release.filling import Filler, Hidden
from masquerade.schema import Schema
from masquerade.synthesize.cells import Cells, resolve

__all__ = ["GANFiller"]

BLOCK_ROWS = 4_096
VALIDATION_ROWS = 4_096
SAMPLES = 8
"""How often cells are drawn where a distribution is asked for."""


@dataclass(frozen=True)
class GANFiller(Filler):
    """A trained generator that completes rows.

    Args:
        codec: of the table.
        net: the pure functions.
        weights: the generator's.
    """

    codec: TableCodec
    net: GAIN
    weights: Any

    @classmethod
    def learn(
        cls, typed: pl.DataFrame, schema: Schema, protect: int, seed: int, callbacks: tuple[Callback, ...] = ()
    ) -> Self:
        codec, encoded = TableCodec.fit_encode(
            typed, schema, protect=protect, quantiles=True, seed=seeds.integer(seed, "codec")
        )
        order = seeds.stream(seed, "validation").permutation(len(encoded))
        held = encoded.codes[order[: max(len(encoded) // 10, 1)]][:VALIDATION_ROWS]
        kept = encoded.codes[order[max(len(encoded) // 10, 1) :]]
        rows = max(len(kept), 1)
        settings = GAINSettings(batch_size=int(min(max(rows // 8, 16), 256)))
        net = GAIN(codec.layout, settings)
        epochs = int(np.clip(round(1_500_000 / rows), 10, 100))

        def tell(progress: Progress) -> None:
            for callback in callbacks:
                callback(progress)

        state = net.begin(seeds.integer(seed, "train"))
        score = Compilation(net.score, state.generator, held).result()
        outcome = train(
            net.step,
            state,
            jnp.asarray(kept),
            Schedule(epochs, max(rows // settings.batch_size, 1), validate_every=2, patience=6),
            snapshot=lambda state: state.generator,
            validate=lambda weights: float(score(weights, held)),
            callback=tell,
            helps=True,
        )
        if outcome.stopped == "interrupted":
            raise InterruptedTraining(
                "training was interrupted before the models were whole; nothing was kept or written."
            )
        return cls(codec, net, outcome.trail.best)

    def fill(self, typed: pl.DataFrame, hidden: Hidden, seed: int) -> pl.DataFrame:
        cells = Cells.of(self.codec, typed, typed.height, missing_is_known=True, strict=False)
        known = {name: there & ~hidden[name] if name in hidden else there for name, there in cells.known.items()}
        codes = cells.codes.copy()
        for place, name in enumerate(self.codec.layout.names):
            codes[~known[name], place] = -1
        cells = resolve(self.codec, replace(cells, codes=codes, known=known), self._distribution, seed, strict=False)
        drawn = self._completed(cells.codes, seeds.integer(seed, "draw"))
        rows = self.codec.decode(Encoded(drawn, np.zeros(drawn.shape, np.float32)), seeds.integer(seed, "decode"))
        return cells.fill(rows).select(typed.columns)

    def _completed(self, codes: NDArray[np.int32], seed: int) -> NDArray[np.int32]:
        """Codes with -1 for holes, completed block by block in one compiled shape."""
        program = jax.jit(partial(self.net.draw, self.weights))
        key, done = jax.random.key(seed), np.empty_like(codes)
        for block, start in enumerate(range(0, len(codes), BLOCK_ROWS)):
            part = codes[start : start + BLOCK_ROWS]
            padded = np.zeros((BLOCK_ROWS, codes.shape[1]), np.int32)
            padded[: len(part)] = part
            done[start : start + BLOCK_ROWS] = np.asarray(program(padded, key, np.int32(block)))[: len(part)]
        return done

    def _distribution(self, codes: NDArray[np.int32], place: int) -> NDArray[np.float32]:
        """How often each code of one column is drawn, of a few draws a row."""
        shares = np.zeros((len(codes), self.codec.layout.sizes[place]), np.float32)
        for turn in range(SAMPLES):
            drawn = self._completed(codes, turn)[:, place]
            shares[np.arange(len(codes)), drawn] += 1 / SAMPLES
        return shares

    def to_state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        config, arrays = self.codec.to_state()
        parts = {f"codec/{k}": v for k, v in arrays.items()} | {
            f"net{k}": v for k, v in to_arrays(self.weights).items()
        }
        return {"codec": config, "net": dataclasses.asdict(self.net.settings)}, parts

    @classmethod
    def from_state(cls, config: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        own = {k.removeprefix("codec/"): v for k, v in arrays.items() if k.startswith("codec/")}
        codec = TableCodec.from_state(config["codec"], own)
        settings: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in config["net"].items()}
        net = GAIN(codec.layout, GAINSettings(**settings))
        saved = {k.removeprefix("net"): v for k, v in arrays.items() if k.startswith("net")}
        return cls(codec, net, from_arrays(net.skeleton(), saved))
