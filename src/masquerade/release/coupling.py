"""A generator that knows a table with its secrets and without, and so can change rows until they tell nothing of them."""

from __future__ import annotations

from collections.abc import Sequence

import jax
import numpy as np
from numpy.typing import NDArray

from masquerade.errors import SettingError
from masquerade.nets.autoregressive import NetSettings
from masquerade.nets.coupling import Coupling, SecretNet
from masquerade.nets.loop import Compilation
from masquerade.nets.slots import Slots
from masquerade.progress import Callback
from masquerade.schema import Schema
from masquerade.synthesize.autoregressive import Autoregressive

__all__ = ["SecretModel", "arranged"]

Codes = NDArray[np.int32]


def arranged(schema: Schema, hide: Sequence[str], keep: Sequence[str]) -> list[str]:
    """The columns in the order of the model: what is kept, the secrets, and what may change."""
    first = [*keep, *hide]
    return [*first, *(name for name in schema.names if name not in first)]


class SecretModel(Autoregressive):
    """An autoregressive model of a table whose columns stand as `arranged` says, trained with the secrets first and last.

    Args:
        hide: the secrets.
        keep: the columns that stay as they are.
        epochs, max_minutes, protect, unit, verbose, callbacks, random_state: as of `Autoregressive`.
    """

    def __init__(
        self,
        *,
        hide: Sequence[str] = (),
        keep: Sequence[str] = (),
        epochs: int | None = None,
        max_minutes: float | None = None,
        protect: int = 10,
        unit: str | None = None,
        verbose: bool = False,
        callbacks: Sequence[Callback] = (),
        random_state: int | None = None,
    ):
        super().__init__(
            epochs=epochs,
            max_minutes=max_minutes,
            protect=protect,
            unit=unit,
            verbose=verbose,
            callbacks=callbacks,
            random_state=random_state,
        )
        self.hide = hide
        self.keep = keep

    def _independent(self) -> frozenset[str]:
        return frozenset([*self.hide, *self.keep])

    def _net(self, slots: Slots, settings: NetSettings) -> SecretNet:
        names = slots.layout.names
        for name in self.hide:
            if name not in names:
                raise SettingError(
                    f"hide: fewer than two levels of column {name!r} are shared by {self.protect} rows each, so there is "
                    "nothing to tell apart; drop the column instead, or lower `protect`."
                )
        return SecretNet(slots, settings, tuple(names.index(name) for name in self.hide))

    def changed(self, codes: Codes, strength: float, seed: int) -> Codes:
        """The rows changed so that what is not kept tells nothing of the secrets, and secrets drawn to suit them.

        Args:
            codes: int32, shape (rows, modelled columns), every cell known.
            strength: from 0 (nothing changes) to 1.
            seed: of every draw.
        """
        drawer, names = self._drawer, self.codec_.layout.names
        net = drawer.net
        assert isinstance(net, SecretNet)
        coupling = Coupling(net, tuple(names.index(name) for name in self.keep if name in names))
        size = drawer.block_rows
        ready = drawer.ready
        key = jax.random.key(seed)
        first = np.zeros((size, codes.shape[1]), np.int32)
        program = Compilation(
            coupling.rows, ready, drawer.log_share, np.float32(strength), key, np.int32(0), first
        ).result()
        result = np.empty_like(codes)
        for block, start in enumerate(range(0, len(codes), size)):
            rows = slice(start, min(start + size, len(codes)))
            first[: rows.stop - start] = codes[rows]
            drawn = program(ready, drawer.log_share, np.float32(strength), key, np.int32(block), first)
            result[rows] = np.asarray(drawn)[: rows.stop - start]
        return result

    def secrets(self, codes: Codes, seed: int) -> Codes:
        """The rows with their secrets drawn from what the other columns say of them, whatever they were."""
        open_ = codes.copy()
        open_[:, [self.codec_.layout.names.index(name) for name in self.hide]] = -1
        return self._drawer.rows(len(codes), seed, given=open_)

    def filled(self, codes: Codes, seed: int) -> Codes:
        """The rows with unknown cells (-1) drawn from the others."""
        if (codes >= 0).all():
            return codes
        return self._drawer.rows(len(codes), seed, given=codes)
