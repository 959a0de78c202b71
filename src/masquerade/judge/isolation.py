"""Were the most isolated people in the table? Shadow refits ask it of those who stand out the most."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.stats import norm

from masquerade import seeds
from masquerade.errors import SettingError
from masquerade.judge.distances import Scale
from masquerade.judge.figures import Outcome
from masquerade.judge.scores import Score
from masquerade.judge.shadows import auc_of_shadows, design, evidence, named
from masquerade.judge.tables import Tables, sample_rows, tabulate
from masquerade.judge.worst import Found, crossed, sidak, tpr
from masquerade.metrics.intervals import Z95, wilson
from masquerade.metrics.neighbours import Points, distances, nearest
from masquerade.schema import Schema

__all__ = ["LEAST_SHADOWS", "PEOPLE", "Isolated", "check_shadows", "isolation", "most_isolated"]

PEOPLE = 20
"""So many of the most isolated people are asked about."""

LEAST_SHADOWS = 8

_ROWS = 10_000  # among which the first look for isolated rows is
_CANDIDATES = 200  # of them are then compared with the whole table
_NEAR = 20  # nearest released rows that make a density
_CLOSE = 0.01  # numbers within this share of the real range are as good as equal
_TINY = 1e-4  # a distance that counts as none
_RATE = 0.1

Floats = NDArray[np.float64]
ATTACKERS = ("nearest_distance", "near_density", "values")


def check_shadows(shadows: Any) -> None:
    """Refuse a number of shadow refits that is odd or too small."""
    if isinstance(shadows, bool) or not isinstance(shadows, int) or shadows < LEAST_SHADOWS or shadows % 2:
        raise SettingError(f"shadows: got {shadows!r}, expected an even number of at least {LEAST_SHADOWS}.")


@dataclass(frozen=True)
class Isolated:
    """The people who are asked about.

    Args:
        rows: for each, its most isolated row.
        everyone: for each, all rows of the unit.
    """

    rows: NDArray[np.intp]
    everyone: tuple[NDArray[np.intp], ...]

    def training(self, height: int, inside: NDArray[np.bool_]) -> NDArray[np.intp]:
        """All rows but those of people who are not inside."""
        kept = np.ones(height, dtype=bool)
        for rows, here in zip(self.everyone, inside, strict=True):
            kept[rows] &= bool(here)
        return np.flatnonzero(kept)


def most_isolated(real: pl.DataFrame, schema: Schema, *, units: pl.Series | None = None, seed: int = 0) -> Isolated:
    """The rows furthest from their nearest neighbour, of different units.

    Args:
        real: typed training rows.
        schema: of what is compared.
        units: whose row each is; None: each row is its own unit.
        seed: chooses the rows that a long table is first looked through with.
    """
    tables = tabulate(schema, real, real[:1], None)
    points = Scale.of(tables).points(tables.real)
    some = np.sort(seeds.stream(seed, "isolated").permutation(len(points))[:_ROWS])
    part = points.rows(some)
    far = nearest(part, part, tables.sizes).second
    candidates = some[np.argsort(-far, kind="stable")[: max(_CANDIDATES, 2 * PEOPLE)]]
    far = nearest(points.rows(candidates), points, tables.sizes).second  # the nearest is the row itself, or its double
    names = np.arange(len(points)) if units is None else units.rank("dense").fill_null(0).to_numpy().astype(np.int64)
    rows: list[int] = []
    for row in candidates[np.argsort(-far, kind="stable")]:
        if len(rows) < PEOPLE and all(names[row] != names[other] for other in rows):
            rows.append(int(row))
    rows = rows[: len(rows) // 2 * 2]
    return Isolated(np.array(rows, np.intp), tuple(np.flatnonzero(names == names[row]) for row in rows))


def isolation(
    real: pl.DataFrame,
    released: pl.DataFrame,
    schema: Schema,
    refit: Callable[[NDArray[np.intp]], pl.DataFrame],
    *,
    shadows: int,
    seed: int,
    units: pl.Series | None = None,
    ceilings: Mapping[str, float] | None = None,
    tick: Callable[[int], None] = lambda done: None,
) -> Outcome:
    """How well an attacker who refits the generator tells whether each of the 20 most isolated people was in the table.

    The attacker knows all other rows and how the generator is made. It is refitted `shadows` times, each time with half of
    the 20, at random, and all others; three scores of a person in a release (the nearest released row, the mean log distance of
    the 20 nearest, and how common the person's values are) become likelihood ratios (`masquerade.judge.shadows`). The worst
    of the three is told without flattery: it is chosen on the other half of the people.

    Args:
        real: typed training rows.
        released: typed released rows.
        schema: what both have in common.
        refit: takes the numbers of the rows that train, and returns typed released rows, about as many as were released.
        shadows: how many refits; even, at least 8.
        seed: of every choice.
        units: whose row each is; None: each row is its own unit.
        ceilings: what the release's guarantee allows, as from `masquerade.judge.ceilings.guaranteed_ceilings`, or None.
        tick: told after each refit how many are done.

    Returns:
        The scores `membership_isolated_auc` and `membership_isolated_tpr_at_10pct_fpr`, and the attack `isolation`; nothing for
        a table with too few different people, or nothing to compare.
    """
    check_shadows(shadows)
    people = most_isolated(real, schema, units=units, seed=seed)
    if len(people.rows) < 4 or not tabulate(schema, real[:1], released[:1], None).names:
        return Outcome()
    some = sample_rows(real, _ROWS, seed, "isolation scale")
    told = partial(_scores, pl.concat([real[people.rows], some]), len(people.rows), schema)
    inside = design(len(people.rows), shadows, seed)
    found: list[Floats] = []
    for number, here in enumerate(inside):
        found.append(told(refit(people.training(real.height, here))))
        tick(number + 1)
    scores = dict(zip(ATTACKERS, np.stack(found, axis=1), strict=True))
    here = dict(zip(ATTACKERS, told(released), strict=True))
    attack = _attack(scores, here, inside) | {"people": len(people.rows), "shadows": shadows}
    if ceilings is not None:
        attack["guaranteed"] = dict(ceilings)
    return Outcome(scores=_told(attack), attacks={"isolation": attack})


def _scores(asked: pl.DataFrame, people: int, schema: Schema, released: pl.DataFrame) -> Floats:
    """Each attacker's score of each person in one release, shape (attackers, people); `asked` are people, then real rows."""
    tables = tabulate(schema, asked, released, None)
    scale = Scale.of(tables)
    mine, theirs = scale.points(tables.real.rows(slice(0, people))), scale.points(tables.released)
    count = min(_NEAR, len(theirs))
    nearest_distance, density = np.empty(people), np.empty(people)
    for start, apart in distances(mine, theirs, tables.sizes):
        near = np.sort(np.partition(apart, count - 1, axis=1)[:, :count], axis=1).astype(np.float64)
        nearest_distance[start : start + len(near)] = -np.log(near[:, 0] + _TINY)
        density[start : start + len(near)] = -np.log(near + _TINY).mean(axis=1)
    return np.stack([nearest_distance, density, _values(tables, mine, theirs)])


def _values(tables: Tables, mine: Points, theirs: Points) -> Floats:
    """How common a person's values are in the release: log shares, added over the columns."""
    total = np.zeros(len(mine))
    count = len(theirs)
    for j in range(len(tables.numeric)):
        column = np.sort(theirs.numbers[:, j])  # missing ones last
        there = count - int(np.isnan(column).sum())
        value = mine.numbers[:, j]
        within = np.searchsorted(column[:there], value + _CLOSE, "right") - np.searchsorted(
            column[:there], value - _CLOSE
        )
        total += np.log((np.where(np.isnan(value), count - there, within) + 1.0) / (count + 1.0))
    for j, size in enumerate(tables.sizes):
        shares = np.bincount(theirs.codes[:, j], minlength=size)
        total += np.log((shares[mine.codes[:, j]] + 1.0) / (count + 1.0))
    return total


def _attack(scores: Mapping[str, Floats], release: Mapping[str, Floats], inside: NDArray[np.bool_]) -> dict[str, Any]:
    told = {name: evidence(values, inside) for name, values in scores.items()}
    half = inside.shape[1] // 2
    parts = (slice(0, half), slice(half, None))
    z = sidak(len(told))
    level = 1.0 - 2.0 * float(norm.sf(z))
    found: dict[str, Any] = {}
    for name, ratios in told.items():
        value, ends = auc_of_shadows(ratios, inside)
        rate = _tpr(ratios, inside, Z95)
        found[name] = {
            "auc": value, "interval": list(ends), "tpr_at_10pct_fpr": rate[0], "tpr_at_10pct_fpr_interval": list(rate[1]),
        }  # fmt: skip
    halves = {
        name: [auc_of_shadows(ratios[:, part], inside[:, part], level) for part in parts]
        for name, ratios in told.items()
    }
    value, ends = crossed(halves)
    found |= {"auc": value, "auc_interval": [max(0.0, ends[0]), min(1.0, ends[1])]}
    rates = {name: [_tpr(ratios[:, part], inside[:, part], z) for part in parts] for name, ratios in told.items()}
    value, ends = crossed(rates)
    found |= {"tpr_at_10pct_fpr": value, "tpr_at_10pct_fpr_interval": [max(0.0, ends[0]), min(1.0, ends[1])]}
    worst = max(told, key=lambda name: float(found[name]["auc"]))
    return found | {"worst": worst, "named": _named(scores[worst], inside, release[worst], told[worst])}


def _tpr(ratios: Floats, inside: NDArray[np.bool_], z: float) -> Found:
    return tpr(ratios[inside], ratios[~inside], _RATE, z)


def _named(scores: Floats, inside: NDArray[np.bool_], release: Floats, ratios: Floats) -> dict[str, Any]:
    """How many are named in the release itself, by a threshold that a tenth of those pass who were not in a shadow."""
    threshold = float(np.quantile(ratios[~inside], 1.0 - _RATE, method="higher"))
    hits = int((named(scores, inside, release) > threshold).sum())
    return {"people": hits, "interval": list(wilson(hits, len(release)))}


def _told(found: Mapping[str, Any]) -> dict[str, Score]:
    allowed = found.get("guaranteed")
    out = {}
    for name, key, ceiling, words in (
        ("membership_isolated_auc", "auc", 0.5, "How well it is told, as AUC, whether each of"),
        (
            "membership_isolated_tpr_at_10pct_fpr",
            "tpr_at_10pct_fpr",
            _RATE,
            "How many are named, while wrong about 10 %, of",
        ),
    ):
        beside = "" if allowed is None else f"; ε = {allowed['epsilon']:g} allows {allowed[key]:.3f} at most"
        out[name] = Score(
            name,
            found[key],
            "lower",
            interval=(found[f"{key}_interval"][0], found[f"{key}_interval"][1]),
            ceiling=ceiling,
            meaning=f"{words} the {found['people']} most isolated people was in the table, from {found['shadows']} refits with "
            f"and without them; the ceiling is guessing at random{beside}.",
        )
    return out
