"""Four attackers who ask of a record: did it train? Each sees the release and other real rows; higher scores say yes."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier

from masquerade import seeds
from masquerade.judge.distances import Scale
from masquerade.judge.models import Features
from masquerade.judge.tables import Side, Tables, sample_side
from masquerade.judge.workers import fill_empty
from masquerade.metrics.neighbours import nearest

__all__ = ["Attackers"]

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]

_DIMENSIONS = 8  # in which densities are estimated
_COLUMNS = 50  # of a wider table, so many make these dimensions
_CLOSEST = 10  # released rows in whose likelihood a record's influence is sought
_TRAINED = 10_000  # rows of each side that the classifier is trained on at most
_BLOCK_CELLS = 1 << 20
_TINY = 1e-4  # a distance that counts as none


@dataclass(frozen=True)
class Attackers:
    """What every attacker holds.

    Args:
        tables: the coding.
        released: the released rows.
        reference: real rows that are neither asked about nor trained.
        asked: the rows that are asked about.
        seed: of the classifier.
    """

    tables: Tables
    released: Side
    reference: Side
    asked: Side
    seed: int

    def nearest_distance(self) -> Floats:
        """How much nearer the nearest released row is than the nearest reference row, as the log of their ratio."""
        scale = Scale.of(dataclasses.replace(self.tables, real=self.reference))
        asked, released, reference = (scale.points(side) for side in (self.asked, self.released, self.reference))
        near, far = (
            nearest(asked, among, self.tables.sizes).first.astype(np.float64) for among in (released, reference)
        )
        return np.log((far + _TINY) / (near + _TINY))

    def classifier(self) -> Floats:
        """How surely gradient boosting, trained to tell released from reference rows, takes a record for a released one."""
        sides = [sample_side(side, _TRAINED, self.seed, "told apart") for side in (self.released, self.reference)]
        features = self._features(self.reference)
        seen, unseen = fill_empty(np.concatenate([features.trees(side) for side in sides]), features.trees(self.asked))
        told = np.repeat([1, 0], [len(side) for side in sides])
        weight = np.repeat([1.0 / len(side) for side in sides], [len(side) for side in sides])
        model = HistGradientBoostingClassifier(
            max_iter=30,
            learning_rate=0.2,
            categorical_features=features.is_level,
            early_stopping=False,
            random_state=seeds.integer(self.seed, "membership classifier"),
        )
        model.fit(seen, told, weight * len(told) / 2)
        return np.asarray(model.decision_function(unseen), np.float64)

    def densities(self) -> tuple[Floats, Floats]:
        """The scores of DOMIAS and of Gen-LRA, which share their estimate of densities.

        DOMIAS (van Breugel, Sun, Qian and van der Schaar 2023, arXiv 2302.12580): the density of the release at the record over
        that of the population. Gen-LRA (Ward et al. 2025, arXiv 2508.21146): how much likelier the record, added to the
        reference rows, makes the release, told from its nearest released rows alone. Densities are sums of Gaussian kernels
        over the first principal components of standardised numbers and one-hot levels, each scaled to variance 1, as wide
        as Scott's rule (1992) says.
        """
        asked, released, reference = self._space()
        width = float(len(reference) ** (-1.0 / (reference.shape[1] + 4)))
        count = min(_CLOSEST, len(released))
        close, apart = np.empty((len(asked), count), np.intp), np.empty((len(asked), count), np.float64)
        of_release = np.empty(len(asked))
        for start, kernel in _log_kernels(asked, released, width):
            stop = start + len(kernel)
            close[start:stop] = np.argpartition(kernel, -count, axis=1)[:, -count:]
            apart[start:stop] = np.take_along_axis(kernel, close[start:stop], axis=1)
            of_release[start:stop] = _log_sum(kernel)
        domias = of_release - _log_sums(asked, reference, width)
        used, place = np.unique(close, return_inverse=True)
        known = _log_sums(released[used], reference, width)[place.reshape(close.shape)]
        return domias, np.logaddexp(0.0, apart - known).sum(axis=1)

    def _features(self, side: Side) -> Features:
        tables = self.tables
        numeric, discrete = range(len(tables.numeric)), range(len(tables.discrete))
        return Features.of(side, numeric, discrete, tables.sizes)

    def _space(self) -> tuple[Singles, Singles, Singles]:
        """All rows in the same few dimensions, set by the reference rows."""
        tables, width = self.tables, len(self.tables.names)
        kept = np.arange(width)
        if width > _COLUMNS:
            kept = np.sort(seeds.stream(self.seed, "membership columns").choice(width, _COLUMNS, replace=False))
        numeric = [int(j) for j in kept if j < len(tables.numeric)]
        discrete = [int(j) - len(tables.numeric) for j in kept if j >= len(tables.numeric)]
        features = Features.of(self.reference, numeric, discrete, tables.sizes)
        rows = features.linear(self.reference)
        mean = rows.mean(axis=0)
        spread, axes = np.linalg.eigh(np.cov(rows - mean, rowvar=False).reshape(rows.shape[1], rows.shape[1]))
        there = np.flatnonzero(spread > 1e-6 * max(float(spread[-1]), 1e-300))[-_DIMENSIONS:]
        whiten = axes[:, there] / np.sqrt(spread[there])

        def place(side: Side) -> Singles:
            blocks = [
                (features.linear(side.rows(slice(start, start + 10_000))) - mean) @ whiten
                for start in range(0, len(side), 10_000)
            ]
            return np.concatenate(blocks).astype(np.float32)

        return place(self.asked), place(self.released), place(self.reference)


def _log_kernels(queries: Singles, centres: Singles, width: float) -> Iterator[tuple[int, Singles]]:
    """−distance² / 2 width² of all pairs, a block of queries at a time."""
    block = max(1, _BLOCK_CELLS // max(len(centres), 1))
    scale = np.float32(1.0 / (np.sqrt(2.0) * width))
    centres = centres * scale
    norms = (centres**2).sum(axis=1)
    for start in range(0, len(queries), block):
        part = queries[start : start + block] * scale
        apart = (part**2).sum(axis=1)[:, None] + norms[None, :] - 2.0 * (part @ centres.T)
        yield start, -np.maximum(apart, np.float32(0.0))


def _log_sum(logs: Singles) -> Floats:
    """log Σ exp over each row."""
    most = logs.max(axis=1)
    return np.asarray(np.log(np.exp(logs - most[:, None]).sum(axis=1, dtype=np.float64)) + most, np.float64)


def _log_sums(queries: Singles, centres: Singles, width: float) -> Floats:
    sums = [_log_sum(kernel) for _, kernel in _log_kernels(queries, centres, width)]
    return np.concatenate(sums)
