"""`Marginals`: private marginals and a graphical model of them, the default under a guarantee.

Formal guarantee: (ε, δ)-differential privacy for adding or removing all rows of one unit (bounded by `rows_per_unit`), by
composition of discrete Gaussian counts and exponential choices, as the ledger lists them.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from masquerade import seeds
from masquerade.codec.arrays import Encoded, Layout
from masquerade.errors import ArtifactError, InterruptedTraining, SettingError
from masquerade.interrupts import hold, interruptible
from masquerade.nets.junction import JunctionTree
from masquerade.privacy.budget import Privacy
from masquerade.progress import Callback, Progress
from masquerade.synthesize.any_cells import AnyCells
from masquerade.synthesize.marginal_codes import CoarseColumn, coarse_column
from masquerade.synthesize.marginal_model import MarginalModel
from masquerade.synthesize.marginal_rounds import Rounds, plan
from masquerade.synthesize.marginal_singles import count_singles
from masquerade.synthesize.private import Prepared, Spending
from masquerade.synthesize.settings import check_count

__all__ = ["Marginals"]

SINGLE = 0.35
"""Share of the budget for counting single columns a second time, the larger ones with less noise."""


class Marginals(AnyCells):
    """Counts tables of few columns with noise, and draws rows from the graphical model that fits them best.

    Single columns first; then, round by round, those pairs of columns that the model so far is most wrong about. The default
    under a guarantee: no net is trained, and counts of many rows lose little to noise. It knows what is in pairs of columns,
    and how they hang together; what only three columns together show, it does not see.

    Args:
        privacy: the guarantee; needed.
        max_cells: the tables of the model have about so many cells in all: more let it take more pairs, and more time.
        unit: the column that says whose row it is; None: what the schema says, and else each row is its own unit.
        verbose: whether to show a progress bar.
        callbacks: called with each `masquerade.progress.Progress`.
        random_state: must stay None: the noise comes from the operating system, and a known seed would undo it.

    Attributes after `fit`, besides those of every synthesizer:
        history_: one mapping per round: `round`, `epsilon` (what was reserved for all rounds) and `cliques` (tables counted
            so far, single columns among them).

    >>> import dataclasses, polars as pl, masquerade as mq
    >>> table = pl.DataFrame({"age": [20, 30, 40, 50] * 500, "sex": ["f", "m"] * 1000})
    >>> schema = dataclasses.replace(mq.infer(table), declared=True)
    >>> model = Marginals(privacy=mq.Privacy(epsilon=1.0)).fit(table, schema=schema)
    >>> set(model.sample(5, given={"sex": "f"})["sex"])
    {'f'}
    """

    reference: ClassVar[str] = (
        "McKenna et al., MST, 2021, arXiv 2108.04978; AIM, 2022, arXiv 2201.12677; Private-PGM, 2019, arXiv 1901.09136"
    )
    spends: ClassVar[Spending] = Spending(domains=0.04, marginals=0.1, most_bins=32)
    protect = 0

    def __init__(
        self,
        *,
        privacy: Privacy | None = None,
        max_cells: int = 500_000,
        unit: str | None = None,
        verbose: bool = False,
        callbacks: Sequence[Callback] = (),
        random_state: int | None = None,
    ):
        self.privacy = privacy
        self.max_cells = max_cells
        self.unit = unit
        self.verbose = verbose
        self.callbacks = callbacks
        self.random_state = random_state

    def _check_settings(self) -> None:
        if self.privacy is None:
            raise SettingError(
                "privacy: got None, and Marginals learns under a guarantee only; give mq.Privacy(epsilon=1.0)."
            )
        check_count("max_cells", self.max_cells, least=1_000)

    def _learn(self, encoded: Encoded, layout: Layout, seed: int) -> None:
        self._check_settings()

    # ── learning ───────────────────────────────────────────────────────────────────────────────────────────────

    def _learn_private(self, prepared: Prepared) -> None:
        began = time.monotonic()
        self.history_, rounds = [], None
        try:
            columns, total = self._columns(prepared)
            if len(columns) > 1:
                codes = np.column_stack([c.group[prepared.encoded.codes[:, i]] for i, c in enumerate(columns)])
                rounds = self._rounds(prepared, codes, columns, total, began)
        except KeyboardInterrupt:
            raise InterruptedTraining("stopped before anything was learned; there is no model to keep.") from None
        groups, weights = tuple(c.group for c in columns), tuple(c.weights for c in columns)
        if rounds is None:
            alone = np.log(columns[0].shares)
            self._model = MarginalModel(JunctionTree.of([alone.size], []), (alone,), groups, weights)
        else:
            self._model = MarginalModel(rounds.model.tree, rounds.model.potentials, groups, weights)
        done = max(len(self.history_), 1)
        self._tell(Progress("measure", done, done, time.monotonic() - began, finished=True))

    def _columns(self, prepared: Prepared) -> tuple[list[CoarseColumn], float]:
        """The model's columns, and the number of rows."""
        layout, sensitivity = prepared.codec.layout, prepared.accountant.privacy.rows_per_unit
        share = SINGLE if len(layout.names) > 1 else None
        singles = count_singles(prepared, share, self.spends.most_bins, sensitivity)
        places = layout.places or (None,) * len(layout.names)
        most = max(math.isqrt(self.max_cells // 2), 2)
        return [
            coarse_column(counts, sigma, singles.total, None if place is None else place[:, 0].astype(float), most)
            for counts, sigma, place in zip(singles.counts, singles.sigmas, places, strict=True)
        ], singles.total

    def _rounds(
        self, prepared: Prepared, codes: NDArray[np.intp], columns: list[CoarseColumn], total: float, began: float
    ) -> Rounds:
        """All rounds, or those before Ctrl-C."""
        accountant = prepared.accountant
        sensitivity = accountant.privacy.rows_per_unit
        planned = plan(len(columns), accountant, sensitivity)
        epsilon = accountant.spent()
        rounds = Rounds(codes, columns, total, planned, sensitivity, self.max_cells)
        try:
            with interruptible():
                for done, count in enumerate(planned.rounds):
                    self._tell(Progress("measure", done, len(planned.rounds), time.monotonic() - began))
                    rounds.step(count, last=done == len(planned.rounds) - 1)
                    told = {"round": done + 1, "epsilon": epsilon, "cliques": len(rounds.measured)}
                    self.history_.append({key: float(value) for key, value in told.items()})
                hold()
        except KeyboardInterrupt:
            self.interrupted_ = True
            hold()
        return rounds

    # ── drawing ────────────────────────────────────────────────────────────────────────────────────────────────

    def _codes(self, rows: int, seed: int, given: NDArray[np.int32] | None, temperature: float) -> NDArray[np.int32]:
        return self._model.draw(rows, seeds.stream(seed, "draw"), given, temperature)

    def _distribution(self, given: NDArray[np.int32], column: int) -> NDArray[np.float32]:
        return self._model.distribution(given, column)

    # ── save and load ──────────────────────────────────────────────────────────────────────────────────────────

    def _to_state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        model = self._model
        arrays: dict[str, NDArray[Any]] = {f"potential.{i}": table for i, table in enumerate(model.potentials)}
        arrays |= {f"group.{i}": group.astype(np.int32) for i, group in enumerate(model.groups)}
        arrays |= {f"weight.{i}": weights for i, weights in enumerate(model.weights)}
        return {"cliques": [list(clique) for clique in model.tree.cliques], "parents": list(model.tree.parents)}, arrays

    def _from_state(self, config: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], layout: Layout) -> None:
        names = range(len(layout.sizes))
        groups = tuple(arrays[f"group.{i}"].astype(np.intp) for i in names)
        weights = tuple(arrays[f"weight.{i}"].astype(np.float64) for i in names)
        cliques = tuple(tuple(int(column) for column in clique) for clique in config["cliques"])
        potentials = tuple(arrays[f"potential.{i}"].astype(np.float64) for i in range(len(cliques)))
        parents = tuple(int(parent) for parent in config["parents"])
        try:
            self._model = MarginalModel.checked(layout.sizes, cliques, parents, potentials, groups, weights)
        except ValueError as error:
            raise ArtifactError(f"the saved model does not fit its columns ({error}); fit again.") from None
