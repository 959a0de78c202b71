"""What all synthesizers of pictures share whose pictures a net paints: drawing, grids while they learn, saving."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from masquerade import seeds
from masquerade.logs import Epoch, EpochLog
from masquerade.nets.loop import Compilation
from masquerade.nets.weights import from_arrays, to_arrays
from masquerade.picture_files import write_sheet
from masquerade.synthesize.image_base import ImageSynthesizer

__all__ = ["BLOCK", "NetImages", "Painter"]

BLOCK = 500
"""Pictures drawn in one compiled call."""

WATCHED = 100
"""Pictures of a grid drawn in training."""


class Painter(Protocol):
    """The pure functions of a net that paints."""

    def draw(self, params: Any, key: Any, block: Any, classes: Any) -> Any:
        """Pictures of these classes, uint8; `block` numbers the blocks of a key."""

    def skeleton(self) -> Any:
        """The shapes of the net's arrays."""


class NetImages(ImageSynthesizer):
    """A synthesizer whose pictures a net paints. A subclass says which (`_painter`)."""

    watch: str | Path | None

    _net: Any
    _params: Any

    @abstractmethod
    def _painter(self) -> Painter:
        """The pure functions of the net, from the settings, `shape_` and `classes_` alone."""

    @property
    def _logs(self) -> list[EpochLog]:
        return [callback for callback in self.callbacks if isinstance(callback, EpochLog)]

    @property
    def _shows_grids(self) -> bool:
        return self.watch is not None or bool(self._logs)

    def _show_grid(self, number: int, scores: Mapping[str, float] = MappingProxyType({})) -> None:
        """What an epoch came to, to the folder of grids and to the callbacks that want it, where there are any."""
        if not self._shows_grids:
            return
        count = max(self.classes_.size, 1)
        grid = self._draw((np.arange(WATCHED) % min(count, 10)).astype(np.int32), 0, 0)
        if self.watch is not None:
            folder = Path(self.watch)
            folder.mkdir(parents=True, exist_ok=True)
            write_sheet(folder / f"epoch-{number:03d}.png", grid, columns=10)
        for log in self._logs:
            weights = {name.lstrip("."): array for name, array in to_arrays(self._params).items()}
            log.epoch(Epoch(number, scores, grid, weights))

    def _draw(self, classes: NDArray[np.int32], seed: int, start: int) -> NDArray[np.uint8]:
        if not hasattr(self, "_drawing"):
            key, block = jax.eval_shape(jax.random.key, 0), jnp.zeros((), jnp.int32)
            numbers = jnp.zeros(BLOCK, jnp.int32)
            self._drawing = Compilation(self._net.draw, self._params, key, block, numbers, quick=True).result()
        key = jax.random.key(seeds.integer(seed, "noise"))
        made = np.empty((len(classes), *self.shape_), np.uint8)
        for number, first in enumerate(range(0, len(classes), BLOCK)):
            part = classes[first : first + BLOCK]
            padded = np.zeros(BLOCK, np.int32)
            padded[: len(part)] = part
            found = self._drawing(self._params, key, jnp.int32(number), padded)
            made[first : first + BLOCK] = np.asarray(found)[: len(part)]
        return made

    def _forget(self) -> None:
        """What was compiled for another net is of no use."""
        if hasattr(self, "_drawing"):
            del self._drawing

    def _to_state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        return {}, {f"net{name}": array for name, array in to_arrays(self._params).items()}

    def _from_state(self, config: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
        self._check_settings()
        self._net = self._painter()
        saved = {name.removeprefix("net"): array for name, array in arrays.items()}
        self._params = from_arrays(self._net.skeleton(), saved)
