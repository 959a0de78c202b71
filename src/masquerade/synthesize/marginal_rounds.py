"""Rounds of choosing tables of two columns privately, counting them with noise, and fitting a graphical model to all counts.

The first round is MST's (McKenna, Miklau and Sheldon, arXiv 2108.04978): a spanning tree of the pairs that the model of single
columns is most wrong about. The later ones are AIM's (arXiv 2201.12677): pairs that the model so far is most wrong about, less
what their noise will add, as long as the junction tree stays small. Unlike there, each round chooses several pairs, no cycle
among them, so that few fits are needed; and each pair is a candidate in a few resolutions, so that large columns are told of
even where a table of all their codes would be noise.

Budget: what is done, how often, and with how much noise is fixed beforehand by public facts; which pairs are counted is not.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from masquerade.nets.junction import Clique, JunctionTree, Way, cells_needed
from masquerade.nets.maxent import Measured, Model, fit, grouped
from masquerade.nets.pair_marginals import pair_marginals
from masquerade.nets.reconcile import reconciled
from masquerade.privacy.accountant import Accountant
from masquerade.privacy.events import Event, discrete_gaussian, exponential
from masquerade.privacy.noise import noised_counts
from masquerade.privacy.selection import choose
from masquerade.synthesize.marginal_codes import CoarseColumn

__all__ = ["Plan", "Rounds", "plan"]

LATER_ROUNDS = 3
"""Rounds after the spanning tree; each chooses half as many pairs as there are columns."""

SELECTION = 0.05
"""Share of the budget for choosing."""

NOISE_SHARES = (0.1, 0.5)
"""A candidate's resolution is the finest whose noise adds up to less than this share of all rows."""

SLACK = 0.003
"""How loosely counts are followed, see `masquerade.nets.maxent`."""

WALKS, LAST_WALKS = 15, 40
"""Through the junction tree, to fit the model in each round and in the last one."""

EXACT_COLUMNS = 20
"""With more columns, the size of a model with one more pair is bounded, not computed."""

CACHED_CELLS = 20_000_000
"""Tables of all pairs are counted once where they have fewer cells than that together."""


@dataclass(frozen=True)
class Plan:
    """What is done beside counting single columns.

    Args:
        rounds: how many pairs are chosen in each.
        epsilon: of each choice.
        sigma: noise multiplier of each table.
    """

    rounds: tuple[int, ...]
    epsilon: float
    sigma: float


def plan(columns: int, accountant: Accountant, sensitivity: int) -> Plan:
    """Plan for so many columns with all of the budget that is left, and spend it.

    Args:
        columns: how many are modelled, at least 2.
        accountant: of the fit.
        sensitivity: rows that one unit can have.
    """
    rounds = (columns - 1, *[math.ceil(columns / 2)] * LATER_ROUNDS) if columns > 2 else (1, 1)
    count = sum(rounds)
    epsilon = accountant.selection_epsilon(SELECTION, count)
    choices = exponential(epsilon, what="which pairs of columns to count", count=count)

    def tables(sigma: float) -> Event:
        return discrete_gaussian(
            sigma, stage="marginals", what="counts of pairs of columns", count=count, sensitivity=sensitivity
        )

    sigma = accountant.calibrate(lambda sigma: [choices, tables(sigma)])
    accountant.spend(choices)
    accountant.spend(tables(sigma))
    return Plan(rounds, epsilon, sigma)


