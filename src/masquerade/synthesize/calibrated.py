"""What nets drawn from in blocks and calibrated afterwards have in common: drawing, saving, loading."""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from masquerade.codec.arrays import Encoded, Layout
from masquerade.codec.calibration import ScalarMap
from masquerade.errors import ArtifactError
from masquerade.interrupts import interruptible
from masquerade.nets.weights import from_arrays, to_arrays
from masquerade.progress import Progress
from masquerade.synthesize.base import Synthesizer
from masquerade.synthesize.given import Condition
from masquerade.synthesize.sampling import Drawable, Referee, Sampler

__all__ = ["Calibrated"]


LOADED_ROWS = 10_000
"""Rows that a loaded net is made for: it only draws, which does not depend on them."""


class Calibrated(Synthesizer):
    """A synthesizer whose `_learn` sets the sampler, the weights, a bias on their logits and a map of their scalars."""

    _sampler: Sampler
    _params: Any
    _bias: NDArray[Any]
    _map: ScalarMap

    @abstractmethod
    def _net(self, layout: Layout, rows: int) -> Drawable:
        """The pure functions of the net for a table of so many rows."""

    def _calibrate(self, referee: Referee) -> None:
        """Bring single columns to the training table's: coarsely but at once where Ctrl-C came, or comes."""
        began = time.monotonic()
        self._tell(Progress("calibrate", 0, 1, 0.0))
        try:
            with interruptible():
                self._bias, self._map = referee.calibration(self._params, quick=self.interrupted_)
        except KeyboardInterrupt:
            self.interrupted_ = True
            self._bias, self._map = referee.calibration(self._params, quick=True)
        self._tell(Progress("calibrate", 1, 1, time.monotonic() - began, finished=True))

    def _draw(self, rows: int, known: Condition | None, seed: int) -> Encoded:
        return self._map.apply(self._sampler.draw(self._params, rows, seed, self._bias, known))

    def _to_state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        arrays = {f"net{name}": array for name, array in to_arrays(self._params).items()}
        arrays |= {f"map.{name}": array for name, array in self._map.to_arrays().items()}
        return {}, arrays | {"bias": self._bias}

    def _from_state(self, config: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], layout: Layout) -> None:
        self._check_settings()
        net = self._net(layout, LOADED_ROWS)
        self._sampler = Sampler(net)
        weights, maps = (
            {k.removeprefix(head): v for k, v in arrays.items() if k.startswith(head)} for head in ("net", "map.")
        )
        self._params, self._bias = from_arrays(net.skeleton(), weights), arrays["bias"]
        self._map = ScalarMap.from_arrays(maps, layout)
        if self._bias.shape != (net.spans.width,):
            raise ArtifactError(f"the saved bias has {self._bias.size} places, expected {net.spans.width}; fit again.")
