"""Attacks on codes: how much of the records behind them an attacker rebuilds, and whom a code is re-linked to.

A code per record is a pseudonym. An attacker who knows whose code some of them are learns from these pairs what codes mean.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from masquerade import seeds
from masquerade.errors import SettingError, TableError
from masquerade.judge.alignment import aligned, squared_distances
from masquerade.judge.learners import Learner, learn
from masquerade.judge.workers import one_thread
from masquerade.metrics.intervals import from_influences, wilson

__all__ = ["CodesAttack", "attack_codes"]

Floats = NDArray[np.float64]
Finding = tuple[float, tuple[float, float] | None]
Encoder = Callable[[Floats], NDArray[Any]]

_UNSEEN = 5_000  # rows that are rebuilt, at most
_POOL = 10_000  # rows that an attacker with the encoder learns from, at most
_LEAST = 100
_VALIDATION = 0.2


@dataclass(frozen=True)
class CodesAttack:
    """What attackers with more and more knowledge find.

    Both mappings have the keys "0", "100", "1000", "5000" (how many pairs of record and code are known) and "encoder" (the
    encoder itself is known), as far as there are rows enough; each value is a figure and its 95 % interval.

    Args:
        reconstruction_r2: share of the variance of unseen records that is rebuilt from their codes; below 0: worse than
            guessing the mean.
        linkage_top1: how often the record nearest to what the code says is the person's own, among the candidates.
        candidates: among how many people; guessing at random is right once in that many.
        rows: how many records were rebuilt.
    """

    reconstruction_r2: Mapping[str, Finding]
    linkage_top1: Mapping[str, Finding]
    candidates: int
    rows: int

    def to_dict(self) -> dict[str, Any]:
        """Plain data for `report.json`."""

        def told(found: Mapping[str, Finding]) -> dict[str, Any]:
            return {
                key: {"value": value, "interval": None if interval is None else list(interval)}
                for key, (value, interval) in found.items()
            }

        return {
            "reconstruction_r2": told(self.reconstruction_r2),
            "linkage_top1": told(self.linkage_top1),
            "candidates": self.candidates,
            "rows": self.rows,
        }


def attack_codes(
    features: Floats,
    codes: Floats,
    *,
    known: Sequence[int] = (0, 100, 1000, 5000),
    encoder: Encoder | None = None,
    candidates: int = 2000,
    seed: int = 0,
) -> CodesAttack:
    """Rebuild records from their codes, and re-link codes to people.

    With pairs, ridge regression, nearest neighbours and a small neural network learn records from codes and codes from
    records; on a fifth of the pairs it is decided which of them rebuilds best, and which way of comparing re-links best. With
    no pair the attacker has other people of the same kind, without codes, and turns the cloud of codes until it lies on theirs.
    With the encoder the attacker encodes other people to learn from (blurred as the spread of the released codes says), and the
    candidates to compare with.

    Args:
        features: the records: standardised numbers and zeros and ones for levels, no NaN, shape (rows, inputs); columns of
            other numbers are standardised, columns of zeros and ones stay.
        codes: what is released of them, row by row, no NaN, shape (rows, codes).
        known: how many pairs attackers know; those that would leave too few rows unseen are left out.
        encoder: (features) → codes without any noise, or None.
        candidates: among how many people a code is re-linked, at most.
        seed: of every draw.

    Raises:
        TableError: fewer than 100 rows, a NaN, nothing that varies, or different numbers of rows.
        SettingError: `candidates` below 2, or a number of pairs below 0 or from 1 to 19.

    >>> random = np.random.default_rng(0)
    >>> people = random.normal(size=(600, 4))
    >>> found = attack_codes(people, people @ random.normal(size=(4, 4)), known=[100], candidates=200)
    >>> found.reconstruction_r2["100"][0] > 0.95, found.linkage_top1["100"][0] > 0.9
    (True, True)
    """
    people, released = _checked(features, codes, known, candidates)
    order = seeds.stream(seed, "codes attack").permutation(len(people))
    unseen = order[: min(_UNSEEN, len(order) // 2)]
    pool = order[len(unseen) :]
    crowd = unseen[:candidates]
    reconstruction: dict[str, Finding] = {}
    linkage: dict[str, Finding] = {}

    def note(name: str, rebuilt: Floats, distances: Floats) -> None:
        reconstruction[name] = _explained(people[unseen], rebuilt)
        linkage[name] = _top1(distances, people[crowd])

    with one_thread():
        for count in known:
            if count > len(pool):
                continue
            if count == 0:
                cloud = np.asarray(codes, np.float64)[unseen]  # as they are: their spread tells which matters most
                rebuilt = aligned(cloud, people[pool[:_POOL]], seeds.stream(seed, "turns"))
                note("0", rebuilt, squared_distances(rebuilt[: len(crowd)], people[crowd]))
            else:
                attack = _Pairs.learn(people[pool[:count]], released[pool[:count]], seeds.integer(seed, "pairs", count))
                note(str(count), attack.records(released[unseen]), attack.distances(released[crowd], people[crowd]))
        if encoder is not None:
            scale = _Scale.of(codes)
            given = np.asarray(features, np.float64)
            learnt = pool[:_POOL]
            own = scale(_encoded(encoder, given[learnt], codes.shape[1]))
            own = _blurred(own, released, seeds.stream(seed, "blur"))
            attack = _Pairs.learn(people[learnt], own, seeds.integer(seed, "pairs", "encoder"))
            beside = scale(_encoded(encoder, given[crowd], codes.shape[1]))
            note("encoder", attack.records(released[unseen]), squared_distances(released[crowd], beside))
    return CodesAttack(reconstruction, linkage, len(crowd), len(unseen))


@dataclass(frozen=True)
class _Pairs:
    """What an attacker learnt from pairs: records from codes, codes from records, and which way re-links better."""

    backward: Learner
    forward: Learner
    weights: tuple[Floats, Floats]
    way: int

    @classmethod
    def learn(cls, people: Floats, released: Floats, seed: int) -> _Pairs:
        cut = max(5, round(_VALIDATION * len(people)))
        train, check = slice(cut, None), slice(0, cut)
        backward = learn(released[train], people[train], released[check], people[check], seeds.integer(seed, "back"))
        forward = learn(people[train], released[train], people[check], released[check], seeds.integer(seed, "forth"))
        # What is foretold badly counts less.
        weights = (
            1.0 / np.maximum(((backward(released[check]) - people[check]) ** 2).mean(axis=0), 1e-3),
            1.0 / np.maximum(((forward(people[check]) - released[check]) ** 2).mean(axis=0), 1e-6),
        )
        ways = [cls(backward, forward, weights, way) for way in range(3)]
        hits = [_top1(way.distances(released[check], people[check]), people[check])[0] for way in ways]
        return ways[int(np.argmax(hits))]

    def records(self, released: Floats) -> Floats:
        """What the codes say about their people."""
        return self.backward(released)

    def distances(self, released: Floats, people: Floats) -> Floats:
        """How far each code lies from each candidate, shape (codes, candidates)."""
        if self.way == 2:
            weight = np.sqrt(self.weights[1])
            return squared_distances(released * weight, self.forward(people) * weight)
        weight = np.sqrt(self.weights[0]) if self.way else np.ones(people.shape[1])
        return squared_distances(self.backward(released) * weight, people * weight)


@dataclass(frozen=True)
class _Scale:
    """Means and deviations of columns that vary; columns that hold only zeros and ones may stay as they are."""

    columns: NDArray[np.intp]
    mean: Floats
    deviation: Floats

    @classmethod
    def of(cls, values: Floats, *, levels: bool = False) -> _Scale:
        values = np.asarray(values, np.float64)
        mean, deviation = values.mean(axis=0), values.std(axis=0)
        columns = np.flatnonzero(deviation > 1e-12 * np.maximum(np.abs(mean), 1e-300))
        mean, deviation = mean[columns], deviation[columns]
        if levels:
            zero_one = ((values[:, columns] == 0) | (values[:, columns] == 1)).all(axis=0)
            mean, deviation = np.where(zero_one, 0.0, mean), np.where(zero_one, 1.0, deviation)
        return cls(columns, mean, deviation)

    def __call__(self, values: Floats) -> Floats:
        scaled: Floats = (values[:, self.columns] - self.mean) / self.deviation
        return scaled


def _checked(features: Floats, codes: Floats, known: Sequence[int], candidates: int) -> tuple[Floats, Floats]:
    """Records and codes on their scales."""
    for name, values in (("features", features), ("codes", codes)):
        if np.ndim(values) != 2 or not np.isfinite(np.asarray(values, np.float64)).all():
            raise TableError(f"{name}: expected a table of finite numbers, without missing values.")
    if len(features) != len(codes):
        raise TableError(f"codes: got {len(codes)} rows, expected {len(features)}, one for each record.")
    if len(features) < _LEAST:
        raise TableError(f"features: got {len(features)} rows, expected at least {_LEAST} to attack.")
    if candidates < 2:
        raise SettingError(f"candidates: got {candidates}, expected at least 2.")
    for count in known:
        if count != 0 and count < 20:
            raise SettingError(f"known: got {count}, expected 0, or at least 20 pairs to learn from.")
    people = _Scale.of(features, levels=True)(np.asarray(features, np.float64))
    released = _Scale.of(codes)(np.asarray(codes, np.float64))
    if not people.shape[1]:
        raise TableError("features: no column varies, so there is nothing to rebuild.")
    if not released.shape[1]:
        raise TableError("codes: no column varies, so there is nothing to learn from.")
    return people, released


def _encoded(encoder: Encoder, people: Floats, width: int) -> Floats:
    found = np.asarray(encoder(people), np.float64)
    if found.shape != (len(people), width):
        raise TableError(f"encoder: got codes of shape {found.shape}, expected {(len(people), width)}.")
    return found


def _blurred(own: Floats, released: Floats, random: np.random.Generator) -> Floats:
    """Own codes with what was done to the released ones, as far as their spread tells it.

    A wider spread means noise on top; one that is k times less, means of k codes: a k-th of the own one and the rest of others.
    """
    spread = np.maximum(own.var(axis=0), 1e-12)
    part = np.minimum(1.0, released.var(axis=0) / spread)
    noise = np.sqrt(np.maximum(released.var(axis=0) - part**2 * spread, 0.0))
    centre = own.mean(axis=0)
    blurred: Floats = centre + part * (own - centre) + noise * random.normal(size=own.shape)
    return blurred


def _explained(truth: Floats, rebuilt: Floats) -> Finding:
    """1 − Σ (x − x̂)² / Σ (x − mean)² over all cells, and its interval over rows."""
    error = ((truth - rebuilt) ** 2).sum(axis=1)
    spread = ((truth - truth.mean(axis=0)) ** 2).sum(axis=1)
    ratio = float(error.sum() / spread.sum())
    pull = -(error - ratio * spread) / spread.mean()
    return 1.0 - ratio, from_influences(1.0 - ratio, pull, low=-np.inf)


def _top1(distances: Floats, people: Floats) -> Finding:
    """How often code i lies nearest to candidate i; among people who are all alike one is picked at random."""
    kind, size = np.unique(people, axis=0, return_inverse=True, return_counts=True)[1:]
    kind = kind.ravel()
    nearest = distances.argmin(axis=1)
    hits = float(((kind[nearest] == kind) / size[kind]).sum())
    return hits / len(people), wilson(hits, len(people))
