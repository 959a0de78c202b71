"""A generator that knows a table with its secrets and without, and so can change rows until they tell nothing of them."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import jax
import numpy as np
import polars as pl
from numpy.typing import NDArray

from masquerade import seeds
from masquerade.codec.arrays import Encoded, Layout
from masquerade.errors import InputError, MasqueradeWarning, SettingError
from masquerade.nets.autoregressive import NetSettings
from masquerade.nets.coupling import Coupling, SecretNet
from masquerade.nets.loop import Compilation
from masquerade.nets.slots import Slots
from masquerade.progress import Callback
from masquerade.schema import Schema
from masquerade.synthesize.autoregressive import Autoregressive

__all__ = ["SecretModel", "arranged"]

Codes = NDArray[np.int32]

MOST_CLASSES = 10
MOST_ALIKE = 64
"""Codes of a secret with more codes are taken together in so many classes where the net is calibrated; in fewer where there are
several secrets, so that no more than so many combinations of classes are told apart."""

ROUNDS = 2
CHANCE = 0.75
"""Standard deviations of a count that are put down to chance."""

SLACK = 3.0
"""Rows put to both sides when frequencies are compared."""


def arranged(schema: Schema, hide: Sequence[str], keep: Sequence[str]) -> list[str]:
    """The columns in the order of the model: what is kept, the secrets, and what may change."""
    first = [*keep, *hide]
    return [*first, *(name for name in schema.names if name not in first)]


def _shrunk(wanted: NDArray[np.float64], expected: NDArray[np.float64]) -> NDArray[np.float64]:
    """The counts wanted, moved towards those expected by as much as chance alone would often part them."""
    apart = wanted - expected
    chance = CHANCE * np.sqrt(expected + 1)
    return np.asarray(expected + np.sign(apart) * np.maximum(np.abs(apart) - chance, 0.0))


class SecretModel(Autoregressive):
    """An autoregressive model of a table whose columns stand as `arranged` says, trained with the secrets first and last.

    Args:
        hide: the secrets.
        keep: the columns that stay as they are.
        epochs, max_minutes, protect, unit, verbose, callbacks, random_state: as of `Autoregressive`.
    """

    _shifts: list[NDArray[np.float32]]
    _change: Callable[..., Any] | None = None

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
        key, level = jax.random.key(seed), np.float32(strength)
        padded = np.zeros((drawer.block_rows, codes.shape[1]), np.int32)
        share = drawer.log_share
        if self._change is None:  # compiled once for all strengths and seeds
            coupling = Coupling(net, tuple(names.index(name) for name in self.keep if name in names))
            arguments = (drawer.ready, share, share, level, key, np.int32(0), padded)
            self._change = Compilation(coupling.rows, *arguments).result()
        result = np.empty_like(codes)
        for block, (rows, before) in enumerate(self._alike(codes)):
            padded[: len(rows)] = codes[rows]
            drawn = self._change(drawer.ready, before, share, level, key, np.int32(block), padded)
            result[rows] = np.asarray(drawn)[: len(rows)]
        return result

    def _alike(self, codes: Codes) -> Iterator[tuple[NDArray[np.intp], NDArray[np.float32]]]:
        """Blocks of rows whose secrets are of the same classes, each with where the heads start for them."""
        classes = self._classes(codes)
        alike, which = np.unique(classes, axis=0, return_inverse=True)
        for number, secret in enumerate(alike):
            share = self._drawer.log_share + sum(
                (shift[place] for shift, place in zip(self._shifts, secret, strict=True)),
                start=np.zeros((), np.float32),
            )
            rows = np.flatnonzero(which.ravel() == number)
            for start in range(0, len(rows), self._drawer.block_rows):
                yield rows[start : start + self._drawer.block_rows], share

    def _classes(self, codes: Codes) -> NDArray[np.intp]:
        """The class of each secret of each row, shape (rows, secrets)."""
        layout = self.codec_.layout
        places = [layout.names.index(name) for name in self.hide]
        return np.stack([table[codes[:, i]] for table, i in zip(self._class_tables(), places, strict=True)], axis=1)

    def _class_tables(self) -> list[NDArray[np.intp]]:
        """The class of each code of each secret: the code itself, or one of a few classes of neighbouring codes."""
        layout, tables = self.codec_.layout, []
        most = max(1, min(MOST_CLASSES, int(MOST_ALIKE ** (1 / len(self.hide)) + 1e-9)))
        for name in self.hide:
            place = layout.names.index(name)
            table = np.arange(layout.sizes[place])
            if len(table) > most:
                share = np.cumsum(layout.frequencies[place])
                table = np.minimum((share * most / share[-1]).astype(np.intp), most - 1)
            tables.append(table)
        return tables

    def _learn(self, encoded: Encoded, layout: Layout, seed: int) -> None:
        """The net, and then for each class of each secret a shift of where the heads start, so that every code of every column
        is expected as often among the rows of that class as it is there (iterative scaling, Deming and Stephan 1940)."""
        super()._learn(encoded, layout, seed)
        self._change = None
        digits, drawer = self._drawer.net.slots.digits, self._drawer
        classes = self._classes(encoded.codes)
        counts_of_classes = [int(table.max()) + 1 for table in self._class_tables()]
        self._shifts = [np.zeros((count, *drawer.log_share.shape), np.float32) for count in counts_of_classes]
        wanted = [np.zeros(shift.shape) for shift in self._shifts]
        for secret, counts in enumerate(wanted):
            for number in range(len(counts)):
                rows = encoded.codes[classes[:, secret] == number]
                frequencies = [np.bincount(rows[:, i], minlength=n).astype(float) for i, n in enumerate(layout.sizes)]
                counts[number] = digits.child_weights(frequencies)
        for _ in range(ROUNDS):
            for secret, shift in enumerate(self._shifts):
                expected = np.zeros(shift.shape)
                for rows, share in self._alike(encoded.codes):
                    expected[classes[rows[0], secret]] += drawer.expected(encoded.codes[rows], share)
                step = np.log((_shrunk(wanted[secret], expected) + SLACK) / (expected + SLACK)) * (
                    drawer.log_share > -1e8
                )
                shift += np.clip(step, -1, 1).astype(np.float32)

    def ruled(self, typed: pl.DataFrame, seed: int) -> pl.DataFrame:
        """Changed rows with every business rule met and kept columns as they are; where these leave no way, a warning says so.

        Args:
            typed: changed rows, all columns.
            seed: of the draws.
        """
        if self._enforcer is None or not typed.height:
            return typed
        keep = frozenset(self.keep)
        typed = self._enforcer.settle(typed, keep)
        try:
            return self._enforcer.repair(typed, keep, seeds.stream(seed, "mend"))
        except InputError as error:
            warnings.warn(f"{error} The rows are released as they are.", MasqueradeWarning, stacklevel=4)
            return typed

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

    def _to_state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        config, arrays = super()._to_state()
        return config, arrays | {f"shift.{number}": shift for number, shift in enumerate(self._shifts)}

    def _from_state(self, config: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], layout: Layout) -> None:
        super()._from_state(config, arrays, layout)
        self._shifts = [arrays[f"shift.{number}"] for number in range(len(self.hide))]
