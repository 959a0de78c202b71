"""Hidden cells drawn by `Autoregressive`, whose net takes any cells as given and draws the others in turn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from masquerade import seeds
from masquerade.artifact import Artifact
from masquerade.codec.arrays import Encoded
from masquerade.errors import InterruptedTraining
from masquerade.progress import Callback
from masquerade.release.filling import Filler, Hidden
from masquerade.schema import Schema
from masquerade.synthesize.autoregressive import Autoregressive
from masquerade.synthesize.cells import Cells, resolve

__all__ = ["AutoregressiveFiller"]


@dataclass(frozen=True)
class AutoregressiveFiller(Filler):
    """A fitted `Autoregressive` that fills cells, missing ones included: what was hidden may come out missing."""

    model: Autoregressive

    @classmethod
    def learn(
        cls, typed: pl.DataFrame, schema: Schema, protect: int, seed: int, callbacks: tuple[Callback, ...] = ()
    ) -> Self:
        """Fit the model to typed rows."""
        model = Autoregressive(protect=protect, random_state=seed, callbacks=callbacks)
        return cls.of(model.fit(typed, schema=schema))

    @classmethod
    def of(cls, model: Autoregressive) -> Self:
        """A filler from a fitted model; one whose training was interrupted is refused, since it would fill poorly.

        Raises:
            InterruptedTraining: Ctrl-C ended the training of the model.
        """
        if model.interrupted_:
            raise InterruptedTraining(
                "training was interrupted before the models were whole; nothing was kept or written."
            )
        return cls(model)

    def fill(self, typed: pl.DataFrame, hidden: Hidden, seed: int) -> pl.DataFrame:
        model, codec = self.model, self.model.codec_
        cells = Cells.of(codec, typed, typed.height, missing_is_known=True, strict=False)
        known = {name: there & ~hidden[name] if name in hidden else there for name, there in cells.known.items()}
        codes = cells.codes.copy()
        for place, name in enumerate(codec.layout.names):
            codes[~known[name], place] = -1
        cells = resolve(codec, replace(cells, codes=codes, known=known), model._drawer.distribution, seed, strict=False)
        drawn = model._drawer.rows(typed.height, seeds.integer(seed, "draw"), given=cells.codes)
        rows = codec.decode(Encoded(drawn, np.zeros(drawn.shape, np.float32)), seeds.integer(seed, "decode"))
        return model._within_rules(cells.fill(rows), cells, seed).select(typed.columns)

    def to_state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        return self.model._to_parts()

    @classmethod
    def from_state(cls, config: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        return cls(Autoregressive._load(Artifact("Autoregressive", "", dict(config), dict(arrays))))