@dataclass
class Rounds:
    """The private loop; `model` is the best so far.

    Args:
        codes: the rows, private: codes of the model's columns, shape (rows, columns).
        columns: the model's columns.
        total: number of rows, estimated.
        plan: paid for.
        sensitivity: rows that one unit can have.
        max_cells: the junction tree has about so many cells at most.
    """

    codes: NDArray[np.int64]
    columns: Sequence[CoarseColumn]
    total: float
    plan: Plan
    sensitivity: int
    max_cells: int
    measured: list[Measured] = field(default_factory=list)
    graph: list[Clique] = field(default_factory=list)
    model: Model = field(init=False)
    _cached: dict[Clique, NDArray[np.int32]] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        self.sizes = tuple(column.size for column in self.columns)
        self.tree = JunctionTree.of(self.sizes, self.graph)
        for place, column in enumerate(self.columns):
            self.measured.append(Measured((place,), (column.views[0],), column.values, column.sigma))
        self._fit(WALKS)

    def step(self, count: int, *, last: bool) -> None:
        """One round: choose and count so many tables, and fit the model to all that is known."""
        self._measure(count)
        self._fit(LAST_WALKS if last else WALKS)

    def _fit(self, walks: int) -> None:
        start = self.model.factors if hasattr(self, "model") else ()
        self.model = fit(
            self.tree,
            [column.shares for column in self.columns],
            reconciled(self.measured, self.sizes, self.total),
            self.total,
            start=start,
            slack=SLACK,
            walks=walks,
        )

    # ── choosing ───────────────────────────────────────────────────────────────────────────────────────────────

    def _measure(self, count: int) -> None:
        """Choose tables and count them, no cycle among the new ones."""
        candidates, scores = self._scored()
        component, refused = np.arange(len(self.sizes)), set[Clique]()
        for _ in range(count):
            fitting = self._fitting(component, refused)
            open_ = [i for i, (clique, _) in enumerate(candidates) if len(clique) == 1 or clique in fitting]
            clique, views = candidates[open_[choose(scores[open_], self.plan.epsilon, float(self.sensitivity))]]
            self._count(clique, views)
            if len(clique) == 2:
                component[component == component[clique[0]]] = component[clique[1]]
                self._grow(clique, fitting[clique])

    def _fitting(self, component: NDArray[np.intp], refused: set[Clique]) -> dict[Clique, tuple[int, Way] | None]:
        """Pairs that close no cycle and with which the model stays small enough, and by which way; None: built anew."""
        found: dict[Clique, tuple[int, Way] | None] = {}
        room = self.max_cells - self.tree.cells
        for column in range(len(self.sizes)):
            for other, way in self.tree.ways_from(column).items():
                pair = (min(column, other), max(column, other))
                if component[column] == component[other]:
                    continue
                old = found.get(pair)
                if way.cells <= room and (old is None or way.cells < old[1].cells):
                    found[pair] = (column, way)
                elif pair not in found and pair not in refused and len(self.sizes) <= EXACT_COLUMNS:
                    if cells_needed(self.sizes, [*self.graph, pair]) <= self.max_cells:
                        found[pair] = None
                    else:
                        refused.add(pair)
        return found

    def _grow(self, pair: Clique, grown: tuple[int, Way] | None) -> None:
        """Make room for a pair in the junction tree, the smaller of two."""
        if pair in self.graph:
            return
        self.graph.append(pair)
        ways = [JunctionTree.of(self.sizes, self.graph)]
        if grown is not None:
            ways.append(self.tree.grown(*grown))
        self.tree = min(ways, key=lambda tree: tree.cells)

    def _scored(self) -> tuple[list[tuple[Clique, tuple[int, ...]]], NDArray[np.float64]]:
        """Candidates (columns, and the view of each), and how much better each would be known (arXiv 2201.12677, section 3.2).

        One row more or less changes no score by more than 1: the model and the noise to come do not depend on it.
        """
        candidates: list[tuple[Clique, tuple[int, ...]]] = []
        scores = []
        for clique, expected in self._expected():
            error = self._table(clique) - expected * self.total
            for views in self._resolutions(clique):
                groups = tuple(self.columns[c].views[v] for c, v in zip(clique, views, strict=True))
                coarse = grouped(error, groups)
                candidates.append((clique, views))
                scores.append(float(np.abs(coarse).sum()) - self._noise(coarse.size))
        return candidates, np.array(scores)

    def _expected(self) -> Iterator[tuple[Clique, NDArray[np.float64]]]:
        for column in range(len(self.sizes)):
            yield (column,), self.model.beliefs.marginal((column,))
        yield from pair_marginals(self.model.beliefs)

    def _noise(self, cells: int) -> float:
        """The sum of the noise's sizes over so many cells, expected."""
        return math.sqrt(2 / math.pi) * self.plan.sigma * self.sensitivity * cells

    def _resolutions(self, clique: Clique) -> list[tuple[int, ...]]:
        """The views to count a clique in: of each way to make its columns coarser, the finest with little noise."""
        sizes = [[int(view.max()) + 1 for view in self.columns[c].views] for c in clique]
        found = []
        for ladders in itertools.product(*(self.columns[c].ladders for c in clique)):
            cells = {views: math.prod(map(list.__getitem__, sizes, views)) for views in itertools.product(*ladders)}
            rising = sorted(cells, key=lambda views: cells[views])
            for share in NOISE_SHARES:
                quiet = [views for views in rising if self._noise(cells[views]) <= share * self.total]
                found.append((quiet or rising[:1])[-1])
        return list(dict.fromkeys(found))

    # ── counting ───────────────────────────────────────────────────────────────────────────────────────────────

    def _count(self, clique: Clique, views: tuple[int, ...]) -> None:
        """Count a chosen table with noise."""
        groups = tuple(self.columns[c].views[v] for c, v in zip(clique, views, strict=True))
        counts = np.rint(grouped(self._table(clique).astype(np.float64), groups)).astype(np.int64)
        scale = self.plan.sigma * self.sensitivity
        self.measured.append(Measured(clique, groups, noised_counts(counts, scale).astype(np.float64), scale))

    def _table(self, clique: Clique) -> NDArray[np.int32]:
        """The true counts of a table: private."""
        if clique in self._cached:
            return self._cached[clique]
        sizes = [self.sizes[c] for c in clique]
        places = self.codes[:, clique[0]]
        for c in clique[1:]:
            places = places * self.sizes[c] + self.codes[:, c]
        table = np.bincount(places, minlength=math.prod(sizes)).reshape(sizes).astype(np.int32)
        if sum(self.sizes) ** 2 / 2 <= CACHED_CELLS:
            self._cached[clique] = table
        return table
